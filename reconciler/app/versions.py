"""The use case get: one credential as it is, with the former versions that are kept, or as it was in one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler import audit, lineage
from reconciler.app import listing, naming
from reconciler.app.restoring import kept
from reconciler.app.wiring import Where, header_of, known_workspace, open_store
from reconciler.errors import UsageError
from reconciler.model import Declared, Event, Problem
from reconciler.report import Report
from reconciler.state import Record
from reconciler.stores.base import Store


def get(where: Where, name: str, version: int = 0) -> Report:
    """Everything known of one credential but its secrets. Needs no key and no network.

    Raises UsageError with a did-you-mean; for a version that there never was, with those that there were.
    """
    if version:
        return _at(where, name, version)
    try:
        found = listing.get(where, name)
    except UsageError as error:
        raise _deleted(where, name) or error from None
    store = open_store(where)
    try:
        former = kept(store, found.header.workspace if found.header else "", found.rows[0].name)
    finally:
        store.close()
    said = [{"version": number, "until": one.until, "name": one.record.name, "whole": one.whole}
            for number, one in former.items()]  # fmt: skip
    return replace(found, facts={"kept": said})


def _deleted(where: Where, name: str) -> UsageError | None:
    """That a name which is not stored can be restored, where it can."""
    store = open_store(where)
    try:
        former = kept(store, known_workspace(where.workspace, store), name)
    finally:
        store.close()
    for number, one in former.items():
        if one.deleted:
            hint = f"reconciler restore {name}  puts it back, get {name} --version {number} shows it"
            return UsageError("no-such-name", f"{name} was deleted; v{number} is kept until {one.until}", hint)
    return None


def _at(where: Where, name: str, version: int) -> Report:
    store = open_store(where)
    try:
        snapshot = store.load(known_workspace(where.workspace, store))
        record = naming.find(snapshot.records, name)
        warned: tuple[Problem, ...] = naming.warnings(name, record) if record else ()
        name = record.name if record else name
        facts = _facts(store, snapshot.workspace, name, version, record)
    finally:
        store.close()
    return Report("get", header=header_of(store, snapshot), problems=warned, total=len(snapshot.records), facts=facts)


def _facts(store: Store, workspace: str, name: str, version: int, record: Record | None) -> dict[str, Any]:
    chain = store.events(workspace)
    event = lineage.event_of(chain, name, version)
    if event is None:
        there = ", ".join(f"v{number}" for number in lineage.versions(chain, name))
        if not there:
            raise naming.unknown(name, {one.name for _, one, _ in chain})
        raise UsageError("no-such-version", f"{name} never had a v{version}; it had: {there}")
    former = kept(store, workspace, name).get(version)
    now = record if record and record.version == version else None
    source = now or (former.record if former else None)
    declared = _flat(source.declared) if source else lineage.replayed(chain, name, version)
    return {
        "name": name,
        "version": version,
        "was": event.name,
        "what": event.what,
        "at": event.time,
        "by": _author(event),
        "declared": declared,
        "account": event.body.get("verdict", {}).get("account", ""),
        "fingerprints": _fingerprints(source, event),
        "secret": "stored" if now else "kept" if former and former.whole else "gone",
        "until": former.until if former else "",
    }


def _author(event: Event) -> str:
    who = event.body.get("who", {})
    return str(who.get("commit_author") or who.get("actor", ""))


def _flat(declared: Declared) -> dict[str, Any]:
    return {"provider": declared.provider, **declared.settings, **declared.references, **declared.common}


def _fingerprints(source: Record | None, event: Event) -> Mapping[str, str]:
    """8 hex digits each; what an event does not say of an unchanged secret is left out."""
    if source:
        return {key: audit.shown(value) for key, value in source.fingerprints.items()}
    return {key: after for key, (_, after) in event.body.get("fingerprints", {}).items() if after}
