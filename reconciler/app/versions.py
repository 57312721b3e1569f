"""The use case get: one credential as it is, with the former versions that are kept, or as it was in one version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler import audit, lineage
from reconciler.app import listing, naming
from reconciler.app.lives import kept, log_of
from reconciler.app.wiring import Where, header_of, known_workspace, open_store
from reconciler.errors import UsageError
from reconciler.model import Declared, Event, Problem, Result
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
        raise _absent(where, name) or error from None
    workspace, row = found.header.workspace if found.header else "", found.rows[0]
    store = open_store(where)
    try:
        chain = log_of(store, workspace, row.name)
        former = kept(store, workspace, row.name, chain)
    finally:
        store.close()
    said = [{"version": number, "until": one.until, "name": one.record.name, "whole": one.whole}
            for number, one in former.items()]  # fmt: skip
    since = lineage.came_up(chain, row.name, row.record.version) if row.record else {}
    changed = [{"field": key, "version": first, "at": at} for key, (first, at) in since.items()]
    return replace(found, facts={"kept": said, "secrets": changed})


def _absent(where: Where, name: str) -> UsageError | None:
    """That a name which is not stored is another one now, or can be restored; None where neither is so."""
    store = open_store(where)
    try:
        workspace = known_workspace(where, store)
        chain = log_of(store, workspace, name)
        new = lineage.moved(chain, name)
        former = {} if new else kept(store, workspace, name, chain)
    finally:
        store.close()
    if new:
        return naming.moved(name, new, where.next(f"get {new}", workspace))
    for number, one in former.items():
        if one.deleted:
            back = where.next(f"restore {name}", workspace)
            said = f"{name} was deleted; v{number} is kept until {one.until}"
            return UsageError("no-such-name", said, f"{back}  puts it back, with --version {number} or as it was last")
    return _tried(where, chain, workspace, name)


def _tried(where: Where, chain: Sequence[audit.Link], workspace: str, name: str) -> UsageError | None:
    """That the last attempt to store a name failed, so that nothing is known of it but that."""
    last = next((event for _, event, _ in reversed(chain) if event.name == name), None)
    if last is None or last.result != Result.FAILED:
        return None
    why = last.body.get("problem") or last.body.get("verdict", {}).get("code", "")
    said = f"nothing is stored of {name}: its last attempt failed ({why}), {last.time[:10]} {last.time[11:16]} UTC"
    return UsageError("no-such-name", said, where.next(f"history {name}", workspace))


def _at(where: Where, name: str, version: int) -> Report:
    store = open_store(where)
    try:
        snapshot = store.load(known_workspace(where, store))
        record = naming.find(snapshot.records, name)
        warned: tuple[Problem, ...] = naming.warnings(name, record) if record else ()
        name = record.name if record else name
        facts = _facts(where, store, snapshot.workspace, name, version, record)
    finally:
        store.close()
    return Report("get", header=header_of(store, snapshot), problems=warned, total=len(snapshot.records), facts=facts)


def _facts(
    where: Where, store: Store, workspace: str, name: str, version: int, record: Record | None
) -> dict[str, Any]:
    chain = log_of(store, workspace, name)
    event = lineage.event_of(chain, name, version)
    if event is None:
        raise _never(where, store, chain, workspace, name, version)
    former = kept(store, workspace, name, chain).get(version)
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


def _never(
    where: Where, store: Store, chain: Sequence[audit.Link], workspace: str, name: str, version: int
) -> UsageError:
    """That a credential never had this version; another one may have had it under the same name."""
    there = ", ".join(f"v{number}" for number in lineage.versions(chain, name)) or "none"
    if new := lineage.moved(chain, name):
        return naming.moved(name, new, where.next(f"get {new} --version {version}", workspace))
    if other := lineage.of_another(chain, name, version):
        said = f"{name} never had a v{version}; it had: {there}; before, the name was that of {other}"
        return UsageError("no-such-version", said, where.next(f"get {other} --version {version}", workspace))
    if there == "none":
        return naming.unknown(name, {one.name for _, one, _ in store.events(workspace)}, where.next("list", workspace))
    hint = where.next(f"get {name}", workspace) + "  lists the versions that are kept"
    return UsageError("no-such-version", f"{name} never had a v{version}; it had: {there}", hint)


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
