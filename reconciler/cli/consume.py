"""``exec``, ``read`` and ``export``: what is stored, for a program or a person."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import _options as opt
from reconciler.cli._handing import Handed, handing, write
from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from reconciler.app.consuming import Program

_COMMAND = "reconciler.exec.command"


class _Exec(click.Command):
    """A command line with another one behind ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = tuple(args[end + 1 :])
        return super().parse_args(ctx, args[:end])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- COMMAND [ARGUMENT]..."]


@click.command("exec", cls=_Exec)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@opt.store_options
@opt.option("--prefix", is_flag=True, help="Put each credential's name before its variables: MARKETING_US_TWILIO_...")
@handing("exec")
def exec_(*, names: tuple[str, ...], prefix: bool, **given: Any) -> Handed:
    """Run a program with credentials in its environment, as their providers' libraries expect them.

    The program takes this one's place: signals and exit code are its own. It gets no RECONCILER_ variable. 127: there
    is no such program; 126: it cannot be run.
    """
    from reconciler.app import consuming

    command = click.get_current_context().meta[_COMMAND]
    if not command:
        raise UsageError("usage", "which program?", "reconciler exec NAME -- COMMAND [ARGUMENT]...")
    report, program = consuming.program(opt.where(given), names, command, prefixed=prefix)
    return Handed(report, lambda: _become(program))


def _become(program: Program) -> None:
    """Become the program. Raises ReconcilerError ``not-executable`` where the system will not have it."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        # Python ignores these, and a program inherits what is ignored
        signal.signal(number, signal.SIG_DFL)
    environ = {name: value.reveal() for name, value in program.environ.items()}
    try:
        os.execve(program.path, program.arguments, environ)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        raise ReconcilerError("not-executable", f"{program.path}: {error.strerror}") from None


@click.command("read")
@click.argument("name")
@click.argument("field")
@opt.store_options
@opt.consent("--reveal", help="Yes, show the secret.")
@handing("read")
def read_(*, name: str, field: str, reveal: bool, **given: Any) -> Handed:
    """Write one value to stdout, and nothing else: a secret with --reveal, a public key without."""
    from reconciler.app import consuming

    report, value = consuming.read(opt.where(given), name, field, reveal=reveal)
    return Handed(report, lambda: write(f"{value.reveal()}\n"))


FORMS = ("dotenv", "json", "kubernetes")


@click.command("export")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@opt.store_options
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    required=True,
    envvar="RECONCILER_EXPORT_FORMAT",
    help="Form of the file. (RECONCILER_FORMAT, which is about reports, says nothing here.)",
)
@click.option("--out", type=click.Path(path_type=Path), envvar="RECONCILER_EXPORT_OUT",
              help="Write this file, 0600, instead of stdout.  (RECONCILER_OUT is a plan's file.)")  # fmt: skip
@opt.consent("--force", help="Overwrite the file of --out.")
@opt.consent("--reveal", help="Yes, show the secrets on this terminal.")
@opt.option("--prefix", is_flag=True, help="Put each credential's name before its variables: MARKETING_US_TWILIO_...")
@opt.option(
    "--dialect",
    type=click.Choice(["sh", "python-dotenv"]),
    default=None,
    help="dotenv: who reads it.  [default: both, and no value that they read differently]",
)
@opt.option("--namespace", default="", metavar="NAME", help="kubernetes: the namespace of the Secrets.")
@opt.option(
    "--name-template",
    default="sms-{name}",
    show_default=True,
    metavar="TEXT",
    help="kubernetes: the names of the Secrets; {name}, {workspace}, {provider} stand for the credential's.",
)
@handing("export", own_format=True)
def export_(
    *, names: tuple[str, ...], form: str, out: Path | None, force: bool, reveal: bool, prefix: bool,
    dialect: str | None, namespace: str, name_template: str, **given: Any,
) -> Handed:  # fmt: skip
    """Write credentials as a file for programs: all of the workspace, or those named."""
    from reconciler.app import consuming
    from reconciler.exports import Options

    target = consuming.Target(out, force) if out else None
    if target:
        target.check()
    elif not reveal and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("not-revealed", "stdout is a terminal", "--out FILE, a pipe, or if it is meant: --reveal")
    options = Options("", prefix, dialect or "", namespace, name_template)
    report, text = consuming.export(opt.where(given), names, form, options)
    return Handed(report, lambda: target.write(text) if target else write(text.reveal()))
