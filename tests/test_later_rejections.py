"""What a later run found out outlives an approval that was made before: its rejection stays, and is named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from builders import credential, record, rejection
from test_approved import planned, prepared_once
from test_terminal import Typist

from reconciler import stale
from reconciler.canonical import to_json
from reconciler.model import Action, Severity
from reconciler.plans import Change

__all__ = ["planned", "prepared_once"]

WRONG = {"INFOBIP_API_KEY": "wrong-key-of-somebody"}
WARNING = "warning[rejection-stays]: a refused submission stays that is not part of what was approved"


def attempts(project) -> dict[str, int]:
    """How often each submission that waits was refused."""
    rows = project.sandbox("list", "--format", "json").json["credentials"]
    return {row["name"]: row["rejection"]["attempts"] for row in rows if row["rejection"]}


def refuse(project) -> None:
    assert project.sandbox("apply", "--yes", "--only", "otp-apac", env=WRONG).code == 3


def without(project, name: str) -> str:
    """Take an entry out of the manifest; answers the manifest as it was."""
    whole = (project.path / "credentials.yaml").read_text()
    project.edit(f"  {name}:", f"  {name}: |")
    text = (project.path / "credentials.yaml").read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(text) if line.startswith(f"  {name}: |"))
    rest = next((n for n in range(at + 1, len(text)) if not text[n].startswith("    ")), len(text))
    project.write("".join([*text[:at], *text[rest:]]))
    return whole


@pytest.fixture
def refused(planned):
    """Of ``otp-apac`` a submission was refused once, and its entry is gone; a plan file has that seen."""
    refuse(planned)
    whole = without(planned, "otp-apac")
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    return planned, whole


def test_a_plan_file_drops_the_rejection_that_it_saw(refused):
    project, _ = refused
    done = project.sandbox("apply", "plan.json")
    assert "otp-apac: the rejection is dropped" in done.out
    assert attempts(project) == {}


def test_an_unsigned_plan_file_drops_none(refused):
    """Which rejections it saw stands in the file alone: without a signature, anybody may have written it there."""
    project, _ = refused
    file = json.loads((project.path / "plan.json").read_text())
    (project.path / "plan.json").write_text(f"{to_json(file | {'signature': None})}\n")
    done = project.sandbox("apply", "plan.json", "--expect", file["digest"], "--secrets-dir", ".")
    assert done.code == 0, done.out + done.err
    assert WARNING in done.out
    assert "a digest does not say which refused submissions were looked at" in done.out
    assert "is dropped" not in done.out
    assert attempts(project) == {"otp-apac": 1}


def test_one_that_was_tried_again_since_stays_and_is_named(refused):
    project, whole = refused
    project.write(whole)
    refuse(project)
    done = project.sandbox("apply", "plan.json", "--report", "json=r.json")
    assert done.code == 0, done.out + done.err
    assert WARNING in done.out
    assert "otp-apac (attempt 2, 20" in done.out
    assert "it came after the plan was made" in done.out
    assert "is dropped" not in done.out
    assert attempts(project) == {"otp-apac": 2}


def test_an_update_that_was_refused_of_what_was_deleted_since_keeps_nothing_serving(planned):
    """A delete that was approved is carried out, whatever was submitted and refused since."""
    assert planned.sandbox("apply", "plan.json").code == 0
    whole = without(planned, "otp-apac")
    assert planned.sandbox("plan", "--prune", "--out", "plan.json").code == 0
    planned.write(whole)
    refuse(planned)
    assert planned.sandbox("apply", "plan.json").code == 0
    (row,) = (r for r in planned.sandbox("list", "--format", "json").json["credentials"] if r["name"] == "otp-apac")
    assert (row["version"], row["rejection"]["attempts"]) == (None, 1)
    for command in (("list",), ("get", "otp-apac"), ("check",)):
        done = planned.sandbox(*command)
        assert "a refused update of v1, which was deleted since: nothing can send with it." in done.out, done.err
        assert "keeps serving under its old name" not in done.out


def test_one_that_came_after_the_plan_stays_too(planned):
    """The plan saw the name as undeclared, and no rejection of it."""
    assert planned.sandbox("apply", "plan.json").code == 0
    whole = without(planned, "otp-apac")
    planned.edit("label: Another", "label: Third")
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    planned.write(whole)
    refuse(planned)
    done = planned.sandbox("apply", "plan.json")
    assert (done.code, WARNING in done.out) == (0, True)
    assert attempts(planned) == {"otp-apac": 1}


def test_it_outlives_an_approved_delete(planned):
    assert planned.sandbox("apply", "plan.json").code == 0
    whole = without(planned, "otp-apac")
    assert planned.sandbox("plan", "--prune", "--out", "plan.json").code == 0
    planned.write(whole)
    refuse(planned)
    done = planned.sandbox("apply", "plan.json")
    assert "1 deleted" in done.out, done.out + done.err
    assert WARNING in done.out
    assert attempts(planned) == {"otp-apac": 1}


def test_it_outlives_an_approved_rename_of_its_name(planned):
    assert planned.sandbox("apply", "plan.json").code == 0
    whole = (planned.path / "credentials.yaml").read_text()
    planned.edit("  otp-apac:\n", "  otp-asia:\n    moved_from: otp-apac\n")
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    renamed = (planned.path / "credentials.yaml").read_text()
    planned.write(whole)
    refuse(planned)
    planned.write(renamed)
    done = planned.sandbox("apply", "plan.json")
    assert "1 renamed" in done.out, done.out + done.err
    assert WARNING in done.out
    assert attempts(planned) == {"otp-apac": 1}


def test_it_outlives_an_approved_change_that_nobody_is_asked_about(planned):
    """The label is stored without a proof: that is no word on the secret that was refused."""
    assert planned.sandbox("apply", "plan.json").code == 0
    planned.edit("  otp-apac:\n", "  otp-apac:\n    label: OTP\n")
    assert planned.sandbox("plan", "--out", "plan.json").code == 0
    refuse(planned)
    done = planned.sandbox("apply", "plan.json")
    assert "1 updated" in done.out, done.out + done.err
    assert attempts(planned) == {"otp-apac": 1}


def test_a_proof_settles_it_whatever_the_plan_saw(planned):
    refuse(planned)
    done = planned.sandbox("apply", "plan.json")
    assert (done.code, WARNING in done.out) == (0, False)
    assert attempts(planned) == {}


def test_a_digest_drops_none_and_says_so(planned):
    refuse(planned)
    without(planned, "otp-apac")
    approved = planned.sandbox("plan", "--format", "json").json["plan"]["digest"]
    done = planned.sandbox("apply", "--yes", "--expect", approved)
    assert done.code == 0, done.out + done.err
    assert WARNING in done.out
    assert "a digest does not say which refused submissions were looked at" in done.out
    assert attempts(planned) == {"otp-apac": 1}
    assert planned.sandbox("apply", "--yes").code == 0
    assert attempts(planned) == {}


def test_a_digest_that_covers_the_rename_covers_the_rejection_of_the_old_name(planned):
    assert planned.sandbox("apply", "plan.json").code == 0
    refuse(planned)
    planned.edit("  otp-apac:\n", "  otp-asia:\n    moved_from: otp-apac\n")
    approved = planned.sandbox("plan", "--format", "json").json["plan"]["digest"]
    done = planned.sandbox("apply", "--yes", "--expect", approved)
    assert (done.code, WARNING in done.out) == (0, False)
    assert attempts(planned) == {}


def test_one_that_comes_while_the_plan_is_looked_at_stays_too(planned):
    """Between the question and the answer somebody with another manifest tried it again."""
    refuse(planned)
    whole = without(planned, "otp-apac")
    person = Typist(planned, "apply", "--sandbox", env={"COLUMNS": "200"})
    person.read_until("Only 'yes' will be accepted")
    assert "apply drops the rejection" in person.seen
    planned.write(whole, "other.yaml")
    assert planned.sandbox("apply", "--yes", "-f", "other.yaml", "--only", "otp-apac", env=WRONG).code == 3
    person.type("yes\n")
    assert person.end() == 0
    assert "it came after the plan was shown" in person.seen
    assert attempts(planned) == {"otp-apac": 2}


def note(name: str) -> Change:
    return Change(Action.NOTE, name, "twilio", ("rejection-gone",), rejection=rejection(name))


def test_one_is_newer_where_it_is_another_attempt_or_another_time():
    waiting = {"a": rejection("a", attempts=2)}
    seen = stale.seen([note("a")], waiting)
    assert stale.newer([note("a")], waiting, seen) == frozenset()
    assert stale.newer([note("a")], {"a": rejection("a", attempts=3)}, seen) == {"a"}
    assert stale.newer([note("a")], {"a": replace(waiting["a"], last_at="2026-11-24")}, seen) == {"a"}
    assert stale.newer([note("a")], waiting, {}) == {"a"}


def test_only_what_would_go_without_a_proof_can_stay():
    waiting = {name: rejection(name) for name in ("asked", "told", "noted", "old")}
    changes = [
        Change(Action.UPDATE, "asked", "twilio", ("secret",), asks=True),
        Change(Action.UPDATE, "told", "twilio", ("common",)),
        Change(Action.NOTE, "noted", "twilio", ("undeclared",), record=record("noted")),
        Change(Action.RENAME, "new", "twilio", ("renamed",), asks=True,
               credential=replace(credential("new"), moved_from="old")),
    ]  # fmt: skip
    assert stale.newer(changes, waiting, {}) == {"told", "old"}


def test_a_digest_covers_the_rejection_of_a_name_that_is_left_and_no_other():
    renamed = Change(Action.RENAME, "new", "twilio", ("renamed",),
                     credential=replace(credential("new"), moved_from="old"))  # fmt: skip
    told = Change(Action.UPDATE, "told", "twilio", ("common",))
    assert stale.undigested([note("gone"), note("old"), renamed, told]) == {"gone"}


def test_the_warning_names_each_with_its_latest_attempt():
    assert stale.stays((), {}, "why") == ()
    (warning,) = stale.stays({"b", "a"}, {"a": rejection("a"), "b": rejection("b", attempts=2)}, "why")
    assert (warning.code, warning.severity, warning.subject) == ("rejection-stays", Severity.WARNING, "a, b")
    time = rejection("a").last_at
    assert warning.detail == f"a (attempt 1, {time}), b (attempt 2, {time}): why"
