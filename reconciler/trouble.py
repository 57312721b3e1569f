"""What is wrong at a path of one file, before it has a file name; and words about values that never repeat a secret."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard

from reconciler.model import Severity

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a file down to a value."""

MOST = 1000
"""So many troubles of one file are explained, and so many problems of a run are told: nobody mends more at once."""

SHOWN = 12
"""A value of a public key is shown up to this many characters: no secret is as short as that."""

HIDDEN = "(not shown: looks like a secret)"
"""What stands in place of a value that looks like a secret: the value itself is neither shown nor stored."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z", re.ASCII)
_PLAUSIBLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,62}\Z")
_RUN = re.compile(r"[A-Za-z0-9+/=_]{20,}")
_IDENTIFIER = re.compile(r"(AC|SK|MG|OQ|RQ)[0-9a-f]{32}\Z")
_ENTROPY = 3.0
"""Bits a character: words joined together have less, random hexadecimal digits have more."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to tell, at a path. No text in it repeats a value that could be a secret."""

    code: str
    path: Path
    summary: str
    detail: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR
    on_key: bool = False
    """Whether it is about the key itself: then it stands at the key, and its subject is what holds the key."""
    mark: tuple[int, int] | None = None
    """Line and column from 1, where the path alone does not tell."""


def nearest(word: str, words: Iterable[str]) -> str:
    """The word most like the given one; empty where none is alike."""
    from difflib import get_close_matches

    close = get_close_matches(word.casefold(), list(words), 1, 0.6)
    return close[0] if close else ""


def looks_secret(text: str) -> bool:
    """Whether a text holds a long run of letters and digits without sense, as keys and tokens do."""
    return len(text) >= 20 and any(_random(run) for run in _RUN.findall(text))


def is_name(value: Any) -> TypeGuard[str]:
    """Whether it is a name of a credential or a workspace (D15), and one that may be shown."""
    return isinstance(value, str) and _NAME.match(value) is not None and not looks_secret(value)


def _numbered(run: str) -> bool:
    return sum(char.isdigit() for char in run) >= 3


def _random(run: str) -> bool:
    if _IDENTIFIER.match(run) or run.isdigit() or not _numbered(run):
        return False
    counts = Counter(run).values()
    return -sum(n / len(run) * math.log2(n / len(run)) for n in counts) > _ENTROPY


def shown(word: str | int) -> str:
    """A key or a name as it may be shown: a secret in the wrong place is not, nor what only a terminal understands."""
    text = str(word)
    return text if _PLAUSIBLE.match(text) and not any(map(_numbered, _RUN.findall(text))) else "?"


def listed(words: Iterable[str]) -> str:
    """Words for a sentence."""
    return ", ".join(words)
