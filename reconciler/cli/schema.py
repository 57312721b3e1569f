"""``schema``."""

from __future__ import annotations

import click


@click.command("schema")
@click.option("--installed", is_flag=True, help="With the providers of other distributions that are installed here.")
def schema_(*, installed: bool) -> int:
    """Print the JSON Schema of a manifest, for editors and other tools."""
    from reconciler import schema
    from reconciler.cli._handing import only_giving, write

    return only_giving("schema", lambda: write(_installed() if installed else schema.builtin_text()))


def _installed() -> str:
    from reconciler.app import plugged, schemas

    return schemas.text(plugged.installed())
