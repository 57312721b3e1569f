"""The events of one credential through all its names. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
