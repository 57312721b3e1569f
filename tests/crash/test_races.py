"""Real processes against each other, and against kill -9 at any moment: nothing lost, nothing twice, no gap."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

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


def gaps(state) -> int:
    """Names whose versions do not follow from what was stored of them, one after the other."""
    stored = {}
    for (name, _), times in state.done.items():
        stored[name] = stored.get(name, 0) + times
    return sum(1 for name, version in state.versions.items() if stored.get(name, 0) != version)


@contextmanager
def served(scene):
    """A sandbox in a process of its own; gives the options that lead to it."""

    class Folder:
        path, env = scene.folder, scene.env

    with slow_sandbox(Folder, 0) as origin:
        yield [f"--sandbox-url={name}={origin}" for name in ("twilio", "sinch", "infobip")]


def test_attack_70_an_apply_of_300_killed_at_any_moment_leaves_every_record_whole(driver, tmp_path, count):
    drawn = random.Random(70)
    one, two = many(1), many(2)
    scene = Scene(tmp_path / "scene", {}).turn(one)
    with served(scene) as urls:
        line = ("apply", "--yes", "--parallelism", "64", "--lock-timeout", "30s", *urls)
        assert driver.run(scene, *line) == 0, scene.said()
        first = scene.state()
        scene, began = scene.turn(two), time.monotonic()
        assert driver.run(scene, *line) == 0, scene.said()
        takes = time.monotonic() - began
        records = {"one": first.records, "two": scene.state().records}
        target, kills, lost, reached = "one", 0, 0, 2
        while kills < KILLS:
            scene = scene.turn(one if target == "one" else two)
            began = time.monotonic()
            killed = driver.run(scene, *line, after=takes * drawn.uniform(0.1, 0.9)) == -9
            kills += killed
            # one that was too quick shows how long it takes when nobody else works on this machine
            takes = takes if killed else min(takes, time.monotonic() - began)
            state = scene.state(log=False)
            assert state.broken == ()
            lost += sum(
                1 for name in one if state.records.get(name) not in (records["one"][name], records["two"][name])
            )
            if state.records == records[target]:
                target, reached = ("two" if target == "one" else "one"), reached + 1
        assert driver.run(scene.turn(one), *line) == 0
    state = scene.state()
    count("kill -9 at a random moment of an apply of 300", kills)
    count("records lost or torn", lost)
    count("changes stored twice", gaps(state))
    count("generations of 300 that were reached nevertheless", reached)
    assert (lost, gaps(state), state.broken) == (0, 0, ())
    assert state.records == records["one"]


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
    count("changes stored twice", gaps(state))
    assert (missing, gaps(state), state.broken) == (0, 0, ())
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
