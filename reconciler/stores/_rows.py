"""Rows and values: what the columns of ``_sql.py`` say as values of :mod:`reconciler.model`, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.canonical import storable, to_json
from reconciler.errors import StoreError
from reconciler.model import Action, Declared, Event
from reconciler.state import Record, Rejection, SealedSecret
from reconciler.stores._database import Row
from reconciler.stores._verdicts import account_json, account_of, is_time, verdict_json, verdict_of

RECORD = (str, int, *[str] * 11)
"""The types of a record's columns as they are read."""
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What a row raises that this program cannot have written."""


class StoredRecord(Record):
    """A record that reads most of its columns when one of them is first asked for.

    A plan looks at name, version, declared and fingerprints of what stays as it is: the rest of 10,000 records
    would cost it more than those.
    """

    __slots__ = ("_row", "_secrets")

    def __init__(self, row: Row, facts: Mapping[str, Any], secrets: Sequence[tuple[str, int, bytes]]) -> None:
        fill = object.__setattr__
        fill(self, "name", row[0])
        fill(self, "version", row[1])
        fill(self, "declared", _declared_of(row[2], facts))
        fill(self, "old_name", row[4])
        fill(self, "fingerprints", {field: fingerprint for field, _, fingerprint in secrets})
        fill(self, "_row", row)
        fill(self, "_secrets", secrets)

    @property  # type: ignore[misc]
    def __class__(self) -> type[Record]:  # type: ignore[override]
        # dataclasses compare and replace by __class__: in every respect but its making this is a Record
        return Record

    def __getattr__(self, missing: str) -> Any:
        """Called for a slot that is still empty: fills all that are."""
        if missing not in Record.__slots__:
            raise AttributeError(missing)
        account, created_at, created_by, updated_at, updated_by, changed_at, accepted_at, verdict = self._row[5:]
        fill = object.__setattr__
        try:
            fill(self, "account", account_of(json.loads(account)))
            fill(self, "verdict", verdict_of(json.loads(verdict)))
        except UNREADABLE:
            raise StoreError("tampered", f"the record of {self.name} cannot be read") from None
        fill(self, "created_at", created_at)
        fill(self, "created_by", created_by)
        fill(self, "updated_at", updated_at)
        fill(self, "updated_by", updated_by)
        fill(self, "secret_changed_at", changed_at)
        fill(self, "accepted_at", accepted_at)
        fill(self, "secret_versions", {field: version for field, version, _ in self._secrets})
        return object.__getattribute__(self, missing)


def _declared_json(declared: Declared) -> str:
    return to_json({"common": declared.common, "settings": declared.settings, "references": declared.references})


def _declared_of(provider: str, facts: Mapping[str, Any]) -> Declared:
    if not (isinstance(facts["common"], dict) and isinstance(facts["settings"], dict)):
        raise TypeError("declared content is made of mappings")
    if not isinstance(facts["references"], dict):
        raise TypeError("references are a mapping")
    return Declared(provider, facts["common"], facts["settings"], facts["references"])


def record_row(record: Record) -> dict[str, Any]:
    """All columns but workspace, hash and event number."""
    return {
        "name": record.name,
        "version": record.version,
        "old_name": record.old_name,
        "provider": record.declared.provider,
        "label": storable(record.declared.label),
        "declared": _declared_json(record.declared),
        "account": account_json(record.account),
        "created_at": record.created_at,
        "created_by": storable(record.created_by),
        "updated_at": record.updated_at,
        "updated_by": storable(record.updated_by),
        "secret_changed_at": record.secret_changed_at,
        "secret_versions": to_json(record.secret_versions),
        "accepted_at": record.accepted_at,
        "checked_at": record.verdict.at,
        "verdict": verdict_json(record.verdict),
    }


def records_of(workspace: str, rows: Sequence[Row], fingerprints: Iterable[Row]) -> dict[str, Record]:
    """Records by name. Raises StoreError ``tampered`` where a row cannot be one that this program wrote."""
    secrets: dict[str, list[tuple[str, int, bytes]]] = {}
    for name, field, version, fingerprint in fingerprints:
        if type(fingerprint) is not bytes:
            raise StoreError("tampered", f"a fingerprint of {name} in {workspace} cannot be read")
        secrets.setdefault(name, []).append((field, version, fingerprint))
    try:
        if {tuple(map(type, row)) for row in rows} - {RECORD}:
            raise TypeError("a column of another type")
        # one text for all: the parser is called once, not ten thousand times
        everything = json.loads(f"[{','.join([row[3] for row in rows])}]")
        return {
            row[0]: StoredRecord(row, facts, secrets.get(row[0], ()))
            for row, facts in zip(rows, everything, strict=True)
        }
    except UNREADABLE:
        unread = (row[0] for row in rows if tuple(map(type, row)) != RECORD or label_of(row[3]) is None)
        raise StoreError("tampered", f"the record of {next(unread, '?')} in {workspace} cannot be read") from None


def label_of(declared: str) -> str | None:
    """The label of declared content as it is stored; none where that cannot be read."""
    try:
        return _declared_of("", json.loads(declared)).label
    except UNREADABLE:
        return None


def rejection_row(rejection: Rejection) -> dict[str, Any]:
    """All columns but workspace."""
    return {
        "name": rejection.name,
        "action": rejection.action.value,
        "provider": rejection.declared.provider,
        "label": storable(rejection.declared.label),
        "declared": _declared_json(rejection.declared),
        "verdict": verdict_json(rejection.verdict),
        "base_version": rejection.base_version,
        "fingerprints": to_json({key: value.hex() for key, value in rejection.fingerprints.items()}),
        "attempts": rejection.attempts,
        "first_at": rejection.first_at,
        "last_at": rejection.last_at,
        "actor": storable(rejection.by),
    }


def rejections_of(workspace: str, rows: Iterable[Row]) -> dict[str, Rejection]:
    """Rejections by name. Raises StoreError ``tampered`` where a row cannot be one that this program wrote."""
    found: dict[str, Rejection] = {}
    for row in rows:
        try:
            found[row[0]] = _rejection_of(*row)
        except UNREADABLE:
            raise StoreError("tampered", f"the rejection of {row[0]} in {workspace} cannot be read") from None
    return found


def _rejection_of(
    name: str, action: str, provider: str, declared: str, verdict: str, base: int, fingerprints: str, *rest: Any
) -> Rejection:
    attempts, first_at, last_at, by = rest
    if not (type(base) is type(attempts) is int and base >= 0 and attempts > 0 and isinstance(by, str)):
        raise TypeError("versions and attempts are counted, and somebody tried")
    is_time(first_at)
    is_time(last_at)
    return Rejection(
        name,
        Action(action),
        _declared_of(provider, json.loads(declared)),
        verdict_of(json.loads(verdict)),
        base,
        {key: bytes.fromhex(value) for key, value in json.loads(fingerprints).items()},
        *rest,
    )


def event_row(event: Event) -> dict[str, Any]:
    """All columns but workspace, number and mac."""
    return {
        "time": event.time,
        "what": event.what,
        "result": event.result,
        "name": event.name,
        "version": event.version,
        "row_hash": event.row_hash,
        "body": to_json(event.body),
    }


def read_row(event: Event) -> dict[str, Any]:
    """All columns of a read but workspace, and what the database fills in."""
    return {"name": event.name, "version": event.version, "what": event.what, "body": to_json(event.body)}


def read_of(row: Row) -> tuple[int, Event]:
    """A waiting read: its number, and the event that it becomes.

    Whoever may read may write such a row: it is taken for nothing but a read, and one that cannot be read itself
    still becomes an event, so that nobody can stop a write with it.
    """
    number, name, time, text, read_by = row
    try:
        body = _read_body(json.loads(text))
    except UNREADABLE:
        body = {"problem": "tampered", "who": {"ci": ""}}
    if read_by:
        body["who"]["database"] = str(read_by)
    body["read"] = number
    return number, Event(str(time), "read", "given", str(name), body.get("given", 0), body=body)


def _read_body(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a read says, each part of the type that it must have."""
    if type(facts["given"]) is not int:
        raise TypeError("a version is a number")
    return {
        "provider": str(facts["provider"]),
        "how": str(facts["how"]),
        "given": facts["given"],
        "keys": [str(key) for key in facts["keys"]],
        "who": {str(key): str(text) for key, text in facts["who"].items()},
    }


