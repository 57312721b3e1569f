"""``sandbox`` and ``sandbox env``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._output import reporting
from reconciler.cli._streams import tell
from reconciler.report import Report


@click.group("sandbox", invoke_without_command=True)
@opt.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1.  [default: a free one]")
@opt.option("--delay", type=click.FloatRange(0, 60), default=0.0, help="Seconds that every answer takes longer.")
@click.pass_context
def sandbox_(ctx: click.Context, port: int, delay: float) -> None:
    """Serve the three providers on loopback, for demos and tests, until Ctrl-C."""
    if ctx.invoked_subcommand is None:
        from reconciler.app import sandboxes

        sandboxes.serve(port, delay, lambda origin: click.echo(f"Serving twilio, sinch and infobip at {origin}"))


@sandbox_.command("env")
@opt.manifest_options
@opt.option(
    "--write-files",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the values of file:// references into this folder.",
)
@opt.consent("--force", help="Overwrite files of --write-files that hold something else.")
@opt.option("--rotated", is_flag=True, help="The second secret that each account accepts, as after a rotation.")
@reporting("sandbox env")
def env(*, write_files: Path | None, force: bool, rotated: bool, **given: Any) -> Report:
    """Print the secrets that the sandbox accepts for a manifest, as shell exports.

    They are derived from public identifiers and work nowhere else:  eval "$(reconciler sandbox env)"
    """
    from reconciler.app import sandboxes
    from reconciler.render.rows import safe

    values = sandboxes.environment(opt.what(given), write_files, rotated=rotated, force=force)
    if values.left_out:
        # not on stdout, which a shell evaluates
        files = safe(", ".join(f"file://{path}" for path in values.left_out))
        tell(f"Left out: {files}. With --write-files DIR they are written into that folder (beside the manifest: .).")
    return Report("sandbox env", facts={name: shlex.quote(value) for name, value in values.variables.items()})
