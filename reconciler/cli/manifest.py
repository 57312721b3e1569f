"""``validate`` and ``plan``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import current, reporting
from reconciler.cli._progress import Watch
from reconciler.report import Report

SELECTING = ("files", "only", "secrets_dir", "workspace", "store", "key_file", "sandbox", "prune", "max_deletes")


@click.command("validate")
@opt.manifest_options
@opt.workspace_option
@reporting("validate", brief=True)
def validate_(**given: Any) -> Report:
    """Check a manifest offline: no secret is read, no store opened, no provider asked."""
    from reconciler.app import planning

    return planning.validate(opt.where(given), opt.what(given))


@click.command("plan")
@opt.manifest_options
@opt.planning_options
@opt.store_options
@opt.asking_options
@opt.prune_options
@opt.option("--check", is_flag=True, help="Ask the providers about creates and updates now; stores nothing.")
@opt.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@reporting("plan", brief=True)
def plan_(*, check: bool, detailed_exitcode: bool, **given: Any) -> Report:
    """Show what apply would do. Writes nothing; asks providers with --check only."""
    from reconciler.app import planning

    where, what = opt.where(given), opt.what(given)
    if check:
        from reconciler.app.looking import plan_live

        with Watch(current().terminal) as watch:
            report = plan_live(where, what, opt.asking(given), watch)
    else:
        report = planning.plan(where, what)
    return replace(
        report,
        detailed_exitcode=detailed_exitcode,
        selection=opt.selection(*SELECTING),
        store_selection=opt.store_selection(),
    )
