"""Reports for people at a terminal: lines, and tables where things compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.text import Text

from reconciler.model import Problem, Severity
from reconciler.plans import Outcome
from reconciler.render import rows as say
from reconciler.render._apply import apply_lines, outcome_line
from reconciler.render._check import check_lines
from reconciler.render._get import get_lines
from reconciler.render._history import history_lines
from reconciler.render._inform import explain_lines, key_lines, providers_lines, version_lines
from reconciler.render._page import STYLES, Line, draw, fit
from reconciler.render._plan import plan_lines
from reconciler.report import Report, Row
from reconciler.state import Rejection


def render(report: Report, *, width: int, colour: bool, now: str) -> str:
    """The report as lines for people."""
    lines = _LINES.get(report.command, _plain)
    return draw(lines(report, width, now), width=width, colour=colour)


def plan_page(report: Report, width: int, *, colour: bool) -> str:
    """A plan alone, as ``apply`` shows it before it asks."""
    return draw(_plan(report, width, ""), width=width, colour=colour)


def outcome_page(outcome: Outcome, width: int, *, colour: bool) -> str:
    """One outcome, as ``apply`` shows it when it is committed."""
    return draw([outcome_line(outcome)], width=width, colour=colour)


def problem_lines(problems: tuple[Problem, ...]) -> Iterator[Line]:
    """Each problem: what, where, why, what to do."""
    for problem in problems:
        style = "red" if problem.severity is Severity.ERROR else "yellow"
        yield Text.assemble((f"{problem.severity}[{problem.code}]", style), f": {say.safe(problem.summary)}")
        if problem.place or problem.subject:
            place = say.safe(problem.place or "")
            yield f"  --> {place}   {say.safe(problem.subject)}" if place else f"  --> {say.safe(problem.subject)}"
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
    yield from problem_lines(report.errors if shown_before else report.problems)
    if report.rows:
        yield ""
        yield rows_table(report.rows, width, now, version=True)
        workspace = report.header.workspace if report.header else ""
        yield (
            f"{len(report.rows)} of {report.total} shown: what this run touched. "
            f"All: reconciler list -w {workspace}{report.store_selection}"
        )


def _list(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from problem_lines(report.problems)
    if report.header is None:
        return
    yield f"{say.header(report.header)} · {_shown(report)}"
    if report.rows:
        yield ""
        yield rows_table(report.rows, width, now)
    elif report.filters:
        yield f"Creators: {', '.join(map(say.safe, report.creators)) or 'none yet'}."
    else:
        yield "Nothing is stored here yet: reconciler plan shows what apply would store."
    yield from _needs_a_person(report)
    yield from _notes(report)
    yield from due_lines(report)
    if report.required:
        ready = sum(1 for row in report.rows if row.ready)
        yield f"Required: {report.required} ready; found {ready}."


def _notes(report: Report) -> Iterator[Line]:
    """What is good to know of credentials that work."""
    noted = [(row, row.record.verdict.notes) for row in report.rows if row.ready and row.record]
    lines = [f"{row.name}: {say.safe(note)}" for row, notes in noted for note in notes]
    for number, line in enumerate(lines):
        yield f"{'       ' if number else 'Notes: '}{line}"


def due_lines(report: Report) -> Iterator[Line]:
    """What expires or should be rotated, soonest first."""
    for number, one in enumerate(report.due):
        yield f"{'       ' if number else 'Due:   '}{one.name} {say.due(one)}"


def _shown(report: Report) -> str:
    filters = ", ".join(f"{key}={say.safe(value)}" for key, value in report.filters.items())
    counter = f"{len(report.rows)} of {report.total} credentials"
    if not filters:
        return counter
    return f"{counter} · {filters}" if report.rows else f"{counter} match {filters}"


def rows_table(rows: tuple[Row, ...], width: int, now: str, *, version: bool = False) -> Line:
    """The list's columns; the number behind each says how much it is needed when the terminal is narrow."""
    signs = [say.sign(r.status) for r in rows]
    columns = [
        (
            "  NAME",
            [Text.assemble((sign, STYLES[sign]), f" {r.name}") for sign, r in zip(signs, rows, strict=True)],
            100,
        ),
        ("LABEL", [Text(say.safe(r.label)) for r in rows], 40),
        ("PROVIDER", [Text(r.provider) for r in rows], 80),
        ("SERVICE ID", [Text(say.service_id(r)) for r in rows], 60),
        ("CREATED BY", [Text(say.safe(r.created_by)) for r in rows], 30),
        ("CREATED", [Text(say.day(r.record.created_at if r.record else "")) for r in rows], 20),
        ("STATUS", [Text(r.status) for r in rows], 95),
        *([("VERSION", [Text(f"v{r.record.version}" if r.record else say.DASH) for r in rows], 25)] if version else []),
        ("CHECKED", [Text(say.ago(_checked(r), now)) for r in rows], 50),
    ]
    return fit(columns, width)


