"""The interface of a store: read one workspace, take its lease, commit guarded writes with their events.

A store holds sealed secrets only and has no key; it is given a ``mac`` to chain events. Every method may raise
:class:`reconciler.errors.StoreError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.audit import Mac
from reconciler.model import Event, Verdict
from reconciler.state import Kept, Record, Rejection, SealedSecret, Slot, Snapshot, StoreInfo


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, for the message to the next one."""

    actor: str
    host: str
    pid: int
    run_url: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one workspace until it expires."""

    workspace: str
    id: str
    fencing: int
    """Rises with every lease taken; every write checks it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as the store remembers it."""

    lease: Lease
    holder: Holder
    since: str
    heartbeat: str
    """When its holder was last heard of."""
    expires: str
    """From when on somebody else may take it."""
    expired: bool
    """Whether that is so by the store's clock."""


@dataclass(frozen=True, slots=True)
class Put:
    """Store a record with its sealed secrets."""

    record: Record
    sealed: Sequence[SealedSecret]
    """All secrets of the record, unchanged ones included."""
    expected_version: int
    event: Event
    settles: bool = True
    """Whether a rejection of that name has lost its reason."""


@dataclass(frozen=True, slots=True)
class Move:
    """Store a record under a new name and take it away under the old one, both or neither.

    A rejection under the old name goes as well, unless it is to stay: what it was about is now asked for under the
    new one.
    """

    put: Put
    """Under the new name, where nothing may be stored; ``expected_version`` is that of the old one."""
    left: Event
    """Of the old name."""
    dropped: Event | None
    """Of the rejection under the old name; told only where there is one. None: it stays."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Store a rejection; ``attempts`` and ``first_at`` carry on from the one already there."""

    rejection: Rejection
    event: Event


@dataclass(frozen=True, slots=True)
class DropRejection:
    """Remove the rejection of ``event.name``."""

    event: Event


@dataclass(frozen=True, slots=True)
class Tell:
    """Only an event: an attempt that changed nothing."""

    event: Event


@dataclass(frozen=True, slots=True)
class Delete:
    """Take the record of ``event.name`` out of use; for a while it stays among the previous."""

    expected_version: int
    event: Event
    settles: bool = True
    """Whether its rejection goes with it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a provider says now of a stored record; neither version nor secret changes."""

    name: str
    expected_version: int
    verdict: Verdict
    event: Event | None
    """None where the status stayed what it was."""
    who: Mapping[str, Any] = field(default_factory=dict)
    """Who asked, for the event of what this commit forgets beside it; empty: as the event says."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Remember that a plan file was begun, or carried out to its end; begun twice counts once."""

    plan: str
    """Its id."""
    by: str
    finished: bool = False


Write = Put | Move | Reject | DropRejection | Delete | Checked | Tell | Progress


@dataclass(frozen=True, slots=True)
class PlanRun:
    """What became of a plan file."""

    begun_at: str
    begun_by: str
    finished_at: str
    """Empty: it may be resumed."""


class Store(Protocol):
    """One store, open."""

    info: StoreInfo

    def slots(self) -> Sequence[Slot]:
        """The wrapped data keys, once for each wrapping key that opens them."""

    def workspaces(self, *, tried: bool = False) -> Sequence[str]:
        """Names of the workspaces that hold anything, sorted; with ``tried`` also those that have events alone."""

    def load(self, workspace: str) -> Snapshot:
        """Everything stored of one workspace, read in one transaction."""

    def last_versions(self, workspace: str, names: Sequence[str]) -> dict[str, int]:
        """The highest version that each name ever had, deleted ones included; 0 for a new name."""

    def sealed(self, workspace: str, name: str) -> Sequence[SealedSecret]:
        """The current sealed secrets of one record, after comparing the row with its latest event.

        Raises StoreError ``tampered`` where they do not agree.
        """

    def find(self, workspace: str, name: str) -> tuple[Record, Sequence[SealedSecret]] | None:
        """One record and its current sealed secrets, of one moment and compared as by :meth:`sealed`.

        Under its name or, while its ``moved_from`` stands, the one before. None where nothing answers to the name.
        """

    def kept_until(self) -> str:
        """When what a write replaces or deletes now goes for good, by the store's clock; empty: at once."""

    def kept(self, workspace: str, name: str) -> Sequence[Kept]:
        """The former versions under this very name that have not run out, newest first.

        Raises StoreError ``tampered`` where one is not what its event left behind.
        """

    def add_reads(self, workspace: str, reads: Sequence[Event]) -> None:
        """Append to the reads, all or none, on the disk when it returns; the store stamps them with time and reader.

        Needs neither lease nor key. The next :meth:`commit` to the workspace takes them into the chain.
        """

    def waiting_reads(self, workspace: str) -> Sequence[Event]:
        """The reads that no commit has taken into the chain yet, in order."""

    def acquire(self, workspace: str, holder: Holder, seconds: float) -> Lease:
        """Take the lease for so many seconds. Raises StoreError ``lease-held`` that says who has it since when."""

    def held(self, workspace: str) -> Held | None:
        """Who holds the lease; None where it is free. One that expired is told until somebody takes it."""

    def renew(self, lease: Lease, seconds: float) -> None:
        """Extend it. Raises StoreError ``lease-lost`` where it expired, or is somebody else's by now."""

    def release(self, lease: Lease) -> None:
        """Give it back; does nothing where it is somebody else's by now."""

    def take_away(self, lease: Lease, event: Event, mac: Mac) -> None:
        """End somebody else's lease, with an event, in one transaction: its holder can write nothing from then on.

        Raises StoreError ``lock-gone`` where it is not the one that is held.
        """

    def commit(self, lease: Lease, writes: Sequence[Write], mac: Mac, *, whole: bool = False) -> Sequence[bool]:
        """Apply writes in one transaction, each under a savepoint, each with its event chained.

        Up to 50, so that nobody waits long; with ``whole`` any number, of which all are written or, where the answer
        has a False, none.

        Answers for each whether it was written: False where a record does not have its expected version, or a
        ``DropRejection`` finds no rejection; such a write leaves no event. Fills in each event's version and row hash.
        Raises StoreError ``lease-lost`` before writing anything where the fencing number is not the lease's, or
        the lease expired by the store's clock.
        """

    def plan_run(self, workspace: str, plan: str) -> PlanRun | None:
        """What became of the plan file with this id; None where nothing of it was ever written."""

    def events_about(self, workspace: str, name: str) -> Sequence[tuple[int, Event, bytes]]:
        """The links of the chain about one name, in order."""

    def head(self, workspace: str) -> tuple[int, bytes] | None:
        """Number and mac of the latest event; None where there is none."""

    def events(self, workspace: str) -> Sequence[tuple[int, Event, bytes]]:
        """The chain: number, event, mac, in order."""

    def strays(self, workspace: str) -> Sequence[tuple[str, str]]:
        """Every stored row that is not what the chain says of it: ``record NAME``, ``version vN of NAME`` (one that is
        kept) or ``read N``, and what is wrong.

        All that the hash of a row covers is compared. Says nothing about the chain itself, and needs no key.
        """

    def close(self) -> None:
        """Close it; nothing is lost."""
