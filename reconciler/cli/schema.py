"""``schema``."""

from __future__ import annotations

import click


@click.command("schema")
@click.option("--installed", is_flag=True, help="With the providers of other distributions that are installed here.")
def schema_(*, installed: bool) -> int:
    """Print the JSON Schema of a manifest, for editors and other tools."""
    from reconciler import schema
    from reconciler.errors import ReconcilerError

    try:
        click.echo(_installed() if installed else schema.builtin_text(), nl=False)
    except ReconcilerError as error:
        from reconciler.cli._output import complain

        return complain("schema", error)
    return 0


def _installed() -> str:
    from reconciler.app import plugged, schemas

    return schemas.text(plugged.installed())
