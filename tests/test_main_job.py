"""The main job through the real command line: declare, plan, apply, list, fix, apply again."""

from __future__ import annotations

import re
import stat

import pytest
from conftest import Project

WRONG = "f" * 32
SUMMARY = re.compile(r"^Plan: (\d+) to create, (\d+) to update, (\d+) to delete, (\d+) unchanged\.$", re.MULTILINE)


def counts(done) -> tuple[int, ...]:
    return tuple(map(int, SUMMARY.search(done.out).groups()))


def statuses(project) -> dict[str, str]:
    return {c["name"]: c["status"] for c in project.sandbox("list", "--format", "json").json["credentials"]}


def test_the_first_plan_creates_everything_and_makes_no_store(project):
    project.right_secrets()
    done = project.sandbox("plan")
    assert done.code == 0
    assert counts(done) == (3, 0, 0, 0)
    assert f"no store yet at {project.path}/.reconciler/sandbox.db" in done.out.splitlines()[0]
    assert "Digest" not in done.out
    assert not (project.path / ".reconciler").exists()


def test_apply_stores_what_is_accepted_and_lists_it(applied):
    done = applied.sandbox("list")
    assert done.code == 0
    assert done.out.startswith("production · sandbox · .reconciler/sandbox.db · 3 of 3 credentials")
    assert set(statuses(applied).values()) == {"ready"}


def test_plan_after_apply_has_no_changes(applied):
    done = applied.sandbox("plan", "--detailed-exitcode")
    assert (done.code, counts(done)) == (0, (0, 0, 0, 3))
    assert "secrets compared 3 of 3" in done.out


def test_applying_twice_changes_nothing(applied):
    before = applied.sandbox("list", "--format", "json").json
    done = applied.sandbox("apply", "--yes")
    assert done.code == 0
    assert "No changes" in done.out
    assert applied.sandbox("list", "--format", "json").json == before


def test_the_order_of_the_manifest_does_not_matter(applied):
    text = (applied.path / "credentials.yaml").read_text()
    head, *entries = re.split(r"(?m)^(?=  [a-z])", text)
    applied.write(head + "".join(reversed(entries)))
    assert counts(applied.sandbox("plan")) == (0, 0, 0, 3)


def test_splitting_into_files_does_not_matter(applied):
    text = (applied.path / "credentials.yaml").read_text()
    head, *entries = re.split(r"(?m)^(?=  [a-z])", text)
    for number, entry in enumerate(entries):
        applied.write((head if number else "version: 1\ncredentials:\n") + entry, f"sms/{number}.yaml")
    done = applied.sandbox("plan", "-f", "sms", "--secrets-dir", ".")
    assert (done.code, counts(done)) == (0, (0, 0, 0, 3))


