"""Which credentials need a new secret soon: ``expires_on`` and ``rotate_every`` against a given day. Pure: no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from reconciler.errors import StoreError
from reconciler.model import Action, Credential, Declared, Place, SecretState
from reconciler.plans import Plan
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
    place: Place | None = field(default=None, compare=False)
    """Where the manifest says so, if one is at hand."""


_Content = tuple[str, Declared, Record | None]
"""A name, what it declares, and the record that knows when its secret changed last: none where that is today."""


def due(records: Iterable[Record], today: str, horizon: int = HORIZON) -> tuple[Due, ...]:
    """What falls due within ``horizon`` days of ``today`` (YYYY-MM-DD), soonest first.

    Raises StoreError ``tampered`` where a record says what no manifest may.
    """
    return _soonest(((r.name, r.declared, r) for r in records), today, horizon)


def due_after(
    plan: Plan, records: Mapping[str, Record], credentials: Mapping[str, Credential], today: str
) -> tuple[Due, ...]:
    """What falls due once a plan is carried out, within :data:`HORIZON` days, with its place in the manifest."""
    content: dict[str, _Content] = {name: (name, record.declared, record) for name, record in records.items()}
    for change in plan.effective:
        content.pop(change.stored_name, None)
        if change.action is not Action.DELETE:
            fresh = {SecretState.NEW, SecretState.CHANGED} & set(change.secrets.values())
            content[change.name] = change.name, change.declared, None if fresh else change.record
    return tuple(
        replace(one, place=credentials[one.name].place(one.key)) if one.name in credentials else one
        for one in _soonest(content.values(), today, HORIZON)
    )


def _soonest(content: Iterable[_Content], today: str, horizon: int) -> tuple[Due, ...]:
    start = date.fromisoformat(today)
    found = (
        Due(day.isoformat(), name, key, (day - start).days)
        for name, declared, record in content
        for key, day in _days_of(name, declared, record, start)
    )
    return tuple(sorted(one for one in found if one.days <= horizon))


def _days_of(name: str, declared: Declared, record: Record | None, today: date) -> tuple[tuple[str, date], ...]:
    try:
        return tuple(_days(declared, record, today))
    except (ValueError, TypeError, OverflowError):
        # a manifest is checked before: what is stored may have been written by anybody
        raise StoreError("tampered", f"the dates of {name} cannot be read") from None


def _days(declared: Declared, record: Record | None, today: date) -> Iterator[tuple[str, date]]:
    expires = declared.common.get("expires_on")
    if expires:
        yield "expires_on", date.fromisoformat(str(expires))
    every = declared.common.get("rotate_every")
    if every:
        # the record's time is looked at here alone: of ten thousand records, most do not ask for it
        changed = date.fromisoformat(record.secret_changed_at[:10]) if record else today
        yield "rotate_every", changed + timedelta(days=int(str(every).removesuffix("d")))
