"""Two declared contents in, ordered field changes out. Secrets' values never come here, only their references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model import Declared
from reconciler.plans import FieldChange

NOTHING = Declared("", {}, {}, {})


def changes(before: Declared | None, after: Declared | None) -> tuple[FieldChange, ...]:
    """What differs, in the order that people read it: provider, its settings, references, common keys.

    ``None`` stands for a credential that does not exist.
    """
    old, new = before or NOTHING, after or NOTHING
    if old == new:
        return ()
    return (
        *_provider(old, new),
        *_mapping(old.settings, new.settings),
        *_mapping(old.references, new.references),
        *_mapping(old.common, new.common),
    )


def _provider(old: Declared, new: Declared) -> Iterator[FieldChange]:
    if old.provider != new.provider:
        yield FieldChange("provider", old.provider or None, new.provider or None)


def _mapping(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for key in (*new, *(k for k in old if k not in new)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _nested(key, before, after)
        else:
            yield FieldChange(key, before, after)


def _nested(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    """The parts of a nested value that differ, as ``tags.team``."""
    from deepdiff import DeepDiff
    from deepdiff.helper import NotPresent

    tree = DeepDiff(dict(before), dict(after), view="tree", threshold_to_diff_deeper=0)
    found = [level for levels in tree.values() for level in levels]
    for level in sorted(found, key=lambda level: level.path(output_format="list")):
        path = ".".join(str(part) for part in level.path(output_format="list"))
        # deepdiff marks an absent side with a class of its own, since None is a value like any other
        sides = [None if isinstance(side, NotPresent) or side is NotPresent else side for side in (level.t1, level.t2)]
        yield FieldChange(f"{key}.{path}", sides[0], sides[1])
