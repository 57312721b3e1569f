"""The engine: bounded asking, batches, one outcome for each task, and what happens when something breaks."""

from __future__ import annotations

import asyncio

import pytest
from builders import credential, verdict

from reconciler.engine import BATCH, Run, Settled, Task, carry_out
from reconciler.errors import NotAsked, StoreError
from reconciler.model import Action, Answer, Result, SecretState
from reconciler.plans import Change, Outcome


def task(name, *, asks=True, unresolved=None) -> Task:
    secrets = {"auth_token": SecretState.NEW}
    return Task(
        Change(Action.CREATE, name, "twilio", ("new",), credential=credential(name), asks=asks, secrets=secrets,
               unresolved=unresolved or {}),
        {},
    )  # fmt: skip


class Book:
    """Stands for the store: remembers batches."""

    def __init__(self, fail_after: int = 10**9) -> None:
        self.batches: list[list[str]] = []
        self.fail_after = fail_after

    def commit(self, settled: list[Settled]) -> list[Outcome]:
        if sum(map(len, self.batches)) >= self.fail_after:
            raise StoreError("store-unreachable", "disk full")
        self.batches.append([s.task.change.name for s in settled])
        return [Outcome(s.task.change, s.result, 1, s.verdict, s.problem) for s in settled]


def go(tasks, ask=None, *, book=None, parallelism=4, announced=None):
    async def accept(_task):
        return verdict(Answer.VALID)

    run = Run(
        tasks,
        ask or accept,
        (book or Book()).commit,
        (announced or []).append if announced is not None else lambda _: None,
        parallelism,
    )
    asyncio.run(carry_out(run))
    return run


def test_every_task_has_one_outcome_in_plan_order():
    names = [f"n{i}" for i in range(130)]
    run = go([task(n) for n in names])
    assert [o.change.name for o in run.results()] == names
    assert {o.result for o in run.results()} == {Result.CREATED}


def test_no_batch_is_larger_than_documented():
    book = Book()
    go([task(f"n{i}", asks=False) for i in range(200)], book=book, parallelism=1)
    assert max(map(len, book.batches)) <= BATCH
    assert sum(map(len, book.batches)) == 200


def test_no_more_than_parallelism_are_asked_at_once():
    now = most = 0

    async def ask(_task):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1
        return verdict(Answer.VALID)

    go([task(f"n{i}") for i in range(40)], ask, parallelism=3)
    assert most == 3


def test_what_could_not_be_asked_is_failed_with_the_code_why():
    async def ask(_task):
        raise NotAsked("timed-out", "3 attempts", asked="GET https://api.twilio.com/")

    (outcome,) = go([task("a")], ask).results()
    assert (outcome.result, outcome.verdict.code, outcome.verdict.answer) == (
        Result.FAILED,
        "timed-out",
        Answer.UNKNOWN,
    )


def test_a_missing_secret_fails_its_credential_without_asking():
    asked = []

    async def ask(t):
        asked.append(t.change.name)
        return verdict(Answer.VALID)

    run = go([task("a", unresolved={"auth_token": "secret-missing"}), task("b")], ask)
    first, second = run.results()
    assert asked == ["b"]
    assert (first.result, first.problem.code, first.problem.detail) == (Result.FAILED, "secret-missing", "env://T")
    assert str(first.problem.place) == "credentials.yaml:6:17"
    assert second.result is Result.CREATED


def test_outcomes_are_announced_after_their_commit():
    book, order = Book(), []
    original = book.commit

    def commit(settled):
        done = original(settled)
        order.append("commit")
        return done

    run = Run([task("a")], lambda _: _valid(), commit, lambda _: order.append("announce"), 1)
    asyncio.run(carry_out(run))
    assert order == ["commit", "announce"]


async def _valid():
    return verdict(Answer.VALID)


