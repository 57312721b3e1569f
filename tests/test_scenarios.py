"""Whole sessions with the real command against the sandbox: each file in ``scenarios/`` is one, as a terminal shows it.

A session is commands with what they print, and between them what happens in the world::

    @ file NAME          the lines below, indented by four blanks, are its content
    @ right              every reference of the manifest gives the secret that the sandbox accepts
    @ wrong NAME         this variable gives another one
    @ refuse PROVIDER    from here on the provider answers 401 to everything
    @ away PROVIDER      from here on nobody listens where the provider was
    @ as NAME            who acts from here on
    @ run COMMAND        a command that ends well, and of which nothing is shown
    $ COMMAND            a command; below it stdout, then stderr behind "! ", then "= CODE" where it is not 0

What differs from run to run is masked by rule. ``pytest --update-golden`` writes the files again: read the diff.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import socket
from pathlib import Path

import pytest

SESSIONS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))
MASKS = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC)?", "<time>"),
    (r"\d\d:\d\d:\d\d UTC", "<time>"),
    (r"202\d-\d\d-\d\d", "<day>"),
    (r"\b([cs])1-[0-9a-f]{32}", r"\g<1>1-<digest>"),
    (r"\b(\d+):[0-9a-f]{16}\b", r"\1:<anchor>"),
    (r"\b[0-9a-f]{8} → [0-9a-f]{8}\b", "<print> → <print>"),
    (r"\brequest [A-Za-z0-9-]{16,}", "request <id>"),
    (r"\d+\.\d s", "0.0 s"),
    (r"(?<=, in )/\S*/project\b|(?<=yet at )/\S*/project\b", "<folder>"),
    (r"serial \d+", "serial <n>"),
    (r"store=[a-z0-9-]+", "store=<id>"),
    (r"(?<=OUTSIDE CI, )host \S+?(?=,|$)", "host <host>"),
)


def masked(text: str) -> str:
    """A text without times, random numbers and names of this machine."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


class Session:
    """Plays one session, and writes it down again as it went."""

    def __init__(self, project, refusing_server):
        self.project = project
        self.refusing = refusing_server
        project.env |= {"RECONCILER_SANDBOX": "1", "RECONCILER_ACTOR": "lea", "RECONCILER_PARALLELISM": "1"}

    def play(self, text: str) -> str:
        head, *blocks = re.split(r"(?m)^(?=[@$] )", text)
        return head + "".join(map(self._block, blocks))

    def _block(self, block: str) -> str:
        line, _, body = block.partition("\n")
        if line.startswith("$ "):
            return f"{line}\n{self._shown(line[2:])}\n"
        word, _, rest = line[2:].partition(" ")
        getattr(self, f"_{word}")(rest, body)
        return block

    def _done(self, command: str):
        program, *arguments = shlex.split(command)
        assert program == "reconciler", command
        return self.project.run(*arguments)

    def _shown(self, command: str) -> str:
        done = self._done(command)
        err = "".join(f"! {line}\n" for line in masked(done.err).splitlines())
        return masked(done.out) + err + (f"= {done.code}\n" if done.code else "")

    def _file(self, name: str, body: str) -> None:
        self.project.write(re.sub(r"(?m)^    ", "", body).rstrip() + "\n", name)

    def _right(self, rest: str, body: str) -> None:
        self.project.right_secrets(*shlex.split(rest))

    def _wrong(self, name: str, body: str) -> None:
        self.project.env[name] = hashlib.sha256(name.encode()).hexdigest()[:32]

    def _refuse(self, provider: str, body: str) -> None:
        self._instead(provider, self.refusing(401))

    def _away(self, provider: str, body: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        self._instead(provider, f"http://127.0.0.1:{port}")

    def _instead(self, provider: str, address: str) -> None:
        self.project.env["RECONCILER_SANDBOX_URL"] = f"{provider}={address}"

    def _as(self, name: str, body: str) -> None:
        self.project.env["RECONCILER_ACTOR"] = name

    def _run(self, command: str, body: str) -> None:
        done = self._done(command)
        assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_a_session_goes_as_it_is_written(path, project, refusing_server, golden):
    golden(path, Session(project, refusing_server).play(path.read_text(encoding="utf-8")))


def test_every_session_of_the_design_is_here():
    wanted = {
        "list",
        "plan-check",
        "apply",
        "pull-request",
        "validate",
        "check",
        "history",
        "unreachable",
        "first-plan",
    }
    assert wanted <= {path.stem for path in SESSIONS}


def test_a_session_that_goes_otherwise_is_not_what_is_written(project, refusing_server):
    text = "$ reconciler explain key-refused\nsomething else\n"
    assert Session(project, refusing_server).play(text) != text
