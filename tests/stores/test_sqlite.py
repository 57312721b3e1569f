"""What is peculiar to SQLite: the file and who may open it, crashes, what its errors are called."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import storing
from builders import ORIGIN
from storing import LEA, WORKSPACE, tell

from reconciler import audit, sealing
from reconciler.errors import StoreError
from reconciler.model import Mode
from reconciler.stores import _sql, sqlite
from reconciler.stores._database import typed

TESTS = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "private" / "store.db"


@pytest.fixture
def kit(path):
    made = storing.sqlite_kit(path)
    yield made
    made.close()


def refused(code, function, *arguments, **keywords) -> StoreError:
    with pytest.raises(StoreError) as caught:
        function(*arguments, **keywords)
    assert (caught.value.code.name, caught.value.code.exit) == (code, 5)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def create(path):
    store_id = sealing.new_store_id()
    _, slot = sealing.new_data_key(store_id, sealing.new_wrapping_key())
    return sqlite.create_store(path, store_id, Mode.LIVE, "lea", slot)


def digest(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def modes(folder) -> dict[str, int]:
    return {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()}


# making and opening


def test_opening_an_absent_store_makes_nothing(path, tmp_path):
    error = refused("store-missing", sqlite.open_store, path)
    assert str(path) in error.detail
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    refused("store-missing", sqlite.open_store, tmp_path / "file" / "store.db")


def test_a_made_store_says_which_it_is(path):
    with closing(create(path)) as store:
        assert (store.info.mode, store.info.display) == (Mode.LIVE, str(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (sqlite.APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT schema_version, mode, created_by FROM store").fetchall() == [
            (1, "live", "lea")
        ]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_connection_waits_checks_and_syncs(kit):
    pragmas = {"synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000, "secure_delete": 1}
    connection = kit.store._db._connection
    assert {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas} == pragmas


def test_a_relative_path_is_shown_as_given(path, monkeypatch):
    path.parent.mkdir(mode=0o700)
    monkeypatch.chdir(path.parent)
    with closing(create(Path("store #1?.db"))) as store:
        assert store.info.display == "store #1?.db"
    assert modes(path.parent) == {"store #1?.db": 0o600}


def test_making_one_over_anything_is_refused(path, kit, tmp_path):
    before = digest(path)
    refused("store-exists", create, path)
    assert digest(path) == before
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere")
    refused("store-exists", create, tmp_path / "link.db")
    (tmp_path / "other.db-wal").touch()
    assert "other.db-wal exists" in refused("store-exists", create, tmp_path / "other.db").detail
    assert not (tmp_path / "other.db").exists()


def test_a_store_that_could_not_be_made_leaves_nothing(path, monkeypatch):
    monkeypatch.setattr(_sql, "PUT_SLOT", "INSERT INTO nowhere VALUES (1)")
    refused("store-unreachable", create, path)
    assert list(path.parent.iterdir()) == []


def test_a_place_where_none_can_be_made_is_unreachable(tmp_path):
    (tmp_path / "file").touch()
    refused("store-unreachable", create, tmp_path / "file" / "store.db")


# whose file it is


def test_attack_41_a_linked_database_is_refused(kit, path, tmp_path):
    kit.close()
    link = path.parent / "link.db"
    link.symlink_to(path)
    error = refused("store-refused", sqlite.open_store, link)
    assert "is a link" in error.detail


def test_attack_41_a_database_swapped_while_it_is_opened_is_refused(kit, path, tmp_path, monkeypatch):
    kit.close()
    other = tmp_path / "other.db"
    create(other).close()
    connect = sqlite._connect

    def swapping(where):
        other.replace(path)
        return connect(where)

    monkeypatch.setattr(sqlite, "_connect", swapping)
    assert "was replaced" in refused("store-refused", sqlite.open_store, path).detail


def test_attack_42_database_wal_and_shm_are_ours_alone_whatever_the_umask(path):
    old = os.umask(0o022)
    try:
        with closing(create(path)) as store:
            store.release(store.acquire(WORKSPACE, LEA, 1))
            assert modes(path.parent) == dict.fromkeys(("store.db", "store.db-wal", "store.db-shm"), 0o600)
    finally:
        os.umask(old)
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("beside", ["", "-wal", "-journal"])
def test_a_database_open_to_others_is_refused_with_the_command(kit, path, beside):
    kit.close()
    file = Path(f"{path}{beside}")
    file.touch()
    file.chmod(0o640)
    error = refused("store-refused", sqlite.open_store, path)
    assert error.hint == f"chmod 600 {file}"
    assert "mode 0640" in error.detail


def test_a_database_of_somebody_else_is_refused(kit, path, monkeypatch):
    us = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: us + 1)
    error = refused("store-refused", sqlite.open_store, path)
    assert error.hint == f"sudo chown {us + 1} {path}"


@pytest.mark.parametrize(("mode", "who"), [(0o777, "anybody"), (0o707, "anybody"), (0o770, "its group")])
def test_a_folder_where_others_may_swap_the_file_is_refused(kit, path, mode, who):
    kit.close()
    path.parent.chmod(mode)
    error = refused("store-refused", sqlite.open_store, path)
    assert error.detail == f"{who} may replace files in {path.parent}"
    assert error.hint.startswith(f"chmod go-w {path.parent}, or ")
    refused("store-refused", create, path.parent / "other.db")
    for mine in (0o1777, 0o1770, 0o755):
        path.parent.chmod(mine)
        sqlite.open_store(path).close()


def test_a_folder_in_place_of_a_database_is_refused(tmp_path):
    (tmp_path / "store.db").mkdir()
    assert "not a regular file" in refused("store-refused", sqlite.open_store, tmp_path / "store.db").detail


# versions


def test_a_newer_store_is_refused_untouched(kit, path):
    kit.commit(tell("a"))
    kit.close()
    kit.raw(f"PRAGMA user_version = {_sql.VERSION + 1}")
    before = digest(path)
    error = refused("store-newer", sqlite.open_store, path)
    assert f"version {_sql.VERSION + 1}" in error.detail
    assert digest(path) == before
    assert list(modes(path.parent)) == ["store.db"]


def test_an_older_store_is_led_to_this_version_in_one_step_after_another(kit, path, monkeypatch):
    kit.commit(kit.put("a"))
    kit.close()
    later = {
        **_sql.UPGRADES,
        2: ("ALTER TABLE records ADD COLUMN note TEXT NOT NULL DEFAULT ''",),
        3: ("UPDATE records SET note = 'three'",),
    }
    monkeypatch.setattr(_sql, "UPGRADES", later)
    monkeypatch.setattr(_sql, "VERSION", 3)
    assert kit.unsealed("a") == {"auth_token": storing.VALUE}
    assert kit.raw("SELECT note FROM records") == [("three",)]
    assert kit.raw("PRAGMA user_version") == kit.raw("SELECT schema_version FROM store") == [(3,)]


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(kit, path, monkeypatch):
    kit.close()
    steps = {**_sql.UPGRADES, 2: ("ALTER TABLE records ADD COLUMN note TEXT", "INSERT INTO nowhere VALUES (1)")}
    monkeypatch.setattr(_sql, "UPGRADES", steps)
    monkeypatch.setattr(_sql, "VERSION", 2)
    refused("store-unreachable", sqlite.open_store, path)
    assert kit.raw("PRAGMA user_version") == [(1,)]
    with pytest.raises(sqlite3.OperationalError):
        kit.raw("SELECT note FROM records")


def test_the_schema_of_version_1_is_final():
    """A store that was released cannot be changed by an edit: add version 2."""
    text = "\n".join(_sql.UPGRADES[1])
    found = hashlib.sha256(text.encode()).hexdigest()
    assert found == "ca1374ce3ef825c6c308b9d6a2289b47dc811e1d35d9be0839a50e147eb70b68"


# what goes wrong


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"version: 1\n" * 100, "not a SQLite database"), (b"", "the making of it broke off")],
)
def test_a_file_that_is_no_store_is_not_opened(path, content, words):
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)
    assert words in refused("store-unreachable", sqlite.open_store, path).detail
    assert path.read_bytes() == content


def test_another_programs_database_is_not_opened(path):
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (a)")
        connection.execute("PRAGMA user_version = 7")
    path.chmod(0o600)
    before = digest(path)
    assert "is another's" in refused("store-unreachable", sqlite.open_store, path).detail
    assert digest(path) == before


def test_a_damaged_file_is_named_so(kit, path):
    kit.commit(*[kit.put(f"n{n}") for n in range(50)])
    kit.close()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (path.stat().st_size - 8192))
    assert "damaged" in refused("store-unreachable", lambda: kit.store.load(WORKSPACE)).detail


def test_a_store_that_lost_its_name_or_its_tables_is_damaged(kit, path):
    kit.close()
    kit.raw("DELETE FROM store")
    assert "damaged" in refused("store-unreachable", sqlite.open_store, path).detail
    kit.raw("DROP TABLE store")
    assert "its tables" in refused("store-unreachable", sqlite.open_store, path).detail


def test_a_store_that_another_program_holds_is_unreachable_after_a_while(kit, path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    kit.store.load(WORKSPACE)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "another program" in refused("store-unreachable", kit.lease).detail
        kit.store.load(WORKSPACE)
        other.execute("ROLLBACK")
    kit.lease()


def test_a_full_disk_leaves_the_store_as_it_was(kit):
    kit.commit(kit.put("a"))
    connection = kit.store._db._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    lease = kit.lease()
    puts = [kit.put(f"n{n}", label="x" * 3000) for n in range(20)]
    assert "the disk is full" in refused("store-unreachable", kit.commit, *puts, lease=lease).detail
    connection.execute(f"PRAGMA max_page_count = {pages * 100}")
    assert set(kit.store.load(WORKSPACE).records) == {"a"}
    assert kit.commit(*puts, lease=lease) == [True] * 20
    assert kit.broken() == []


def test_a_disk_without_room_for_the_shm_file_is_called_full(kit, path):
    """32 KiB that SQLite takes to open a store, if only to read (sqlite.org/walformat.html, 2)."""
    kit.store.close()
    code = """
