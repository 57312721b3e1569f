"""Every refusal of an approval, each with its own code, message and hint: exit 4, nothing asked, nothing written.

Their texts stand in ``refusals/``, whole: ``pytest --update-golden`` writes them again, a diff is reviewed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from test_approved import ZEROS, digest, dump, planned, prepared_once, resigned, versions

from reconciler import sandbox
from reconciler.codes import CODES, plans
from reconciler.codes.base import Exit

__all__ = ["planned", "prepared_once"]

TEXTS = Path(__file__).parent / "refusals"
PLAN = ("apply", "plan.json")


def unsigned(project):
    (key,) = (project.path.parent / "home" / ".config" / "reconciler" / "keys").iterdir()
    key.rename(key.with_suffix(".away"))
    assert project.sandbox("plan", "--out", "plan.json").code == 0
    key.with_suffix(".away").rename(key)


def of_another_key(project):
    resigned(project, lambda file: file)
    text = (project.path / "plan.json").read_text()
    (project.path / "plan.json").write_text(re.sub('"key":"[0-9a-f]{16}"', f'"key":"{"0" * 16}"', text))


def another_store(project):
    store = ("--store", "sqlite:///other.db")
    assert project.sandbox("store", "create", *store).code == 0


def expired(project):
    resigned(project, lambda f: replace(f, made=replace(f.made, expires="2026-01-01T00:00:00.000Z")))


def moved(project):
    project.edit("label: Another", "label: Third")
    assert project.sandbox("apply", "--yes", "--only", "marketing-us").code == 0


def others_reason(project):
    def change(file):
        changes = tuple(replace(c, reasons=("settings",)) if c.name == "marketing-us" else c for c in file.plan.changes)
        return replace(file, plan=replace(file.plan, changes=changes))

    resigned(project, change)


def without(project, *names):
    head, *entries = re.split(r"(?m)^(?=  [a-z])", (project.path / "credentials.yaml").read_text())
    kept = [entry for entry in entries if entry.strip().partition(":")[0] not in names]
    project.write(head + "".join(kept))


def deletes(project):
    assert project.sandbox("apply", "plan.json").code == 0
    without(project, "alerts-eu", "otp-apac")
    assert project.sandbox("plan", "--prune", "--out", "plan.json").code == 4


def protected(project):
    project.edit("  alerts-eu:\n", "  alerts-eu:\n    protected: true\n")
    assert project.sandbox("apply", "--yes").code == 0
    without(project, "alerts-eu")
    assert project.sandbox("plan", "--prune", "--out", "plan.json").code == 4


def lifted(project):
    project.edit("  alerts-eu:\n", "  alerts-eu:\n    protected: true\n")
    assert project.sandbox("apply", "--yes").code == 0
    project.edit("protected: true", "protected: false")
    without(project, "otp-apac")
    assert project.sandbox("plan", "--prune", "--out", "plan.json").code == 4


def both_stored(project):
    assert project.sandbox("apply", "plan.json").code == 0
    project.edit("  otp-apac:\n", "  otp-apac:\n    moved_from: marketing-us\n")
    without(project, "marketing-us")
    assert project.sandbox("plan", "--out", "plan.json").code == 4


def elsewhere(project):
    project.edit("workspace: production", "workspace: prodution")
    assert project.sandbox("plan", "--out", "plan.json").code == 0


CASES = {
    "plan-altered": (lambda p: p.edit("Another", "Annother", "plan.json"), PLAN),
    "plan-altered, its signature": (lambda p: p.write(mended(p), "plan.json"), PLAN),
    "plan-altered, no plan": (lambda p: p.write("Nothing.\n", "notes.txt"), ("apply", "notes.txt")),
    "plan-newer": (lambda p: p.edit('"format_version":1', '"format_version":2', "plan.json"), PLAN),
    "plan-unsigned": (unsigned, PLAN),
    "plan-unsigned, another key": (of_another_key, PLAN),
    "plan-other-store": (another_store, (*PLAN, "--store", "sqlite:///other.db")),
    "plan-other-workspace": (lambda p: None, (*PLAN, "-w", "staging")),
    "plan-expired": (expired, PLAN),
    "plan-finished": (lambda p: p.sandbox("apply", "plan.json"), PLAN),
    "plan-unexpected": (lambda p: None, ("apply", "--yes", "--expect", ZEROS)),
    "plan-unexpected, a file": (lambda p: None, (*PLAN, "--expect", ZEROS)),
    "plan-version-moved": (moved, PLAN),
    "plan-secret-changed": (lambda p: p.env.update(INFOBIP_API_KEY="another-one"), PLAN),
    "plan-uncompared": (lambda p: p.env.pop("INFOBIP_API_KEY"), PLAN),
    "plan-stale": (others_reason, PLAN),
    "protected": (protected, PLAN),
    "too-many-deletes": (deletes, PLAN),
    "lifts-and-deletes": (lifted, PLAN),
    "name-taken": (both_stored, PLAN),
    "new-workspace": (elsewhere, PLAN),
}  # fmt: skip


def mended(project) -> str:
    """An altered plan whose id fits it again: only the signature tells."""
    before = (project.path / "plan.json").read_text()
    resigned(project, lambda f: replace(f, made=replace(f.made, expires="2099-01-01T00:00:00.000Z")))
    after = (project.path / "plan.json").read_text()
    signature = re.search(r'"signature":\{.*?\}', before)[0]
    return re.sub(r'"signature":\{.*?\}', signature, after)


def steady(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"(?<=store )[a-z2-7]{16}", "STORE", text)
    text = re.sub(r"[cs]1-(?!0{32})[0-9a-f]{32}", "DIGEST", text)
    return re.sub(r"(?<=by )\S+(?=, finished)", "LEA", text)


def text_of(case: str) -> Path:
    return TEXTS / f"{case.replace(', ', '+').replace(' ', '-')}.txt"


def refused(case, project, golden) -> None:
    prepare, arguments = CASES[case]
    prepare(project)
    before = dump(project)
    done = project.sandbox(*arguments)
    assert done.code == 4, done.out + done.err
    assert f"error[{case.partition(',')[0]}]" in done.err
    assert "Asking" not in done.out
    assert dump(project) == before
    golden(text_of(case), steady(done.err))


@pytest.mark.parametrize("case", ["protected", "too-many-deletes", "lifts-and-deletes", "name-taken"])
def test_a_reviewer_gets_the_exit_code_that_apply_will_have(case, planned):
    CASES[case][0](planned)
    for command in (("plan", "--out", "again.json"), ("plan", "--detailed-exitcode", "--format", "json")):
        prune = ("--prune",) if case != "name-taken" else ()
        assert planned.sandbox(*command, *prune).code == 4
    shown = planned.sandbox("show", "again.json")
    assert shown.code == 4
    assert f"apply will refuse this plan: {case}" in shown.out
    assert "reconciler apply" not in shown.out
    refused = planned.sandbox("apply", "again.json")
    assert (refused.code, "will refuse" in refused.out, refused.err.count(f"error[{case}]")) == (4, False, 1)


REPLAYED = ("plan-other-store", "plan-other-workspace", "plan-expired", "plan-finished", "plan-version-moved")
SECRETS = ("plan-secret-changed", "plan-uncompared")
"""One that changes later still does not matter: what was asked about is what is sealed."""


@pytest.mark.parametrize("case", [case for case in CASES if case not in REPLAYED + SECRETS])
def test_it_is_refused_before_anything_is_asked_or_written(case, planned, golden):
    refused(case, planned, golden)


@pytest.mark.parametrize("case", REPLAYED)
def test_attack_46_a_plan_that_is_stale_replayed_or_of_another_store_is_refused(case, planned, golden):
    refused(case, planned, golden)


@pytest.mark.parametrize("case", SECRETS)
def test_attack_47_a_secret_that_changes_between_plan_and_apply_is_found_before_asking(case, planned, golden):
    refused(case, planned, golden)


def test_attack_46_neither_a_plan_nor_a_digest_brings_back_what_was_deleted_since(planned):
    approved = digest(planned)
    assert planned.sandbox("apply", "plan.json").code == 0
    manifest = (planned.path / "credentials.yaml").read_text()
    without(planned, "otp-apac")
    assert planned.sandbox("apply", "--yes", "--prune").code == 0
    planned.write(manifest)
    for arguments in (PLAN, ("apply", "--yes", "--expect", approved)):
        assert planned.sandbox(*arguments).code == 4
    assert "otp-apac" not in versions(planned)


def test_attack_46_an_approved_create_is_not_that_of_a_name_deleted_since(planned):
    """Only a create, so that nothing else of the plan gives it away."""
    assert planned.sandbox("apply", "--yes").code == 0
    manifest = (planned.path / "credentials.yaml").read_text()
    planned.write(manifest.replace("  otp-apac:", "  otp-two:").replace("xyz123", "xyz124"), "two.yaml")
    settings = {"base_url": "https://xyz124.api.infobip.com"}
    planned.env["INFOBIP_API_KEY"] = sandbox.right_secret("infobip", settings, "api_key")
    done = planned.sandbox("plan", "-f", "two.yaml", "--only", "otp-two", "--out", "create.json")
    assert done.code == 0, done.err
    approved = digest(planned, "-f", "two.yaml", "--only", "otp-two")
    again = ("apply", "--yes", "-f", "two.yaml", "--only", "otp-two")
    assert planned.sandbox(*again).code == 0
    planned.write(manifest)
    assert planned.sandbox("apply", "--yes", "--prune", "--only", "otp-two").code == 0
    assert "otp-two" not in versions(planned)
    for arguments in (("apply", "create.json"), (*again, "--expect", approved)):
        assert planned.sandbox(*arguments).code == 4
    assert "otp-two" not in versions(planned)


def test_there_is_a_text_of_every_refusal_and_no_other():
    assert {path.name for path in TEXTS.iterdir()} == {text_of(case).name for case in CASES}
    refusals = {row.name for row in plans.ROWS if row.exit is Exit.REFUSED}
    assert refusals <= {case.partition(",")[0] for case in CASES}


def test_each_refusal_has_a_message_and_a_hint_of_its_own():
    rows = [row for row in plans.ROWS if row.exit is Exit.REFUSED]
    assert len({row.summary for row in rows}) == len(rows)
    assert all(row.hint for row in rows)
    assert all(CODES[row.name] is row for row in rows)
