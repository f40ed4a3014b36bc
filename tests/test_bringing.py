"""Tables of one's own: columns, names and units are matched, shown, editable, and nothing is taken over unseen."""

from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from planner import cli
from planner.bringing import brought, guess, read_foreign, read_map
from planner.case import Case
from planner.errors import CaseError
from planner.starter import new_case
from planner.tables import read_case


def planner(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def mine(tmp_path: Path) -> Case:
    return read_case(new_case(tmp_path / "mine"))


def own(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "own.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_potentials_in_chinese_units_become_those_of_the_measure(tmp_path: Path, mine: Case) -> None:
    raw = read_foreign(own(tmp_path, "措施名称,地市,潜力（万千瓦）,编号\n光伏发电,东市,32.5,1\n光伏发电,西,55,2\n"))
    mapping = guess(raw, "potentials", mine)
    assert mapping.columns["potential"] == {"from": "潜力（万千瓦）", "unit": "万千瓦"}
    assert mapping.values == {"measure": {"光伏发电": "pv"}, "city": {"东市": "east", "西": "west"}}
    assert mapping.ignored == ["编号"]
    rows, issues = brought(raw, mapping, mine)
    assert issues == []
    assert [(row.ids()[:2], row.values()["potential"]) for row in rows] == [
        (("pv", "east"), 325),
        (("pv", "west"), 550),
    ]


def test_columns_of_years_become_rows_and_keep_their_unit(tmp_path: Path, mine: Case) -> None:
    file = own(tmp_path, "pollutant,region,industry,2025,2030年\nCO2,East,Power,3000,3100\nNOx,West,Industry,2200,\n")
    raw = read_foreign(file)
    rows, issues = brought(raw, guess(raw, "baseline", mine), mine)
    assert issues == []
    assert [(*row.ids(), row.values()["value"]) for row in rows] == [
        ("co2", "east", "power", 2025, 3000),
        ("co2", "east", "power", 2030, 3100),
        ("nox", "west", "industry", 2025, 2200),
    ]


def test_effects_in_a_unit_of_ones_own_say_so(tmp_path: Path, mine: Case) -> None:
    raw = read_foreign(own(tmp_path, "措施,指标,效果（万吨）\npv,二氧化碳,-0.01\n"))
    rows, issues = brought(raw, guess(raw, "effects", mine), mine)
    assert issues == []
    assert (rows[0].values()["value"], rows[0].values()["unit"]) == (-0.1, "kt")


@pytest.mark.parametrize(
    ("header", "cell", "capex"),
    [
        ("单位投资（万元）", "350", 3.5e6),
        ("投资(亿元/兆瓦)", "0.035", 3.5e6),
        ("capital cost [million CNY]", "3.5", 3.5e6),
    ],
)
def test_money_becomes_plain_currency(tmp_path: Path, mine: Case, header: str, cell: str, capex: float) -> None:
    heads = f"measure,name_zh,name_en,行业,单位,{header},运行费用(万元),寿命,工期,ramp"
    raw = read_foreign(own(tmp_path, f"{heads}\nbiogas,沼气,Biogas,电力,MW,{cell},5,20,1,0.2\n"))
    rows, issues = brought(raw, guess(raw, "measures", mine), mine)
    assert issues == []
    found = rows[0].values()
    assert (found["capex"], found["fixed_om"], found["sector"], found["lifetime"]) == (capex, 50000, "power", 20)


def test_every_fault_is_placed_in_ones_own_table(tmp_path: Path, mine: Case) -> None:
    file = own(
        tmp_path, "措施,城市,潜力（万千瓦）\n光伏发电,东市,许多\n光伏发电,东市,-3\n光伏发电,,4\n水泥窑脱硝,东市,4\n"
    )
    raw = read_foreign(file)
    rows, issues = brought(raw, guess(raw, "potentials", mine), mine)
    assert rows == []
    assert [(issue.key, issue.row) for issue in issues] == [
        ("not_a_number", 2),
        ("too_small", 3),
        ("blank", 4),
        ("unit_mismatch_own", 5),
    ]
    unknown = own(tmp_path, "措施,城市,潜力（MW）\n光伏发电,北市,4\n")
    told = planner("import-data", mine.folder, "potentials", unknown, "--lang", "en")
    assert told.exit_code == 2
    assert "own.csv, row 2, city" in " ".join(told.stderr.split())


def test_a_preview_writes_nothing_and_an_edited_mapping_is_used(tmp_path: Path, mine: Case) -> None:
    file = own(tmp_path, "技术,地方,可装机\n光伏发电,东市,30\n风电,西市,20\n")
    asked = ("import-data", mine.folder, "potentials", file, "--lang", "zh")
    assert mine.folder is not None
    before = {path.name: path.read_bytes() for path in mine.folder.iterdir()}
    first = planner(*asked, "--save-mapping", tmp_path / "map.yaml")
    assert first.exit_code == 2  # the columns 地方 and 可装机 are not known
    text = (tmp_path / "map.yaml").read_text("utf-8")
    assert "地方" in text
    (tmp_path / "map.yaml").write_text(
        "table: potentials\ncolumns:\n  measure: {from: 技术}\n  city: {from: 地方}\n"
        "  potential: {from: 可装机, multiply: 10}\nvalues:\n  measure: {光伏发电: pv, 风电: pv}\n"
        "  city: {东市: east, 西市: west}\nconstants: {grade: C, source: own}\n",
        "utf-8",
    )
    preview = planner(*asked, "--mapping", tmp_path / "map.yaml")
    assert preview.exit_code == 0, preview.output
    assert {path.name: path.read_bytes() for path in mine.folder.iterdir()} == before
    assert planner(*asked, "--mapping", tmp_path / "map.yaml", "--write").exit_code == 0
    again = read_case(mine.folder)
    found = {row.ids()[:2]: row for row in again.potentials}
    assert (found["pv", "east"].potential, found["pv", "west"].potential) == (300, 200)
    assert (found["pv", "east"].grade, found["pv", "east"].source) == ("C", ("own",))
    assert len(again.potentials) == len(mine.potentials)  # rows of the same key are replaced
    kept = planner(*asked, "--mapping", tmp_path / "map.yaml", "--write", "--replace")
    assert kept.exit_code == 2  # the other measures would have no potential anywhere
    assert read_case(mine.folder).digest == again.digest


def test_sheets_of_a_workbook_are_read_and_wrong_mappings_refused(tmp_path: Path, mine: Case) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "其他"
    sheet = book.create_sheet("潜力")
    for row in (["措施", "城市", "潜力(MW)"], ["pv", "east", 12.5]):
        sheet.append(row)
    book.save(tmp_path / "own.xlsx")
    raw = read_foreign(tmp_path / "own.xlsx", "潜力")
    rows, issues = brought(raw, guess(raw, "potentials", mine), mine)
    assert ([row.values()["potential"] for row in rows], issues) == ([12.5], [])
    with pytest.raises(CaseError) as raised:
        read_foreign(tmp_path / "own.xlsx", "潜利")
    assert raised.value.errors[0].key == "no_such_sheet"
    for text in (
        "table: potentials\ncolumns:\n  city: {from: a, multiply: b}\n",
        "table: potentials\ncolums: {}\n",
        "columns: {}\n",
        "table: potentials\ncolumns: {city: east}\n",
    ):
        (tmp_path / "map.yaml").write_text(text, "utf-8")
        with pytest.raises(CaseError):
            read_map(tmp_path / "map.yaml")
