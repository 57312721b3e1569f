"""What a check found, as lines: what needs a person first, then what to ask again, then the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator

from rich.text import Text

from reconciler.model import Answer, Status
from reconciler.render import rows as say
from reconciler.render._list import ways
from reconciler.render._page import STYLES, Line
from reconciler.report import Checkup, Report, Row


def check_lines(report: Report) -> Iterator[Line]:
    """The whole report of a check."""
    if report.header is None:
        return
    yield f"{say.header(report.header)} · asked {len(report.checkups)}, skipped {report.skipped}"
    told = sorted((c for c in report.checkups if _sign(c) != "✓"), key=lambda c: ("✗?!".index(_sign(c)), c.record.name))
    rows = sorted(report.waiting, key=lambda row: row.ready)
    names = (*(c.record.name for c in told), *(row.name for row in rows), *(one.name for one in report.due))
    wide = max(map(len, names), default=0)
    if told or rows or report.due:
        yield ""
    for checkup in told:
        sign = _sign(checkup)
        first, *rest = _said(checkup, report)
        yield Text.assemble((sign, STYLES[sign]), f" {checkup.record.name:<{wide}}  {first}")
        yield from (f"  {'':<{wide}}  {line}" for line in rest)
    for row in rows:
        yield from _waiting(row, report, wide)
    for one in report.due:
        yield Text.assemble(("!", STYLES["!"]), f" {one.name:<{wide}}  {'due':<14}  {say.due(one)}")
    yield ""
    yield _counts(report)
    yield from _whom(report)
    if report.interrupted and "not-remembered" not in {problem.code for problem in report.problems}:
        yield "Interrupted: the rest was not asked. Run the same command again."


def _waiting(row: Row, report: Report, wide: int) -> Iterator[Line]:
    """A refused submission, which no check asks about: the store has no secret of it."""
    refused = row.rejection
    if refused is None:
        return
    sign = say.sign(row.status)
    said = say.rejection_state(refused, row.record)
    found = "waiting" if row.record else "rejected"
    yield Text.assemble((sign, STYLES[sign]), f" {row.name:<{wide}}  {found:<14}  {said}")
    yield f"  {'':<{wide}}  {say.attempt(refused)}"
    yield f"  {'':<{wide}}  {say.verdict_facts(refused.declared.provider, refused.verdict)}"
    yield from (
        f"  {'':<{wide}}  {line}" for line in ways(row.name, refused.declared, refused.verdict, report, discard=True)
    )


def _sign(checkup: Checkup) -> str:
    if checkup.verdict.answer is Answer.UNKNOWN:
        return "?"
    return say.sign(checkup.after)


def _said(checkup: Checkup, report: Report) -> Iterator[str]:
    record, verdict = checkup.record, checkup.verdict
    answer = say.provider_answer(record.declared.provider, verdict)
    accepted = say.clock(record.accepted_at)
    if verdict.answer is Answer.UNKNOWN:
        why = f": {say.safe(verdict.notes[0])}" if verdict.notes else ""
        yield f"not reached     {answer} · {verdict.code}{why} · last accepted {accepted} · not judged"
        return
    if verdict.answer is Answer.VALID:
        yield f"limited         {'; '.join(say.noted(checkup.after, note) for note in verdict.notes)}"
        return
    yield f"refused now     accepted until {accepted}"
    yield say.verdict_facts(record.declared.provider, verdict)
    yield from ways(record.name, record.declared, verdict, report)


def _counts(report: Report) -> str:
    """``Check: 14 ready, 1 limited, 1 due, 1 refused, 1 not reached.``

    What was asked counts once, by its answer; what is ready and due counts as due. An update that waits beside it is
    named, and no number.
    """
    if not (report.checkups or report.waiting):
        return "Check: nothing was asked." if report.skipped else "Check: nothing is stored."
    due = {one.name for one in report.due}
    found = Counter(_kind(checkup, due) for checkup in report.checkups)
    parts = {
        "ready": found[Status.READY],
        "limited": found[Status.LIMITED],
        "due": found["due"],
        "refused": found[Status.REFUSED_NOW],
        "suspended": found[Status.SUSPENDED],
        "never accepted": sum(1 for row in report.waiting if row.record is None),
        "not reached": found["not reached"],
    }
    said = ", ".join(f"{number} {what}" for what, number in parts.items() if number or what == "ready")
    return f"Check: {said}."


def _kind(checkup: Checkup, due: Container[str]) -> str:
    if checkup.verdict.answer is Answer.UNKNOWN:
        return "not reached"
    return "due" if checkup.after is Status.READY and checkup.record.name in due else str(checkup.after)


def _whom(report: Report) -> Iterator[str]:
    """Those to act on, those that wait, those to ask again: by name, each kind on its line."""
    act = [c.record.name for c in report.checkups if not c.after.startswith("ready")]
    act += [row.name for row in report.waiting if not row.ready and row.name not in act]
    wait = [row.name for row in report.waiting if row.record]
    again = [c.record.name for c in report.checkups if c.verdict.answer is Answer.UNKNOWN]
    for word, names in (("Act on", act), ("Waiting", wait), ("Ask again", again)):
        if names:
            yield f"{word + ':':<10} {', '.join(names)}."
