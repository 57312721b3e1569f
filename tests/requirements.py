"""Which tests show which requirement. ``python tests/requirements.py > docs/requirements.md`` writes the page of it.

``tests/test_requirements.py`` holds that every requirement has tests, that they exist, and that the page is current.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Requirement:
    """One thing that the system must do."""

    id: str
    text: str
    tests: tuple[str, ...]
    """``file::test``, below ``tests/``."""


def _shown(id_: str, text: str, **tests: str) -> Requirement:
    """``tests``: names of tests by file; ``providers__`` stands for a folder."""
    files = {key.replace("__", "/"): names.split() for key, names in tests.items()}
    return Requirement(id_, text, tuple(f"{file}.py::{name}" for file, names in files.items() for name in names))


PARTS: dict[str, tuple[Requirement, ...]] = {
    "Purpose": (
        _shown(
            "R1", "A credential has a stable name and a ready yes or no.",
            test_main_job="test_apply_stores_what_is_accepted_and_lists_it",
            test_check="test_check_of_one_name_skips_the_others_and_an_unknown_name_is_usage "
            "test_a_revoked_credential_is_refused_now_listed_and_recorded_once",
            test_requirements_cli="test_the_status_begins_with_ready_yes_or_no",
        ),
        _shown(
            "R2", "Only connections are managed: nothing ever sends an SMS.",
            test_requirements_cli="test_a_provider_can_ask_and_do_nothing_else",
            providers__test_conformance="test_attack_16_no_secret_stands_in_an_address",
            providers__test_infobip="test_no_endpoint_is_asked_that_consumes_what_it_returns",
        ),
        _shown(
            "R3", "A script can test, offline, that at least one ready credential exists.",
            test_check="test_require_fails_where_too_few_are_ready",
        ),
        _shown(
            "R4", "Providers are independent: one adapter each behind one interface; a new one changes no core file.",
            test_plugins="test_the_page_alone_makes_a_provider "
            "test_a_run_with_an_installed_provider_and_resolver_from_rejection_to_ready",
            test_architecture="test_the_four_folders_never_import_each_other",
            providers__test_conformance="test_the_right_secret_is_accepted test_a_wrong_secret_is_refused test_answer",
        ),
        _shown(
            "R5", "Sinch, Twilio and Infobip; another name is an offline error that lists those installed.",
            test_inform="test_an_unknown_provider_is_an_offline_error_that_lists_those_installed",
            test_plugins="test_every_provider_in_the_table_is_one test_an_unknown_name_lists_those_installed",
        ),
        _shown(
            "R6", "The customer brings identifier and secret of an account of their own.",
            test_requirements_cli="test_without_identifier_or_secret_nothing_is_planned_or_asked",
            providers__test_conformance="test_the_right_secret_is_accepted",
        ),
        _shown(
            "R7", "Identifier and secret are both required; absence is found before any network call.",
            test_requirements_cli="test_without_identifier_or_secret_nothing_is_planned_or_asked",
            test_engine="test_a_missing_secret_fails_its_credential_without_asking",
            providers__test_twilio="test_none_or_half_or_both_are_invalid_in_model_and_schema",
        ),
        _shown(
            "R8", "The provider's own terms apply, and its help says so.",
            test_inform="test_a_provider_says_where_its_fields_are_found_its_terms_and_an_entry_that_is_valid",
        ),
        _shown(
            "R9", "Every failure is attributed: to us, to the configuration, or to the provider.",
            test_requirements_cli="test_every_failure_has_a_fault_that_says_whose_turn_it_is",
            test_inform="test_every_code_is_explained",
            test_causes="test_a_refused_update_names_place_causes_state_and_whom_to_ask "
            "test_what_was_never_asked_sends_nobody_to_the_provider",
        ),
        _shown(
            "R10", "A failure at the provider names it, with status, code, request id and whom to turn to.",
            test_causes="test_a_refused_update_names_place_causes_state_and_whom_to_ask",
            test_main_job="test_a_rejection_names_the_provider_that_refused",
            test_requirements_cli="test_a_refusal_names_provider_status_code_request_and_support",
        ),
    ),
    "Access": (
        _shown(
            "R11", "Only administrators reach what is stored, reading included; a refusal reveals nothing. "
            "On SQLite by the file's owner and mode; roles come with PostgreSQL.",
            stores__test_sqlite="test_a_database_open_to_others_is_refused_with_the_command "
            "test_a_database_of_somebody_else_is_refused "
            "test_a_folder_where_others_may_swap_the_file_is_refused "
            "test_attack_42_database_wal_and_shm_are_ours_alone_whatever_the_umask",
            test_main_job="test_store_create_makes_a_store_and_a_key_for_the_owner_alone",
            test_requirements_cli="test_a_store_that_is_not_ours_reveals_no_name_and_no_count",
        ),
    ),
    "List": (
        _shown(
            "R12", "One place lists every credential of the workspace.",
            test_main_job="test_apply_stores_what_is_accepted_and_lists_it",
            test_report="test_rows_are_records_and_rejections_in_order_of_name",
            test_requirements_cli="test_a_list_has_the_columns_of_the_original_page_in_their_order",
        ),
        _shown(
            "R13", "The list belongs to one instance: the workspace.",
            test_requirements_cli="test_one_workspace_sees_nothing_of_another",
            test_main_job="test_a_workspace_new_to_a_store_with_others_needs_a_word",
        ),
        _shown(
            "R14", "Nothing of another workspace is shown or reached.",
            test_requirements_cli="test_one_workspace_sees_nothing_of_another",
            conformance__test_store="test_workspaces_do_not_see_each_other",
        ),
        _shown(
            "R15", "Filters are optional; unfiltered is the default.",
            test_requirements_cli="test_without_a_filter_everything_is_listed",
            test_main_job="test_filters_combine_and_count_shown_and_total",
        ),
        _shown(
            "R16", "Filter by provider.",
            test_main_job="test_filters_combine_and_count_shown_and_total",
        ),
        _shown(
            "R17", "Filter by creator; both combine.",
            test_main_job="test_filters_combine_and_count_shown_and_total",
        ),
        _shown(
            "R18", "The creator is recorded at creation and never changes.",
            test_main_job="test_creator_and_creation_date_never_change_on_update",
            test_context="test_gitlab_names_the_commit_author_as_creator",
        ),
    ),
    "Create": (
        _shown(
            "R19", "Several credentials of one provider.",
            test_requirements_cli="test_several_credentials_of_one_provider_live_side_by_side",
        ),
        _shown(
            "R20", "A credential names its provider explicitly.",
            test_schema="test_what_is_wrong_is_told_once_in_our_words",
            test_requirements_cli="test_without_identifier_or_secret_nothing_is_planned_or_asked",
        ),
        _shown(
            "R21", "Its fields depend on the provider.",
            test_schema="test_a_key_of_another_provider_is_explained "
            "test_a_literal_under_another_providers_key_is_told_as_well",
            test_laws="test_they_agree_on_every_odd_value_of_every_key",
        ),
        _shown(
            "R22", "Each field says what it is and which form it has.",
            test_schema="test_every_key_tells_an_editor_what_it_is",
            test_laws="test_the_models_the_schema_libraries_and_the_reader_agree_on_every_entry",
        ),
        _shown(
            "R23", "A name is required.",
            test_schema="test_attack_49_names_are_dns_labels_in_ascii test_a_name_that_nearly_is_one_is_corrected",
            test_requirements_cli="test_a_credential_without_a_name_is_refused",
        ),
        _shown(
            "R24", "Sinch: service plan ID and API token.",
            test_requirements_cli="test_without_identifier_or_secret_nothing_is_planned_or_asked",
            providers__test_sinch="test_fields_have_their_form test_an_empty_list_is_asked_for",
        ),
        _shown(
            "R25", "Sinch's help says where in the console each value is found.",
            test_requirements_cli="test_help_says_where_every_field_is_found_and_links_the_documentation",
            providers__test_conformance="test_every_key_of_a_provider_has_its_help_and_no_key_takes_null",
        ),
        _shown(
            "R26", "Sinch's documentation is linked.",
            test_inform="test_providers_lists_all_with_their_documentation",
            test_requirements_cli="test_help_says_where_every_field_is_found_and_links_the_documentation",
        ),
        _shown(
            "R27", "Twilio: account SID and auth token.",
            test_requirements_cli="test_without_identifier_or_secret_nothing_is_planned_or_asked",
            providers__test_twilio="test_an_account_sid_has_its_form "
            "test_one_way_to_sign_in_is_valid_in_model_and_schema",
        ),
        _shown(
            "R28", "Twilio's help says where in the console each value is found.",
            test_requirements_cli="test_help_says_where_every_field_is_found_and_links_the_documentation",
            providers__test_conformance="test_every_key_of_a_provider_has_its_help_and_no_key_takes_null",
        ),
        _shown(
            "R29", "Twilio's documentation is linked.",
            test_inform="test_providers_lists_all_with_their_documentation",
            test_requirements_cli="test_help_says_where_every_field_is_found_and_links_the_documentation",
        ),
        _shown(
            "R30", "Infobip: API base URL and API key.",
            test_requirements_cli="test_without_identifier_or_secret_nothing_is_planned_or_asked",
            providers__test_infobip="test_attacks_18_and_21_to_24_a_base_url_has_one_form "
            "test_the_balance_is_asked_for_at_the_accounts_own_host",
        ),
        _shown(
            "R31", "Infobip's help says where in the portal each value is found.",
            test_requirements_cli="test_help_says_where_every_field_is_found_and_links_the_documentation",
            providers__test_conformance="test_every_key_of_a_provider_has_its_help_and_no_key_takes_null",
        ),
        _shown(
            "R32", "Infobip's documentation is linked.",
            test_inform="test_providers_lists_all_with_their_documentation",
            test_requirements_cli="test_help_says_where_every_field_is_found_and_links_the_documentation",
        ),
        _shown(
            "R33", "Submitting is an explicit act; an incomplete manifest cannot be applied.",
            test_main_job="test_the_first_plan_creates_everything_and_makes_no_store "
            "test_apply_without_terminal_and_without_yes_does_nothing",
            test_terminal="test_only_the_literal_word_yes_applies",
            test_requirements_cli="test_a_plan_is_no_submission "
            "test_without_identifier_or_secret_nothing_is_planned_or_asked",
        ),
    ),
    "Submit": (
        _shown(
            "R34", "On submission a credential is validated with its provider at once.",
            test_main_job="test_apply_stores_what_is_accepted_and_lists_it",
            test_laws="test_a_stored_secret_is_always_the_value_that_was_last_proven",
        ),
        _shown(
            "R35", "It is saved in the same act: there is no half-saved state.",
            stores__test_sqlite="test_attack_70_killed_in_the_middle_of_a_commit_the_store_is_whole",
            conformance__test_store="test_a_bug_in_the_middle_of_a_batch_leaves_nothing_of_it",
            test_laws="test_no_answer_but_valid_changes_a_stored_secret "
            "test_after_an_apply_the_accepted_are_gone_from_the_plan_and_the_others_are_planned_again",
        ),
        _shown(
            "R36", "After submission the list is shown with the new or changed rows.",
            test_main_job="test_apply_stores_what_is_accepted_and_lists_it",
            test_requirements_cli="test_an_apply_ends_with_the_rows_that_it_touched",
        ),
        _shown(
            "R37", "A refused one is shown in the list with the reason, never with the secret.",
            test_main_job="test_a_refused_update_leaves_the_old_record_and_is_listed_with_what_to_do "
            "test_a_refused_create_stores_nothing_counts_attempts_and_succeeds_when_fixed",
            test_laws="test_nothing_of_a_secret_is_in_an_event_a_rejection_a_record_a_report_or_the_file",
        ),
        _shown(
            "R38", "A submission can be cancelled: it is discarded, what was stored before is untouched.",
            test_main_job="test_cancel_drops_the_rejection_and_leaves_what_was_stored",
            test_causes="test_an_unknown_judges_nothing_and_discards_nothing",
        ),
        _shown(
            "R39", "Or changed and submitted again, without limit: validated anew, superseding the failed attempt.",
            test_main_job="test_a_refused_create_stores_nothing_counts_attempts_and_succeeds_when_fixed",
            test_laws="test_a_rejection_waits_exactly_where_the_latest_word_was_a_refusal "
            "test_applying_twice_is_applying_once",
            conformance__test_store="test_a_success_removes_the_rejection",
        ),
    ),
}  # fmt: skip

REQUIREMENTS = {requirement.id: requirement for part in PARTS.values() for requirement in part}
WANTED = tuple(f"R{number}" for number in range(1, 40))


@cache
def tests_in(file: str) -> frozenset[str]:
    """The names of a file's tests, those of classes left out; none where there is no such file."""
    path = ROOT / "tests" / file
    if not path.exists():
        return frozenset()
    body = ast.parse(path.read_text()).body
    functions = (node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in functions if name.startswith("test_"))


def absent(requirements: dict[str, Requirement]) -> list[str]:
    """``R5: file::test`` for each test that is named and is not there."""
    return [
        f"{requirement.id}: {test}"
        for requirement in requirements.values()
        for file, _, name in [test.partition("::") for test in requirement.tests]
        if name not in tests_in(file)
        for test in [f"{file}::{name}"]
    ]


def page() -> str:
    """docs/requirements.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Requirements and the tests that show them"
    yield ""
    yield (
        "Made by `make docs` from `tests/requirements.py`; edit the table there. "
        "Every test named here runs in `make test`."
    )
    for title, part in PARTS.items():
        yield from ("", f"## {title}", "", "| | requirement | shown by |", "|---|---|---|")
        for requirement in part:
            tests = "<br>".join(_link(test) for test in requirement.tests)
            yield f"| {requirement.id} | {requirement.text} | {tests} |"
    yield ""


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    return f"[{file}](../tests/{file}) `{name}`"


if __name__ == "__main__":
    sys.stdout.write(page())
