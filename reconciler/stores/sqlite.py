"""A store in one SQLite file that belongs to its owner alone."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from reconciler import __version__, private
from reconciler.canonical import storable
from reconciler.errors import StoreError
from reconciler.model import Mode
from reconciler.state import Slot, StoreInfo
from reconciler.stores import _sql
from reconciler.stores._database import NONE, Dialect, Row
from reconciler.stores._store import KEEP_OLD, SqlStore
from reconciler.stores._transaction import BUSY_SECONDS, LONGEST_MEBIBYTES, Transaction, in_our_words

DIALECT = Dialect(blob="BLOB", identity="INTEGER PRIMARY KEY AUTOINCREMENT", session_user="''")
_adapted = cache(DIALECT.sql)
APPLICATION_ID = 0x52436E31
"""``RCn1`` in the file's header: what ``file`` and we know the file by."""
CLEAN_MILLISECONDS = 500
"""How long cleaning up waits for readers: it is no reason to keep a writer."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_BESIDE = ("-wal", "-shm", "-journal")


def utc_now() -> str:
    """The computer's clock."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def create_store(
    path: Path, store_id: str, mode: Mode, actor: str, slot: Slot, *, now: Callable[[], str] = utc_now
) -> SqlStore:
    """Make a store: the file 0600, missing folders 0700; where it fails, nothing stays.

    Raises StoreError: ``store-exists`` where anything has that name; ``store-refused``, ``store-unreachable``.
    """
    _make_file(path)
    try:
        with in_our_words(path), closing(_connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            _upgrade(connection, 0)
            made = {"created_at": now(), "created_by": storable(actor)}
            connection.execute(_sql.PUT_STORE, {
                "one": 1, "id": store_id, "mode": mode.value, "schema_version": _sql.VERSION,
                "program_version": __version__, **made,
            })  # fmt: skip
            connection.execute(_sql.PUT_SLOT, {
                "key_id": slot.key_id, "data_key_id": slot.data_key_id, "generation": slot.generation,
                "workspace": slot.workspace, "purpose": slot.purpose, "wrapped": slot.wrapped, **made,
            })  # fmt: skip
            connection.execute("COMMIT")
    except BaseException:
        for suffix in ("", *_BESIDE):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        raise
    return open_store(path, now=now)


def _make_file(path: Path) -> None:
    try:
        private.make_folders(path.parent)
        private.check_folder(path.parent, "store-refused")
        for suffix in ("", *_BESIDE):
            # what another store left beside the file would be read as a part of this one
            if os.path.lexists(name := f"{path}{suffix}"):
                raise StoreError("store-exists", f"{name} exists")
        private.make_file(path)
    except FileExistsError:
        raise StoreError("store-exists", f"{path} exists") from None
    except OSError as error:
        raise StoreError("store-unreachable", f"{path} cannot be made: {error.strerror}") from None


def open_store(path: Path, *, keep_old: timedelta = KEEP_OLD, now: Callable[[], str] = utc_now) -> SqlStore:
    """Open a store, which must exist: nothing is ever made here.

    Raises StoreError: ``store-missing``; ``store-refused`` (with the command that mends it) where others could read or
    swap the file; ``store-newer``, with the file untouched; ``store-unreachable``.
    """
    before = _checked(path)
    with in_our_words(path):
        connection = _connect(path)
    try:
        _unmoved(path, before)
        with in_our_words(path):
            info = _ready(connection, path)
    except BaseException:
        connection.close()
        raise
    return SqlStore(_Sqlite(connection, path, (before.st_dev, before.st_ino), now), info, keep_old)


def _checked(path: Path) -> os.stat_result:
    """The file's identity, after all that stands beside it was found to be ours alone."""
    try:
        found = path.lstat()
        private.check(path, found, "store-refused")
        private.check_folder(path.parent, "store-refused")
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError("store-missing", f"there is no {path}") from None
    except OSError as error:
        raise StoreError("store-unreachable", f"{path}: {error.strerror}") from None
    for suffix in _BESIDE:
        beside = Path(f"{path}{suffix}")
        # another program that closes the store may remove them at any moment
        with suppress(FileNotFoundError):
            private.check(beside, beside.lstat(), "store-refused")
    return found


def _unmoved(path: Path, before: os.stat_result) -> None:
    """Raise StoreError where another file took the place of the one that was checked, before it was opened.

    No descriptor of ours is opened to compare: closing one would drop the locks that SQLite holds in this process
    (sqlite.org/howtocorrupt.html, 2.2). In a folder of 0700 nobody can swap the file there and back.
    """
    after = _checked(path)
    if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino):
        raise StoreError("store-refused", f"{path} was replaced while it was opened", "look into who did that")


