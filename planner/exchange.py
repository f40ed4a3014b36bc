"""A plan as tables for other tools: IAMC time series, tidy CSV, Parquet."""

import io
import json
from pathlib import Path

import pandas as pd

from planner.case import Case
from planner.files import escaped
from planner.plan import Plan, csv_text
from planner.saving import write_bytes, write_files

IAMC = ("Model", "Scenario", "Region", "Variable", "Unit")
"""Columns before the years: the format of the Integrated Assessment Modeling Consortium, one row per series."""
MODEL = "measure-planner"
KINDS = {"emission": "Emissions", "removal": "Removals", "energy": "Energy", "capacity": "Capacity"}
"""Head of the variables of a kind of quantity; others stand under Activity."""


def iamc(case: Case, plan: Plan) -> pd.DataFrame:
    """The plan as an IAMC table: one row per model, scenario, region, variable and unit; a column per year.

    Scenarios: the case, and `<case> baseline` without new measures. Regions: the whole area and every city. Variables:
    `Emissions|CO2` and `Emissions|CO2|<sector>` for quantities, `Stock|<measure>`, `Starts|<measure>`,
    `Investment|<sector>`, `Investment|Total`, `Operating and Capital Cost|Total`. Sums over regions and sectors agree:
    what no city holds counts in the whole area only.
    """
    name, whole = case.settings.name, case.settings.title.get("en", case.settings.name)
    region = _unique({row.city: row.name_en for row in case.cities})
    sector = _unique({row.sector: row.name_en for row in case.sectors})
    measure = _unique({row.measure: row.name_en for row in case.measures})
    kinds = {row.quantity: KINDS.get(row.kind or "", "Activity") for row in case.quantities}
    names = _unique({row.quantity: row.name_en for row in case.quantities})
    quantity = {q: f"{kinds[q]}|{names[q]}" for q in names}
    units = {row.quantity: row.unit for row in case.quantities}
    amounts = {row.measure: row.unit for row in case.measures}
    sectors = {row.measure: row.sector for row in case.measures}
    parts: list[pd.DataFrame] = []

    def add(frame: pd.DataFrame, variable: pd.Series, unit: "pd.Series | str", value: str, scenario: str) -> None:
        told = pd.DataFrame({"city": frame["city"], "Variable": variable, "Unit": unit, "year": frame["year"]})
        told["value"], told["Scenario"] = frame[value], scenario
        everywhere = told.assign(Region=_plain(whole))
        own = told[told["city"] != ""]
        parts.extend([everywhere, own.assign(Region=own["city"].map(region))])

    of = plan.quantities
    base = of["quantity"].map(quantity)
    for column, scenario in (("planned", name), ("baseline", f"{name} baseline")):
        unit = of["quantity"].map(units) + "/yr"
        add(of, base, unit, column, scenario)
        add(of, base + "|" + of["sector"].map(sector), unit, column, scenario)
    held = plan.portfolio
    for column in ("stock", "starts"):
        variable = column.capitalize() + "|" + held["measure"].map(measure)
        add(held, variable, held["measure"].map(amounts) + ("/yr" if column == "starts" else ""), column, name)
    money = f"{case.settings.currency}_{case.settings.base_year}/yr"
    spent = held.assign(sector=held["measure"].map(sectors).map(sector))
    add(spent, "Investment|" + spent["sector"], money, "capex", name)
    add(spent, pd.Series("Investment|Total", index=spent.index), money, "capex", name)
    costs = plan.costs[plan.costs["item"] != "penalty"]
    add(costs, pd.Series("Operating and Capital Cost|Total", index=costs.index), money, "value", name)
    long = pd.concat(parts, ignore_index=True)
    wide = long.pivot_table(
        index=["Scenario", "Region", "Variable", "Unit"], columns="year", values="value", aggfunc="sum", sort=False
    )
    wide = wide.reindex(columns=case.years).fillna(0.0).reset_index()
    wide.insert(0, "Model", MODEL)
    wide.columns = [str(column) for column in wide.columns]
    return wide


def _plain(name: str) -> str:
    """A name without the sign that separates the parts of a variable."""
    return escaped(" ".join(name.replace("|", "/").split()))


def _unique(names: dict[str, str]) -> dict[str, str]:
    """Plain names by id; an id is added where two would be the same."""
    plain = {id_: _plain(name) for id_, name in names.items()}
    often = {name for name in plain.values() if list(plain.values()).count(name) > 1}
    return {id_: f"{name} ({id_})" if name in often else name for id_, name in plain.items()}


def write_tables(case: Case, plan: Plan, path: Path, form: str) -> None:
    """Write a plan as `iamc` (one .csv or .xlsx), or its frames as `csv` or `parquet` into a folder, all or nothing."""
    if form == "iamc":
        frame = iamc(case, plan)
        if path.suffix.lower() == ".xlsx":
            data = io.BytesIO()
            frame.to_excel(data, sheet_name="data", index=False)
            write_bytes(path, data.getvalue())
        else:
            write_bytes(path, csv_text(frame).encode())
    elif form == "csv":
        plan.write(path)
    else:
        files = {f"{name}.parquet": frame.to_parquet(index=False) for name, frame in plan.frames().items()}
        files["summary.json"] = json.dumps(plan.summary, ensure_ascii=False, indent=2).encode()
        write_files(path, files)
