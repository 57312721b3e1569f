"""Who holds the lease of a workspace, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.render import rows as say
from reconciler.render._page import Line
from reconciler.report import Report


def lock_lines(report: Report) -> Iterator[Line]:
    """Free, or held by whom, since when, and what to do about it."""
    if report.header is None:
        return
    yield say.header(report.header)
    lease = report.facts["lease"]
    if lease is None:
        yield "The lease is free: nobody is writing."
        return
    run = f", {lease['run_url']}" if lease["run_url"] else ""
    who = say.safe(f"{lease['actor']} ({lease['host']}, process {lease['pid']}{run})")
    if report.command == "lock release":
        yield f"Ended: the lease {lease['id']} of {who}. If that run still lives, it stores nothing more."
        return
    yield f"Held by {who}"
    yield f"  id           {say.safe(lease['id'])}, number {lease['fencing']}"
    yield f"  since        {_second(lease['since'])}"
    yield f"  last heard   {_second(lease['heartbeat'])}"
    if report.facts["expired"]:
        yield f"  expired      {_second(lease['expires'])}: the next run takes it"
    else:
        yield f"  frees itself {_second(lease['expires'])}, unless it is heard of again"
    flags = report.place
    if report.facts["expired"]:
        return
    yield f"  → wait for it:      reconciler apply --lock-timeout 2m{flags}"
    yield f"  → if it is gone:    reconciler lock release {say.safe(lease['id'])}{flags} --yes"


def _second(then: str) -> str:
    return f"{then[:10]} {then[11:19]} UTC"
