"""The command line: parse, call one use case, render its report, exit with its code. Nothing is decided here."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn, TextIO

import click

from reconciler import __version__
from reconciler.cli._streams import reader_gone, tell
from reconciler.cli._typed import Typed
from reconciler.codes import CODES, Exit

COMMANDS = {
    "validate": "reconciler.cli.manifest",
    "plan": "reconciler.cli.manifest",
    "show": "reconciler.cli.show",
    "apply": "reconciler.cli.apply",
    "list": "reconciler.cli.stored",
    "get": "reconciler.cli.stored",
    "check": "reconciler.cli.stored",
    "history": "reconciler.cli.stored",
    "audit": "reconciler.cli.audit",
    "cancel": "reconciler.cli.stored",
    "restore": "reconciler.cli.restore",
    "exec": "reconciler.cli.consume",
    "read": "reconciler.cli.consume",
    "export": "reconciler.cli.consume",
    "schema": "reconciler.cli.schema",
    "store": "reconciler.cli.store",
    "key": "reconciler.cli.key",
    "lock": "reconciler.cli.lock",
    "sandbox": "reconciler.cli.sandbox",
    "providers": "reconciler.cli.inform",
    "explain": "reconciler.cli.inform",
    "version": "reconciler.cli.inform",
}
"""Where each command lives; a module is imported only when its command, or the list of commands, is wanted."""


DELETES = ("delete", "destroy", "remove", "rm")
"""Commands that people look for, and that the manifest stands in for."""


class Lazy(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(module), f"{cmd_name}_")
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            if error.command_name in DELETES:
                raise click.UsageError(f"{error} To delete a credential, take it out of the manifest; then"
                                       " reconciler plan --prune  shows what  reconciler apply --prune  deletes.", ctx
                                       ) from None  # fmt: skip
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="reconciler")
def cli() -> None:
    """Declare SMS provider credentials in YAML, review the plan, apply it.

    Each credential is proven against its provider before it is stored, sealed. Exit codes: 0 done, 1 the manifest is
    invalid, 2 plan --detailed-exitcode found changes, 3 a provider rejected one or one failed, 4 refused, 5 store,
    64 usage, 70 a bug, 130 interrupted; exec gives its program's, and 126 or 127 where there is none to run.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; every exception ends here."""
    typed = Typed(arguments, os.environ)
    try:
        code = cli.main(list(arguments), prog_name="reconciler", standalone_mode=False, obj=typed)
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        return _stopped(arguments, error)
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption) and error.ctx and isinstance(error.ctx.command, click.Group):
            error = _misplaced(error, error.ctx)
        typed.hide(error)
        with suppress(OSError):
            error.show(sys.stderr)
        return _failed(arguments, error, Exit.USAGE)
    except BaseException as error:  # noqa: BLE001
        # the one choke point: a bug must end in a report, not in a traceback, nor in a plug-in's own exit code
        if _by_signal(error):
            return _stopped(arguments, error)
        if isinstance(error, OSError | SystemExit) and _by_click(error):
            return _unwritten(error)
        return _crashed(arguments, error)
    return int(code or 0)


def _misplaced(error: click.NoSuchOption, ctx: click.Context) -> click.NoSuchOption:
    """The same of an option that stands before its command."""
    hint = f"Options stand behind the command: {ctx.command_path} COMMAND {error.option_name}"
    return click.NoSuchOption(error.option_name, f"{error.message} {hint}", error.possibilities, ctx)


def _by_signal(error: BaseException | None) -> bool:
    """Whether it is an interrupt that a library, interrupted while it was loaded, made into an error of its own.

    Python wraps what a class body raises; a compiled module panics, with nothing but the words left.
    """
    while error and not isinstance(error, KeyboardInterrupt):
        if not isinstance(error, Exception) and "KeyboardInterrupt" in str(error):
            return True
        error = error.__cause__
    return error is not None


def _stopped(arguments: Sequence[str], error: BaseException) -> int:
    with suppress(OSError):
        click.echo("Interrupted.", err=True)
    return _failed(arguments, error, Exit.INTERRUPTED)


def _by_click(error: BaseException) -> bool:
    """Whether click itself was writing: its help, or the version. All that we write ourselves we answer for."""
    import traceback

    return Path(traceback.extract_tb(error.__traceback__)[-1].filename).parent == Path(click.__file__).parent


def _unwritten(error: OSError | SystemExit) -> int:
    if isinstance(error, SystemExit) or reader_gone(error, sys.stdout):
        # the reader went away (`--help | head`): nothing is wrong, and nobody is left to tell
        return Exit.DONE
    tell(f"error[not-written]: {CODES['not-written'].summary}: {error.strerror}")
    return Exit.USAGE


def _crashed(arguments: Sequence[str], error: BaseException) -> int:
    from reconciler.cli._failure import tell_bug

    tell_bug(error)
    return _failed(arguments, error, Exit.BUG)


def _failed(arguments: Sequence[str], error: BaseException, code: Exit) -> int:
    """A program that asked for JSON gets it whatever happened."""
    from reconciler.cli._failure import print_json, wants_json

    return print_json(_command(arguments), error) if wants_json(arguments, os.environ) else code


def _command(arguments: Sequence[str]) -> str:
    """The command that a line begins with, as far as there is one: ``plan``, ``store create``."""
    group: click.Command | None = cli
    words: list[str] = []
    # a command whose module cannot even be imported is the very bug to be told
    with suppress(Exception):
        for word in arguments:
            if not isinstance(group, click.Group):
                break
            group = group.get_command(click.Context(group), word)
            words += [word] if group else []
    return " ".join(words) or "reconciler"


def main() -> NoReturn:
    """The entry point. Being ended, or losing the terminal, is an interrupt: what is open is closed, and told."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    sys.exit(code)


def _flush(stream: TextIO | None) -> None:
    """Write what is left; where nobody takes it, let it go: else Python itself ends with a code of its own, 120."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
