"""The gates: what ``apply`` refuses of a plan until a person has looked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler import renames
from reconciler.codes import CODES
from reconciler.model import Action, Problem
from reconciler.plans import Change
from reconciler.scope import Scope


def delete_limit(stored: int) -> int:
    """How many deletes a plan may hold where nobody named a number: the smaller of 10 and a third, at least 1 (D6)."""
    return max(1, min(10, stored // 3))


def refusals(changes: Sequence[Change], stored: int, scope: Scope) -> tuple[Problem, ...]:
    """What ``apply`` will refuse of this plan, so that a reviewer sees it first."""
    found: list[Problem] = []
    blocked = [change for change in changes if change.blocked == "protected"]
    if blocked:
        why = ", ".join(f"{change.name} would {_forbidden(change)}" for change in blocked)
        found.append(_refusal("protected", why))
    taken = [change for change in changes if change.blocked == "name-taken"]
    if taken:
        found.append(_refusal("name-taken", ", ".join(f"{c.old_name} and {c.name}" for c in taken)))
    deletes = sum(1 for change in changes if change.action is Action.DELETE)
    limit = delete_limit(stored) if scope.max_deletes is None else scope.max_deletes
    if deletes > limit:
        hint = f"look at every name, then: --prune --max-deletes {deletes}"
        found.append(_refusal("too-many-deletes", f"{deletes} of {stored} stored; at most {limit}", hint))
    lifted = [change.name for change in changes if change.lifts_protection]
    if lifted and deletes:
        found.append(_refusal("lifts-and-deletes", f"it lifts the protection of {', '.join(lifted)}"))
    found += _missed_renames(changes)
    return tuple(found)


def _missed_renames(changes: Sequence[Change]) -> Iterator[Problem]:
    """A typing error in ``moved_from`` must not end as a delete and a create."""
    for one in renames.missed(changes):
        gone = [change.name for change in one.meant if change.action is Action.DELETE]
        if gone and one.create.credential:
            name, old = one.create.name, one.create.credential.moved_from
            why = f"{name} has moved_from: {old}, which is not stored; this plan creates {name}, and deletes "
            hint = f"if it is renamed:  moved_from: {gone[0]} ; if it is another one, apply without --prune first"
            yield _refusal("moved-from-unknown", why + ", ".join(gone), hint)


def _forbidden(change: Change) -> str:
    """What a blocked change would do, as the end of a sentence."""
    if change.action is Action.DELETE:
        return "be deleted"
    return "become another account" if change.replaces_account else "lose its protection beside other changes"


def _refusal(code: str, detail: str, hint: str = "") -> Problem:
    return Problem(code, CODES[code].summary, detail=detail, hint=hint or CODES[code].hint)
