"""One frozen class per table row; the words under each column are its documentation.

A column without default must be filled; one with a default may stay blank. Units stand in square brackets at the end of
a column's first sentence. `cases/README.md` is written from here (`planner.reference`), and a test holds both equal.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from planner.errors import Place

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max_length=80)]
Ref = Annotated[str, Field(min_length=1, max_length=80)]
"""An id of another table: a name typed in its place is answered with the id to type."""
Text = Annotated[str, Field(min_length=1)]
Year = Annotated[int, Field(ge=1900, le=2200)]
Years = Annotated[int, Field(ge=0, le=200)]
Amount = Annotated[float, Field(ge=0)]
Many = tuple[str, ...]

PROVINCE = "province"
PERSPECTIVES: Mapping[str, Many] = {
    "market": ("market",),
    "private": ("market", "tax", "carbon"),
    "social": ("market", "damage"),
}
COMPONENTS: Many = ("market", "tax", "carbon", "damage")
MONEY: Many = ("capex", "cost")
FUND = "fund:"
PROSE = frozenset(
    {"name_zh", "name_en", "title", "note", "source", "extra", "clause", "clauses", "departments", "place"}
)
"""What people read and no answer depends on: left out of a case's digest."""


def is_money(name: str) -> bool:
    """Whether `name` is one of the names reserved for money: capex, cost, fund:<id>.

    >>> is_money("fund:central"), is_money("co2")
    (True, False)
    """
    return name in MONEY or name.startswith(FUND)


def _refuse(key: str, column: str, **params: object) -> PydanticCustomError:
    """A fault of one row: words under `key`, at `column`."""
    return PydanticCustomError("row_rule", "{key}", {"key": key, "column": column, **params})


