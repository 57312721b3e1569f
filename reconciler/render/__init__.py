"""One file per output format; each is a pure function from a report to text."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from reconciler.report import Report

FORMATS = {
    "table": "reconciler.render.table",
    "json": "reconciler.render.json",
    "markdown": "reconciler.render.markdown",
    "github": "reconciler.render.github",
}
FILE_WIDTH = 120
"""Columns of a table in a file, which has no width of its own."""


def renderer(name: str) -> Callable[..., str]:
    """The ``render(report, *, width, colour, now)`` of a format; imported when it is wanted."""
    function: Any = import_module(FORMATS[name]).render
    return function  # type: ignore[no-any-return]


def render(name: str, report: Report, *, width: int, colour: bool, now: str) -> str:
    """The report as text, ending in a newline unless empty. ``now`` is for ages such as ``3 h ago``."""
    return renderer(name)(report, width=width, colour=colour, now=now)


def for_file(name: str, report: Report, *, now: str, width: int = FILE_WIDTH) -> str:
    """The report as a file of its own: a table then also has what ``apply`` showed while it ran."""
    shown = ""
    if name == "table" and report.command in ("apply", "restore") and (report.outcomes or report.dropped):
        from reconciler.render import table

        shown = table.plan_page(report, width, colour=False)
        shown += "\n" + "".join(table.outcome_page(outcome, width, colour=False) for outcome in report.outcomes)
    return shown + render(name, report, width=width, colour=False, now=now)
