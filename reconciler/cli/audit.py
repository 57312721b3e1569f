"""``audit verify`` and ``audit export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._handing import only_giving, write
from reconciler.cli._output import reporting
from reconciler.report import Report


@click.group("audit")
def audit_() -> None:
    """The log of everything that was done: is it whole, and a copy of it."""


@audit_.command("verify")
@opt.reading_options
@opt.anchor_options
@reporting("audit verify", brief=True)
def verify(*, anchor: tuple[str, ...], anchors: Path | None, **given: Any) -> Report:
    """Walk the whole log, and compare it with anchors and with every stored row. Needs the audit key."""
    from reconciler.app import auditing

    return opt.with_store(auditing.verify(opt.where(given), auditing.anchors_of(anchor, anchors)))


@audit_.command("export")
@opt.reading_options
@opt.option("--since", default="", metavar="WHEN", help="7d, a date or a timestamp (UTC).")
def export(*, since: str, **given: Any) -> int:
    """Write the log to stdout as lines of JSON, each with its mac and the one before it. Needs no key."""
    from reconciler.app import auditing, history
    from reconciler.context import now

    def give() -> None:
        for line in auditing.export(opt.where(given), history.since(since, now())):
            if not write(f"{line}\n"):
                break

    return only_giving("audit export", give)
