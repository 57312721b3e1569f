"""Use cases of the audit log: who changed what, and was the secret changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler import audit, eventform, lineage
from reconciler.app import filtering, plugged
from reconciler.app.wiring import Where, header_of, keyring, known_workspace, open_store
from reconciler.codes import CODES
from reconciler.errors import StoreError, UsageError
from reconciler.model import Event, Problem, Severity
from reconciler.report import Entry, Report
from reconciler.state import Snapshot
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

    @property
    def said(self) -> dict[str, str]:
        """The filters that are set, by name."""
        found = {"name": self.name, "provider": self.provider, "since": self.since, "actor": self.actor,
                 "what": self.what}  # fmt: skip
        return {key: value for key, value in found.items() if value}

    def takes(self, event: Event) -> bool:
        """Whether an event passes all but the name, which an event alone does not tell."""
        who = event.body.get("who", {})
        people = [who.get(key, "") for key in ("actor", "commit_author", "triggered_by", "database")]
        return (
            self.provider in ("", event.body.get("provider", ""))
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


def history(where: Where, wanted: Filter, anchors: Sequence[str] = ()) -> Report:
    """Events in order, newest first, and whether the chain that holds them is whole, where a key is at hand.

    Reads that no write has taken into the chain yet come first, as number 0. Raises UsageError for a name that no event
    has, and for a provider or a kind of event that there is not.
    """
    store = open_store(where)
    try:
        workspace = known_workspace(where, store)
        snapshot = store.load(workspace)
        waiting = store.waiting_reads(workspace)
        chain = store.events(workspace)
        eventform.formed(workspace, chain)
        everything = [*(Entry(0, event) for event in reversed(waiting)), *_newest_first(chain)]
        _fine(where, wanted, workspace, [entry.event for entry in everything])
        verified = _verified(where, store, workspace, chain)
        missed = audit.verify_anchors(anchors, chain)
    finally:
        store.close()
    entries = tuple(entry for entry in _of(wanted.name, everything, chain) if wanted.takes(entry.event))
    facts = {
        "chain": verified,
        "first": chain[0][0] if chain else 0,
        "last": chain[-1][0] if chain else 0,
        "anchors": list(anchors),
        "waiting": len(waiting),
        "credential": _about(snapshot, wanted.name),
        "given": lineage.in_use(chain, ((entry.seq, entry.event) for entry in entries), snapshot.records),
    }
    head = audit.anchor(chain[-1][0], chain[-1][2]) if chain else ""
    problems = (*missed, *_elsewhere(where, chain, workspace, wanted.name))
    return Report("history", header=header_of(store, snapshot), entries=entries, total=len(everything),
                  problems=problems, filters=wanted.said, anchor=head, facts=facts)  # fmt: skip


def _about(snapshot: Snapshot, name: str) -> dict[str, str]:
    """Provider and account of the credential that is asked about, as far as something of it is stored."""
    stored = snapshot.records.get(name) or snapshot.rejections.get(name)
    if stored is None:
        return {}
    trait = plugged.traits_of({stored.declared.provider}).get(stored.declared.provider)
    account = str(stored.declared.settings.get(trait.identifier, "")) if trait else ""
    return {"provider": stored.declared.provider, "service_id": account}


def _of(name: str, entries: Sequence[Entry], chain: Sequence[audit.Link]) -> Sequence[Entry]:
    """The entries of one credential, those under the names that it had before included; all where none is named."""
    if not name:
        return entries
    numbers = lineage.numbers(chain, name)
    return [entry for entry in entries if entry.seq in numbers or (not entry.seq and entry.event.name == name)]


def _elsewhere(where: Where, chain: Sequence[audit.Link], workspace: str, name: str) -> Iterator[Problem]:
    """That more is told under another name: of what bore this one before."""
    moved, before = lineage.moved(chain, name), lineage.before(chain, name)
    if other := moved or before:
        code = CODES["old-name" if moved else "reused-name"]
        said = f"{name} is {other} now" if moved else f"{name} was that of {other} before"
        yield Problem(code.name, code.summary, subject=name, detail=said, severity=Severity.WARNING,
                      hint=where.next(f"history {other}", workspace))  # fmt: skip


def _newest_first(chain: Sequence[audit.Link]) -> Iterator[Entry]:
    return (Entry(seq, event) for seq, event, _ in reversed(chain))


def _fine(where: Where, wanted: Filter, workspace: str, events: Sequence[Event]) -> None:
    """Raise UsageError where a filter names what is not there."""
    names = {event.name for event in events}
    if wanted.name and wanted.name not in names:
        close = nearest(wanted.name, names)
        raise UsageError("no-such-name", f"{wanted.name} has no history in {workspace}",
                         f"did you mean {close}?" if close else where.next("list", workspace))  # fmt: skip
    filtering.provider(wanted.provider, {event.body.get("provider", "") for event in events})
    filtering.one_of("--what", wanted.what, {*audit.WHAT, *(event.what for event in events)})


def _verified(where: Where, store: Store, workspace: str, chain: Sequence[audit.Link]) -> str:
    """``whole``; where it is broken; or that no key is here to tell."""
    try:
        check = keyring(where, store).checker(workspace)
    except StoreError as error:
        if error.code.name not in ("key-missing", "key-lacks"):
            raise
        return f"not verified: {error.code.summary}" + (f" ({error.detail})" if error.code.name == "key-lacks" else "")
    broken = audit.verify(workspace, chain, check)
    return f"BROKEN at {broken[0].subject}: {broken[0].detail}" if broken else "whole"
