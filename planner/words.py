"""Words of a case: names, units and money as people read them, in one language."""

from functools import cached_property

from planner import amounts
from planner.amounts import Shown
from planner.called import group_name, pin_name
from planner.case import Case
from planner.rows import FUND, is_money
from planner.text import t

CALLED = {"pins": pin_name, "groups": group_name}
"""What has no name of its own."""


class Words:
    """Names and amounts of a case in one language."""

    def __init__(self, lang: str, case: Case | None = None) -> None:
        self.lang, self.case = lang, case

    # Words -----------------------------------------------------------------------------------------------------------

    def t(self, key: str, **params: object) -> str:
        """Words of the command line."""
        return t(key, self.lang, **params)

    @cached_property
    def _names(self) -> dict[tuple[str, str], str]:
        names: dict[tuple[str, str], str] = {}
        for table in ("cities", "sectors", "departments", "quantities", "measures", "funds", "targets", "budgets"):
            for row in self.case.rows(table) if self.case else ():
                name = getattr(row, f"name_{self.lang}", None) or getattr(row, "name_en", None)
                if name:
                    names.setdefault((table, str(row.ids()[0])), str(name))
        return names

    def name(self, table: str, id_: str) -> str:
        """Name of a row for people; its id where it has none. A pin or a group is called by what it is about."""
        if self.case is not None and table in CALLED:
            return CALLED[table](self.case, id_, self.lang)
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
