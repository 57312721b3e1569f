"""``list`` and ``cancel``."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import reporting
from reconciler.report import Report


@click.command("list")
@opt.store_options
@opt.option("--provider", default="", metavar="NAME", help="Only this provider's.")
@opt.option("--created-by", default="", metavar="WHO", help="Only those that this person created.")
@reporting("list")
def list_(*, provider: str, created_by: str, **given: Any) -> Report:
    """List every credential of the workspace, and what needs a person. Offline; needs no key."""
    from reconciler.app import listing

    return listing.list_(opt.where(given), provider=provider, created_by=created_by)


@click.command("cancel")
@click.argument("name")
@opt.store_options
@reporting("cancel")
def cancel_(*, name: str, **given: Any) -> Report:
    """Discard a refused submission; what was stored before is untouched."""
    from reconciler.app import listing

    return listing.cancel(opt.where(given), name)
