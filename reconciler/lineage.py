"""The events of one credential through all its names. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from reconciler.audit import Link
from reconciler.model import Event, Result, SecretState

STORED = frozenset({Result.CREATED, Result.UPDATED, Result.RENAMED})
_FRESH = frozenset({SecretState.NEW, SecretState.CHANGED})
LEFT = "left"
"""The result of the event that a rename leaves under the old name."""


def numbers(chain: Sequence[Link], name: str) -> set[int]:
    """The numbers of the events of a name, and of those names that became it, each up to its rename."""
    found = {seq for seq, event, _ in chain if event.name == name}
    return found | {seq for seq, _ in _one(chain, name)}


def versions(chain: Sequence[Link], name: str) -> dict[int, str]:
    """Each version that the credential went through, newest first, with the name that it had then."""
    found: dict[int, str] = {}
    for _, event in _one(chain, name):
        if event.result in STORED:
            found.setdefault(event.version, event.name)
    return found


def event_of(chain: Sequence[Link], name: str, version: int) -> Event | None:
    """The event that left this version; None where the credential never had it."""
    found = (event for _, event in _one(chain, name) if event.result in STORED and event.version == version)
    return next(found, None)


def replayed(chain: Sequence[Link], name: str, version: int) -> dict[str, Any]:
    """What a version declared, told from the events alone: they stay when the record itself is gone."""
    declared: dict[str, Any] = {}
    for _, event in reversed(list(_one(chain, name))):
        if event.result == Result.DELETED:
            declared = {}
        if event.result in STORED:
            _change(declared, event.body.get("fields", ()))
            if event.version == version:
                break
    declared.pop("moved_from", None)
    return declared


def _change(declared: dict[str, Any], fields: Sequence[Sequence[Any]]) -> None:
    for key, _, after in fields:
        outer, dot, inner = key.partition(".")
        # only a mapping of words has inner keys; each may have dots of its own
        place = declared.setdefault(outer, {}) if dot else declared
        if after is None:
            place.pop(inner if dot else outer, None)
        else:
            place[inner if dot else outer] = after


def in_use(chain: Sequence[Link], reads: Iterable[tuple[int, Event]], names: Collection[str]) -> list[str]:
    """Secrets (``name.field``) that these reads gave out and that are still the stored ones: what to rotate, sorted.

    ``names`` are those stored now. A rename changes no value, and a restore brings a former one back: so a value that
    was read under another name, or before it was replaced for a while, is told as well. A read numbered 0 waits for
    the chain.
    """
    given = [(seq, event) for seq, event in reads if event.what == "read"]
    found: set[str] = set()
    for name in _become(chain, {event.name for _, event in given}) & set(names):
        came_up, mine = _came_up(chain, name), {seq for seq, _ in _one(chain, name)}
        now = came_up[max(came_up)] if came_up else {}
        for seq, event in given:
            if seq in mine or (not seq and event.name == name):
                then = came_up.get(event.body.get("given", 0), {})
                found |= {
                    f"{name}.{key}" for key in event.body.get("keys", ()) if key in now and then.get(key) == now[key]
                }
    return sorted(found)


def _become(chain: Sequence[Link], names: set[str]) -> set[str]:
    """These names, and all that they became by renames."""
    found = set(names)
    for _, event, _ in chain:
        if event.what == "rename" and event.result == Result.RENAMED and event.body.get("from") in found:
            found.add(event.name)
    return found


def _came_up(chain: Sequence[Link], name: str) -> dict[int, dict[str, int]]:
    """For each version, and each secret of it, the version in which its value came up."""
    found: dict[int, dict[str, int]] = {}
    last: dict[str, int] = {}
    for _, event in reversed(list(_one(chain, name))):
        if event.result not in STORED:
            continue
        former = found.get(event.body.get("restores", 0), {})
        states = event.body.get("secrets", {})
        last = {key: former.get(key) or (event.version if state in _FRESH else last.get(key, event.version))
                for key, state in states.items()}  # fmt: skip
        found[event.version] = last
    return found


def _one(chain: Sequence[Link], name: str) -> Iterator[tuple[int, Event]]:
    """What the credential that bears this name now went through, newest first.

    That a name was left is not told beside the event of the rename, which says both names.
    """
    last = name
    for seq, event, _ in reversed(chain):
        if event.name == name and (event.result != LEFT or event.body.get("to") != last):
            yield seq, event
            if event.what == "rename" and event.result == Result.RENAMED:
                last, name = name, event.body.get("from", name)
