"""The Python interface: typed, imported when it is wanted, and as careful with secrets as the commands."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaged import PACKAGE
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

import reconciler
from reconciler import api, sandbox, serving
from reconciler.errors import ManifestInvalid, StoreError, UsageError

ROOT = Path(__file__).parents[1]
SID = "AC00000000000000000000000000000001"


@pytest.fixture(autouse=True)
def a_process_that_has_read_nothing(monkeypatch):
    monkeypatch.setattr(serving, "_recorded", set())


@pytest.fixture
def here(applied, monkeypatch):
    """The project as the folder and environment of this process."""
    monkeypatch.chdir(applied.path)
    for name in list(os.environ):
        if name.startswith(("RECONCILER_", "TWILIO_", "INFOBIP_", "XDG_CONFIG")):
            monkeypatch.delenv(name)
    for name, value in applied.env.items():
        monkeypatch.setenv(name, value)
    return applied


class Clock:
    time = 1000.0

    def __call__(self) -> float:
        return self.time


def opened(**rest) -> api.Store:
    return api.open_store("sqlite:///.reconciler/sandbox.db", workspace="production", sandbox=True, **rest)


def served(clock: Clock, fresh: float = 60, stale: float = 600) -> serving.Served:
    return serving.Served(opened()._where, fresh, stale, clock)


def reads(project) -> list[tuple[str, str, int]]:
    done = project.sandbox("history", "--what", "read", "--format", "json")
    events = reversed(done.json["events"])
    return [(e["name"], e["body"]["how"], e["body"]["given"]) for e in events]


def rotated(project) -> str:
    """Another account with its right secret: version 2."""
    sid = "AC00000000000000000000000000000007"
    project.edit(SID, sid)
    value = sandbox.right_secret("twilio", {"account_sid": sid}, "auth_token")
    project.env["TWILIO_AUTH_TOKEN"] = value
    done = project.sandbox("apply", "--yes")
    assert done.code == 0, done.out
    return value


# names and types


def test_the_interface_is_what_is_promised_and_nothing_else():
    assert set(api.__all__) >= {"load_manifest", "plan", "apply", "open_store"}
    for name in api.__all__:
        assert getattr(reconciler, name) is getattr(api, name)
    stub = (PACKAGE / "__init__.py").read_text()
    assert set(re.findall(r"import (\w+) as \1$", stub, re.MULTILINE)) == reconciler._INTERFACE == set(api.__all__)
    with pytest.raises(AttributeError):
        _ = reconciler.no_such_name
    page = (ROOT / "docs" / "api.md").read_text()
    assert [name for name in api.__all__ if f"`{name}" not in page] == []


def test_a_program_that_uses_it_is_checked_by_mypy():
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "tests/typing/api.py"], cwd=ROOT,
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_importing_the_package_imports_nothing_of_it():
    code = "import reconciler, sys; print([m for m in sys.modules if m.startswith('reconciler.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# manifest, plan, apply


def test_a_manifest_is_loaded_planned_and_applied(here):
    here.edit("label: Marketing US", "label: Another")
    manifest = reconciler.load_manifest("credentials.yaml")
    assert (manifest.workspace, sorted(manifest.credentials)) == (
        "production",
        ["alerts-eu", "marketing-us", "otp-apac"],
    )
    planned = reconciler.plan(manifest, opened())
    assert [change.name for change in planned.plan.effective] == ["marketing-us"]
    done = reconciler.apply(manifest, opened(), expect=planned.plan.digest)
    assert [str(outcome.result) for outcome in done.outcomes] == ["updated"]
    assert reconciler.exit_code(done) == 0
    assert not reconciler.plan(manifest, opened()).plan.effective


def test_what_the_provider_refuses_is_in_the_report(here, monkeypatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "f" * 32)
    done = reconciler.apply(reconciler.load_manifest(), opened())
    assert [str(outcome.result) for outcome in done.outcomes] == ["rejected"]
    assert reconciler.exit_code(done) == 3


def test_an_invalid_manifest_and_a_missing_live_store_are_told(here):
    manifest = reconciler.load_manifest()
    with pytest.raises(StoreError) as caught:
        reconciler.apply(manifest, reconciler.open_store("sqlite:///none/at/all.db"))
    assert caught.value.code.name == "store-missing"
    assert not (here.path / "none").exists()
    here.write("version: 2\n", "bad.yaml")
    with pytest.raises(ManifestInvalid) as invalid:
        reconciler.load_manifest("bad.yaml")
    assert invalid.value.problems[0].place.file == "bad.yaml"


def test_apply_works_in_a_thread_beside_a_running_loop(here):
    here.edit("label: Marketing US", "label: Another")

    async def main():
        return await asyncio.to_thread(lambda: reconciler.apply(reconciler.load_manifest(), opened()))

    assert [str(outcome.result) for outcome in asyncio.run(main()).outcomes] == ["updated"]


# credentials


def test_a_credential_gives_identifier_and_secret_and_shows_neither_by_accident(here):
    credential = opened().credential("marketing-us")
    token = here.env["TWILIO_AUTH_TOKEN"]
    assert (credential.identifier, credential.reveal("auth_token"), credential.reveal()) == (SID, token, token)
    assert credential.settings == {"account_sid": SID}
    assert (credential.name, credential.provider, credential.version) == ("marketing-us", "twilio", 1)
    assert repr(credential) == "<credential marketing-us v1 of twilio>"
    for leak in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            leak(credential)
    with pytest.raises(UsageError) as caught:
        credential.reveal("api_token")
    assert caught.value.code.name == "no-such-field"


def test_one_read_for_each_process_credential_and_version(here):
    for _ in range(2):
        for store in (opened(), opened(fresh_for=0)):
            store.credential("marketing-us")
            store.credential("marketing-us").refresh()
    opened().credential("alerts-eu")
    assert reads(here) == [("marketing-us", "api", 1), ("alerts-eu", "api", 1)]
    rotated(here)
    opened().credential("marketing-us")
    assert reads(here)[-1] == ("marketing-us", "api", 2)
    code = ("import reconciler; s = reconciler.open_store('sqlite:///.reconciler/sandbox.db', sandbox=True);"
            "s.credential('alerts-eu')")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, cwd=here.path, env=here.env, timeout=60)
    assert len(reads(here)) == 4


def test_a_forked_process_reads_for_itself(here):
    code = """
