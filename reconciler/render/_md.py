"""Markdown that free text cannot break out of, and that fits a comment.

Values stand in code spans and fences, where no mention, link, image or HTML is one. Sentences are escaped, and what
GitHub would look for behind the Markdown (@, #, ://) is parted by a zero-width space.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from reconciler.render import rows as say

LIMIT = 65_000
"""GitHub takes 65,536 characters; the rest is for whoever puts a line around it."""
NOWHERE = "\u200b"

_MARKS = re.compile(r"[\\`*_\[\]~^$]")
_LOOKED_FOR = re.compile(r"@|#|:(?=//)|(?<=www)(?=\.)|(?<=gh)(?=-\d)", re.IGNORECASE)


def inert(text: object) -> str:
    """One printable line that no runner of workflows takes for a command."""
    line = say.safe(text).replace("##", "#\\x23")
    return re.sub(r"^(\s*):(?=:)", r"\1\\x3a", line)


def prose(text: object) -> str:
    """A sentence, anywhere outside code: shown as it is written, and nothing more."""
    plain = _MARKS.sub(r"\\\g<0>", inert(text))
    return _LOOKED_FOR.sub(rf"\g<0>{NOWHERE}", escape(plain, quote=False).replace("|", "&vert;"))


def code(text: object) -> str:
    """A value in a line; a dash where there is none."""
    return _span(inert(text))


def cell(text: object) -> str:
    """A value in a table, where a bar would end the cell even inside code."""
    line = inert(text)
    return _span(line.replace("|", "\\x7c" if "\\" in line else "\\|"))


def _span(line: str) -> str:
    if not line.strip():
        return say.DASH
    ticks = "`" * (_longest(line) + 1)
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def _longest(text: str) -> int:
    """How many backticks stand in a row, at most."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


def tag(text: object) -> str:
    """A value inside HTML, as a ``summary`` is: Markdown does not work there, and mentions do."""
    return f"<code>{escape(inert(text))}</code>"


def word(text: str) -> str:
    """A provider's name as it is; whatever is no plain word stands in code."""
    return text if re.fullmatch(r"[a-z][a-z0-9]{0,30}", text, re.ASCII) else cell(text)


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def names(words: Sequence[str], style: Callable[[object], str] = code, limit: int = 5) -> str:
    """A few names, and how many more there are."""
    shown = [style(word) for word in words[:limit]]
    return ", ".join(shown) + (f" and {len(words) - limit} more" if len(words) > limit else "")


@dataclass(frozen=True, slots=True)
class Section:
    """A block of a page: items that each make sense alone, between a head and a tail."""

    items: tuple[str, ...]
    head: str = ""
    tail: str = ""

    def text(self, count: int | None = None) -> str:
        parts = [self.head, *self.items[:count], self.tail]
        return "\n".join(part for part in parts if part).rstrip("\n") + "\n"


def table(head: Sequence[str], rows: Iterable[str], *, before: str = "", tail: str = "") -> Section:
    """Rows under a heading; the first column is for a sign where it has no name."""
    rule = "|".join(":-:" if not name else "---" for name in head)
    title = f"{before}\n" if before else ""
    return Section(tuple(rows), f"{title}{row(*head)}\n|{rule}|", tail)


def fenced(items: Iterable[str], language: str = "", *, before: str = "") -> Section:
    """Lines as they are; the fence is longer than any that they hold."""
    lines = tuple(items)
    ticks = "`" * max(3, 1 + max((_longest(line) for line in lines), default=0))
    title = f"{before}\n" if before else ""
    return Section(lines, f"{title}{ticks}{language}", ticks)


@dataclass(frozen=True, slots=True)
class Page:
    """A whole comment: a hidden marker to find it again, the verdict in one line, sections, last words."""

    kind: str
    store: str
    workspace: str
    verdict: str
    sections: tuple[Section, ...]
    last: str = ""
    cut: str = ""
    """The verdict of a page that did not fit."""


def draw(page: Page) -> str:
    """The page as text. Where it is too long, sections end early, and the first line says so."""
    sections = [section for section in page.sections if section.items]
    whole = _join(page, page.verdict, [section.text() for section in sections], page.last)
    if len(whole) <= LIMIT:
        return whole
    left = LIMIT - len(_join(page, page.cut, [], _left_out(10**6)))
    kept: list[str] = []
    missing = 0
    for section in sections:
        count = _fitting(section, left - 1)
        missing += len(section.items) - count
        if count:
            kept.append(section.text(count))
            left -= len(kept[-1]) + 1
    return _join(page, page.cut, kept, _left_out(missing))


def _left_out(missing: int) -> str:
    return f"{missing} more entries did not fit. The whole is in the run's own output; approve nothing from here.\n"


def _fitting(section: Section, room: int) -> int:
    """How many items of a section fit."""
    used = len(section.text(0))
    for count, item in enumerate(section.items):
        used += len(item) + 1
        if used > room:
            return count
    return len(section.items)


def _join(page: Page, verdict: str, sections: list[str], last: str) -> str:
    facts = {"store": page.store, "workspace": page.workspace}
    where = "".join(f" {key}={_hidden(value)}" for key, value in facts.items() if value)
    marker = f"<!-- reconciler:{_hidden(page.kind)}{where} -->"
    about = f"{code(page.workspace)}: " if page.workspace else ""
    first = f"{marker}\n### {verdict.partition(' ')[0]} {about}{verdict.partition(' ')[2]}\n"
    return "\n".join([first, *sections, *([last] if last else [])])


def _hidden(text: str) -> str:
    """What may stand in a comment of HTML."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
