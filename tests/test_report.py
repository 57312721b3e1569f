"""Counts, lines that scripts rely on, and the exit code: the first of the documented order wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import TRAITS, credential, record, rejection, verdict

from reconciler.codes import CODES, Exit
from reconciler.model import Answer, Problem, Result, Severity
from reconciler.planner import plan
from reconciler.plans import Outcome, Plan
from reconciler.report import Report, applied_summary, exit_code, plan_also, plan_summary, rows
from reconciler.scope import Known, Scope
from reconciler.state import Snapshot


def planned(**rest) -> Plan:
    return plan({"a": credential("a")}, {}, {}, Known({("a", "auth_token"): b""}), TRAITS, Scope("s", "w", **rest))


def problem(code: str) -> Problem:
    return Problem(code, CODES[code].summary)


def report_with(*codes: str, **rest) -> Report:
    return Report("apply", problems=tuple(problem(code) for code in codes), **rest)


def test_the_summary_line_is_exactly_the_documented_one():
    made = plan(
        {n: credential(n) for n in ("a", "b", "c")},
        {n: record(n, fingerprint=b"old" if n == "b" else b"same") for n in ("b", "c", "z")},
        {},
        Known({(n, "auth_token"): b"same" for n in ("a", "b", "c")}),
        TRAITS,
        Scope("s", "w"),
    )
    assert plan_summary(made) == "Plan: 1 to create, 1 to update, 0 to delete, 1 unchanged."
    assert plan_also(made) == "Also: 1 undeclared."


def test_the_second_line_is_absent_where_it_would_be_empty():
    assert plan_also(planned()) == ""


def test_applied_counts_every_result():
    change = planned().changes[0]
    outcomes = tuple(Outcome(change, result) for result in (Result.CREATED, Result.REJECTED, Result.SKIPPED))
    more = (*outcomes, Outcome(change, Result.ACCEPTED))
    assert "0 failed, 1 accepted (not stored), 1 not attempted;" in applied_summary(more, 7)
    assert applied_summary(outcomes, 7) == (
        "Applied: 1 created, 0 updated, 0 renamed, 0 deleted, 1 rejected, 0 failed, 1 not attempted; 7 unchanged."
    )


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (report_with(), Exit.DONE),
        (report_with("secret-literal"), Exit.INVALID),
        (report_with("protected"), Exit.REFUSED),
        (report_with("store-missing"), Exit.STORE),
        (report_with("usage"), Exit.USAGE),
        (report_with("bug"), Exit.BUG),
        (report_with(interrupted=True), Exit.INTERRUPTED),
        (report_with("bug", "interrupted", "usage", "store-missing", "protected", "secret-literal"), Exit.BUG),
        (report_with("usage", "store-missing", "protected", interrupted=True), Exit.INTERRUPTED),
        (report_with("usage", "store-missing", "protected"), Exit.USAGE),
        (report_with("protected", "store-missing"), Exit.STORE),
        (report_with("secret-literal", "protected"), Exit.REFUSED),
        (report_with(outcomes=(Outcome(planned().changes[0], Result.REJECTED),)), Exit.ATTENTION),
        (report_with(outcomes=(Outcome(planned().changes[0], Result.FAILED),)), Exit.ATTENTION),
        (report_with(outcomes=(Outcome(planned().changes[0], Result.CREATED),)), Exit.DONE),
        (report_with("secret-literal", outcomes=(Outcome(planned().changes[0], Result.FAILED),)), Exit.ATTENTION),
        (Report("plan", plan=planned(), detailed_exitcode=True), Exit.CHANGES),
        (Report("plan", plan=planned()), Exit.DONE),
    ],
)
def test_exit_code(report, code):
    assert exit_code(report) == code


REFUSED = replace(planned(), refusals=(problem("too-many-deletes"),))
"""A plan that apply will refuse, whoever consents."""


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ({}, Exit.REFUSED),
        ({"detailed_exitcode": True}, Exit.REFUSED),
        ({"live": {"a": verdict(Answer.REJECTED)}}, Exit.REFUSED),
        ({"problems": (problem("store-missing"),)}, Exit.STORE),
    ],
)
@pytest.mark.parametrize("command", ["plan", "show"])
def test_a_plan_that_apply_will_refuse_is_refused_already(command, rest, code):
    assert exit_code(Report(command, plan=REFUSED, **rest)) == code


def test_what_a_flag_of_apply_consents_to_is_no_refusal_of_the_plan():
    consent = replace(problem("new-workspace"), severity=Severity.WARNING)
    assert exit_code(Report("plan", plan=planned(), problems=(consent,))) == Exit.DONE


def test_a_note_alone_is_no_change():
    noted = plan({}, {"z": record("z")}, {}, Known(), TRAITS, Scope("s", "w"))
    assert exit_code(Report("plan", plan=noted, detailed_exitcode=True)) == Exit.DONE


def test_warnings_do_not_fail():
    warning = replace(problem("not-read"), severity=Severity.WARNING)
    assert exit_code(Report("validate", problems=(warning,))) == Exit.DONE


def test_rows_are_records_and_rejections_in_order_of_name():
    snapshot = Snapshot("w", 1, {"b": record("b")}, {"a": rejection("a"), "b": rejection("b")})
    made = rows(snapshot, TRAITS)
    assert [(r.name, r.status, r.ready) for r in made] == [
        ("a", "not ready, rejected", False),
        ("b", "ready, update rejected", True),
    ]
    assert made[0].created_by == "tom"
    assert made[1].service_id == "AC1"


def test_every_code_has_a_summary_and_those_a_person_must_act_on_a_hint():
    for code in CODES.values():
        assert code.summary
        assert code.hint or code.exit in (Exit.INVALID, Exit.DONE), code.name
