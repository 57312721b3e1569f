"""What a store keeps of former versions for a while, each compared with the event that it left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler import audit
from reconciler.errors import StoreError
from reconciler.model import Event
from reconciler.state import Kept, SealedSecret
from reconciler.stores import _rows, _sql
from reconciler.stores._database import Database, Row, typed

_COLUMNS = (*_rows.RECORD, str, int, str, str)
"""The types of the columns of ``GET_KEPT``."""


def promised(events: Iterable[Event]) -> dict[tuple[str, int], str]:
    """Until when each version is kept, by name and version, as the event that replaced it says."""
    found: dict[tuple[str, int], str] = {}
    for event in events:
        match event.body.get("kept"):
            case {"version": int(version), "until": str(until)}:
                found[event.name, version] = until
    return found


def gone(events: Iterable[Event]) -> dict[tuple[str, int], str]:
    """When each version was let go for good, by name and version, as the event of that says."""
    found: dict[tuple[str, int], str] = {}
    for event in events:
        match event.what, event.body.get("versions"):
            case "forget", [*versions]:
                found |= {(event.name, version): event.time for version in versions if isinstance(version, int)}
    return found


def kept(database: Database, workspace: str, name: str) -> list[Kept]:
    """The former versions under this name that have not run out, newest first; inside a transaction of the caller.

    Raises StoreError ``tampered`` where one is not what its event left.
    """
    of = {"workspace": workspace, "name": name, "now": database.now()}
    found = secrets_of(of, database.rows(_sql.GET_SECRETS_SINCE, of))
    secrets = {(secret.field, secret.version): secret for secret in found}
    rows = typed(f"a former version of {name} in {workspace}", database.rows(_sql.GET_KEPT, of), *_COLUMNS)
    return [_kept(database, of, row, secrets) for row in rows]


def secrets_of(of: Mapping[str, str], rows: Sequence[Row]) -> list[SealedSecret]:
    """Sealed secrets of one name. Raises StoreError ``tampered`` where a row is none that this program wrote."""
    about = f"a secret of {of['name']} in {of['workspace']}"
    return [SealedSecret(*row) for row in typed(about, rows, str, int, str, bytes, bytes)]


def versions_of(about: str, text: str) -> dict[str, int]:
    """The version of each secret of a row. Raises StoreError ``tampered`` where it cannot be read."""
    try:
        found = dict(json.loads(text).items())
    except _rows.UNREADABLE:
        found = {"": None}
    if any(type(version) is not int for version in found.values()):
        raise StoreError("tampered", f"{about} does not say which secrets it has")
    return found


def _kept(database: Database, of: Mapping[str, Any], row: Row, secrets: Mapping[tuple[str, int], SealedSecret]) -> Kept:
    workspace, name, version = of["workspace"], of["name"], row[1]
    columns, facts = row[: len(_sql.RECORD)], row[len(_sql.RECORD) :]
    wanted = versions_of(f"v{version} of {name} in {workspace}", facts[0])
    sealed = [secrets[field, at] for field, at in sorted(wanted.items()) if (field, at) in secrets]
    if len(sealed) == len(wanted):
        left = database.rows(_sql.GET_LEFT, {**of, "version": version})
        # the columns that the hash covers are among those that make a record
        stored = dict(zip(_sql.RECORD, columns, strict=True))
        if not left or audit.row_hash(stored, sealed) != left[0][0]:
            raise StoreError("tampered", f"v{version} of {name} in {workspace}, kept for a while, was altered")
    prints: Sequence[Row] = [(name, s.field, s.version, s.fingerprint) for s in sealed]
    record = _rows.records_of(workspace, [columns], prints)[name]
    return Kept(record, tuple(sealed), len(sealed) == len(wanted), bool(facts[1]), facts[2], facts[3])
