"""``apply``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import Conversation, current, reporting
from reconciler.cli.manifest import SELECTING
from reconciler.report import Report


@click.command("apply")
@opt.manifest_options
@opt.planning_options
@opt.store_options
@opt.consent("-y", "--yes", "--auto-approve", "yes", help="Do not ask for confirmation.")
@opt.consent("--new-workspace", help="Allow a workspace that is new to a store with others.")
@opt.option(
    "--parallelism", type=click.IntRange(1, 1024), default=32, show_default=True, help="Requests under way at once."
)
@opt.option(
    "--sandbox-url",
    "sandbox_urls",
    multiple=True,
    metavar="PROVIDER=URL",
    help="Ask this loopback server in a provider's place; implies --sandbox. Repeatable.",
)
@opt.option("--ca-file", type=click.Path(path_type=Path), help="Certificates to trust beside the usual ones (PEM).")
@reporting("apply")
def apply_(*, yes: bool, new_workspace: bool, parallelism: int, ca_file: Path | None, **given: Any) -> Report:
    """Prove each new or changed credential against its provider, and store those accepted."""
    from reconciler.app.applying import How, apply
    from reconciler.app.asking import Asking, sandbox_routes

    asking = Asking(parallelism, sandbox_routes(given["sandbox_urls"]), ca_file)
    report = apply(opt.where(given), opt.what(given), How(yes, new_workspace, asking), Conversation(current()))
    return replace(report, selection=opt.selection(*SELECTING, "sandbox_urls"))