def test_a_store_that_fails_stops_the_run_and_says_what_was_asked_but_not_stored():
    async def ask(_task):
        await asyncio.sleep(0.001)
        return verdict(Answer.VALID)

    run = go([task(f"n{i}") for i in range(300)], ask, book=Book(fail_after=10), parallelism=2)
    results = [o.result for o in run.results()]
    assert run.error.code.name == "store-unreachable"
    assert set(results) == {Result.CREATED, Result.FAILED, Result.SKIPPED}
    failed = [o for o in run.results() if o.result is Result.FAILED]
    assert {o.problem.code for o in failed} == {"store-unreachable"}
    assert results.count(Result.SKIPPED) > 200


@pytest.mark.parametrize("where", ["commit", "announce"])
def test_a_bug_while_committing_or_announcing_stops_the_asking(where):
    asked = []

    async def ask(t):
        asked.append(t.change.name)
        await asyncio.sleep(0)
        return verdict(Answer.VALID)

    def broken(_):
        raise KeyError("a bug")

    book = Book()
    commit, announce = (broken, lambda _: None) if where == "commit" else (book.commit, broken)
    run = Run([task(f"n{i}") for i in range(500)], ask, commit, announce, 4)
    with pytest.raises(KeyError):
        asyncio.run(carry_out(run))
    assert len(asked) < 100


def test_an_interrupt_finishes_what_is_in_flight_and_asks_nothing_new():
    started = []

    async def ask(t):
        started.append(t.change.name)
        if len(started) == 2:
            run.interrupt()
        await asyncio.sleep(0.001)
        return verdict(Answer.VALID)

    book = Book()
    run = Run([task(f"n{i}") for i in range(20)], ask, book.commit, lambda _: None, 2)
    asyncio.run(carry_out(run))
    done = [o for o in run.results() if o.result is Result.CREATED]
    assert [o.change.name for o in done] == started == ["n0", "n1"]
    assert run.interrupted


def test_a_bug_propagates_after_what_was_settled_is_committed():
    async def ask(t):
        if t.change.name == "n3":
            raise AssertionError("a bug")
        return verdict(Answer.VALID)

    book = Book()
    run = Run([task(f"n{i}") for i in range(8)], ask, book.commit, lambda _: None, 1)
    with pytest.raises(AssertionError, match="a bug"):
        asyncio.run(carry_out(run))
    assert [name for batch in book.batches for name in batch] == ["n0", "n1", "n2"]


def beating(beat, *, asks=20, book=None):
    """A run whose provider lets others have their turn, with a heartbeat that never waits."""

    async def ask(_task):
        await asyncio.sleep(0.002)
        return verdict(Answer.VALID)

    run = Run([task(f"n{i}") for i in range(asks)], ask, (book or Book()).commit, lambda _: None, 1, beat=beat)
    run.beat_seconds = 0
    asyncio.run(carry_out(run))
    return run


def test_the_lease_is_kept_while_a_provider_is_slow():
    beats = []
    run = beating(lambda: beats.append("beat"))
    assert len(beats) > 5
    assert {o.result for o in run.results()} == {Result.CREATED}


def test_a_lease_that_is_lost_meanwhile_stops_the_asking_and_the_writing():
    book, beats = Book(), []

    def beat():
        beats.append(1)
        if len(beats) == 2:
            raise StoreError("lease-lost", "tom has it")

    run = beating(beat, asks=500, book=book)
    assert run.error.code.name == "lease-lost"
    assert len(beats) == 2
    assert sum(map(len, book.batches)) < 500
    assert Result.SKIPPED in {o.result for o in run.results()}


def test_a_bug_in_the_heartbeat_is_not_swallowed():
    def beat():
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        beating(beat)


def test_stopping_at_once_waits_for_no_answer_and_commits_what_was_answered():
    book = Book()

    async def ask(t):
        if t.change.name != "n0":
            asyncio.get_running_loop().call_soon(run.abort)
            await asyncio.Event().wait()
        return verdict(Answer.VALID)

    run = Run([task(f"n{i}") for i in range(9)], ask, book.commit, lambda _: None, 2)
    asyncio.run(carry_out(run))
    assert run.interrupted
    assert [(o.change.name, o.result) for o in run.results()][:2] == [("n0", Result.CREATED), ("n1", Result.SKIPPED)]
    assert book.batches == [["n0"]]
