"""Fixtures: a folder with a manifest and an isolated environment, and the real command as a subprocess."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

MANIFEST = """\
version: 1
workspace: production
credentials:
  marketing-us:
    provider: twilio
    label: Marketing US
    account_sid: AC00000000000000000000000000000001
    auth_token: env://TWILIO_AUTH_TOKEN
  alerts-eu:
    provider: sinch
    region: eu
    service_plan_id: "00000000000000000000000000000002"
    api_token: file://sinch-token
  otp-apac:
    provider: infobip
    base_url: https://xyz123.api.infobip.com
    api_key: env://INFOBIP_API_KEY
"""


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="Write tests/golden again from what is rendered now.")


@pytest.fixture
def golden(request):
    """Compare a text with a file, whole; with ``--update-golden`` write the file."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare


@dataclass
class Done:
    """One finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Project:
    """A folder to work in, as an administrator has one."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, text: str, name: str = "credentials.yaml") -> Path:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def edit(self, before: str, after: str, name: str = "credentials.yaml") -> None:
        text = (self.path / name).read_text()
        assert before in text
        self.write(text.replace(before, after), name)

    def run(self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.path, env={**self.env, **(env or {})}, input=stdin, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def sandbox(self, *arguments: str, **rest) -> Done:
        return self.run(*arguments, "--sandbox", **rest)

    def right_secrets(self, *names: str) -> None:
        """Put the values that the sandbox accepts where the manifest's references look."""
        done = self.run("sandbox", "env", "--write-files", ".", "--force", "--format", "json", *names)
        assert done.code == 0, done.err
        self.env.update(done.json["facts"])


def surroundings(root: Path) -> dict[str, str]:
    """The environment of a command: nothing of the machine's own but what it takes to run."""
    env = {"PATH": os.environ["PATH"], "HOME": str(root / "home"), "LANG": "C.UTF-8"}
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


@pytest.fixture
def project(tmp_path):
    """A folder with the three-provider manifest and no secrets yet."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, surroundings(tmp_path))
    made.write(MANIFEST)
    return made


@pytest.fixture
def applied(project):
    """The same, with the right secrets, applied to a sandbox store."""
    project.right_secrets()
    done = project.sandbox("apply", "--yes")
    assert done.code == 0, done.out + done.err
    return project


@pytest.fixture(scope="session")
def refusing_server():
    """Gives addresses of loopback servers that answer everything with one status."""
    servers = []

    def serve(status: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
