"""Lines and tables to text through rich, the same with and without colour."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

Line = str | Text | Table

STYLES = {"✓": "green", "✗": "red", "!": "yellow", "+": "green", "~": "yellow", "-": "red", "→": "cyan", "?": "dim"}


def draw(lines: Iterable[Line], *, width: int, colour: bool) -> str:
    """All lines as text. A line is never wrapped: a log or a pipe gets it whole."""
    console = Console(
        file=StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None,
        no_color=not colour, highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    with console.capture() as captured:
        for line in lines:
            console.print(line, soft_wrap=not isinstance(line, Table))
    return "".join(f"{line.rstrip()}\n" if not colour else f"{line}\n" for line in captured.get().splitlines())


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
        cells: tuple[RenderableType, ...] = row
        table.add_row(*cells)
    return table


def marked(sign: str, text: str) -> Text:
    """A line that begins with a coloured sign."""
    return Text.assemble((sign, STYLES.get(sign, "")), " ", text)
