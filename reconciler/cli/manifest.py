"""``validate`` and ``plan``."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import current, reporting
from reconciler.cli._progress import Watch
from reconciler.report import Report

FOUND_BY = ("files", "secrets_only", "secrets_dir", "workspace", "store", "key_file", "sandbox")
"""Options that one credential alone is applied with again: they lead to the manifest and the store."""
SELECTING = (*FOUND_BY, "only", "prune", "max_deletes")


BARE = {"allow_extra_args": True}
"""Arguments are taken, to tell what is wrong with them."""


def _by_flag() -> None:
    """Raise click's UsageError for a bare argument, as a manifest has a flag. What is no file is not repeated."""
    context = click.get_current_context()
    if not context.args:
        return
    files = [shlex.quote(text) for text in context.args if Path(text).exists()]
    named = " ".join(f"-f {file}" for file in files or ["FILE"])
    # click's own, as for any other argument that is too much: the options behind it may not have been read as such
    raise click.UsageError(f"a manifest is named with -f: reconciler {context.info_name} {named}")


@click.command("validate", context_settings=BARE)
@opt.manifest_options
@opt.workspace_option
@reporting("validate", brief=True)
def validate_(**given: Any) -> Report:
    """Check a manifest offline: no secret is read, no store opened, no provider asked."""
    from reconciler.app import planning

    _by_flag()
    return planning.validate(opt.where(given), opt.what(given))


@click.command("plan", context_settings=BARE)
@opt.manifest_options
@opt.planning_options
@opt.store_options
@opt.asking_options
@opt.prune_options
@opt.option("--check", is_flag=True, help="Ask the providers about creates and updates now; stores nothing.")
@opt.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there are changes.")
@opt.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Keep the plan as a file, for: reconciler apply PATH. Replaces a plan file only.",
)
@opt.option("--expires-in", default="7d", show_default=True, metavar="SPAN", help="How long that file is good.")
@reporting("plan", brief=True)
def plan_(*, check: bool, detailed_exitcode: bool, out: Path | None, expires_in: str, **given: Any) -> Report:
    """Show what apply would do. Writes nothing; asks providers with --check only."""
    from reconciler.app import planning

    _by_flag()
    if out and any(out.absolute() == target.path.absolute() for target in current().reports):
        raise click.BadParameter(f"a report cannot have the path of the plan file, {str(out)!r}", param_hint="--out")
    where, what, file = opt.where(given), opt.what(given), opt.plan_file(out, expires_in)
    if check:
        from reconciler.app.looking import plan_live

        with Watch(current().terminal) as watch:
            report = plan_live(where, what, opt.asking(given), watch, file)
    else:
        report = planning.plan(where, what, file)
    return replace(
        report,
        detailed_exitcode=detailed_exitcode,
        selection=opt.selection(*SELECTING, "sandbox_urls"),
        store_selection=opt.store_selection(),
    )
