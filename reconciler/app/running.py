"""Run the engine to its end in one process: the loop, the client, and what Ctrl-C does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from reconciler.app.asking import Asking, asker
from reconciler.engine import Commit, Run, Settled, Task, carry_out
from reconciler.plans import Outcome

STOPPING = "Stopping: what is in flight is finished. Ctrl-C again stops at once."


class Watcher(Protocol):
    """Who is told of the progress."""

    def begin(self, total: int) -> None:
        """So many changes will be carried out."""

    def outcome(self, outcome: Outcome) -> None:
        """One is done, and committed."""

    def tell(self, text: str) -> None:
        """One line for the person who runs it."""


def run(
    tasks: Sequence[Task],
    asking: Asking,
    commit: Commit,
    watcher: Watcher,
    *,
    sandbox: bool,
) -> Run:
    """Ask and commit. The first Ctrl-C or SIGTERM finishes what is in flight; the second stops at once."""

    async def main() -> Run:
        async with AsyncExitStack() as stack:
            ask = await asker(stack, asking, sandbox=sandbox)
            made = Run(tasks, ask, commit, watcher.outcome, asking.parallelism)
            _stop_on_signal(made, watcher.tell)
            watcher.begin(len(tasks))
            await carry_out(made)
            return made

    return asyncio.run(main())


def only_look(settled: Sequence[Settled]) -> list[Outcome]:
    """A commit that writes nothing: for runs that only want to know."""
    return [
        Outcome(s.task.change, s.result, s.task.change.expected_version, s.verdict, s.problem, s.seconds)
        for s in settled
    ]


def _stop_on_signal(made: Run, tell: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()

    def first() -> None:
        made.interrupt()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        tell(STOPPING)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, first)
