"""The history as lines: the answer first, then each event with who did it and how."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from reconciler import audit
from reconciler.model import Event
from reconciler.render import rows as say
from reconciler.render._page import Line, Rows, fit
from reconciler.report import Entry, Report

STORED = ("created", "updated", "renamed")
TOLD = 5
"""So many changes of a secret stand in the first line; all of them stand below."""


def history_lines(report: Report, width: int, now: str) -> Iterator[Line]:
    """Who changed what, and was the secret changed."""
    if report.header is None:
        return
    yield " · ".join((say.header(report.header), *_about(report)))
    yield " · ".join((f"{len(report.entries)} of {say.count(report.total, 'event')}", *_filters(report, now)))
    yield ""
    yield from _answer(report)
    yield _chain(report)
    if not report.entries:
        return
    yield ""
    table = fit(_columns(report.entries, one="name" in report.filters), width)
    shown = {str(column.header) for column in table.columns}
    indent = " " * max(len("SEQ  "), *(len(f"{_number(entry)}  ") for entry in report.entries))
    yield Rows(table, [[f"{indent}{line}" for line in _below(entry, shown)] for entry in report.entries])


def _about(report: Report) -> Iterator[str]:
    """``marketing-us``, ``twilio AC00…0001``: which credential, where one is asked about."""
    if name := report.filters.get("name"):
        yield say.safe(name)
    if about := report.facts.get("credential"):
        yield f"{say.safe(about['provider'])} {say.short_id(about['service_id'])}".rstrip()


def _filters(report: Report, now: str) -> Iterator[str]:
    """``2026-11-16 14:02 to 2026-11-23 14:02, UTC``, and what else was asked for."""
    if since := report.filters.get("since"):
        yield f"{say.clock(since).removesuffix(' UTC')} to {say.clock(now).removesuffix(' UTC')}, UTC"
    rest = {key: value for key, value in report.filters.items() if key not in ("name", "since")}
    if rest:
        yield ", ".join(f"{key}={say.safe(value)}" for key, value in rest.items())


def _chain(report: Report) -> str:
    """``Chain whole 1…412; head 412:9c1e77a0d2b45f18; anchor 398:77ab04c9d2b45f18 matches.``"""
    facts = report.facts
    reach = f"{facts['first']}…{facts['last']}"
    said = [f"Chain whole {reach}" if facts["chain"] == "whole" else f"Chain {reach} {say.safe(facts['chain'])}"]
    said += [f"head {report.anchor or say.DASH}"]
    if (anchors := facts.get("anchors", ())) and not report.errors:
        said += [f"anchor {anchors[0]} matches" if len(anchors) == 1 else f"{len(anchors)} anchors match"]
    return f"{'; '.join(said)}."


def _answer(report: Report) -> Iterator[str]:
    """What was changed, and what was read; of a list of reads alone only the latter."""
    reads = [entry.event for entry in report.entries if entry.event.what == "read"]
    if len(reads) < len(report.entries) or not reads:
        yield _changed([entry.event for entry in report.entries], several=not report.filters.get("name"))
    if reads:
        yield _read(reads, report.facts.get("given", ()))
    if waiting := report.facts.get("waiting"):
        yield f"Not in the chain yet: {say.count(waiting, 'read')}. The next write takes in what waits."


def _changed(events: list[Event], *, several: bool) -> str:
    """``Changed once, by tom. Secret changed: YES, once (v3 → v4, 2026-11-23 14:02 UTC).``

    ``several``: events of several credentials, so that each is named.
    """
    changes = [e for e in events if e.result in STORED or e.what == "delete"]
    secret = [e for e in changes if audit.replaces_secret(e)]
    times = f"Changed {_times(len(changes))}" if changes else "Not changed"
    if not secret:
        return f"{times}{_by(changes)}. Secret changed: no."
    steps = [f"{f'{say.safe(e.name)} ' if several else ''}{_step(e)}, {say.clock(e.time)}" for e in secret[:TOLD]]
    which = "; ".join([*steps, f"and {len(secret) - TOLD} more"] if len(secret) > TOLD else steps)
    return f"{times}{_by(changes)}. Secret changed: YES, {_times(len(secret))} ({which})."


def _step(event: Event) -> str:
    """From which version to which: a rename takes the next one that is free under its new name."""
    return f"v{event.version}" if event.result == "renamed" else f"v{event.version - 1} → v{event.version}"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _read(reads: list[Event], given: Sequence[str]) -> str:
    """``Read 3 times, by tom. Still in use, of what was read: alerts-eu.api_token.``"""
    left = ", ".join(map(say.safe, given)) or "nothing, all of it was replaced since"
    return f"Read {_times(len(reads))}{_by(reads)}. Still in use, of what was read: {left}."


def _by(events: list[Event]) -> str:
    who = sorted({_first(e.body) for e in events})
    return f", by {', '.join(map(say.safe, who))}" if who else ""


def _columns(entries: tuple[Entry, ...], *, one: bool) -> list[tuple[str, list[Text], int]]:
    """What the events are told by. How they came to be, with address and digest, is longer than any terminal."""
    events = [entry.event for entry in entries]
    names = [("NAME", [Text(say.safe(e.name)) for e in events], 92)]
    return [
        ("SEQ", [Text(_number(entry)) for entry in entries], 100),
        ("TIME", [Text(say.safe(e.time[:19].replace("T", " "))) for e in events], 90),
        *([] if one else names),
        ("WHAT", [Text("secret read" if e.what == "read" else say.safe(e.what)) for e in events], 95),
        ("SECRET", [Text(_secret(e)) for e in events], 85),
        ("RESULT", [Text(say.safe(_result(entry))) for entry in entries], 80),
        ("WHO", [Text(say.safe(", ".join(_people(e.body)))) for e in events], 75),
    ]


def _number(entry: Entry) -> str:
    return str(entry.seq) if entry.seq else "waits"


def _secret(event: Event) -> str:
    """``changed`` where another value was stored, ``different`` where another one was tried and is not stored."""
    if audit.replaces_secret(event):
        return "changed" if event.result in STORED else "different"
    states = set(event.body.get("secrets", {}).values())
    return next((state for state in ("new", "not compared", "unchanged") if state in states), say.DASH)


def _result(entry: Entry) -> str:
    event = entry.event
    if event.result == "renamed" and "from" in event.body:
        return f"stored v{event.version}, renamed from {say.safe(event.body['from'])}"
    if event.result in STORED:
        return f"stored v{event.version}"
    if event.what == "read" and "given" in event.body:
        return f"v{event.body['given']} given to {say.safe(event.body.get('how', '?'))}"
    if event.what == "rename" and "to" in event.body:
        return f"renamed to {say.safe(event.body['to'])}"
    code = event.body.get("verdict", {}).get("code") or event.body.get("problem", "")
    stays = f", v{event.version} stayed" if event.version and event.result in ("rejected", "failed") else ""
    return f"{event.result}{stays}" + (f" ({code})" if code and not stays else "")


def _people(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The author first, then who ran it and who set it off, each with how that is known."""
    who = body.get("who", {})
    author, actor, by = who.get("commit_author", ""), who.get("actor", "?"), who.get("triggered_by", "")
    claimed, database = who.get("source") == "flag", who.get("database", "")
    said = [f"{author} (wrote)"] if author else []
    if claimed:
        said.append(f"{actor} (claimed by --actor)")
    elif database:
        said.append(f"{actor} (database: {database})")
    elif actor != author:
        said.append(f"{actor} (ran)" if author else actor)
    if by and by not in (author, actor if not claimed else ""):
        said.append(f"{by} (triggered)")
    return tuple(said)


