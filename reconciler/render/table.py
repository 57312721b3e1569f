"""Reports for people at a terminal: lines, and tables where things compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.text import Text

from reconciler.model import Problem, Severity
from reconciler.plans import Outcome
from reconciler.render import rows as say
from reconciler.render._apply import apply_lines, outcome_line, touched_lines
from reconciler.render._audit import audit_lines
from reconciler.render._check import check_lines
from reconciler.render._get import get_lines
from reconciler.render._history import history_lines
from reconciler.render._inform import (
    explain_lines,
    handed_lines,
    key_export_lines,
    key_lines,
    providers_lines,
    version_lines,
)
from reconciler.render._list import due_lines, list_lines, touched_table
from reconciler.render._lock import lock_lines
from reconciler.render._page import Line, draw
from reconciler.render._plan import plan_lines
from reconciler.render._restore import restored_lines, restoring_lines
from reconciler.report import Report


def render(report: Report, *, width: int, colour: bool, now: str) -> str:
    """The report as lines for people."""
    lines = _LINES.get(report.command, _plain)
    return draw(lines(report, width, now), width=width, colour=colour)


def plan_page(report: Report, width: int, *, colour: bool) -> str:
    """A plan alone, as ``apply`` shows it before it asks."""
    lines = _with_problems(restoring_lines) if report.command == "restore" else _plan
    return draw(lines(report, width, ""), width=width, colour=colour)


def outcome_page(outcome: Outcome, width: int, *, colour: bool) -> str:
    """One outcome, as ``apply`` shows it when it is committed."""
    return draw([outcome_line(outcome)], width=width, colour=colour)


def problem_lines(problems: tuple[Problem, ...]) -> Iterator[Line]:
    """Each problem: what, where, why, what to do."""
    for problem in problems:
        style = "red" if problem.severity is Severity.ERROR else "yellow"
        yield Text.assemble((f"{problem.severity}[{problem.code}]", style), f": {say.safe(problem.summary)}")
        if problem.place or problem.subject:
            where = (say.safe(problem.place or ""), say.safe(problem.subject))
            yield f"  --> {'   '.join(part for part in where if part)}"
        yield from _under("why", problem.detail)
        yield from _under("do", problem.hint)


def _under(word: str, text: str) -> Iterator[str]:
    """A text below a problem; its further lines begin with ``and``."""
    for number, line in enumerate(text.splitlines()):
        yield f"  {'and' if number else word:<4} {say.safe(line)}"


def _plain(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)


def _validate(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)
    errors = len(report.errors)
    warnings = len(report.problems) - errors
    if report.problems:
        yield ""
    counts = f"{say.count(report.declared, 'credential')} in {say.count(report.files, 'file')}"
    said = f"{say.count(errors, 'error')}, {say.count(warnings, 'warning')}" if report.problems else "Valid"
    yield f"{said}: {counts}. Nothing was asked, read or stored."


def _plan(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from plan_lines(report)
    if report.plan and report.problems:
        yield ""
    yield from problem_lines(report.problems)
    yield from due_lines(report)


def _apply(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from apply_lines(report)
    shown_before = report.outcomes or report.dropped
    # a warning stood above the plan, as it was shown; what is left of a run is a part of its result
    last = tuple(p for p in report.problems if p.severity is Severity.ERROR or p.code == "rejection-stays")
    yield from problem_lines(last if shown_before else report.problems)
    if report.rows:
        yield ""
        yield touched_table(report.rows, width, now)
    yield from touched_lines(report)


def _restore(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from restored_lines(report)
    # a warning stood below what was to be restored, as it was shown
    shown_before = report.plan is not None and report.plan.changes
    yield from problem_lines(report.errors if shown_before else report.problems)
    if report.rows:
        yield ""
        yield touched_table(report.rows, width, now)


def _list(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)
    yield from list_lines(report, width, now)


def _cancel(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)
    if report.header is None:
        return
    yield say.header(report.header)
    name = report.facts["name"]
    serving = (
        f"v{report.rows[0].record.version} keeps serving"
        if report.rows and report.rows[0].record
        else "nothing is stored"
    )
    yield f"Cancelled: the refused submission of {name} is dropped; {serving}."
    yield f"A manifest that still asks for it makes the next apply try again: remove or revert its entry for {name}."


def _store_create(report: Report, width: int, now: str) -> Iterator[Line]:
    if report.facts:
        store, key = say.safe(report.facts["store"]), say.safe(report.facts["key"])
        yield f"Made the {report.facts['mode']} store {store} (id {report.facts['id']})."
        yield (
            f"Its key is in {key}: keep a copy elsewhere; without it nothing stored can be read."
            if key
            else ("It is sealed with the key given in RECONCILER_KEY or --key-file.")
        )
    yield from problem_lines(report.problems)


def _sandbox_env(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)
    yield from (f"export {name}={quoted}" for name, quoted in report.facts.items())


def _providers(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)
    yield from providers_lines(report, width)


def _explain(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)
    yield from explain_lines(report, width)


def _version(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from version_lines(report)


def _history(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from history_lines(report, width, now)
    yield from problem_lines(report.problems)


def _with_problems(lines: Callable[[Report], Iterator[Line]]) -> Callable[[Report, int, str], Iterator[Line]]:
    """What a command has to say, and its problems below."""

    def told(report: Report, width: int, now: str) -> Iterator[Line]:
        yield from lines(report)
        yield from problem_lines(report.problems)

    return told


_LINES: dict[str, Callable[[Report, int, str], Iterator[Line]]] = {
    "validate": _validate,
    "plan": _plan,
    "show": _plan,
    "apply": _apply,
    "restore": _restore,
    "list": _list,
    "cancel": _cancel,
    "store create": _store_create,
    "sandbox env": _sandbox_env,
    "check": _with_problems(check_lines),
    "history": _history,
    "get": _with_problems(get_lines),
    "exec": _with_problems(handed_lines),
    "read": _with_problems(handed_lines),
    "export": _with_problems(handed_lines),
    "key status": _with_problems(key_lines),
    "key export": _with_problems(key_export_lines),
    "audit verify": _with_problems(audit_lines),
    "lock show": _with_problems(lock_lines),
    "lock release": _with_problems(lock_lines),
    "providers": _providers,
    "explain": _explain,
    "version": _version,
}