class Row(BaseModel):
    """A row of any table: own columns, remarks, and the place it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table: ClassVar[str]
    key: ClassVar[Many]
    """Columns that together name a row: the same key twice is a fault."""
    references: ClassVar[Mapping[str, str]] = {}
    """Columns that hold ids of another table."""
    header: ClassVar[Many] = ()
    """Columns that must stand in the header although their cells may be blank."""
    needed: ClassVar[bool] = False
    """Whether a case without any such row cannot be planned."""

    grade: Literal["A", "B", "C"] | None = Field(default=None, examples=["B"])
    """Quality of the row: A official, B literature, C estimate."""
    note: str | None = Field(default=None, examples=["read off a chart"])
    """Anything a reader should know."""
    extra: dict[str, str] = Field(default_factory=dict)
    place: Place | None = None

    @property
    def at(self) -> Place:
        """Where this row stands; its table alone when it was made in code."""
        return self.place or Place(f"{self.table}.csv")

    def values(self) -> dict[str, Any]:
        """Everything but the place."""
        return {name: value for name, value in self.__dict__.items() if name != "place"}

    def ids(self) -> tuple[Any, ...]:
        """The key of this row."""
        return tuple([getattr(self, column) for column in self.key])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and type(self) is type(other) and self.values() == other.values()

    def __hash__(self) -> int:
        return hash((self.table, self.ids()))


class Sourced(Row):
    """A row that says where it comes from."""

    source: Many = Field(default=(), examples=["plan2022;own"])
    """Ids of `sources`, or `own` for a judgement of the authors."""


class Settings(Row):
    """Settings of a case: `case.yaml`, or the sheet `case` of a workbook with the columns setting and value."""

    table: ClassVar[str] = "case"
    key: ClassVar[Many] = ("name",)

    name: Id = Field(examples=["jiangxi"])
    """Id of the case."""
    title: dict[str, str] = Field(examples=["{zh: 江西, en: Jiangxi}"])
    """Name for people, by language (zh, en); in a workbook `title.zh` and `title.en`."""
    base_year: Year = Field(examples=["2020"])
    """Year that changes are measured from and money is discounted to; before the first year."""
    first_year: Year = Field(examples=["2021"])
    """First year of the plan."""
    last_year: Year = Field(examples=["2035"])
    """Last year of the plan."""
    discount_rate: float = Field(ge=0, le=0.5, examples=["0.06"])
    """Real social discount rate as a fraction [1/yr]."""
    currency: Text = Field(examples=["CNY"])
    """Currency of all money in the tables: plain, at constant prices of the base year."""
    money_unit: Literal["one", "thousand", "10 thousand", "million", "100 million", "billion"] = Field(
        default="million", examples=["million"]
    )
    """Unit of money on screens and in reports."""
    objective: Many = Field(default=("cost",), examples=["cost"])
    """What is least: `cost`, `capex`, `fund:<id>`, `quantity:<id>`, `-quantity:<id>`; several: one after the other."""
    tolerance: float = Field(default=1e-6, ge=0, le=1, examples=["0.000001"])
    """Relative slack a later objective may take from an earlier one [-]."""
    perspective: Many = Field(default=("market",), examples=["social"])
    """Which price components count: `market`, `private` (market, tax, carbon), `social` (market, damage), or a list."""
    as_of: Year | None = Field(default=None, examples=["2024"])
    """Last year that is history: starts up to it are whatever `existing` says."""
    data: Many = Field(default=(), examples=["[../../data/jiangxi]"])
    """Folders with further tables, relative to the case; a table is taken whole from the first place that has it."""

    @property
    def components(self) -> Many:
        """Price components that count."""
        words = [part for word in self.perspective for part in PERSPECTIVES.get(word, (word,))]
        return tuple(dict.fromkeys(words))


class City(Sourced):
    """A city, or whatever else the plan distinguishes in space."""

    table: ClassVar[str] = "cities"
    key: ClassVar[Many] = ("city",)
    needed: ClassVar[bool] = True

    city: Id = Field(examples=["nanchang"])
    """Id of the city."""
    name_zh: Text = Field(examples=["南昌市"])
    """Name in Chinese."""
    name_en: Text = Field(examples=["Nanchang"])
    """Name in English."""
    lat: float | None = Field(default=None, ge=-90, le=90, examples=["28.68"])
    """Latitude, for maps [degrees]."""
    lon: float | None = Field(default=None, ge=-180, le=180, examples=["115.86"])
    """Longitude, for maps [degrees]."""
    zone: str | None = Field(default=None, examples=["centre"])
    """Part of the province, for tables and filters."""
    population: Amount | None = Field(default=None, examples=["6255007"])
    """Residents, for shares per head [persons]."""
    gdp: Amount | None = Field(default=None, examples=["5745.5"])
    """Output of the base year, for fair shares; any unit, the same in all rows."""
    area: Amount | None = Field(default=None, examples=["7195"])
    """Land area [km**2]."""


class CityGroup(Sourced):
    """A city of a named group; targets and budgets may use the group as scope."""

    table: ClassVar[str] = "city_groups"
    key: ClassVar[Many] = ("group", "city")
    references: ClassVar[Mapping[str, str]] = {"city": "cities"}

    group: Id = Field(examples=["inland"])
    """Id of the group of cities."""
    city: Ref = Field(examples=["ridge"])
    """A city of the group."""


class Sector(Sourced):
    """A sector in which quantities are booked."""

    table: ClassVar[str] = "sectors"
    key: ClassVar[Many] = ("sector",)
    needed: ClassVar[bool] = True

    sector: Id = Field(examples=["steel"])
    """Id of the sector."""
    name_zh: Text = Field(examples=["钢铁"])
    """Name in Chinese."""
    name_en: Text = Field(examples=["Steel"])
    """Name in English."""


class Department(Sourced):
    """An office that is responsible for measures."""

    table: ClassVar[str] = "departments"
    key: ClassVar[Many] = ("department",)

    department: Id = Field(examples=["DEE"])
    """Id of the department."""
    name_zh: Text = Field(examples=["省生态环境厅"])
    """Name in Chinese."""
    name_en: Text = Field(examples=["Department of Ecology and Environment"])
    """Name in English."""
    clauses: Many = Field(default=(), examples=["4;5;13"])
    """Clauses of the plan it works on."""


class Quantity(Sourced):
    """Anything accounted: an emission, an energy, a capacity, a freight."""

    table: ClassVar[str] = "quantities"
    key: ClassVar[Many] = ("quantity",)
    needed: ClassVar[bool] = True

    quantity: Id = Field(examples=["co2"])
    """Id of the quantity."""
    unit: Text = Field(examples=["kt"])
    """Its one unit; all baseline, effects, targets and prices are in it."""
    name_zh: Text = Field(examples=["二氧化碳"])
    """Name in Chinese."""
    name_en: Text = Field(examples=["CO2"])
    """Name in English."""
    kind: str | None = Field(default=None, examples=["emission"])
    """What it is, for tables and filters: emission, removal, energy, capacity, activity."""
    floor: float | None = Field(default=None, examples=["63000"])
    """Level it cannot fall below in any year of the plan, such as must-run power [unit of the quantity]."""
    floor_scope: Literal["province", "city"] = Field(default="province", examples=["province"])
    """Whether the floor holds for the sum of all cities or in every city; always summed over sectors."""


class Measure(Sourced):
    """Something that can be built or done, counted in a physical unit."""

    table: ClassVar[str] = "measures"
    key: ClassVar[Many] = ("measure",)
    references: ClassVar[Mapping[str, str]] = {"sector": "sectors", "departments": "departments"}
    header: ClassVar[Many] = ("ramp",)
    needed: ClassVar[bool] = True

    measure: Id = Field(examples=["pv_utility"])
    """Id of the measure."""
    name_zh: Text = Field(examples=["集中式光伏"])
    """Name in Chinese."""
    name_en: Text = Field(examples=["Utility-scale PV"])
    """Name in English."""
    sector: Ref = Field(examples=["energy"])
    """Sector in which its direct effects and its money are booked."""
    unit: Text = Field(examples=["MW"])
    """Physical unit that starts, stock and potential are counted in; free text."""
    capex: Amount = Field(examples=["3600000"])
    """Capital cost of one unit, taken at its start year [currency per unit]."""
    fixed_om: float = Field(examples=["50000"])
    """Yearly running cost of one unit in service; negative is a saving [currency per unit and year]."""
    lifetime: int = Field(ge=1, le=200, examples=["25"])
    """Years in service [years]."""
    lead_time: Years = Field(examples=["1"])
    """Years from the start of construction to service [years]."""
    ramp: float = Field(default=1.0, gt=0, le=1, examples=["0.15"])
    """Most starts in one year as a share of the potential of the last year [1/yr]."""
    first_year: Year | None = Field(default=None, examples=["2023"])
    """First year in which it can be started; blank: the first year of the plan."""
    lump: float | None = Field(default=None, gt=0, examples=["600"])
    """Size in which it comes, such as one plant; blank: any amount [unit of the measure]."""
    clause: Many = Field(default=(), examples=["6;19"])
    """Clauses of the plan that name it."""
    departments: Many = Field(default=(), examples=["EA;DRC"])
    """Responsible departments."""


class MeasureCost(Sourced):
    """Cost of a measure in a year, such as learning; replaces the value in `measures` for all years."""

    table: ClassVar[str] = "measure_costs"
    key: ClassVar[Many] = ("measure", "year")
    references: ClassVar[Mapping[str, str]] = {"measure": "measures"}
    header: ClassVar[Many] = ("year",)

    measure: Ref = Field(examples=["pv_utility"])
    """The measure."""
    year: Year | None = Field(default=None, examples=["2030"])
    """Start year of capex, calendar year of fixed_om; linear between, constant outside; blank: every year."""
    capex: Amount | None = Field(default=None, examples=["2500000"])
    """Capital cost; blank leaves the capital cost alone [currency per unit]."""
    fixed_om: float | None = Field(default=None, examples=["45000"])
    """Yearly running cost; blank leaves the running cost alone [currency per unit and year]."""


class Effect(Sourced):
    """Change of a quantity per unit of stock in service and year."""

    table: ClassVar[str] = "effects"
    key: ClassVar[Many] = ("measure", "quantity", "city", "year")
    references: ClassVar[Mapping[str, str]] = {"measure": "measures", "quantity": "quantities", "city": "cities"}

    measure: Ref = Field(examples=["kiln_scr"])
    """The measure."""
    quantity: Ref = Field(examples=["nox"])
    """The quantity that changes, in the measure's sector."""
    value: float = Field(examples=["-0.6"])
    """Change per unit of stock; a cut is negative [unit of the row per unit of the measure and year]."""
    city: Ref | None = Field(default=None, examples=["nanchang"])
    """City it holds in; blank: all cities without rows of their own."""
    year: Year | None = Field(default=None, examples=["2030"])
    """Calendar year; linear between dated rows, constant outside; blank: every year."""
    unit: Text | None = Field(default=None, examples=["t"])
    """Unit of the value when it is not the quantity's; converted or refused."""


