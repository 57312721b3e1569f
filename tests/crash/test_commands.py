"""All commands that write, each killed at every point by name: old or new, and run again it comes to the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from disturb import Ended, Job, disturbed, job, nothing_wrong
from driver import STORE_CALLS
from scene import AFTER, APPLY, BEFORE, Scene, State

ACCEPTED = {name: entry for name, entry in AFTER.items() if name != "refused"} | {"spoilt": BEFORE["spoilt"]}
"""The same without what a provider refuses."""
SANDBOX = ("--sandbox", "--lock-timeout", "30s")
DELETES = ("--prune", "--max-deletes", "5")


class Maker:
    """Makes each workspace once, when it is first asked for."""

    def __init__(self, driver, folder, refusing) -> None:
        self.driver, self.folder, self.refusing = driver, folder, refusing
        self.made: dict[str, Job] = {}

    def __call__(self, name: str) -> Job:
        if name not in self.made:
            self.made[name] = getattr(self, name.replace(" ", "_"))(self.folder / name)
        return self.made[name]

    def ran(self, scene: Scene, *line: str, code: int = 0, **fault) -> Scene:
        assert self.driver.run(scene, *line, **fault) == code, scene.said()
        return scene

    def stored(self, root, entries=BEFORE) -> Scene:
        """These entries stored, and one of them read since, which the next write takes into the chain."""
        scene = self.ran(Scene(root / "before", {}).turn(entries), *APPLY, code=3 if "refused" in entries else 0)
        return self.ran(scene, "read", "told", "api_token", "--reveal", "--sandbox")

    def apply_atomic(self, root):
        scene = self.stored(root).turn(ACCEPTED)
        return job(self.driver, scene, root / "done", (*APPLY, "--atomic"))

    def apply_atomic_stopped(self, root):
        scene = self.stored(root).turn(AFTER)
        return job(self.driver, scene, root / "done", (*APPLY, "--atomic", "--parallelism", "1"), 3, 3)

    def apply_plan(self, root):
        scene = self.ran(self.stored(root).turn(AFTER), "plan", "--out", "plan.json", "--sandbox", *DELETES)
        line = ("apply", "plan.json", *SANDBOX, "--parallelism", "2", "--keep-old", "0d")
        return job(self.driver, scene, root / "done", line, 3, 4)

    def restore(self, root):
        # a former version that needs pages of its own: else a full disk would have room for it
        long = {"description": "long " * 400}
        scene = self.stored(root, BEFORE | {"moved": BEFORE["moved"] | long}).turn(
            ACCEPTED | {"moved": ACCEPTED["moved"] | long}
        )
        self.ran(scene, "apply", "--yes", "--only", "moved", *SANDBOX)
        line = ("restore", "moved", "--version", "1", "--yes", *SANDBOX, "--keep-old", "0d")
        return job(self.driver, scene, root / "done", line)

    def restore_deleted(self, root):
        entries = {name: entry for name, entry in BEFORE.items() if name != "gone"}
        scene = self.ran(self.stored(root).turn(entries), "apply", "--yes", *DELETES, *SANDBOX)
        return job(self.driver, scene, root / "done", ("restore", "gone", "--version", "1", "--yes", *SANDBOX))

    def cancel(self, root):
        scene = self.stored(root, AFTER)
        return job(self.driver, scene, root / "done", ("cancel", "refused", *SANDBOX), done=64)

    def check(self, root):
        scene = self.ran(self.stored(root), "check", *SANDBOX, f"--sandbox-url=sinch={self.refusing}", code=3)
        return job(self.driver, scene, root / "done", ("check", *SANDBOX))

    def lock_release(self, root):
        scene = self.ran(self.stored(root).turn(AFTER), *APPLY, code=-9, at="store commit, before#1", how="kill")
        with closing(sqlite3.connect(scene.store)) as connection:
            ((lease,),) = connection.execute("SELECT id FROM leases")
        return job(self.driver, scene, root / "done", ("lock", "release", lease, "--yes", "--sandbox"), done=5)

    def read(self, root):
        scene = self.stored(root)
        return job(self.driver, scene, root / "done", ("read", "kept", "auth_token", "--reveal", "--sandbox"))


@pytest.fixture(scope="module")
def made(driver, memory_for, refusing_server):
    return Maker(driver, memory_for("jobs"), refusing_server(401))


PASSED = {
    "apply atomic": {
        "store commit",
        "provider",
        "sql RELEASE SAVEPOINT",
        "sql INSERT INTO records",
        "sql UPDATE reads",
    },
    "apply atomic stopped": {"store commit", "provider", "sql INSERT INTO rejections"},
    "apply plan": {"store plan_run", "store kept_until", "sql INSERT INTO plans", "sql UPDATE plans"},
    "restore": {"store kept", "store events_about", "provider", "sql INSERT INTO previous", "sql DELETE FROM previous"},
    "restore deleted": {"store kept", "provider", "sql INSERT INTO records", "sql INSERT INTO secrets"},
    "cancel": {"store acquire", "sql DELETE FROM rejections", "sql INSERT INTO events", "store release"},
    "check": {"store sealed", "provider", "sql UPDATE records", "sql INSERT INTO events"},
    "lock release": {"store held", "store take_away", "sql UPDATE leases", "sql INSERT INTO events"},
    "read": {"store find", "store add_reads", "sql INSERT INTO reads"},
}
"""Some of the points that each passes: without them it would not do what it is here for."""
ONLY_READ = {"waiting_reads", "events", "strays"}
"""Calls of the store that no command makes which writes."""
ENDINGS = {0, 3, 5, 130}
"""Documented exit codes of a run that was disturbed, but not killed."""


def point(job: Job, name: str) -> str:
    """One of the times that the command comes by: half-way through its writing, else half-way through all."""
    passed = job.undisturbed.points()
    writes = [n for n, at in enumerate(passed) if at.startswith(WRITING)]
    times = job.times(name)
    inside = [at for at in times if writes[0] <= passed.index(at) <= writes[-1]] or times
    return inside[(len(inside) - 1) // 2]


WRITING = ("store commit", "store take_away", "store add_reads")


def test_every_call_that_a_store_has_is_a_point_of_some_command(made):
    passed = {at for name in PASSED for at in made(name).names}
    calls = {name.removeprefix("store ").partition(",")[0] for name in passed if name.startswith("store ")}
    assert calls | ONLY_READ == set(STORE_CALLS)
    assert not calls & ONLY_READ


def whole(name: str, job: Job, end: Ended) -> bool:
    """What holds of this command alone: all or nothing, and what its event says is so."""
    after = end.after
    if name == "lock release":
        # that it was ended, and that it says so, are one
        return job.old.held and not end.again.held and after.held == (not after.done["", "released"])
    if name == "apply atomic stopped":
        return after.records == job.old.records and after.versions == job.old.versions
    if name == "apply plan":
        return True
    return facts(after) in (facts(job.old), facts(job.new))


def facts(state: State) -> tuple[Any, ...]:
    return state.records, state.versions, state.rejections, state.answers, state.kept, state.done["", "released"]


@pytest.mark.parametrize("name", PASSED)
def test_attack_70_each_command_killed_at_each_named_point_leaves_the_store_whole_and_comes_to_its_end_again(
    made, driver, memory, name, count
):
    job = made(name)
    assert {f"{point}, before" for point in PASSED[name]} <= set(job.names)
    ends = []
    for number, of in enumerate(job.names):
        at = point(job, of)
        end = disturbed(driver, job, memory / str(number), at=at, how="kill")
        assert end.code in (-9, job.code), (at, end.said)
        assert whole(name, job, end), at
        ends.append(end)
    killed = sum(end.code == -9 for end in ends)
    # batches of a plan file are as large as they come: now and then one passes a point less often
    assert killed > len(ends) * 0.9
    count(f"kill -9 at a named point of {name}", killed)
    nothing_wrong(ends, count)


TOLD = {
    "apply atomic": "Applied: 1 created, 2 updated, 1 renamed, 1 deleted, 0 rejected, 0 failed, 0 not attempted;",
    "apply plan": "Applied: ",
    "restore": "Restored: moved is v3 now, as it was in v1",
    "cancel": "Cancelled: the refused submission of refused is dropped",
    "check": "Check: 6 ready.",
    "lock release": "Ended: the lease ",
}
"""With which each says that all is done."""
STOPPED = {
    "interrupt": ("store acquire, before", "provider, before", "sql COMMIT, after", "store commit, after",
                  "store take_away, after", "store release, before", "store load, after", "store head, after",
                  "store close, before"),
    "impatient": ("provider, after", "store commit, after"),
    "term": ("provider, before", "store commit, after"),
    "full": ("sql INSERT INTO workspaces, before", "sql SAVEPOINT one, before"),
    "gone": ("store commit, before", "provider, before"),
}  # fmt: skip
"""Where each of them happens: the last time that a run comes by."""


@pytest.mark.parametrize("how", STOPPED)
@pytest.mark.parametrize("name", TOLD)
def test_what_a_command_did_is_told_though_it_is_stopped_or_its_store_fails(made, driver, memory, name, how, count):
    job, ends = made(name), []
    for number, of in enumerate(STOPPED[how]):
        for at in job.times(of)[-1:]:
            end = disturbed(driver, job, memory / str(number), at=at, how=how)
            assert end.code in ENDINGS, (at, end.said)
            if name != "apply plan":
                assert whole(name, job, end), at
                done = facts(end.after) == facts(job.new)
                told = TOLD[name] in end.said and "not-remembered" not in end.said
                assert told == done, (at, end.said)
            ends.append(end)
    if how in ("full", "gone") and name in ("apply atomic", "restore"):
        assert 5 in {end.code for end in ends}
    count(f"runs of other commands with the fault: {how}", len(ends))
    nothing_wrong(ends, count)
