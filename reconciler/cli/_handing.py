"""Commands whose stdout belongs to what they hand out: their report goes to stderr, and is written before it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import click

from reconciler import logs
from reconciler.cli import _options as opt
from reconciler.cli._output import Output, complain, made, problem_page
from reconciler.cli._reports import Target
from reconciler.cli._streams import forget, out, reader_gone
from reconciler.context import Terminal
from reconciler.errors import ReconcilerError
from reconciler.report import Report, exit_code


@dataclass(frozen=True, slots=True)
class Handed:
    """What a command has to say, and what it hands out when that is said."""

    report: Report
    give: Callable[[], object]
    """Raises ReconcilerError where it cannot be handed out."""


def handing(name: str, *, own_format: bool = False) -> Callable[[Callable[..., Handed]], Callable[..., int]]:
    """Make a function that prepares a value into a command's body: report to stderr, value to stdout, exit code.

    Where it fails nothing is handed out, and the report goes where every command's goes; with ``own_format``, a
    ``--format`` that chooses what is handed out, to stderr.
    """

    def decorate(function: Callable[..., Handed]) -> Callable[..., int]:
        @(opt.output_options_but_format if own_format else opt.output_options)
        @functools.wraps(function)
        def call(
            *, no_color: bool, reports: tuple[Target, ...], log_level: str | None, log_format: str,
            format_: str = "table", **given: Any,
        ) -> int:  # fmt: skip
            if log_level:
                logs.configure(log_level, log_format, sys.stderr)
            output = Output(format_, Terminal.detect(os.environ, no_color=no_color), reports)
            click.get_current_context().obj = output
            return _hand(name, output, lambda: function(**given))

        return call

    return decorate


def _hand(name: str, output: Output, function: Callable[[], Handed]) -> int:
    prepared: list[Handed] = []

    def prepare() -> Report:
        prepared.append(function())
        return prepared[0].report

    report = output.save(made(name, output, prepare))
    if not prepared or report.errors:
        return output.end(report)
    out(output.text(report), err=True)
    try:
        prepared[0].give()
    except ReconcilerError as error:
        report = output.save(replace(report, problems=(*report.problems, error.problem())), again=True)
        out(problem_page(error.problem()), err=True)
    return exit_code(report)


def write(text: str) -> bool:
    """The value to stdout, as its bytes; False where nobody reads any more.

    Raises ReconcilerError ``not-written``: a part of a secret is no secret.
    """
    if sys.stdout is None:
        raise ReconcilerError("not-written", "stdout is closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except OSError as error:
        gone = reader_gone(error, sys.stdout)
        forget(sys.stdout)
        if not gone:
            raise ReconcilerError("not-written", f"stdout: {error.strerror}") from None
        return False
    return True


def only_giving(name: str, give: Callable[[], object]) -> int:
    """The exit code of a command that has no report, only what it hands out; a failure is told on stderr."""
    try:
        give()
    except ReconcilerError as error:
        return complain(name, error)
    return 0
