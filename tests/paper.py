"""A report read back from its page: every number in its tables and paragraphs against the frames of the plan."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from html.parser import HTMLParser

import pandas as pd

from planner.credit import EQUIVALENTS, cost_curve, credit
from planner.highlights import budget_use, key_years, levels, main_quantity, net_cost, penalties, tightest
from planner.plan import Plan
from planner.report.weight import weights
from planner.units import factor as converted
from planner.words import Words
from planner.worklist import tasks

NUMBER = re.compile(r"-?\d(?:[\d,]*\d)?(?:\.\d+)?")
EQUIVALENT = 1e6
"""Pollution equivalents are shown in millions."""


class Reader(HTMLParser):
    """Tables by id, texts of paragraphs, the headline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.facts: list[str] = []
        self.texts: list[str] = []
        self.table = ""
        self.tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = tag
        if tag == "table":
            self.table = str(dict(attrs)["id"])
            self.tables[self.table] = []
        elif tag == "tr":
            self.tables[self.table].append([])
        elif tag in ("td", "th"):
            self.tables[self.table][-1].append("")
        elif tag == "p":
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.tag in ("td", "th"):
            self.tables[self.table][-1][-1] += data
        elif self.tag == "b":
            self.facts.append(data)
        elif self.tag == "p":
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.tag = ""


def value(text: str) -> float:
    """A shown number."""
    return float(text.replace(",", "").replace("−", "-").replace("+", "").replace("%", "").strip("≤≥ "))


def near(shown: str, exact: float) -> bool:
    """Whether a shown number is the exact one, rounded to its own decimals."""
    decimals = len(shown.split(".")[1].rstrip("% ")) if "." in shown else 0
    return abs(value(shown) - exact) <= 0.5000001 * 10.0**-decimals + 1e-9 * abs(exact)


def all_near(shown: Iterable[str], exact: Iterable[float]) -> bool:
    """Whether all shown numbers are the exact ones, and as many."""
    return all(near(a, b) for a, b in zip(shown, exact, strict=True))


