"""Apply a JSON Schema (given to it) to what was read; what it refuses becomes troubles in our own words.

jsonschema-rs decides on the whole document at once. Only where it refuses is :mod:`reconciler.wording` asked why.
What a schema cannot say (a real date, a reference's own rules, a secret in a free text) is checked here as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from functools import partial, reduce
from operator import getitem
from pathlib import Path as FilePath
from typing import Any

import jsonschema_rs

from reconciler import kinds, references
from reconciler.codes import CODES
from reconciler.kinds import Kind, traits
from reconciler.model import Severity
from reconciler.references import BUILT_IN
from reconciler.scalars import needs_quotes
from reconciler.secret import Secret
from reconciler.trouble import HIDDEN, Path, Trouble, looks_secret, shown
from reconciler.yamlreader import Document, Node

NAME = "credentials.schema.json"
_FREE_TEXT = ("label", "description", "owner")

__all__ = ["Checker", "builtin", "builtin_text", "traits"]

Look = Callable[[Path, Any], Iterable[Trouble]]


def builtin_text(name: str = NAME) -> str:
    """A schema that comes with the package: a copy inside it where it was installed, else the one beside it."""
    here = FilePath(__file__).parent
    inside = here / "schemas" / name
    return (inside if inside.exists() else here.parent / "schemas" / name).read_text(encoding="utf-8")


def builtin() -> dict[str, Any]:
    """The same, parsed."""
    schema: dict[str, Any] = json.loads(builtin_text())
    return schema


def refused(document: dict[str, Any], entries: Mapping[str, dict[str, Any]]) -> list[str]:
    """The names of those entries that a schema does not accept. They are from no file: a store holds them."""
    decides = jsonschema_rs.Draft202012Validator(document, validate_formats=False)
    return [n for n, entry in entries.items() if not decides.is_valid({"version": 1, "credentials": {n: entry}})]


class Checker:
    """Holds documents against one schema. ``schemes``: the reference schemes that are installed."""

    def __init__(self, schema: dict[str, Any], schemes: Collection[str] = BUILT_IN) -> None:
        self.schema = schema
        self.kinds = kinds.kinds(schema)
        self._schemes = schemes
        self._decides = jsonschema_rs.Draft202012Validator(schema, validate_formats=False)
        common = self._common_looks()
        self._looks = {name: common | self._own_looks(kind) for name, kind in self.kinds.items()}
        self._looks[""] = common

    def troubles(self, document: Document) -> list[Trouble]:
        """All that is wrong with one file, warnings included; empty means that the schema accepts it."""
        found = list(document.troubles)
        if not document.whole:
            return found
        accepted = self._decides.is_valid(document.root)
        if not accepted:
            from reconciler import wording

            found += wording.explain(self.schema, self.kinds, document.root)
        found += self._looked(document.root)
        found.sort(key=lambda trouble: trouble.code == "needs-quotes")
        if document.unsure:
            found = _first_of_each(found)
            found += self._unquoted(document, {t.path for t in found if t.severity is Severity.ERROR})
        if not accepted and not any(t.severity is Severity.ERROR for t in found):
            found.append(Trouble("bad-value", (), "the schema refuses this file", "no single key explains it"))
        return _first_of_each(found)

    def _looked(self, root: Any) -> Iterator[Trouble]:
        """What no schema can say, of every entry."""
        top: Mapping[str, Any] = root if isinstance(root, dict) else {}
        yield from _name(("workspace",), top.get("workspace"))
        entries = top.get("credentials")
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            yield from _name(("credentials", name), name, on_key=True)
            if not isinstance(entry, dict):
                continue
            provider = entry.get("provider")
            looks = self._looks.get(provider if isinstance(provider, str) else "", self._looks[""])
            for key, value in entry.items():
                look = looks.get(key)
                if look:
                    yield from look(("credentials", name, key), value)

    def _common_looks(self) -> dict[str, Look]:
        looks: dict[str, Look] = dict.fromkeys(_FREE_TEXT, _free_text)
        looks |= {"tags": _tags, "expires_on": _day, "moved_from": _name}
        for name, kind in self.kinds.items():
            looks |= dict.fromkeys(sorted(kind.traits.secrets), partial(self._secret, name))
        return looks

    def _own_looks(self, kind: Kind) -> dict[str, Look]:
        looks: dict[str, Look] = dict.fromkeys(sorted(kind.traits.secrets), partial(self._secret, kind.traits.name))
        for key, rule in kind.own.items():
            if "x-usual" in rule:
                looks[key] = partial(_usual, re.compile(rule["x-usual"], re.ASCII))
        return looks

    def _secret(self, provider: str, path: Path, value: Any) -> Iterable[Trouble]:
        if not isinstance(value, str) or references.fine(value):
            return ()
        suggestion = references.suggest(provider, shown(path[1]), str(path[2]))
        found = references.check(path, value, self._schemes, suggestion=suggestion)
        return (found,) if found else ()

    def _unquoted(self, document: Document, spoken: set[Path]) -> Iterator[Trouble]:
        """Scalars without quotes that the schema takes for text, and others would not.

        Only keys that are known and public are looked at: in all others something else is wrong already.
        """
        for path, text in _scalars(document.root, document.unsure, ()):
            inside = (path[:length] for length in range(3, len(path)))
            if path not in spoken and spoken.isdisjoint(inside) and self._public(document.root, path):
                yield needs_quotes(path, text)

    def _public(self, root: Any, path: Path) -> bool:
        if path[0] != "credentials" or len(path) < 3:
            return path == ("workspace",)
        entry = root["credentials"][path[1]]
        provider = entry.get("provider") if isinstance(entry, dict) else None
        kind = self.kinds.get(provider) if isinstance(provider, str) else None
        return kind is not None and path[2] in kind.keys and path[2] not in kind.traits.secrets


def _scalars(value: Any, unsure: Mapping[tuple[int, int], str], path: Path) -> Iterator[tuple[Path, str]]:
    steps = value.items() if isinstance(value, Node) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        mark = value.marks[step]
        if isinstance(inner, dict | list):
            yield from _scalars(inner, unsure, (*path, step))
        elif mark in unsure:
            yield (*path, step), unsure[mark]


def _first_of_each(troubles: list[Trouble]) -> list[Trouble]:
    """One trouble for each value and each key: a second one would only repeat the first in other words."""
    kept: dict[object, Trouble] = {}
    for trouble in troubles:
        twice = trouble.mark if trouble.code == "duplicate-key" else None
        kept.setdefault((trouble.path, trouble.on_key, twice), trouble)
    return list(kept.values())


def _name(path: Path, value: Any, *, on_key: bool = False) -> Iterable[Trouble]:
    """A name is shown everywhere, and nothing can stand in its place: one that looks like a secret is an error."""
    if not isinstance(value, str) or not looks_secret(value):
        return ()
    code = CODES["looks-secret"]
    summary = "this name looks like a secret: it would be shown everywhere"
    return (Trouble(code.name, path, summary, "it is not shown here", code.hint, on_key=on_key),)


def _free_text(path: Path, value: Any) -> Iterable[Trouble]:
    if not isinstance(value, str) or not looks_secret(value):
        return ()
    code = CODES["looks-secret"]
    detail = f"it is neither shown nor stored: {HIDDEN} stands in its place"
    return (Trouble(code.name, path, code.summary, detail, code.hint, Severity.WARNING),)


def _tags(path: Path, value: Any) -> Iterator[Trouble]:
    for tag, text in value.items() if isinstance(value, dict) else ():
        yield from _name((*path, tag), tag, on_key=True)
        yield from _free_text((*path, tag), text)


def hide(root: Any, troubles: Iterable[Trouble]) -> Iterator[tuple[Path, Secret]]:
    """Put :data:`HIDDEN` in place of each text that a warning says looks like a secret: so nothing else ever shows it.

    Gives where each stood, and the text.
    """
    for trouble in troubles:
        if trouble.code == "looks-secret" and trouble.severity is Severity.WARNING:
            *above, last = trouble.path
            holder = reduce(getitem, above, root)
            yield trouble.path, Secret(holder[last])
            holder[last] = HIDDEN


def _day(path: Path, value: Any) -> Iterable[Trouble]:
    try:
        date.fromisoformat(value if isinstance(value, str) else "2000-01-01")
    except ValueError:
        return (Trouble("bad-value", path, f"{path[-1]} is no day of the calendar", hint="expires_on: YYYY-MM-DD"),)
    return ()


def _usual(pattern: re.Pattern[str], path: Path, value: Any) -> Iterable[Trouble]:
    if not isinstance(value, str) or pattern.search(value):
        return ()
    code = CODES["unusual"]
    return (Trouble(code.name, path, f"{path[-1]}: {code.summary}", "", code.hint, Severity.WARNING),)