class Potential(Sourced):
    """The most stock a city can have."""

    table: ClassVar[str] = "potentials"
    key: ClassVar[Many] = ("measure", "city", "year")
    references: ClassVar[Mapping[str, str]] = {"measure": "measures", "city": "cities"}
    needed: ClassVar[bool] = True

    measure: Ref = Field(examples=["pv_utility"])
    """The measure."""
    city: Ref = Field(examples=["nanchang"])
    """The city; a city without a row cannot have the measure."""
    potential: Amount = Field(examples=["1890"])
    """Most stock in service [unit of the measure]."""
    year: Year | None = Field(default=None, examples=["2030"])
    """Calendar year; linear between dated rows, constant outside; blank: every year."""


class Existing(Sourced):
    """Stock that was commissioned in a year: history, or already under way."""

    table: ClassVar[str] = "existing"
    key: ClassVar[Many] = ("measure", "city", "year", "fund")
    references: ClassVar[Mapping[str, str]] = {"measure": "measures", "city": "cities", "fund": "funds"}

    measure: Ref = Field(examples=["pv_utility"])
    """The measure."""
    city: Ref = Field(examples=["nanchang"])
    """The city."""
    year: Year = Field(examples=["2021"])
    """First year in service."""
    units: Amount = Field(examples=["30"])
    """Stock commissioned [unit of the measure]."""
    capex: Amount | None = Field(default=None, examples=["3400000"])
    """Capital cost of one unit; blank: the measure's of its start year [currency per unit]."""
    fund: Ref | None = Field(default=None, examples=["central"])
    """Fund that paid for this row; blank: paid from the pool, as the plan chooses."""


