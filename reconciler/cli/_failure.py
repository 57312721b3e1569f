"""A run that ended in an exception, as a report: for programs that read stdout whatever happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli._streams import out, tell

if TYPE_CHECKING:
    from reconciler.report import Report


def wants_json(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether the command line, else the environment, asks for JSON: read plainly, since parsing may have failed."""
    if list(arguments[:1]) == ["export"]:
        # its --format is about the file, which nothing else may be taken for
        return False
    wanted = environ.get("RECONCILER_FORMAT", "")
    words = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == "--format":
            wanted = following
        elif word.startswith("--format="):
            wanted = word.partition("=")[2]
        elif word == "--json" and words[0] == "version":
            wanted = "json"
    return wanted == "json"


def print_json(command: str, error: BaseException) -> int:
    """The report of a failure on stdout, and its exit code."""
    from reconciler.render import render
    from reconciler.report import exit_code, unwritten

    report = failed(command, error)
    if why := out(render("json", report, width=0, colour=False, now="")):
        report = unwritten(report, why)
        tell(f"error[not-written]: {report.problems[-1].detail}")
    return exit_code(report)


def failed(command: str, error: BaseException) -> Report:
    """What is known of a failure. Of a bug never the message or a value, which could hold a secret."""
    from reconciler.codes import CODES
    from reconciler.errors import unforeseen
    from reconciler.model import Problem
    from reconciler.report import Report

    problem = unforeseen(error)
    if isinstance(error, click.ClickException):
        code = CODES["usage"]
        problem = Problem(code.name, code.summary, detail=error.format_message(), hint=code.hint)
    elif isinstance(error, click.Abort | KeyboardInterrupt):
        code = CODES["interrupted"]
        problem = Problem(code.name, code.summary, hint=code.hint)
    return Report(command, problems=(problem,))


def tell_bug(error: BaseException) -> None:
    """On stderr, to be pasted: where it happened, never the message or the values, which could hold a secret."""
    import platform
    import traceback

    lines = [
        "error[bug]: this is a bug in reconciler; please report it with these lines",
        f"  reconciler {__version__}, Python {platform.python_version()}, {platform.system()}",
        f"  {type(error).__module__}.{type(error).__qualname__}",
    ]
    frames = traceback.extract_tb(error.__traceback__)
    lines += [f"  {f.filename.rpartition('/site-packages/')[2]}:{f.lineno} {f.name}" for f in frames]
    with suppress(OSError):
        click.echo("\n".join(lines), err=True)
