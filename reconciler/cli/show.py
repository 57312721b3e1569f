"""``show``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import reporting
from reconciler.report import Report


@click.command("show")
@click.argument("plan", type=click.Path(path_type=Path))
@opt.reading_options
@reporting("show", brief=True)
def show_(*, plan: Path, **given: Any) -> Report:
    """Show what a plan file would do. Needs no key and asks nobody; says whether the file is as it was written."""
    from reconciler.app.showing import show

    return opt.with_store(show(opt.where(given), plan))