class Baseline(Sourced):
    """Level of a quantity with no new measures."""

    table: ClassVar[str] = "baseline"
    key: ClassVar[Many] = ("quantity", "city", "sector", "year")
    references: ClassVar[Mapping[str, str]] = {"quantity": "quantities", "city": "cities", "sector": "sectors"}
    header: ClassVar[Many] = ("city", "year")
    needed: ClassVar[bool] = True

    quantity: Ref = Field(examples=["nox"])
    """The quantity."""
    city: Ref | None = Field(default=None, examples=["nanchang"])
    """The city; blank: held by no city, counts for the province only."""
    sector: Ref = Field(examples=["industry"])
    """The sector."""
    year: Year | None = Field(default=None, examples=["2025"])
    """The year; linear between dated rows, constant outside; blank: every year."""
    value: float = Field(examples=["2137.5"])
    """Level in the year [unit of the row per year]."""
    unit: Text | None = Field(default=None, examples=["t"])
    """Unit of the value when it is not the quantity's; converted or refused."""


class Driver(Sourced):
    """Path of something quantities are divided by, such as output or population."""

    table: ClassVar[str] = "drivers"
    key: ClassVar[Many] = ("driver", "city", "year")
    references: ClassVar[Mapping[str, str]] = {"city": "cities"}
    header: ClassVar[Many] = ("year",)

    driver: Id = Field(examples=["gdp"])
    """Id of the driver."""
    year: Year | None = Field(default=None, examples=["2025"])
    """The year; linear between dated rows, constant outside; blank: every year."""
    value: float = Field(gt=0, examples=["1.3"])
    """Level in the year; any unit, only ratios count."""
    city: Ref | None = Field(default=None, examples=["nanchang"])
    """The city; blank: the province."""


class Conversion(Sourced):
    """How a change of one quantity drives another."""

    table: ClassVar[str] = "conversions"
    key: ClassVar[Many] = ("from_quantity", "to_quantity", "to_sector", "allocation", "year")
    references: ClassVar[Mapping[str, str]] = {
        "from_quantity": "quantities",
        "to_quantity": "quantities",
        "to_sector": "sectors",
        "allocation": "allocations",
    }

    from_quantity: Ref = Field(examples=["coal"])
    """Quantity whose change drives."""
    to_quantity: Ref = Field(examples=["co2"])
    """Quantity that is driven."""
    factor: float = Field(examples=["2.66"])
    """Change of the driven quantity per change of the driving one [unit of to_quantity per unit of from_quantity]."""
    to_sector: Ref | None = Field(default=None, examples=["energy"])
    """Sector in which it is booked; blank: the sector of the change."""
    allocation: Ref | None = Field(default=None, examples=["coal_plants"])
    """Key that spreads the sum of all cities over the cities (pooled); blank: it stays in its city (local)."""
    year: Year | None = Field(default=None, examples=["2030"])
    """Calendar year; linear between dated rows, constant outside; blank: every year."""


