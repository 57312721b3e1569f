"""Ask the providers at once, bounded; settle each verdict; commit in small batches; announce after the commit.

Catches :class:`ReconcilerError` only. Anything else is a bug: it propagates, after what was settled is committed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from reconciler import verdicts
from reconciler.errors import NotAsked, ReconcilerError, unforeseen
from reconciler.model import Problem, Result, Verdict
from reconciler.plans import Change, Outcome
from reconciler.secret import Secret

BATCH = 50
"""Settled changes that one transaction carries at most, where it is not all or nothing."""
SPOILS = frozenset({Result.REJECTED, Result.FAILED})
"""Results of which one is enough for an all-or-nothing run to store nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """One change to carry out, with the secrets that asking and sealing need."""

    change: Change
    secrets: Mapping[str, Secret]
    why: Mapping[str, str] = field(default_factory=dict)
    """Of each secret key without a value here, why there is none."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One change with its verdict, not yet committed."""

    task: Task
    result: Result
    verdict: Verdict | None = None
    problem: Problem | None = None
    seconds: float = 0.0


Ask = Callable[[Task], Awaitable[Verdict]]
Commit = Callable[[Sequence[Settled]], Sequence[Outcome]]
"""Writes a batch in one transaction; blocks; runs in one thread at a time."""


