"""Reports: every number in them is that of the plan, read back from the written file."""

import io
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from planner import cli
from planner.credit import credit
from planner.engine import Options
from planner.grades import told_grades
from planner.highlights import budget_use, key_years, levels, net_cost, penalties, tightest
from planner.plan import Plan, solve
from planner.report import write_report
from planner.report.content import report
from planner.report.document import Table
from planner.report.html import html
from planner.report.spending import spans
from planner.report.weight import weights
from planner.starter import example
from planner.tables import read_case
from planner.words import Words
from planner.worklist import tasks

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "cases/tutorial"
Tables = dict[str, list[list[str]]]


def planner(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


class Reader(HTMLParser):
    """Tables by id, texts of paragraphs, the headline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: Tables = {}
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
    return float(text.replace(",", "").replace("−", "-").replace("%", "").strip("≤≥ "))


def near(shown: str, exact: float) -> bool:
    """Whether a shown number is the exact one, rounded to its own decimals."""
    decimals = len(shown.split(".")[1].rstrip("% ")) if "." in shown else 0
    return abs(value(shown) - exact) <= 0.5000001 * 10.0**-decimals + 1e-9 * abs(exact)


@pytest.fixture(scope="module")
def plan() -> Plan:
    found = solve(read_case(TUTORIAL))
    assert found.case is not None
    found.summary["grades"] = told_grades(found.case, found)
    return found


@pytest.fixture(scope="module", params=["zh", "en"])
def page(plan: Plan, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Words, Reader]:
    pytest.importorskip("vl_convert")
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert plan.case is not None
    write_report(plan.case, plan, path, "html", request.param)
    text = path.read_text("utf-8")
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=[\"']?https?:", text)
    return Words(request.param, plan.case), Reader(text)


def test_the_headline_is_that_of_the_plan(plan: Plan, page: tuple[Words, Reader]) -> None:
    words, read = page
    factor = words.money.factor
    of = levels(plan)
    carbon = of[of["quantity"] == "co2"].set_index("year")["planned"] * words.unit("quantities", "co2").factor
    rows = tightest(plan)
    assert near(read.facts[0], net_cost(plan) * factor)
    assert near(read.facts[1], plan.portfolio["capex"].sum() * factor)
    assert read.facts[2] == f"{int((rows['missed'] == 0).sum())}/{len(rows)}"
    assert near(read.facts[3], carbon.max())
    assert near(read.facts[4], carbon[2030])


def test_numbers_of_the_text_are_those_of_the_plan(plan: Plan, page: tuple[Words, Reader]) -> None:
    words, read = page
    factor = words.money.factor
    cost = plan.costs.groupby("item")["discounted"].sum() * factor
    text = next(text for text in read.texts if words.money.name in text)
    shown = [number for number in re.findall(r"-?\d(?:[\d,]*\d)?(?:\.\d+)?", text) if number != "2020"]
    exact = [
        *(plan.portfolio["capex"].sum() * factor, cost["annuity"], cost["fixed_om"], -cost["price"]),
        *(abs(net_cost(plan) * factor), penalties(plan) * factor, (net_cost(plan) + penalties(plan)) * factor),
    ]
    assert len(shown) == len(exact)
    assert all(near(a, b) for a, b in zip(shown, exact, strict=True)), (shown, exact)


def test_every_cell_about_targets_and_levels_is_that_of_the_plan(plan: Plan, page: tuple[Words, Reader]) -> None:
    words, read = page
    assert plan.case is not None
    frame = tightest(plan)
    of = {row.target: row for row in plan.case.targets}
    rows = read.tables["targets"][1:]
    assert len(rows) == len(frame) == len(of)
    for row, (_, line) in zip(rows, frame.iterrows(), strict=True):
        factor = words.unit("quantities", of[line["target"]].quantity).factor
        assert row[2] == str(line["year"])
        for cell, column in ((row[3], "bound"), (row[4], "achieved"), (row[5], "slack")):
            assert near(cell.lstrip("≤≥ "), line[column] * factor), (line["target"], column)
        state = "missed" if line["missed"] > 0 else "exact" if line["binding"] else "kept"
        assert row[7] == words.t(f"report.state_{state}")
    planned = levels(plan).set_index(["quantity", "year"])
    years = key_years(plan.case, "co2")
    names = {words.quantity(row.quantity): row.quantity for row in plan.case.quantities}
    for row in read.tables["levels"][1:]:
        quantity = names[row[0]]
        factor = words.unit("quantities", quantity).factor
        exact = [planned.loc[(quantity, year), "planned"] * factor for year in years]
        exact.append(planned.loc[(quantity, 2030), "baseline"] * factor)
        assert all(near(a, b) for a, b in zip(row[2:], exact, strict=True))


@pytest.mark.parametrize(
    ("table", "column", "rows"), [("by_sector", "sector", "sectors"), ("by_city", "city", "cities")]
)
def test_sums_by_sector_and_city_are_those_of_the_plan(
    plan: Plan, page: tuple[Words, Reader], table: str, column: str, rows: str
) -> None:
    words, read = page
    assert plan.case is not None
    sectors = {row.measure: row.sector for row in plan.case.measures}
    held = plan.portfolio.assign(sector=plan.portfolio["measure"].map(sectors))
    told = credit(plan)
    cuts = told[(told["year"] == 2030) & (told["quantity"] == "co2") & (told["part"] == "planned")]
    own = plan.costs[plan.costs["item"].isin(["annuity", "fixed_om"])]
    ids = {words.name(rows, str(row.ids()[0])): str(row.ids()[0]) for row in plan.case.rows(rows)}
    factor, unit = words.money.factor, words.unit("quantities", "co2").factor
    *lines, total = read.tables[table][1:]
    for label, count, capex, share, cost, cut, _ in [*lines, total]:
        chosen = list(ids.values()) if label == words.t("report.total") else [ids[label]]
        here = held[held[column].isin(chosen)]
        assert int(count) == here[here["starts"] > 0]["measure"].nunique()
        assert near(capex, here["capex"].sum() * factor)
        assert near(share, 100 * here["capex"].sum() / held["capex"].sum())
        assert near(cost, own[own[column].isin(chosen)]["discounted"].sum() * factor)
        assert near(cut, -cuts[cuts[column].isin(chosen)]["value"].sum() * unit)


def test_measures_money_and_budgets_are_those_of_the_plan(plan: Plan, page: tuple[Words, Reader]) -> None:
    words, read = page
    assert plan.case is not None
    factor = words.money.factor
    names = {words.name("measures", row.measure): row.measure for row in plan.case.measures}
    sums = plan.portfolio.groupby("measure")[["starts", "capex"]].sum()
    assert len(read.tables["largest"]) - 1 == (plan.measures["starts"] > 0).sum()
    for row in read.tables["largest"][1:]:
        measure = names[row[0]]
        assert near(row[2], sums.loc[measure, "starts"] * words.unit("measures", measure).factor)
        years = plan.portfolio[(plan.portfolio["measure"] == measure) & (plan.portfolio["starts"] > 0)]["year"]
        first, last = years.min(), years.max()
        assert row[4] == (f"{first}-{last}" if last > first else str(first))
        assert near(row[6], sums.loc[measure, "capex"] * factor)
    starts = plan.portfolio.pivot_table(index="measure", columns="year", values="starts", aggfunc="sum", fill_value=0.0)
    for row in read.tables["next"][1:]:
        measure = names[row[0]]
        for cell, year in zip(row[2:], read.tables["next"][0][2:], strict=True):
            exact = starts.loc[measure, int(year)] * words.unit("measures", measure).factor
            assert near(cell, exact) if cell != "—" else exact == 0
    paid = plan.funds.groupby(["fund", "year"])["paid"].sum() * factor
    funds = {words.name("funds", row.fund): row.fund for row in plan.case.funds}
    spans = [tuple(map(int, head.split("-"))) for head in read.tables["paid"][0][1:-2]]
    assert spans == [(2021, 2025), (2026, 2030)]
    *lines, total = read.tables["paid"][1:]
    for row in lines:
        of = paid[funds[row[0]]]
        exact = [*(of[(of.index >= a) & (of.index <= b)].sum() for a, b in spans), of.sum()]
        assert all(near(a, b) for a, b in zip(row[1:-1], exact, strict=True))
        assert near(row[-1], 100 * of.sum() / paid.sum())
    assert near(total[-2], plan.funds["paid"].sum() * factor)
    use = budget_use(plan, [row.budget for row in plan.case.budgets if row.carry_over])
    for row, (_, line) in zip(read.tables["budgets"][1:], use.iterrows(), strict=True):
        for cell, column in zip(row[1:4], ("limit", "spent", "slack"), strict=True):
            assert near(cell, line[column] * factor)


def test_futures_are_told_as_they_were_found(plan: Plan) -> None:
    pytest.importorskip("vl_convert")
    from planner.futures import robustness

    assert plan.case is not None
    found = robustness(plan.case, 6)
    for lang in ("zh", "en"):
        words = Words(lang, plan.case)
        read = Reader(html(report(plan.case, plan, lang, futures=found)))
        names = {words.name("measures", row.measure): row.measure for row in plan.case.measures}
        of = found.measures.set_index("measure")
        for name, index, _, year, planned, span, _ in read.tables["no_regret"][1:]:
            row = of.loc[names[name.split(" (")[0]]]
            factor = words.unit("measures", names[name.split(" (")[0]]).factor
            assert near(index, 100 * row["index"])
            assert near(planned, row["planned"] * factor)
            assert all(near(a, row[b] * factor) for a, b in zip(span.split("–"), ("low", "high"), strict=True))
            assert (year == "") == pd.isna(row["year"])
        for shown, column in zip(read.tables["future_costs"][1:], ("cost", "plan_cost"), strict=True):
            exact = found.futures[column].quantile((0.1, 0.5, 0.9)) * words.money.factor
            assert all(near(a, b) for a, b in zip(shown[1:], exact, strict=True))
        goals = {words.name("targets", row.target): row.target for row in plan.case.targets}
        kept = found.targets.set_index("target")
        doubted = read.tables["chances"][1:]
        assert len(doubted) == (found.targets[["kept", "plan_kept"]] < 1).any(axis=1).sum()
        for name, _, anew, fixed in doubted:
            assert near(anew, 100 * kept.loc[goals[name], "kept"])
            assert near(fixed, 100 * kept.loc[goals[name], "plan_kept"])
        assumed = [[*row] for row in read.tables["ranges"][1:]]
        given = found.ranges.groupby("column", sort=False)
        assert [row[1:] for row in assumed] == [[f"{r.low:g}–{r.high:g}" for r in of.itertuples()] for _, of in given]
        for shown, row in zip(read.tables["doubtful"][1:], found.figures.head(10).itertuples(), strict=True):
            assert shown[2] == f"{row.low:.3g}–{row.high:.3g}"
            assert near(shown[3].lstrip("+"), row.cost)
        heads = [text for text in read.texts if "robust" in text or "未来情形" in text or "futures" in text]
        assert heads


def test_a_case_without_capital_and_of_one_place_is_told_in_its_own_money() -> None:
    pytest.importorskip("vl_convert")
    case = read_case(ROOT / "cases/brazil")
    plan = solve(case, Options(break_ties=False))
    for lang, currency in (("zh", "亿美元"), ("en", "million USD")):
        page = html(report(case, plan, lang))
        read = Reader(page)
        assert not {"by_city", "paid", "budgets", "joint"} & set(read.tables)
        assert not any("投资" in head or "Capital" in head for table in read.tables.values() for head in table[0])
        assert currency in page
        assert "元" not in page.replace("美元", "")
        factor, words = (1e-8 if lang == "zh" else 1e-6), Words(lang, case)
        names = {words.name("measures", row.measure): row.measure for row in case.measures}
        own = plan.measures.set_index("measure")["cost"]
        shown = read.tables["largest"][1:]
        assert [names[row[0]] for row in shown] == own.abs().sort_values(ascending=False).index[:25].tolist()
        assert all(near(row[-1], own[names[row[0]]] * factor) for row in shown)


def test_departments_add_up_in_a_case_that_has_them() -> None:
    pytest.importorskip("vl_convert")
    plan = solve(example())
    assert plan.case is not None
    document = report(plan.case, plan, "zh")
    tables = {
        block.name: block for chapter in document.chapters for block in chapter.blocks if isinstance(block, Table)
    }
    *rows, total = tables["by_department"].rows
    frame = tasks(plan)
    assert [row[0] for row in rows] == ["能源局", "生态环境局"]
    assert sum(int(row[1]) for row in rows) == int(total[1]) == len(frame)
    assert near(total[2], plan.portfolio["capex"].sum() / 1e8)
    assert near(total[3], plan.funds.loc[plan.funds["fund"] == "public", "paid"].sum() / 1e8)


def test_weights_are_what_a_further_solve_finds(plan: Plan) -> None:
    """The cost of a case in which one number is a little higher, and the same with the number a little lower."""
    case = plan.case
    assert case is not None
    found = weights(case, plan).set_index(["item", "id"])["change"]
    small = 1e-4
    for key, edit in (
        (("price", "coal_power"), ("prices", {"quantity": "coal_power", "component": "market"}, "price")),
        (("annuity", "wind"), ("measures", {"measure": "wind"}, "capex")),
        (("target", "co2_budget"), ("targets", {"target": "co2_budget"}, "value")),
    ):
        table, keys, column = edit
        rows = [row for row in case.rows(table) if all(getattr(row, k) == v for k, v in keys.items())]
        costs = []
        for sign in (-1, 1):
            edits = [
                {
                    "table": table,
                    "key": {**keys, **({"year": row.year} if getattr(row, "year", None) else {})},
                    "set": {column: getattr(row, column) * (1 + sign * small)},
                }
                for row in rows
            ]
            other = solve(case.edited(edits), Options(prices=False, certify=False, break_ties=False))
            costs.append(other.costs["discounted"].sum())
        slope = (costs[1] - costs[0]) / (2 * small) * 0.01
        if key[0] == "target":
            slope = -slope  # tighter is lower
        assert found[key] == pytest.approx(slope, rel=1e-2), key


def test_a_word_report_says_the_same_and_has_its_charts_as_vectors(
    plan: Plan, page: tuple[Words, Reader], tmp_path: Path
) -> None:
    docx = pytest.importorskip("docx")
    words, read = page
    assert plan.case is not None
    write_report(plan.case, plan, tmp_path / "report.docx", "docx", words.lang)
    book = docx.Document(tmp_path / "report.docx")
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in book.tables[1:]]
    assert tables == [[list(row) for row in rows] for rows in read.tables.values()]
    with zipfile.ZipFile(tmp_path / "report.docx") as archive:
        pictures = [name for name in archive.namelist() if name.startswith("word/media/")]
        assert len([name for name in pictures if name.endswith(".svg")]) == 5
        assert len([name for name in pictures if name.endswith(".png")]) == 5
        assert archive.read("word/document.xml").count(b"svgBlip") == 5


@pytest.mark.skipif(
    shutil.which("soffice") is None or shutil.which("pdftotext") is None, reason="LibreOffice or poppler is missing"
)
def test_no_row_of_a_word_report_is_lost_on_paper(tmp_path: Path) -> None:
    """LibreOffice once left 24 of the 25 largest measures of this very case out where a page ended."""
    pytest.importorskip("docx")
    case = read_case(ROOT / "cases/brazil")
    plan = solve(case, Options(break_ties=False))
    write_report(case, plan, tmp_path / "report.docx", "docx", "zh")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "report.docx")], check=True, capture_output=True, timeout=180)
    command = ["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"]
    paper = re.sub(r"\s", "", subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    tables = [b for chapter in report(case, plan, "zh").chapters for b in chapter.blocks if isinstance(b, Table)]
    assert sum(len(table.rows) for table in tables) > 60
    lost = [
        (table.name, row[0])
        for table in tables
        for row in table.rows
        if re.sub(r"\s", "", "".join(row[-2:])) not in paper
    ]
    assert not lost


def test_reports_come_from_the_command_line(plan: Plan, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    plan.write(tmp_path / "plan")
    asked = ("report", TUTORIAL, tmp_path / "plan", "--lang", "zh", "--out")
    assert planner(*asked, tmp_path / "a.html").exit_code == 0
    assert planner(*asked, tmp_path / "a.html").exit_code == 0
    assert "教学案例" in (tmp_path / "a.html").read_text("utf-8")
    assert planner(*asked, tmp_path / "b.xlsx").exit_code == 0
    sheet = openpyxl.load_workbook(io.BytesIO((tmp_path / "b.xlsx").read_bytes()))["_总览"]
    assert sheet["B2"].value == pytest.approx(plan.objective / 1e8)
    assert planner(*asked, tmp_path / "b.pdf").exit_code == 2
    assert (
        planner("report", TUTORIAL, "--set", "targets.co2_budget.value=10", "--out", tmp_path / "c.html").exit_code == 3
    )
    assert not (tmp_path / "c.html").exists()


def test_without_the_extra_a_report_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.report.drawing.find_spec", lambda name: None)
    result = planner("report", TUTORIAL, "--lang", "en", "--out", tmp_path / "a.html")
    assert result.exit_code == 2
    assert "vl_convert" in result.stderr
    assert 'pip install "measure-planner[report]"' in " ".join(result.stderr.split())


def test_five_year_periods_end_where_five_divides_the_year() -> None:
    assert spans(example()) == [(2026, 2030)]
    case = example().edited([{"setting": "last_year", "value": 2032}])
    assert spans(case) == [(2026, 2030), (2031, 2032)]
