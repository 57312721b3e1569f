"""What a database must be for a store to stand on it: one connection, and the words of its own SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.errors import StoreError

Row = Sequence[Any]
NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words in which databases differ."""

    blob: str
    identity: str
    """A number that the database counts up itself, as primary key."""
    session_user: str
    """Whom the database says it serves: stamped on rows, not the writer's to choose. ``''`` where it knows nobody."""
    for_update: str = ""
    """Locks the rows read until the transaction ends, where writing does not lock all."""

    def sql(self, text: str) -> str:
        """A statement of ``_sql.py`` in this database's words."""
        return text.format(
            blob=self.blob, identity=self.identity, session_user=self.session_user, for_update=self.for_update
        )


class Database(Protocol):
    """One connection, used by one thread at a time.

    :meth:`rows` and :meth:`run` are called inside :meth:`reading` or :meth:`writing` only; from there it raises
    StoreError, in our own words, with nothing of what the database says about a value.
    """

    def rows(self, sql: str, values: Mapping[str, Any] = NONE) -> Sequence[Row]:
        """The answer to a question."""

    def run(self, sql: str, values: Mapping[str, Any] = NONE) -> None:
        """A statement that answers nothing."""

    def reading(self) -> AbstractContextManager[None]:
        """Everything read inside is of one moment."""

    def writing(self) -> AbstractContextManager[None]:
        """All of what is written inside, or nothing."""

    def clean(self) -> None:
        """After a transaction that removed secrets for good: nothing of them stays in files beside the tables.

        Called outside of :meth:`reading` and :meth:`writing`; what somebody else still reads goes with a later call.
        """

    def now(self) -> str:
        """The time by which leases are measured: the same for everybody who uses this database."""

    def close(self) -> None:
        """Close the connection."""


def typed(about: str, rows: Sequence[Row], *types: type) -> Sequence[Row]:
    """The rows, where each column is of the type that this program writes: SQLite keeps any type in any column.

    No number that it writes is negative. Raises StoreError ``tampered``.
    """
    for row in rows:
        if tuple(map(type, row)) != types or any(type(value) is int and value < 0 for value in row):
            raise StoreError("tampered", f"{about} holds a value that this program never wrote")
    return rows