import resource, sys
from pathlib import Path
from reconciler.errors import StoreError
from reconciler.stores import sqlite
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
try:
    sqlite.open_store(Path(sys.argv[1]))
except StoreError as error:
    print(error.code.name, error.detail)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"store-unreachable {path}: the disk is full: there is no room for the -shm file beside it\n"


class Interrupted:
    """A connection that is interrupted as soon as it has done anything."""

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def execute(self, sql):
        self.connection.execute(sql)
        if sql.startswith("BEGIN"):
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["reading", "writing"])
def test_a_signal_just_after_a_transaction_began_ends_it(kit, monkeypatch, kind):
    database = kit.store._db
    with monkeypatch.context() as patched:
        patched.setattr(database, "_connection", Interrupted(database._connection))
        with pytest.raises(KeyboardInterrupt), getattr(database, kind)():
            pass
    assert not database._connection.in_transaction


def test_text_that_is_not_utf_8_is_named_so(kit):
    kit.commit(kit.put("a"))
    kit.raw("UPDATE records SET created_by = CAST(x'ff' AS TEXT)")
    refused("store-unreachable", kit.store.load, WORKSPACE)


@pytest.mark.parametrize("value", ["zeroblob(3000000)", "hex(zeroblob(1500000))"])
def test_a_value_of_any_length_is_not_read_into_memory(kit, value):
    kit.commit(kit.put("a"))
    kit.raw(f"UPDATE records SET created_by = {value}")
    assert "a row has more than 2 MiB" in refused("store-unreachable", kit.store.load, WORKSPACE).detail


