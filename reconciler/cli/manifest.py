"""``validate`` and ``plan``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import reporting
from reconciler.report import Report

SELECTING = ("files", "only", "secrets_dir", "workspace", "store", "key_file", "sandbox")


@click.command("validate")
@opt.manifest_options
@opt.workspace_option
@reporting("validate")
def validate_(**given: Any) -> Report:
    """Check a manifest offline: no secret is read, no store opened, no provider asked."""
    from reconciler.app import planning

    return planning.validate(opt.where(given), opt.what(given))


@click.command("plan")
@opt.manifest_options
@opt.planning_options
@opt.store_options
@opt.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@reporting("plan")
def plan_(*, detailed_exitcode: bool, **given: Any) -> Report:
    """Show what apply would do. Writes nothing, asks no provider."""
    from reconciler.app import planning

    report = planning.plan(opt.where(given), opt.what(given), detailed_exitcode=detailed_exitcode)
    return replace(report, selection=opt.selection(*SELECTING))
