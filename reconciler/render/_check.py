"""What a check found, as lines: what needs a person first, then what to ask again, then the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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
    wide = max((len(name) for name in (*(c.record.name for c in told), *(row.name for row in rows))), default=0)
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
        yield Text.assemble(("!", STYLES["!"]), f" {one.name:<{wide}}  {say.due(one)}")
    yield ""
    yield _counts(report)
    if report.interrupted:
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
    """``Check: 14 ready, 1 limited, 1 due, 1 refused, 1 not reached.   Act on: ... Ask again: ...``

    What was asked counts by its answer; an update that waits beside it is named, and no number.
    """
    found = Counter("not reached" if c.verdict.answer is Answer.UNKNOWN else str(c.after) for c in report.checkups)
    parts = {
        "ready": found[Status.READY],
        "limited": found[Status.LIMITED],
        "due": len({one.name for one in report.due}),
        "refused": found[Status.REFUSED_NOW],
        "suspended": found[Status.SUSPENDED],
        "never accepted": sum(1 for row in report.waiting if row.record is None),
        "not reached": found["not reached"],
    }
    said = ", ".join(f"{number} {what}" for what, number in parts.items() if number or what == "ready")
    act = [c.record.name for c in report.checkups if not c.after.startswith("ready")]
    act += [row.name for row in report.waiting if not row.ready and row.name not in act]
    wait = [row.name for row in report.waiting if row.record]
    again = [c.record.name for c in report.checkups if c.verdict.answer is Answer.UNKNOWN]
    line = f"Check: {said}."
    line += f"   Act on: {', '.join(act)}." if act else ""
    line += f"   Waiting: {', '.join(wait)}." if wait else ""
    return line + (f"   Ask again: {', '.join(again)}." if again else "")
