"""The interface of a resolver: it turns a reference's path into a secret value, in memory only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from reconciler.errors import SecretUnavailable
from reconciler.secret import Secret

SHORTEST = 8
"""A shorter value could be found from its fingerprint by trying."""
LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What resolvers may look at: all of it comes from the operator, none from the manifest."""

    environ: Mapping[str, str] = field(repr=False)
    secrets_dir: Path


class Resolver(Protocol):
    """One scheme."""

    scheme: str

    def resolve(self, path: str, around: Surroundings) -> Secret:
        """Give the value behind ``path``.

        Raises :class:`reconciler.errors.SecretUnavailable` (``secret-missing``, ``secret-malformed``) with a text
        that holds nothing of the value. Reads only; keeps nothing.
        """


@runtime_checkable
class Whole(Protocol):
    """A power that a scheme may have beside :class:`Resolver`: it gives whole texts, so that ``#key`` works with it.

    The run reads each path once, however many keys of it are wanted, and takes the value out by
    :mod:`reconciler.resolvers.keyed`. ``resolve(path, around)`` must equal ``usable(read(path, around))``.
    """

    def read(self, path: str, around: Surroundings) -> str:
        """Give the text behind ``path`` as it is. Raises as :meth:`Resolver.resolve` does."""


def usable(text: str) -> Secret:
    """Accept a value as a secret: one final newline removed, then 8 to 4,096 printable ASCII characters.

    Raises :class:`SecretUnavailable`; such a value is the runner's fault and is never sent to a provider.
    """
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretUnavailable("secret-missing", "it is empty")
    if not value.isascii() or not value.isprintable():
        raise SecretUnavailable("secret-malformed", "it holds a control or non-ASCII character")
    if value != value.strip():
        raise SecretUnavailable("secret-malformed", "it begins or ends with a space")
    if not SHORTEST <= len(value) <= LONGEST:
        raise SecretUnavailable("secret-malformed", f"its length is not between {SHORTEST} and {LONGEST}")
    return Secret(value)
