"""``store create``."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import reporting
from reconciler.report import Report


@click.group("store")
def store_() -> None:
    """Make a store."""


@store_.command("create")
@opt.store_options
@reporting("store create")
def create(**given: Any) -> Report:
    """Make a store and its key, on purpose; an existing one is never touched."""
    from reconciler.app import stores

    return stores.create(opt.where(given))
