"""The outcomes of an apply as lines: one for each, an error block for each that did not succeed, the counts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from reconciler.model import Action, Result
from reconciler.plans import Outcome
from reconciler.render import rows as say
from reconciler.render._failure import WIDTH, error_block
from reconciler.render._page import STYLES, Line
from reconciler.render._plan import no_changes
from reconciler.report import Report, applied_summary

DONE = frozenset({Result.CREATED, Result.UPDATED, Result.RENAMED, Result.DELETED, Result.KEPT})


def outcome_line(outcome: Outcome) -> Text:
    """What became of one change, in one line."""
    change = outcome.change
    sign = say.SIGNS[change.action] if outcome.result in DONE else "✗"
    verdict = outcome.verdict
    facts = ""
    if verdict:
        who = say.account(verdict) if outcome.result in DONE else ""
        facts = " · ".join(part for part in (who, say.provider_answer(change.provider, verdict)) if part)
    took = f"{outcome.seconds:.1f} s" if change.asks else ""
    line = f"{change.name:<16} {say.result(outcome):<26} {facts:<46} {say.versions(outcome):<16} {took}"
    return Text.assemble("  ", (sign, STYLES.get(sign, "")), " ", line.rstrip())


def _not_attempted(report: Report) -> Iterator[str]:
    """All by name, as they have no line among the outcomes'."""
    names = [outcome.change.name for outcome in report.outcomes if outcome.result is Result.SKIPPED]
    if names:
        yield from textwrap.wrap(f"Not attempted: {', '.join(names)}", WIDTH, subsequent_indent="  ",
                                 break_long_words=False, break_on_hyphens=False)  # fmt: skip


def apply_lines(report: Report) -> Iterator[Line]:
    """What stands after the outcomes' own lines, which were shown as they came."""
    plan = report.plan
    if plan is None:
        return
    if not report.outcomes and not report.errors and not plan.effective and not report.dropped:
        if report.header:
            yield say.header(report.header)
        yield no_changes(report)
        return
    for name in report.dropped:
        yield f"  - {name}: the rejection is dropped, nothing asks for it any more"
    for outcome in report.outcomes:
        if outcome.result in (Result.REJECTED, Result.FAILED):
            yield ""
            yield from error_block(report, outcome)
    if report.interrupted:
        yield ""
        yield say.interrupted(report)
    if report.outcomes:
        yield ""
        yield applied_summary(report.outcomes, len(plan.kept))
        yield from _not_attempted(report)
    if report.anchor:
        yield f"Anchor {report.anchor} (keep it outside the store, for: reconciler audit verify --anchor)"


def touched_lines(report: Report) -> Iterator[Line]:
    """What the table of an apply shows and what it has no row for: a failed create leaves nothing to be listed."""
    if report.rows:
        workspace = report.header.workspace if report.header else ""
        yield (
            f"{len(report.rows)} of {report.total} shown: what this run touched. "
            f"All: reconciler list -w {workspace}{report.store_selection}"
        )
    shown = {row.name for row in report.rows}
    creates = [o for o in report.outcomes if o.change.action is Action.CREATE and o.change.name not in shown]
    if gone := [outcome for outcome in creates if outcome.result in (Result.FAILED, Result.ACCEPTED)]:
        said = ", ".join(f"{outcome.change.name} ({say.result(outcome)})" for outcome in gone)
        yield from textwrap.wrap(f"Nothing is stored of: {said}", WIDTH, subsequent_indent="  ",
                                 break_long_words=False, break_on_hyphens=False)  # fmt: skip