def test_a_rotated_secret_with_unchanged_yaml_is_shown_and_asked_about(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    done = applied.sandbox("plan", "--detailed-exitcode")
    assert done.code == 2
    assert counts(done) == (0, 1, 0, 2)
    assert re.search(r"auth_token +env://TWILIO_AUTH_TOKEN +secret changed", done.out)
    assert WRONG not in done.out


def test_a_refused_update_leaves_the_old_record_and_is_listed_with_what_to_do(applied):
    right = applied.env["TWILIO_AUTH_TOKEN"]
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    applied.edit("label: Marketing US", "label: Marketing US and CA")
    done = applied.sandbox("apply", "--yes")
    assert done.code == 3
    assert "error[key-refused]" in done.out
    assert "v1 keeps serving; your change is not stored" in done.out
    assert (
        "Applied: 0 created, 0 updated, 0 renamed, 0 deleted, 1 rejected, 0 failed, 0 not attempted; 2 unchanged."
        in done.out
    )

    listed = applied.sandbox("list")
    assert "Needs a person (1)" in listed.out
    assert "twilio 401/20003" in listed.out
    assert "reconciler apply --only marketing-us" in listed.out
    (row,) = [c for c in applied.sandbox("list", "--format", "json").json["credentials"] if c["name"] == "marketing-us"]
    assert (row["status"], row["version"], row["label"]) == ("ready, update rejected", 1, "Marketing US")

    applied.env["TWILIO_AUTH_TOKEN"] = right
    assert applied.sandbox("apply", "--yes").code == 0
    assert statuses(applied)["marketing-us"] == "ready"


def test_a_refused_create_stores_nothing_counts_attempts_and_succeeds_when_fixed(project):
    project.right_secrets()
    right = project.env["INFOBIP_API_KEY"]
    project.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    assert project.sandbox("apply", "--yes").code == 3
    assert project.sandbox("apply", "--yes").code == 3
    (row,) = [c for c in project.sandbox("list", "--format", "json").json["credentials"] if c["name"] == "otp-apac"]
    assert (row["status"], row["ready"], row["version"]) == ("not ready, rejected", False, None)
    assert row["rejection"]["attempts"] == 2
    assert row["rejection"]["verdict"]["code"] == "key-refused"

    project.env["INFOBIP_API_KEY"] = right
    assert project.sandbox("apply", "--yes").code == 0
    assert set(statuses(project).values()) == {"ready"}


def test_cancel_drops_the_rejection_and_leaves_what_was_stored(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    applied.sandbox("apply", "--yes")
    done = applied.sandbox("cancel", "marketing-us")
    assert done.code == 0
    assert "v1 keeps serving" in done.out
    assert "still asks for it" in done.out
    assert statuses(applied)["marketing-us"] == "ready"
    assert applied.sandbox("cancel", "marketing-us").code == 64


def test_a_rejection_whose_entry_is_gone_is_dropped_by_the_next_full_apply(project):
    project.right_secrets()
    project.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    project.sandbox("apply", "--yes")
    text = (project.path / "credentials.yaml").read_text()
    project.write(text[: text.index("  otp-apac:")])
    assert "apply drops the rejection" in project.sandbox("plan").out
    assert project.sandbox("apply", "--yes").code == 0
    assert set(statuses(project)) == {"marketing-us", "alerts-eu"}


def test_a_credential_gone_from_the_manifest_is_noted_and_kept(applied):
    text = (applied.path / "credentials.yaml").read_text()
    applied.write(text[: text.index("  otp-apac:")])
    done = applied.sandbox("plan", "--detailed-exitcode")
    assert (done.code, counts(done)) == (0, (0, 0, 0, 2))
    assert "stored, in no manifest: kept" in done.out
    assert "Also: 1 undeclared." in done.out
    assert applied.sandbox("apply", "--yes").code == 0
    assert "otp-apac" in statuses(applied)


def test_creator_and_creation_date_never_change_on_update(applied):
    before = applied.sandbox("list", "--format", "json").json["credentials"]
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("apply", "--yes", "--actor", "somebody-else").code == 0
    after = applied.sandbox("list", "--format", "json").json["credentials"]
    assert [(c["created_by"], c["created_at"]) for c in after] == [(c["created_by"], c["created_at"]) for c in before]
    assert {c["name"]: c["version"] for c in after} == {"alerts-eu": 1, "marketing-us": 2, "otp-apac": 1}


def test_filters_combine_and_count_shown_and_total(applied):
    done = applied.sandbox("list", "--provider", "sinch")
    assert "1 of 3 credentials · provider=sinch" in done.out.splitlines()[0]
    none = applied.sandbox("list", "--provider", "sinch", "--created-by", "zoe")
    assert none.code == 0
    assert "0 of 3 credentials match provider=sinch, created-by=zoe" in none.out
    assert "Creators: " in none.out


def test_a_label_alone_needs_no_secret_and_no_asking(applied):
    del applied.env["TWILIO_AUTH_TOKEN"]
    applied.edit("label: Marketing US", "label: Another")
    done = applied.sandbox("apply", "--yes")
    assert done.code == 0, done.out
    assert "1 updated" in done.out


def test_a_missing_secret_fails_that_credential_and_the_rest_goes_on(project):
    project.right_secrets()
    del project.env["TWILIO_AUTH_TOKEN"]
    plan = project.sandbox("plan")
    assert "secret-missing here: apply will fail it" in plan.out
    done = project.sandbox("apply", "--yes")
    assert done.code == 3
    assert "error[secret-missing]" in done.out
    assert statuses(project) == {"alerts-eu": "ready", "otp-apac": "ready"}


def test_secrets_require_is_an_invalid_run_that_names_the_places(project):
    project.right_secrets()
    del project.env["TWILIO_AUTH_TOKEN"]
    done = project.sandbox("plan", "--secrets", "require")
    assert done.code == 1
    assert "credentials.yaml:8:" in done.err
    assert "secret-unresolved" in done.err


def test_secrets_skip_compares_none_and_apply_refuses_it(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    done = applied.sandbox("plan", "--secrets", "skip")
    assert (done.code, counts(done)) == (0, (0, 0, 0, 3))
    assert "a changed secret does not show here" in done.out
    assert applied.sandbox("apply", "--yes", "--secrets", "skip").code == 64


def test_a_secret_that_is_missing_is_told_with_the_reason_and_its_provider_is_not_counted(project):
    project.env["INFOBIP_API_KEY"] = "short"
    done = project.sandbox("apply", "--yes")
    assert done.code == 3
    assert "Asking nobody; 3 credentials without a secret here." in done.out
    assert "why       env://TWILIO_AUTH_TOKEN: the variable TWILIO_AUTH_TOKEN is not set\n" in done.out
    assert "env://INFOBIP_API_KEY: its length is not between 8 and 4096\n" in done.out
    (why,) = re.findall(r"why       (file://sinch-token: .*(?:\n {12}.*)*)", done.out)
    assert f"in {project.path}: no such file or directory" in " ".join(why.split())
    project.env["TWILIO_AUTH_TOKEN"] = "0" * 32
    assert "Asking 1 provider about 1 credential; 2 credentials without a secret here." in project.sandbox(
        "apply", "--yes"
    ).out  # fmt: skip


def test_only_applies_what_matches(project):
    project.right_secrets()
    done = project.sandbox("apply", "--yes", "--only", "alerts-*")
    assert done.code == 0
    assert set(statuses(project)) == {"alerts-eu"}


def test_a_protected_credential_does_not_become_another_account(applied):
    applied.edit("label: Marketing US", "protected: true")
    assert applied.sandbox("apply", "--yes").code == 0
    applied.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000003")
    applied.edit("protected: true", "protected: false")
    plan = applied.sandbox("plan")
    assert (plan.code, "REFUSED: protected" in plan.out) == (4, True)
    done = applied.sandbox("apply", "--yes")
    assert done.code == 4
    assert "error[protected]" in done.err


def test_parallelism_one_gives_the_same_result(project):
    project.right_secrets()
    assert project.sandbox("apply", "--yes", "--parallelism", "1").code == 0
    assert set(statuses(project).values()) == {"ready"}


# the store is made on purpose


def test_a_throw_away_machine_without_a_store_stores_nothing(project):
    project.right_secrets()
    done = project.run("apply", "--yes")
    assert done.code == 5
    assert "error[store-missing]" in done.err
    assert "store create" in done.err
    assert not (project.path / ".reconciler").exists()
    assert not (project.path.parent / "home").exists()


def footer(text: str) -> list[list[str]]:
    """The commands at the end of a plan, as words behind the program's name."""
    return [line.split()[1:] for line in text.splitlines() if line.startswith("  reconciler ")]


def test_the_commands_at_the_end_of_a_plan_work_as_they_stand(project):
    """Live, as far as nobody is asked: the store comes first, and no command where nothing would be stored."""
    assert footer(project.run("plan").out) == []
    project.right_secrets()
    create, apply = footer(project.run("plan", "--store", "sqlite:///mine.db").out)
    assert create == ["store", "create", "--store", "sqlite:///mine.db"]
    assert apply == ["apply", "--store", "sqlite:///mine.db"]
    assert project.run(*create).code == 0
    (apply,) = footer(project.run("plan", "--store", "sqlite:///mine.db").out)
    assert apply[:4] == ["apply", "--store", "sqlite:///mine.db", "--expect"]


def test_the_consent_that_apply_will_want_is_in_the_command(applied):
    applied.edit("workspace: production", "workspace: staging")
    for env in ({"RECONCILER_SANDBOX": "1"}, {}):
        plan = applied.run("plan", *(() if env else ("--sandbox",)), env=env)
        (apply,) = footer(plan.out)
        assert (plan.code, "--new-workspace" in apply, "--sandbox" in apply) == (0, True, True)
    assert applied.run(*apply, "--yes").code == 0


def test_a_plan_that_was_kept_says_where(applied):
    applied.edit("label: Marketing US", "label: Another")
    done = applied.sandbox("plan", "--out", "plan.json")
    assert "The plan is in plan.json, readable by you alone." in done.out
    (apply,) = footer(done.out)
    assert applied.run(*apply).code == 0


def test_a_key_that_is_none_says_where_it_came_from(applied):
    for command in (("plan",), ("apply", "--yes"), ("store", "create", "--store", "sqlite:///new.db")):
        done = applied.sandbox(*command, env={"RECONCILER_KEY": "foo"})
        assert (done.code, "error[key-malformed]" in done.err) == (5, True)
        assert "it is from RECONCILER_KEY" in done.err


@pytest.mark.parametrize(
    "command", [("history", "--since", "foo"), ("check", "--max-age", "foo"), ("audit", "export", "--since", "foo")],
    ids=" ".join,
)  # fmt: skip
def test_a_mistake_leads_to_the_commands_own_help(applied, command):
    done = applied.sandbox(*command)
    named = " ".join(command[:-2])
    assert (done.code, f"do   reconciler {named} --help" in done.err) == (64, True), done.err


def test_a_run_in_another_folder_is_not_led_to_a_second_store(applied, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = Project(elsewhere, applied.env).sandbox("list")
    assert (done.code, f"there is no {elsewhere}/.reconciler/sandbox.db" in done.err) == (5, True)
    (advice,) = [line for line in done.err.splitlines() if line.startswith("  do")]
    assert advice.index("--store") < advice.index("reconciler store create --sandbox")
    missing = Project(elsewhere, applied.env).sandbox("plan")
    assert (missing.code, f"credentials.yaml, in {elsewhere}" in missing.err, "-f" in missing.err) == (64, True, True)


def test_three_slashes_where_four_were_meant_are_told(applied):
    url = f"sqlite://{applied.path}/.reconciler/sandbox.db"
    done = applied.sandbox("list", "--store", url)
    assert (done.code, f"is {url.replace('sqlite:///', 'sqlite:////')} meant?" in done.err) == (5, True)
    assert applied.sandbox("list", "--store", url.replace("sqlite:///", "sqlite:////")).code == 0


def test_a_store_is_made_known_by_its_whole_path(project):
    done = project.run("store", "create", "--store", f"sqlite://{project.path}/mine.db")
    assert f"Made the live store {project.path}{project.path}/mine.db " in done.out


def test_apply_without_terminal_and_without_yes_does_nothing(project):
    project.right_secrets()
    done = project.sandbox("apply", stdin="yes\n")
    assert done.code == 64
    assert "--yes" in done.err
    assert not (project.path / ".reconciler").exists()


def test_store_create_makes_a_store_and_a_key_for_the_owner_alone(project):
    done = project.run("store", "create")
    assert done.code == 0, done.err
    store = project.path / ".reconciler" / "store.db"
    (key,) = (project.path.parent / "home" / ".config" / "reconciler" / "keys").iterdir()
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert str(key) in done.out
    assert project.run("store", "create").code == 5


def test_a_live_store_and_a_sandbox_run_never_mix(project):
    project.right_secrets()
    project.run("store", "create")
    done = project.sandbox("apply", "--yes", "--store", "sqlite:///.reconciler/store.db")
    assert done.code == 5
    assert "error[store-mode]" in done.err


def test_a_key_of_another_store_says_which_one_is_wanted(applied):
    done = applied.sandbox("plan", env={"RECONCILER_KEY": "A" * 43 + "="})
    assert done.code == 5
    assert re.search(r"error\[key-wrong\].*\n(.*\n)*.*[0-9a-f]{16}", done.err)


def test_without_the_key_a_plan_says_that_secrets_are_not_compared(applied):
    (key,) = (applied.path.parent / "home" / ".config" / "reconciler" / "keys").iterdir()
    key.rename(applied.path / "elsewhere.key")
    plan = applied.sandbox("plan")
    assert plan.code == 0
    assert "warning[key-missing]" in plan.out
    assert applied.sandbox("plan", "--secrets", "require").code == 5
    assert applied.sandbox("plan", "--key-file", "elsewhere.key").out.count("key-missing") == 0
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("apply", "--yes").code == 5


# workspaces


def test_a_workspace_new_to_a_store_with_others_needs_a_word(applied):
    applied.edit("workspace: production", "workspace: prodution")
    done = applied.sandbox("apply", "--yes")
    assert done.code == 4
    hint = "did you mean production? then write  workspace: production  at credentials.yaml:2:12; if it is meant,"
    assert hint in done.err
    plan = applied.sandbox("plan", "--format", "json").json
    (told,) = [problem for problem in plan["problems"] if problem["code"] == "new-workspace"]
    assert (told["place"]["file"], told["place"]["line"]) == ("credentials.yaml", 2)
    astray = applied.sandbox("apply", "--yes", "-w", "production")
    assert astray.code == 64
    assert "drop -w; or is  workspace: production  meant there?" in astray.err
    assert applied.sandbox("apply", "--yes", "--new-workspace").code == 0
    listed = applied.sandbox("list", env={"RECONCILER_FILE": "none.yaml"})
    assert listed.code == 64
    assert "prodution" in listed.err
    assert applied.sandbox("list", "-w", "production").code == 0


def test_w_against_the_manifest_is_usage(applied):
    assert applied.sandbox("plan", "-w", "staging").code == 64


def test_an_empty_manifest_is_an_error_unless_allowed(project):
    project.write("version: 1\nworkspace: production\ncredentials: {}\n")
    assert project.run("validate").code == 1
    assert project.run("validate", "--allow-empty").code == 0


# usage


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["plan", "--nope"], ["apply", "--key", "x"], ["plan", "-f", "absent.yaml"], ["plan", "--parallelism"],
     ["cancel"], ["apply", "--parallelism", "0"], ["plan", "--store", "mysql://x"],
     ["apply", "--yes", "--sandbox-url", "twilio=http://192.0.2.1:80"], ["apply", "--yes", "--sandbox-url", "twilio"]],
    ids=" ".join,
)  # fmt: skip
def test_usage_is_64(project, arguments):
    done = project.run(*arguments)
    assert done.code == 64
    assert done.out == ""
    assert done.err


def test_configuring_flags_read_the_environment_and_consenting_ones_do_not(project):
    project.right_secrets()
    env = {"RECONCILER_SANDBOX": "1", "RECONCILER_YES": "1", "RECONCILER_FORMAT": "json"}
    done = project.run("apply", env=env)
    assert (done.code, done.json["problems"][0]["code"]) == (64, "not-confirmed")
    asked = project.sandbox("apply", "-f", "credentials.yaml", "--only", "alerts-eu", "--atomic")
    assert "in CI: reconciler apply --file credentials.yaml --sandbox --only alerts-eu --atomic --yes" in asked.err


def test_json_of_apply_holds_every_outcome(project):
    project.right_secrets()
    project.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    done = project.sandbox("apply", "--yes", "--format", "json")
    assert done.code == done.json["exit_code"] == 3
    assert {o["name"]: o["result"] for o in done.json["outcomes"]} == {
        "alerts-eu": "created",
        "marketing-us": "created",
        "otp-apac": "rejected",
    }
    assert done.json["format_version"] == 1


def test_validate_shows_every_problem_and_repeats_no_secret(project):
    secret = "0123456789abcdef0123456789abcdef"
    project.edit("env://TWILIO_AUTH_TOKEN", secret)
    project.edit("region: eu", "region: mars")
    done = project.run("validate")
    assert done.code == 1
    assert "error[secret-literal]" in done.out
    assert "credentials.yaml:8:17" in done.out
    assert "credentials.yaml:11:13" in done.out
    assert secret not in done.out + done.err
    assert "2 errors, 0 warnings: 3 credentials in 1 file" in done.out


def test_schema_prints_the_schema(project):
    assert project.run("schema").json["$id"] == "urn:sms-reconciler:schema:credentials:1"


# what reviews found once


def test_apply_without_the_key_never_looks_like_success(applied):
    done = applied.sandbox("apply", "--yes", env={"HOME": str(applied.path)})
    assert done.code == 5
    assert "error[key-missing]" in done.err


def test_only_that_selects_nothing_is_usage(applied):
    done = applied.sandbox("apply", "--yes", "--only", "alert-eu")
    assert done.code == 64
    assert "did you mean alerts-eu?" in done.err


def test_a_partial_plan_says_so_and_promises_nothing_about_the_rest(applied):
    applied.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    applied.sandbox("apply", "--yes")
    text = (applied.path / "credentials.yaml").read_text()
    applied.write(text[: text.index("  otp-apac:")])
    done = applied.sandbox("plan", "--only", "alerts-eu")
    assert "No changes: what was selected is stored as declared." in done.out
    assert "drops" not in done.out


def test_a_label_does_not_settle_what_was_refused(applied):
    applied.env["TWILIO_AUTH_TOKEN"] = WRONG
    applied.sandbox("apply", "--yes")
    del applied.env["TWILIO_AUTH_TOKEN"]
    applied.edit("label: Marketing US", "label: Another")
    assert applied.sandbox("apply", "--yes").code == 0
    assert statuses(applied)["marketing-us"] == "ready, update rejected"


def test_protection_is_lifted_by_an_apply_that_does_only_that(applied):
    applied.edit("label: Marketing US", "label: Marketing US\n    protected: true")
    assert applied.sandbox("apply", "--yes").code == 0
    applied.edit("    protected: true\n", "")
    applied.edit("label: Marketing US", "label: Another")
    refused = applied.sandbox("apply", "--yes")
    assert refused.code == 4
    assert "lose its protection beside other changes" in refused.err
    applied.edit("label: Another", "label: Marketing US")
    assert applied.sandbox("apply", "--yes").code == 0


def test_an_altered_row_vouches_for_nothing_even_where_its_secret_changes(applied):
    import sqlite3

    applied.edit("label: Marketing US", "protected: true")
    applied.sandbox("apply", "--yes")
    with sqlite3.connect(applied.path / ".reconciler" / "sandbox.db") as connection:
        connection.execute(
            "UPDATE records SET declared = replace(declared, '\"protected\":true', '\"protected\":false')"
        )
    applied.edit("AC00000000000000000000000000000001", "AC00000000000000000000000000000003")
    applied.right_secrets()
    done = applied.sandbox("apply", "--yes")
    assert done.code == 5
    assert "error[tampered]" in done.err


def test_a_rejection_names_the_provider_that_refused(applied):
    applied.edit("provider: twilio", "provider: sinch")
    applied.edit("    account_sid: AC00000000000000000000000000000001\n    auth_token: env://TWILIO_AUTH_TOKEN",
                 '    region: us\n    service_plan_id: "00000000000000000000000000000009"\n'
                 "    api_token: env://TWILIO_AUTH_TOKEN")  # fmt: skip
    assert applied.sandbox("apply", "--yes").code == 3
    assert "sinch 401" in applied.sandbox("list").out
    assert "twilio 401" not in applied.sandbox("list").out


def test_suggested_commands_lead_to_the_same_store(project):
    project.right_secrets()
    project.env["INFOBIP_API_KEY"] = "wrong-key-of-somebody"
    store = ["--sandbox", "--store", "sqlite:///other/s.db"]
    done = project.run("apply", "--yes", *store)
    assert "reconciler apply --store sqlite:///other/s.db --sandbox --only otp-apac" in done.out
    listed = project.run("list", *store)
    assert "reconciler cancel otp-apac -w production --store sqlite:///other/s.db --sandbox" in listed.out


def test_a_key_file_that_is_named_is_the_one_that_is_made(project):
    import base64

    env = {"RECONCILER_KEY": base64.b64encode(bytes(range(32))).decode()}
    done = project.run("store", "create", "--key-file", "new.key", env=env)
    assert done.code == 0
    assert (project.path / "new.key").exists()
    assert "new.key" in done.out


def test_file_references_of_several_folders_want_the_folder_named(project):
    project.right_secrets()
    project.write("version: 1\ncredentials: {}\n", "more/other.yaml")
    done = project.sandbox("plan", "-f", "credentials.yaml", "-f", "more", "--allow-empty")
    assert done.code == 64
    assert "--secrets-dir" in done.err


def test_a_reader_that_goes_away_does_not_end_the_run(project):
    import subprocess
    import sys

    project.right_secrets()
    command = f"{sys.executable} -m reconciler apply --yes --sandbox | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=project.path, env=project.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(statuses(project).values()) == {"ready"}


def test_standard_input_is_a_manifest(project):
    project.right_secrets()
    text = (project.path / "credentials.yaml").read_text()
    (project.path / "credentials.yaml").unlink()
    assert project.run("validate", "-f", "-", stdin=text).code == 0
    done = project.sandbox("apply", "--yes", "-f", "-", stdin=text)
    assert done.code == 0, done.err
    assert set(statuses(project).values()) == {"ready"}
    assert "-:4:3" in project.run("validate", "-f", "-", stdin=text.replace("marketing-us", "Marketing")).out


@pytest.mark.parametrize("value", [None, "short"])
@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]], ids=lambda c: c[0])
def test_a_secret_that_could_not_be_compared_is_named_with_the_reason(applied, command, value):
    applied.env.pop("TWILIO_AUTH_TOKEN")
    if value:
        applied.env["TWILIO_AUTH_TOKEN"] = value
    done = applied.sandbox(*command)
    assert done.code == 0
    assert "1 secret could not be compared" in done.out
    assert "marketing-us.auth_token" in done.out
    assert ("its length is not between" in done.out) is (value is not None)
    assert f"warning[{'secret-malformed' if value else 'secret-missing'}]" in done.out


