"""Lines of ``NAME=value`` for ``sh`` (``set -a; . file``) and for python-dotenv.

The two disagree: python-dotenv takes a backslash inside single quotes for an escape where it stands before a quote or
another one, and replaces ``${…}`` in any quotes; ``sh`` replaces ``$`` and a backtick in double quotes. What is written
by default means the same to both. For a value that cannot, one of the two must be named.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.consumption import Revealed, together
from reconciler.errors import UsageError
from reconciler.exports import Options

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\r": "\\r", "\n": "\\n"})


def text(revealed: Sequence[Revealed], options: Options) -> str:
    """Raises UsageError ``variable-twice``, and ``not-quotable`` for a value that the reader cannot be given."""
    quote = {"sh": _sh, "python-dotenv": _python, "": _both}[options.dialect]
    lines = []
    for name, value in together(revealed, prefixed=options.prefixed).items():
        quoted = quote(value.reveal())
        if quoted is None:
            who = options.dialect or "sh and python-dotenv alike"
            hint = "name the reader: --dialect sh, or --dialect python-dotenv" if not options.dialect else ""
            raise UsageError("not-quotable", f"{name}, for {who}", hint)
        lines.append(f"{name}={quoted}\n")
    return "".join(lines)


def _sh(value: str) -> str | None:
    """All of a value stands as it is between single quotes, but a single quote; a NUL no shell can hold."""
    return None if "\0" in value else "'" + value.replace("'", "'\"'\"'") + "'"


def _python(value: str) -> str | None:
    """With escapes between double quotes. Of ``${`` the sign is the default of a variable without a name."""
    return '"' + value.translate(_ESCAPES).replace("${", "${:-$}{") + '"'


def _both(value: str) -> str | None:
    """Single quotes where neither reader finds anything in them, else double quotes where neither does."""
    if "\0" in value or "\r" in value or "${" in value:
        return None
    if "'" not in value and "\\\\" not in value and not value.endswith("\\"):
        return f"'{value}'"
    if "$" not in value and "`" not in value:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return None
