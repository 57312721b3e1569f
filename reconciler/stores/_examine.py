"""Compare what lies in the tables with what the chain says of it: records, former versions, reads. Needs no key."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler import audit
from reconciler.canonical import storable
from reconciler.errors import StoreError
from reconciler.state import SealedSecret
from reconciler.stores import _kept, _rows, _sql
from reconciler.stores._database import Database, Row, typed

Stray = tuple[str, str]
"""What it is (``record marketing-us``, ``version v3 of marketing-us``, ``read 12``), and what is wrong with it."""
_Place = tuple[str, str, int]
"""Name, field and version of a secret."""

_ALL_ROWS = _sql.GET_ROW.removesuffix(" AND name = :name")
_ALL_SECRETS = """SELECT name, field, version, key_id, sealed, fingerprint FROM secrets
    WHERE workspace = :workspace AND keep_until = '' ORDER BY name, field"""
_ALL_LATEST = """SELECT name, version, row_hash FROM events e WHERE workspace = :workspace AND name <> '' AND seq = (
        SELECT MAX(seq) FROM events WHERE workspace = e.workspace AND name = e.name)"""
_FORMER_ROWS = _ALL_ROWS.replace("FROM records", ", keep_until FROM previous")
_EVERY_SECRET = _ALL_SECRETS.replace(" FROM", ", keep_until FROM").replace("AND keep_until = '' ", "")
_NAMES = "SELECT name FROM records WHERE workspace = :workspace"
_ALL_LEFT = """SELECT name, version, row_hash, seq FROM events
    WHERE workspace = :workspace AND row_hash <> '' ORDER BY seq"""
_KEEPING = _sql.GET_EVENTS.replace("ORDER", "AND what <> 'read' AND what <> 'check' ORDER")
_READ_EVENTS = _sql.GET_EVENTS.replace("ORDER", "AND what = 'read' ORDER")
_CHAINED = """SELECT event_seq, id, name, time, body, read_by FROM reads
    WHERE workspace = :workspace AND event_seq IS NOT NULL ORDER BY id"""
_COLUMNS = (*(int if column == "version" else str for column in audit.ROW), str, str, int, str)
"""The types of what the hash covers, and of what stands beside it: versions of secrets, label, event, hash."""
_BESIDE = 4
_SECRET = (str, str, int, str, bytes, bytes)

_NEVER_OURS = "holds what this program never wrote"
_ANOTHER_EVENT = "names another event than the one that wrote it"


def _hash(facts: Sequence[Any], secrets: Sequence[SealedSecret]) -> str | None:
    """The hash of a row; none where a number in it is none that this program counts to."""
    try:
        return audit.row_hash(dict(zip(audit.ROW, facts, strict=True)), secrets)
    except struct.error:
        return None


def strays(database: Database, workspace: str) -> list[Stray]:
    """All rows that are not what their event left behind, in order of name and number."""
    of = {"workspace": workspace}
    return [*_log(database, of), *_records(database, of), *_former(database, of), *_reads(database, of)]


def compared(rows: Sequence[Row], secrets: Sequence[SealedSecret], expected: str) -> str:
    """What is wrong with the one row of a name, or its absence; empty where it has the expected hash."""
    if not rows:
        return "was removed; its latest event kept it" if expected else ""
    if tuple(map(type, rows[0])) != _COLUMNS:
        return _NEVER_OURS
    found = _hash(rows[0][:-_BESIDE], secrets)
    stored = rows[0][-1]
    if found == expected:
        return _beside(rows[0], secrets, expected)
    return "is not the one that its latest event left: an older one was put back" if found == stored else "was altered"


def _beside(row: Sequence[Any], secrets: Sequence[SealedSecret], expected: str) -> str:
    """What is wrong with what stands in a good row beside its hashed columns: all of it follows from those."""
    versions, label, _, stored = row[-_BESIDE:]
    if stored != expected:
        return "has another hash beside it than the one that its event tells"
    if _versions(versions) != {secret.field: secret.version for secret in secrets}:
        return "names other versions of its secrets than it has"
    declared = _rows.label_of(row[audit.ROW.index("declared")])
    if declared is None:
        return _NEVER_OURS
    return "" if label == storable(declared) else "has another label beside it than the one that it declares"


def _versions(text: str) -> dict[str, int] | None:
    """The version of each secret that a row names; none where that cannot be read."""
    try:
        return _kept.versions_of("", text)
    except StoreError:
        return None


def _log(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    """Whoever raises the serial leaves an event."""
    written = any(serial for (serial,) in database.rows(_sql.GET_SERIAL, of))
    if written and not database.rows(_sql.GET_HEAD, of):
        yield f"workspace {of['workspace']}", "has a serial, and no event: renamed, or its log was removed"


def _records(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    rows = {row[0]: row for row in database.rows(_ALL_ROWS, of)}
    latest = {row[0]: row[2] for row in database.rows(_ALL_LATEST, of)}
    secrets: dict[str, list[SealedSecret]] = {}
    for name, *secret in _secrets(database, _ALL_SECRETS, of, *_SECRET):
        secrets.setdefault(name, []).append(SealedSecret(*secret))
    written = {one: seq for one, (_, seq) in _left(database, of).items()}
    for name in sorted(rows.keys() | latest.keys(), key=str):
        row = rows.get(name)
        wrong = compared([row] if row else [], secrets.get(name, ()), latest.get(name, ""))
        if not wrong and row and row[-2] != written.get((name, row[1])):
            wrong = _ANOTHER_EVENT
        if wrong:
            yield f"record {name}", wrong


def _secrets(database: Database, sql: str, of: Mapping[str, str], *types: type) -> list[Row]:
    """Rows whose first column is a name. Raises StoreError ``tampered`` with that of one that was never written so."""
    rows = database.rows(sql, of)
    return [one for row in rows for one in typed(f"a secret of {row[0]} in {of['workspace']}", [row], *types)]


def _left(database: Database, of: Mapping[str, str]) -> dict[tuple[str, int], tuple[str, int]]:
    """Hash and number of the event that wrote each version, by name and version."""
    left: dict[tuple[str, int], tuple[str, int]] = {}
    rows = database.rows(_ALL_LEFT, of)
    for name, version, row_hash, seq in typed(f"the log of {of['workspace']}", rows, str, int, str, int):
        left.setdefault((name, version), (row_hash, seq))
    return left


def _former(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    """Former versions and their secrets: each as its event left it, none gone but in time, none kept but as long."""
    found = _secrets(database, _EVERY_SECRET, of, *_SECRET, str)
    secrets = {(name, field, version): SealedSecret(field, version, *rest)
               for name, field, version, *rest, _ in found}  # fmt: skip
    former = database.rows(_FORMER_ROWS, of)
    wrong = list(_replaced(database, of, former, secrets))
    yield from ((f"version v{version} of {name}", said) for (name, version), said in wrong)
    # a secret of a version that is wrong itself is not named a second time
    named = {name for (name, _), _ in wrong}
    present = {row[0] for row in (*database.rows(_NAMES, of), *database.rows(_ALL_LATEST, of)) if row[-1]}
    last = _last(former)
    for name, field, version, *_, end in found:
        goes = last.get((name, field, version), "")
        # which of those without an end a record has is what its hash covers
        if name not in named and (end != goes if end else name not in present):
            said = f"where the last version that has it goes {goes}" if goes else "and no version has it"
            yield f"secret {field} v{version} of {name}", f"is kept {f'until {end}' if end else 'for good'}, {said}"


def _replaced(
    database: Database, of: Mapping[str, str], former: Sequence[Row], secrets: Mapping[_Place, SealedSecret]
) -> Iterator[tuple[tuple[str, int], str]]:
    """What is wrong with former versions, those that are there and those that are not: name and version, and what."""
    left = _left(database, of)
    # the latest of a name that is stored is its record, and no former version
    latest = typed(f"the log of {of['workspace']}", database.rows(_ALL_LATEST, of), str, int, str)
    missing = left.keys() - {(name, version) for name, version, row_hash in latest if row_hash}
    told = [event for _, event, _ in _rows.events_of(of["workspace"], database.rows(_KEEPING, of))]
    promised, gone = _kept.promised(told), _kept.gone(told)
    for row in former:
        one = row[0], row[1]
        missing.discard(one)
        if wrong := _wrong(row, secrets, *left.get(one, ("", 0)), promised.get(one)):
            yield one, wrong
    for one in sorted(missing - gone.keys()):
        yield one, "was removed before its time: no event tells of it"
    for one in sorted(gone.keys() & promised.keys()):
        if gone[one] < promised[one]:
            yield one, f"was let go {gone[one]}, before its time: {promised[one]}"


def _last(former: Sequence[Row]) -> dict[_Place, str]:
    """Until when each secret of former versions is needed: it goes with the last of them that has it."""
    last: dict[_Place, str] = {}
    for row in former:
        for field, version in (_versions(row[-_BESIDE - 1]) or {}).items():
            one = row[0], field, version
            last[one] = max(last.get(one, ""), str(row[-1]))
    return last


def _wrong(row: Row, secrets: Mapping[_Place, SealedSecret], left: str, seq: int, until: str | None) -> str:
    """What is wrong with the row of a former version; empty where it is the one that its event left."""
    *facts, keep_until = row
    if tuple(map(type, row)) != (*_COLUMNS, str) or (versions := _versions(facts[-_BESIDE])) is None:
        return _NEVER_OURS
    wanted = {(row[0], field, version) for field, version in versions.items()}
    if gone := ", ".join(f"{field} v{version}" for _, field, version in sorted(wanted - secrets.keys())):
        return f"lacks its secret {gone}"
    sealed = [secrets[key] for key in wanted]
    if _hash(facts[:-_BESIDE], sealed) != left:
        return "was altered"
    if wrong := _beside(facts, sealed, left):
        return wrong
    if facts[-2] != seq:
        return _ANOTHER_EVENT
    changed = until not in (None, keep_until)
    return f"says that it is kept until {keep_until}, where its event says {until}" if changed else ""


def _reads(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    """A read is in the chain whole: what the table says beside it must be the same."""
    chained = {seq: event for seq, event, _ in _rows.events_of(of["workspace"], database.rows(_READ_EVENTS, of))}
    # one whose number cannot be read was altered, which the chain tells
    numbers = {number: seq for seq, event in chained.items() if isinstance(number := event.body.get("read"), int)}
    for seq, *row in database.rows(_CHAINED, of):
        number, read = _rows.read_of(row)
        event = chained.get(seq)
        if event is None or (event.time, event.name, event.body) != (read.time, read.name, read.body):
            yield f"read {number}", f"was altered, or is not the one of event {seq}"
        numbers.pop(number, None)
    for missed, at in numbers.items():
        yield f"read {missed}", f"was removed, or taken out of the chain; event {at} tells of it"