def _checked(row: Row) -> str:
    return row.rejection.last_at if row.rejection else row.record.verdict.at if row.record else ""


def _needs_a_person(report: Report) -> Iterator[Line]:
    troubled = [row for row in report.rows if say.sign(row.status) != "✓" and (row.rejection or not row.ready)]
    if not troubled:
        return
    yield ""
    yield f"Needs a person ({len(troubled)})"
    flags = f" -w {report.header.workspace}{report.store_selection}" if report.header else ""
    pad = max(len(row.name) for row in troubled)
    for row in troubled:
        sign = say.sign(row.status)
        first, *rest = _trouble(row, flags)
        yield Text.assemble((sign, STYLES[sign]), f" {row.name:<{pad}}  {first}")
        yield from (f"  {'':<{pad}}  {line}" for line in rest)


def _trouble(row: Row, flags: str) -> Iterator[str]:
    rejection = row.rejection
    if rejection:
        yield (
            f"{say.rejection_state(rejection, row.record)} Attempt {rejection.attempts}, "
            f"by {say.safe(rejection.by)}, {say.clock(rejection.last_at)}"
        )
        yield say.verdict_facts(rejection.declared.provider, rejection.verdict)
        yield from (f"→ {say.safe(said)}" for said in (*rejection.verdict.likely, *rejection.verdict.notes))
        yield f"→ {say.hint(rejection.verdict.code)}"
        yield from _ways(row.name, rejection, flags)
    elif row.record:
        accepted, refused = say.clock(row.record.accepted_at), say.clock(row.record.verdict.at)
        yield f"accepted {accepted}, refused {refused}. Sending fails."
        yield say.verdict_facts(row.provider, row.record.verdict)
        yield f"→ {say.hint(row.record.verdict.code)}"


def _ways(name: str, rejection: Rejection, flags: str) -> Iterator[str]:
    references = ", ".join(say.safe(text) for text in rejection.declared.references.values())
    yield f"→ fix {references}, then: reconciler apply --only {name}{flags}"
    yield f"→ or discard:  reconciler cancel {name}{flags}"


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
        yield f"Made the {report.facts['mode']} store {report.facts['store']} (id {report.facts['id']})."
        key = report.facts["key"]
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


def _check(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from check_lines(report)
    yield from problem_lines(report.problems)


def _history(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from history_lines(report, width)
    yield from problem_lines(report.problems)


def _get(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from get_lines(report)
    yield from problem_lines(report.problems)


def _key_status(report: Report, width: int, now: str) -> Iterator[Line]:
    yield from key_lines(report)
    yield from problem_lines(report.problems)


_LINES: dict[str, Callable[[Report, int, str], Iterator[Line]]] = {
    "validate": _validate,
    "plan": _plan,
    "apply": _apply,
    "list": _list,
    "cancel": _cancel,
    "store create": _store_create,
    "sandbox env": _sandbox_env,
    "check": _check,
    "history": _history,
    "get": _get,
    "key status": _key_status,
    "providers": _providers,
    "explain": _explain,
    "version": _version,
}
