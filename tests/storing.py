"""For tests of stores: one made in a moment, with its keys, a clock that stands still, and writes to put into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import builders

from reconciler import audit, sealing
from reconciler.model import Action, Answer, Event, Mode, Result, SecretState
from reconciler.plans import Change
from reconciler.secret import Secret
from reconciler.stores import sqlite
from reconciler.stores._store import SqlStore, later
from reconciler.stores.base import DropRejection, Holder, Lease, Move, Put, Reject, Tell

WORKSPACE = "production"
VALUE = "0123456789abcdef0123456789abcdef"
LEA = Holder("lea", "desk", 4711)
TOM = Holder("tom", "runner-3", 12, "https://example.invalid/runs/8812")


@dataclass
class Clock:
    """Stands still until it is told to move."""

    time: str = builders.TIME

    def __call__(self) -> str:
        return self.time

    def forward(self, **span: float) -> None:
        self.time = later(self.time, timedelta(**span))


@dataclass
class Kit:
    """One store of one kind, and a way past its interface."""

    ring: sealing.Keyring
    key: Secret
    open: Callable[[], SqlStore]
    """A further connection."""
    raw: Callable[..., list[Any]]
    """A statement as somebody would run it who can write to the database."""
    clock: Clock
    opened: list[SqlStore] = field(default_factory=list)

    @property
    def store(self) -> SqlStore:
        return self.opened[0] if self.opened else self.another()

    def another(self) -> SqlStore:
        self.opened.append(self.open())
        return self.opened[-1]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def lease(self, workspace: str = WORKSPACE) -> Lease:
        return self.store.acquire(workspace, LEA, 60)

    def commit(self, *writes: Any, lease: Lease | None = None, workspace: str = WORKSPACE) -> list[bool]:
        """Commit under a lease of its own, where none is given."""
        held = lease or self.lease(workspace)
        try:
            return list(self.store.commit(held, writes, self.ring.mac(held.workspace)))
        finally:
            if lease is None:
                self.store.release(held)

    def put(
        self, name: str, *, version: int = 1, expected: int = 0, value: str = VALUE, workspace: str = WORKSPACE,
        keep: bool = False, secrets: tuple[str, ...] = ("auth_token",), **rest: Any,
    ) -> Put:  # fmt: skip
        """A write of a record; ``keep``: with the secrets as they are stored."""
        if keep:
            sealed = list(self.store.sealed(workspace, name))
        else:
            sealed = [self.ring.seal(workspace, name, "twilio", key, version, Secret(value)) for key in secrets]
        record = replace(
            builders.record(name, version=version, **rest),
            fingerprints={s.field: s.fingerprint for s in sealed},
            secret_versions={s.field: s.version for s in sealed},
        )
        action, result = (Action.UPDATE, Result.UPDATED) if expected else (Action.CREATE, Result.CREATED)
        change = Change(action, name, "twilio", ("new",), secrets={"auth_token": SecretState.NEW})
        event = audit.outcome(change, result, builders.ORIGIN, self.clock(), "c1-0", sealed=sealed)
        return Put(record, sealed, expected, event)

    def move(self, old: str, new: str, *, version: int = 2, expected: int = 1, **rest: Any) -> Move:
        """A write that gives a record another name."""
        put = self.put(new, version=version, expected=0, **rest)
        put = replace(put, record=replace(put.record, old_name=old), expected_version=expected)
        entry = replace(builders.credential(new), moved_from=old)
        change = Change(Action.RENAME, new, "twilio", ("renamed",), credential=entry)
        event = audit.outcome(change, Result.RENAMED, builders.ORIGIN, self.clock(), sealed=put.sealed)
        dropped = audit.dropped(old, "renamed", builders.ORIGIN, self.clock())
        return Move(replace(put, event=event), audit.left(change, builders.ORIGIN, self.clock()), dropped)

    def unsealed(self, name: str, workspace: str = WORKSPACE) -> dict[str, str]:
        secrets = self.store.sealed(workspace, name)
        return {s.field: self.ring.unseal(workspace, name, "twilio", s).reveal() for s in secrets}

    def broken(self, workspace: str = WORKSPACE) -> list[str]:
        """Where the chain is broken."""
        found = audit.verify(workspace, self.store.events(workspace), self.ring.checker(workspace))
        return [problem.subject for problem in found]


def sqlite_kit(path: Path) -> Kit:
    clock = Clock()
    key = sealing.new_wrapping_key()
    store_id = sealing.new_store_id()
    ring, slot = sealing.new_data_key(store_id, key)
    sqlite.create_store(path, store_id, Mode.SANDBOX, "lea", slot, now=clock).close()

    def raw(sql: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(sql, values).fetchall()

    return Kit(ring, key, lambda: sqlite.open_store(path, now=clock), raw, clock)


KINDS: dict[str, Callable[[Path], Kit]] = {
    "sqlite": lambda folder: sqlite_kit(folder / "private" / "store.db"),
}
"""Every kind of store, in a folder of its own."""


def reject(name: str, **rest: Any) -> Reject:
    return Reject(builders.rejection(name, **rest), event(name, Action.UPDATE, Result.REJECTED))


def drop(name: str) -> DropRejection:
    return DropRejection(audit.dropped(name, "cancel", builders.ORIGIN, builders.TIME))


def tell(name: str) -> Tell:
    return Tell(event(name, Action.UPDATE, Result.FAILED))


def read(name: str, version: int = 1, how: str = "exec") -> Event:
    return audit.read(name, "twilio", version, ["auth_token"], how, builders.ORIGIN)


def event(name: str, action: Action, result: Result) -> Event:
    change = Change(action, name, "twilio", ("secret",))
    answer = Answer.REJECTED if result is Result.REJECTED else Answer.UNKNOWN
    return audit.outcome(change, result, builders.ORIGIN, builders.TIME, verdict=builders.verdict(answer))
