"""The audit log: the event of an outcome, and the chain that shows where one was altered. Pure; holds no key.

Each event's mac covers the one before it, so that an edit, a removal or a swap breaks the chain at its place. What the
chain cannot show is a lost end, or a rewrite by somebody who holds the key: for that an anchor is kept elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from reconciler.canonical import joined, to_json
from reconciler.codes import CODES
from reconciler.errors import StoreError, UsageError
from reconciler.model import Event, Origin, Problem, Result, SecretState, Verdict
from reconciler.plans import Change
from reconciler.state import Rejection, SealedSecret

Mac = Callable[[bytes], bytes]
"""Bytes to mac. The mac of a keyring names its key, so that a chain outlives a change of keys."""
Check = Callable[[bytes, bytes], bool]
"""Whether a mac belongs to these bytes. Raises StoreError ``key-wrong`` where its key is not at hand."""
Link = tuple[int, Event, bytes]
"""Number from 1, event, mac."""

WHAT = ("create", "update", "rename", "delete", "cancel", "check", "restore", "forget", "read", "lock")
"""What an event can be about."""

ROW = ("name", "version", "old_name", "provider", "declared", "account", "created_at", "created_by",
       "updated_at", "updated_by", "secret_changed_at")  # fmt: skip
"""The columns of a record that its hash covers, in this order: all but what ``check`` writes."""

_SAME = (SecretState.UNCHANGED, SecretState.NOT_COMPARED)
_ANCHOR = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{16})", re.ASCII)
_ANCHOR_BYTES = 8


def canonical(event: Event) -> bytes:
    """The event as the chain covers it."""
    return to_json(_facts(event)).encode()


def _facts(event: Event) -> dict[str, Any]:
    return {
        "time": event.time,
        "what": event.what,
        "result": event.result,
        "name": event.name,
        "version": event.version,
        "row_hash": event.row_hash,
        "body": event.body,
    }


def link(previous: bytes, workspace: str, seq: int, event: Event, mac: Mac) -> bytes:
    """The mac of event number ``seq``; ``previous`` is the mac before it, empty for the first."""
    return mac(_covered(previous, workspace, seq, event))


def _covered(previous: bytes, workspace: str, seq: int, event: Event) -> bytes:
    return joined("reconciler-event-1", workspace, seq, previous, canonical(event))


def verify(workspace: str, chain: Iterable[Link], check: Check) -> list[Problem]:
    """Walk a whole chain; one problem for each place where it is broken, in order. ``subject`` is ``event 5``.

    An altered event counts once: the next is checked against the mac that is stored.
    """
    problems: list[Problem] = []
    last, previous = 0, b""
    for seq, event, mac in chain:
        if seq <= last:
            problems.append(_broken(seq, f"it stands after event {last}"))
        elif seq > last + 1:
            problems.append(_broken(last + 1, "missing" if seq == last + 2 else f"missing, with all up to {seq - 1}"))
        elif problem := _unlinked(previous, workspace, (seq, event, mac), check):
            problems.append(_broken(seq, *problem))
        last, previous = seq, mac
    return problems


def _unlinked(previous: bytes, workspace: str, link: Link, check: Check) -> tuple[str, str] | None:
    seq, event, mac = link
    try:
        if check(_covered(previous, workspace, seq, event), mac):
            return None
    except StoreError as error:
        return error.detail, error.code.name
    return "it, or the one before it, was altered, moved or put in", "tampered"


def _broken(seq: int, detail: str, code: str = "tampered") -> Problem:
    return Problem(code, CODES[code].summary, subject=f"event {seq}", detail=detail, hint=CODES[code].hint)


def anchor(seq: int, mac: bytes) -> str:
    """What to keep outside the store: ``412:9c1e77a0d2b45f18``, the event's number and its mac's last 8 bytes."""
    return f"{seq}:{mac[-_ANCHOR_BYTES:].hex()}"


def verify_anchors(texts: Sequence[str], chain: Iterable[Link]) -> list[Problem]:
    """One problem for each anchor whose event the chain does not have, or not so. Raises UsageError for no anchor."""
    wanted = [(_numbered(text), text) for text in texts]
    found = {seq: anchor(seq, mac) for seq, _, mac in chain}
    problems: list[Problem] = []
    for seq, text in wanted:
        if seq not in found:
            said = f"anchor {text} names it, and the log ends before: its end was cut off, or the store is older"
            problems.append(_broken(seq, said))
        elif found[seq] != text:
            problems.append(_broken(seq, f"it is not the one that anchor {text} names: the log was rewritten"))
    return problems


def _numbered(text: str) -> int:
    match = _ANCHOR.fullmatch(text)
    if not match:
        raise UsageError("usage", f"{text!r} is no anchor: one looks like 412:9c1e77a0d2b45f18",
                         "take one that an apply printed at its end")  # fmt: skip
    return int(match[1])


def line(workspace: str, chain: Link, previous: bytes) -> str:
    """One event for an auditor: a line of canonical JSON from which its mac can be computed again."""
    seq, event, mac = chain
    facts = {"workspace": workspace, "seq": seq, "event": _facts(event), "previous": previous.hex(), "mac": mac.hex()}
    return to_json(facts)


def row_hash(row: Mapping[str, Any], sealed: Iterable[SealedSecret]) -> str:
    """SHA-256, 64 hex digits, of a stored row and its sealed secrets.

    ``row`` has the columns of :data:`ROW` as they are stored. The store compares it with the row's latest event.
    """
    parts: list[str | bytes | int] = ["reconciler-row-1", *(row[column] for column in ROW)]
    for secret in sorted(sealed, key=lambda s: s.field):
        parts += (secret.field, secret.version, secret.key_id, secret.fingerprint, secret.sealed)
    return hashlib.sha256(joined(*parts)).hexdigest()


def shown(fingerprint: bytes) -> str:
    """As much of a fingerprint as people may see: 8 hex digits."""
    return fingerprint[:4].hex()


def outcome(
    change: Change,
    result: Result,
    origin: Origin,
    time: str,
    digest: str = "",
    *,
    plan: str = "",
    version: int = 0,
    verdict: Verdict | None = None,
    problem: Problem | None = None,
    sealed: Sequence[SealedSecret] = (),
    rejection: Rejection | None = None,
) -> Event:
    """The event of what became of a change.

    ``sealed`` are the secrets now stored, ``rejection`` the refused submission: their fingerprints are shown in part.
    ``digest`` is the plan's, ``plan`` the id of the plan file. Nothing of a secret's value is known here.
    """
    former = change.former
    after = {s.field: s.fingerprint for s in sealed} or (rejection.fingerprints if rejection else {})
    before = change.record.fingerprints if change.record else {}
    if change.old_name:
        # of the same value, the fingerprint is another one in another place: a pair would look like a change
        before = {key: value for key, value in before.items() if change.secrets.get(key) not in _SAME}
    body = {
        "provider": change.provider,
        "reasons": list(change.reasons),
        "from": change.old_name or (former.name if former and former.name != change.name else ""),
        "restores": former.version if former else None,
        "fields": [[f.field, f.before, f.after] for f in change.fields],
        "secrets": dict(change.secrets),
        "fingerprints": _shown(before, after),
        "verdict": _verdict(verdict),
        "problem": problem.code if problem else "",
        "digest": digest,
        "plan": plan,
        "who": who(origin),
    }
    what = "restore" if former else str(change.action)
    return Event(time, what, str(result), change.name, version, body=_said(body))


def replaces_secret(event: Event) -> bool:
    """Whether it is about another secret than the stored one: another value, one more, one less, or another kind."""
    body = event.body
    states = set(body.get("secrets", {}).values())
    fresh = SecretState.CHANGED in states or (SecretState.NEW in states and "new" not in body.get("reasons", ()))
    gone = any(before and not after for before, after in body.get("fingerprints", {}).values())
    return fresh or (gone and event.result in (Result.UPDATED, Result.RENAMED))


def left(change: Change, origin: Origin, time: str, digest: str = "") -> Event:
    """The event that a rename leaves under the old name, where no row is any more."""
    body = {"provider": change.provider, "to": change.name, "digest": digest, "who": who(origin)}
    return Event(time, "rename", "left", change.old_name, change.expected_version, body=_said(body))


def forgotten(name: str, versions: Sequence[int], secrets: Sequence[str], who: Mapping[str, Any], time: str) -> Event:
    """The event of former versions, and of secrets (``field v3``), that were kept for a while and are gone for good.

    ``who`` is that of the run whose commit removed them.
    """
    body = {"versions": list(versions), "secrets_gone": list(secrets), "who": dict(who)}
    return Event(time, "forget", "forgotten", name, body=_said(body))


def dropped(name: str, why: str, origin: Origin, time: str, *, digest: str = "") -> Event:
    """The event of a rejection that was removed: ``why`` is ``cancel`` for a person's wish, else the plan's reason."""
    body = {"reasons": [why], "digest": digest, "who": who(origin)}
    return Event(time, "cancel", "dropped", name, body=_said(body))


def checked(name: str, provider: str, before: str, after: str, verdict: Verdict, origin: Origin, time: str) -> Event:
    """The event of a check that found another status than the one before."""
    body = {"provider": provider, "status": [before, after], "verdict": _verdict(verdict), "who": who(origin)}
    return Event(time, "check", after, name, body=_said(body))


def read(name: str, provider: str, version: int, keys: Sequence[str], how: str, origin: Origin) -> Event:
    """The event of secrets that are given out; the store stamps its time.

    ``keys`` are the fields given, ``how`` the command. ``given`` is the version that was read: by the time that the
    event is chained there may be another.
    """
    body = {"provider": provider, "how": how, "given": version, "keys": list(keys), "who": who(origin)}
    return Event("", "read", "given", name, version, body=_said(body))


def taken_away(lease: Mapping[str, Any], origin: Origin, time: str) -> Event:
    """The event of a lease that somebody ended in its holder's place: ``lease`` says whose it was."""
    return Event(time, "lock", "released", "", body=_said({"lease": _said(lease), "who": who(origin)}))


def who(origin: Origin) -> dict[str, str]:
    """Who did it and where (D16). ``ci`` is always there: empty says that it happened outside CI."""
    facts = {
        "actor": origin.actor,
        "source": origin.source,
        "host": origin.host,
        "commit": origin.commit,
        "commit_author": origin.commit_author,
        "triggered_by": origin.triggered_by,
        "pull_request": origin.pull_request,
        "run_url": origin.run_url,
    }
    return {**_said(facts), "ci": origin.ci}


def _verdict(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {}
    return _said({
        "answer": str(verdict.answer),
        "code": verdict.code,
        "http_status": verdict.http_status,
        "provider_code": verdict.provider_code,
        "request_id": verdict.request_id,
        "asked": verdict.asked,
        "at": verdict.at,
        "account": verdict.account.id,
        "notes": list(verdict.notes),
    })  # fmt: skip


def _shown(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Each secret's fingerprint before and after, empty text where there is none."""
    keys = sorted(before.keys() | after.keys())
    return {key: [shown(before.get(key, b"")), shown(after.get(key, b""))] for key in keys}


def _said(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what has nothing to say."""
    return {key: value for key, value in facts.items() if value not in (None, "", [], {})}
