"""The type of a secret value: one that nothing can print, copy into JSON, pickle or compare in measurable time."""

from __future__ import annotations

import hmac
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

Name = TypeVar("Name", bound=Hashable)


class Secret:
    """A secret value in memory, short-lived but not wiped (Python cannot wipe ``str``).

    Every way of turning it into text gives ``<secret>`` or raises ``TypeError``; only :meth:`reveal` gives the value.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the value. Call it only where the value leaves for its one destination."""
        return self._value

    @property
    def quoted(self) -> bool:
        """Whether it stands in quotes, which more often came with it than belong to it."""
        return len(self._value) > 1 and self._value[0] in "\"'" and self._value[0] == self._value[-1]

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> NoReturn:
        raise TypeError("a secret has no hash")

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("a secret cannot be pickled, copied or written")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse


def alike(secrets: Iterable[tuple[Name, Secret]]) -> list[list[Name]]:
    """The names of those that have one value, for each value that several have; in the order given, without it."""
    names: dict[str, list[Name]] = {}
    for name, secret in secrets:
        names.setdefault(secret._value, []).append(name)
    return [found for found in names.values() if len(found) > 1]


def holding(texts: Iterable[tuple[Name, str | Secret]], secrets: Iterable[Secret]) -> Iterator[Name]:
    """The names of those texts that have one of the secrets in them, without either.

    Costs next to nothing where no word is as long as the shortest secret, however many secrets there are.
    """
    values = {secret._value for secret in secrets}
    size = min(map(len, values), default=0)
    beginning: dict[str, list[str]] = {}
    for value in values:
        beginning.setdefault(value[:size], []).append(value)
    spaced = any(" " in value for value in values)
    for name, given in texts:
        text = given._value if isinstance(given, Secret) else given
        if size and len(text) >= size:
            words = (text,) if spaced else text.split(" ")
            if any(_inside(word, size, beginning) for word in words if len(word) >= size):
                yield name


def _inside(word: str, size: int, beginning: Mapping[str, Sequence[str]]) -> bool:
    for at in range(len(word) - size + 1):
        for value in beginning.get(word[at : at + size], ()):
            if word.startswith(value, at):
                return True
    return False