def test_what_failed_and_left_no_row_is_named_below_the_table(project):
    project.right_secrets()
    del project.env["INFOBIP_API_KEY"]
    done = project.sandbox("apply", "--yes")
    assert done.code == 3
    assert "2 of 2 shown: what this run touched." in done.out
    assert "Nothing is stored of: otp-apac (failed: secret-missing)\n" in done.out
    asked = project.sandbox("get", "otp-apac")
    assert asked.code == 64
    assert "nothing is stored of otp-apac: its last attempt failed (secret-missing), " in asked.err
    assert "reconciler history otp-apac -w production --sandbox" in asked.err
    project.right_secrets()
    assert "Nothing is stored of" not in project.sandbox("apply", "--yes").out


def test_a_workspace_where_all_failed_is_known_and_its_list_points_to_the_history(project):
    """Where only attempts are told, a typing error that was mended takes no consent."""
    assert project.sandbox("apply", "--yes").code == 3
    said = "Nothing is stored here. What was tried, or was stored before, is told by: reconciler history -w production"
    for arguments in ((), ("-w", "production")):
        done = project.sandbox("list", *arguments)
        assert (done.code, said in done.out) == (0, True)
        told = project.sandbox("history", *arguments)
        assert (told.code, told.out.count("failed (secret-missing)")) == (0, 3)
    assert "the history tells what was tried" in project.sandbox("list", "--format", "markdown").out
    assert project.sandbox("list", "-w", "dev").code == 64
    project.right_secrets()
    project.edit("workspace: production", "workspace: prod")
    assert project.sandbox("apply", "--yes").code == 0
    assert project.sandbox("list").out.startswith("prod · sandbox · ")


