"""Compare what lies in the tables with what the chain says of it: every record, every read. Needs no key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler import audit
from reconciler.state import SealedSecret
from reconciler.stores import _rows, _sql
from reconciler.stores._database import Database, Row, typed

Stray = tuple[str, str]
"""What it is (``record marketing-us``, ``read 12``), and what is wrong with it."""


def strays(database: Database, workspace: str) -> list[Stray]:
    """All rows that are not what their event left behind, in order of name and number."""
    of = {"workspace": workspace}
    return [*_records(database, of), *_reads(database, of)]


def compared(rows: Sequence[Row], secrets: Sequence[SealedSecret], expected: str) -> str:
    """What is wrong with the one row of a name, or its absence; empty where it has the expected hash."""
    if not rows:
        return "was removed; its latest event kept it" if expected else ""
    *facts, stored = rows[0]
    if not all(
        isinstance(fact, int if column == "version" else str) for column, fact in zip(audit.ROW, facts, strict=True)
    ):
        return "holds what this program never wrote"
    found = audit.row_hash(dict(zip(audit.ROW, facts, strict=True)), secrets)
    if found == expected:
        return ""
    return "is not the one that its latest event left: an older one was put back" if found == stored else "was altered"


def _records(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    rows = {row[0]: row for row in database.rows(_sql.GET_ROWS, of)}
    latest = {row[0]: row[1] for row in database.rows(_sql.GET_ALL_LATEST, of)}
    secrets: dict[str, list[SealedSecret]] = {}
    found = database.rows(_sql.GET_ALL_SECRETS, of)
    for name, *secret in typed(f"a secret of {of['workspace']}", found, str, str, int, str, bytes, bytes):
        secrets.setdefault(name, []).append(SealedSecret(*secret))
    for name in sorted(rows.keys() | latest.keys()):
        if wrong := compared([rows[name]] if name in rows else [], secrets.get(name, ()), latest.get(name, "")):
            yield f"record {name}", wrong


def _reads(database: Database, of: Mapping[str, str]) -> Iterator[Stray]:
    """A read is in the chain whole: what the table says beside it must be the same."""
    chained = {
        seq: event for seq, event, _ in _rows.events_of(of["workspace"], database.rows(_sql.GET_READ_EVENTS, of))
    }
    numbers = {event.body.get("read"): seq for seq, event in chained.items()}
    for seq, *row in database.rows(_sql.GET_CHAINED, of):
        number, read = _rows.read_of(row)
        event = chained.get(seq)
        if event is None or (event.time, event.name, event.body) != (read.time, read.name, read.body):
            yield f"read {number}", f"was altered, or is not the one of event {seq}"
        numbers.pop(number, None)
    for missed, at in numbers.items():
        yield f"read {missed}", f"was removed, or taken out of the chain; event {at} tells of it"
