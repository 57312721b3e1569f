"""Values as bytes that are the same wherever they are made: the input of every hash, mac, key and seal.

Written down byte by byte in ``docs/formats.md``; what is stored today must verify for as long as the store lives.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

_length = struct.Struct(">I").pack
_number = struct.Struct(">Q").pack


def joined(*parts: str | bytes | int) -> bytes:
    """Each part behind its length in bytes (4 bytes, big-endian).

    Text is UTF-8, a number 8 bytes big-endian. Two different sequences of parts never give the same bytes, which
    holds for no separator: ``a:b`` + ``c`` and ``a`` + ``b:c`` look the same when joined by a colon.
    """
    pieces: list[bytes] = []
    for part in parts:
        if isinstance(part, str):
            # a lone surrogate stands for a byte of the environment that is not UTF-8; it must not stop a run
            piece = part.encode("utf-8", "surrogatepass")
        else:
            piece = part if isinstance(part, bytes) else _number(part)
        pieces += (_length(len(piece)), piece)
    return b"".join(pieces)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_plain
).encode


def to_json(value: object) -> str:
    """Canonical JSON: keys sorted by code point, no whitespace, everything but printable ASCII escaped.

    Raises TypeError for what JSON has no form for, a secret included, and ValueError for a number that is not finite.
    """
    return _encode(value)


def storable(text: str) -> str:
    """The text as every database takes it: lone surrogates and NUL as backslash escapes."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
