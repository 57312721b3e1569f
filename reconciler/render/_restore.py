"""A restore as lines: what would be put back, then what became of it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model import Result
from reconciler.plans import Change
from reconciler.render import rows as say
from reconciler.render._failure import error_block
from reconciler.render._page import Line
from reconciler.render._plan import change_lines
from reconciler.report import UNSTORED, Report


def restoring_lines(report: Report) -> Iterator[Line]:
    """What is to be put back, as it is shown before anybody is asked."""
    if report.header is None or report.plan is None:
        return
    yield f"{say.header(report.header)} · serial {report.header.serial}"
    for change in report.plan.changes:
        yield ""
        yield from change_lines(change, len(change.name))
        if change.former and change.former.name != change.name:
            yield f"        it was {change.former.name} then"
    yield ""


def restored_lines(report: Report) -> Iterator[Line]:
    """What became of it."""
    if report.header is None or report.plan is None:
        return
    if not report.plan.changes:
        yield say.header(report.header)
        yield f"No changes: {report.facts['name']} is stored as it was in v{report.facts['version']}."
    for outcome in report.outcomes:
        if outcome.result in (Result.REJECTED, Result.FAILED):
            yield ""
            yield from error_block(report, outcome)
        elif outcome.result in UNSTORED:
            yield f"Interrupted: {outcome.change.name} was not restored. Run the same command again."
        else:
            yield f"Restored: {outcome.change.name} is v{outcome.version} now, as it was in {_then(outcome.change)}."
    if report.anchor and report.outcomes:
        yield f"Anchor {report.anchor} (keep it outside the store, for: reconciler audit verify --anchor)"


def _then(change: Change) -> str:
    if change.former is None:
        return say.DASH
    return f"v{change.former.version} of {say.clock(change.former.updated_at)}"
