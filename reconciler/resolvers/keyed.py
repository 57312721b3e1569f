"""One key out of a text that holds many: ``file://tokens.json#twilio``, ``env://TOKENS#twilio``.

JSON, YAML and dotenv; top-level keys whose value is text. Errors name the format and the key of the reference, never
anything of the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

from reconciler.codes import CODES
from reconciler.errors import SecretUnavailable
from reconciler.resolvers.base import usable
from reconciler.secret import Secret

SUFFIXES = {".json": "JSON", ".yaml": "YAML", ".yml": "YAML", ".env": "dotenv"}
"""What a path ends in, and what its text is. Any other text is JSON where it begins with a brace, else dotenv."""


class Keys:
    """The keys of one text, read once. Nothing of it is in its ``repr``."""

    __slots__ = ("_format", "_values")

    def __init__(self, path: str, text: str) -> None:
        """Raises SecretUnavailable ``secret-malformed`` where the text is not of its format."""
        suffix = next((name for ending, name in SUFFIXES.items() if path.lower().endswith(ending)), "")
        self._format = suffix or ("JSON" if text.lstrip().startswith("{") else "dotenv")
        self._values = _READERS[self._format](text)

    def value(self, key: str) -> Secret:
        """The value under ``key``. Raises SecretUnavailable: it is absent, no text, or cannot be a secret."""
        if key not in self._values:
            raise SecretUnavailable("secret-missing", f"the {self._format} has no key {key}")
        value = self._values[key]
        if value is None:
            raise SecretUnavailable("secret-missing", f"the {self._format} has no value under {key}")
        if not isinstance(value, str):
            raise SecretUnavailable(
                "secret-malformed", f"what the {self._format} has under {key} is not text (quotes?)"
            )
        return usable(value)


def compose(path: str, values: Mapping[str, str]) -> str:
    """A text for ``path`` in which :class:`Keys` finds these values: for tools that make secrets up, as the sandbox's.

    The values have no quotes, backslashes or line breaks.
    """
    if path.lower().endswith(".env"):
        return "".join(f"{key}='{value}'\n" for key, value in values.items())
    return json.dumps(dict(values))


def _malformed(why: str) -> SecretUnavailable:
    return SecretUnavailable("secret-malformed", why)


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_int=_no_number, parse_float=_no_number)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _malformed("it is not one JSON object in which each key stands once")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(_text: str) -> bool:
    """Stands for a number, which is no secret: its digits are not kept as a value of any type."""
    return True


def _yaml(text: str) -> Mapping[str, Any]:
    from reconciler.yamlreader import read

    document = read(text)
    # a key that other readers take for a boolean or a number is a text for us, here as in a reference
    troubles = [trouble.code for trouble in document.troubles if trouble.code != "needs-quotes"]
    if troubles or not document.whole or not isinstance(document.root, dict):
        why = f": {CODES[troubles[0]].summary}" if troubles else ""
        raise _malformed(f"it is not one plain YAML mapping{why}")
    return document.root


def _dotenv(text: str) -> Mapping[str, Any]:
    """Split by python-dotenv's parser, the part of it before interpolation: nothing of the environment gets in."""
    from dotenv.parser import parse_stream

    lines = list(parse_stream(StringIO(text)))
    found = {line.key: line.value for line in lines if line.key is not None}
    if any(line.error for line in lines):
        raise _malformed("it is neither JSON nor dotenv: a line is not NAME=value")
    if len(found) != sum(1 for line in lines if line.key is not None):
        raise _malformed("a key of the dotenv stands twice")
    return found


_READERS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {"JSON": _json, "YAML": _yaml, "dotenv": _dotenv}
