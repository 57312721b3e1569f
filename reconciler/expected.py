"""Hold a plan to the digest that was approved: leave out what it does not cover, refuse what differs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.codes import CODES
from reconciler.digest import digest
from reconciler.gates import refusals
from reconciler.model import Action, Problem, SecretState, Severity
from reconciler.plans import Change, Plan
from reconciler.scope import Known, Scope

SKIPPED = "s1-"
"""How the digest of a plan begins that compared no secret."""
_FRESH = frozenset({SecretState.NEW, SecretState.CHANGED})
_GRAVER = ("renamed", "account", "settings")
"""Reasons that stand before a new secret."""
_LOOKED_AT = 100
"""In how many changes a reason for another digest is looked for."""


@dataclass(frozen=True, slots=True)
class Held:
    """A plan as far as an approved digest covers it."""

    plan: Plan
    left_out: tuple[str, ...] = ()
    """Names of updates that only take up another secret, which ``s1-`` does not cover."""


def hold(plan: Plan, blind: Plan, expected: str, scope: Scope, stored: int) -> Held:
    """The plan, with a refusal where its digest is not the expected one.

    ``blind``: the same, comparing no secret; an ``s1-`` digest is its. ``stored``: how many records there are.
    """
    held = _narrowed(plan, blind, scope, stored) if expected.startswith(SKIPPED) else Held(plan)
    if held.plan.digest == expected:
        return held
    code = CODES["plan-unexpected"]
    detail = f"approved was {expected}, and this is {held.plan.digest}{_difference(held.plan, expected, scope)}"
    unexpected = Problem(code.name, code.summary, detail=detail, hint=code.hint)
    return replace(held, plan=replace(held.plan, refusals=(unexpected, *held.plan.refusals)))


def _narrowed(plan: Plan, blind: Plan, scope: Scope, stored: int) -> Held:
    """What was approved without comparing secrets, with the secrets as they are."""
    approved = {change.name for change in blind.effective}
    beyond = tuple(change.name for change in plan.effective if change.name not in approved)
    changes = tuple(change for change in plan.changes if change.name not in beyond)
    narrowed = replace(plan, changes=changes, digest=blind.digest, refusals=refusals(changes, stored, scope))
    return Held(narrowed, beyond)


def left_out(names: Sequence[str], why: str) -> tuple[Problem, ...]:
    """A warning that names what is not applied, and why; nothing where everything is."""
    if not names:
        return ()
    code = CODES["left-out"]
    return (Problem(code.name, f"{code.summary}: {', '.join(names)}", detail=why, hint=code.hint,
                    severity=Severity.WARNING),)  # fmt: skip


def _difference(plan: Plan, expected: str, scope: Scope) -> str:
    """The one thing in which an approved plan differs from this one, where a single thing explains it."""
    if not plan.effective:
        return ": nothing is left to change"
    found = next((said for said, made in _candidates(plan, scope) if made == expected), "")
    return f": {found}" if found else ""


def _candidates(plan: Plan, scope: Scope) -> Iterator[tuple[str, str]]:
    """Digests of plans that differ in one thing, each with what it is."""
    known = Known(compared=plan.compared and not plan.digest.startswith(SKIPPED))

    def of(changes: Sequence[Change], where: Scope = scope) -> str:
        return digest(changes, known, where)

    changes = plan.changes
    flag = "without --prune" if scope.prune else "with --prune"
    yield f"it was planned {flag}", of(changes, replace(scope, prune=not scope.prune))
    if scope.only:
        yield "it was planned without --only", of(changes, replace(scope, only=()))
    for index, change in enumerate(changes[:_LOOKED_AT]):
        before, after = changes[:index], changes[index + 1 :]
        yield f"{change.name} was not among its changes", of((*before, *after))
        for said, other in _others(change):
            yield said, of((*before, other, *after))


def _with(change: Change, secrets: Mapping[str, SecretState]) -> Change:
    """The change as it would be with its secrets in other states: a new value is one of its reasons."""
    reasons = [reason for reason in change.reasons if reason != "secret"]
    if change.action is not Action.CREATE and not _FRESH.isdisjoint(secrets.values()):
        before = [reason for reason in reasons if reason in _GRAVER]
        reasons = [*before, "secret", *reasons[len(before) :]]
    return replace(change, secrets=secrets, reasons=tuple(reasons))


def _others(change: Change) -> Iterator[tuple[str, Change]]:
    """One change with another state of one secret, or another version."""
    for key, state in change.secrets.items():
        for other in SecretState:
            if other is not state:
                said = f"{change.name}.{key} was {other} then, and is {state} now"
                yield said, _with(change, {**change.secrets, key: other})
    for step in range(1, min(change.expected_version, 3)):
        version = change.expected_version - step
        said = f"{change.name} was v{version} then, and is v{change.expected_version} now"
        yield said, replace(change, expected_version=version)
