"""From a settled change to what the store writes: the record, its sealed secrets, or the rejection, and the event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler import audit
from reconciler.codes import CODES
from reconciler.engine import SPOILS, Settled, held_back
from reconciler.errors import StoreError
from reconciler.model import Account, Credential, Event, Origin, Problem, Result, SecretState, Verdict
from reconciler.plans import Change, Outcome
from reconciler.sealing import Keyring
from reconciler.secret import Secret
from reconciler.state import Record, Rejection, SealedSecret
from reconciler.stores.base import Delete, DropRejection, Lease, Move, Progress, Put, Reject, Store, Tell, Write

STORED = frozenset({Result.CREATED, Result.UPDATED, Result.RENAMED})


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one run's settled changes to one workspace under one lease."""

    store: Store
    keyring: Keyring
    lease: Lease
    origin: Origin
    digest: str
    clock: Callable[[], str]
    last_versions: Mapping[str, int]
    """The highest version that each name of the run ever had."""
    plan: str = ""
    """The id of the plan file that is carried out, or empty."""
    staying: frozenset[str] = frozenset()
    """Names whose rejection is newer than what was approved: only a proof settles it."""

    def commit(self, settled: Sequence[Settled]) -> list[Outcome]:
        """Write a batch in one transaction. Raises StoreError; then nothing of the batch is written."""
        time = self.clock()
        items = [self._ready(item, time) for item in settled]
        until = self._until(items)
        done = self._send([write for _, write in items])
        outcomes = [_outcome(item, write, until, ok) for (item, write), ok in zip(items, done, strict=True)]
        moved = [o for o, ok in zip(outcomes, done, strict=True) if not ok]
        try:
            self._send([Tell(self._event(o.change, o.result, time, problem=o.problem)) for o in moved])
        except StoreError as error:
            # the others are stored by now, whatever becomes of the log of these
            return [o if ok else replace(o, problem=error.problem()) for o, ok in zip(outcomes, done, strict=True)]
        return outcomes

    def commit_whole(self, settled: Sequence[Settled]) -> list[Outcome]:
        """Write all in one transaction or nothing: then what stood in the way is an event. Raises StoreError."""
        time = self.clock()
        items = [self._ready(item, time) for item in settled]
        until = self._until(items)
        done = [item.result not in SPOILS for item, _ in items]
        if all(done):
            done = list(self._send([write for _, write in items], whole=True))
        outcomes = [_outcome(item, write, until, ok) for (item, write), ok in zip(items, done, strict=True)]
        if all(done):
            return outcomes
        stopped = [o for o in outcomes if o.result in SPOILS]
        self._send([Tell(self._event(o.change, o.result, time, problem=o.problem)) for o in stopped])
        pairs = zip(items, outcomes, strict=True)
        return [o if o.result in SPOILS else held_back(item) for (item, _), o in pairs]

    def _until(self, items: Sequence[tuple[Settled, Write]]) -> str:
        """Until when what is about to be deleted is kept: asked before, since nothing may fail once it is stored."""
        return self.store.kept_until() if any(isinstance(write, Delete) for _, write in items) else ""

    def drop_rejections(self, changes: Sequence[Change]) -> None:
        """Remove rejections that lost their reason."""
        time = self.clock()
        events = [audit.dropped(c.name, c.reasons[0], self.origin, time, digest=self.digest) for c in changes]
        self._send([DropRejection(event) for event in events])

    def finish_plan(self) -> None:
        """Remember that the plan file was carried out to its end."""
        if self.plan:
            self._send([Progress(self.plan, self.origin.actor, finished=True)])

    def _send(self, writes: Sequence[Write], *, whole: bool = False) -> Sequence[bool]:
        """Whether each was written; that a plan file was begun is remembered in the same transaction."""
        begun = [Progress(self.plan, self.origin.actor)] if self.plan and writes else []
        mac = self.keyring.mac(self.lease.workspace)
        done = self.store.commit(self.lease, [*begun, *writes], mac, whole=whole)
        return done[len(begun) :]

    def _ready(self, item: Settled, time: str) -> tuple[Settled, Write]:
        """What to write; a credential whose stored row was altered fails alone."""
        try:
            return item, self._write(item, time)
        except StoreError as error:
            if error.code.name != "tampered":
                raise
            failed = replace(item, result=Result.FAILED, problem=error.problem())
            return failed, self._write(failed, time)

    def _event(self, change: Change, result: Result, time: str, **facts: Any) -> Event:
        version = facts.pop("version", change.expected_version)
        return audit.outcome(change, result, self.origin, time, self.digest, plan=self.plan, version=version, **facts)

    def _write(self, item: Settled, time: str) -> Write:
        change = item.task.change
        if item.result in STORED and (change.credential or change.former):
            put = self._put(item, time)
            return self._move(put, change, time) if change.old_name else put
        rejection = None
        if item.result is Result.REJECTED and change.credential and item.verdict:
            rejection = self._rejection(item, change.credential, item.verdict, time)
        event = self._event(change, item.result, time, verdict=item.verdict, problem=item.problem, rejection=rejection)
        if rejection:
            return Reject(rejection, event)
        if item.result is Result.DELETED:
            return Delete(change.expected_version, event, settles=change.name not in self.staying)
        return Tell(event)

    def _put(self, item: Settled, time: str) -> Put:
        change = item.task.change
        version = max(change.expected_version, self.last_versions.get(change.name, 0)) + 1
        sealed = self._sealed(change, item.task.secrets, version)
        record = self._record(change, item.verdict, sealed, version, time)
        event = self._event(change, item.result, time, version=version, verdict=item.verdict, sealed=sealed)
        # what was refused is settled by a proof, or where the secret is known to be the one stored; not by a label,
        # nor by what was stored before it
        proven = change.asks or set(change.secrets.values()) <= {SecretState.UNCHANGED}
        left = change.name in self.staying and not change.asks
        settles = proven and not change.former and not left
        return Put(record, sealed, change.expected_version, event, settles)

    def _move(self, put: Put, change: Change, time: str) -> Move:
        left = audit.left(change, self.origin, time, self.digest)
        dropped = audit.dropped(change.old_name, "renamed", self.origin, time, digest=self.digest)
        return Move(put, left, None if change.old_name in self.staying else dropped)

    def _sealed(self, change: Change, secrets: Mapping[str, Secret], version: int) -> list[SealedSecret]:
        """Changed values sealed anew; unchanged ones as they lie in the store, with the version of their own.

        Under a new name all are sealed anew, since a sealed secret opens in its place only.
        """
        workspace, provider = self.lease.workspace, change.declared.provider
        kept: dict[str, SealedSecret] = {}
        if not all(state in _FRESH for state in change.secrets.values()):
            kept = {s.field: s for s in self.store.sealed(workspace, change.stored_name)}
        sealed = []
        for key, state in change.secrets.items():
            if state in _FRESH:
                value = secrets[key]
            elif change.old_name:
                value = self.keyring.unseal(workspace, change.old_name, provider, kept[key])
            else:
                sealed.append(kept[key])
                continue
            sealed.append(self.keyring.seal(workspace, change.name, provider, key, version, value))
        return sealed

    def _record(
        self,
        change: Change,
        verdict: Verdict | None,
        sealed: Sequence[SealedSecret],
        version: int,
        time: str,
    ) -> Record:
        old = change.record or change.former
        fresh = _FRESH & set(change.secrets.values())
        proof = verdict or (old.verdict if old else None)
        if proof is None:
            raise ValueError("nothing is stored unproven")
        return Record(
            name=change.name,
            declared=change.declared,
            version=version,
            account=verdict.account if verdict else old.account if old else Account(),
            created_at=old.created_at if old else time,
            created_by=old.created_by if old else self.origin.creator,
            updated_at=time,
            updated_by=self.origin.creator,
            secret_changed_at=_secret_changed_at(change, bool(fresh), time),
            accepted_at=verdict.at if verdict else old.accepted_at if old else "",
            verdict=proof,
            fingerprints={s.field: s.fingerprint for s in sealed},
            secret_versions={s.field: s.version for s in sealed},
            old_name=change.credential.moved_from if change.credential else old.old_name if old else "",
        )

    def _rejection(self, item: Settled, credential: Credential, verdict: Verdict, time: str) -> Rejection:
        change = item.task.change
        fingerprint = self.keyring.fingerprinter(self.lease.workspace)
        # a fingerprint contains the name, and the next plan compares under the one that is still stored
        stored = change.old_name or change.name
        return Rejection(
            name=change.name,
            action=change.action,
            declared=credential.declared,
            verdict=verdict,
            base_version=change.expected_version,
            fingerprints={key: fingerprint(stored, key, value) for key, value in item.task.secrets.items()},
            attempts=1,
            first_at=time,
            last_at=time,
            by=self.origin.creator,
        )


def _secret_changed_at(change: Change, fresh: bool, time: str) -> str:
    """When the value that is stored came up: one that is put back is as old as it was."""
    if fresh and change.former:
        return change.former.secret_changed_at
    return time if fresh or not change.record else change.record.secret_changed_at


_FRESH = frozenset({SecretState.NEW, SecretState.CHANGED})


def _outcome(item: Settled, write: Write, until: str, written: bool) -> Outcome:
    change = item.task.change
    if isinstance(write, Put | Move | Delete) and not written:
        code = CODES["version-moved"]
        problem = Problem(code.name, code.summary, subject=change.name, detail=f"expected v{change.expected_version}",
                          hint=code.hint)  # fmt: skip
        return Outcome(change, Result.FAILED, change.expected_version, item.verdict, problem, item.seconds)
    version = change.expected_version
    if isinstance(write, Put):
        version = write.record.version
    elif isinstance(write, Move):
        version = write.put.record.version
    elif isinstance(write, Delete):
        return Outcome(change, item.result, 0, item.verdict, item.problem, item.seconds, until)
    return Outcome(change, item.result, version, item.verdict, item.problem, item.seconds)