class Allocation(Sourced):
    """Share of a city in a pooled conversion."""

    table: ClassVar[str] = "allocations"
    key: ClassVar[Many] = ("allocation", "city")
    references: ClassVar[Mapping[str, str]] = {"city": "cities"}

    allocation: Id = Field(examples=["coal_plants"])
    """Id of the allocation key."""
    city: Ref = Field(examples=["nanchang"])
    """The city."""
    share: float = Field(ge=0, le=1, examples=["0.0727"])
    """Share of the city; the shares of a key add up to 1 [-]."""


class Price(Sourced):
    """Price of a quantity; it counts on the change against the baseline."""

    table: ClassVar[str] = "prices"
    key: ClassVar[Many] = ("quantity", "component", "year")
    references: ClassVar[Mapping[str, str]] = {"quantity": "quantities"}

    quantity: Ref = Field(examples=["coal"])
    """The quantity."""
    component: Literal["market", "tax", "carbon", "damage"] = Field(examples=["market"])
    """Part of the price; the perspective says which parts count, and they add up."""
    price: float = Field(examples=["1050000"])
    """Price [currency per unit of the quantity]."""
    year: Year | None = Field(default=None, examples=["2025"])
    """Calendar year; linear between dated rows, constant outside; blank: every year."""


GROUP_COLUMNS: Many = ("kind", "cap", "free", "quantity", "loss", "scope", "city", "on")
"""Columns of `groups` that belong to the group and repeat on its rows (per year, where rows have one)."""
GROUP_FORBIDS: Mapping[str, Many] = {
    "shared": ("ratio", "free", "quantity", "loss"),
    "requires": ("cap", "quantity", "loss"),
    "overlap": ("weight", "cap", "ratio", "free", "on"),
}
GROUP_ROLES: Mapping[str, Many] = {
    "shared": ("member",),
    "requires": ("dependent", "provider"),
    "overlap": ("member",),
}


class Group(Sourced):
    """A measure in a group that ties measures together: one base shared, one needing another, effects that overlap."""

    table: ClassVar[str] = "groups"
    key: ClassVar[Many] = ("group", "measure", "role", "year")
    references: ClassVar[Mapping[str, str]] = {"measure": "measures", "city": "cities", "quantity": "quantities"}

    group: Id = Field(examples=["kiln_base"])
    """Id of the group."""
    kind: Literal["shared", "requires", "overlap"] = Field(examples=["shared"])
    """shared: stock within a cap. requires: dependents need providers. overlap: the common part of two abates less."""
    measure: Ref = Field(examples=["kiln_scr"])
    """A measure of the group; one without potential in a city drops out there."""
    role: Literal["member", "dependent", "provider"] = Field(default="member", examples=["member"])
    """member in shared and overlap; dependent or provider in requires."""
    weight: Amount | None = Field(default=None, examples=["1"])
    """How much one unit takes; blank: 1, or with a blank cap 1 / potential [per unit of the measure]."""
    cap: Amount | None = Field(default=None, examples=["1578.3"])
    """shared: the base they compete for; blank: shares of one base that add up to 1 at most [weight x unit]."""
    ratio: Amount = Field(default=1.0, examples=["1"])
    """requires: what one unit of a provider serves [weight x unit]."""
    free: Amount = Field(default=0.0, examples=["20"])
    """requires: what dependents may have without provider [weight x unit]."""
    quantity: Ref | None = Field(default=None, examples=["nox"])
    """overlap: the quantity that is abated less."""
    loss: float | None = Field(default=None, examples=["750"])
    """overlap: what is lost when both have the whole base; positive for an emission [unit of the quantity per year]."""
    scope: Literal["city", "province"] = Field(default="city", examples=["city"])
    """Whether it holds in every city or for the sum of all."""
    city: Ref | None = Field(default=None, examples=["nanchang"])
    """The one city it holds in; blank: all."""
    year: Year | None = Field(default=None, examples=["2030"])
    """Calendar year of weight, cap, ratio, free and loss; linear between dated rows; blank: every year."""
    on: Literal["stock", "starts"] = Field(default="stock", examples=["stock"])
    """What is compared: stock in service, or starts of the same year."""

    @model_validator(mode="before")
    @classmethod
    def _combination(cls, cells: Any) -> Any:
        if not isinstance(cells, dict) or cells.get("kind") not in GROUP_ROLES:
            return cells
        kind, role = cells["kind"], cells.get("role")
        allowed = GROUP_ROLES[kind]
        if role is None and kind == "requires":
            raise _refuse("group_role", "role", found="", kind=kind, expected=", ".join(allowed))
        if role is not None and role not in allowed:
            raise _refuse("group_role", "role", found=role, kind=kind, expected=", ".join(allowed))
        for column in GROUP_FORBIDS[kind]:
            if cells.get(column) is not None and not (column == "on" and cells[column] == "stock"):
                raise _refuse("group_column", column, found=cells[column], kind=kind)
        if role == "provider" and cells.get("weight") is not None:
            raise _refuse("group_member_column", "weight", found=cells["weight"], role=role)
        if role == "dependent" and cells.get("ratio") is not None:
            raise _refuse("group_member_column", "ratio", found=cells["ratio"], role=role)
        if kind == "overlap":
            for column in ("quantity", "loss"):
                if cells.get(column) is None:
                    raise _refuse("group_needs", column, kind=kind)
            if cells.get("scope") == PROVINCE:
                raise _refuse("overlap_scope", "scope", found=PROVINCE)
        if kind == "shared" and cells.get("cap") is None:
            if cells.get("weight") is not None:
                raise _refuse("cap_blank_weight", "weight", found=cells["weight"])
            if cells.get("scope") == PROVINCE:
                raise _refuse("cap_blank_scope", "scope", found=PROVINCE)
            if cells.get("on") == "starts":
                raise _refuse("cap_blank_starts", "on", found="starts")
        if cells.get("scope") == PROVINCE and cells.get("city") is not None:
            raise _refuse("group_scope_city", "city", found=cells["city"])
        return cells


