"""Filters whose values are few: one that cannot match anything is a mistake, and is told instead of an empty answer."""

from __future__ import annotations

from collections.abc import Collection

from reconciler import plugins
from reconciler.errors import UsageError
from reconciler.trouble import nearest


def provider(name: str, stored: Collection[str]) -> None:
    """A provider that is installed, or whose name something stored bears. Raises UsageError ``no-such-value``."""
    if name and name not in stored and name not in plugins.provider_names():
        one_of("--provider", name, {*stored, *plugins.provider_names(installed=True)})


def one_of(option: str, value: str, choices: Collection[str], *, begins: bool = False) -> None:
    """Pass an empty value, and one of ``choices`` (with ``begins``, the beginning of one).

    Raises UsageError ``no-such-value``, which lists them, with a did-you-mean.
    """
    if not value or (any(choice.startswith(value) for choice in choices) if begins else value in choices):
        return
    # of "not ready, rejected" the last part is what people remember
    parts = {part: choice for choice in sorted(choices) for part in (choice.rpartition(", ")[2], choice)}
    close = parts.get(nearest(value, parts), "")
    question = f"; did you mean {close!r}?" if close else ""
    raise UsageError("no-such-value", f"{option} {value!r}{question}", f"there is: {' · '.join(sorted(choices))}")
