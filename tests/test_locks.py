"""The lease of a workspace, through the command line: who holds it, waiting for it, ending it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import storing
import tenacity
from builders import ORIGIN, TIME
from storing import TOM

from reconciler.app import leasing
from reconciler.app.applying import How, apply
from reconciler.app.approving import FromManifest
from reconciler.app.preparing import What
from reconciler.app.wiring import Where
from reconciler.errors import StoreError
from reconciler.stores import sqlite
from reconciler.stores._store import SqlStore


@pytest.fixture
def held(applied):
    """A project whose workspace is being written to by tom, on another machine."""
    store = sqlite.open_store(applied.path / ".reconciler" / "sandbox.db")
    lease = store.acquire("production", TOM, 3600)
    yield applied, store, lease
    store.close()


def change_label(project):
    project.edit("label: Marketing US", "label: Marketing USA")


def test_a_free_lease_is_shown_as_free_without_a_key(applied):
    done = applied.sandbox("lock", "show", env={"HOME": "/nonexistent"})
    assert done.code == 0
    assert "The lease is free" in done.out
    assert applied.sandbox("lock", "show", "--format", "json").json["facts"] == {"lease": None, "expired": False}


def test_a_held_lease_is_shown_with_its_holder_and_the_way_out(held):
    project, _, lease = held
    out = project.sandbox("lock", "show").out
    assert "Held by tom (runner-3, process 12, https://example.invalid/runs/8812)" in out
    assert "frees itself " in out
    assert f"reconciler lock release {lease.id} -w production --sandbox --yes" in out
    shown = project.sandbox("lock", "show", "--format", "json").json["facts"]["lease"]
    assert (shown["id"], shown["actor"], shown["pid"], shown["fencing"]) == (lease.id, "tom", 12, lease.fencing)
    assert shown["since"] == shown["heartbeat"] < shown["expires"]


@pytest.mark.parametrize("command", [["apply", "--yes"], ["cancel", "marketing-us"], ["check"]])
def test_who_meets_a_held_lease_is_told_who_since_when_and_what_to_do(held, command):
    project, store, lease = held
    project.env["TWILIO_AUTH_TOKEN"] = "f" * 32
    if command[0] == "cancel":
        store.release(lease)
        assert project.sandbox("apply", "--yes").code == 3
        lease = store.acquire("production", TOM, 3600)
    done = project.sandbox(*command)
    assert done.code == 5
    said = done.out + done.err
    assert "error[lease-held]" in said
    assert "tom (https://example.invalid/runs/8812, runner-3, process 12) since 20" in said
    assert "free at the latest 20" in said
    release = f"reconciler lock release {lease.id} -w production --sandbox --yes"
    assert f"--lock-timeout 2m; where it is gone for good: {release}\n" in said
    codes = [p["code"] for p in project.sandbox(*command, "--format", "json").json["problems"]]
    # what the providers said is told, and that it is not stored
    assert codes == ["lease-held", *(["not-remembered"] if command == ["check"] else [])]


def waiting(project, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments], cwd=project.path, env=project.env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_wait_is_said_and_ends_when_the_lease_is_given_back(held):
    project, store, lease = held
    change_label(project)
    process = waiting(project, "apply", "--yes", "--sandbox", "--lock-timeout", "1m")
    assert process.stderr.readline().startswith(
        "Waiting up to 60 s for the lease of tom (https://example.invalid/runs/8812, runner-3, process 12) since 20"
    )
    store.release(lease)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert "1 updated" in out
    assert "Waiting" not in err


def test_a_wait_that_ends_for_nothing_is_the_same_refusal(held):
    project, _, _ = held
    change_label(project)
    done = project.sandbox("apply", "--yes", "--lock-timeout", "1s")
    assert done.code == 5
    assert "error[lease-held]" in done.out + done.err
    assert done.err.count("Waiting up to 1 s") == 1


def test_a_length_of_time_that_is_none_is_a_usage_error(applied):
    for text in ("soon", "5", "-1s", "1e9s"):
        done = applied.sandbox("apply", "--yes", f"--lock-timeout={text}")
        assert done.code == 64, text


def test_a_wait_without_patience_asks_once_and_a_short_one_is_not_said(tmp_path):
    kit = storing.sqlite_kit(tmp_path / "private" / "store.db")
    lease, said = kit.lease(), []
    with (
        pytest.raises(StoreError, match="somebody else is applying"),
        leasing.holding(kit.another(), storing.WORKSPACE, ORIGIN),
    ):
        pass
    kit.store.release(lease)
    with leasing.holding(kit.another(), storing.WORKSPACE, ORIGIN, leasing.Patience(60, said.append)) as taken:
        assert taken.fencing == lease.fencing + 1
    assert said == []
    kit.close()


@dataclass
class Time:
    """What a wait looks at and sleeps by; at a certain time somebody gives the lease back."""

    free_at: float
    release: Callable[[], None]
    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if self.now < self.free_at <= self.now + seconds:
            self.release()
        self.now += seconds


@pytest.mark.parametrize(("free_at", "is_said"), [(0.39, False), (0.71, True)])
def test_a_wait_is_said_once_after_400_milliseconds(tmp_path, monkeypatch, free_at, is_said):
    kit = storing.sqlite_kit(tmp_path / "private" / "store.db")
    lease, said = kit.lease(), []
    time = Time(free_at, lambda: kit.store.release(lease))
    monkeypatch.setattr(tenacity, "time", time)
    monkeypatch.setattr(tenacity.nap, "time", time)
    patience = leasing.Patience(60, lambda text: said.append((time.now, text)))
    with leasing.holding(kit.another(), storing.WORKSPACE, ORIGIN, patience):
        assert free_at <= time.now <= free_at + 0.3
    kit.close()
    assert len(said) == is_said
    for when, text in said:
        assert 0.4 <= when <= 0.7
        assert text.startswith("Waiting up to 60 s for the lease of ")


# keeping it


@dataclass
class Renewals:
    """A store that only counts how often its lease is renewed, and a clock that takes 6 seconds a look."""

    count: int = 0
    seconds: float = 0.0

    def renew(self, lease, seconds):
        self.count += 1

    def clock(self):
        self.seconds += 6
        return self.seconds


def test_work_that_goes_on_beats_when_it_is_time_to(monkeypatch):
    store = Renewals()
    monkeypatch.setattr(leasing, "monotonic", store.clock)
    alive = leasing.paced(leasing.heartbeat(store, None))
    counts = []
    for _ in range(8):
        alive()
        counts.append(store.count)
    assert counts == [0, 0, 1, 1, 1, 2, 2, 2]


@dataclass
class Silent:
    """Says nothing, and remembers how often the lease was renewed before the asking."""

    renewed: list = field(default_factory=list)
    before_asking: int = 0
    interactive: bool = False

    def plan(self, report): ...
    def begin(self, total): ...
    def outcome(self, outcome): ...
    def tell(self, text): ...

    def asking(self, plan):
        self.before_asking = len(self.renewed)


def test_the_lease_is_kept_while_secrets_come_slowly(applied, monkeypatch):
    """The references are resolved again under the lease: three that take 15 seconds each renew it three times."""
    change_label(applied)
    talk, renew, slow = Silent(), SqlStore.renew, Renewals(seconds=0)
    monkeypatch.chdir(applied.path)
    monkeypatch.setattr(leasing, "monotonic", lambda: slow.clock() * 15)
    monkeypatch.setattr(SqlStore, "renew", lambda *given: (talk.renewed.append(given), renew(*given)))
    where = Where(ORIGIN, sandbox=True, environ=applied.env)
    report = apply(where, FromManifest(What((Path("credentials.yaml"),)), ""), How(yes=True), talk)
    assert [outcome.result for outcome in report.outcomes] == ["updated"]
    assert talk.before_asking == 3


# ending somebody else's


def test_only_the_exact_id_ends_a_lease_and_only_with_consent(held):
    project, store, lease = held
    wrong = project.sandbox("lock", "release", "0" * 16, "--yes")
    assert (wrong.code, "error[lock-gone]" in wrong.err) == (5, True)
    assert f"as {lease.id}" in wrong.err
    assert "reconciler lock show -w production --sandbox\n" in wrong.err
    unsure = project.sandbox("lock", "release", lease.id)
    assert (unsure.code, "error[lock-unconfirmed]" in unsure.err) == (64, True)
    assert "tom" in unsure.err
    assert f"reconciler lock release {lease.id} -w production --sandbox --yes\n" in unsure.err
    unasked = project.sandbox("lock", "release", lease.id, env={"RECONCILER_YES": "1"})
    assert unasked.code == 64
    assert store.held("production").lease == lease


def test_who_has_no_key_ends_no_lease(held):
    project, store, lease = held
    done = project.sandbox("lock", "release", lease.id, "--yes", env={"HOME": "/nonexistent"})
    assert (done.code, "error[key-missing]" in done.err) == (5, True)
    assert store.held("production").lease == lease


def test_an_ended_lease_writes_nothing_more_and_the_history_says_who_ended_it(held):
    project, store, lease = held
    done = project.sandbox("lock", "release", lease.id, "--yes", "--actor", "zoe")
    assert done.code == 0, done.err
    assert f"Ended: the lease {lease.id} of tom" in done.out
    with pytest.raises(StoreError) as caught:
        store.renew(lease, 60)
    assert caught.value.code.name == "lease-lost"
    assert re.fullmatch(r"zoe \(\S+\) ended it with  lock release  at \S+Z", caught.value.detail)
    (event,) = project.sandbox("history", "--what", "lock", "--format", "json").json["events"]
    assert (event["body"]["who"]["actor"], event["result"]) == ("zoe", "released")
    history = project.sandbox("history", "--what", "lock").out
    assert lease.id in history
    assert "tom" in history
    change_label(project)
    assert project.sandbox("apply", "--yes").code == 0
    again = project.sandbox("lock", "release", lease.id, "--yes")
    assert (again.code, "nobody holds the lease" in again.err) == (5, True)


def test_a_lease_of_a_workspace_that_has_nothing_yet_can_be_seen_and_ended(held):
    project, store, _ = held
    lease = store.acquire("dev", TOM, 3600)
    assert lease.id in project.sandbox("lock", "show", "-w", "dev").out
    assert project.sandbox("lock", "release", lease.id, "-w", "dev", "--yes").code == 0
    assert project.sandbox("lock", "show", "-w", "nowhere").code == 64
    assert store.held("dev") is None


def test_a_first_apply_that_was_killed_is_found_under_the_manifests_workspace(project):
    """Nothing is stored yet: the store knows no workspace, and the manifest names the one that is held."""
    assert project.sandbox("store", "create").code == 0
    store = sqlite.open_store(project.path / ".reconciler" / "sandbox.db")
    lease = store.acquire("production", TOM, 3600)
    shown = project.sandbox("lock", "show")
    assert (shown.code, lease.id in shown.out) == (0, True), shown.err
    assert project.sandbox("lock", "release", lease.id, "--yes").code == 0
    assert store.held("production") is None
    assert "The lease is free" in project.sandbox("lock", "show").out
    store.close()


def test_an_expired_lease_says_that_the_next_run_takes_it(applied):
    store = sqlite.open_store(applied.path / ".reconciler" / "sandbox.db", now=lambda: TIME)
    store.acquire("production", TOM, 60)
    store.close()
    assert "the next run takes it" in applied.sandbox("lock", "show").out
    assert applied.sandbox("lock", "show", "--format", "json").json["facts"]["expired"] is True
    change_label(applied)
    assert applied.sandbox("apply", "--yes").code == 0


def test_what_is_no_id_of_a_lease_is_not_repeated(applied):
    for pasted in ("9cc20e499b7d18ddadc4e02f66016bef", "9CC20E499B7D18DD", "9cc20e499b7d18d", "9cc20e499b7d18dd\n"):
        for format_ in ("table", "json"):
            done = applied.sandbox("lock", "release", pasted, "--yes", "--format", format_)
            assert done.code == 64
            assert pasted.strip() not in done.out + done.err
            assert "16 hex digits" in done.out + done.err
