"""Attacks on a store's file, through the commands: an error that names the credential, and nothing else done.

That each layer beneath finds them by itself is held by ``conformance/test_store.py`` and ``test_sealing.py``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from reconciler import keyfiles, sealing

KEYS = ".config/reconciler/keys"
WATCHED = ("records", "secrets", "rejections", "events")


@dataclass
class Store:
    """The sandbox store of a project, as somebody sees it who can write to its file."""

    project: object
    file: str = "sandbox.db"

    def run(self, sql: str, *values):
        with closing(sqlite3.connect(self.project.path / ".reconciler" / self.file)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    def sealed(self, name: str):
        return self.run("SELECT sealed FROM secrets WHERE name = ? AND keep_until = ''", name)[0][0]

    def seal(self, name: str, blob: bytes) -> None:
        self.run("UPDATE secrets SET sealed = ? WHERE name = ? AND keep_until = ''", blob, name)

    def content(self) -> dict[str, list]:
        return {table: self.run(f"SELECT * FROM {table}") for table in WATCHED}


def swapped(project) -> str:
    store = Store(project)
    one, other = store.sealed("marketing-us"), store.sealed("otp-apac")
    store.seal("marketing-us", other)
    store.seal("otp-apac", one)
    return "marketing-us"


def moved(project) -> str:
    """The row of one workspace in place of another's, where it has the same name."""
    store = Store(project)
    for table in ("secrets", "records"):
        store.run(f"DELETE FROM {table} WHERE workspace = 'dev'")
        store.run(f"UPDATE {table} SET workspace = 'dev' WHERE name = 'marketing-us'")
    return "marketing-us"


def renamed_field(project) -> str:
    Store(project).run("UPDATE secrets SET field = 'api_key_secret' WHERE name = 'marketing-us'")
    return "marketing-us"


def old_for_new(project) -> str:
    """What an earlier version held, in place of the current one."""
    store = Store(project)
    old = store.run("SELECT sealed, fingerprint FROM secrets WHERE name = 'marketing-us' AND version = 1")[0]
    store.run("UPDATE secrets SET sealed = ?, fingerprint = ? WHERE name = 'marketing-us' AND version = 2", *old)
    return "marketing-us"


def of_another_store(project) -> str:
    other = Store(project, "other.db").run("SELECT sealed, key_id FROM secrets WHERE name = 'marketing-us'")[0]
    Store(project).run("UPDATE secrets SET sealed = ?, key_id = ? WHERE name = 'marketing-us'", *other)
    return "marketing-us"


def relabelled_key(project) -> str:
    Store(project).run("UPDATE secrets SET key_id = '00000000deadbeef' WHERE name = 'marketing-us'")
    return "marketing-us"


def flipped(project) -> str:
    blob = bytearray(Store(project).sealed("marketing-us"))
    blob[-20] ^= 1
    Store(project).seal("marketing-us", bytes(blob))
    return "marketing-us"


def cut(project) -> str:
    Store(project).seal("marketing-us", Store(project).sealed("marketing-us")[:-1])
    return "marketing-us"