class Fund(Sourced):
    """Where money comes from."""

    table: ClassVar[str] = "funds"
    key: ClassVar[Many] = ("fund",)

    fund: Id = Field(examples=["central"])
    """Id of the fund."""
    name_zh: Text = Field(examples=["中央资金"])
    """Name in Chinese."""
    name_en: Text = Field(examples=["Central funds"])
    """Name in English."""


class FundRule(Sourced):
    """The most a fund pays of the capital cost of a sector, or of one measure."""

    table: ClassVar[str] = "fund_rules"
    key: ClassVar[Many] = ("fund", "sector", "measure")
    references: ClassVar[Mapping[str, str]] = {"fund": "funds", "sector": "sectors", "measure": "measures"}

    fund: Ref = Field(examples=["central"])
    """The fund."""
    sector: Ref = Field(examples=["steel"])
    """The sector."""
    measure: Ref | None = Field(default=None, examples=["kiln_scr"])
    """A measure of the sector with a rule of its own; it leaves the pool of its sector. Blank: the sector's rule."""
    max_share: float = Field(ge=0, le=1, examples=["0.15"])
    """Largest share of the capital cost the fund pays [-]."""


TargetKind = Literal["level", "change", "abated", "share", "intensity", "cumulative", "peak"]
TARGET_FORBIDS: Mapping[str, Many] = {
    "level": ("of", "by", "decline"),
    "change": ("of", "by", "decline"),
    "abated": ("of", "by", "decline"),
    "share": ("by", "decline"),
    "intensity": ("by", "decline"),
    "cumulative": ("of", "by", "decline"),
    "peak": ("of", "first_year", "last_year"),
}
TARGET_NEEDS: Mapping[str, Many] = {
    "level": ("sense", "value"),
    "change": ("sense", "value"),
    "abated": ("value",),
    "share": ("sense", "value", "of"),
    "intensity": ("value", "of"),
    "cumulative": ("sense", "value"),
    "peak": ("by",),
}
LARGEST_SHARE = 1.5


