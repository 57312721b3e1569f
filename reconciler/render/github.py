"""Annotations for GitHub's workflow runner: one line for each error and warning, at its place in the manifest.

The runner takes a line that begins with ``::``, blanks before it or not, and ``##[`` anywhere in a line, for a command.
No free text gets that far: a text is one line, escaped, behind our own ``::error ...::``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.codes import CODES
from reconciler.model import Answer, Declared, Place, Problem, Result, Severity, Traits, Verdict
from reconciler.plans import Change, Outcome
from reconciler.render import rows as say
from reconciler.render._failure import code_of, headline, suspect
from reconciler.report import UNSTORED, Checkup, Report, Row, applied_summary

_ORDER = (Severity.ERROR, Severity.WARNING, "notice")


@dataclass(frozen=True, slots=True)
class Note:
    """One annotation, before it is escaped."""

    severity: Severity | Literal["notice"]
    title: str
    lines: tuple[str, ...]
    place: Place | None = None


def render(report: Report, *, width: int, colour: bool, now: str) -> str:
    """Errors first, since only the first ten of a kind are shown; nothing where there is nothing to say."""
    found = sorted(_notes(report), key=lambda note: _ORDER.index(note.severity))
    return "".join(f"{line}\n" for line in dict.fromkeys(map(_line, found)))


def _line(note: Note) -> str:
    # what came from standard input is in no file that GitHub could show it at
    place = note.place if note.place and note.place.file != "-" else None
    where = {"file": place.file, "line": place.line, "col": place.column} if place else {}
    properties = ",".join(f"{key}={_property(value)}" for key, value in {**where, "title": note.title}.items())
    return f"::{note.severity} {properties}::{_message(note.lines)}"


def _message(lines: tuple[str, ...]) -> str:
    said = [_inert(part) for line in lines for part in line.splitlines()]
    return "\n".join(part for part in said if part).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    text = _inert(value).replace("%", "%25")
    return text.replace("\r", "%0D").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")


def _inert(text: object) -> str:
    return say.safe(text).replace("##", "#\\x23")


def _notes(report: Report) -> Iterator[Note]:
    yield from map(_problem, report.problems)
    yield from _planned(report)
    for outcome in report.outcomes:
        if outcome.result in (Result.REJECTED, Result.FAILED):
            yield _outcome(outcome, report.traits)
    yield from _stored(report)
    for one in report.due:
        yield Note(Severity.WARNING, f"{one.name}: due", (f"{one.name} {say.due(one)}",), one.place)
    yield from _run(report)
    if report.outcomes and report.plan and report.command == "apply":
        yield _applied(report.outcomes, len(report.plan.kept))


def _planned(report: Report) -> Iterator[Note]:
    """What a reviewer must know; after an apply only what it refused."""
    plan = report.plan
    if plan is None:
        return
    yield from map(_problem, plan.refusals)
    asked = {outcome.change.name for outcome in report.outcomes}
    for change in plan.changes if report.command in ("plan", "show") else ():
        yield from _change(change, report.live.get(change.name), report.traits)
        yield from _unresolved(change) if change.name not in asked else ()


def _stored(report: Report) -> Iterator[Note]:
    """What is stored, or was refused, and needs a person."""
    for checkup in report.checkups:
        yield from _checkup(checkup, report.traits)
    shown = report.rows if report.command == "list" else ()
    for row in (*report.waiting, *(row for row in shown if row.needs_a_person)):
        yield from _row(row, report.traits)


def _problem(problem: Problem) -> Note:
    title = f"{problem.code}: {problem.subject}" if problem.subject else problem.code
    return Note(problem.severity, title, (problem.summary, problem.detail, problem.hint), problem.place)


def _change(change: Change, live: Verdict | None, traits: Mapping[str, Traits]) -> Iterator[Note]:
    """What a reviewer of one change must know before it is merged."""
    where = change.credential
    place = where.place() if where else None
    if change.blocked:
        hint = CODES[change.blocked].hint
        yield Note(Severity.ERROR, f"{change.blocked}: {change.name}", (CODES[change.blocked].summary, hint), place)
    if live and live.answer is not Answer.VALID:
        outcome = Outcome(change, Result.REJECTED, verdict=live)
        severity = Severity.ERROR if live.answer is Answer.REJECTED else Severity.WARNING
        place = where.place(suspect(outcome)) if where else None
        said = headline(outcome, traits.get(change.provider))
        yield Note(severity, f"{live.code}: {change.name}", (said, *_said(change.provider, live)), place)


def _unresolved(change: Change) -> Iterator[Note]:
    for key, code in change.unresolved.items():
        said = f"{key}: {CODES[code].summary}; apply will fail {change.name}"
        place = change.credential.place(key) if change.credential else None
        yield Note(Severity.WARNING, f"{code}: {change.name}", (said, CODES[code].hint), place)


def _outcome(outcome: Outcome, traits: Mapping[str, Traits]) -> Note:
    change, problem, verdict = outcome.change, outcome.problem, outcome.verdict
    place = change.credential.place(suspect(outcome)) if change.credential else None
    said = _said(change.provider, verdict) if verdict else ()
    lines = (problem.detail, problem.hint) if problem else said
    return Note(Severity.ERROR, f"{code_of(outcome)}: {change.name}",
                (headline(outcome, traits.get(change.provider)), *lines), place)  # fmt: skip


def _applied(outcomes: Sequence[Outcome], unchanged: int) -> Note:
    """What became of every change, by name."""
    by: dict[str, list[str]] = {}
    for outcome in outcomes:
        said = say.result(outcome) if outcome.result in UNSTORED else str(outcome.result)
        by.setdefault(said, []).append(outcome.change.name)
    lines = (f"{said}: {', '.join(names)}" for said, names in by.items())
    return Note("notice", "applied", (applied_summary(tuple(outcomes), unchanged), *lines))


def _said(provider: str, verdict: Verdict) -> tuple[str, ...]:
    """The answer, why it probably came, what to do."""
    likely = [f"likely: {text}" for text in verdict.likely]
    return (say.verdict_facts(provider, verdict), *verdict.notes, *likely, say.hint(verdict.code))


def _checkup(checkup: Checkup, traits: Mapping[str, Traits]) -> Iterator[Note]:
    record, verdict = checkup.record, checkup.verdict
    unknown = verdict.answer is Answer.UNKNOWN
    if checkup.after.startswith("ready") and not unknown:
        return
    what = f"{record.name} was not reached" if unknown else f"{record.name} is {checkup.after}"
    severity = Severity.WARNING if checkup.after.startswith("ready") else Severity.ERROR
    lines = (what, *_told(record.name, record.declared, verdict, traits))
    yield Note(severity, f"{verdict.code}: {record.name}", lines)


def _row(row: Row, traits: Mapping[str, Traits]) -> Iterator[Note]:
    """What a list says of a credential that needs a person: an error where it cannot send."""
    source = row.rejection or row.record
    if source is None:
        return
    lines = [f"{row.name} is {row.status}"]
    if row.rejection:
        lines.append(f"{say.rejection_state(row.rejection, row.record)} {say.attempt(row.rejection)}")
    lines += _told(row.name, source.declared, source.verdict, traits)
    severity = Severity.WARNING if row.ready else Severity.ERROR
    yield Note(severity, f"{source.verdict.code}: {row.name}", tuple(lines))


def _told(name: str, declared: Declared, verdict: Verdict, traits: Mapping[str, Traits]) -> tuple[str, ...]:
    """What a verdict says of a credential that is stored, or was refused."""
    secret, provider = next(iter(declared.references), ""), declared.provider
    said = say.headline(verdict.code, name, provider, traits.get(provider), secret)
    return (said, *_said(provider, verdict))


def _run(report: Report) -> Iterator[Note]:
    """What is true of the whole run."""
    ready = sum(1 for row in report.rows if row.ready)
    if report.required > ready:
        said = f"{report.required} ready credentials required; found {ready}"
        yield Note(Severity.ERROR, "not enough ready", (said,))
    if report.interrupted:
        yield Note(Severity.WARNING, "interrupted", ("what was in flight is finished; the rest was not attempted",))
