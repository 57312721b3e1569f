"""What the store has of one credential through all its names: its part of the log, and the versions that are kept."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler import lineage
from reconciler.audit import Link
from reconciler.eventform import formed
from reconciler.state import Kept
from reconciler.stores.base import Store


def log_of(store: Store, workspace: str, name: str) -> Sequence[Link]:
    """The events of a name, and of every name that renames link with it, in order: all that its lineage is told from.

    Not the whole log, which may be long; so it says nothing about the chain.
    """
    found: dict[int, Link] = {}
    names, todo = {""}, [name]
    while todo:
        one = todo.pop()
        if one in names:
            continue
        names.add(one)
        links = store.events_about(workspace, one)
        formed(workspace, links)
        found |= {link[0]: link for link in links}
        todo += [link[1].body[key] for link in links for key in ("from", "to") if key in link[1].body]
    return [found[seq] for seq in sorted(found)]


def kept(store: Store, workspace: str, name: str, log: Sequence[Link]) -> dict[int, Kept]:
    """The former versions of a credential that can still be looked at, newest first, under whatever name they lie."""
    found = lineage.versions(log, name)
    there = {
        (one.record.name, one.record.version): one for old in {*found.values()} for one in store.kept(workspace, old)
    }
    return {version: there[old, version] for version, old in found.items() if (old, version) in there}
