"""The small commands as lines: providers, codes, versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from reconciler.render import rows as say
from reconciler.render._page import Line, fit, wrapped
from reconciler.report import Report


def providers_lines(report: Report, width: int) -> Iterator[Line]:
    """A table of all providers, or the whole of one."""
    found = report.facts.get("providers", [])
    if len(found) == 1 and "entry" in found[0]:
        yield from _provider(found[0], width)
    elif found:
        columns = [
            ("NAME", [Text(p["name"]) for p in found], 100),
            ("KEYS", [Text(", ".join(p["keys"])) for p in found], 90),
            ("DOCUMENTATION", [Text(p["docs"]) for p in found], 50),
        ]
        yield fit(columns, width)
        yield "More, and an entry to paste: reconciler providers NAME"


def _provider(provider: dict[str, Any], width: int) -> Iterator[Line]:
    yield f"{provider['title']} ({provider['name']})"
    for key in provider["keys"]:
        kind = "secret" if key["secret"] else "public"
        need = "required" if key["required"] else "see below" if key["secret"] else "optional"
        choices = f" · one of {', '.join(key['choices'])}" if key["choices"] else ""
        yield f"  {key['key']:<16} {kind}, {need}{choices}"
        yield from wrapped(f"  {'':<16} ", key["find"], width)
    yield from wrapped("  asked at         ", ", ".join(provider["hosts"]), width)
    yield f"  documentation    {provider['docs']}"
    yield f"  support          {provider['support']}"
    terms = f"{provider['terms']} (they apply to your account, not to this tool)"
    yield from wrapped("  terms            ", terms, width)
    yield ""
    yield "An entry to paste under  credentials:"
    yield ""
    yield from provider["entry"].splitlines()


def explain_lines(report: Report, width: int) -> Iterator[Line]:
    """One code, or all of them."""
    facts = report.facts
    if "codes" in facts:
        names, texts = facts["codes"].keys(), facts["codes"].values()
        yield fit([("CODE", [Text(n) for n in names], 100), ("MEANING", [Text(t) for t in texts], 90)], width)
    elif facts:
        yield f"{facts['code']}: {facts['summary']}"
        for word, value in (("fault", facts["fault"]), ("verdict", facts["answer"]), ("status", facts["status"]),
                            ("exit", facts["exit_code"]), ("do", facts["hint"])):  # fmt: skip
            if value not in (None, ""):
                yield f"  {word:<8} {say.safe(value)}"


def version_lines(report: Report) -> Iterator[Line]:
    """One fact a line."""
    for key, value in report.facts.items():
        yield f"{key.replace('_', ' '):<13} {', '.join(value) if isinstance(value, list) else value}"


def handed_lines(report: Report) -> Iterator[Line]:
    """Which workspace of which store, and what was handed out of it."""
    if report.header is None:
        return
    given = report.facts["given"]
    yield f"{say.header(report.header)} · {say.count(len(given), 'credential')} given to {report.command}"
    for one in given:
        yield f"  {one['name']} v{one['version']}: {', '.join(map(say.safe, one.get('variables') or one['keys']))}"


def key_export_lines(report: Report) -> Iterator[Line]:
    """What the key that goes to stdout is good for."""
    if report.header:
        yield say.header(report.header)
        yield f"A key for {report.facts['for']} alone, in this workspace alone: for RECONCILER_KEY or --key-file."


def key_lines(report: Report) -> Iterator[Line]:
    """Which key opens the store, and which one is here."""
    facts = report.facts
    if not facts:
        return
    keys = say.safe(", ".join(facts["opened_by"]))
    source = say.safe(facts["source"])
    yield f"{say.safe(facts['store'])} ({facts['mode']}, id {facts['store_id']}) is opened by key {keys}."
    if facts.get("for"):
        whose = "this store" if facts["opens"] else "ANOTHER store"
        yield f"A key for {facts['for']} in {say.safe(facts['workspace'])} of {whose} is here, from {source}."
    elif not facts["at_hand"]:
        yield f"No key is here: looked in {source}."
    elif facts["opens"]:
        yield f"Key {facts['at_hand']} is here, from {source}: it opens the store."
    else:
        yield f"Key {facts['at_hand']} is here, from {source}: it does NOT open the store."
