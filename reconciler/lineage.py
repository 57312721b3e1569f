"""The events of one credential through all its names. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.audit import Link
from reconciler.model import Event, Result

STORED = frozenset({Result.CREATED, Result.UPDATED, Result.RENAMED})
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
