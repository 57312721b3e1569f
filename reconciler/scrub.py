"""Take a request's own secrets out of its answer, before anybody reads it: services, proxies and portals echo them.

The answer's texts are shown and stored (request ids, account names, error codes), so the place to look is here, where
the secrets that were sent are known.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from reconciler.secret import Secret

MASK = "<masked>"
SHORTEST = 6
"""A shorter piece would mask words that mean nothing."""
_URL_SAFE = str.maketrans("+/", "-_")


class Scrubber:
    """Knows what one request sent, in every form that an echo may have; never prints it."""

    __slots__ = ("_pieces",)

    def __init__(self, headers: Mapping[str, str | Secret]) -> None:
        sent = (value.reveal() for value in headers.values() if isinstance(value, Secret))
        known = {piece for value in sent for piece in _pieces(value)}
        found = {form.lower() for piece in known for form in _forms(piece) if len(form) >= SHORTEST}
        # the longest first, or a part of it would be masked and the rest stay
        self._pieces = sorted(found, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Scrubber(<secret>)"

    def text(self, text: str) -> str:
        """The text without any of the secrets, in any case of letters."""
        low = text.lower()
        for piece in self._pieces:
            if piece in low:
                text = re.sub(re.escape(piece), MASK, text, flags=re.IGNORECASE)
                low = text.lower()
        return text

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Names in lower case, names and values without the secrets."""
        return {self.text(name.lower()): self.text(value) for name, value in headers}

    def json(self, value: Any) -> Any:
        """A parsed body: every text in it, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(one) for one in value]
        if isinstance(value, dict):
            return {self.text(key): self.json(one) for key, one in value.items()}
        return value


def _pieces(header: str) -> Iterable[str]:
    """A header's value, what stands behind its first word, and what Basic authentication wraps."""
    word, _, rest = header.partition(" ")
    yield header
    yield rest
    if word.lower() == "basic":
        try:
            pair = base64.b64decode(rest, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return
        yield pair
        yield pair.partition(":")[2]


def _forms(piece: str) -> Iterable[str]:
    """A piece as it is, and as services, proxies and logs write what they repeat."""
    content = piece.encode("utf-8", "replace")
    escaped = "".join(f"%{byte:02x}" for byte in content)
    yield from (piece, piece[::-1], content.hex(), escaped, html.escape(piece), json.dumps(piece)[1:-1])
    # Python, a path, a form, JavaScript: each leaves other characters as they are
    yield from (quote(piece, safe=""), quote(piece), quote_plus(piece), quote(piece, safe="!'()*"))
    for before in range(3):
        # what stands before decides how base64 begins, and what follows how it ends: neither end is looked for
        whole = base64.b64encode(bytes(before) + content).decode()
        inner = whole[(before * 8 + 5) // 6 : (before + len(content)) * 8 // 6]
        yield from (inner, inner.translate(_URL_SAFE))
