"""A store over any database that takes the statements of ``_sql.py``: reading, leases. Writing is in ``_commit.py``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler import audit, eventform
from reconciler.canonical import storable
from reconciler.collector import collector_off
from reconciler.errors import StoreError
from reconciler.model import Event
from reconciler.state import Kept, Record, SealedSecret, Slot, Snapshot, StoreInfo
from reconciler.stores import _kept, _rows, _sql
from reconciler.stores._commit import Commit
from reconciler.stores._database import Database, Row, typed
from reconciler.stores._examine import Stray, compared, strays
from reconciler.stores.base import Held, Holder, Lease, PlanRun, Tell, Write

KEEP_OLD = timedelta(days=7)
"""How long previous and deleted records stay, with their secrets, where nothing else is said."""

WAITING_SHOWN = 100_000
"""How many reads that wait for the chain are given out at once."""


def later(time: str, span: timedelta) -> str:
    """So much after a time; both as text."""
    at = datetime.fromisoformat(time).astimezone(UTC) + span
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SqlStore:
    """:class:`reconciler.stores.base.Store` over a :class:`reconciler.stores._database.Database`."""

    def __init__(self, database: Database, info: StoreInfo, keep_old: timedelta = KEEP_OLD) -> None:
        self.info = info
        self._db = database
        self._keep_old = keep_old

    def close(self) -> None:
        self._db.close()

    def slots(self) -> Sequence[Slot]:
        with self._db.reading():
            rows = self._db.rows(_sql.GET_SLOTS)
        return [Slot(*row) for row in typed("a key slot", rows, str, str, bytes, int, str, str)]

    def workspaces(self, *, tried: bool = False) -> Sequence[str]:
        with self._db.reading():
            rows = self._db.rows(_sql.GET_TRIED if tried else _sql.GET_WORKSPACES)
        return sorted(row[0] for row in typed("a workspace's name", rows, str))

    def load(self, workspace: str) -> Snapshot:
        of = {"workspace": workspace}
        with self._db.reading(), collector_off():
            serial = typed(f"the serial of {workspace}", self._db.rows(_sql.GET_SERIAL, of), int)
            records = self._db.rows(_sql.GET_RECORDS, of)
            fingerprints = self._db.rows(_sql.GET_FINGERPRINTS, of)
            rejections = self._db.rows(_sql.GET_REJECTIONS, of)
            if strays := self._db.rows(_sql.GET_STRAYS, of):
                name = strays[0][0]
                raise StoreError("tampered", f"the record of {name} in {workspace} is not what its latest event left")
            return Snapshot(
                workspace,
                serial[0][0] if serial else 0,
                _rows.records_of(workspace, records, fingerprints),
                _rows.rejections_of(workspace, rejections),
            )

    def last_versions(self, workspace: str, names: Sequence[str]) -> dict[str, int]:
        with self._db.reading():
            return {name: self._last_version(workspace, name) for name in names}

    def _last_version(self, workspace: str, name: str) -> int:
        found = self._db.rows(_sql.GET_LAST_VERSION, {"workspace": workspace, "name": name})
        ((last,),) = found if found[0][0] is None else typed(f"a version of {name} in {workspace}", found, int)
        return last or 0

    def sealed(self, workspace: str, name: str) -> Sequence[SealedSecret]:
        of = {"workspace": workspace, "name": name}
        with self._db.reading():
            row = self._db.rows(_sql.GET_ROW, of)
            secrets = _kept.secrets_of(of, self._db.rows(_sql.GET_SECRETS, of))
            latest = self._db.rows(_sql.GET_LATEST, of)
        _compare(workspace, name, row, secrets, latest[0][1] if latest else "")
        return secrets

    def find(self, workspace: str, name: str) -> tuple[Record, Sequence[SealedSecret]] | None:
        with self._db.reading():
            of = {"workspace": workspace, "name": self._name(workspace, name)}
            found = self._db.rows(_sql.GET_RECORD, of)
            row = self._db.rows(_sql.GET_ROW, of)
            secrets = _kept.secrets_of(of, self._db.rows(_sql.GET_SECRETS, of))
            latest = self._db.rows(_sql.GET_LATEST, of)
        _compare(workspace, of["name"], row, secrets, latest[0][1] if latest else "")
        prints = [(of["name"], secret.field, secret.version, secret.fingerprint) for secret in secrets]
        records = _rows.records_of(workspace, found, prints)
        return (records[of["name"]], secrets) if records else None

    def _name(self, workspace: str, name: str) -> str:
        """The name under which a record stands that answers to this one: itself, or the one that it has now."""
        of = {"workspace": workspace, "name": name}
        if self._db.rows(_sql.GET_VERSION, of):
            return name
        moved = self._db.rows(_sql.GET_NEW_NAME, of)
        return str(moved[0][0]) if len(moved) == 1 else name

    def kept_until(self) -> str:
        with self._db.reading():
            return later(self._db.now(), self._keep_old) if self._keep_old else ""

    def kept(self, workspace: str, name: str) -> Sequence[Kept]:
        with self._db.reading():
            return _kept.kept(self._db, workspace, name)

    def add_reads(self, workspace: str, reads: Sequence[Event]) -> None:
        with self._db.writing():
            now = self._db.now()
            for read in reads:
                if not self._db.rows(_sql.PUT_READ, {"workspace": workspace, "time": now, **_rows.read_row(read)}):
                    raise StoreError(
                        "tampered", "the record of a read was not kept: something in the store prevents it"
                    )

    def waiting_reads(self, workspace: str) -> Sequence[Event]:
        with self._db.reading():
            rows = self._db.rows(_sql.GET_WAITING, {"workspace": workspace, "most": WAITING_SHOWN})
        return [_rows.read_of(row)[1] for row in rows]

    def head(self, workspace: str) -> tuple[int, bytes] | None:
        with self._db.reading():
            rows = self._db.rows(_sql.GET_HEAD, {"workspace": workspace})
        return (rows[0][0], rows[0][1]) if typed(f"the latest event of {workspace}", rows, int, bytes) else None

    def events(self, workspace: str) -> Sequence[tuple[int, Event, bytes]]:
        with self._db.reading():
            return _rows.events_of(workspace, self._db.rows(_sql.GET_EVENTS, {"workspace": workspace}))

    def events_about(self, workspace: str, name: str) -> Sequence[tuple[int, Event, bytes]]:
        of = {"workspace": workspace, "name": name}
        with self._db.reading():
            return _rows.events_of(workspace, self._db.rows(_sql.GET_EVENTS_ABOUT, of))

    def plan_run(self, workspace: str, plan: str) -> PlanRun | None:
        with self._db.reading():
            rows = self._db.rows(_sql.GET_PLAN, {"workspace": workspace, "id": plan})
        return PlanRun(*typed(f"a plan of {workspace}", rows, str, str, str)[0]) if rows else None

    def strays(self, workspace: str) -> Sequence[Stray]:
        with self._db.reading():
            return strays(self._db, workspace)

    def _leases(self, sql: str, workspace: str) -> Sequence[Row]:
        return typed(f"the lease on {workspace}", self._db.rows(sql, {"workspace": workspace}), *_LEASE)

    def acquire(self, workspace: str, holder: Holder, seconds: float) -> Lease:
        with self._db.writing():
            now = self._db.now()
            rows = self._leases(_sql.GET_LEASE, workspace)
            fencing = 1
            if rows:
                fencing = rows[0][0] + 1
                _refuse_if_held(workspace, rows[0], now)
            lease = Lease(workspace, os.urandom(8).hex(), fencing)
            self._db.run(_sql.PUT_LEASE, {
                "workspace": workspace, "fencing": fencing, "id": lease.id, "actor": storable(holder.actor),
                "host": storable(holder.host), "pid": holder.pid, "run_url": storable(holder.run_url),
                "since": now, **_until(now, seconds),
            })  # fmt: skip
        return lease

    def held(self, workspace: str) -> Held | None:
        with self._db.reading():
            rows = self._leases(_sql.SEE_LEASE, workspace)
            return _held(workspace, rows[0], self._db.now()) if rows and rows[0][1] else None

    def renew(self, lease: Lease, seconds: float) -> None:
        with self._db.writing():
            now = self._db.now()
            self._hold(lease, now)
            self._db.run(_sql.RENEW_LEASE, {"workspace": lease.workspace, **_until(now, seconds)})

    def release(self, lease: Lease) -> None:
        with self._db.writing():
            self._db.run(_sql.FREE_LEASE, {"workspace": lease.workspace, "id": lease.id, "fencing": lease.fencing})

    def take_away(self, lease: Lease, event: Event, mac: audit.Mac) -> None:
        with self._db.writing():
            rows = self._leases(_sql.GET_LEASE, lease.workspace)
            if not rows or not lease.id or (rows[0][0], rows[0][1]) != (lease.fencing, lease.id):
                raise StoreError("lock-gone", _who_has(rows[0]) if rows and rows[0][1] else "nobody holds it")
            self._db.run(_sql.FREE_LEASE, {"workspace": lease.workspace, "id": lease.id, "fencing": lease.fencing})
            now = self._db.now()
            commit = Commit(self._db, lease.workspace, mac, now, later(now, self._keep_old))
            commit.all([Tell(event)], rows[0][2])
        if commit.forgot:
            self._db.clean()

    def _hold(self, lease: Lease, now: str) -> tuple[str, float]:
        """Actor and length of the lease. Raises StoreError ``lease-lost`` where it expired, or is not this one.

        Expired is over, whether somebody took it since or not: what its holder last saw may be long ago.
        """
        rows = self._leases(_sql.GET_LEASE, lease.workspace)
        if not rows or (rows[0][0], rows[0][1]) != (lease.fencing, lease.id):
            raise StoreError("lease-lost", self._lost(lease, rows))
        if rows[0][9] <= now:
            raise StoreError("lease-lost", f"it expired {rows[0][9]}, and it is {now}: nothing renewed it in time")
        return rows[0][2], rows[0][8] / 1000

    def _lost(self, lease: Lease, rows: Sequence[Row]) -> str:
        """Who ended the lease and when, where somebody did; who has it now, where somebody does."""
        about = {"workspace": lease.workspace, "name": ""}
        events = _rows.events_of(lease.workspace, self._db.rows(_sql.GET_EVENTS_ABOUT, about))
        eventform.formed(lease.workspace, events)
        said = [_ended(event) for _, event, _ in events if event.body.get("lease", {}).get("id") == lease.id]
        said += [f"{_who_has(rows[0])} has it"] if rows and rows[0][1] else []
        since = bool(rows) and rows[0][0] > lease.fencing
        return "; ".join(said) or ("it ran out, and another run had it since" if since else "it was given back")

    def commit(self, lease: Lease, writes: Sequence[Write], mac: audit.Mac, *, whole: bool = False) -> Sequence[bool]:
        if not writes:
            return []
        try:
            with self._db.writing():
                now = self._db.now()
                actor, seconds = self._hold(lease, now)
                commit = Commit(self._db, lease.workspace, mac, now, later(now, self._keep_old))
                done = commit.all(writes, actor)
                if whole:
                    _insist(done)
                # measured from its end: very many writes take their time
                self._db.run(_sql.RENEW_LEASE, {"workspace": lease.workspace, **_until(self._db.now(), seconds)})
        except _NotWholeError as error:
            return error.done
        if commit.forgot:
            self._db.clean()
        return done


def _insist(done: Sequence[bool]) -> None:
    if not all(done):
        raise _NotWholeError(done)


class _NotWholeError(Exception):
    """Rolls the transaction back; ``done`` says which writes stood in the way."""

    def __init__(self, done: Sequence[bool]) -> None:
        super().__init__()
        self.done = done


def _until(now: str, seconds: float) -> dict[str, Any]:
    expires = later(now, timedelta(seconds=seconds))
    return {"heartbeat": now, "milliseconds": round(seconds * 1000), "expires": expires}


_LEASE = (int, str, str, str, int, str, str, str, int, str)


def _held(workspace: str, row: Row, now: str) -> Held:
    fencing, id_, actor, host, pid, run_url, since, heartbeat, _, expires = row
    holder = Holder(actor, host, pid, run_url)
    return Held(Lease(workspace, id_, fencing), holder, since, heartbeat, expires, expires <= now)


def _refuse_if_held(workspace: str, row: Row, now: str) -> None:
    if row[1] and row[9] > now:
        hint = f"wait for it with --lock-timeout 2m; where it is gone for good: reconciler lock release {row[1]}"
        raise StoreError("lease-held", _who_has(row), f"{hint} -w {workspace}")


def _ended(event: Event) -> str:
    who = event.body.get("who", {})
    place = who.get("run_url") or who.get("host", "")
    return f"{who.get('actor', '')} ({place}) ended it with  lock release  at {event.time}"


def _who_has(row: Row) -> str:
    """For the next one: who it is, since when, and how long at most."""
    _, _, actor, host, pid, run_url, since, heartbeat, _, expires = row
    where = f"{run_url}, {host}" if run_url else host
    return f"{actor} ({where}, process {pid}) since {since}; last heard of {heartbeat}, free at the latest {expires}"


def _compare(workspace: str, name: str, rows: Sequence[Row], secrets: Sequence[SealedSecret], expected: str) -> None:
    """Raise StoreError ``tampered`` where a row is not what its latest event left behind."""
    if wrong := compared(rows, secrets, expected):
        raise StoreError("tampered", f"the record of {name} in {workspace} {wrong}")
