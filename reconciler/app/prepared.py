"""A plan with everything that it was made from, and what any way of making one asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from reconciler import stale
from reconciler.app.resolving import Resolved
from reconciler.codes import CODES
from reconciler.errors import StoreError, UsageError
from reconciler.model import Credential, Origin, Place, Problem, Severity, Traits
from reconciler.plans import Plan
from reconciler.report import Filed, Header
from reconciler.scope import Known, Scope
from reconciler.sealing import Keyring
from reconciler.state import Snapshot
from reconciler.stores.base import Store

NOT_IN_DIGEST = "a digest does not say which refused submissions were looked at"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with everything that it was made from."""

    manifest: Mapping[str, Credential]
    """Everything that is declared, by name."""
    credentials: Mapping[str, Credential]
    """What was planned of it."""
    declared: int
    files: int
    """How many entries in how many files."""
    traits: Mapping[str, Traits]
    store: Store | None
    keyring: Keyring | None
    snapshot: Snapshot
    resolved: Resolved
    known: Known
    scope: Scope
    plan: Plan
    header: Header
    problems: tuple[Problem, ...]
    origin: Origin
    approved: bool = False
    """Whether it is what somebody approved: a plan file, or by its digest."""
    filed: Filed | None = None
    """The plan file that it comes from."""
    sources: tuple[str, ...] = ()
    """The manifest's files, as they were read."""
    done: tuple[str, ...] = ()
    """Names that an earlier run of that file has stored."""
    staying: frozenset[str] = frozenset()
    """Names whose rejection is no part of what was shown or approved: only a proof settles it."""

    @property
    def opened(self) -> Store:
        """The store, where there must be one by now."""
        if self.store is None:
            raise StoreError("store-missing")
        return self.store

    @property
    def keys(self) -> Keyring:
        """The key, where there must be one by now."""
        if self.keyring is None:
            raise StoreError("key-missing")
        return self.keyring

    def sparing(self, names: Collection[str], why: str) -> Prepared:
        """The same without dropping the rejections of these names, and a warning that says so."""
        if not names:
            return self
        changes = tuple(c for c in self.plan.changes if not (c.drops_rejection and c.name in names))
        told = stale.stays(names, self.snapshot.rejections, why)
        return replace(self, plan=replace(self.plan, changes=changes), problems=(*self.problems, *told),
                       staying=self.staying | frozenset(names))  # fmt: skip

    def sparing_undigested(self) -> Prepared:
        """The same, held to a digest: no word of it is about the rejections that lost their reason, so they stay."""
        return self.sparing(stale.undigested(self.plan.changes) - self.staying, NOT_IN_DIGEST)

    def close(self) -> None:
        if self.store:
            self.store.close()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # a name that is longer than the system takes
        return False


def secrets_folder(named: Path | None, folders: AbstractSet[Path], wanted: Iterable[Credential]) -> Path:
    """Where ``file://`` references are looked for: ``--secrets-dir``, else the one folder of the manifest's files.

    Raises UsageError where the one that is named is not there; where there are several folders, or none that is known,
    and an entry refers to a file.
    """
    if named and not _is_folder(named):
        raise UsageError("no-such-file", f"--secrets-dir {named}: there is no folder {named.absolute()}")
    if named:
        return named
    if len(folders) != 1 and any(t.startswith("file://") for c in wanted for t in c.declared.references.values()):
        raise UsageError("secrets-dir-unknown", ", ".join(sorted(str(folder) for folder in folders)))
    return min(folders, default=Path())


def new_workspace(store: Store | None, snapshot: Snapshot, named_at: Place | None = None) -> tuple[Problem, ...]:
    """A workspace that a store with others does not know is probably a typing error, ``named_at`` in the manifest."""
    if store is None or snapshot.serial:
        return ()
    others = store.workspaces()
    if not others or snapshot.workspace in others:
        return ()
    close = get_close_matches(snapshot.workspace, others, 1)
    detail = f"{snapshot.workspace!r}; the store has {', '.join(others)}"
    there = f" then write  workspace: {close[0]}  at {named_at};" if close and named_at else ""
    hint = f"did you mean {close[0]}?{there} " if close else ""
    return (Problem("new-workspace", CODES["new-workspace"].summary, named_at, detail=detail,
                    hint=hint + CODES["new-workspace"].hint, severity=Severity.WARNING),)  # fmt: skip
