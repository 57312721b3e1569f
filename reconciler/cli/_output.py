"""From a report to stdout, stderr and the exit code: the one way out of every command."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import click

from reconciler import logs
from reconciler.cli._failure import failed, tell_bug
from reconciler.cli._options import output_options
from reconciler.cli._reports import Target, write
from reconciler.cli._streams import out, tell
from reconciler.cli._typed import typed
from reconciler.codes import CODES
from reconciler.collector import collector_off
from reconciler.context import WIDTH_WITHOUT_TERMINAL, Terminal, now
from reconciler.errors import ManifestInvalid, ReconcilerError
from reconciler.model import Problem
from reconciler.report import Report, exit_code, unwritten


@dataclass(frozen=True, slots=True)
class Output:
    """How a command speaks."""

    format: str
    terminal: Terminal
    reports: tuple[Target, ...] = ()
    """What ``--report`` asks for beside stdout."""
    cut: list[str] = field(default_factory=list)
    """Why stdout does not hold all that was to be there; empty where it does, or where nobody reads it."""

    def text(self, report: Report) -> str:
        from reconciler.render import render

        return render(self.format, report, width=self.terminal.width, colour=self.terminal.colour, now=now())

    def save(self, report: Report, *, again: bool = False) -> Report:
        """Write the files; what could not be written is told by the report that comes back."""
        from reconciler.render import for_file

        return write(self.reports, report, lambda name, one: for_file(name, one, now=now()), again=again)

    def say(self, text: str) -> None:
        """A part of the product, to stdout."""
        if why := out(text):
            self.cut.append(why)

    def emit(self, report: Report) -> None:
        """stdout carries the product; a run that only failed has none, so people read why on stderr."""
        product = report.plan or report.rows or report.checkups or report.entries or report.facts
        only_failed = bool(report.errors) and report.command != "validate" and not product
        if self.format == "table" and only_failed:
            out(self.text(report), err=True)
        else:
            self.say(self.text(report))

    def end(self, report: Report) -> int:
        """Emit it; the exit code. A product that was cut off is told where it can be: stderr, and the files."""
        self.emit(report)
        if report.bug:
            tell_bug(report.bug)
        if self.cut:
            report = unwritten(report, self.cut[0])
            out(problem_page(report.problems[-1]), err=True)
            self.save(report, again=True)
        return exit_code(report)


def problem_page(problem: Problem) -> str:
    """One problem alone, as people read it."""
    from reconciler.render import render

    return render("table", Report("", problems=(problem,)), width=WIDTH_WITHOUT_TERMINAL, colour=False, now="")


def reporting(name: str, *, brief: bool = False) -> Callable[[Callable[..., Report]], Callable[..., int]]:
    """Make a function that returns a report into a command's body: it renders, and gives the exit code.

    ``brief``: it reads, tells and ends, so nothing it makes is garbage before its end.
    """

    def decorate(function: Callable[..., Report]) -> Callable[..., int]:
        @output_options
        @functools.wraps(function)
        def call(
            *, format_: str, no_color: bool, reports: tuple[Target, ...], log_level: str | None, log_format: str,
            **given: Any,
        ) -> int:  # fmt: skip
            if log_level:
                logs.configure(log_level, log_format, sys.stderr)
            output = Output(format_, Terminal.detect(os.environ, no_color=no_color), reports)
            click.get_current_context().obj = output
            with collector_off() if brief else nullcontext():
                report = output.save(made(name, output, lambda: function(**given)))
                return output.end(report)

        return call

    return decorate


def made(name: str, output: Output, function: Callable[[], Report]) -> Report:
    """The function's report, or that of its failure. A bug passes, when the files that were asked for tell it."""
    try:
        return typed().report(function())
    except ManifestInvalid as invalid:
        return Report(name, problems=invalid.problems)
    except ReconcilerError as error:
        return typed().report(Report(name, problems=(told(name, error),)))
    except KeyboardInterrupt as error:
        output.save(failed(name, error))
        # click would first write to a terminal that may be gone
        raise click.Abort from None
    except Exception as error:
        if isinstance(error, click.ClickException):
            typed().hide(error)
        # a file from an earlier run must not be taken for this one's
        output.save(failed(name, error))
        raise


def told(name: str, error: ReconcilerError) -> Problem:
    """What the user is told; of a command line that is not understood, with this command's own help."""
    problem = error.problem()
    general = problem.code == "usage" and problem.hint == CODES["usage"].hint
    return replace(problem, hint=f"reconciler {name} --help") if general else problem


def complain(name: str, error: ReconcilerError) -> int:
    """Tell a failure on stderr, for a command whose stdout is a thing of its own; gives the exit code."""
    from reconciler.render.rows import safe

    report = typed().report(Report(name, problems=(told(name, error),)))
    (problem,) = report.problems
    said = f"{problem.summary}: {problem.detail}" if problem.detail else problem.summary
    tell(f"error[{problem.code}]: {safe(said)}\n  do   {safe(problem.hint)}")
    return exit_code(report)


def current() -> Output:
    """How the command that runs speaks."""
    output = click.get_current_context().obj
    if not isinstance(output, Output):
        raise TypeError("no command of ours runs")
    return output
