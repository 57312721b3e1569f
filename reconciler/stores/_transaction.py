"""A transaction of SQLite's, and what SQLite reports in our own words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import StoreError

BUSY_SECONDS = 10.0
LONGEST_MEBIBYTES = 2
"""The most that one row may have. What we write is far shorter; of what somebody else wrote, nothing longer is read."""

_WORDS = (
    ("SQLITE_BUSY", f"another program held it locked for {BUSY_SECONDS:.0f} s"),
    ("SQLITE_LOCKED", "another program holds it locked"),
    ("SQLITE_FULL", "the disk is full"),
    ("SQLITE_IOERR_SHMSIZE", "the disk is full: there is no room for the -shm file beside it"),
    ("SQLITE_NOTADB", "the file is not a SQLite database"),
    ("SQLITE_CORRUPT", "the file is damaged: restore it from a backup"),
    ("SQLITE_READONLY", "it cannot be written to: check who owns the file and its folder"),
    ("SQLITE_PERM", "it cannot be written to: check who owns the file and its folder"),
    ("SQLITE_CANTOPEN", "the file, or the -wal file beside it, cannot be opened: check the folder's permissions"),
    ("SQLITE_IOERR", "the disk reports an error"),
    ("SQLITE_TOOBIG", f"a row has more than {LONGEST_MEBIBYTES} MiB, which is the most that one may have"),
    ("SQLITE_ERROR", "its tables are not those that this program makes"),
)  # fmt: skip


@contextmanager
def in_our_words(path: Path) -> Iterator[None]:
    """What SQLite reports as a StoreError. A broken rule of the schema or a misused interface is a bug and passes."""
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        told = _told(path, error)
        if told is None:
            raise
        raise told from None


def _told(path: Path, error: BaseException | None) -> StoreError | None:
    """An error of SQLite's in our words; none for a bug, and for what is not SQLite's."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        if getattr(error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER":
            return StoreError("tampered", f"{path}: a trigger that this program never made refuses to write")
        return None
    if isinstance(error, OverflowError):
        return StoreError("tampered", f"{path} holds a number that this program never wrote")
    if not isinstance(error, sqlite3.DatabaseError):
        return None
    # the driver's own complaints, about text that is not UTF-8 for one, have no name
    name = getattr(error, "sqlite_errorname", "an error")
    words = next((words for start, words in _WORDS if name.startswith(start)), f"SQLite reports {name}")
    return StoreError("store-unreachable", f"{path}: {words}")


class Transaction:
    """All of a block, or nothing.

    No generator: between its BEGIN and the block a signal would leave a transaction open that nobody ends. A signal
    that comes before ``__enter__`` returns is met in it, one that comes later in the block.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, begin: str, before_and_after: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._path = path
        self._begin = begin
        self._look = before_and_after

    def __enter__(self) -> None:
        self._look()
        try:
            with in_our_words(self._path):
                self._connection.execute(self._begin)
        except BaseException:
            self._undo()
            raise

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._undo()
            told = _told(self._path, error)
            if told is not None:
                raise told from None
            return
        try:
            with in_our_words(self._path):
                self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        self._look()

    def _undo(self) -> None:
        # a full disk has rolled back already
        if self._connection.in_transaction:
            with in_our_words(self._path):
                self._connection.execute("ROLLBACK")
