"""What renderers promise: free text cannot reach the terminal raw, JSON is stable, a narrow window keeps the best."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from builders import TIME, TRAITS, credential, record, rejection, verdict

from reconciler.model import Account, Answer, Mode, Problem, Result
from reconciler.planner import plan
from reconciler.plans import Outcome
from reconciler.render import FORMATS, render, rows
from reconciler.report import Header, Report
from reconciler.report import rows as list_rows
from reconciler.scope import Known, Scope
from reconciler.state import Snapshot

HEADER = Header("production", Mode.LIVE, ".reconciler/store.db", True, "store", 7, 1)
NASTY = "\x1b]0;owned\x07\x1b[2Jред\u202e\u200bx\r\n::set-env name=A::b"


def show(report, format_="table", width=120, colour=False):
    return render(format_, report, width=width, colour=colour, now="2026-11-23T17:02:08.125Z")


def listed(*snapshots, **rest):
    snapshot = snapshots[0]
    made = list_rows(snapshot, TRAITS)
    return Report("list", header=HEADER, rows=made, total=len(made), **rest)


def nasty_reports():
    made = plan(
        {"a": credential("a", label=NASTY, description=NASTY, tags={"team": NASTY})},
        {}, {}, Known({("a", "auth_token"): b""}), TRAITS, Scope("s", "w"),
    )  # fmt: skip
    facts = replace(verdict(Answer.REJECTED), account=Account(NASTY, NASTY, NASTY, NASTY), provider_code=NASTY,
                    request_id=NASTY, notes=(NASTY,), asked=f"GET https://host/{NASTY}")  # fmt: skip
    outcome = Outcome(made.changes[0], Result.REJECTED, 0, facts)
    waiting = replace(rejection("a", label=NASTY), verdict=facts, by=NASTY)
    yield "plan", Report("plan", header=HEADER, plan=made)
    yield "apply", Report("apply", header=HEADER, plan=made, outcomes=(outcome,), selection=" -f x")
    yield "list", listed(Snapshot("w", 1, {}, {"a": waiting}))
    yield "validate", Report("validate", problems=(Problem("bad-value", "s", detail=NASTY, hint=NASTY, subject=NASTY),))
    yield "filter", Report("list", header=HEADER, filters={"created-by": NASTY}, creators=(NASTY,))


@pytest.mark.parametrize("name", ["plan", "apply", "list", "validate", "filter"])
@pytest.mark.parametrize("colour", [False, True])
def test_attack_50_free_text_is_shown_as_escapes(name, colour):
    text = show(dict(nasty_reports())[name], colour=colour)
    for raw in ("\x1b]", "\x1b[2J", "\x07", "\r", "\u202e", "\u200b"):
        assert raw not in text
    assert "\\x1b]0;owned" in text
    assert not any(line.startswith("::") for line in text.splitlines())


def test_safe_shows_no_text_of_any_length():
    assert rows.safe("x" * 100_000) == "x" * 100_000
    assert rows.safe("x" * 100_000 + "\x1b[2J" * 10) == f"{'x' * 100_000}… (40 more characters)"


def test_safe_leaves_other_scripts_alone():
    assert rows.safe("Żółć 東京 é") == "Żółć 東京 é"


@pytest.mark.parametrize("name", ["plan", "apply", "list", "validate", "filter"])
def test_json_is_one_object_with_a_version_and_the_exit_code(name):
    report = dict(nasty_reports())[name]
    document = json.loads(show(report, "json"))
    assert document["format_version"] == 1
    assert document["command"] == report.command
    assert document["exit_code"] in (0, 1, 3)


@pytest.mark.parametrize("format_", FORMATS)
def test_no_format_shows_a_fingerprint_or_a_place_for_one(format_):
    stored = Snapshot("w", 1, {"a": record("a", fingerprint=b"\xde\xad\xbe\xef" * 4)}, {})
    text = show(listed(stored), format_)
    assert "deadbeef" not in text
    assert "fingerprint" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_the_list_fits_the_terminal_and_keeps_name_and_status(width):
    stored = Snapshot("w", 1, {n: record(n, label="A label of some length") for n in ("marketing-us", "otp")}, {})
    text = show(listed(stored), width=width)
    table = [line for line in text.splitlines() if "NAME" in line or "marketing-us" in line]
    assert all(len(line) <= width for line in table)
    assert "NAME" in table[0]
    assert "STATUS" in table[0]
    assert ("LABEL" in table[0]) is (width >= 80)


@pytest.mark.parametrize("colour", [True, False])
def test_to_draw_touches_no_terminal_which_may_be_gone(colour, monkeypatch):
    class Gone(StringIO):
        def flush(self):
            raise OSError(5, "Input/output error")

        write = flush

    stored = listed(Snapshot("w", 1, {"otp": record("otp")}, {}))
    shown = show(stored, colour=colour)
    monkeypatch.setattr("sys.stdout", Gone())
    assert show(stored, colour=colour) == shown


def test_a_long_label_is_cut_and_costs_no_column():
    text = show(listed(Snapshot("w", 1, {"otp": record("otp", label="A label 一 " + "long " * 20)}, {})), width=120)
    assert "CREATED BY" in text
    assert "A label 一 long long long lon…" in text


def test_ages_and_identifiers_are_short():
    assert rows.ago(TIME, "2026-11-23T17:02:08.125Z") == "3 h ago"
    assert rows.ago(TIME, TIME) == "now"
    assert rows.ago("", TIME) == "–"
    assert rows.ago("2026-11-01T14:02:08.125Z", TIME) == "22 d ago"
    assert rows.short_id("AC00000000000000000000000000000001") == "AC00…0001"
    assert rows.short_id("https://xyz123.api-us.infobip.com") == "xyz123.api-u…"
