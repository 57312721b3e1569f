"""Run the engine to its end in one process: the loop, the client, and what Ctrl-C does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Protocol

from reconciler.app import leasing
from reconciler.app.asking import Asking, asker
from reconciler.app.interrupts import Interrupts, heeded
from reconciler.engine import Commit, Run, Settled, Task, carry_out
from reconciler.errors import ReconcilerError
from reconciler.model import Verdict
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
    beat: Callable[[], None] | None = None,
    whole: Commit | None = None,
    interrupts: Interrupts | None = None,
    tells: bool = False,
) -> Run:
    """Ask and commit; ``beat`` keeps the lease meanwhile; with ``whole`` all is committed by it at once, or nothing.
    What ``interrupts`` noted before is heeded.
    With ``tells``, the caller tells a bug (:attr:`Run.bug`) beside what was done until then; else it is raised.

    The first Ctrl-C, SIGTERM or SIGHUP finishes what is in flight; the second Ctrl-C or SIGTERM waits for no answer.
    """

    async def main() -> Run:
        async def ask(task: Task) -> Verdict:
            return await asks(task)

        async with AsyncExitStack() as stack:
            made = Run(tasks, ask, commit, watcher.outcome, asking.parallelism, beat=beat, whole=whole)
            made.beat_seconds = leasing.HEARTBEAT_SECONDS
            stack.enter_context(_stopped_by_signals(made, watcher.tell))
            if interrupts and interrupts.came:
                made.interrupt()
            # signals are heeded by now: to open the client takes its time
            asks = await asker(stack, asking, sandbox=sandbox)
            watcher.begin(len(tasks))
            await _carried(made, tells=tells)
            return made

    return asyncio.run(main())


async def _carried(made: Run, *, tells: bool) -> None:
    try:
        await carry_out(made)
    except ReconcilerError:
        raise
    except Exception as bug:
        if not tells:
            raise
        made.bug = bug


def only_look(settled: Sequence[Settled]) -> list[Outcome]:
    """A commit that writes nothing: for runs that only want to know."""
    return [
        Outcome(s.task.change, s.result, s.task.change.expected_version, s.verdict, s.problem, s.seconds)
        for s in settled
    ]


@contextmanager
def _stopped_by_signals(made: Run, tell: Callable[[str], None]) -> Iterator[None]:
    """While it runs, signals stop the run and not the program; one that was ignored before stays ignored."""
    loop = asyncio.get_running_loop()
    before = heeded()

    def first() -> None:
        if not made.interrupted:
            made.interrupt()
            tell(STOPPING)
        # a terminal that goes away may say so more than once: that is not impatience
        for number in before.keys() - {signal.SIGHUP}:
            loop.add_signal_handler(number, made.abort)

    for number in before:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
