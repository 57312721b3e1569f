"""A provider that takes the question and never answers, or answers a byte at a time: the others are done meanwhile."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import pytest
from test_terminal import slow_sandbox


class Hanging:
    """A server in Twilio's place that keeps whoever asks; ``drips``: it lets a byte go now and then."""

    def __init__(self, *, drips: bool) -> None:
        self.drips = drips
        self.asked = threading.Event()
        self.over = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    @property
    def option(self) -> str:
        return f"--sandbox-url=twilio=http://127.0.0.1:{self.socket.getsockname()[1]}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.threads.append(threading.Thread(target=self._keep, args=(connection,)))
                self.threads[-1].start()

    def _keep(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            self.asked.set()
            answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4096\r\n\r\n" + b" " * 4096
            # an answer of which each byte comes soon enough, and the whole never does
            for byte in answer if self.drips else ():
                if self.over.wait(0.3):
                    return
                connection.sendall(bytes([byte]))
            self.over.wait()

    def close(self) -> None:
        self.over.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(10)


@pytest.fixture(params=["never", "drop by drop"])
def hanging(request):
    made = Hanging(drips=request.param == "drop by drop")
    yield made
    made.close()


@contextmanager
def others(project):
    """Options that lead the other two to a sandbox that answers."""
    with slow_sandbox(project, 0) as origin:
        yield tuple(f"--sandbox-url={name}={origin}" for name in ("sinch", "infobip"))


def outcomes(made) -> dict[str, tuple[str, str]]:
    return {o["name"]: (o["result"], (o["verdict"] or {}).get("code", "")) for o in made["outcomes"]}


def test_an_apply_does_the_others_and_judges_nothing_of_the_one_that_hangs(project, hanging):
    project.right_secrets()
    with others(project) as urls:
        done = project.run("apply", "--yes", "--timeout", "1s", "--format", "json", hanging.option, *urls)
    assert done.code == 3, done.err
    assert outcomes(done.json) == {
        "alerts-eu": ("created", "accepted"), "marketing-us": ("failed", "timed-out"),
        "otp-apac": ("created", "accepted"),
    }  # fmt: skip
    (verdict,) = (o["verdict"] for o in done.json["outcomes"] if o["name"] == "marketing-us")
    assert verdict["answer"] == "unknown"
    listed = project.sandbox("list", "--format", "json").json["credentials"]
    assert {c["name"] for c in listed} == {"alerts-eu", "otp-apac"}
    assert not [c for c in listed if c["rejection"]]


def test_a_check_says_that_it_was_not_reached_and_checks_the_others(applied, hanging):
    with others(applied) as urls:
        done = applied.run("check", "--timeout", "1s", "--format", "json", hanging.option, *urls)
    assert done.code == 1, done.err
    found = {c["name"]: (c["after"], c["verdict"]["answer"]) for c in done.json["checkups"]}
    assert found == {
        "alerts-eu": ("ready", "valid"), "marketing-us": ("ready, not reached", "unknown"),
        "otp-apac": ("ready", "valid"),
    }  # fmt: skip


@contextmanager
def started(project, *arguments):
    """A run of its own that the test may interrupt."""
    process = subprocess.Popen([sys.executable, "-m", "reconciler", *arguments], cwd=project.path, env=project.env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("signals", "limit", "hung"),
    [(1, "2s", ("failed", "timed-out")), (2, "10m", ("skipped", ""))],
    ids=["the first waits for its limit", "the second does not wait"],
)
def test_ctrl_c_while_it_hangs(project, hanging, signals, limit, hung):
    project.right_secrets()
    line = ("apply", "--yes", "--parallelism", "1", "--timeout", limit, "--report", "json=report.json", hanging.option)
    with others(project) as urls, started(project, *line, *urls) as process:
        assert hanging.asked.wait(60)
        process.send_signal(signal.SIGINT)
        # it says so before it heeds another one
        assert any(line.startswith("Stopping: ") for line in process.stderr)
        if signals == 2:
            process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted: " in out
    assert "\nNot attempted: " in out
    made = json.loads((project.path / "report.json").read_text())
    assert made["interrupted"]
    assert outcomes(made) == {
        "alerts-eu": ("created", "accepted"), "marketing-us": hung, "otp-apac": ("skipped", ""),
    }  # fmt: skip
    assert project.sandbox("apply", "--yes").code == 0


@pytest.mark.parametrize("value", ["0s", "1", "x", ""])
def test_a_limit_is_a_length_of_time(project, value):
    done = project.sandbox("apply", "--yes", "--timeout", value)
    assert done.code == 64
    assert "--timeout" in done.err