import os, reconciler
store = reconciler.open_store('sqlite:///.reconciler/sandbox.db', sandbox=True)
store.credential('marketing-us')
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        store.credential('marketing-us').reveal()
        os._exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=here.path, env=here.env, timeout=60)
    assert reads(here) == [("marketing-us", "api", 1)] * 4


def forking(code: str, env: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A program that forks beside its threads. Not measured: a child would wait for a lock of coverage's own."""
    env = {name: value for name, value in env.items() if not name.startswith("COVERAGE_PROCESS")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=env, timeout=120, check=False, capture_output=True, text=True
    )


def test_a_fork_waits_for_a_thread_that_looks_a_credential_up(here):
    code = """
import os, signal, threading, reconciler
store = reconciler.open_store('sqlite:///.reconciler/sandbox.db', sandbox=True)
other = store.credential('alerts-eu')
ended = threading.Event()
def look_up():
    while not ended.is_set():
        other.refresh()
thread = threading.Thread(target=look_up)
thread.start()
codes = []
for _ in range(25):
    child = os.fork()
    if not child:
        signal.alarm(8)
        store.credential('marketing-us').reveal()
        os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
ended.set()
thread.join()
assert codes == [0] * 25, codes
"""
    done = forking(code, here.env, here.path)
    assert done.returncode == 0, done.stderr


def test_threads_that_fork_at_once_leave_every_credential_free(here):
    code = """
import os, signal, threading, reconciler
signal.alarm(60)
store = reconciler.open_store('sqlite:///.reconciler/sandbox.db', sandbox=True)
credential = store.credential('alerts-eu')
def fork():
    for _ in range(5):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
threads = [threading.Thread(target=fork) for _ in range(4)]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    credential.refresh()
"""
    done = forking(code, here.env, here.path)
    assert done.returncode == 0, done.stderr


def test_a_fork_while_another_thread_opens_stores_leaves_no_lock_out(here):
    code = """
import os, sys, threading
from reconciler.serving import Served
sys.setswitchinterval(1e-6)
kept = [Served(None) for _ in range(2000)]
ended = threading.Event()
def make():
    while not ended.is_set():
        Served(None)
threads = [threading.Thread(target=make) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(40):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
ended.set()
for thread in threads:
    thread.join()
"""
    done = forking(code, dict(os.environ))
    # what a hook of a fork raises is printed and ignored
    assert (done.returncode, done.stderr) == (0, "")


def test_many_threads_read_once(here):
    store = opened()
    threads = [threading.Thread(target=store.credential, args=("marketing-us",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads(here)) == 1


def test_no_record_no_value(here):
    import sqlite3

    with sqlite3.connect(here.path / ".reconciler" / "sandbox.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON reads BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreError):
        opened().credential("marketing-us")


def test_it_comes_from_memory_for_the_stated_time(here):
    clock = Clock()
    store = served(clock)
    assert store.credential("marketing-us").version == 1
    rotated(here)
    clock.time += 59
    assert store.credential("marketing-us").version == 1
    clock.time += 1
    assert store.credential("marketing-us").version == 2


def test_it_is_served_for_the_stated_time_while_the_store_is_away(here):
    clock = Clock()
    store = served(clock)
    store.credential("marketing-us")
    folder = here.path / ".reconciler"
    folder.rename(here.path / "away")
    clock.time += 60
    assert store.credential("marketing-us").version == 1
    with pytest.raises(StoreError):
        store.credential("alerts-eu")
    clock.time += 599
    assert store.credential("marketing-us").version == 1
    clock.time += 1
    with pytest.raises(StoreError) as caught:
        store.credential("marketing-us")
    assert caught.value.code.name == "store-missing"
    (here.path / "away").rename(folder)
    assert store.credential("marketing-us").version == 1


def test_a_store_that_was_away_is_asked_again_after_a_pause(here):
    clock = Clock()
    store = served(clock)
    store.credential("marketing-us")
    folder = here.path / ".reconciler"
    folder.rename(here.path / "away")
    clock.time += 60
    store.credential("marketing-us")
    (here.path / "away").rename(folder)
    rotated(here)
    clock.time += serving.PAUSE_SECONDS - 1
    assert store.credential("marketing-us").version == 1
    clock.time += 1
    assert store.credential("marketing-us").version == 2


def test_an_altered_row_or_a_missing_key_is_no_store_that_is_away(here, monkeypatch):
    import sqlite3

    clock = Clock()
    store = served(clock)
    store.credential("marketing-us")
    clock.time += 60
    monkeypatch.setenv("HOME", str(here.path))
    with pytest.raises(StoreError) as caught:
        store.credential("marketing-us")
    assert caught.value.code.name == "key-missing"
    with sqlite3.connect(here.path / ".reconciler" / "sandbox.db") as connection:
        connection.execute("UPDATE records SET version = 9 WHERE name = 'marketing-us'")
    with pytest.raises(StoreError) as caught:
        store.credential("marketing-us")
    assert caught.value.code.name == "tampered"


def test_what_was_deleted_is_not_served_from_memory(here):
    clock = Clock()
    store = served(clock)
    store.credential("otp-apac")
    text = (here.path / "credentials.yaml").read_text()
    here.write(text[: text.index("  otp-apac")])
    assert here.sandbox("apply", "--yes", "--prune").code == 0
    clock.time += 60
    for _ in range(2):
        with pytest.raises(UsageError):
            store.credential("otp-apac")


def test_an_old_name_reads_on_with_a_warning(here):
    here.edit("  marketing-us:\n", "  marketing-na:\n    moved_from: marketing-us\n")
    assert here.sandbox("apply", "--yes").code == 0
    with pytest.warns(reconciler.CredentialWarning, match="marketing-us is marketing-na now"):
        credential = opened().credential("marketing-us")
    assert (credential.name, credential.reveal()) == ("marketing-na", here.env["TWILIO_AUTH_TOKEN"])


# the provider's 401


class Refused(Exception):
    pass


def counting(right: str):
    asked = []

    def call(credential):
        asked.append(credential.version)
        if credential.reveal() != right:
            raise Refused
        return "sent"

    return call, asked


def refused(error: Exception) -> bool:
    return isinstance(error, Refused)


def test_a_refused_credential_is_looked_up_again_once(here):
    store = opened()
    store.credential("marketing-us")
    call, asked = counting(rotated(here))
    assert store.with_credential("marketing-us", call, refused) == "sent"
    assert asked == [1, 2]
    assert store.with_credential("marketing-us", call, refused) == "sent"
    assert asked == [1, 2, 2]


def test_where_nothing_newer_is_stored_the_refusal_stands_after_one_try(here):
    call, asked = counting("another")
    with pytest.raises(Refused):
        opened().with_credential("marketing-us", call, refused)
    assert asked == [1]


def test_what_is_no_refusal_is_not_tried_again(here):
    def call(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        opened().with_credential("marketing-us", call, refused)


def test_where_the_store_is_away_the_refusal_stands(here):
    store = opened()
    store.credential("marketing-us")
    (here.path / ".reconciler").rename(here.path / "away")
    call, asked = counting("another")
    with pytest.raises(Refused):
        store.with_credential("marketing-us", call, refused)
    assert asked == [1]


# Twilio's own library, as the README has it


@contextmanager
def sandboxed():
    """The sandbox on loopback, for a client of another library."""
    process = subprocess.Popen([sys.executable, "-m", "reconciler", "sandbox"], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


class Loopback(TwilioHttpClient):
    """Sends what is meant for Twilio to a sandbox."""

    def __init__(self, origin: str) -> None:
        super().__init__(pool_connections=False)
        self.origin = origin

    def request(self, method, url, headers=None, **rest):
        host, path = re.fullmatch(r"https://([^/]+)(/.*)", url).groups()
        return super().request(method, self.origin + path, headers={**(headers or {}), "Host": host}, **rest)


def readme_example() -> str:
    """The program of the README."""
    text = (ROOT / "README.md").read_text()
    (program,) = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "twilio" in code]
    return program


def test_the_readmes_program_works_with_twilios_library(here, monkeypatch):
    program = readme_example()
    assert "def account(" in program
    names: dict = {}
    monkeypatch.setenv("RECONCILER_STORE", "sqlite:///.reconciler/sandbox.db")
    with sandboxed() as origin:
        monkeypatch.setattr("reconciler.open_store", lambda *_, **__: opened())
        monkeypatch.setattr("twilio.rest.Client", lambda *given: Client(*given, http_client=Loopback(origin)))
        exec(compile(program, "README.md", "exec"), names)
        store = names["store"]
        assert store.with_credential("marketing-us", names["account"], names["refused"]) == "Sandbox account 0001"
        rotated(here)
        assert store.with_credential("marketing-us", names["account"], names["refused"]) == "Sandbox account 0001"
        store.credential("marketing-us").refresh()
        assert store.with_credential("marketing-us", names["account"], names["refused"]) == "Sandbox account 0007"


def test_twilios_401_is_seen_as_a_refusal(here):
    names: dict = {}
    exec(compile(readme_example(), "README.md", "exec"), names)
    with sandboxed() as origin:
        client = Client(SID, "f" * 32, http_client=Loopback(origin))
        with pytest.raises(TwilioRestException) as caught:
            client.api.accounts(SID).fetch()
    assert names["refused"](caught.value)
    assert not names["refused"](ValueError())
