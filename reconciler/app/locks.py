"""Use cases of the lease: who holds it, and end it where its holder is gone."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

from reconciler import audit
from reconciler.app.interrupts import Interrupts
from reconciler.app.wiring import Where, header_at, keyring, known_workspace, open_store
from reconciler.context import now
from reconciler.errors import StoreError, UsageError
from reconciler.manifest import workspace_of
from reconciler.report import Report
from reconciler.stores.base import Held, Store
from reconciler.subkeys import AUDIT, SEALING


def show(where: Where) -> Report:
    """Who holds the workspace's lease. Needs no key."""
    store = open_store(where)
    try:
        workspace = _workspace(where, store)
        return _report("lock show", store, workspace, store.held(workspace))
    finally:
        store.close()


def release(where: Where, lease_id: str, *, yes: bool) -> Report:
    """End the lease with this id, with an event that says who did it; its holder can write nothing from then on.

    Raises UsageError for what is no id and without the consent, StoreError ``lock-gone`` where another lease or none is
    held, and ``key-missing``: nobody who may not apply ends another's apply.
    """
    if not re.fullmatch("[0-9a-f]{16}", lease_id, re.ASCII):
        # it may be anything that was pasted, a secret too
        raise UsageError("usage", "the id of a lease has 16 hex digits; what was given is none, and not repeated here",
                         f"look who holds one:  reconciler lock show{where.flags}")  # fmt: skip
    with Interrupts() as interrupts, closing(open_store(where)) as store:
        workspace = _workspace(where, store)
        held = store.held(workspace)
        if held is None or held.lease.id != lease_id:
            raise StoreError("lock-gone", f"{lease_id}; {_said(held)}", _look(where, workspace, held))
        if not yes:
            end = where.next(f"lock release {lease_id}", workspace)
            raise UsageError("lock-unconfirmed", _said(held), f"look whether it lives; if it is gone:  {end} --yes")
        keys = keyring(where, store)
        # an auditor's key can chain events, and yet may end nobody's apply
        keys.need(workspace, SEALING, AUDIT)
        mac = keys.mac(workspace)
        # what is done from here on is told
        interrupts.note()
        store.take_away(held.lease, audit.taken_away(_facts(held), where.origin, now()), mac)
        return _report("lock release", store, workspace, held)


def _workspace(where: Where, store: Store) -> str:
    """One that is new to the store is known by nothing but its lease, until its first apply has stored something."""
    named = where.workspace or workspace_of(where.manifest)
    return named if named and store.held(named) else known_workspace(where, store)


def _report(command: str, store: Store, workspace: str, held: Held | None) -> Report:
    header = header_at(store, workspace)
    facts = {"lease": _facts(held) if held else None, "expired": bool(held and held.expired)}
    return Report(command, header=header, facts=facts)


def _facts(held: Held) -> dict[str, Any]:
    holder = held.holder
    return {
        "id": held.lease.id,
        "fencing": held.lease.fencing,
        "actor": holder.actor,
        "host": holder.host,
        "pid": holder.pid,
        "run_url": holder.run_url,
        "since": held.since,
        "heartbeat": held.heartbeat,
        "expires": held.expires,
    }


def _look(where: Where, workspace: str, held: Held | None) -> str:
    return f"look who holds it:  {where.next('lock show', workspace)}" if held else "nothing to end: go on"


def _said(held: Held | None) -> str:
    if held is None:
        return "nobody holds the lease"
    holder = held.holder
    where = f"{holder.run_url}, {holder.host}" if holder.run_url else holder.host
    return f"{holder.actor} ({where}, process {holder.pid}) holds it since {held.since}, as {held.lease.id}"