@pytest.fixture
def two_workspaces(applied):
    """A store with ``production`` and ``dev``, of which the manifest at hand names the first."""
    text = (applied.path / "credentials.yaml").read_text()
    applied.write(text.replace("workspace: production", "workspace: dev"), "elsewhere/dev.yaml")
    assert (
        applied.sandbox("apply", "-f", "elsewhere/dev.yaml", "--secrets-dir", ".", "--yes", "--new-workspace").code == 0
    )
    return applied


def test_of_several_workspaces_the_one_that_the_manifest_names_is_meant(two_workspaces):
    for command in (["list"], ["history"], ["get", "otp-apac"], ["check"], ["lock", "show"], ["audit", "verify"]):
        done = two_workspaces.sandbox(*command)
        assert (done.code, done.out.startswith("production · sandbox · ")) == (0, True), done.out + done.err
        named = two_workspaces.sandbox(*command, env={"RECONCILER_FILE": "elsewhere"})
        assert (named.code, named.out.startswith("dev · sandbox · ")) == (0, True), named.out + named.err
    assert two_workspaces.sandbox("list", "-w", "dev").out.startswith("dev · ")


def test_a_manifest_that_names_no_workspace_is_told_where_the_store_has_several(two_workspaces):
    two_workspaces.edit("workspace: production\n", "")
    assert two_workspaces.run("validate").code == 0  # it may be shared by several
    done = two_workspaces.sandbox("plan")
    assert done.code == 64
    assert "credentials.yaml names none; the store has dev, production" in done.err
    assert "write  workspace: NAME  there, or name it with -w" in done.err


