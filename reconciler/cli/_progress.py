"""What a person sees while providers are asked: a bar on a terminal, a plain line for each answer elsewhere."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reconciler.cli._streams import tell
from reconciler.context import Terminal

if TYPE_CHECKING:
    from reconciler.plans import Outcome


class Bar:
    """A bar that goes away when it is stopped, with lines above it. A terminal that is gone ends it, never the run."""

    def __init__(self, total: int, *, colour: bool, err: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("Asking"), BarColumn(), MofNCompleteColumn(),
            console=Console(stderr=err, no_color=not colour, highlight=False), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=total)
        with suppress(OSError):
            self._bar.start()

    def above(self, text: str) -> None:
        """Lines that stay, as they are."""
        from rich.text import Text

        with suppress(OSError):
            self._bar.console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)

    def advance(self) -> None:
        """One more is done."""
        self._bar.advance(self._task)

    def stop(self) -> None:
        """Leave the terminal as it was."""
        with suppress(OSError):
            self._bar.stop()


class Watch:
    """The progress of one run, on stderr."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def begin(self, total: int) -> None:
        """So many credentials will be asked about."""
        if self._terminal.interactive and total:
            self._bar = Bar(total, colour=self._terminal.colour, err=True)

    def outcome(self, outcome: Outcome) -> None:
        """One answer is in."""
        if self._bar:
            self._bar.advance()
        else:
            did, found = ("asked", outcome.verdict) if outcome.verdict else ("did not ask", outcome.problem)
            tell(f"{did} {outcome.change.provider} about {outcome.change.name}: {found.code if found else ''}")

    def tell(self, text: str) -> None:
        """One line for the person who runs it."""
        if self._bar:
            self._bar.above(text)
        else:
            tell(text)
