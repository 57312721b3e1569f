"""What moved between a plan and the moment at which it is carried out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.audit import shown
from reconciler.codes import CODES
from reconciler.digest import of_change
from reconciler.errors import Refused
from reconciler.model import Action, Problem, Severity
from reconciler.planfile import PlanFile, Seen, seen
from reconciler.plans import Change
from reconciler.scope import Known
from reconciler.state import Record, Rejection

ORDER = ("plan-version-moved", "plan-secret-changed", "plan-uncompared", "plan-stale")
"""The gravest first: a refusal has the code of the first that applies, and names everything that moved."""


@dataclass(frozen=True, slots=True)
class Now:
    """What there is to compare a plan with."""

    changes: Mapping[str, Change]
    """What would be planned now for the same entries, by name, comparing no more than the plan did."""
    records: Mapping[str, Record]
    known: Known


def as_planned(file: PlanFile, known: Known) -> Known:
    """What is known now of those secrets alone that the plan had compared."""
    had = {where for where, mark in file.fingerprints.items() if mark}
    values = {where: value for where, value in known.fingerprints.items() if where in had}
    return Known(values, {}, compared=file.plan.compared)


def refuse_moved(file: PlanFile, todo: Sequence[Change], now: Now) -> None:
    """Raise Refused where a change is no longer what was planned: its version, one of its secrets, or itself."""
    found = [one for change in todo for one in _moved(file, change, now)]
    for code in ORDER:
        if any(moved == code for moved, _ in found):
            raise Refused(code, "; ".join(said for _, said in found))


def _moved(file: PlanFile, planned: Change, now: Now) -> Iterator[tuple[str, str]]:
    name = planned.name
    again = now.changes.get(name)
    version = again.expected_version if again else now.records[name].version if name in now.records else 0
    if version != planned.expected_version:
        yield "plan-version-moved", f"{name}: planned on {_version(planned.expected_version)}, now {_version(version)}"
        return
    secrets = list(_secrets(file, planned, now.known))
    yield from secrets
    if not secrets and (again is None or of_change(again) != of_change(planned)):
        yield "plan-stale", f"{name}: what was planned is not what would be done now"


def _secrets(file: PlanFile, planned: Change, known: Known) -> Iterator[tuple[str, str]]:
    for key, mark in file.fingerprints_of(planned).items():
        value = known.fingerprints.get((planned.name, key))
        reference = planned.credential.declared.references.get(key, "") if planned.credential else ""
        if mark and value is None:
            yield "plan-uncompared", f"{planned.name}.{key}: {reference} gives nothing here"
        elif mark and value is not None and shown(value) != mark:
            yield (
                "plan-secret-changed",
                f"{planned.name}.{key}: {reference} gives another value than the one planned",
            )


def newer(changes: Sequence[Change], rejections: Mapping[str, Rejection], before: Mapping[str, Seen]) -> frozenset[str]:
    """Names whose rejection would go without a proof, and is not the one that was seen: somebody tried since."""
    would_go = set(_would_go(changes))
    return frozenset(n for n, now in seen(changes, rejections).items() if n in would_go and before.get(n) != now)


def _would_go(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        if change.drops_rejection or (change.action is not Action.NOTE and not change.asks):
            yield change.name
        if change.old_name:
            yield change.old_name


def undigested(changes: Sequence[Change]) -> frozenset[str]:
    """Names whose rejection would go although the plan's digest says nothing of it. It does tell of a rename."""
    moved = {change.old_name for change in changes}
    return frozenset(change.name for change in changes if change.drops_rejection and change.name not in moved)


def stays(names: Collection[str], rejections: Mapping[str, Rejection], why: str) -> tuple[Problem, ...]:
    """A warning that names the rejections that are left, each with its latest attempt; nothing where none is."""
    if not names:
        return ()
    code = CODES["rejection-stays"]
    told = [f"{n} (attempt {rejections[n].attempts}, {rejections[n].last_at})" for n in sorted(names)]
    return (Problem(code.name, code.summary, subject=", ".join(sorted(names)), detail=f"{', '.join(told)}: {why}",
                    hint=code.hint, severity=Severity.WARNING),)  # fmt: skip


def _version(number: int) -> str:
    return f"v{number}" if number else "nothing stored"
