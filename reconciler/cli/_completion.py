"""What a shell may complete beside commands and options: values of closed sets. Opens no store, imports no plug-in."""

from __future__ import annotations

import os

import click


def providers(_context: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Names of providers, installed ones included."""
    from reconciler.plugins import provider_names

    return [name for name in provider_names(installed=True) if name.startswith(begun)]


def codes(_context: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Codes that ``explain`` knows."""
    from reconciler.codes import CODES

    return [name for name in CODES if name.startswith(begun)]


def statuses(_context: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Statuses of ``list``; for bash, which click's script gives no value with a blank, their first words."""
    from reconciler.model import Status

    found = [status.value for status in Status]
    if os.environ.get("_RECONCILER_COMPLETE", "").startswith("bash"):
        found = list(dict.fromkeys(value.split()[0].rstrip(",") for value in found))
    return [value for value in found if value.startswith(begun)]
