"""What every printed page is made of: headings, tables, notes, names and amounts in one language."""

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from planner.case import Case
from planner.words import Words

WIDTH = 100
"""Columns of a page that goes into a file or pipe."""
NUMBER = 8
"""Least width of a column of numbers whose head wraps [characters]."""
PRIMARY, QUIET, ALARM, GOOD = "dark_cyan", "bright_black", "red", "green"


def console(stream: TextIO | None = None) -> Console:
    """A console on standard output, at most as wide as a page is read well."""
    stream = stream or sys.stdout
    made = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)
    made.width = min(made.width, 120) if made.is_terminal else WIDTH
    return made


class Page(Words):
    """A page in one language: what is written to it, and the words of the case it is about."""

    def __init__(self, lang: str, case: Case | None = None, out: Console | None = None) -> None:
        super().__init__(lang, case)
        self.out = out or console()

    # Writing ---------------------------------------------------------------------------------------------------------

    def line(self, text: str | Text = "", style: str = "") -> None:
        """A line, or a paragraph."""
        self.out.print(Text(text, style=style) if isinstance(text, str) else text)

    def heading(self, text: str, aside: str = "") -> None:
        """A heading with a little air above."""
        self.out.print()
        self.out.print(Text.assemble((text, f"bold {PRIMARY}"), (f"   {aside}" if aside else "", QUIET)))

    def note(self, text: str) -> None:
        """A remark in small print."""
        self.out.print(Padding(Text(text, style=QUIET), (0, 0, 0, 2), expand=False))

    def show(self, item: RenderableType) -> None:
        """A table or anything else."""
        self.out.print(Padding(item, (0, 0, 0, 2), expand=False))


def grid(
    columns: Sequence[str], right: Iterable[int] = (), keep: Iterable[int] = (), header: bool = True, fold: int = 0
) -> Table:
    """An empty table without lines; columns in `right` hold numbers, those in `keep` never wrap.

    With `fold` the heads of numbers wrap between words, and within those longer than that: for many numbers with long
    names.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=header, header_style=QUIET, pad_edge=False)
    right, keep = set(right), set(keep)
    for place, name in enumerate(columns):
        number = place in right
        folds = bool(fold) and number
        table.add_column(
            Text(name),
            justify="right" if number else "left",
            no_wrap=(number and not folds) or place in keep,
            overflow="fold",
            min_width=max(NUMBER, min(fold, max(map(cell_len, name.split()), default=0))) if folds else None,
        )
    return table


def add(table: Table, *cells: str | Text, style: str = "") -> None:
    """A row whose cells are shown as they are: no markup."""
    table.add_row(*[cell if isinstance(cell, Text) else Text(cell) for cell in cells], style=style)
