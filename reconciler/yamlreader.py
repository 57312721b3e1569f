"""YAML text to plain mappings that know where every key stands. Strict: no tag makes an object, nothing is guessed.

It reads the events of PyYAML's C parser and builds with its own hands. That library's messages quote the source, which
may hold a secret, so none of them is shown: they are only looked up in :data:`_SYNTAX`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from yaml import MarkedYAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from reconciler.codes import CODES
from reconciler.scalars import INTEGER, NUMERIC, TYPED, WORDS, needs_quotes, reading
from reconciler.trouble import MOST, Trouble, shown

DEPTH = 32
"""How deep mappings and lists may nest."""

Mark = tuple[int, int]
"""Line and column, from 1."""

Event = Any
"""The library's events share no typed attributes."""

_NOTHING = ("", "~", "null")
_KNOWN_TAG = re.compile(
    r"!!(str|int|float|bool|null|map|seq|set|omap|pairs|binary|timestamp|merge|value|yaml)\Z"
    r"|!!(python|ruby|perl|java|javascript|js|php)/[a-z/_]*"
    r"|!(?i:env|vault|secrets?|include|reference|file|sops|var|base64|ref|sub|getatt|importvalue)\Z"
)

_BEGINS = "if the value itself begins with"
_QUOTE = "put the value in quotes, or check the indentation"
_SYNTAX = {
    "found unexpected end of stream": "a quote is opened here and never closed",
    "found unexpected document indicator": "a quote is opened here and never closed",
    "mapping values are not allowed in this context": f"a second ': ' on one line: {_QUOTE}",
    "could not find expected ':'": "a key without ': ' after it",
    "did not find expected key": f"no key where one is expected: {_QUOTE}",
    "a tab": "a tab stands here: indent with spaces",
    "found character that cannot start any token": "a value cannot begin with %, @ or `: put such a value in quotes",
    "found unknown escape character": "an unknown escape after \\ in double quotes: write \\\\, or use single quotes",
    "found invalid Unicode character escape code": "an escape for something that is not a character",
    "did not find expected ',' or ']'": "a [ is opened and not closed",
    "did not find expected ',' or '}'": "a { is opened and not closed",
    "did not find expected node content": f"a [ or {{ is not closed, or a value cannot begin so: {_QUOTE}",
    "did not find expected '-' indicator": "a list ends where another line stands at the same indentation",
    "block sequence entries are not allowed in this context": "a list begins on a line of its own",
    "control characters are not allowed": "a control character stands here",
    "found undefined tag handle": "YAML tags are not allowed: if the value begins with '!', put it in quotes",
    "did not find expected <document start>": "something follows the end of the document",
}  # fmt: skip


class Node(dict[str, Any]):
    """A mapping. ``marks`` has a place for each key: of its value, or of the key where the value is nested."""

    __slots__ = ("marks",)
    marks: dict[str, Mark]


class Items(list[Any]):
    """A list. ``marks`` has the places of its values."""

    __slots__ = ("marks",)
    marks: list[Mark]


@dataclass(slots=True)
class Document:
    """What one file holds. ``whole`` is false where reading stopped at a trouble that nothing can follow."""

    root: Any = None
    unsure: dict[Mark, str] = field(default_factory=dict)
    """Plain scalars that some reader takes for a number, a boolean or nothing, as they are written."""
    troubles: list[Trouble] = field(default_factory=list)
    whole: bool = True


