"""What a plan is for, and what is known of the secrets when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the secrets at hand."""

    fingerprints: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    """Of each value that could be had and compared, by (name, key)."""
    missing: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The code why a value could not be had, by (name, key)."""
    compared: bool = True
    """False where secrets were skipped, or no key is at hand to compare them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the plan is for."""

    store_id: str
    """Empty without a store: then there is no digest."""
    workspace: str
    only: tuple[str, ...] = ()
    """Globs; empty selects everything."""
    prune: bool = False
    """Whether what no manifest declares is deleted."""
    max_deletes: int | None = None
    """How many deletes are allowed; ``None`` leaves it at :func:`delete_limit`."""
    secrets_only: bool = False
    """Whether nothing but new secret values and earlier submissions is taken up."""
    last_versions: Mapping[str, int] = field(default_factory=dict)
    """Of names under which nothing is stored now: the highest version that each ever had."""

    def selects(self, name: str) -> bool:
        return selects(self.only, name)


def selects(only: tuple[str, ...], name: str) -> bool:
    """Whether globs select a name; no glob selects every name."""
    return not only or any(fnmatchcase(name, glob) for glob in only)
