"""``list`` and ``cancel``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli import _completion as completion
from reconciler.cli import _options as opt
from reconciler.cli._output import current, reporting
from reconciler.cli._progress import Watch
from reconciler.report import Report

SORTED_BY = ("name", "label", "provider", "created-by", "created", "status", "checked")


@click.command("list")
@opt.reading_options
@opt.option("--provider", default="", metavar="NAME", shell_complete=completion.providers, help="Only this provider's.")
@opt.option("--created-by", default="", metavar="WHO", help="Only those that this person created.")
@opt.option(
    "--status",
    default="",
    shell_complete=completion.statuses,
    help="Only this status, or those that begin so: 'ready', 'not ready'.",
)
@opt.option("--search", default="", metavar="TEXT", help="Only those with this in name, label, owner or Service ID.")
@opt.option("--sort", type=click.Choice(SORTED_BY), default="name", show_default=True, help="By which column.")
@opt.option("--due", "due_days", metavar="30d", callback=opt.days, help="Only what is due within so many days.")
@opt.option("--require", type=click.IntRange(0), default=0, metavar="N", help="Exit with 3 unless N shown are ready.")
@reporting("list", brief=True)
def list_(*, require: int, **given: Any) -> Report:
    """List every credential of the workspace, and what needs a person. Offline; needs no key."""
    from reconciler.app.listing import View
    from reconciler.app.listing import list_ as use

    filters = {key: given[key] for key in ("provider", "created_by", "status", "search", "sort", "due_days")}
    return opt.with_store(use(opt.where(given), View(**filters, required=require)))


@click.command("get")
@click.argument("name")
@opt.reading_options
@click.option("--version", type=click.IntRange(1), metavar="N", help="As it was in this version.")
@reporting("get", brief=True)
def get_(*, name: str, version: int | None, **given: Any) -> Report:
    """Show everything known of one credential, but its secrets. Offline; needs no key."""
    from reconciler.app import versions

    return opt.with_store(versions.get(opt.where(given), name, version or 0))


@click.command("check")
@click.argument("names", nargs=-1)
@opt.store_options
@opt.asking_options
@opt.lock_option
@opt.option("--max-age", default="", metavar="12h", help="Skip what was accepted so recently (7d, 12h, 30min).")
@reporting("check")
def check_(*, names: tuple[str, ...], max_age: str, **given: Any) -> Report:
    """Ask the providers again about what is stored: revoked, suspended, out of reach. Changes no secret."""
    from reconciler.app.checking import Selection, check
    from reconciler.app.history import span

    wanted = Selection(names, span(max_age) if max_age else None, opt.asking(given))
    with Watch(current().terminal) as watch:
        return opt.with_store(check(opt.where(given), wanted, watch))


# RECONCILER_ACTOR says who acts, so --actor does not read it here: it would hide what others did
@click.command("history")
@click.argument("name", required=False, default="")
@opt.reading_options
@opt.option("--provider", default="", metavar="NAME", shell_complete=completion.providers, help="Only this provider's.")
@opt.option("--since", default="", metavar="WHEN", help="7d, a date or a timestamp (UTC).")
@click.option("--actor", "by", default="", metavar="WHO", help="Only what this person did, wrote or triggered.")
@opt.option("--what", default="", help="create, update, delete, check, cancel, ...")
@opt.anchor_options
@reporting("history", brief=True)
def history_(
    *,
    name: str,
    provider: str,
    since: str,
    by: str,
    what: str,
    anchor: tuple[str, ...],
    anchors: Path | None,
    **given: Any,
) -> Report:
    """Who changed what, when, and whether a secret was changed. Newest first; never a secret."""
    from reconciler.app import auditing, history
    from reconciler.context import now

    wanted = history.Filter(name, provider, history.since(since, now()), by, what)
    return history.history(opt.where(given), wanted, auditing.anchors_of(anchor, anchors))


@click.command("cancel")
@click.argument("name")
@opt.store_options
@opt.lock_option
@reporting("cancel")
def cancel_(*, name: str, **given: Any) -> Report:
    """Discard a refused submission; what was stored before is untouched."""
    from reconciler.app import listing

    return listing.cancel(opt.where(given), name)
