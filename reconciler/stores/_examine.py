"""Compare what lies in the tables with what the chain says of it: records, former versions, reads. Needs no key."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler import audit
from reconciler.state import SealedSecret
from reconciler.stores import _rows, _sql
from reconciler.stores._database import Database, Row, typed

Stray = tuple[str, str]
"""What it is (``record marketing-us``, ``version v3 of marketing-us``, ``read 12``), and what is wrong with it."""

_ALL_ROWS = _sql.GET_ROW.removesuffix(" AND name = :name")
_ALL_SECRETS = """SELECT name, field, version, key_id, sealed, fingerprint FROM secrets
    WHERE workspace = :workspace AND keep_until = '' ORDER BY name, field"""
_ALL_LATEST = """SELECT name, version, row_hash FROM events e WHERE workspace = :workspace AND name <> '' AND seq = (
        SELECT MAX(seq) FROM events WHERE workspace = e.workspace AND name = e.name)"""
_FORMER_ROWS = _ALL_ROWS.replace("row_hash FROM records", "secret_versions FROM previous")
_EVERY_SECRET = _ALL_SECRETS.replace("AND keep_until = '' ", "")
_ALL_LEFT = """SELECT name, version, row_hash FROM events
    WHERE workspace = :workspace AND row_hash <> '' ORDER BY seq"""
_FORGOTTEN = _sql.GET_EVENTS.replace("ORDER", "AND what = 'forget' ORDER")
_READ_EVENTS = _sql.GET_EVENTS.replace("ORDER", "AND what = 'read' ORDER")
_CHAINED = """SELECT event_seq, id, name, time, body, read_by FROM reads
    WHERE workspace = :workspace AND event_seq IS NOT NULL ORDER BY id"""
_HASHED = tuple(int if column == "version" else str for column in audit.ROW)


_NEVER_OURS = "holds what this program never wrote"


def _hash(facts: Sequence[Any], secrets: Sequence[SealedSecret]) -> str | None:
    """The hash of a row; none where a number in it is none that this program counts to."""
    try:
        return audit.row_hash(dict(zip(audit.ROW, facts, strict=True)), secrets)
    except struct.error:
        return None


def strays(database: Database, workspace: str) -> list[Stray]:
    """All rows that are not what their event left behind, in order of name and number."""
    of = {"workspace": workspace}
    return [*_records(database, of), *_former(database, of), *_reads(database, of)]


def compared(rows: Sequence[Row], secrets: Sequence[SealedSecret], expected: str) -> str:
    """What is wrong with the one row of a name, or its absence; empty where it has the expected hash."""
    if not rows:
        return "was removed; its latest event kept it" if expected else ""
    *facts, stored = rows[0]
    if tuple(map(type, facts)) != _HASHED:
        return _NEVER_OURS
    found = _hash(facts, secrets)
    if found == expected:
        return "" if stored == expected else "has another hash beside it than the one that its event tells"
    return "is not the one that its latest event left: an older one was put back" if found == stored else "was altered"


def _records(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    rows = {row[0]: row for row in database.rows(_ALL_ROWS, of)}
    latest = {row[0]: row[2] for row in database.rows(_ALL_LATEST, of)}
    secrets: dict[str, list[SealedSecret]] = {}
    found = database.rows(_ALL_SECRETS, of)
    for name, *secret in typed(f"a secret of {of['workspace']}", found, str, str, int, str, bytes, bytes):
        secrets.setdefault(name, []).append(SealedSecret(*secret))
    for name in sorted(rows.keys() | latest.keys()):
        if wrong := compared([rows[name]] if name in rows else [], secrets.get(name, ()), latest.get(name, "")):
            yield f"record {name}", wrong


def _former(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    """Former versions, each compared with the event that left it; none goes but with an event that says so."""
    about = f"the log of {of['workspace']}"
    left: dict[tuple[str, int], str] = {}
    for name, version, row_hash in typed(about, database.rows(_ALL_LEFT, of), str, int, str):
        left.setdefault((name, version), row_hash)
    # the latest of a name that is stored is its record, and no former version
    latest = typed(about, database.rows(_ALL_LATEST, of), str, int, str)
    missing = left.keys() - {(name, version) for name, version, row_hash in latest if row_hash}
    for _, event, _ in _rows.events_of(of["workspace"], database.rows(_FORGOTTEN, of)):
        missing -= {(event.name, version) for version in event.body.get("versions", ())}
    found = typed(about, database.rows(_EVERY_SECRET, of), str, str, int, str, bytes, bytes)
    secrets = {(name, field, version): SealedSecret(field, version, *rest) for name, field, version, *rest in found}
    for *facts, versions in database.rows(_FORMER_ROWS, of):
        one = facts[0], facts[1]
        missing.discard(one)
        if wrong := _wrong(of["workspace"], facts, versions, secrets, left.get(one, "")):
            yield f"version v{one[1]} of {one[0]}", wrong
    for name, version in sorted(missing):
        yield f"version v{version} of {name}", "was removed before its time: no event tells of it"


def _wrong(
    workspace: str, facts: Sequence[Any], versions: Any, secrets: Mapping[tuple[str, str, int], SealedSecret], left: str
) -> str:
    """What is wrong with the row of a former version; empty where it is the one that its event left."""
    if (*map(type, facts), type(versions)) != (*_HASHED, str):
        return _NEVER_OURS
    wanted = {(facts[0], field, version) for field, version in _rows.versions_of(workspace, versions).items()}
    if gone := ", ".join(f"{field} v{version}" for _, field, version in sorted(wanted - secrets.keys())):
        return f"lacks its secret {gone}"
    return "" if _hash(facts, [secrets[key] for key in wanted]) == left else "was altered"


def _reads(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    """A read is in the chain whole: what the table says beside it must be the same."""
    chained = {seq: event for seq, event, _ in _rows.events_of(of["workspace"], database.rows(_READ_EVENTS, of))}
    numbers = {event.body.get("read"): seq for seq, event in chained.items()}
    for seq, *row in database.rows(_CHAINED, of):
        number, read = _rows.read_of(row)
        event = chained.get(seq)
        if event is None or (event.time, event.name, event.body) != (read.time, read.name, read.body):
            yield f"read {number}", f"was altered, or is not the one of event {seq}"
        numbers.pop(number, None)
    for missed, at in numbers.items():
        yield f"read {missed}", f"was removed, or taken out of the chain; event {at} tells of it"
