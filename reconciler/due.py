"""Which credentials need a new secret soon: ``expires_on`` and ``rotate_every`` against a given day. Pure: no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from reconciler.model import Declared
from reconciler.state import Record

HORIZON = 30
"""Days ahead that list, plan and check look."""


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One date that comes, or has passed."""

    day: str
    """YYYY-MM-DD, UTC: the last good day."""
    name: str
    key: str
    """``expires_on`` or ``rotate_every``."""
    days: int
    """Until that day; negative once it has passed."""


def due(records: Iterable[Record], today: str, horizon: int = HORIZON) -> tuple[Due, ...]:
    """What falls due within ``horizon`` days of ``today`` (YYYY-MM-DD), soonest first."""
    return tuple(sorted(d for record in records for d in _of(record, date.fromisoformat(today)) if d.days <= horizon))


def _of(record: Record, today: date) -> Iterator[Due]:
    for key, day in _days(record.declared, record):
        yield Due(day.isoformat(), record.name, key, (day - today).days)


def _days(declared: Declared, record: Record) -> Iterator[tuple[str, date]]:
    expires = declared.common.get("expires_on")
    if expires:
        yield "expires_on", date.fromisoformat(str(expires))
    every = declared.common.get("rotate_every")
    if every:
        changed = date.fromisoformat(record.secret_changed_at[:10])
        yield "rotate_every", changed + timedelta(days=int(str(every).removesuffix("d")))