def _connect(path: Path) -> sqlite3.Connection:
    """``mode=rw`` never makes a file; the caller begins and ends transactions."""
    connection = sqlite3.connect(
        path.absolute().as_uri() + "?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None,
        check_same_thread=False,
    )  # fmt: skip
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_MEBIBYTES * 2**20)
    return connection


def _ready(connection: sqlite3.Connection, path: Path) -> StoreInfo:
    version = _version(connection, path)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    if version < _sql.VERSION:
        connection.execute("BEGIN IMMEDIATE")
        _upgrade(connection, _version(connection, path))
        connection.execute("COMMIT")
    about = connection.execute(_sql.GET_STORE).fetchone()
    if not about:
        raise StoreError("store-unreachable", f"{path} is damaged: it does not say which store it is")
    # its key's file is named for it: an id that is a path would lead elsewhere
    if not isinstance(about[0], str) or not _ID.fullmatch(about[0]):
        raise StoreError("tampered", f"{path} does not say which store it is")
    if about[1] not in tuple(Mode):
        raise StoreError("tampered", f"{path} does not say whether it is live or a sandbox")
    return StoreInfo(about[0], Mode(about[1]), str(path))


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of a file that is one of ours. Raises StoreError ``store-newer``, ``store-unreachable``."""
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    if application != APPLICATION_ID:
        said = "is empty: the making of it broke off; remove it" if not application and not version else "is another's"
        raise StoreError("store-unreachable", f"{path} is a SQLite file, but not a store: it {said}")
    if version < 1:
        raise StoreError("store-unreachable", f"{path} is damaged: its version is {version}")
    if version > _sql.VERSION:
        raise StoreError("store-newer", f"{path} has version {version}; this program knows {_sql.VERSION} and before")
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _upgrade(connection: sqlite3.Connection, since: int) -> None:
    """Lead the schema to this program's version; the caller's transaction makes it all or nothing."""
    for statement in _sql.upgrades(since, DIALECT):
        connection.execute(statement)
    connection.execute(_sql.UPGRADED, {"schema_version": _sql.VERSION, "program_version": __version__})
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {_sql.VERSION}")


class _Sqlite:
    """The connection, used by one thread at a time."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, identity: tuple[int, int], now: Callable[[], str]
    ) -> None:
        self._connection = connection
        self._path = path
        self._identity = identity
        self.now = now

    def rows(self, sql: str, values: Mapping[str, Any] = NONE) -> Sequence[Row]:
        return self._connection.execute(_adapted(sql), values).fetchall()

    def run(self, sql: str, values: Mapping[str, Any] = NONE) -> None:
        self._connection.execute(sql, values)

    def reading(self) -> Transaction:
        return Transaction(self._connection, self._path, "BEGIN", lambda: None)

    def writing(self) -> Transaction:
        return Transaction(self._connection, self._path, "BEGIN IMMEDIATE", self._still_there)

    def _still_there(self) -> None:
        """Raise StoreError where the file was removed or replaced: SQLite would go on writing to what nobody sees."""
        try:
            found = self._path.lstat()
        except OSError:
            raise StoreError("store-missing", f"{self._path} was removed while it was open") from None
        if (found.st_dev, found.st_ino) != self._identity:
            raise StoreError("store-refused", f"{self._path} was replaced while it was open", "plan again")

    def clean(self) -> None:
        # secure_delete has overwritten what was removed, but the -wal still holds pages from before. What was
        # committed stays so where this fails: the next one cleans, as the last one does that closes the store.
        with suppress(sqlite3.OperationalError):
            self._connection.execute(f"PRAGMA busy_timeout = {CLEAN_MILLISECONDS}")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")

    def close(self) -> None:
        with in_our_words(self._path):
            self._connection.close()
