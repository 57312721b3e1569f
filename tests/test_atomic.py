"""``apply --atomic``: all are asked first, and all are stored or none; what stopped it is told and remembered."""

from __future__ import annotations

import asyncio
import json
import re
import signal

import pytest
import storing
from builders import credential, verdict
from storing import WORKSPACE
from test_terminal import Typist, slow_sandbox

from reconciler.engine import Run, Settled, Task, carry_out
from reconciler.errors import StoreError
from reconciler.model import Action, Answer, Result, SecretState
from reconciler.plans import Change, Outcome
from reconciler.secret import Secret
from reconciler.stores.base import Delete
from reconciler.writing import Writer


@pytest.fixture
def kit(tmp_path):
    made = storing.sqlite_kit(tmp_path / "private" / "store.db")
    yield made
    made.close()


def task(name: str, action: Action = Action.CREATE, version: int = 0) -> Task:
    change = Change(action, name, "twilio", ("new",), credential=credential(name), asks=True,
                    secrets={"auth_token": SecretState.NEW}, expected_version=version)  # fmt: skip
    return Task(change, {"auth_token": Secret(storing.VALUE)})


def carried(kit, tasks, answers=None, *, parallelism=1, before_commit=lambda: None):
    """A run on a real store; ``answers``: what the provider says of a name, else that it is valid."""
    asked = []

    async def ask(one):
        asked.append(one.change.name)
        await asyncio.sleep(0)
        return verdict((answers or {}).get(one.change.name, Answer.VALID))

    lease = kit.lease()
    writer = Writer(kit.store, kit.ring, lease, storing.builders.ORIGIN, "c1-0", kit.clock, {})

    def whole(settled):
        before_commit()
        return writer.commit_whole(settled)

    run = Run(tasks, ask, writer.commit, lambda _: None, parallelism, whole=whole)
    asyncio.run(carry_out(run))
    kit.store.release(lease)
    return run, asked


def told(kit):
    return [(event.name, event.result) for _, event, _ in kit.store.events(WORKSPACE)]


def results(run):
    return {outcome.change.name: outcome.result for outcome in run.results()}


def test_all_are_stored_in_one_transaction_however_many(kit):
    run, _ = carried(kit, [task(f"n{i:03}") for i in range(130)], parallelism=16)
    assert set(results(run).values()) == {Result.CREATED}
    snapshot = kit.store.load(WORKSPACE)
    assert (len(snapshot.records), snapshot.serial) == (130, 1)
    assert kit.broken() == []


@pytest.mark.parametrize(("answer", "result"), [(Answer.REJECTED, Result.REJECTED), (Answer.UNKNOWN, Result.FAILED)])
def test_one_that_is_refused_stops_the_asking_and_the_storing(kit, answer, result):
    run, asked = carried(kit, [task(f"n{i}") for i in range(9)], {"n2": answer})
    assert asked == ["n0", "n1", "n2"]
    assert [results(run)[f"n{i}"] for i in range(4)] == [Result.ACCEPTED, Result.ACCEPTED, result, Result.SKIPPED]
    assert {results(run)[f"n{i}"] for i in range(3, 9)} == {Result.SKIPPED}
    assert [o.verdict is not None for o in run.results()] == [True] * 3 + [False] * 6
    snapshot = kit.store.load(WORKSPACE)
    assert snapshot.records == {}
    assert list(snapshot.rejections) == (["n2"] if answer is Answer.REJECTED else [])
    assert told(kit) == [("n2", str(result))]


def test_what_is_in_flight_when_it_stops_is_finished_and_told_too(kit):
    run, asked = carried(kit, [task(f"n{i}") for i in range(9)], dict.fromkeys(("n0", "n1"), Answer.REJECTED),
                         parallelism=3)  # fmt: skip
    assert asked == ["n0", "n1", "n2"]
    assert told(kit) == [("n0", "rejected"), ("n1", "rejected")]
    assert results(run)["n2"] is Result.ACCEPTED


def test_a_version_that_moved_meanwhile_stores_nothing_of_the_others(kit):
    kit.commit(kit.put("moved"))
    tasks = [task("a"), task("moved", Action.UPDATE, 7), task("z")]
    run, _ = carried(kit, tasks)
    assert results(run) == {"a": Result.ACCEPTED, "moved": Result.FAILED, "z": Result.ACCEPTED}
    assert run.outcomes["moved"].problem.code == "version-moved"
    assert {name: r.version for name, r in kit.store.load(WORKSPACE).records.items()} == {"moved": 1}
    assert told(kit)[1:] == [("moved", "failed")]
    assert kit.broken() == []


def test_what_is_stored_is_told_as_stored_though_the_store_goes_away_before_the_log_of_another(kit, monkeypatch):
    kit.commit(kit.put("moved"))
    commit, calls = kit.store.commit, []

    def away(lease, writes, mac, **named):
        calls.append(1)
        if len(calls) > 1:
            raise StoreError("store-unreachable", "gone")
        return commit(lease, writes, mac, **named)

    writer = Writer(kit.store, kit.ring, kit.lease(), storing.builders.ORIGIN, "c1-0", kit.clock, {})
    monkeypatch.setattr(kit.store, "commit", away)
    settled = [Settled(task(name, action, version), Result.CREATED, verdict(Answer.VALID))
               for name, action, version in (("a", Action.CREATE, 0), ("moved", Action.UPDATE, 7))]  # fmt: skip
    told = {outcome.change.name: outcome for outcome in writer.commit(settled)}
    assert (told["a"].result, told["a"].version, told["a"].problem) == (Result.CREATED, 1, None)
    assert (told["moved"].result, told["moved"].problem.code) == (Result.FAILED, "store-unreachable")
    assert set(kit.store.load(WORKSPACE).records) == {"a", "moved"}


