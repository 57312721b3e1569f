"""Phrasing that every format shares: how things are said, not how they are laid out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler import verdicts
from reconciler.codes import CODES, Fault
from reconciler.due import Due
from reconciler.model import Action, Mode, Result, SecretState, Status, Traits, Verdict
from reconciler.plans import Change, FieldChange, Outcome
from reconciler.report import UNSTORED, Header, Report, Row
from reconciler.state import Record, Rejection

DASH = "–"
_COMMAND = re.compile(r"(?<!\S)::")
SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.RENAME: "→",
    Action.DELETE: "-",
    Action.NOTE: "?",
    Action.KEEP: " ",
}


LONGEST = 100_000
"""Characters of one text that are shown. None of ours is as long; what somebody else wrote takes time to lay out."""


def safe(text: object) -> str:
    """Free text for a terminal or a log: whatever is not printable, turns the writing direction, or would be obeyed by
    a CI runner is an escape. GitHub's takes ``::command::`` after blanks, and ``##[command]`` anywhere.
    """
    said = str(text)
    if len(said) > LONGEST:
        said = f"{said[:LONGEST]}… ({len(said) - LONGEST} more characters)"
    if not (said.isascii() and said.isprintable()):
        said = "".join(_visible(c) for c in said)
    if "::" in said or "##" in said:
        said = _COMMAND.sub(r"\\x3a:", said).replace("##", "#\\x23")
    return said


def _visible(character: str) -> str:
    if character.isprintable() and unicodedata.category(character) != "Cf":
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def header(head: Header) -> str:
    """The first line of every command that opens a store."""
    if not head.exists:
        sandbox = head.mode is Mode.SANDBOX
        make = "apply makes it" if sandbox else "make it: reconciler store create"
        which = f"{safe(head.workspace)} · sandbox" if sandbox else safe(head.workspace)
        return f"{which} · no store yet at {safe(head.store)}: everything is a create ({make})"
    return f"{safe(head.workspace)} · {head.mode} · {safe(head.store)}"


def value(anything: Any) -> str:
    """A declared value as the manifest would say it."""
    if anything is None:
        return DASH
    if isinstance(anything, bool):
        return str(anything).lower()
    if isinstance(anything, Mapping):
        return ", ".join(f"{safe(key)}={safe(one)}" for key, one in anything.items())
    text = safe(anything)
    return f'"{text}"' if not isinstance(anything, str) or " " in text or not text else text


def field_change(change: FieldChange) -> str:
    """``before → after``, or the one that there is."""
    if change.before is None:
        return value(change.after)
    return f"{value(change.before)} → {value(change.after)}"


SECRET_STATES = {
    SecretState.NEW: "new secret",
    SecretState.CHANGED: "secret changed",
    SecretState.UNCHANGED: "secret unchanged",
    SecretState.NOT_COMPARED: "secret not compared",
}


def action(change: Change) -> str:
    """What a change does, in one phrase."""
    if change.former:
        said = f"restore v{change.former.version} of {day(change.former.updated_at)}"
        return f"{said}, ANOTHER ACCOUNT" if change.replaces_account else said
    if change.action is Action.UPDATE:
        said = f"update v{change.expected_version}"
        return f"{said}, ANOTHER ACCOUNT" if change.replaces_account else said
    if change.action is Action.RENAME:
        return f"rename from {safe(change.old_name)}, {_beside(change)}"
    if change.action is Action.NOTE:
        return NOTES[change.reasons[0]]
    return str(change.action)


def _beside(change: Change) -> str:
    """What a rename changes besides the name."""
    if change.blocked == "name-taken":
        return "which is stored beside it"
    if change.replaces_account:
        return "ANOTHER ACCOUNT"
    return "and update" if change.reasons[1:] else "nothing else changes"


NOTES = {
    "moved-from-spent": "renamed already; the old name reads on until moved_from goes",
    "undeclared": "stored, in no manifest: kept",
    "rejection-gone": "was refused, and no manifest asks for it any more: apply drops the rejection",
    "rejection-settled": "what was refused is no longer asked for: apply drops the rejection",
}


def short_id(identifier: str) -> str:
    """An identifier in at most 13 characters: a host by its beginning, anything else by both ends."""
    text = safe(identifier.removeprefix("https://"))
    if len(text) <= 13:
        return text
    return f"{text[:12]}…" if "." in text else f"{text[:4]}…{text[-4:]}"


def service_id(row: Row) -> str:
    """The Service ID column: the short identifier, and the region where the provider has one."""
    return f"{short_id(row.service_id)} {row.region}".strip()


def provider_answer(provider: str, verdict: Verdict) -> str:
    """Who said it, with status and code."""
    return answered(provider, verdict.http_status, verdict.provider_code)


def answered(provider: str, http_status: int | None, provider_code: str) -> str:
    """``twilio 401/20003``, ``infobip 401 UNAUTHORIZED``."""
    if http_status is None:
        return f"{provider} did not answer"
    word = safe(provider_code)
    code = f"{'/' if word.isdecimal() else ' '}{word}" if word else ""
    return f"{provider} {http_status}{code}"


def verdict_facts(provider: str, verdict: Verdict) -> str:
    """One line for whoever must quote it: answer, request id, host, code."""
    host = verdict.asked.partition("://")[2].partition("/")[0]
    request = f"request {safe(verdict.request_id)}" if verdict.request_id else ""
    return " · ".join(part for part in (provider_answer(provider, verdict), request, safe(host), verdict.code) if part)


def account(verdict: Verdict) -> str:
    """What the provider says of the account, in one phrase."""
    facts = verdict.account
    name = f'"{safe(facts.name)}"' if facts.name else safe(facts.id)
    return ", ".join(part for part in (name, safe(facts.type), safe(facts.status), safe(facts.currency)) if part)


def fault(code: str) -> str:
    """Whose turn it is, as a report says it."""
    whose = CODES[code].fault
    return f"{whose} (not this tool, not an outage)" if whose is Fault.CONFIGURATION else str(whose)


def ago(then: str, now: str) -> str:
    """How long before ``now``: ``now``, ``2 min ago``, ``3 h ago``, ``5 d ago``."""
    if not then:
        return DASH
    seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds()
    if seconds < 60:
        return "now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "now"


def clock(then: str) -> str:
    """``2026-11-23 14:02 UTC``."""
    return safe(f"{then[:10]} {then[11:16]} UTC") if then else DASH


def day(then: str) -> str:
    return safe(then[:10]) or DASH


def sign(status: Status) -> str:
    """``✓`` works, ``✗`` does not, ``!`` works and needs a person."""
    if status is Status.READY:
        return "✓"
    return "✗" if status.startswith("not ready") else "!"


def rejection_state(rejection: Rejection, record: Record | None) -> str:
    """What a refused submission left behind."""
    if record is None and rejection.base_version and rejection.action is not Action.RENAME:
        return f"a refused update of v{rejection.base_version}, which was deleted since: nothing can send with it."
    if record is None and rejection.base_version:
        return f"not renamed: v{rejection.base_version} keeps serving under its old name."
    if record is None:
        return "never accepted: nothing is stored, nothing can send with it."
    if not verdicts.status(record, None).startswith("ready"):
        return f"and the update of v{record.version} was rejected: nothing serves."
    return f"v{record.version} (secret of {day(record.secret_changed_at)}) keeps serving; the update was rejected."


def attempt(rejection: Rejection) -> str:
    """Which try the latest one was, whose, and when."""
    return f"Attempt {rejection.attempts}, by {safe(rejection.by)}, {clock(rejection.last_at)}"


def refused_before(rejection: Rejection) -> tuple[str, str]:
    """What the provider answered to a submission that is planned again as it was, and when."""
    facts = verdict_facts(rejection.declared.provider, rejection.verdict)
    return facts, f"The same settings, the same secret. {attempt(rejection)}"


def noted(status: Status, note: str) -> str:
    """What is good to know of a credential that can send, as far as anybody knows."""
    words = {Status.LIMITED: "sends, but ", Status.NOT_REACHED: "was not reached when it was last asked: "}
    return f"{words.get(status, 'sends; ')}{safe(note)}"


def interrupted(report: Report) -> str:
    """What an interrupt left: what was in flight is stored, but where it was all or nothing."""
    if any(problem.code == "atomic-stopped" for problem in report.problems):
        return "Interrupted: nothing is stored. Run the same command again."
    return "Interrupted: what was in flight is stored; the rest was not attempted. Run the same command again."


def result(outcome: Outcome) -> str:
    """What became of a change, in one phrase."""
    change = outcome.change
    if outcome.result is Result.REJECTED:
        return f"rejected: {outcome.verdict.code if outcome.verdict else ''}"
    if outcome.result is Result.FAILED:
        code = outcome.problem.code if outcome.problem else outcome.verdict.code if outcome.verdict else ""
        return f"failed: {code}"
    if outcome.result in UNSTORED:
        return "accepted, not stored" if outcome.result is Result.ACCEPTED else "not attempted"
    if change.former:
        return f"restored v{change.former.version}"
    done = f"renamed from {safe(change.old_name)}" if change.old_name else str(outcome.result)
    extra = "ANOTHER ACCOUNT" if change.replaces_account else ""
    fresh = {SecretState.CHANGED, SecretState.NEW} & set(change.secrets.values())
    if change.action in (Action.UPDATE, Action.RENAME) and fresh and not extra:
        extra = "secret changed"
    return f"{done}, {extra}" if extra else done


def versions(outcome: Outcome) -> str:
    """``v3 → v4``; what serves now where nothing was stored, and until when what was deleted can be had back."""
    before = outcome.change.expected_version
    if outcome.result is Result.DELETED:
        until = outcome.kept_until
        return f"v{before}, restore until {clock(until)}" if until else f"v{before}, not kept"
    if outcome.result is Result.RENAMED:
        return f"v{outcome.version}"
    if outcome.version != before:
        return f"v{before} → v{outcome.version}" if before else f"v{outcome.version}"
    return f"v{before} stays" if before else "nothing stored"


def headline(code: str, name: str, provider: str, traits: Traits | None, secret: str = "") -> str:
    """What a code says of one credential; ``secret`` is the key of the secret that it is about."""
    titles = dict(traits.titles) if traits else {}
    called = titles.get(secret) or next(iter(titles.values()), "secret")
    return CODES[code].about(safe(traits.title if traits else provider), safe(called), name)


def hint(code: str) -> str:
    """What to do about a code."""
    return CODES[code].hint


def due(one: Due) -> str:
    """``expires in 8 days (2026-12-01)``."""
    verb = "expires" if one.key == "expires_on" else "is to be rotated"
    if one.days < 0:
        verb = "expired" if one.key == "expires_on" else "was to be rotated"
        return f"{verb} {count(-one.days, 'day')} ago ({one.day})"
    when = f"in {count(one.days, 'day')}" if one.days else "today"
    return f"{verb} {when} ({one.day})"


def names(words: Sequence[str], limit: int = 5) -> str:
    """A few names, and how many more there are."""
    return ", ".join(words[:limit]) + (f" and {len(words) - limit} more" if len(words) > limit else "")


def count(number: int, noun: str, many: str = "") -> str:
    """``1 day``, ``2 days``."""
    return f"{number} {noun}" if number == 1 else f"{number} {many or noun + 's'}"