@dataclass
class Run:
    """One run of the engine: what it was given, and what has come of it so far."""

    tasks: Sequence[Task]
    ask: Ask
    commit: Commit
    announce: Callable[[Outcome], None]
    parallelism: int
    stopped: bool = False
    """Nothing new is asked; what is in flight is finished and committed."""
    interrupted: bool = False
    """Whether a person stopped it."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    error: ReconcilerError | None = None
    bug: Exception | None = None
    """What nobody foresaw, where whoever runs it tells it beside what was done."""
    beat: Callable[[], None] | None = None
    """Keeps the lease while nothing is committed; runs in the thread that commits."""
    beat_seconds: float = 15.0
    asking: list[asyncio.Task[None]] = field(default_factory=list)
    whole: Commit | None = None
    """Where it is all or nothing (``--atomic``): writes everything in one transaction, or none of it."""

    def interrupt(self) -> None:
        """Stop because a person wants it."""
        self.interrupted = self.stopped = True

    def abort(self) -> None:
        """Stop at once: nobody waits for an answer any more. What was answered before is committed."""
        self.interrupt()
        for task in self.asking:
            task.cancel()

    def results(self) -> tuple[Outcome, ...]:
        """One outcome for each task, in plan order; those never finished are ``skipped``."""
        return tuple(
            self.outcomes.get(t.change.name) or Outcome(t.change, Result.SKIPPED, t.change.expected_version)
            for t in self.tasks
        )


async def carry_out(run: Run) -> None:
    """Carry out every task, or stop early where ``run.stopped`` is set; ``run.outcomes`` has what was done."""
    waiting = iter(run.tasks)
    settled: asyncio.Queue[Settled | None] = asyncio.Queue()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="store") as thread:
        heart = asyncio.create_task(_keep_lease(run, thread))
        commit_all = _commit_whole if run.whole else _commit_all
        committer = asyncio.create_task(commit_all(run, settled, thread))
        run.asking = [
            asyncio.create_task(_work(run, waiting, settled)) for _ in range(min(run.parallelism, len(run.tasks)))
        ]
        ended = await asyncio.gather(*run.asking, return_exceptions=True)
        await settled.put(None)
        try:
            await committer
        except Exception as bug:
            left = [item for item in _drained(settled) if item]
            run.outcomes.update({o.change.name: o for o in _unwritten(left, unforeseen(bug))})
            raise
        finally:
            heart.cancel()
            ended += await asyncio.gather(heart, return_exceptions=True)
    for exception in ended:
        if exception is not None and not isinstance(exception, asyncio.CancelledError):
            raise exception


def _drained(settled: asyncio.Queue[Settled | None]) -> Iterator[Settled | None]:
    while not settled.empty():
        yield settled.get_nowait()


async def _keep_lease(run: Run, thread: ThreadPoolExecutor) -> None:
    """Renew the lease until the end. Once it is lost, nothing new is asked or written."""
    try:
        while run.beat and not run.error:
            await asyncio.get_running_loop().run_in_executor(thread, run.beat)
            await asyncio.sleep(run.beat_seconds)
    except ReconcilerError as error:
        run.error = run.error or error
        run.stopped = True
    except Exception:
        run.stopped = True
        raise


async def _work(run: Run, waiting: Iterator[Task], settled: asyncio.Queue[Settled | None]) -> None:
    try:
        for task in waiting:
            if run.stopped:
                return
            try:
                one = await _settle(run, task)
            except Exception as bug:
                change = task.change
                run.outcomes[change.name] = Outcome(
                    change, Result.FAILED, change.expected_version, problem=unforeseen(bug)
                )
                raise
            if run.whole and one.result in SPOILS:
                run.stopped = True
            await settled.put(one)
    except BaseException:
        run.stopped = True
        raise


async def _settle(run: Run, task: Task) -> Settled:
    change = task.change
    started = time.monotonic()
    if change.unresolved:
        key, code = next(iter(change.unresolved.items()))
        return Settled(task, Result.FAILED, problem=unresolved_problem(task, key, code))
    if not change.asks:
        return Settled(task, verdicts.settle(change, None))
    try:
        verdict = await run.ask(task)
    except NotAsked as problem:
        verdict = problem.verdict()
    except SystemExit as ended:
        # asyncio would end the loop with everything that is in flight: a plug-in's own exit is a bug like any other
        raise RuntimeError("a provider ended the program") from ended
    except ReconcilerError as error:
        return Settled(task, Result.FAILED, problem=error.problem(), seconds=time.monotonic() - started)
    return Settled(task, verdicts.settle(change, verdict), verdict, seconds=time.monotonic() - started)


def unresolved_problem(task: Task, key: str, code: str) -> Problem:
    """Why a change cannot be asked about: a reference that gives nothing usable on this machine."""
    change, error = task.change, ReconcilerError(code)
    reference = change.credential.declared.references[key] if change.credential else ""
    return Problem(
        code=code,
        summary=error.code.summary,
        place=change.credential.place(key) if change.credential else None,
        subject=f"{change.name}.{key}",
        detail=": ".join(part for part in (reference, task.why.get(key, "")) if part),
        hint=error.hint,
    )


async def _commit_all(run: Run, settled: asyncio.Queue[Settled | None], thread: ThreadPoolExecutor) -> None:
    """Commit what settles, until nothing more comes. Once the store fails, nothing new is asked or written."""
    more = True
    while more:
        batch, more = await _batch(settled)
        if not batch:
            continue
        try:
            _tell(run, await _commit(run, run.commit, batch, thread))
        except BaseException:
            run.stopped = True
            raise


async def _commit_whole(run: Run, settled: asyncio.Queue[Settled | None], thread: ThreadPoolExecutor) -> None:
    """Commit everything at the end, or, where one spoils it or some never settled, only what became of those."""
    gathered: list[Settled] = []
    while (item := await settled.get()) is not None:
        gathered.append(item)
    spoiling = [item for item in gathered if item.result in SPOILS]
    if run.whole and not spoiling and len(gathered) == len(run.tasks):
        _tell(run, await _commit(run, run.whole, gathered, thread))
        return
    if spoiling:
        _tell(run, await _commit(run, run.commit, spoiling, thread))
    _tell(run, [held_back(item) for item in gathered if item.result not in SPOILS])


def held_back(item: Settled) -> Outcome:
    """What was fine itself, and is not stored because it is all or nothing: accepted, where somebody was asked."""
    change = item.task.change
    result = Result.ACCEPTED if item.verdict else Result.SKIPPED
    return Outcome(change, result, change.expected_version, item.verdict, item.problem, item.seconds)


def _tell(run: Run, outcomes: Sequence[Outcome]) -> None:
    run.outcomes.update({outcome.change.name: outcome for outcome in outcomes})
    for outcome in outcomes:
        run.announce(outcome)


async def _commit(run: Run, commit: Commit, batch: Sequence[Settled], thread: ThreadPoolExecutor) -> Sequence[Outcome]:
    if run.error:
        return _unwritten(batch, run.error.problem())
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, commit, batch)
    except ReconcilerError as error:
        run.error = error
        run.stopped = True
        return _unwritten(batch, error.problem())
    except Exception as bug:
        run.outcomes.update({o.change.name: o for o in _unwritten(batch, unforeseen(bug))})
        raise


def _unwritten(batch: Sequence[Settled], why: Problem) -> list[Outcome]:
    """What was asked, and could not be stored: nothing of it is."""
    return [
        Outcome(s.task.change, Result.FAILED, s.task.change.expected_version, s.verdict, why, s.seconds) for s in batch
    ]


async def _batch(settled: asyncio.Queue[Settled | None]) -> tuple[list[Settled], bool]:
    """What has settled by now, and whether more may come. While one batch is committed, the next one gathers."""
    batch: list[Settled] = []
    item = await settled.get()
    while item is not None:
        batch.append(item)
        if len(batch) == BATCH or settled.empty():
            return batch, True
        item = settled.get_nowait()
    return batch, False
