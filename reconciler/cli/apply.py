"""``apply``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import current, reporting
from reconciler.cli._talk import Conversation
from reconciler.cli.manifest import SELECTING
from reconciler.report import Report


@click.command("apply")
@opt.manifest_options
@opt.planning_options
@opt.store_options
@opt.asking_options
@opt.prune_options
@opt.lock_option
@opt.consent("-y", "--yes", "--auto-approve", "yes", help="Do not ask for confirmation.")
@opt.consent("--new-workspace", help="Allow a workspace that is new to a store with others.")
@reporting("apply")
def apply_(*, yes: bool, new_workspace: bool, **given: Any) -> Report:
    """Prove each new or changed credential against its provider, and store those accepted."""
    from reconciler.app.applying import How, apply

    how = How(yes, new_workspace, opt.asking(given))
    report = apply(opt.where(given), opt.what(given), how, Conversation(current()))
    return replace(report, selection=opt.selection(*SELECTING, "sandbox_urls"),
                   store_selection=opt.store_selection())  # fmt: skip
