"""Use cases on what is stored: list it, cancel a rejection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from reconciler import audit
from reconciler.app import filtering, naming, plugged
from reconciler.app.interrupts import Interrupts
from reconciler.app.leasing import holding
from reconciler.app.wiring import Where, header_of, keyring, known_workspace, open_store
from reconciler.context import now
from reconciler.due import HORIZON, due
from reconciler.errors import UsageError
from reconciler.model import Problem, Status
from reconciler.report import Report, Row, rows
from reconciler.state import Snapshot
from reconciler.stores.base import DropRejection, Store
from reconciler.subkeys import AUDIT, SEALING


@dataclass(frozen=True, slots=True)
class View:
    """Which rows to show, and in which order; empty text selects everything."""

    provider: str = ""
    created_by: str = ""
    status: str = ""
    """A status, or its beginning: ``ready``, ``not ready``."""
    search: str = ""
    """Part of a name, label, owner, description or Service ID, in any case."""
    sort: str = "name"
    due_days: int | None = None
    """Only what falls due within so many days."""
    required: int = 0
    """How many ready credentials there must be."""

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, by flag."""
        due = "" if self.due_days is None else f"{self.due_days}d"
        said = {"provider": self.provider, "created-by": self.created_by, "status": self.status,
                "search": self.search, "due": due}  # fmt: skip
        return {flag: value for flag, value in said.items() if value}

    def takes(self, row: Row) -> bool:
        """Whether a row passes the filters that need nothing but the row."""
        return (
            self.provider in ("", row.provider)
            and self.created_by in ("", row.created_by)
            and row.status.startswith(self.status)
            and self.search.casefold() in _searched(row)
        )


SORTS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row.name,
    "label": lambda row: (row.label.casefold(), row.name),
    "provider": lambda row: (row.provider, row.name),
    "created-by": lambda row: (row.created_by, row.name),
    "created": lambda row: (row.record.created_at if row.record else "", row.name),
    "status": lambda row: (row.ready, row.status, row.name),
    "checked": lambda row: (row.record.verdict.at if row.record else "", row.name),
}


def _searched(row: Row) -> str:
    source = row.record or row.rejection
    common = source.declared.common if source else {}
    texts = (row.name, row.label, row.service_id, common.get("owner", ""), common.get("description", ""))
    return "\n".join(str(text) for text in texts).casefold()


def list_(where: Where, view: View) -> Report:
    """Every credential of the workspace, stored or refused. Needs no key and no network.

    Raises UsageError for a status or a provider that there is not.
    """
    filtering.one_of("--status", view.status, [one.value for one in Status], begins=True)
    store = open_store(where)
    try:
        snapshot = store.load(known_workspace(where, store))
        empty = not (snapshot.records or snapshot.rejections)
        tried = empty and store.head(snapshot.workspace) is not None
    finally:
        store.close()
    known = plugged.traits(snapshot)
    everything = rows(snapshot, known)
    filtering.provider(view.provider, {row.provider for row in everything})
    horizon = HORIZON if view.due_days is None else view.due_days
    soon = due(snapshot.records.values(), now()[:10], horizon)
    names = {one.name for one in soon}
    shown = (r for r in everything if view.takes(r) and (view.due_days is None or r.name in names))
    return Report(
        "list",
        header=header_of(store, snapshot),
        rows=tuple(sorted(shown, key=SORTS[view.sort])),
        total=len(everything),
        filters=view.filters,
        creators=tuple(sorted({r.created_by for r in everything if r.created_by})),
        due=soon,
        traits=known,
        required=view.required,
        facts={"tried": True} if tried else {},
    )


def get(where: Where, name: str) -> Report:
    """Everything known of one credential but its secrets. Raises UsageError with a did-you-mean."""
    found = list_(where, View())
    by_name = {row.name: row for row in found.rows}
    warned: tuple[Problem, ...] = ()
    if name not in by_name:
        record = naming.find({row.name: row.record for row in found.rows if row.record}, name)
        if record is None:
            raise naming.unknown(name, by_name, where.next("list", found.header.workspace if found.header else ""))
        name, warned = record.name, naming.warnings(name, record)
    return replace(found, command="get", rows=(by_name[name],), problems=warned,
                   due=tuple(d for d in found.due if d.name == name))  # fmt: skip


def cancel(where: Where, name: str) -> Report:
    """Drop one rejection; what was stored before is untouched. Raises UsageError where there is none."""
    with Interrupts() as interrupts, closing(open_store(where)) as store:
        workspace = known_workspace(where, store)
        snapshot = store.load(workspace)
        rejection = snapshot.rejections.get(name)
        if rejection is None:
            raise UsageError("no-rejection", _without_rejection(name, snapshot),
                             f"{where.next('list', workspace)}  shows what was refused")  # fmt: skip
        _drop(where, store, workspace, name, interrupts)
        left = store.load(workspace)
    report = Report("cancel", header=header_of(store, left), facts={"name": name})
    everything = rows(left, plugged.traits(left))
    return replace(report, rows=tuple(r for r in everything if r.name == name), total=len(everything))


def _drop(where: Where, store: Store, workspace: str, name: str, interrupts: Interrupts) -> None:
    keys = keyring(where, store)
    # an auditor's key can chain events, and yet may drop nobody's submission
    keys.need(workspace, SEALING, AUDIT)
    mac = keys.mac(workspace)
    with holding(store, workspace, where.origin, where.patience) as lease:
        # what is done from here on is told
        interrupts.note()
        store.commit(lease, [DropRejection(audit.dropped(name, "cancel", where.origin, now()))], mac)


def _without_rejection(name: str, snapshot: Snapshot) -> str:
    waiting = ", ".join(sorted(snapshot.rejections)) or "none"
    known = "has no rejection to cancel" if name in snapshot.records else "is not in this workspace"
    return f"{name} {known}; rejections waiting: {waiting}"
