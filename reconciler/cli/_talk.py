"""How ``apply`` talks while it runs: to a person with a table, and not at all on stdout otherwise."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from reconciler.cli._output import Output
from reconciler.cli._progress import Bar
from reconciler.cli._streams import tell
from reconciler.report import Report

if TYPE_CHECKING:
    from reconciler.plans import Outcome, Plan


class Conversation:
    """What apply says and asks. A reader that goes away (``| head``) ends the talk, never the run."""

    def __init__(self, output: Output, again: str) -> None:
        self.output = output
        self.again = again
        self.interactive = output.terminal.interactive
        self._people = output.format == "table"
        self._shown: Report | None = None
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def plan(self, report: Report) -> None:
        """Show it; in a format for programs, only if a person is asked about it."""
        if self._people:
            self._say(self._page(report))
        else:
            self._shown = report

    def _page(self, report: Report) -> str:
        from reconciler.render.table import plan_page

        return plan_page(report, self.output.terminal.width, colour=self.output.terminal.colour)

    def confirm(self, question: str) -> bool:
        """Ask on stderr; only the literal word yes will do, and nothing where the question could not be put."""
        from reconciler.render.rows import safe

        shown = self._page(self._shown) if self._shown else ""
        try:
            click.echo(f"{shown}\n{safe(question)} Only 'yes' will be accepted: ", nl=False, err=True)
        except OSError:
            return False
        return sys.stdin is not None and sys.stdin.readline().strip() == "yes"

    def asking(self, plan: Plan) -> None:
        """The work begins."""
        from reconciler.render.rows import count

        asked = [change.provider for change in plan.changes if change.asks and not change.unresolved]
        if not plan.effective:
            return
        lacking = sum(1 for change in plan.changes if change.asks and change.unresolved)
        rest = len(plan.effective) - len(asked) - lacking
        whom = f"{count(len(set(asked)), 'provider')} about {count(len(asked), 'credential')}" if asked else "nobody"
        need = f"; {count(rest, 'change')} asked of nobody" if rest and asked else ""
        need += f"; {count(lacking, 'credential')} without a secret here" if lacking else ""
        self._say(f"\nAsking {whom}{need}. Ctrl-C finishes what is in flight.\n\n")

    def begin(self, total: int) -> None:
        """A person gets a bar below the outcomes' lines; a log gets the lines alone."""
        if self.interactive and total:
            self._bar = Bar(total, colour=self.output.terminal.colour, err=not self._people)

    def outcome(self, outcome: Outcome) -> None:
        """One change is done and committed."""
        from reconciler.render.table import outcome_page

        self._say(outcome_page(outcome, self.output.terminal.width, colour=self.output.terminal.colour))
        if self._bar:
            self._bar.advance()

    def tell(self, text: str) -> None:
        """One line for the person who runs it."""
        from reconciler.render.rows import safe

        text = safe(text)
        if self._bar:
            self._bar.above(text)
        else:
            tell(text)

    def _say(self, text: str) -> None:
        if not self._people:
            return
        if self._bar:
            self._bar.above(text)
        else:
            self.output.say(text)
