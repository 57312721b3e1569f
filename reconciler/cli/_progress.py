"""What a person sees while providers are asked: a bar on a terminal, a plain line for each answer elsewhere."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from reconciler.cli._output import tell
from reconciler.context import Terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from reconciler.plans import Outcome


class Watch:
    """The progress of one run, on stderr."""

    def __init__(self, terminal: Terminal) -> None:
        self._live = terminal.interactive
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            # a terminal that went away is no reason to lose the report
            with suppress(OSError):
                self._bar.stop()

    def begin(self, total: int) -> None:
        """So many credentials will be asked about."""
        if self._live and total:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("Asking", total=total)
            self._bar.start()

    def outcome(self, outcome: Outcome) -> None:
        """One answer is in."""
        if self._bar and self._task is not None:
            self._bar.advance(self._task)
        elif not self._live:
            said = outcome.verdict.code if outcome.verdict else outcome.problem.code if outcome.problem else ""
            tell(f"asked {outcome.change.provider} about {outcome.change.name}: {said}")

    def tell(self, text: str) -> None:
        """One line for the person who runs it."""
        tell(text)
