"""What every printed page is made of: headings, tables, notes, names and amounts in one language."""

import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from planner import amounts
from planner.amounts import Shown
from planner.case import Case
from planner.rows import FUND, is_money
from planner.text import t

WIDTH = 100
"""Columns of a page that goes into a file or pipe."""
PRIMARY, QUIET, ALARM, GOOD = "dark_cyan", "bright_black", "red", "green"


def console(stream: TextIO | None = None) -> Console:
    """A console on standard output, at most as wide as a page is read well."""
    stream = stream or sys.stdout
    made = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)
    made.width = min(made.width, 120) if made.is_terminal else WIDTH
    return made


class Page:
    """A page in one language: what is written to it, and the words of the case it is about."""

    def __init__(self, lang: str, case: Case | None = None, out: Console | None = None) -> None:
        self.lang, self.case = lang, case
        self.out = out or console()

    # Words -----------------------------------------------------------------------------------------------------------

    def t(self, key: str, **params: object) -> str:
        """Words of the command line."""
        return t(key, self.lang, **params)

    @cached_property
    def _names(self) -> dict[tuple[str, str], str]:
        names: dict[tuple[str, str], str] = {}
        for table in ("cities", "sectors", "quantities", "measures", "funds", "targets", "budgets"):
            for row in self.case.rows(table) if self.case else ():
                name = getattr(row, f"name_{self.lang}", None) or getattr(row, "name_en", None)
                if name:
                    names.setdefault((table, str(row.ids()[0])), str(name))
        return names

    def name(self, table: str, id_: str) -> str:
        """Name of a row for people; its id where it has none."""
        return self._names.get((table, id_), id_)

    def title(self) -> str:
        """Title of the case."""
        if self.case is None:
            return ""
        titles = self.case.settings.title
        return titles.get(self.lang) or next(iter(titles.values()), self.case.settings.name)

    def place(self, scope: str) -> str:
        """Name of a city, or the id of a group of cities."""
        return self.name("cities", scope)

    def quantity(self, id_: str) -> str:
        """Name of a quantity or of one of the reserved names of money."""
        if not is_money(id_):
            return self.name("quantities", id_)
        if id_.startswith(FUND):
            return ", ".join(self.name("funds", fund) for fund in id_[len(FUND) :].split(";"))
        return self.t(f"solve.{id_}")

    def objective(self, name: str) -> str:
        """Name of an objective."""
        return self.quantity(name.removeprefix("-").removeprefix("quantity:"))

    # Amounts ---------------------------------------------------------------------------------------------------------

    @cached_property
    def money(self) -> Shown:
        """How money is shown."""
        if self.case is None:
            return Shown(1.0, "")
        settings = self.case.settings
        return amounts.money(settings.money_unit, settings.currency, self.lang)

    @cached_property
    def currency(self) -> str:
        """Name of the currency."""
        return amounts.currency(self.case.settings.currency, self.lang) if self.case else ""

    @cached_property
    def _units(self) -> dict[tuple[str, str], str]:
        if self.case is None:
            return {}
        units = {("quantities", row.quantity): row.unit for row in self.case.quantities}
        return units | {("measures", row.measure): row.unit for row in self.case.measures}

    def unit(self, table: str, id_: str) -> Shown:
        """How amounts of a quantity or measure are shown."""
        if table == "quantities" and is_money(id_):
            return self.money
        return amounts.unit(self._units.get((table, id_), ""), self.lang)

    def price(self, quantity: str) -> Shown:
        """How a price per unit of a quantity is shown: factor on plain currency, and both units."""
        if is_money(quantity):
            return Shown(1.0, f"{self.currency}/{self.currency}")
        shown = amounts.per_unit(self._units.get(("quantities", quantity), ""), self.lang)
        return Shown(shown.factor, f"{self.currency}/{shown.name}")

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


def grid(columns: Sequence[str], right: Iterable[int] = (), keep: Iterable[int] = (), header: bool = True) -> Table:
    """An empty table without lines; columns in `right` hold numbers, those in `keep` never wrap."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=header, header_style=QUIET, pad_edge=False)
    right, keep = set(right), set(keep)
    for place, name in enumerate(columns):
        number = place in right
        table.add_column(
            Text(name), justify="right" if number else "left", no_wrap=number or place in keep, overflow="fold"
        )
    return table


def add(table: Table, *cells: str | Text, style: str = "") -> None:
    """A row whose cells are shown as they are: no markup."""
    table.add_row(*[cell if isinstance(cell, Text) else Text(cell) for cell in cells], style=style)
