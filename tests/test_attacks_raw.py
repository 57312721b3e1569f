"""ATTACKS 50: whatever stands in any place of a store, no command ends as a bug, nor hands a terminal what it obeys."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import cycle, islice, repeat
from pathlib import Path

import pytest

from reconciler import cli

TEXT = "\x1b[2J\u202e\x9b" * 5
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WRONG = "f" * 32
SHOWN = (
    ("list",), ("list", "--format", "markdown"), ("get", "marketing-us"), ("get", "marketing-us", "--version", "1"),
    ("get", "otp-apac"), ("history",), ("plan",), ("lock", "show"), ("audit", "verify"),
)  # fmt: skip


@pytest.fixture
def lived_in(applied, monkeypatch):
    """The project as this very process sees it: a former version, a refused submission, a read, a lease."""
    applied.edit("label: Marketing US", "label: Another\n    rotate_every: 9999d\n    expires_on: 2027-01-01")
    assert applied.sandbox("apply", "--yes").code == 0
    assert applied.sandbox("read", "marketing-us", "auth_token", "--reveal").code == 0
    assert applied.sandbox("apply", "--yes", env={"INFOBIP_API_KEY": "wrong-key-of-somebody"}).code == 3
    monkeypatch.chdir(applied.path)
    for name, value in applied.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "250")
    return Path(".reconciler") / "sandbox.db"


def ways(value, way: tuple = ()) -> Iterator[tuple]:
    """The way to every place of a JSON document; of a list to its first."""
    yield way
    if isinstance(value, dict):
        for key, one in value.items():
            yield from ways(one, (*way, key))
    elif isinstance(value, list) and value:
        yield from ways(value[0], (*way, 0))


def altered(old: str, way: tuple, value, *, as_key: bool) -> str:
    """The document with the value in one place, or as the name of that place."""
    document = json.loads(old)
    place = document
    for step in way[:-1]:
        place = place[step]
    if not as_key:
        place[way[-1]] = value
    elif isinstance(place, dict):
        place[str(value)] = place.pop(way[-1])
    return json.dumps(document)


def alterations(store: sqlite3.Connection, values: Iterator) -> list[tuple[str, tuple]]:
    """Statements that put a value into one column, or into one place of the JSON that stands in one."""
    found, seen = [], set()
    tables = [name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        columns = store.execute(f"PRAGMA table_info({table})").fetchall()
        # the one kind of column into which SQLite itself takes no text
        number = [name for _, name, kind, *_, key in columns if (kind, key) == ("INTEGER", 1)]
        alone = len([key for *_, key in columns if key]) == 1
        for column in [name for _, name, *_ in columns if not (alone and name in number)]:
            value = next(values)
            plain = json.dumps(value) if isinstance(value, list | dict) else value
            found.append((f"UPDATE OR IGNORE {table} SET {column} = ?", (plain,)))
            for row, old in store.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
                if not isinstance(old, str) or old[:1] not in ("{", "["):
                    continue
                for way in filter(None, ways(json.loads(old))):
                    for as_key in (False, True):
                        if (table, column, way, as_key) not in seen:
                            seen.add((table, column, way, as_key))
                            made = altered(old, way, next(values), as_key=as_key)
                            found.append((f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (made, row)))
    return found


def met(lived_in: Path, command: tuple[str, ...], values: Iterator, capsys) -> Iterator[tuple[int, str, object]]:
    """How the command ends with each alteration, what it writes, and what was altered."""
    good = shutil.copy(lived_in, "good.db")
    with closing(sqlite3.connect(good)) as store:
        cases = alterations(store, values)
    assert len(cases) > 200
    for case in cases:
        shutil.copy(good, lived_in)
        with closing(sqlite3.connect(lived_in)) as store, store:
            store.execute("PRAGMA ignore_check_constraints = 1")
            with suppress(sqlite3.IntegrityError):
                store.execute(*case)
        capsys.readouterr()
        code = cli.run([*command, "--sandbox"])
        yield code, "".join(capsys.readouterr()), case


@pytest.mark.parametrize("command", SHOWN, ids=" ".join)
def test_attack_50_no_cell_of_a_store_reaches_the_terminal_raw(lived_in, command, capsys):
    for code, shown, case in met(lived_in, command, repeat(TEXT), capsys):
        assert code != 70, (case, shown)
        assert not RAW.search(shown), case


ODD = (
    "2026-11-24", "9999-12-31T23:59:59.999Z", "", -1, 2**62, 1.5, None, [["a"]], {"a": {}}, True, "9" * 5000,
    "\ud7ff" * 9, "9999d", "accepted",
)  # fmt: skip
"""What is not raw, and may be taken for what it is not: each place meets some of it, each command another part."""


@pytest.mark.parametrize("start", range(len(SHOWN)))
def test_no_cell_of_a_store_is_a_bug(lived_in, start, capsys):
    for code, shown, case in met(lived_in, SHOWN[start], islice(cycle(ODD), start, None), capsys):
        assert code in (0, 1, 3, 4, 5, 64), (case, shown)
