"""What was typed, on the line or in RECONCILER_ variables: a mistake is told without what may be a pasted secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from reconciler.codes import CODES, Exit
from reconciler.trouble import HIDDEN, SHOWN, looks_secret

if TYPE_CHECKING:
    from reconciler.model import Problem
    from reconciler.report import Report

_PATH = re.compile(r"[./~]|[a-z]+=[./~]|sqlite:")
"""How a path begins: it is told but for the parts that look like a secret, since a long one is nothing unusual."""
_PART = re.compile(r"[/.:=,@_ {}*?\[\]-]+")
_WORD = re.compile(r"([A-Za-z]*[0-9]*[A-Za-z]?|(AC|SK)[0-9a-f]{32}|[0-9a-f]{16})\Z", re.ASCII)
"""A part of an ordinary word: ``production``, ``v2``, ``2026``, ``7d``; an identifier of Twilio's, a lease's id."""


class Typed:
    """The words of one call that are better not repeated."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        ours = (value for name, value in environ.items() if name.startswith("RECONCILER_"))
        words = {word for text in (*arguments, *ours) for word in _words(text)}
        hidden = {part for word in words for part in _hidden(word)}
        # as a message may quote it; the longest first, or a part of it would be hidden and the rest stay
        self._hidden = sorted({form for part in hidden for form in (part, repr(part)[1:-1])}, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Typed(...)"

    def shown(self, text: str) -> str:
        """The text with :data:`HIDDEN` in place of each of them."""
        for part in self._hidden:
            text = text.replace(part, HIDDEN)
        return text

    def hide(self, error: click.ClickException) -> None:
        """Take them out of what the parser has to say."""
        error.message = self.shown(error.message)  # type: ignore[misc]  # final for its own classes only

    def report(self, report: Report) -> Report:
        """Take them out of the mistakes that a report tells, and of what was looked for."""
        problems = tuple(self._problem(one) if CODES[one.code].exit is Exit.USAGE else one for one in report.problems)
        filters = {key: self.shown(text) for key, text in report.filters.items()}
        return replace(report, problems=problems, filters=filters) if self._hidden else report

    def _problem(self, problem: Problem) -> Problem:
        detail, hint = self.shown(problem.detail), self.shown(problem.hint)
        return replace(problem, subject=self.shown(problem.subject), detail=detail, hint=hint)


def typed() -> Typed:
    """What was typed for the command that runs."""
    found = click.get_current_context().find_root().obj
    return found if isinstance(found, Typed) else Typed((), {})


def _words(text: str) -> Iterator[str]:
    """A word as it was typed, and what a parser takes out of it: ``--option=value``, several values of a variable."""
    yield from (text, text.lstrip("-"), *text.split())
    name, equals, value = text.partition("=")
    if equals:
        yield from (name.lstrip("-"), value)


def _hidden(word: str) -> Iterable[str]:
    if _PATH.match(word):
        return (part for part in word.split("/") if looks_secret(part))
    return (word, str(PurePath(word))) if _doubtful(word) else ()


def _doubtful(word: str) -> bool:
    """Whether it may be a secret: longer than what is always shown, with letters and digits mixed as no word has them.

    Wider than :func:`looks_secret`, since a mistake is understood without the value that it was made with.
    """
    if len(word) <= SHOWN:
        return False
    return looks_secret(word) or any(len(part) >= 8 and not _WORD.match(part) for part in _PART.split(word))
