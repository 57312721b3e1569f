"""Lines and tables to text through rich, the same with and without colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of which each row has lines of its own below it."""

    table: Table
    below: Sequence[Sequence[str]]


Line = str | Text | Table | Rows

STYLES = {"✓": "green", "✗": "red", "!": "yellow", "+": "green", "~": "yellow", "-": "red", "→": "cyan", "?": "dim"}


_RAW = re.compile(r"[^\S \n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What a terminal obeys, or nobody sees. Texts are made safe where a line is made; this is for one that was not."""


def inert(line: str) -> str:
    """The line without what a terminal obeys: each such character is one ``�``."""
    return line if line.isprintable() else _RAW.sub("\N{REPLACEMENT CHARACTER}", line)


def _inert(text: Text) -> Text:
    if not text.plain.isprintable():
        text = text.copy()
        # as many characters as before, so that its styles stay where they are
        text.plain = inert(text.plain)
    return text


def draw(lines: Iterable[Line], *, width: int, colour: bool) -> str:
    """All lines as text. A line is never wrapped: a log or a pipe gets it whole.

    Nothing is written meanwhile: a console without a file of its own flushes stdout, which may be gone.
    """
    console = Console(
        file=StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None,
        no_color=not colour, highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    return "".join(_drawn(console, line, colour=colour) for line in lines)


def _drawn(console: Console, line: Line, *, colour: bool) -> str:
    """A plain line stays what it is: rich takes a hundred times as long for it, and ten thousand are not rare."""
    if isinstance(line, str):
        return f"{inert(line)}\n"
    if isinstance(line, Text):
        line = _inert(line)
        if not colour:
            return f"{line.plain.rstrip()}\n"
    if isinstance(line, Rows):
        heading, *drawn = _drawn(console, line.table, colour=colour).splitlines()
        rows = zip(drawn, line.below, strict=True)
        return "".join(f"{one}\n" for one in (heading, *(o for row, below in rows for o in (row, *map(inert, below)))))
    with console.capture() as captured:
        console.print(line, soft_wrap=not isinstance(line, Table))
    text = captured.get()
    return text if colour else "".join(f"{one.rstrip()}\n" for one in text.splitlines())


def wrapped(head: str, text: str, width: int) -> list[str]:
    """Prose behind a head, broken between words where the terminal ends; no word is ever broken."""
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=" " * len(head),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def fit(columns: list[tuple[str, list[Text], int]], width: int) -> Table:
    """A table of (heading, cells, need) columns that fits: where too wide, the column of least need goes first."""
    kept = list(columns)
    table = _table(kept)
    console = Console(width=10_000, file=StringIO())
    while len(kept) > 1 and console.measure(table).maximum > width:
        kept.remove(min(kept, key=lambda column: column[2]))
        table = _table(kept)
    return table


def _table(columns: list[tuple[str, list[Text], int]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, _, _ in columns:
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for row in zip(*(cells for _, cells, _ in columns), strict=True):
        cells: Iterable[RenderableType] = map(_inert, row)
        table.add_row(*cells)
    return table
