"""A run whose terminal, reader or error stream goes away: the work is finished, and told to whoever is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from test_terminal import Typist, slow_sandbox

REPORT = ("--report", "json=report.json")


def told(project):
    report = json.loads((project.path / "report.json").read_text())
    return report, {outcome["name"]: outcome["result"] for outcome in report["outcomes"]}


@pytest.fixture
def slow(project):
    """Three credentials to store, one after the other, at providers that take their time."""
    project.right_secrets()
    with slow_sandbox(project, 0.5) as origin:
        yield project, [f"--sandbox-url={name}={origin}" for name in ("twilio", "sinch", "infobip")]


def test_a_terminal_that_goes_away_stops_the_run_cleanly_and_the_report_is_written(slow):
    project, urls = slow
    person = Typist(project, "apply", "--yes", "--parallelism", "1", *REPORT, *urls)
    person.read_until("Asking")
    os.close(person.master)
    # a shell and the kernel may both say so
    person.process.send_signal(signal.SIGHUP)
    person.process.send_signal(signal.SIGHUP)
    assert person.process.wait(timeout=30) == 130
    report, results = told(project)
    assert (report["exit_code"], report["interrupted"]) == (130, True)
    assert set(results) == {"alerts-eu", "marketing-us", "otp-apac"}
    stored = {name for name, result in results.items() if result == "created"}
    assert set(results.values()) <= {"created", "skipped"}
    listed = project.sandbox("list", "-w", "production", "--format", "json").json["credentials"]
    assert {row["name"] for row in listed} == stored
    assert project.sandbox("lock", "show", "-w", "production", "--format", "json").json["facts"]["lease"] is None


def test_a_hang_up_that_is_ignored_stays_ignored(slow):
    project, urls = slow
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "reconciler", "apply", "--yes", *REPORT, *urls], cwd=project.path,
        env=project.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    while "Asking" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGHUP)
    process.stdout.read()
    assert process.wait(timeout=30) == 0
    process.stdout.close()
    assert set(told(project)[1].values()) == {"created"}


@pytest.mark.parametrize(
    ("redirect", "code"),
    [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), ("<&- >&- 2>&-", 0), ("2>/dev/full", 0), (">/dev/full 2>/dev/full", 64)],
)
def test_streams_that_nobody_can_write_to_change_nothing_of_the_work(project, redirect, code):
    project.right_secrets()
    line = f"{sys.executable} -m reconciler apply --yes --sandbox {' '.join(REPORT)} {redirect}"
    done = subprocess.run(["bash", "-c", line], cwd=project.path, env=project.env, timeout=60, check=False)
    assert done.returncode == code
    report, results = told(project)
    assert (report["exit_code"], set(results.values())) == (code, {"created"})


def test_a_terminal_that_goes_away_unheeded_ends_the_run_with_its_own_code(slow):
    """With SIGHUP ignored, as ``nohup`` does: nothing but the failing writes tells of it."""
    project, urls = slow
    main, end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--yes", *REPORT, *urls], cwd=project.path,
        env=project.env, stdin=subprocess.DEVNULL, stdout=end, stderr=end, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    os.close(end)
    assert os.read(main, 1)
    os.close(main)
    assert process.wait(timeout=30) == 0
    report, results = told(project)
    assert (report["exit_code"], set(results.values())) == (0, {"created"})


@pytest.mark.parametrize("command", [["check"], ["apply", "--yes"]])
def test_readers_of_both_streams_that_went_away_change_nothing_of_the_work(applied, command):
    applied.edit("label: Marketing US", "label: Marketing USA")
    ends = [os.pipe(), os.pipe()]
    for reader, _ in ends:
        os.close(reader)
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *command, "--sandbox", *REPORT], cwd=applied.path, env=applied.env,
        stdin=subprocess.DEVNULL, stdout=ends[0][1], stderr=ends[1][1],
    )  # fmt: skip
    for _, writer in ends:
        os.close(writer)
    assert process.wait(timeout=60) == 0
    assert json.loads((applied.path / "report.json").read_text())["exit_code"] == 0


def test_the_second_signal_waits_for_no_answer_and_still_reports(project):
    project.right_secrets()
    with slow_sandbox(project, 30) as origin:
        urls = [f"--sandbox-url={name}={origin}" for name in ("twilio", "sinch", "infobip")]
        person = Typist(project, "apply", "--yes", *urls)
        person.read_until("0/3")
        person.process.send_signal(signal.SIGINT)
        person.read_until("Ctrl-C again stops at once")
        person.process.send_signal(signal.SIGINT)
        assert person.end() == 130
    assert "3 not attempted" in person.seen
    assert project.sandbox("list", "-w", "production", "--format", "json").json["total"] == 0
