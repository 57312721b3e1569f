"""Use cases on what is stored: list it, cancel a rejection."""

from __future__ import annotations

import os
from dataclasses import replace

from reconciler import audit, schema
from reconciler.app.applying import LEASE_SECONDS
from reconciler.app.wiring import Where, choose_workspace, keyring, open_store
from reconciler.context import now
from reconciler.errors import UsageError
from reconciler.report import Header, Report, rows
from reconciler.state import Snapshot
from reconciler.stores.base import DropRejection, Holder, Store


def list_(where: Where, *, provider: str = "", created_by: str = "") -> Report:
    """Every credential of the workspace, stored or refused. Needs no key and no network."""
    store = open_store(where)
    try:
        snapshot = store.load(_workspace(where, store))
    finally:
        store.close()
    everything = rows(snapshot, schema.traits(schema.builtin()))
    filters = {k: v for k, v in (("provider", provider), ("created-by", created_by)) if v}
    return Report(
        "list",
        header=_header(store, snapshot),
        rows=tuple(r for r in everything if provider in ("", r.provider) and created_by in ("", r.created_by)),
        total=len(everything),
        filters=filters,
        creators=tuple(sorted({r.created_by for r in everything if r.created_by})),
    )


def cancel(where: Where, name: str) -> Report:
    """Drop one rejection; what was stored before is untouched. Raises UsageError where there is none."""
    store = open_store(where)
    try:
        workspace = _workspace(where, store)
        snapshot = store.load(workspace)
        rejection = snapshot.rejections.get(name)
        if rejection is None:
            raise UsageError("no-such-name", _without_rejection(name, snapshot))
        _drop(where, store, workspace, name)
        left = store.load(workspace)
    finally:
        store.close()
    report = Report("cancel", header=_header(store, left), facts={"name": name})
    everything = rows(left, schema.traits(schema.builtin()))
    return replace(report, rows=tuple(r for r in everything if r.name == name), total=len(everything))


def _drop(where: Where, store: Store, workspace: str, name: str) -> None:
    mac = keyring(where, store).mac(workspace)
    origin = where.origin
    lease = store.acquire(workspace, Holder(origin.actor, origin.host, os.getpid(), origin.run_url), LEASE_SECONDS)
    try:
        event = audit.dropped(name, "cancel", origin, now())
        store.commit(lease, [DropRejection(event)], mac)
    finally:
        store.release(lease)


def _without_rejection(name: str, snapshot: Snapshot) -> str:
    waiting = ", ".join(sorted(snapshot.rejections)) or "none"
    known = "has no rejection to cancel" if name in snapshot.records else "is not in this workspace"
    return f"{name} {known}; rejections waiting: {waiting}"


def _workspace(where: Where, store: Store) -> str:
    """As for every command, but here the workspace must be one that the store has."""
    names = store.workspaces()
    if where.workspace and names and where.workspace not in names:
        raise UsageError("workspace-unknown", f"{where.workspace!r} is not in this store; it has {', '.join(names)}")
    return choose_workspace(where.workspace, store)


def _header(store: Store, snapshot: Snapshot) -> Header:
    info = store.info
    return Header(snapshot.workspace, info.mode, info.display, True, info.id, snapshot.serial, len(snapshot.records))
