"""Renames: which record an entry with ``moved_from`` is about, and what ``moved_from`` may not say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.codes import CODES
from reconciler.model import Action, Credential, Place, Problem, Severity, Traits
from reconciler.plans import Change
from reconciler.state import Record

LOOKED_AT = 100
"""For so many renames of one plan names like theirs are looked for: it takes its time."""


def stored_as(credential: Credential, records: Mapping[str, Record]) -> str:
    """The name under which the entry's record is stored, if there is one: the old name while it waits to be renamed.

    A secret is compared under this name, since a fingerprint contains it (D3).
    """
    old = credential.moved_from
    return old if old and old in records and credential.name not in records else credential.name


def taken(credential: Credential, records: Mapping[str, Record]) -> bool:
    """Whether both names are stored: which record would be the right one, nobody said."""
    return credential.moved_from in records and credential.name in records


@dataclass(frozen=True, slots=True)
class Wish:
    """One ``moved_from`` of a manifest."""

    name: str
    old: str
    place: Place
    """Of the value of ``moved_from``."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A create whose ``moved_from`` names nothing that is stored, and what it probably meant."""

    create: Change
    meant: tuple[Change, ...]
    """Notes or deletes of stored credentials that no manifest declares: of the same account, or of a name like it."""


def missed(changes: Sequence[Change]) -> Iterator[Missed]:
    """The creates of a plan that were probably to be renames."""
    left = {change.name: change for change in changes if change.record and "undeclared" in change.reasons}
    creates = [change for change in changes if change.action is Action.CREATE and _old_name(change)]
    if not left or not creates:
        return
    from difflib import get_close_matches

    by_account: dict[Any, list[str]] = {}
    for name, change in left.items():
        by_account.setdefault(_account(change), []).append(name)
    for number, create in enumerate(creates):
        names = [*by_account.get(_account(create), ())]
        names += get_close_matches(_old_name(create), left, 3, 0.6) if number < LOOKED_AT else []
        if names:
            yield Missed(create, tuple(left[name] for name in dict.fromkeys(names)))


def _old_name(change: Change) -> str:
    return change.credential.moved_from if change.credential else ""


def _account(change: Change) -> Any:
    """What tells one account from another, as far as it is declared."""
    return change.declared.provider, frozenset(change.declared.settings.items())


def alike(changes: Sequence[Change], traits: Mapping[str, Traits]) -> Iterator[tuple[Change, Change]]:
    """The creates without ``moved_from``, each with a stored credential of its account that no manifest declares."""
    left: dict[tuple[str, Any], list[Change]] = {}
    for change in changes:
        if change.record and "undeclared" in change.reasons:
            left.setdefault(_identity(change, traits), []).append(change)
    for create in changes:
        if left and create.action is Action.CREATE and not _old_name(create):
            yield from ((create, other) for other in left.get(_identity(create, traits), ()))


def _identity(change: Change, traits: Mapping[str, Traits]) -> tuple[str, Any]:
    provider = change.declared.provider
    key = traits[provider].identifier if provider in traits else ""
    return provider, change.declared.settings.get(key, change.name)


def unsaid(pairs: Iterable[tuple[Change, Change]]) -> Iterator[Problem]:
    """A warning for each create of :func:`alike` that is probably a rename which nobody said."""
    found: dict[str, list[Change]] = {}
    creates = {}
    for create, other in pairs:
        creates[create.name] = create
        found.setdefault(create.name, []).append(other)
    code = CODES["looks-renamed"]
    for name, others in found.items():
        entry, old = creates[name].credential, others[0]
        what = "deletes" if old.action is Action.DELETE else "keeps"
        detail = f"this plan creates {name}, and {what} {', '.join(other.name for other in others)} beside it"
        hint = f"if it is the same credential, say so in its entry:  moved_from: {old.name}"
        place = entry.place() if entry else None
        yield Problem(code.name, code.summary, place, name, detail, hint, Severity.WARNING)


def notes(changes: Sequence[Change]) -> Iterator[Problem]:
    """A warning for each of them, where nothing is deleted."""
    code = CODES["moved-from-unknown"]
    for one in missed(changes):
        kept = [change.name for change in one.meant if change.action is Action.NOTE]
        if kept and one.create.credential:
            name, old = one.create.name, _old_name(one.create)
            verb = "is" if len(kept) == 1 else "are"
            detail = f"{old} is not stored, so {name} is created; {', '.join(kept)} {verb}, and in no manifest"
            hint = f"did you mean  moved_from: {kept[0]} ?"
            place = one.create.credential.place("moved_from")
            yield Problem(code.name, code.summary, place, f"{name}.moved_from", detail, hint, Severity.WARNING)


def conflicts(wishes: Sequence[Wish], declared: Mapping[str, Place]) -> Iterator[Problem]:
    """What a manifest's renames may not ask for. ``declared``: every entry with its place."""
    by_name = {wish.name: wish for wish in wishes}
    first: dict[str, Wish] = {}
    for wish in wishes:
        other = first.setdefault(wish.old, wish)
        if wish.old == wish.name:
            yield _problem(wish, "moved_from names the entry itself", "", "remove moved_from")
        elif wish.old in declared:
            yield _still_declared(wish, by_name.get(wish.old), declared[wish.old])
        elif other is not wish:
            detail = f"also {other.name} at {other.place}"
            yield _problem(wish, f"two entries have moved_from: {wish.old}", detail, "keep the one that it becomes")


def _still_declared(wish: Wish, other: Wish | None, place: Place) -> Problem:
    detail = f"{wish.old} is declared at {place}"
    if other is None or other.old == other.name:
        hint = f"a rename takes the old entry away: remove {wish.old}, or this moved_from"
        return _problem(wish, "moved_from names an entry that is still declared", detail, hint)
    if other.old == wish.name:
        hint = f"two runs: rename {wish.old} to a name that is free and apply, then give it the other's name"
        return _problem(wish, f"{wish.name} and {wish.old} cannot swap their names in one run", detail, hint)
    hint = f"two runs: apply the rename of {wish.old} to {wish.name} first, then that of {other.old} to {other.name}"
    return _problem(wish, "one rename waits for another", f"{detail} and moved from {other.old}", hint)


def _problem(wish: Wish, summary: str, detail: str, hint: str) -> Problem:
    code = CODES["bad-rename"]
    return Problem(code.name, summary, wish.place, f"{wish.name}.moved_from", detail, hint)