def test_a_lease_that_is_lost_before_the_end_stores_nothing(kit):
    def take():
        kit.clock.forward(seconds=61)
        kit.another().acquire(WORKSPACE, storing.TOM, 60)

    run, _ = carried(kit, [task("a"), task("b")], before_commit=take)
    assert run.error.code.name == "lease-lost"
    assert set(results(run).values()) == {Result.FAILED}
    assert kit.store.load(WORKSPACE).records == {}


def test_the_lease_counts_from_the_end_of_the_transaction(kit):
    lease = kit.lease()
    put, clock = kit.put("a"), kit.clock

    def mac(message):
        clock.forward(seconds=50)
        return kit.ring.mac(WORKSPACE)(message)

    assert kit.store.commit(lease, [put], mac, whole=True) == [True]
    assert not kit.store.held(WORKSPACE).expired
    clock.forward(seconds=59)
    assert not kit.store.held(WORKSPACE).expired


def test_the_store_takes_all_or_nothing(kit):
    kit.commit(kit.put("a"), kit.put("b"))
    lease, before = kit.lease(), kit.store.head(WORKSPACE)
    gone = Delete(9, storing.event("b", Action.DELETE, Result.DELETED))
    writes = [kit.put("c"), gone, storing.tell("a")]
    assert kit.store.commit(lease, writes, kit.ring.mac(WORKSPACE), whole=True) == [True, False, True]
    assert (set(kit.store.load(WORKSPACE).records), kit.store.head(WORKSPACE)) == ({"a", "b"}, before)
    assert kit.store.commit(lease, writes, kit.ring.mac(WORKSPACE)) == [True, False, True]
    assert set(kit.store.load(WORKSPACE).records) == {"a", "b", "c"}


def test_a_store_that_fails_at_the_end_is_told_of_each(kit):
    async def ask(_):
        return verdict(Answer.VALID)

    def broken(_):
        raise StoreError("store-unreachable", "disk full")

    run = Run([task("a"), task("b")], ask, broken, lambda _: None, 2, whole=broken)
    asyncio.run(carry_out(run))
    assert [(o.result, o.problem.code) for o in run.results()] == [(Result.FAILED, "store-unreachable")] * 2


def test_an_interrupt_stores_nothing(kit):
    done: list[Outcome] = []

    async def ask(one):
        if one.change.name == "b":
            run.interrupt()
        return verdict(Answer.VALID)

    def never(_):
        raise AssertionError("nothing is to be written")

    run = Run([task("a"), task("b"), task("c")], ask, never, done.append, 1, whole=never)
    asyncio.run(carry_out(run))
    assert results(run) == {"a": Result.ACCEPTED, "b": Result.ACCEPTED, "c": Result.SKIPPED}


def test_what_nobody_is_asked_about_is_not_attempted_where_another_one_stops_it(kit):
    kit.commit(kit.put("gone"))
    unasked = Task(Change(Action.DELETE, "gone", "twilio", ("undeclared",), expected_version=1), {})
    run, _ = carried(kit, [unasked, task("n1")], {"n1": Answer.REJECTED})
    assert results(run) == {"gone": Result.SKIPPED, "n1": Result.REJECTED}
    assert set(kit.store.load(WORKSPACE).records) == {"gone"}


# through the command line


def test_the_report_says_which_one_stopped_it_in_every_format(project):
    project.right_secrets()
    project.env["TWILIO_AUTH_TOKEN"] = "0" * 32
    done = project.sandbox("apply", "--yes", "--atomic", "--parallelism", "1", "--report", "json=r.json",
                           "--report", "markdown=r.md", "--report", "github=r.txt", env={"COLUMNS": "160"})  # fmt: skip
    assert done.code == 3
    assert "error[atomic-stopped]: nothing was stored: with --atomic it is all or nothing" in done.out
    for text in (done.out, *((project.path / name).read_text() for name in ("r.json", "r.md", "r.txt"))):
        assert "stopped by marketing-us" in text
    assert "0 created" in done.out
    texts = {name: (project.path / name).read_text() for name in ("r.json", "r.md", "r.txt")}
    assert {o["name"]: o["result"] for o in json.loads(texts["r.json"])["outcomes"]} == {
        "alerts-eu": "accepted",
        "marketing-us": "rejected",
        "otp-apac": "skipped",
    }
    for text in (done.out, texts["r.md"], texts["r.txt"]):
        assert re.search(r"alerts-eu.*accepted, not stored|accepted, not stored: alerts-eu", text), text
        assert re.search(r"otp-apac.*not attempted|[Nn]ot attempted: otp-apac", text), text
        assert "1 accepted (not stored), 1 not attempted" in text
    listed = project.sandbox("list", "-w", "production", "--format", "json").json["credentials"]
    assert [(c["name"], c["ready"]) for c in listed] == [("marketing-us", False)]
    project.right_secrets()
    assert project.sandbox("apply", "--yes", env={"RECONCILER_ATOMIC": "1"}).code == 0
    assert project.sandbox("history", "--format", "json").json["total"] == 4


def test_an_interrupted_run_says_that_nothing_is_stored(project):
    project.right_secrets()
    with slow_sandbox(project, 0.8) as origin:
        urls = [f"--sandbox-url={name}={origin}" for name in ("twilio", "sinch", "infobip")]
        person = Typist(project, "apply", "--yes", "--atomic", "--parallelism", "1", *urls)
        person.read_until("0/3")
        person.process.send_signal(signal.SIGINT)
        assert person.end() == 130
    assert "Interrupted: nothing is stored" in person.seen
    assert project.sandbox("list", "-w", "production", "--format", "json").json["total"] == 0
