"""``restore``."""

from __future__ import annotations

import shlex
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import current, reporting
from reconciler.cli._talk import Conversation
from reconciler.report import Report

AGAIN = ("version", "workspace", "store", "key_file", "sandbox", "sandbox_urls")
"""Options that the same restore is asked for with again."""


@click.command("restore")
@click.argument("name")
@opt.store_options
@opt.asking_options
@opt.lock_option
@opt.keep_option
@click.option("--version", type=click.IntRange(1), metavar="N", help="Which version.  [default: the latest kept]")
@opt.consent("-y", "--yes", "--auto-approve", "yes", help="Do not ask for confirmation.")
@reporting("restore")
def restore_(*, name: str, version: int | None, yes: bool, **given: Any) -> Report:
    """Put a former version of a credential back, or a deleted one, once its provider accepts it."""
    from reconciler.app.applying import How
    from reconciler.app.restoring import restore

    how = How(yes, asking=opt.asking(given))
    talk = Conversation(current(), f"reconciler restore {shlex.quote(name)}{opt.selection(*AGAIN)}")
    return opt.with_store(restore(opt.where(given), name, version or 0, how, talk))