@pytest.mark.parametrize(
    "text",
    [
        None,
        "version: 1\ncredentials: {}\n",
        "version: 1\nworkspace: [unclosed\n",
        "version: 1\nworkspace: staging\ncredentials: {}\n",
        "\x00",
    ],
    ids=["no manifest", "none named", "broken", "one that is not stored", "no text"],
)
def test_without_a_word_of_the_manifest_several_workspaces_are_a_question(two_workspaces, text):
    path = two_workspaces.path / "credentials.yaml"
    path.unlink()
    if text is not None:
        path.write_text(text)
    done = two_workspaces.sandbox("list")
    assert done.code == 64
    assert "workspace-unknown" in done.err
    assert "the store has dev, production" in done.err


def test_files_that_name_several_workspaces_and_standard_input_choose_none(two_workspaces):
    for files in ("credentials.yaml:elsewhere/dev.yaml", "-"):
        assert two_workspaces.sandbox("list", env={"RECONCILER_FILE": files}).code == 64


def test_the_only_workspace_of_a_store_is_meant_whatever_the_manifest_says(applied):
    applied.edit("workspace: production", "workspace: staging")
    assert applied.sandbox("list").out.startswith("production · sandbox · ")


@pytest.mark.parametrize("value", [None, "short"])
def test_a_secret_that_cannot_be_had_is_told_beside_other_changes_of_its_entry(applied, value):
    """A rotation that never arrived must not hide behind an edited label."""
    applied.edit("label: Marketing US", "label: Marketing")
    if value is None:
        del applied.env["TWILIO_AUTH_TOKEN"]
    else:
        applied.env["TWILIO_AUTH_TOKEN"] = value
    code = "secret-missing" if value is None else "secret-malformed"
    for command in (("plan",), ("plan", "--format", "markdown"), ("plan", "--format", "github"), ("apply", "--yes")):
        done = applied.sandbox(*command)
        assert done.code == 0, done.err
        assert code in done.out, command
        assert "a stored secret was not compared" in done.out, command


def test_a_folder_of_secrets_that_is_not_there_is_a_usage_error(applied):
    for command in (("plan",), ("apply", "--yes")):
        for folder in ("nowhere", "credentials.yaml", "n" * 300):
            done = applied.sandbox(*command, "--secrets-dir", folder)
            assert (done.code, "there is no folder" in done.err) == (64, True)
