"""The events of one credential through all its names. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from reconciler.audit import Link
from reconciler.model import Event, Result, SecretState

STORED = frozenset({Result.CREATED, Result.UPDATED, Result.RENAMED})
_FRESH = frozenset({SecretState.NEW, SecretState.CHANGED})
LEFT = "left"
"""The result of the event that a rename leaves under the old name."""
_SUBMITS = frozenset({"create", "restore", "rename"})


def numbers(chain: Sequence[Link], name: str) -> set[int]:
    """The numbers of the events of a name, and of those names that became it, each up to its rename.

    What another credential went through while it bore the name is told under the name that it has now:
    :func:`before`. Of a name that nothing took since it was left, they are those of the credential that left it.
    """
    mine, left = _walked(chain, name)
    if left and not _taken_since(chain, left):
        mine, left = _walked(_until(chain, left), name)
    begin = left[0] if left and left[1].name == name else 0
    return {seq for seq, _ in mine} | {seq for seq, event, _ in chain if event.name == name and seq > begin}


def moved(chain: Sequence[Link], name: str) -> str:
    """The present name of the credential that left this one; empty where the name is in use, or never was left."""
    _, left = _walked(chain, name)
    return _now(chain, left) if left and not _taken_since(chain, left) else ""


def before(chain: Sequence[Link], name: str) -> str:
    """The present name of another credential that bore this one before; empty: there is none."""
    _, left = _walked(chain, name)
    return _now(chain, left) if left and _taken_since(chain, left) else ""


def of_another(chain: Sequence[Link], name: str, version: int) -> str:
    """The present name of the credential that had this version while the name was its own; empty where none had it."""
    _, left = _walked(chain, name)
    while left:
        mine, earlier = _walked(_until(chain, left), left[1].name)
        if any(event.result in STORED and event.version == version for _, event in mine):
            return _now(chain, left)
        left = earlier
    return ""


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
    for _, event in reversed(_one(chain, name)):
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


def came_up(chain: Sequence[Link], name: str, version: int) -> dict[str, tuple[int, str]]:
    """For each secret of a version, the version in which its value was stored first, and when.

    A rename seals a value again and a restore puts one back: neither makes it another one.
    """
    times = {event.version: event.time for _, event in _one(chain, name) if event.result in STORED}
    return {key: (first, times[first]) for key, first in _came_up(chain, name).get(version, {}).items()}


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
    for _, event in reversed(_one(chain, name)):
        if event.result not in STORED:
            continue
        former = found.get(event.body.get("restores", 0), {})
        states = event.body.get("secrets", {})
        last = {key: former.get(key) or (event.version if state in _FRESH else last.get(key, event.version))
                for key, state in states.items()}  # fmt: skip
        found[event.version] = last
    return found


Numbered = tuple[int, Event]


def _one(chain: Sequence[Link], name: str) -> list[Numbered]:
    """What the credential that bears this name now went through, newest first."""
    return _walked(chain, name)[0]


def _walked(chain: Sequence[Link], name: str) -> tuple[list[Numbered], Numbered | None]:
    """The same, and the event at which it ends: by that one, another credential left the name. None: it began there.

    That it left a name itself is not told beside the event of the rename, which says both names.
    """
    found: list[Numbered] = []
    became = ""
    for seq, event, _ in reversed(chain):
        if event.name != name:
            continue
        if event.result == LEFT:
            if event.body.get("to") != became:
                return found, (seq, event)
            became = ""
            continue
        found.append((seq, event))
        if event.what == "rename" and event.result == Result.RENAMED:
            became, name = name, event.body.get("from", name)
    return found, None


def _until(chain: Sequence[Link], left: Numbered) -> Sequence[Link]:
    return [link for link in chain if link[0] < left[0]]


def _taken_since(chain: Sequence[Link], left: Numbered) -> bool:
    """Whether anything was submitted under a name after it was left."""
    return any(
        seq > left[0] and event.name == left[1].name and event.what in _SUBMITS and event.result != LEFT
        for seq, event, _ in chain
    )


def _now(chain: Sequence[Link], left: Numbered) -> str:
    """What became of the credential that left a name: the name that it has now, or had last."""
    name, gone = str(left[1].body.get("to", "")), False
    for seq, event, _ in chain:
        if seq <= left[0] or event.name != name:
            continue
        if event.result == LEFT:
            name = str(event.body.get("to", name))
        elif event.result == Result.DELETED:
            gone = True
        elif gone and event.result in STORED:
            if event.what != "restore":
                break
            gone = False
    return name