@pytest.fixture
def counted():
    """A loopback server in every provider's place, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    routes = [f"--sandbox-url={name}=http://127.0.0.1:{server.server_port}" for name in ("twilio", "sinch", "infobip")]
    yield asked, routes
    server.shutdown()
    server.server_close()


@pytest.fixture
def deep(applied):
    """A store with two workspaces and two versions of a secret, and another store with the same names."""
    applied.edit("00000001\n", "00000009\n")
    applied.right_secrets()
    assert applied.sandbox("apply", "--yes").code == 0
    assert applied.sandbox("apply", "--yes", "--store", "sqlite:///.reconciler/other.db").code == 0
    applied.write((applied.path / "credentials.yaml").read_text().replace("production", "dev"), "dev.yaml")
    assert applied.sandbox("apply", "--yes", "--new-workspace", "-f", "dev.yaml").code == 0
    return applied


ALTERED: dict[str, tuple[Callable, str]] = {
    "01 swapped": (swapped, "production"),
    "02 moved": (moved, "dev"),
    "03 field": (renamed_field, "production"),
    "04 old version": (old_for_new, "production"),
    "07 another store's": (of_another_store, "production"),
    "08 key id": (relabelled_key, "production"),
    "09 flipped bit": (flipped, "production"),
    "09 cut": (cut, "production"),
}


@pytest.mark.parametrize("attack", ALTERED)
def test_attacks_01_to_04_and_07_to_09_end_a_run_before_anything_is_asked_or_written(attack, deep, counted):
    alter, workspace = ALTERED[attack]
    name = alter(deep)
    asked, routes = counted
    manifest = "credentials.yaml" if workspace == "production" else "dev.yaml"
    deep.edit("label: Marketing US", "label: Marketing", manifest)
    blob, before = Store(deep).sealed(name), Store(deep).content()
    for line in (["check", "-w", workspace], ["apply", "--yes", "-f", manifest]):
        done = deep.run(*line, *routes)
        assert done.code == 5, done.out + done.err
        assert "error[tampered]" in done.out + done.err
        assert f"{name} in {workspace}" in done.out + done.err
        assert blob[-8:].hex() not in done.out + done.err
        assert "InvalidTag" not in done.out + done.err
    assert Store(deep).content() == before
    assert asked == []


def test_the_same_runs_ask_and_write_where_nothing_was_altered(deep, counted):
    asked, routes = counted
    deep.edit("label: Marketing US", "label: Marketing")
    before = Store(deep).content()
    assert deep.run("check", "-w", "production", *routes).code == 3
    assert len(asked) == 3
    assert deep.run("apply", "--yes", *routes).code == 0
    assert Store(deep).content() != before


def test_attack_69_a_wrong_key_is_named_and_no_key_is_made_or_replaced(applied):
    keys = applied.path.parent / "home" / KEYS
    before, stored = {path: path.read_bytes() for path in keys.iterdir()}, Store(applied).content()
    wrong = sealing.new_wrapping_key()
    applied.edit("label: Marketing US", "label: Marketing")
    keyfiles.write_key_file(applied.path / "wrong.key", wrong)
    for arguments, env in ((["--key-file", "wrong.key"], {}), ([], {"RECONCILER_KEY": wrong.reveal()})):
        for command in (["apply", "--yes"], ["plan"], ["check"], ["key", "backup"]):
            done = applied.sandbox(*command, *arguments, env=env)
            assert done.code == 5, (command, done.out, done.err)
            assert "key-wrong" in done.out + done.err
            assert f"given was key {sealing.wrapping_key_id(wrong)}" in done.out + done.err
            assert wrong.reveal() not in done.out + done.err
    assert {path: path.read_bytes() for path in keys.iterdir()} == before
    assert Store(applied).content() == stored


def test_attack_69_an_absent_key_is_not_replaced_by_a_new_one(applied):
    (key,) = (applied.path.parent / "home" / KEYS).iterdir()
    key.unlink()
    applied.edit("label: Marketing US", "label: Marketing")
    for command in (["apply", "--yes"], ["check"], ["key", "backup"], ["store", "create"]):
        assert applied.sandbox(*command).code == 5, command
    assert not key.exists()


# what whoever can write to the file does with the hash as well: it has no key


def redirected(project) -> str:
    """Another host in the settings, and the record's hash made anew wherever it stands."""
    import json

    from reconciler import audit
    from reconciler.stores import sqlite

    store = Store(project)
    name = "otp-apac"
    ((declared,),) = store.run("SELECT declared FROM records WHERE name = ?", name)
    changed = json.loads(declared)
    changed["settings"]["base_url"] = "https://attacker.example"
    text = json.dumps(changed, sort_keys=True, separators=(",", ":"))
    with closing(sqlite.open_store(project.path / ".reconciler" / "sandbox.db")) as opened:
        sealed = opened.sealed("production", name)
    store.run("UPDATE records SET declared = ? WHERE name = ?", text, name)
    (row,) = store.run(f"SELECT {', '.join(audit.ROW)} FROM records WHERE name = ?", name)
    found = audit.row_hash(dict(zip(audit.ROW, row, strict=True)), sealed)
    store.run("UPDATE records SET row_hash = ? WHERE name = ?", found, name)
    store.run("UPDATE events SET row_hash = ? WHERE name = ?", found, name)
    return name


@pytest.mark.parametrize(
    "command",
    [("read", "otp-apac", "api_key", "--reveal"), ("exec", "otp-apac", "--", "env"), ("export", "--format", "json")],
    ids=lambda command: command[0],
)
def test_attack_05_no_secret_goes_where_its_provider_has_no_host(applied, command):
    redirected(applied)
    done = applied.run(command[0], "--sandbox", *command[1:])
    assert done.code == 5
    assert "error[tampered]" in done.err
    assert "the settings of otp-apac in production are none that its provider has" in done.err
    assert applied.env["INFOBIP_API_KEY"] not in done.out + done.err


def test_attack_05_a_check_says_that_it_could_not_ask(applied):
    redirected(applied)
    done = applied.sandbox("check", "otp-apac")
    assert done.code == 1
    assert "otp-apac" in done.out + done.err
    assert applied.sandbox("check", "otp-apac", "--format", "json").json["problems"]
    assert applied.sandbox("audit", "verify").code == 5
