"""``providers``, ``explain`` and ``version``."""

from __future__ import annotations

import click

from reconciler import render
from reconciler.cli import _completion as completion
from reconciler.cli._output import reporting
from reconciler.report import Report


@click.command("providers")
@click.argument("name", required=False, default="", shell_complete=completion.providers)
@reporting("providers")
def providers_(*, name: str) -> Report:
    """The providers installed; with a NAME, its keys, where to find them, its terms, and an entry to paste."""
    from reconciler.app import informing

    return informing.providers(name)


@click.command("explain")
@click.argument("code", required=False, default="", shell_complete=completion.codes)
@reporting("explain")
def explain_(*, code: str) -> Report:
    """What a CODE means, whose turn it is, and what to do; without one, all codes."""
    from reconciler.app import informing

    return informing.explain(code) if code else informing.codes()


@click.command("version")
@click.option(
    "--json", "format_", flag_value="json", type=click.Choice(list(render.FORMATS)), help="The same as --format json."
)
@reporting("version")
def version_() -> Report:
    """This program's version, its Python, and what is installed."""
    from reconciler.app import informing

    return informing.version()