def test_what_is_too_long_to_be_read_is_not_written(kit):
    lease = kit.lease()
    puts = [kit.put("a"), kit.put("b", label="x" * 2_100_000)]
    assert "a row has more than 2 MiB" in refused("store-unreachable", kit.commit, *puts, lease=lease).detail
    assert kit.store.load(WORKSPACE).records == {}
    assert kit.commit(kit.put("a"), lease=lease) == [True]


def test_a_bug_of_ours_is_not_called_the_stores_fault(kit):
    with pytest.raises(sqlite3.IntegrityError), kit.store._db.writing():
        kit.store._db.run("INSERT INTO workspaces VALUES (NULL, NULL, NULL, NULL)")


def test_a_closed_store_leaves_one_file_and_no_old_secret_in_the_log(kit, path):
    kit.commit(kit.put("a"))
    kit.close()
    assert list(modes(path.parent)) == ["store.db"]


def test_the_connection_may_move_to_another_thread(kit):
    import threading

    done = []
    thread = threading.Thread(target=lambda: done.append(kit.commit(kit.put("a"))))
    kit.store.load(WORKSPACE)
    thread.start()
    thread.join()
    assert done == [[True]]


# crashes

CRASH = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
import storing
from builders import ORIGIN
from reconciler import audit, sealing
from reconciler.secret import Secret
from reconciler.stores import sqlite

path, key, at = Path(sys.argv[1]), Secret(sys.argv[2]), sys.argv[3]
store = sqlite.open_store(path, keep_old=timedelta(0))
ring = sealing.open_keyring(store.info.id, store.slots(), key)
kit = storing.Kit(ring, key, lambda: store, None, storing.Clock())
lease = kit.lease()
puts = [kit.put("a", version=2, expected=1, value="another-secret-value"), kit.put("b"), storing.reject("c"),
        kit.move("old", "new")]

def trace(statement):
    if statement.startswith(at):
        os.kill(os.getpid(), signal.SIGKILL)

