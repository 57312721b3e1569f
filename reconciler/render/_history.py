"""The history as lines: the answer first, then each event with who did it and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from reconciler.render import rows as say
from reconciler.render._page import Line, fit
from reconciler.report import Entry, Report

STORED = ("created", "updated", "renamed")


def history_lines(report: Report, width: int) -> Iterator[Line]:
    """Who changed what, and was the secret changed."""
    if report.header is None:
        return
    filters = ", ".join(f"{key}={say.safe(value)}" for key, value in report.filters.items())
    yield f"{say.header(report.header)} · {len(report.entries)} of {report.total} events" + (
        f" · {filters}" if filters else ""
    )
    yield ""
    yield _answer(report.entries)
    first, last = report.facts["first"], report.facts["last"]
    yield f"Chain {first}…{last}: {report.facts['chain']}; head {report.anchor or say.DASH}."
    if not report.entries:
        return
    yield ""
    yield fit(_columns(report.entries), width)
    yield from _details(report.entries)


def _answer(entries: tuple[Entry, ...]) -> str:
    """``Changed once, by tom. Secret changed: YES, once (v4, 2026-11-23 14:02 UTC).``"""
    changes = [e.event for e in entries if e.event.result in STORED or e.event.what == "delete"]
    secret = [e for e in changes if "changed" in e.body.get("secrets", {}).values()]
    who = sorted({_people(e.body)[0] for e in changes})
    times = {0: "Not changed", 1: "Changed once"}.get(len(changes), f"Changed {len(changes)} times")
    by = f", by {', '.join(map(say.safe, who))}" if who else ""
    if not secret:
        return f"{times}{by}. Secret changed: no."
    which = ", ".join(f"v{e.version}, {say.clock(e.time)}" for e in secret)
    return f"{times}{by}. Secret changed: YES, {len(secret)}x ({which})."


def _columns(entries: tuple[Entry, ...]) -> list[tuple[str, list[Text], int]]:
    events = [entry.event for entry in entries]
    return [
        ("SEQ", [Text(str(entry.seq)) for entry in entries], 60),
        ("TIME", [Text(e.time[:19].replace("T", " ")) for e in events], 90),
        ("NAME", [Text(say.safe(e.name)) for e in events], 95),
        ("WHAT", [Text(e.what) for e in events], 100),
        ("SECRET", [Text(_secret(e.body)) for e in events], 85),
        ("RESULT", [Text(_result(entry)) for entry in entries], 80),
        ("WHO", [Text(say.safe(" ".join(_people(e.body)))) for e in events], 75),
    ]


def _secret(body: Mapping[str, Any]) -> str:
    states = set(body.get("secrets", {}).values())
    for state in ("changed", "new", "not compared", "unchanged"):
        if state in states:
            return state
    return say.DASH


def _result(entry: Entry) -> str:
    event = entry.event
    if event.result in STORED:
        return f"stored v{event.version}"
    code = event.body.get("verdict", {}).get("code") or event.body.get("problem", "")
    stays = f", v{event.version} stayed" if event.version and event.result in ("rejected", "failed") else ""
    return f"{event.result}{stays}" + (f" ({code})" if code else "")


def _people(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The author first, then who set it off, then how sure that is."""
    who = body.get("who", {})
    author, actor, by = who.get("commit_author", ""), who.get("actor", "?"), who.get("triggered_by", "")
    if author:
        return (author, "(wrote)", *((actor, "(ran)") if actor != author else ()))
    claimed = ("(claimed by --actor)",) if who.get("source") == "flag" else ()
    return (actor, *claimed, *((f"(triggered by {by})",) if by and by != actor else ()))


def _how(body: Mapping[str, Any]) -> str:
    """Pull request, run and digest; outside CI that is said."""
    who = body.get("who", {})
    where = [f"PR {who['pull_request']}"] if who.get("pull_request") else []
    where += [f"run {who['run_url']}"] if who.get("run_url") else []
    if not who.get("ci"):
        where.append(f"OUTSIDE CI, host {who.get('host', '?')}")
    where += [body["digest"]] if body.get("digest") else []
    return ", ".join(where)


def _details(entries: tuple[Entry, ...]) -> Iterator[str]:
    """Below the table, by number: how it came to be, and which fields it changed."""
    yield ""
    for entry in entries:
        body = entry.event.body
        yield f"{entry.seq}: {say.safe(_how(body))}"
        parts = [f"{f} {say.value(a)} → {say.value(b)}" for f, a, b in body.get("fields", ()) if a is not None]
        parts += [f"{key} {a} → {b}" for key, (a, b) in body.get("fingerprints", {}).items() if a and b and a != b]
        parts += [" → ".join(body["status"])] if "status" in body else []
        if parts:
            yield f"   {say.safe('; '.join(parts))}"