class Target(Sourced):
    """A bound on quantities that the plan must keep."""

    table: ClassVar[str] = "targets"
    key: ClassVar[Many] = ("target",)
    references: ClassVar[Mapping[str, str]] = {"sectors": "sectors"}
    header: ClassVar[Many] = ("sense", "value")

    target: Id = Field(examples=["nox_change"])
    """Id of the target."""
    kind: TargetKind = Field(examples=["change"])
    """level, change, abated, share, intensity, cumulative or peak: see the design for the formula of each."""
    quantity: str = Field(examples=["nox"])
    """The quantity; level and cumulative also take `capex`, `cost` and `fund:<id>`: nominal money of the year."""
    sense: Literal["<=", ">="] | None = Field(default=None, examples=["<="])
    """Direction. May be blank for abated (>=), intensity and peak (<=)."""
    value: float | None = Field(default=None, examples=["-0.18"])
    """The bound: level, abated, cumulative, peak in units of the quantity; change, share, intensity as fractions."""
    of: Ref | None = Field(default=None, examples=["gdp"])
    """share: the whole that the quantity is a part of. intensity: the driver it is divided by."""
    scope: Ref = Field(default=PROVINCE, examples=["province"])
    """province, a city, or a group of cities."""
    sectors: Many = Field(default=(), examples=["industry;transport"])
    """Sectors that count; blank: all. In a share they narrow the numerator only."""
    first_year: Year | None = Field(default=None, examples=["2025"])
    """First year it holds in; blank: the first year of the plan."""
    last_year: Year | None = Field(default=None, examples=["2030"])
    """Last year it holds in; blank: the last year of the plan."""
    per: Literal["year", "span"] = Field(default="year", examples=["year"])
    """year: it holds in every year; span (abated only): the sum over the years."""
    by: Year | None = Field(default=None, examples=["2030"])
    """peak: no year after this one may be above the year before."""
    decline: float = Field(default=0.0, ge=0, lt=1, examples=["0.005"])
    """peak: yearly fall from then on, as a fraction [1/yr]."""
    soft_penalty: Amount | None = Field(default=None, examples=["60000"])
    """What one unit missed in one year costs; blank: it must be kept [currency per unit of the quantity and year]."""
    priority: int | None = Field(default=None, ge=0, le=1000, examples=["1"])
    """Order of the stages of a best-effort plan: small numbers first; nothing else depends on it."""
    clause: Many = Field(default=(), examples=["13"])
    """Clauses of the plan that ask for it."""
    name_zh: str | None = Field(default=None, examples=["氮氧化物下降30%"])
    """Name in Chinese."""
    name_en: str | None = Field(default=None, examples=["NOx 30 % below 2020"])
    """Name in English."""

    @model_validator(mode="before")
    @classmethod
    def _combination(cls, cells: Any) -> Any:
        if not isinstance(cells, dict) or cells.get("kind") not in TARGET_NEEDS:
            return cells
        kind, sense, value = cells["kind"], cells.get("sense"), cells.get("value")
        for column in TARGET_NEEDS[kind]:
            if cells.get(column) is None:
                raise _refuse("target_needs", column, kind=kind)
        for column in TARGET_FORBIDS[kind]:
            if cells.get(column):
                raise _refuse("target_column", column, found=cells[column], kind=kind)
        if cells.get("per") == "span" and kind != "abated":
            raise _refuse("target_span", "per", found="span", kind=kind)
        usual = {"abated": ">=", "intensity": "<=", "peak": "<="}.get(kind)
        if kind in ("abated", "peak") and sense not in (None, usual):
            raise _refuse("target_sense", "sense", found=sense, kind=kind, expected=usual)
        if isinstance(value, int | float):
            if kind in ("change", "intensity") and value < -1:
                raise _refuse("cut_above_all", "value", found=value, kind=kind)
            if kind == "share" and not 0 <= value <= LARGEST_SHARE:
                raise _refuse("share_range", "value", found=value)
        if is_money(str(cells.get("quantity"))) and kind not in ("level", "cumulative"):
            raise _refuse("money_target_kind", "kind", found=kind, quantity=cells["quantity"])
        return {**cells, "sense": usual} if sense is None else cells


BUDGET_COLUMNS: Many = ("fund", "scope", "sectors", "first_year", "last_year", "per", "carry_over")
"""Columns of `budgets` that belong to the budget and repeat on its yearly rows."""


