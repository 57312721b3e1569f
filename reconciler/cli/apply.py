"""``apply``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import current, reporting
from reconciler.cli._talk import Conversation
from reconciler.cli.manifest import FOUND_BY, SELECTING
from reconciler.report import Report

if TYPE_CHECKING:
    from reconciler.app.approving import Source

PLANNING = ("files", "allow_empty", "only", "secrets", "secrets_only", "prune", "max_deletes")
"""Options that choose what is planned; a plan file has them inside."""
AGAIN = (*SELECTING, "sandbox_urls", "expect", "atomic", "new_workspace")
"""Options that the same apply is asked for with again."""
_DIGEST = re.compile(r"[cs]1-[0-9a-f]{32}", re.ASCII)


def digest(_context: click.Context, _param: click.Parameter, value: str) -> str:
    """A whole digest: part of one could be forged."""
    if value and not _DIGEST.fullmatch(value):
        raise click.BadParameter("a digest is c1- or s1- and 32 hex digits")
    return value


@click.command("apply")
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@opt.manifest_options
@opt.planning_options
@opt.store_options
@opt.asking_options
@opt.prune_options
@opt.lock_option
@opt.keep_option
@click.option(
    "--expect",
    default="",
    metavar="DIGEST",
    callback=digest,
    help="Apply only what has this digest: what somebody approved.",
)
@opt.option("--atomic", is_flag=True, help="Store all or nothing: one that is rejected or fails stops it.")
@opt.consent("-y", "--yes", "--auto-approve", "yes", help="Do not ask for confirmation.")
@opt.consent("--new-workspace", help="Allow a workspace that is new to a store with others.")
@reporting("apply")
def apply_(*, plan: Path | None, expect: str, yes: bool, new_workspace: bool, atomic: bool, **given: Any) -> Report:
    """Prove each new or changed credential against its provider, and store those accepted.

    PLAN is a file that  plan --out  wrote: it says what is applied, so it takes no option that chooses that, and is
    not asked about again.
    """
    from reconciler.app.applying import How, apply

    how = How(yes, new_workspace, atomic, opt.asking(given))
    with Conversation(current(), f"reconciler apply{opt.selection(*AGAIN)}") as talk:
        report = apply(opt.where(given), _source(plan, expect, given), how, talk)
    return replace(report, selection=opt.selection(*SELECTING, "sandbox_urls"),
                   found_by=opt.selection(*FOUND_BY, "sandbox_urls"),
                   store_selection=opt.store_selection())  # fmt: skip


def _source(plan: Path | None, expect: str, given: Mapping[str, Any]) -> Source:
    """What is applied. Raises UsageError, Refused where the plan file is not one."""
    if plan is None:
        from reconciler.app.approving import FromManifest

        return FromManifest(opt.what(given), expect)
    if flags := opt.selection(*PLANNING):
        raise click.UsageError(f"a plan file says what is applied: drop{flags}")
    from reconciler.app import planfiles
    from reconciler.app.resuming import FromFile

    return FromFile(plan, planfiles.read(plan), expect, given["secrets_dir"])
