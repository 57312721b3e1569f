"""Use cases of the audit log: who changed what, and was the secret changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler import audit
from reconciler.app import filtering
from reconciler.app.wiring import Where, header_of, keyring, known_workspace, open_store
from reconciler.errors import StoreError, UsageError
from reconciler.model import Event
from reconciler.report import Entry, Report
from reconciler.stores.base import Store
from reconciler.trouble import nearest

_SPAN = re.compile(r"([1-9][0-9]{0,4})(d|h|min)", re.ASCII)
_UNITS = {"d": "days", "h": "hours", "min": "minutes"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to show; empty text selects everything."""

    name: str = ""
    provider: str = ""
    since: str = ""
    """An RFC 3339 time in UTC."""
    actor: str = ""
    what: str = ""

    def takes(self, event: Event) -> bool:
        """Whether an event passes."""
        who = event.body.get("who", {})
        people = (who.get("actor", ""), who.get("commit_author", ""), who.get("triggered_by", ""))
        return (
            self.name in ("", event.name)
            and self.provider in ("", event.body.get("provider", ""))
            and event.time >= self.since
            and (not self.actor or self.actor in people)
            and self.what in ("", event.what)
        )


def span(text: str) -> timedelta:
    """``7d``, ``12h`` or ``30min``. Raises UsageError for anything else."""
    match = _SPAN.fullmatch(text)
    if not match:
        raise UsageError("usage", f"{text!r} is not a length of time such as 7d, 12h or 30min")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def since(text: str, today: str) -> str:
    """``7d``, a date or a timestamp (UTC unless it says otherwise), as the time that events carry."""
    if not text:
        return ""
    if _SPAN.fullmatch(text):
        at = datetime.fromisoformat(today) - span(text)
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError("usage", f"{text!r} is not 7d, a date or a timestamp") from None
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def history(where: Where, wanted: Filter) -> Report:
    """Events in order, newest first, and whether the chain that holds them is whole, where a key is at hand.

    Raises UsageError for a name that no event has, and for a provider or a kind of event that there is not.
    """
    store = open_store(where)
    try:
        workspace = known_workspace(where.workspace, store)
        snapshot = store.load(workspace)
        chain = store.events(workspace)
        names = {event.name for _, event, _ in chain}
        if wanted.name and wanted.name not in names:
            close = nearest(wanted.name, names)
            raise UsageError("no-such-name", f"{wanted.name} has no history in {workspace}",
                             f"did you mean {close}?" if close else "")  # fmt: skip
        filtering.provider(wanted.provider, {event.body.get("provider", "") for _, event, _ in chain})
        filtering.one_of("--what", wanted.what, {*audit.WHAT, *(event.what for _, event, _ in chain)})
        verified = _verified(where, store, workspace)
    finally:
        store.close()
    entries = tuple(Entry(seq, event) for seq, event, _ in reversed(chain) if wanted.takes(event))
    head = audit.anchor(chain[-1][0], chain[-1][2]) if chain else ""
    filters = {
        key: value
        for key, value in (("name", wanted.name), ("provider", wanted.provider), ("since", wanted.since),
                           ("actor", wanted.actor), ("what", wanted.what))
        if value
    }  # fmt: skip
    facts = {"chain": verified, "first": chain[0][0] if chain else 0, "last": chain[-1][0] if chain else 0}
    return Report("history", header=header_of(store, snapshot), entries=entries, total=len(chain), filters=filters,
                  anchor=head, facts=facts)  # fmt: skip


def _verified(where: Where, store: Store, workspace: str) -> str:
    """``whole``; where it is broken; or that no key is here to tell."""
    try:
        check = keyring(where, store).checker(workspace)
    except StoreError as error:
        if error.code.name != "key-missing":
            raise
        return "not verified: the store's key is not here"
    broken = audit.verify(workspace, store.events(workspace), check)
    return f"BROKEN at {broken[0].subject}: {broken[0].detail}" if broken else "whole"
