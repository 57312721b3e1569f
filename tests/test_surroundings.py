"""Ordinary trouble around the program: streams closed, paths impossible, stores gone or garbled. Never a bug's exit."""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
import sys

import pytest
from test_terminal import Typist


def shell(project, script: str):
    command = f'reconciler() {{ {shlex.quote(sys.executable)} -m reconciler "$@"; }}; {script}'
    done = subprocess.run(["bash", "-c", command], cwd=project.path, env=project.env, capture_output=True, text=True,
                          timeout=60)  # fmt: skip
    assert "error[bug]" not in done.stderr + done.stdout, done.stderr
    return done


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("reconciler list --sandbox | true; exit ${PIPESTATUS[0]}", 0),
        ("reconciler plan --sandbox >&-", 0),
        ("reconciler validate <&-", 0),
        ("mkfifo ff; reconciler validate -f ff", 64),
        ("mkfifo ff; reconciler show ff", 64),
        ("mkfifo ff; reconciler plan --sandbox --out ff", 64),
        ("mkfifo ff; reconciler apply ff --sandbox", 64),
        ("reconciler show /dev/zero", 64),
        ("reconciler show .", 64),
        ("truncate -s 65M big; reconciler show big", 4),
        ("mkfifo ff; reconciler audit verify --sandbox --anchors ff", 64),
        ("mkfifo ff; reconciler history --sandbox --anchors ff", 64),
        ("truncate -s 17M big; reconciler audit verify --sandbox --anchors big", 64),
        ("mkfifo -m 600 ff; reconciler list --sandbox --key-file ff", 0),
        ("mkfifo -m 600 ff; reconciler audit verify --sandbox --key-file ff", 5),
        ("mkfifo ff; reconciler check --sandbox --ca-file ff", 64),
        ("echo nothing > ca; reconciler check --sandbox --ca-file ca", 64),
        ("reconciler validate -f $(printf 'a%.0s' {1..300})", 64),
        ("reconciler plan --sandbox --key-file $(printf 'a%.0s' {1..300})", 5),
        ("mkdir gone; cd gone; rmdir ../gone; reconciler validate", 64),
        ("mkdir w; touch w/sinch-token.d; mkdir -p w/sinch-token; reconciler sandbox env --write-files w", 64),
    ],
)
def test_surroundings(applied, script, code):
    assert shell(applied, script).returncode == code


@pytest.mark.parametrize(
    "statement",
    [
        """update records set declared='{"common":[],"settings":1,"references":null}'""",
        """update records set declared='{}'""",
        """update records set declared=replace(hex(zeroblob(50000)), '0', '[')""",
        """update records set name=x'ff' where name='marketing-us'""",
        """update records set version=7""",
        """update records set row_hash='x'""",
        """delete from events""",
        """delete from events where seq=(select max(seq) from events)""",
        """update store set mode='weird'""",
        """pragma user_version=-1""",
    ],
)
@pytest.mark.parametrize("command", [["list"], ["apply", "--yes"]], ids=lambda c: c[0])
def test_a_garbled_store_is_exit_5(applied, statement, command):
    with sqlite3.connect(applied.path / ".reconciler" / "sandbox.db") as connection:
        connection.execute("pragma ignore_check_constraints=on")
        connection.execute(statement)
    done = applied.sandbox(*command)
    assert done.code == 5, done.out + done.err


@pytest.mark.parametrize(
    "verdict",
    ['{"answer":"rejected","code":"nope"}', '{"answer":"valid","code":"accepted","at":"junk"}', "[]", "[" * 100_000],
)
def test_a_garbled_verdict_is_exit_5_where_it_is_read(applied, verdict):
    with sqlite3.connect(applied.path / ".reconciler" / "sandbox.db") as connection:
        connection.execute("update records set verdict=?", (verdict,))
    assert applied.sandbox("list").code == 5


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_store_that_goes_away_at_the_prompt_is_no_success(applied, how):
    applied.edit("label: Marketing US", "label: Another")
    store = applied.path / ".reconciler" / "sandbox.db"
    backup = applied.path / "backup.db"
    with sqlite3.connect(store) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    backup.chmod(0o600)
    person = Typist(applied, "apply", "--sandbox")
    person.read_until("Only 'yes' will be accepted")
    if how == "removed":
        for file in store.parent.iterdir():
            file.unlink()
    else:
        backup.replace(store)
    person.type("yes\n")
    assert person.end() == 5
    assert "while it was open" in person.seen


def test_a_row_put_back_is_found_by_reading_alone(applied):
    store = applied.path / ".reconciler" / "sandbox.db"
    with sqlite3.connect(store) as connection:
        rows = connection.execute("select * from records where name='marketing-us'").fetchall()
    applied.edit("label: Marketing US", "label: Another")
    applied.sandbox("apply", "--yes")
    with sqlite3.connect(store) as connection:
        connection.execute("delete from records where name='marketing-us'")
        connection.execute(f"insert into records values ({','.join('?' * len(rows[0]))})", rows[0])
    for command in (["list"], ["plan"], ["apply", "--yes"]):
        done = applied.sandbox(*command)
        assert (done.code, "error[tampered]" in done.err) == (5, True), command