def _first(body: Mapping[str, Any]) -> str:
    """The one person to name: the author where known, else who acted."""
    who = body.get("who", {})
    return str(who.get("commit_author") or who.get("actor", "?"))


def _how(body: Mapping[str, Any]) -> str:
    """Pull request, run and digest; outside CI that is said, but of a read, which belongs there."""
    who = body.get("who", {})
    where = [f"PR {who['pull_request']}"] if who.get("pull_request") else []
    where += [f"run {who['run_url']}"] if who.get("run_url") else []
    if "keys" in body:
        where.append(f"host {who.get('host', '?')}")
    elif not who.get("ci"):
        where.append(f"OUTSIDE CI, host {who.get('host', '?')}")
    where += [body["digest"]] if body.get("digest") else []
    return ", ".join(where)


def _below(entry: Entry, shown: Container[str]) -> Iterator[str]:
    """Below a row: what found no room in it, how it came to be, and which fields it changed."""
    body = entry.event.body
    result = "" if "RESULT" in shown else _result(entry)
    people = "" if "WHO" in shown else ", ".join(_people(body))
    if told := " · ".join(filter(None, (result, people, _how(body)))):
        yield say.safe(told)
    created = "new" in body.get("reasons", ())
    parts = [f"{f} {say.value(a)} → {say.value(b)}" for f, a, b in body.get("fields", ()) if not created]
    parts += _secrets(body) if not created else []
    parts += [_answered(body)] if entry.event.result in ("rejected", "failed") and "verdict" in body else []
    parts += [", ".join(body["keys"])] if body.get("keys") else []
    parts += [" → ".join(body["status"])] if "status" in body else []
    parts += [f"lease {body['lease'].get('id', '?')} of {_holder(body['lease'])}"] if "lease" in body else []
    if parts:
        yield say.safe("; ".join(parts))


def _secrets(body: Mapping[str, Any]) -> Iterator[str]:
    """What became of each secret that is another one: ``auth_token a3f91c07 → 5be2d410``, ``api_key_secret new``."""
    prints = body.get("fingerprints", {})
    for key, state in body.get("secrets", {}).items():
        before, after = prints.get(key, ("", ""))
        if state == "new":
            yield f"{key} new"
        elif state == "changed" and before and after:
            yield f"{key} {before} → {after}"


def _answered(body: Mapping[str, Any]) -> str:
    """``twilio 401/20003 · request RQ8 · key-refused``: what the provider said."""
    said = body["verdict"]
    status, word = said.get("http_status"), str(said.get("provider_code", ""))
    request = f"request {said['request_id']}" if said.get("request_id") else ""
    answer = say.answered(str(body.get("provider", "")), status, word)
    return " · ".join(part for part in (answer, request, said.get("code", "")) if part)


def _holder(lease: Mapping[str, Any]) -> str:
    actor, host, pid, since = (lease.get(key, "?") for key in ("actor", "host", "pid", "since"))
    return f"{actor} ({host}, process {pid}) since {since[:19]}"
