"""``key status``, ``key backup`` and ``key export``."""

from __future__ import annotations

import sys
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._handing import Handed, handing, only_giving, write
from reconciler.cli._output import reporting
from reconciler.errors import UsageError
from reconciler.report import Report


@click.group("key")
def key_() -> None:
    """The store's key."""


@key_.command("status")
@opt.store_options
@reporting("key status")
def status(**given: Any) -> Report:
    """Which keys open the store, and whether the one here does. Shows ids, never a key."""
    from reconciler.app import keys

    return keys.status(opt.where(given))


@key_.command("backup")
@opt.store_options
def backup(**given: Any) -> int:
    """Write the store's key to stdout, base64, for a safe or another machine's RECONCILER_KEY. Refuses a terminal."""
    from reconciler.app import keys

    def give() -> None:
        if sys.stdout is not None and sys.stdout.isatty():
            raise UsageError("usage", "stdout is a terminal: a key belongs into a file or a pipe",
                             "reconciler key backup > FILE   (with umask 077)")  # fmt: skip
        write(f"{keys.backup(opt.where(given)).reveal()}\n")

    return only_giving("key backup", give)


@key_.command("export")
@opt.store_options
@click.option(
    "--for",
    "use",
    type=click.Choice(["plan", "consume", "audit"]),
    required=True,
    help="plan: compare secrets and sign plan files; consume: open secrets; audit: verify the log.",
)
@handing("key export")
def export(*, use: str, **given: Any) -> Handed:
    """Write a key for one use of one workspace to stdout, for a job that does no more. Refuses a terminal."""
    from reconciler.app import keys

    if sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("usage", "stdout is a terminal: a key belongs into a file or a pipe",
                         f"reconciler key export --for {use} > FILE   (with umask 077)")  # fmt: skip
    report, text = keys.export(opt.where(given), use)
    return Handed(report, lambda: write(f"{text.reveal()}\n"))
