"""Whether the log is whole, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.render import rows as say
from reconciler.render._page import Line
from reconciler.report import Report

ALONE = "No anchor was given: a log that lost its end, or an older store put back, would not show."


def audit_lines(report: Report) -> Iterator[Line]:
    """What was looked at, and in how many places it is broken; the places follow as problems."""
    if report.header is None:
        return
    facts, broken = report.facts, len(report.errors)
    yield say.header(report.header)
    if broken:
        yield f"Chain {facts['first']}…{facts['last']}: BROKEN, in {say.count(broken, 'place')}."
        yield ""
        return
    yield f"Chain whole {facts['first']}…{facts['last']}; head {facts['head'] or say.DASH}."
    yield f"{say.count(len(facts['anchors']), 'anchor')} matched." if facts["anchors"] else ALONE
    waiting = f" {say.count(facts['waiting'], 'read')} not in the chain yet." if facts["waiting"] else ""
    yield f"{say.count(facts['records'], 'record')}, each as its latest event left it.{waiting}"