def events_of(workspace: str, rows: Iterable[Row]) -> list[tuple[int, Event, bytes]]:
    """The chain. Raises StoreError ``tampered`` where a row is none that this program can have written."""
    return [_link_of(workspace, *row) for row in rows]


def _link_of(workspace: str, seq: Any, *facts: Any) -> tuple[int, Event, bytes]:
    time, what, result, name, version, row_hash, body, mac = facts
    try:
        if not (all(isinstance(text, str) for text in (time, what, result, name, row_hash)) and isinstance(mac, bytes)):
            raise TypeError("a column of another type")
        if type(seq) is not int or type(version) is not int:
            raise TypeError("a number of another type")
        event = Event(time, what, result, name, version, row_hash, json.loads(body))
        if not isinstance(event.body, dict):
            raise TypeError("a body is a mapping")
        # JSON has no infinity, Python's reader makes one of 1e999: the chain must have a form for what it covers
        to_json(event.body)
    except UNREADABLE:
        raise StoreError("tampered", f"event {seq!r} of {workspace} cannot be read") from None
    return seq, event, mac


def sealed_row(sealed: SealedSecret) -> dict[str, Any]:
    """All columns but workspace, name and times."""
    return {
        "field": sealed.field,
        "version": sealed.version,
        "key_id": sealed.key_id,
        "sealed": sealed.sealed,
        "fingerprint": sealed.fingerprint,
    }
