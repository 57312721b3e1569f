"""``lock show`` and ``lock release``."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import reporting
from reconciler.report import Report


@click.group("lock")
def lock_() -> None:
    """The lease that a run holds on its workspace while it writes."""


@lock_.command("show")
@opt.reading_options
@reporting("lock show", brief=True)
def show(**given: Any) -> Report:
    """Who holds the lease of the workspace, since when, and when it frees itself. Offline; needs no key."""
    from reconciler.app import locks

    return opt.with_store(locks.show(opt.where(given)))


@lock_.command("release")
@click.argument("lease_id", metavar="ID")
@opt.store_options
@opt.consent("-y", "--yes", "yes", help="The run that holds it is gone, or may fail.")
@reporting("lock release")
def release(*, lease_id: str, yes: bool, **given: Any) -> Report:
    """End the lease with exactly this id. A run that still holds it stores nothing more, and says so."""
    from reconciler.app import locks

    return opt.with_store(locks.release(opt.where(given), lease_id, yes=yes))
