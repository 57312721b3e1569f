"""One file per output format; each is a pure function from a report to text."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from reconciler.report import Report

FORMATS = {"table": "reconciler.render.table", "json": "reconciler.render.json"}


def renderer(name: str) -> Callable[..., str]:
    """The ``render(report, *, width, colour, now)`` of a format; imported when it is wanted."""
    function: Any = import_module(FORMATS[name]).render
    return function  # type: ignore[no-any-return]


def render(name: str, report: Report, *, width: int, colour: bool, now: str) -> str:
    """The report as text, ending in a newline unless empty. ``now`` is for ages such as ``3 h ago``."""
    return renderer(name)(report, width=width, colour=colour, now=now)
