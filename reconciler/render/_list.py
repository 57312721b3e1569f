"""What is stored, as a table; what needs a person, what is good to know and what is due, as lines below it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from reconciler.causes import because_of
from reconciler.model import Declared, Verdict
from reconciler.render import rows as say
from reconciler.render._page import STYLES, Line, fit
from reconciler.report import Report, Row

LABEL = 30
"""Cells of a label in a table."""

FIND = 76
"""Characters of a line that says where a console shows a value."""


def list_lines(report: Report, width: int, now: str) -> Iterator[Line]:
    """The whole list."""
    if report.header is None:
        return
    yield f"{say.header(report.header)} · {_shown(report)}"
    if report.rows:
        yield ""
        yield rows_table(report.rows, width, now)
    elif not report.filters:
        yield _empty(report)
    yield from _needs_a_person(report)
    yield from _notes(report)
    yield from due_lines(report)
    if report.required:
        ready = sum(1 for row in report.rows if row.ready)
        yield f"Required: {report.required} ready; found {ready}."


def _empty(report: Report) -> str:
    """Why there is no row: nothing was ever tried, or it is told by the history."""
    if not report.facts.get("tried"):
        return "Nothing is stored here yet: reconciler plan shows what apply would store."
    workspace = report.header.workspace if report.header else ""
    told = f"reconciler history -w {workspace}{report.store_selection}"
    return f"Nothing is stored here. What was tried, or was stored before, is told by: {told}"


def _notes(report: Report) -> Iterator[Line]:
    """What is good to know of credentials that work."""
    noted = [(row, row.record.verdict.notes) for row in report.rows if row.ready and row.record]
    lines = [f"{row.name} {say.noted(row.status, note)}" for row, notes in noted for note in notes]
    if lines or report.due:
        yield ""
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
    creators = ", ".join(map(say.safe, report.creators)) or "none yet"
    return f"{counter} · {filters}" if report.rows else f"{counter} match {filters}. Creators: {creators}."


Columns = list[tuple[str, list[Text], int]]
"""Heading, cells, and how much it is needed when the terminal is narrow."""


def rows_table(rows: tuple[Row, ...], width: int, now: str) -> Line:
    """The list's columns."""
    columns: Columns = [
        _names(rows),
        ("LABEL", [_label(r) for r in rows], 40),
        ("PROVIDER", [Text(r.provider) for r in rows], 80),
        ("SERVICE ID", [Text(say.service_id(r)) for r in rows], 60),
        ("CREATED BY", [Text(say.safe(r.created_by)) for r in rows], 30),
        ("CREATED", [Text(say.day(r.record.created_at if r.record else "")) for r in rows], 20),
        ("STATUS", [Text(r.status) for r in rows], 95),
        ("CHECKED", [Text(say.ago(_checked(r), now)) for r in rows], 50),
    ]
    return fit(columns, width)


def touched_table(rows: tuple[Row, ...], width: int, now: str) -> Line:
    """What a run left behind of what it touched: which version serves, and how often a refused one was tried."""
    tries = [f"attempt {r.rejection.attempts}, by {say.safe(r.rejection.by)}" if r.rejection else "" for r in rows]
    columns: Columns = [
        _names(rows),
        ("PROVIDER", [Text(r.provider) for r in rows], 80),
        ("STATUS", [Text(r.status) for r in rows], 95),
        ("VERSION", [Text(f"v{r.record.version}" if r.record else say.DASH) for r in rows], 60),
        ("CHECKED", [Text(say.ago(_checked(r), now)) for r in rows], 50),
        *([("", list(map(Text, tries)), 20)] if any(tries) else []),
    ]
    return fit(columns, width)


def _names(rows: tuple[Row, ...]) -> tuple[str, list[Text], int]:
    signs = [say.sign(r.status) for r in rows]
    cells = [Text.assemble((sign, STYLES[sign]), f" {r.name}") for sign, r in zip(signs, rows, strict=True)]
    return "  NAME", cells, 100


def _label(row: Row) -> Text:
    """Cut, so that one long label costs nobody the columns behind it; ``get`` shows it whole."""
    label = Text(say.safe(row.label))
    label.truncate(LABEL, overflow="ellipsis")
    return label


def _checked(row: Row) -> str:
    return row.rejection.last_at if row.rejection else row.record.verdict.at if row.record else ""


def _needs_a_person(report: Report) -> Iterator[Line]:
    """Those that cannot send first, then those that can."""
    troubled = sorted((row for row in report.rows if row.needs_a_person), key=lambda row: row.ready)
    if not troubled:
        return
    yield ""
    yield f"Needs a person ({len(troubled)})"
    pad = max(len(row.name) for row in troubled)
    for row in troubled:
        sign = say.sign(row.status)
        first, *rest = _trouble(row, report)
        yield Text.assemble((sign, STYLES[sign]), f" {row.name:<{pad}}  {first}")
        yield from (f"  {'':<{pad}}  {line}" for line in rest)


def _trouble(row: Row, report: Report) -> Iterator[str]:
    rejection, record = row.rejection, row.record
    if record and not row.ready:
        accepted, refused = say.clock(record.accepted_at), say.clock(record.verdict.at)
        yield f"accepted {accepted}, refused {refused}. Sending fails."
        yield say.verdict_facts(row.provider, record.verdict)
    if rejection:
        yield f"{say.rejection_state(rejection, record)} {say.attempt(rejection)}"
        yield say.verdict_facts(rejection.declared.provider, rejection.verdict)
    if source := rejection or record:
        if narrowed := _narrowed(row, report):
            yield f"→ {narrowed}, so:"
        yield from ways(row.name, source.declared, source.verdict, report, discard=bool(rejection))


def _narrowed(row: Row, report: Report) -> str:
    """What of a refused update is left to be its cause."""
    traits = report.traits.get(row.provider)
    if not (row.rejection and row.record and traits and row.rejection.verdict.likely):
        return ""
    return because_of(row.rejection, row.record, traits.secrets)


def ways(name: str, declared: Declared, verdict: Verdict, report: Report, *, discard: bool = False) -> Iterator[str]:
    """What probably is behind a refusal, and what there is to do: mend it or, where it is a submission, discard it."""
    apply, cancel = commands(name, report)
    yield from (f"→ {say.safe(said)}" for said in (*verdict.likely, *verdict.notes))
    yield f"→ {say.hint(verdict.code)}"
    traits = report.traits.get(declared.provider)
    finds = dict(traits.find) if traits and verdict.code == "key-refused" else {}
    for key, reference in declared.references.items():
        yield f"→ {key}: {say.safe(reference)}"
        yield from (f"  {line}" for line in textwrap.wrap(say.safe(finds.get(key, "")), FIND))
    yield f"→ then:        {apply}"
    if discard:
        yield f"→ or discard:  {cancel}"


def commands(name: str, report: Report) -> tuple[str, str]:
    """What takes up a mended submission, and what discards it."""
    flags = f" -w {report.header.workspace}{report.store_selection}" if report.header else ""
    return f"reconciler apply --only {name}{flags}", f"reconciler cancel {name}{flags}"
