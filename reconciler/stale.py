"""What moved between a plan and the moment at which it is carried out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.audit import shown
from reconciler.digest import of_change
from reconciler.errors import Refused
from reconciler.planfile import PlanFile
from reconciler.plans import Change
from reconciler.scope import Known
from reconciler.state import Record

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


def _version(number: int) -> str:
    return f"v{number}" if number else "nothing stored"