class Check:
    """A plan against reports of it; what is worked out from its frames serves every language."""

    words: Words
    read: Reader

    def __init__(self, plan: Plan) -> None:
        assert plan.case is not None
        self.plan, self.case, self.last = plan, plan.case, plan.case.settings.last_year
        self.quantity = main_quantity(plan.case) or ""
        self.told = credit(plan)
        self.started = plan.portfolio[plan.portfolio["starts"] > 0]

    @cached_property
    def tasks(self) -> pd.DataFrame:
        """All tasks, existing stock included."""
        return tasks(self.plan, quantities=[])

    @cached_property
    def boxes(self) -> pd.DataFrame:
        """What each measure abates and costs in the last year."""
        found = cost_curve(self.plan, self.quantity, self.last, self.told)
        return found.groupby("measure")[["abated", "cost"]].sum()

    @cached_property
    def weights(self) -> pd.DataFrame:
        """The heaviest assumptions."""
        return weights(self.case, self.plan).head(12)

    def everything(self, words: Words, read: Reader) -> None:
        """The headline, the summary, and every table there is: a table that nobody checks is a fault."""
        self.words, self.read = words, read
        self.factor, self.unit = words.money.factor, words.unit("quantities", self.quantity).factor
        self.headline()
        self.summary()
        for name in read.tables:
            check: Callable[[], None] = getattr(self, f"table_{name}")
            check()

    def ids(self, table: str) -> dict[str, str]:
        """Ids by name."""
        return {self.words.name(table, str(row.ids()[0])): str(row.ids()[0]) for row in self.case.rows(table)}

    def rows(self, table: str) -> list[list[str]]:
        """Rows of a table without its head."""
        return self.read.tables[table][1:]

    # Headline and summary --------------------------------------------------------------------------------------------

    def headline(self) -> None:
        path = levels(self.plan)
        path = path[path["quantity"] == self.quantity].set_index("year")["planned"] * self.unit
        rows = tightest(self.plan)
        facts = self.read.facts
        assert all_near(
            facts[:2], [net_cost(self.plan) * self.factor, self.plan.portfolio["capex"].sum() * self.factor]
        )
        assert facts[2] == f"{int((rows['missed'] == 0).sum())}/{len(rows)}"
        assert all_near(facts[3:], [path.max(), path[self.last]])

    def summary(self) -> None:
        """The first paragraphs: how much is begun, what it costs, the main path, targets kept and missed."""
        s, plan = self.case.settings, self.plan
        texts = [text for text in self.read.texts if NUMBER.search(text)]
        at = next(i for i, text in enumerate(texts) if self.words.money.name in text)
        what, money, path, kept = texts[at - 1 : at + 3]
        begun = int((plan.measures["starts"] > 0).sum())
        sizes = {len(self.case.measures), begun, len(self.case.cities), len(self.case.sectors)}
        assert {int(n) for n in NUMBER.findall(what.replace("-", " "))} == sizes | {s.first_year, s.last_year}
        cost = plan.costs.groupby("item")["discounted"].sum() * self.factor
        exact = [
            *(plan.portfolio["capex"].sum() * self.factor, cost["annuity"], cost["fixed_om"], -cost["price"]),
            abs(net_cost(plan) * self.factor),
        ]
        if penalties(plan):
            exact += [penalties(plan) * self.factor, (net_cost(plan) + penalties(plan)) * self.factor]
        assert all_near([n for n in NUMBER.findall(money) if n != str(s.base_year)], exact)
        of = levels(plan)
        of = of[of["quantity"] == self.quantity].set_index("year")[["baseline", "planned"]]
        top = int(of["planned"].idxmax())
        change = abs(100 * (of["planned"][self.last] / of["baseline"][self.last] - 1))
        shown = NUMBER.findall(path.replace(self.words.quantity(self.quantity), ""))
        years, ends = (
            {s.first_year, top, self.last},
            {of["planned"][y] * self.unit for y in (s.first_year, top, self.last)},
        )
        assert years <= {value(n) for n in shown}
        assert all(any(near(n, end) for n in shown) for end in [*ends, change])
        assert len(shown) == 7
        rows = tightest(plan)
        missed = int((rows["missed"] > 0).sum())
        counts = [len(rows), len(rows) - missed, int(((rows["binding"] > 0) & (rows["missed"] == 0)).sum()), missed]
        assert sorted(int(n) for n in NUMBER.findall(kept)) == sorted(counts)

    # Tables ----------------------------------------------------------------------------------------------------------

    def table_targets(self) -> None:
        frame = tightest(self.plan)
        of = {row.target: row for row in self.case.targets}
        rows = self.rows("targets")
        assert len(rows) == len(frame) == len(of)
        for row, (_, line) in zip(rows, frame.iterrows(), strict=True):
            factor = self.words.unit("quantities", of[line["target"]].quantity).factor
            assert row[0].startswith(self.words.name("targets", line["target"]))
            assert row[2] == str(line["year"])
            assert all_near(row[3:6], [line[column] * factor for column in ("bound", "achieved", "slack")]), row
            state = "missed" if line["missed"] > 0 else "exact" if line["binding"] else "kept"
            assert row[7] == self.words.t(f"report.state_{state}")

    def table_levels(self) -> None:
        planned = levels(self.plan).set_index(["quantity", "year"])
        years = key_years(self.case, self.quantity)
        names = self.ids("quantities")
        assert self.read.tables["levels"][0][2:-1] == [str(year) for year in years]
        for row in self.rows("levels"):
            factor = self.words.unit("quantities", names[row[0]]).factor
            exact = [planned.loc[(names[row[0]], year), "planned"] * factor for year in years]
            exact.append(planned.loc[(names[row[0]], self.last), "baseline"] * factor)
            assert all_near(row[2:], exact), row

    def table_joint(self) -> None:
        """Cuts, equivalents and elasticity of sectors, from the credits and baselines alone."""
        planned = self.told[self.told["part"] == "planned"]
        sums = -planned.groupby(["sector", "quantity"])["value"].sum()
        base = self.plan.quantities.groupby("quantity")["baseline"].sum()
        mass = {
            row.quantity: converted(row.unit, "kg") / EQUIVALENTS[row.quantity]
            for row in self.case.quantities
            if row.quantity in EQUIVALENTS
        }
        names = self.ids("sectors")
        for name, cut, equivalents, elasticity, _ in self.rows("joint"):
            sector = names[name]
            carbon = sums.get((sector, self.quantity), 0.0)
            both = sum(sums.get((sector, q), 0.0) * by for q, by in mass.items())
            assert near(cut, carbon * self.unit)
            assert near(equivalents, both / EQUIVALENT)
            whole = sum(base.get(q, 0.0) * by for q, by in mass.items())
            if elasticity:
                assert near(elasticity, (both / whole) / (carbon / base[self.quantity]))

    def table_by_sector(self) -> None:
        self.sums("by_sector", "sector", "sectors")

    def table_by_city(self) -> None:
        self.sums("by_city", "city", "cities")

    def sums(self, table: str, column: str, rows: str) -> None:
        """Measures, capital, share, own cost and cut by sector or city."""
        sectors = {row.measure: row.sector for row in self.case.measures}
        held = self.plan.portfolio.assign(sector=self.plan.portfolio["measure"].map(sectors))
        told = self.told
        cuts = told[(told["year"] == self.last) & (told["quantity"] == self.quantity) & (told["part"] == "planned")]
        own = self.plan.costs[self.plan.costs["item"].isin(["annuity", "fixed_om"])]
        ids = self.ids(rows)
        for label, count, capex, share, cost, cut, part in self.rows(table):
            chosen = list(ids.values()) if label == self.words.t("report.total") else [ids[label]]
            here = held[held[column].isin(chosen)]
            brought = cuts[cuts[column].isin(chosen)]["value"].sum()
            assert int(count) == here[here["starts"] > 0]["measure"].nunique()
            assert near(capex, here["capex"].sum() * self.factor)
            assert near(share, 100 * here["capex"].sum() / held["capex"].sum())
            assert near(cost, own[own[column].isin(chosen)]["discounted"].sum() * self.factor)
            assert near(cut, -brought * self.unit)
            assert near(part, 100 * brought / cuts["value"].sum())

    def table_by_department(self) -> None:
        frame = self.tasks
        names = self.ids("departments") | {self.words.t("tasks.no_department"): ""}
        columns = ["capex", *(f"fund:{row.fund}" for row in self.case.funds)]
        for name, count, *money in self.rows("by_department"):
            here = frame if name == self.words.t("report.total") else frame[frame["lead"] == names[name]]
            assert int(count) == (here["part"] == "planned").sum()
            assert all_near(money, here[columns].sum() * self.factor), name

    def table_largest(self) -> None:
        names = self.ids("measures")
        sums = self.plan.portfolio.groupby("measure")[["starts", "capex"]].sum()
        rows = self.rows("largest")
        top = self.plan.measures[self.plan.measures["starts"] > 0].sort_values("capex", ascending=False, kind="stable")
        assert [names[row[0]] for row in rows] == top["measure"].head(25).tolist()
        for row in rows:
            measure = names[row[0]]
            assert near(row[2], sums.loc[measure, "starts"] * self.words.unit("measures", measure).factor)
            years = self.started.loc[self.started["measure"] == measure, "year"]
            first, last = years.min(), years.max()
            assert row[4] == (f"{first}-{last}" if last > first else str(first))
            assert near(row[6], sums.loc[measure, "capex"] * self.factor)

    def table_next(self) -> None:
        names = self.ids("measures")
        starts = self.plan.portfolio.groupby(["measure", "year"])["starts"].sum()
        for row in self.rows("next"):
            unit = self.words.unit("measures", names[row[0]]).factor
            for cell, year in zip(row[2:], self.read.tables["next"][0][2:], strict=True):
                exact = starts.get((names[row[0]], int(year)), 0.0) * unit
                assert near(cell, exact) if cell != "—" else exact == 0

    def table_paid(self) -> None:
        paid = self.plan.funds.groupby(["fund", "year"])["paid"].sum() * self.factor
        funds = self.ids("funds")
        spans = [tuple(map(int, head.split("-"))) for head in self.read.tables["paid"][0][1:-2]]
        assert [year for a, b in spans for year in range(a, b + 1)] == list(self.case.years)
        for row in self.rows("paid"):
            chosen = list(funds.values()) if row[0] == self.words.t("report.total") else [funds[row[0]]]
            of = paid[paid.index.get_level_values("fund").isin(chosen)].groupby("year").sum()
            exact = [*(of[(of.index >= a) & (of.index <= b)].sum() for a, b in spans), of.sum()]
            assert all_near(row[1:-1], exact)
            assert near(row[-1], 100 * of.sum() / paid.sum())

    def table_budgets(self) -> None:
        use = budget_use(self.plan, [row.budget for row in self.case.budgets if row.carry_over])
        for row, (_, line) in zip(self.rows("budgets"), use.iterrows(), strict=True):
            assert all_near(row[1:4], line[["limit", "spent", "slack"]] * self.factor)
            assert near(row[4], line["price"]) if row[4] else not line["price"] > 0

    def table_curve(self) -> None:
        """The widest boxes: what a measure abates in the last year in all cities, and its cost for that."""
        names = self.ids("measures")
        of = self.boxes
        priced = self.words.price(self.quantity).factor
        rows = self.rows("curve")
        assert {names[row[0]] for row in rows} == set(of["abated"].nlargest(15).index)
        for row in rows:
            line = of.loc[names[row[0]]]
            assert near(row[2], line["abated"] * self.unit)
            assert near(row[3], line["cost"] / line["abated"] * priced), row

    def table_weight(self) -> None:
        found = self.weights
        tables = {"annuity": "measures", "fixed_om": "measures", "price": "quantities", "target": "targets"}
        for row, line in zip(self.rows("weight"), found.itertuples(), strict=True):
            assert row[0].endswith(self.words.name(tables[str(line.item)], str(line.id)))
            assert row[1] == (line.grade or "—")
            assert near(row[2], float(str(line.change)) * self.factor)

    def table_grades(self) -> None:
        told = self.plan.summary["grades"]
        for row, of in zip(self.rows("grades"), told, strict=True):
            assert row[1] == str(of["year"] or "")
            shown = [of[grade] for grade in ("A", "B", "C", "none")][: len(row) - 2]
            for cell, share in zip(row[2:], shown, strict=True):
                assert near(cell, 100 * share) if cell != "—" else not share
