"""Real processes against each other, and against kill -9 at any moment: nothing lost, nothing twice, no gap."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from scene import AFTER, APPLY, BEFORE, HERE, Scene, wanted
from test_terminal import slow_sandbox

KILLS = int(os.environ.get("RECONCILER_TEST_KILLS", "100"))
"""How often a running apply of 300 credentials is killed."""
CREDENTIALS = 300


def many(generation: int, count: int = CREDENTIALS):
    """So many credentials; each generation has other accounts, and so other secrets."""
    return {
        f"n{number:03}": {"provider": "sinch", "region": "eu", "service_plan_id": f"{generation}{number:031}",
                          "api_token": f"env://N{number:03}"}
        for number in range(count)
    }  # fmt: skip


@contextmanager
def served(scene):
    """A sandbox in a process of its own; gives the options that lead to it."""

    class Folder:
        path, env = scene.folder, scene.env

    with slow_sandbox(Folder, 0) as origin:
        yield [f"--sandbox-url={name}={origin}" for name in ("twilio", "sinch", "infobip")]


def turned(to: str):
    """One of two manifests of 300 between which an apply does everything: most are updates to another account.

    From ``one`` to ``two`` 30 are renamed, 15 deleted, 15 created, 12 rejected, and about 3 nobody gets an answer.
    """
    accounts = many({"one": 1, "two": 2}[to])
    names = sorted(accounts)
    entries = {name: accounts[name] for name in names[60:270]}
    for name in names[:30]:
        old, new = (name, f"m{name[1:]}") if to == "two" else (f"m{name[1:]}", name)
        entries[new] = accounts[name] | {"moved_from": old}
    entries |= {name: accounts[name] for name in (names[30:45] if to == "one" else names[45:60])}
    for number, name in enumerate(names[270:285]):
        ending = "9401" if number < REJECTED else "9418"
        entries[name] = accounts[name] if to == "one" else accounts[name] | {"service_plan_id": f"{number:028}{ending}"}
    return entries | {name: accounts[name] for name in names[285:]}


REJECTED = 12
CODES = {"one": 0, "two": 3}
"""With which an undisturbed run ends."""


@dataclass
class Killer:
    """Applies to one store that are killed at random moments, whole manifests and plan files by turns."""

    driver: Any
    scene: Scene
    urls: list[str]
    drawn: random.Random
    takes: float = 0.0
    """Seconds that a run lasts which nobody kills."""
    figures: Counter[str] = field(default_factory=Counter)
    filed: bool = False
    """Whether the target is reached by one plan file, which is carried on after each kill."""

    def undisturbed(self, to: str):
        """What the store holds where nothing happens."""
        self.scene, began = self.scene.turn(turned(to)), time.monotonic()
        assert self.driver.run(self.scene, *self._line()) == CODES[to], self.scene.said()
        self.takes = time.monotonic() - began
        return self.scene.state()

    def _line(self) -> tuple[str, ...]:
        options = ("--parallelism", "64", "--lock-timeout", "30s", *self.urls)
        if self.filed:
            return ("apply", "plan.json", *options)
        return ("apply", "--yes", "--prune", "--max-deletes", "20", *options)

    def aim(self, to: str) -> None:
        """From here on towards this manifest, every other time by a plan file of it."""
        self.scene, self.filed = self.scene.turn(turned(to)), not self.filed
        if self.filed:
            plan = ("plan", "--prune", "--max-deletes", "20", "--out", "plan.json", *self.urls)
            assert self.driver.run(self.scene, *plan) == 0, self.scene.said()
            self.figures["plan files that were carried on after kills"] += 1

    def strike(self) -> bool:
        """One run that is killed; whether it was, since one that was quick enough is at its end."""
        began = time.monotonic()
        code = self.driver.run(self.scene, *self._line(), after=self.takes * self.drawn.uniform(0.1, 0.9))
        killed = code == -9
        assert killed or code in (0, 3), self.scene.said()
        self.figures["kill -9 at a random moment of an apply of 300"] += killed
        self.figures["kill -9 of one that carries a plan file on"] += killed and self.filed
        # one that was too quick shows how long it takes when nobody else works on this machine
        self.takes = self.takes if killed else min(self.takes, time.monotonic() - began)
        return killed


def astray(state, ends) -> int:
    """Names under which something stands that is in no end, or nothing where both ends have something; lost or doubled
    renames."""
    names = {*state.records, *ends["one"].records, *ends["two"].records}
    wrong = sum(1 for name in names if state.records.get(name) not in [end.records.get(name) for end in ends.values()])
    renamed = [name for name in names if name.startswith("m")]
    return wrong + sum((name in state.records) == (f"n{name[1:]}" in state.records) for name in renamed)


def test_attack_70_an_apply_of_300_killed_at_any_moment_leaves_every_record_whole(driver, memory, count):
    scene = Scene(memory / "scene", {}).turn(turned("one"))
    with served(scene) as urls:
        killer = Killer(driver, scene, urls, random.Random(70))
        killer.undisturbed("one")
        ends = {"two": killer.undisturbed("two"), "one": killer.undisturbed("one")}
        assert len(ends["two"].rejections) == REJECTED
        assert not ends["one"].rejections
        target, lost, reached, doubled = "two", 0, 0, 0
        since = ends["one"].done
        killer.aim(target)
        while killer.figures["kill -9 at a random moment of an apply of 300"] < KILLS:
            killed = killer.strike()
            state = killer.scene.state(log=False)
            assert state.broken == ()
            lost += astray(state, ends)
            there = (state.records, state.rejections) == (ends[target].records, ends[target].rejections)
            assert there or killed
            if not there:
                continue
            whole = killer.scene.state()
            assert (whole.broken, whole.gaps) == ((), 0)
            doubled += sum(times > 1 for times in (Counter(whole.done) - Counter(since)).values())
            target, reached, since = ("two" if target == "one" else "one"), reached + 1, whole.done
            killer.aim(target)
        # the last one comes to its end, with whatever was left of it
        assert driver.run(killer.scene, *killer._line()) in (CODES[target], 4), killer.scene.said()
        assert driver.run(killer.scene, "apply", "--yes", "--prune", *urls) == CODES[target], killer.scene.said()
    state = killer.scene.state()
    for name, number in killer.figures.items():
        count(name, number)
    count("records lost or torn", lost)
    count("changes stored twice", doubled)
    count("ends that were reached nevertheless", reached)
    assert (lost, doubled, state.gaps, state.broken) == (0, 0, 0, ())
    assert (state.records, state.rejections) == (ends[target].records, ends[target].rejections)
    filed = killer.figures["kill -9 of one that carries a plan file on"]
    assert 0 < filed < killer.figures["kill -9 at a random moment of an apply of 300"]


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_processes_that_change_something_of_their_own_all_get_their_turn(driver, tmp_path, processes, count):
    rounds = 3
    base = Scene(tmp_path / "scene", {}).turn(many(0, processes))
    assert driver.run(base, *APPLY) == 0, base.said()
    for generation in range(1, rounds + 1):
        racing = []
        for number, (name, entry) in enumerate(many(generation, processes).items()):
            own = Scene(tmp_path / f"racer-{number}", {}).turn({name: entry})
            own = Scene(own.root, {**own.env, "HOME": base.env["HOME"]})
            line = ("apply", "--yes", "--sandbox", "--store", f"sqlite:///{base.store}", "--lock-timeout", "60s")
            racing.append((own, wanted(own, *line)))
        codes = driver.race([run for _, run in racing])
        assert codes == [0] * processes, [scene.said() for scene, _ in racing]
    state = base.state()
    missing = sum(rounds + 1 - version for version in state.versions.values())
    count("racing processes", processes * rounds)
    count("records lost or torn", missing)
    count("changes stored twice", state.gaps)
    assert (missing, state.gaps, state.broken) == (0, 0, ())
    assert set(state.versions.values()) == {rounds + 1}


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_processes_that_want_the_same_store_it_once(driver, tmp_path, processes, count):
    base = Scene(tmp_path / "scene", {}).turn(BEFORE)
    assert driver.run(base, *APPLY) == 0, base.said()
    racing = []
    for number in range(processes):
        own = Scene(tmp_path / f"racer-{number}", {}).turn(AFTER)
        own = Scene(own.root, {**own.env, "HOME": base.env["HOME"]})
        racing.append((own, wanted(own, *APPLY, "--store", f"sqlite:///{base.store}")))
    codes = driver.race([run for _, run in racing])
    # the others find it done, or find that what they had shown has moved
    assert 3 in codes
    assert set(codes) <= {3, 4}, [scene.said() for scene, _ in racing]
    state = base.state()
    count("racing processes", processes)
    count("changes stored twice", sum(times - 1 for times in state.done.values()))
    assert state.broken == ()
    assert state.versions == {"kept": 1, "moved": 2, "told": 2, "new-name": 2, "spoilt": 1, "fresh": 1}
    assert set(state.done.values()) == {1}


def test_an_applier_that_was_paused_until_another_took_its_lease_writes_nothing(driver, tmp_path, count):
    scene = Scene(tmp_path / "scene", {}).turn(BEFORE)
    assert driver.run(scene, *APPLY) == 0, scene.said()
    scene = scene.turn(AFTER)
    slept = Scene(tmp_path / "slept", {}).turn(AFTER)
    slept = Scene(slept.root, {**slept.env, "HOME": scene.env["HOME"]})
    line = (*APPLY, "--store", f"sqlite:///{scene.store}", "--report", "json=report.json")
    run = wanted(slept, *line, at="store commit, before#1", how="stop")
    process = subprocess.Popen([sys.executable, str(HERE / "driver.py"), json.dumps(run)])
    try:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        assert driver.run(scene, *APPLY) == 3, scene.said()
        done = scene.state()
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=60) == 5
    finally:
        process.kill()
        process.wait()
    after = scene.state()
    assert after == done
    report = json.loads((slept.folder / "report.json").read_text())
    assert "lease-lost" in {problem["code"] for problem in report["problems"]}
    assert {outcome["result"] for outcome in report["outcomes"]} <= {"failed", "skipped"}
    count("paused appliers that wrote nothing", 1)