store._db._connection.set_trace_callback(trace)
kit.commit(*puts, lease=lease)
"""


def child(code, *arguments):
    environ = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=environ)


@pytest.mark.parametrize(
    "at", ["SAVEPOINT", "INSERT INTO previous", "UPDATE secrets", "INSERT INTO secrets", "INSERT INTO events",
           "INSERT INTO records", "DELETE FROM rejections", "INSERT INTO rejections", "UPDATE workspaces",
           "UPDATE leases", "COMMIT", "DELETE FROM records", "DELETE FROM secrets", "DELETE FROM previous"],
)  # fmt: skip
def test_attack_70_killed_in_the_middle_of_a_commit_the_store_is_whole(kit, path, at):
    kit.commit(kit.put("a"), kit.put("old"), reject := storing.reject("b"))
    kit.close()
    process = child(CRASH, path, kit.key.reveal(), at)
    assert process.wait(60) == -signal.SIGKILL
    snapshot = kit.store.load(WORKSPACE)
    assert (snapshot.serial, set(snapshot.records)) == (1, {"a", "old"})
    assert set(snapshot.rejections) == {reject.rejection.name}
    assert kit.unsealed("a") == kit.unsealed("old") == {"auth_token": storing.VALUE}
    assert kit.broken() == []
    assert kit.raw("PRAGMA integrity_check") == [("ok",)]
    kit.clock.forward(days=365)
    writes = kit.put("a", version=2, expected=1), kit.put("b"), kit.move("old", "new")
    assert kit.commit(*writes) == [True, True, True]


def test_attack_44_a_secret_that_is_gone_for_good_is_in_no_file_of_the_store(kit, path):
    kit.commit(kit.put("a"))
    (old,) = kit.store.sealed(WORKSPACE, "a")
    kit.commit(kit.put("a", version=2, expected=1, value="another-secret-value"))

    def files() -> bytes:
        return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))

    assert old.sealed in files()
    kit.clock.forward(days=7)
    kit.commit(storing.tell("b"))
    # the store is still open: nothing was tidied up by closing it
    assert old.sealed not in files()
    assert kit.unsealed("a") == {"auth_token": "another-secret-value"}


def test_attack_44_ending_a_lease_tidies_up_what_it_forgets_too(kit, path):
    kit.commit(kit.put("a"))
    (old,) = kit.store.sealed(WORKSPACE, "a")
    kit.commit(kit.put("a", version=2, expected=1, value="another-secret-value"))
    kit.clock.forward(days=7)
    lease = kit.lease()
    ended = audit.taken_away({"id": lease.id, "actor": "lea"}, ORIGIN, "2026-11-30T14:02:08.125Z")
    kit.store.take_away(lease, ended, kit.ring.mac(WORKSPACE))
    assert old.sealed not in b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


def test_a_reader_that_keeps_a_moment_open_does_not_stop_a_write_that_cleans(kit, path):
    kit.commit(kit.put("a"))
    kit.commit(kit.put("a", version=2, expected=1))
    kit.clock.forward(days=7)
    reader = kit.another()
    with reader._db.reading():
        assert reader._db.rows("SELECT COUNT(*) FROM previous")[0][0] == 1
        assert kit.commit(storing.tell("b")) == [True]
    assert kit.raw("SELECT COUNT(*) FROM previous") == [(0,)]


RACE = """
import sys, time
from pathlib import Path
import storing
from builders import ORIGIN
from reconciler import audit, sealing
from reconciler.errors import StoreError
from reconciler.secret import Secret
from reconciler.stores import sqlite

path, key, who = Path(sys.argv[1]), Secret(sys.argv[2]), sys.argv[3]
store = sqlite.open_store(path)
ring = sealing.open_keyring(store.info.id, store.slots(), key)
kit = storing.Kit(ring, key, lambda: store, None, storing.Clock())
for number in range(20):
    while True:
        try:
            lease = store.acquire(storing.WORKSPACE, storing.LEA, 60)
            break
        except StoreError as error:
            assert error.code.name == "lease-held", error
            time.sleep(0.001)
    shared = store.load(storing.WORKSPACE).records.get("shared")
    version = shared.version if shared else 0
    writes = [kit.put(f"{who}-{number}"), kit.put("shared", version=version + 1, expected=version)]
    assert list(store.commit(lease, writes, ring.mac(storing.WORKSPACE))) == [True, True]
    store.release(lease)
store.close()
"""


def test_processes_at_once_lose_nothing(kit, path):
    processes = [child(RACE, path, kit.key.reveal(), who) for who in ("x", "y")]
    assert [process.wait(120) for process in processes] == [0, 0]
    snapshot = kit.store.load(WORKSPACE)
    assert set(snapshot.records) == {f"{who}-{n}" for who in "xy" for n in range(20)} | {"shared"}
    assert snapshot.records["shared"].version == 40
    assert snapshot.serial == 40
    assert len(kit.store.events(WORKSPACE)) == 80
    assert kit.broken() == []


@pytest.mark.parametrize("row", [("a", -1), ("a", "1"), (None, 1), (b"a", 1), ("a", 1.0), ("a", True), ("a",)])
def test_only_what_this_program_writes_is_taken_from_a_row(row):
    assert typed("a row", [("a", 0), ("b", 2**62)], str, int) == [("a", 0), ("b", 2**62)]
    assert "a row holds" in refused("tampered", typed, "a row", [("a", 1), row], str, int).detail
