"""What is handed out as a file: one module a form. Each takes opened credentials and gives the whole text.

This is where secrets leave for the destination that somebody named: nothing here is a report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from reconciler.consumption import Revealed

FORMS = {
    "dotenv": "reconciler.exports.dotenv",
    "json": "reconciler.exports.json",
    "kubernetes": "reconciler.exports.kubernetes",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How to write them."""

    workspace: str = ""
    prefixed: bool = False
    """Each credential's name before its variables."""
    dialect: str = ""
    """dotenv: who is to read it, ``sh`` or ``python-dotenv``; empty: both."""
    namespace: str = ""
    """kubernetes: empty leaves it to whoever applies it."""
    name_template: str = "sms-{name}"
    """kubernetes: the name of each Secret; ``{name}``, ``{workspace}``, ``{provider}`` stand for the credential's."""


def text(form: str, revealed: Sequence[Revealed], options: Options) -> str:
    """The whole file. Raises UsageError where a value or a name has no place in this form."""
    function: Any = import_module(FORMS[form]).text
    return str(function(revealed, options))
