"""One transaction that writes: guarded changes, each under a savepoint, each with its event in the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler import audit
from reconciler.canonical import storable
from reconciler.errors import StoreError
from reconciler.model import Answer, Event
from reconciler.stores import _kept, _rows, _sql
from reconciler.stores._database import Database, typed
from reconciler.stores._verdicts import verdict_json
from reconciler.stores.base import Checked, Delete, DropRejection, Move, Progress, Put, Reject, Tell, Write

READS_AT_ONCE = 1000
"""How many waiting reads one transaction takes into the chain."""


class Commit:
    """The writes of one transaction, which the caller begins, under a lease that it has checked, and ends."""

    def __init__(self, database: Database, workspace: str, mac: audit.Mac, now: str, keep_until: str) -> None:
        self._db = database
        self._of = {"workspace": workspace}
        self._workspace = workspace
        self._mac = mac
        self._now = now
        self._keep_until = keep_until
        self._changed = False
        self.forgot = False
        """Whether something was removed for good: then the caller cleans up behind it."""
        head = typed(f"the latest event of {workspace}", database.rows(_sql.GET_HEAD, self._of), int, bytes)
        self._seq: int = head[0][0] if head else 0
        self._previous: bytes = head[0][1] if head else b""

    def all(self, writes: Sequence[Write], actor: str) -> list[bool]:
        """Whether each was written. Raises whatever the database raises; then the caller rolls back all."""
        made = {**self._of, "serial": 0, "created_at": self._now, "created_by": actor}
        self._db.run(_sql.MAKE_WORKSPACE, made)
        self._take_reads()
        done = [self._one(write) for write in writes]
        if self._changed:
            self._db.run(_sql.RAISE_SERIAL, self._of)
        self._forget(_who(writes, actor))
        return done

    def _forget(self, who: Mapping[str, Any]) -> None:
        """Let go for good what was kept for long enough, with an event for each name.

        Of a name nothing goes where a version would go sooner than the log has promised, or a secret that is needed:
        else this would sign a removal that somebody else wanted.
        """
        until = {**self._of, "now": self._now}
        versions: dict[str, list[int]] = {}
        secrets: dict[str, list[str]] = {}
        for name, version in self._db.rows(_sql.GET_RUN_OUT, until):
            versions.setdefault(name, []).append(version)
        for name, field, version in self._db.rows(_sql.GET_SECRETS_RUN_OUT, until):
            secrets.setdefault(name, []).append(f"{field} v{version}")
        for name in sorted(versions.keys() | secrets.keys()):
            if not self._may_go(name, versions.get(name, ()), secrets.get(name, ())):
                continue
            self._db.run(_sql.DROP_SECRETS, {**until, "name": name})
            self._db.run(_sql.DROP_PREVIOUS, {**until, "name": name})
            self._tell(audit.forgotten(name, versions.get(name, ()), secrets.get(name, ()), who, self._now))
            self.forgot = True

    def _may_go(self, name: str, versions: Sequence[int], secrets: Sequence[str]) -> bool:
        """Whether the time of these versions is over by the log, too, and no version that stays has these secrets."""
        named = {**self._of, "name": name, "now": self._now}
        try:
            events = _rows.events_of(self._workspace, self._db.rows(_sql.GET_KEEPING, named))
            stay = [_kept.versions_of(name, row[0]) for row in self._db.rows(_sql.GET_NEEDED, named)]
        except StoreError:
            # nobody can tell: `audit verify` names what cannot be read, and nothing is lost meanwhile
            return False
        promised = _kept.promised(event for _, event, _ in events)
        over = all(promised.get((name, version), "") <= self._now for version in versions)
        return over and not {f"{field} v{at}" for one in stay for field, at in one.items()} & {*secrets}

    def _take_reads(self) -> None:
        """Chain what was read since the last commit. Of very many the rest waits for the next one: it is no hurry."""
        for row in self._db.rows(_sql.GET_WAITING, {**self._of, "most": READS_AT_ONCE}):
            number, event = _rows.read_of(row)
            self._tell(event)
            self._db.run(_sql.CHAIN_READ, {"id": number, "seq": self._seq})

    def _one(self, write: Write) -> bool:
        """One write under its savepoint: where it gives up, nothing of it stays. An error ends the transaction."""
        self._db.run("SAVEPOINT one")
        done = self._write(write)
        if not done:
            self._db.run("ROLLBACK TO SAVEPOINT one")
        self._db.run("RELEASE SAVEPOINT one")
        return done

    def _write(self, write: Write) -> bool:
        match write:
            case Put():
                return self._put(write)
            case Move():
                return self._move(write)
            case Reject():
                return self._reject(write)
            case DropRejection():
                return self._drop_rejection(write)
            case Delete():
                return self._delete(write)
            case Checked():
                return self._checked(write)
            case Tell():
                return self._tell(write.event)
            case Progress():
                return self._progress(write)

    def _put(self, put: Put) -> bool:
        named = {**self._of, "name": put.record.name}
        last, row_hash = self._before(put.record.name)
        stored = self._stored(named, last, row_hash)
        if stored != put.expected_version:
            return False
        if stored:
            put = replace(put, event=self._keep(put.event, put.record.name, stored))
        self._store(put, named, last)
        return True

    def _move(self, move: Move) -> bool:
        old, new = move.left.name, move.put.record.name
        was, named = {**self._of, "name": old}, {**self._of, "name": new}
        stored = self._stored(was, *self._before(old))
        last, row_hash = self._before(new)
        if not stored or stored != move.put.expected_version or self._stored(named, last, row_hash):
            return False
        left = self._keep(move.left, old, stored)
        self._db.run(_sql.DROP_RECORD, was)
        # as after a delete: an old row put back under the old name is found
        self._chain(replace(left, version=stored, row_hash=""))
        if move.dropped:
            self._drop_rejection(DropRejection(move.dropped))
        self._store(move.put, named, max(last, stored))
        return True

    def _store(self, put: Put, named: Mapping[str, str], last: int) -> None:
        """Write row, secrets and event where the guards have let it pass; ``last`` is the highest version so far."""
        record = put.record
        if record.version <= last:
            raise ValueError(f"version {record.version} of {record.name} after {last}: a version never goes back")
        for secret in put.sealed:
            values = {**named, **_rows.sealed_row(secret), "stored_at": self._now, "keep_until": ""}
            self._db.run(_sql.PUT_SECRET, values)
        row = _rows.record_row(record)
        row_hash = audit.row_hash(row, put.sealed)
        self._chain(replace(put.event, version=record.version, row_hash=row_hash))
        self._db.run(_sql.PUT_RECORD, {**self._of, **row, "row_hash": row_hash, "event_seq": self._seq})
        if put.settles:
            self._db.run(_sql.DROP_REJECTION, named)
        self._changed = True

    def _stored(self, named: Mapping[str, str], last: int, row_hash: str) -> int:
        """The version stored, 0 for none. Raises StoreError ``tampered`` where the latest event left another."""
        rows = self._db.rows(_sql.GET_VERSION, named)
        left = (last, row_hash) if row_hash else (0, "")
        if (tuple(rows[0]) if rows else (0, "")) != left:
            name, workspace = named["name"], self._workspace
            raise StoreError("tampered", f"the record of {name} in {workspace} is not what its latest event left")
        return left[0]

    def _keep(self, event: Event, name: str, version: int) -> Event:
        """Lay the record and its secrets among the previous ones; the event of that, which says until when."""
        kept = {**self._of, "name": name, "now": self._now, "keep_until": self._keep_until}
        self._db.run(_sql.KEEP_RECORD, kept)
        self._db.run(_sql.KEEP_SECRETS, kept)
        return replace(event, body={**event.body, "kept": {"version": version, "until": self._keep_until}})

    def _delete(self, delete: Delete) -> bool:
        named = {**self._of, "name": delete.event.name}
        stored = self._stored(named, *self._before(delete.event.name))
        if not stored or stored != delete.expected_version:
            return False
        event = self._keep(delete.event, delete.event.name, stored)
        self._db.run(_sql.MARK_DELETED, {**named, "version": stored})
        self._db.run(_sql.DROP_RECORD, named)
        if delete.settles:
            self._db.run(_sql.DROP_REJECTION, named)
        # no row is left, so the event has no hash: a row put back later is found
        self._chain(replace(event, version=stored, row_hash=""))
        self._changed = True
        return True

    def _checked(self, checked: Checked) -> bool:
        named = {**self._of, "name": checked.name}
        stored = self._stored(named, *self._before(checked.name))
        if not stored or stored != checked.expected_version:
            return False
        verdict = checked.verdict
        self._db.run(_sql.CHECKED_RECORD, {
            **named, "verdict": verdict_json(verdict), "checked_at": verdict.at,
            "accepted_at": verdict.at if verdict.answer is Answer.VALID else None,
        })  # fmt: skip
        return self._tell(checked.event) if checked.event else True

    def _reject(self, reject: Reject) -> bool:
        self._db.run(_sql.PUT_REJECTION, {**self._of, **_rows.rejection_row(reject.rejection)})
        self._changed = True
        return self._tell(reject.event)

    def _drop_rejection(self, drop: DropRejection) -> bool:
        named = {**self._of, "name": drop.event.name}
        if not self._db.rows(_sql.HAS_REJECTION, named):
            return False
        self._db.run(_sql.DROP_REJECTION, named)
        self._changed = True
        return self._tell(drop.event)

    def _progress(self, progress: Progress) -> bool:
        of = {**self._of, "id": progress.plan}
        self._db.run(_sql.BEGIN_PLAN, {**of, "begun_at": self._now, "begun_by": storable(progress.by)})
        if progress.finished:
            self._db.run(_sql.FINISH_PLAN, {**of, "finished_at": self._now})
        return True

    def _tell(self, event: Event) -> bool:
        """An event that left the row as the one before it did.

        What it says of the row comes from that event, not from the row: else it would vouch for an old one put back.
        """
        version, row_hash = self._before(event.name)
        self._chain(replace(event, version=version, row_hash=row_hash))
        return True

    def _before(self, name: str) -> tuple[int, str]:
        """Version and row hash that the latest event of a name left behind."""
        rows = self._db.rows(_sql.GET_LATEST, {**self._of, "name": name}) if name else ()
        latest = typed(f"the latest event of {name} in {self._workspace}", rows, int, str)
        return (latest[0][0], latest[0][1]) if latest else (0, "")

    def _chain(self, event: Event) -> None:
        self._seq += 1
        self._previous = audit.link(self._previous, self._workspace, self._seq, event, self._mac)
        values = {**self._of, **_rows.event_row(event), "seq": self._seq, "mac": self._previous}
        self._db.run(_sql.PUT_EVENT, values)


def _who(writes: Sequence[Write], actor: str) -> Mapping[str, Any]:
    """Who commits: as the events of the run say it, else as its lease does."""
    for write in writes:
        if isinstance(write, Progress):
            continue
        if isinstance(write, Checked) and write.who:
            return write.who
        event = write.put.event if isinstance(write, Move) else write.event
        if event and "who" in event.body:
            who: Mapping[str, Any] = event.body["who"]
            return who
    return {"actor": actor}
