"""Reports for programs: one JSON object with a version of its own shape, as ``schemas/report.schema.json`` has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from reconciler.render import _shapes as shape
from reconciler.report import Report, exit_code

FORMAT_VERSION = 1

Part = Callable[[Report], Any]

_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""What a terminal obeys or does not show: controls, the invisible, what turns the writing direction."""


def render(report: Report, *, width: int, colour: bool, now: str) -> str:
    """The report as one JSON object; ``width``, ``colour`` and ``now`` are for people and change nothing here."""
    text = json.dumps(document(report), indent=2, ensure_ascii=False)
    # a runner of workflows obeys "##[" anywhere in a line; the escape means the same to whoever reads JSON
    return _UNSEEN.sub(_escape, text).replace("##", "#\\u0023") + "\n"


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def document(report: Report) -> dict[str, Any]:
    """The public shape: what every command has, then the command's own parts, empty where a run came to nothing."""
    return {
        "format_version": FORMAT_VERSION,
        "command": report.command,
        "exit_code": exit_code(report),
        "store": shape.store(report.header) if report.header else None,
        "problems": [shape.problem(p) for p in report.problems],
        **{name: part(report) for name, part in PARTS.get(report.command, SMALL).items()},
    }


def _plan(report: Report) -> dict[str, Any] | None:
    return shape.plan(report.plan, report) if report.plan else None


def _file(report: Report) -> dict[str, Any] | None:
    return shape.plan_file(report.filed) if report.filed else None


def _outcomes(report: Report) -> list[dict[str, Any]]:
    return [shape.outcome(one) for one in report.outcomes]


def _due(report: Report) -> list[dict[str, Any]]:
    return [shape.due(one) for one in report.due]


def _facts(report: Report) -> dict[str, Any]:
    return dict(report.facts)


_ROWS: dict[str, Part] = {
    "credentials": lambda report: [shape.row(row) for row in report.rows],
    "shown": lambda report: len(report.rows),
    "total": lambda report: report.total,
    "filters": lambda report: dict(report.filters),
}
_COUNTS: dict[str, Part] = {"declared": lambda report: report.declared, "files": lambda report: report.files}
_CHANGES: dict[str, Part] = {
    **_COUNTS,
    "plan": _plan,
    "file": _file,
    "outcomes": _outcomes,
    "interrupted": lambda report: report.interrupted,
    "due": _due,
}

SMALL: dict[str, Part] = {"facts": _facts}
"""The part of a command that has a few facts to say."""

PARTS: dict[str, dict[str, Part]] = {
    "validate": _COUNTS,
    "plan": _CHANGES,
    "show": {**_COUNTS, "plan": _plan, "file": _file},
    "apply": {
        **_CHANGES,
        "anchor": lambda report: report.anchor or None,
        "dropped": lambda report: list(report.dropped),
        "done_before": lambda report: list(report.done_before),
        **_ROWS,
    },
    "restore": {
        "plan": _plan,
        "outcomes": _outcomes,
        "interrupted": lambda report: report.interrupted,
        "anchor": lambda report: report.anchor or None,
        **_ROWS,
        **SMALL,
    },
    "list": {**_ROWS, "due": _due, "required": lambda report: report.required},
    "get": {
        **_ROWS,
        "credentials": lambda report: [shape.whole_row(row, report) for row in report.rows],
        "due": _due,
        **SMALL,
    },
    "cancel": {**_ROWS, **SMALL},
    "check": {
        "checkups": lambda report: [shape.checkup(one) for one in report.checkups],
        "waiting": lambda report: [shape.row(row) for row in report.waiting],
        "skipped": lambda report: report.skipped,
        "total": lambda report: report.total,
        "interrupted": lambda report: report.interrupted,
        "due": _due,
    },
    "history": {
        "events": lambda report: [shape.entry(one) for one in report.entries],
        "shown": lambda report: len(report.entries),
        "total": lambda report: report.total,
        "filters": lambda report: dict(report.filters),
        "anchor": lambda report: report.anchor or None,
        **SMALL,
    },
}
"""What each command says beside what every command says."""
