"""``schema``."""

from __future__ import annotations

import click


@click.command("schema")
def schema_() -> None:
    """Print the JSON Schema of a manifest, for editors and other tools."""
    from reconciler import schema

    click.echo(schema.builtin_text(), nl=False)
