"""What a person at a terminal meets: the question, colour, a narrow window, Ctrl-C."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest


class Typist:
    """A person at a real pseudo-terminal."""

    def __init__(self, project, *arguments, env=None):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments], cwd=project.path,
            env={**project.env, "TERM": "xterm", **(env or {})}, stdin=slave, stdout=slave, stderr=slave,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def read_until(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < deadline:
            if not self._read():
                break
        assert text in self.seen, self.seen
        return self.seen

    def _read(self) -> bool:
        # what it wrote just before it ended is there by the time that it has
        ended = self.process.poll() is not None
        ready, _, _ = select.select([self.master], [], [], 0.5)
        if not ready:
            return not ended
        try:
            chunk = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += chunk.decode(errors="replace")
        return bool(chunk)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        while self._read():
            pass
        code = self.process.wait(timeout=60)
        os.close(self.master)
        return code


def test_only_the_literal_word_yes_applies(project):
    project.right_secrets()
    person = Typist(project, "apply", "--sandbox")
    person.read_until("Only 'yes' will be accepted")
    assert "Plan: 3 to create" in person.seen
    person.type("y\n")
    assert person.end() == 4
    assert "not confirmed: nothing was done" in person.seen
    assert project.sandbox("list", "-w", "production", "--format", "json").json["total"] == 0


def test_yes_applies(project):
    project.right_secrets()
    person = Typist(project, "apply", "--sandbox")
    person.read_until("Only 'yes' will be accepted")
    person.type("yes\n")
    assert person.end() == 0
    assert project.sandbox("list", "--format", "json").json["total"] == 3


def test_a_terminal_that_a_ci_system_gives_its_job_is_asked_nothing_and_gets_no_bar(project):
    project.right_secrets()
    job = Typist(project, "apply", "--sandbox", env={"CI": "true"})
    assert job.end() == 64
    assert "not-confirmed" in job.seen
    job = Typist(project, "apply", "--sandbox", "--yes", env={"CI": "true"})
    assert job.end() == 0
    assert "created" in job.seen
    assert "/3" not in job.seen


def test_a_missing_live_store_is_made_after_a_question_only(project):
    project.right_secrets()
    person = Typist(project, "apply", "--yes")
    person.read_until("There is no store at .reconciler/store.db")
    person.type("no\n")
    assert person.end() == 4
    assert not (project.path / ".reconciler").exists()


def test_colour_on_a_terminal_and_none_where_it_is_unwanted(applied):
    def colours(*arguments, **env):
        person = Typist(applied, "list", "--sandbox", *arguments, env=env)
        assert person.end() == 0
        return "\x1b[" in person.seen

    assert colours()
    assert not colours("--no-color")
    assert not colours(NO_COLOR="1")
    assert not colours(TERM="dumb")


def test_a_narrow_terminal_drops_the_least_needed_columns_and_keeps_name_and_status(applied):
    lines = applied.sandbox("list", env={"COLUMNS": "64"}).out.splitlines()
    table = [line for line in lines if "marketing-us" in line or "NAME" in line]
    assert all(len(line) <= 64 for line in table)
    assert "NAME" in table[0]
    assert "STATUS" in table[0]
    assert "CREATED BY" not in table[0]
    assert "CREATED BY" in applied.sandbox("list", env={"COLUMNS": "120"}).out


@contextmanager
def slow_sandbox(project, delay):
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "--delay", str(delay)], cwd=project.path, env=project.env,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
        process.stdout.close()


def left_on_screen(seen: str) -> str:
    """What a terminal shows in the end: lines that were erased are gone, orders such as colours have no text."""
    lines: list[str] = []
    for line in seen.split("\n"):
        lines += [""] * (not lines)
        for order in re.findall(r"\x1b\[1A|\x1b\[2K|\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]+", line):
            if order == "\x1b[1A":
                lines.pop()
            elif order == "\x1b[2K":
                lines[-1] = ""
            elif not order.startswith("\x1b"):
                lines[-1] += order.replace("\r", "")
        lines.append("")
    return "\n".join(lines)


def test_a_bar_stands_below_the_outcomes_and_is_gone_when_all_is_told(project):
    project.right_secrets()
    person = Typist(project, "apply", "--yes", "--sandbox")
    assert person.end() == 0
    assert "0/3" in person.seen
    left = left_on_screen(person.seen)
    assert "/3" not in left
    for name in ("alerts-eu", "marketing-us", "otp-apac"):
        assert len(re.findall(rf"(?m)^  \+ {name} +created .* v1 ", left)) == 1, left
    assert "\nApplied: 3 created" in left
    assert person.seen.count("\x1b[?25l") == person.seen.count("\x1b[?25h")


def test_what_is_no_terminal_gets_no_bar(project):
    project.right_secrets()
    done = project.sandbox("apply", "--yes")
    assert done.code == 0
    assert "/3" not in done.out + done.err
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_finishes_what_is_in_flight_and_reports(project, number):
    project.right_secrets()
    with slow_sandbox(project, 0.8) as origin:
        urls = [f"--sandbox-url={name}={origin}" for name in ("twilio", "sinch", "infobip")]
        person = Typist(project, "apply", "--yes", "--parallelism", "1", *urls)
        person.read_until("0/3")
        person.process.send_signal(number)
        assert person.end() == 130
    assert "Interrupted" in person.seen
    assert "1 created" in person.seen
    assert "2 not attempted" in person.seen
    listed = project.sandbox("list", "--format", "json").json
    assert [(c["name"], c["ready"]) for c in listed["credentials"]] == [("alerts-eu", True)]