def decode(data: bytes) -> str:
    """UTF-8 bytes, with or without a byte order mark, to text. Raises ValueError with line, column and a reason."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        why = "a lone half of a surrogate pair" if data[error.start] == 0xED else "a byte that is not UTF-8"
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            why = "the file begins as UTF-16 does"
    raise ValueError(before.count("\n") + 1, len(before) - before.rfind("\n"), why)


def read(text: str, *, keys: bool = False) -> Document:
    """Read a file's text. Every place is a key's with ``keys``, which is worth a second reading where one is needed."""
    builder = _Builder(text, keys)
    document = builder.document
    try:
        document.root = builder.top()
    except _Stop:
        document.whole = False
    except MarkedYAMLError as error:
        unclosed = str(error.problem).startswith(("found unexpected", "did not find expected ','"))
        mark = error.context_mark if unclosed else error.problem_mark
        if mark and _is_tab(text, mark.line, mark.column):
            error.problem = "a tab"
        document.troubles.append(_broken(str(error.problem), mark.line, mark.column) if mark else _broken("", 0, 0))
        document.whole = False
    except ReaderError as error:
        before = text.encode()[: error.position].decode(errors="replace")
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        document.troubles.append(_broken(str(error.reason), line, column))
        document.whole = False
    return document


class _Stop(Exception):
    """Nothing after this place can be read."""


class _Builder:
    """Turns the events of one file into a document; nests at most :data:`DEPTH` deep, so recursion is bounded."""

    def __init__(self, text: str, keys: bool) -> None:
        self._text = text
        self._keys = keys
        self._path: list[str | int] = []
        self._seen: dict[str, str] = {}
        self._next: Callable[[], Event] = lambda: None
        self.document = Document()

    def top(self) -> Any:
        """The one value of the file; ``None`` where it holds nothing."""
        self._next = CParser(self._text).get_event
        self._next()
        if type(self._next()) is StreamEndEvent:
            return None
        root = self._value(self._next())
        self._next()
        event = self._next()
        if type(event) is DocumentStartEvent:
            self._tell("yaml-document", event)
            raise _Stop
        return root

    def _mapping(self) -> Node:
        node, get = Node(), self._next
        marks = node.marks = {}
        while type(event := get()) is not MappingEndEvent:
            key, mark = self._key(event), event.start_mark
            event = get()
            value = self._scalar(event, key) if type(event) is ScalarEvent else self._inside(event, key)
            if key is None:
                continue
            if key in node:
                self._duplicate(key, mark, marks[key])
            else:
                node[key] = value
                if not self._keys and type(event) is ScalarEvent:
                    mark = event.start_mark
                marks[key] = (mark.line + 1, mark.column + 1)
        return node

    def _list(self) -> Items:
        items = Items()
        items.marks = []
        while type(event := self._next()) is not SequenceEndEvent:
            items.marks.append((event.start_mark.line + 1, event.start_mark.column + 1))
            items.append(self._inside(event, len(items)))
        return items

    def _inside(self, event: Event, step: str | int | None) -> Any:
        """A value under a key or an index; ``None`` is a key that is none."""
        self._path.append("?" if step is None else step)
        value = self._value(event)
        self._path.pop()
        return value

    def _value(self, event: Event) -> Any:
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is AliasEvent:
            return self._tell("yaml-anchor", event, detail=f"{_BEGINS} * or &, put it in quotes")
        if event.tag is not None or event.anchor is not None:
            self._properties(event)
        if len(self._path) >= DEPTH:
            self._tell("too-deep", event)
            raise _Stop
        return self._mapping() if kind is MappingStartEvent else self._list()

    def _scalar(self, event: Event, *step: str | int | None) -> Any:
        text = event.value
        if event.tag is not None or event.anchor is not None:
            self._properties(event, *step)
        elif event.style:
            if "\0" in text:
                self._tell("yaml-syntax", event, *step, detail="a NUL character is no part of any text")
        elif text in WORDS or text[0] in NUMERIC:
            return self._plain(text, event)
        return text

    def _plain(self, text: str, event: Event) -> Any:
        """A scalar without quotes that may be more than text."""
        if text in TYPED and text not in _NOTHING:
            return TYPED[text]
        if INTEGER.match(text):
            return int(text)
        if reading(text):
            self.document.unsure[event.start_mark.line + 1, event.start_mark.column + 1] = text
        return None if text in _NOTHING else text

    def _key(self, event: Event) -> str | None:
        """A key as text. ``None`` where it is none: what stands under it is read, and dropped."""
        if type(event) is not ScalarEvent:
            if type(event) is not AliasEvent:
                self._tell("wrong-type", event, "?", detail="a key must be plain text", on_key=True)
            self._inside(event, None)
            return None
        text = event.value
        if event.tag is not None or event.anchor is not None:
            self._properties(event, text, on_key=True)
        elif text in self._seen:
            return self._seen[text]
        elif not event.style and text == "<<":
            self._tell("yaml-merge", event, text, on_key=True)
        elif not event.style and reading(text):
            trouble = needs_quotes((*self._path, text), text, on_key=True)
            self._keep(replace(trouble, mark=_mark(event)))
        elif "\0" in text:
            self._tell("yaml-syntax", event, "?", detail="a NUL character is no part of any text", on_key=True)
        elif not event.style:
            self._seen[text] = text
        return str(text)

    def _properties(self, event: Event, *step: str | int | None, on_key: bool = False) -> None:
        """Refuse a tag, an anchor, or both."""
        if event.anchor is not None:
            self._tell("yaml-anchor", event, *step, detail=f"{_BEGINS} &, put it in quotes", on_key=on_key)
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!", 1)
            known = _KNOWN_TAG.match(tag)
            detail = f"the tag is {known[0]}" if known else f"{_BEGINS} !, put it in quotes"
            self._tell("yaml-tag", event, *step, detail=detail, on_key=on_key)

    def _duplicate(self, key: str, mark: Any, first: Mark) -> None:
        path, here = (*self._path, key), (mark.line + 1, mark.column + 1)
        summary, detail = f"the key {shown(key)!r} stands twice", f"first at line {first[0]}, again at line {here[0]}"
        self._keep(Trouble("duplicate-key", path, summary, detail, CODES["duplicate-key"].hint, on_key=True, mark=here))

    def _tell(self, code: str, event: Event, *step: str | int | None, detail: str = "", on_key: bool = False) -> None:
        """Keep a trouble in its code's own words, at the event."""
        path, known = (*self._path, *("?" if s is None else s for s in step)), CODES[code]
        self._keep(Trouble(code, path, known.summary, detail, known.hint, on_key=on_key, mark=_mark(event)))

    def _keep(self, trouble: Trouble) -> None:
        self.document.troubles.append(trouble)
        if len(self.document.troubles) >= MOST:
            raise _Stop


def _mark(event: Event) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _is_tab(text: str, line: int, column: int) -> bool:
    """Whether a tab stands there: the parser's lines end where ours do, at any line break of YAML."""
    lines = text.splitlines()
    return line < len(lines) and lines[line][column : column + 1] == "\t"


def _broken(said: str, line: int, column: int) -> Trouble:
    """A complaint of the parser in our words; ``line`` and ``column`` count from 0."""
    detail = _SYNTAX.get(said, "check the indentation and the quotes around here")
    return Trouble("yaml-syntax", (), CODES["yaml-syntax"].summary, detail, mark=(line + 1, column + 1))