class Budget(Sourced):
    """A limit on money; several rows with one id and a year give the yearly limits of one budget."""

    table: ClassVar[str] = "budgets"
    key: ClassVar[Many] = ("budget", "year")
    references: ClassVar[Mapping[str, str]] = {"fund": "funds", "sectors": "sectors"}

    budget: Id = Field(examples=["central_year"])
    """Id of the budget."""
    limit: Amount = Field(examples=["1000000000"])
    """Most money that may be spent [currency]."""
    fund: Many = Field(default=(), examples=["central;provincial"])
    """Funds whose spending counts; blank: all capital spending."""
    scope: Ref = Field(default=PROVINCE, examples=["nanchang"])
    """province, a city, or a group of cities."""
    sectors: Many = Field(default=(), examples=["steel;industry"])
    """Sectors that count; blank: all."""
    first_year: Year | None = Field(default=None, examples=["2021"])
    """First year it holds in; blank: the first year of the plan."""
    last_year: Year | None = Field(default=None, examples=["2025"])
    """Last year it holds in; blank: the last year of the plan."""
    per: Literal["year", "span"] = Field(default="year", examples=["year"])
    """year: the limit of each year; span: of all years together."""
    carry_over: bool = Field(default=False, examples=["yes"])
    """yes: unspent money moves on to later years."""
    year: Year | None = Field(default=None, examples=["2025"])
    """Year of this limit; linear between dated rows, constant outside; blank: every year."""
    name_zh: str | None = Field(default=None, examples=["中央资金年度上限"])
    """Name in Chinese."""
    name_en: str | None = Field(default=None, examples=["Central funds, per year"])
    """Name in English."""

    @model_validator(mode="before")
    @classmethod
    def _combination(cls, cells: Any) -> Any:
        if isinstance(cells, dict) and cells.get("per") == "span":
            if cells.get("carry_over"):
                raise _refuse("span_carry_over", "carry_over", found="yes")
            if cells.get("year") is not None:
                raise _refuse("span_year", "year", found=cells["year"])
        return cells


class Pin(Sourced):
    """A wish of the people in the room: starts or stock forced, banned or frozen."""

    table: ClassVar[str] = "pins"
    key: ClassVar[Many] = ("pin",)
    references: ClassVar[Mapping[str, str]] = {"measure": "measures", "city": "cities"}

    pin: Id = Field(examples=["first_buses"])
    """Id of the pin."""
    measure: Ref = Field(examples=["ebus"])
    """The measure."""
    city: Ref | None = Field(default=None, examples=["harbor"])
    """The city; blank: the sum of all cities."""
    first_year: Year | None = Field(default=None, examples=["2023"])
    """First year it holds in; blank: the first year of the plan."""
    last_year: Year | None = Field(default=None, examples=["2023"])
    """Last year it holds in; blank: the last year of the plan."""
    on: Literal["starts", "stock"] = Field(default="starts", examples=["starts"])
    """What is bound in each of the years."""
    min: Amount | None = Field(default=None, examples=["2"])
    """Least amount; blank: none [unit of the measure]."""
    max: Amount | None = Field(default=None, examples=["0"])
    """Largest amount; blank: none [unit of the measure]."""

    @model_validator(mode="before")
    @classmethod
    def _combination(cls, cells: Any) -> Any:
        if isinstance(cells, dict):
            least, most = cells.get("min"), cells.get("max")
            if least is None and most is None:
                raise _refuse("pin_empty", "min")
            if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
                raise _refuse("pin_order", "min", found=least, expected=most)
        return cells


class Source(Row):
    """A document or data set that rows name in their `source` column."""

    table: ClassVar[str] = "sources"
    key: ClassVar[Many] = ("source",)
    header: ClassVar[Many] = ("publisher", "year", "where")

    source: Id = Field(examples=["plan2022"])
    """Id of the source."""
    title: Text = Field(examples=["江西省减污降碳协同增效实施方案"])
    """Title."""
    publisher: str | None = Field(default=None, examples=["江西省生态环境厅"])
    """Who published it."""
    year: str | None = Field(default=None, examples=["2022"])
    """When; free text, such as 2018-2021."""
    where: str | None = Field(default=None, examples=["https://www.jiangxi.gov.cn"])
    """Where it can be found."""
    verified: str | None = Field(default=None, examples=["full text read"])
    """How it was checked."""
    licence: str | None = Field(default=None, examples=["CC BY 4.0"])
    """Terms of use."""


TABLES: dict[str, type[Row]] = {
    row.table: row
    for row in (
        City,
        CityGroup,
        Sector,
        Department,
        Quantity,
        Measure,
        MeasureCost,
        Effect,
        Potential,
        Existing,
        Baseline,
        Driver,
        Conversion,
        Allocation,
        Price,
        Group,
        Fund,
        FundRule,
        Target,
        Budget,
        Pin,
        Source,
    )
}
"""Row class of every table, in the order in which cases/README.md explains them."""
