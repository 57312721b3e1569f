"""What a YAML scalar without quotes means: text, or something that only looks like text to a person."""

from __future__ import annotations

import re
from typing import Any

from reconciler.trouble import SHOWN, Path, Trouble, shown

TYPED: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
"""All that is typed beside integers."""

_YES = ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE")
_NO = ("n", "N", "no", "No", "NO", "off", "Off", "OFF", "False", "FALSE")
_WORDS = {**dict.fromkeys(_YES, "true"), **dict.fromkeys(_NO, "false"), **dict.fromkeys(("Null", "NULL"), "nothing")}

WORDS = frozenset(TYPED) | frozenset(_WORDS)
"""Scalars that need a look; all others that do not begin as a number are text."""
NUMERIC = frozenset("+-.0123456789")
"""First characters of numbers."""

INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z", re.ASCII)
"""Numbers that are typed."""

_NUMBER = re.compile(
    r"""(?ix) [-+]? (
        0b[01_]+ | 0o[0-7_]+ | 0x[0-9a-f_]+                # binary, octal, hexadecimal
      | [0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?            # sexagesimal: 12:30:45
      | [0-9][0-9_]*(\.[0-9_]*)?(e[-+]?[0-9]+)?            # decimal, and octal with a leading zero
      | \.[0-9][0-9_]*(e[-+]?[0-9]+)? | \.(inf|nan)        # .5, .inf, .nan
    )\Z""",
    re.ASCII,
)


def reading(text: str) -> str:
    """What an unquoted scalar would be read as: ``true``, ``false``, ``nothing``, ``a number``; empty where as text.

    Dates are text, though YAML 1.1 has a type for them: no reader of ours or an editor's changes what they say.
    """
    if text in TYPED:
        return text if TYPED[text] is not None else "nothing"
    return _WORDS.get(text) or ("a number" if _NUMBER.match(text) else "")


def needs_quotes(path: Path, text: str, *, on_key: bool = False) -> Trouble:
    """A text without quotes that is none in YAML; it is repeated only where it is too short to be a secret."""
    short = len(text) <= SHOWN
    quoted = f'"{text}"' if short else '"..."'
    hint = f"{quoted}:" if on_key else f"{shown(path[-1])}: {quoted}"
    summary = f"{text if short else 'this'} would be read as {reading(text)}"
    return Trouble("needs-quotes", path, summary, hint=hint, on_key=on_key)
