"""``schema``."""

from __future__ import annotations

import click


@click.command("schema")
@click.option("--installed", is_flag=True, help="With the providers of other distributions that are installed here.")
def schema_(*, installed: bool) -> None:
    """Print the JSON Schema of a manifest, for editors and other tools."""
    from reconciler import schema

    if installed:
        from reconciler.app import schemas

        click.echo(schemas.text(schemas.installed()), nl=False)
    else:
        click.echo(schema.builtin_text(), nl=False)
