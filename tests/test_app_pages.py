"""The app: every page, and what measures and money show on theirs."""

import time
import zipfile
from io import BytesIO

import pytest
from screens import CARBON, CASE, ROOT, desktop, finished, moved, opened, ran, slider
from streamlit.testing.v1 import AppTest

from planner import amounts
from planner.budgets import ladder, worth
from planner.engine import Options
from planner.formulation import ROWS
from planner.plan import solve
from planner.tables import read_case
from planner.text import LANGUAGES, t
from planner.ui import curves, ledgers, limiting, risks
from planner.ui.levers import OWN

PAGES = (
    *(
        "planning",
        "editing",
        "measuring",
        "tradeoffs",
        "spending",
        "comparing",
        "firmness",
        "places",
        "method",
        "filing",
    ),
)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_in_both_languages(app: AppTest, page: str, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, page)
    assert not app.error
    assert app.title[0].value
    for one in app.markdown:  # a constant's documentation is no part of a page
        assert not one.value.startswith(("Points of", "Pages by", "What a map"))


def test_sliders_stand_alike_on_every_page(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    for page in ("tradeoffs", "spending", "places", "comparing", "planning", "method", "places"):
        opened(app, page)
        if page != "method":
            assert slider(app, CARBON).value == 960, page
            assert slider(app, "budget").value == 100, page
    assert desktop(app).history.present.positions == {"carbon": 960}


def test_spending_adds_up_to_the_investment_whoever_it_is_told_by(app: AppTest) -> None:
    plan = moved(OWN)
    case = read_case(CASE)
    whole = plan.portfolio["capex"].sum() / 1e6
    for by in ledgers.BY:
        frame = ledgers.spending(case, plan, by, "en")
        assert frame.loc[frame["part"] == "paid", "value"].sum() == pytest.approx(whole)
    opened(app, "spending")
    app.segmented_control(key="spending_by_zh").set_value("city")
    ran(app)
    assert len(app.metric) == 2


def test_yearly_limits_of_all_funds_add_up() -> None:
    case = read_case(CASE)
    plan = moved(OWN)
    limits = ledgers.yearly_limits(case, plan)
    spent = plan.portfolio.groupby("year")["capex"].sum()
    assert all(spent.get(year, 0.0) <= limit * (1 + 1e-6) for year, limit in limits.items())


def test_cities_add_up_and_a_city_has_its_tasks(app: AppTest) -> None:
    case, plan = read_case(CASE), moved(OWN)
    frame = ledgers.cities(case, plan, "en")
    assert frame["share"].sum() == pytest.approx(100)
    assert frame["capex"].sum() == pytest.approx(plan.portfolio["capex"].sum() / 1e6)
    for city in case.cities:
        tasks = ledgers.tasks(case, plan, city.city, "en")
        own = plan.portfolio[plan.portfolio["city"] == city.city]
        begun = own.groupby("measure")["starts"].sum()
        assert len(tasks) == (begun > 0).sum()
    opened(app, "places")
    assert len(app.dataframe) == 2


def test_a_map_is_drawn_where_one_of_all_cities_is_at_hand() -> None:
    tutorial, jiangxi = read_case(CASE), read_case(ROOT / "cases" / "jiangxi")
    assert ledgers.shapes(tutorial, {}, "en") is None
    found = ledgers.shapes(jiangxi, {row.city: 1.0 for row in jiangxi.cities}, "en")
    assert found is not None
    assert {feature["properties"]["name"] for feature in found["features"]} == {row.name_en for row in jiangxi.cities}


def test_pinned_plans_are_compared_renamed_taken_up_again_and_removed(app: AppTest) -> None:
    ran(app)
    slider(app, CARBON).set_value(960)
    ran(app)
    app.button(key="pin").click()
    ran(app)
    app.button(key="undo").click()
    opened(app, "comparing")
    assert {"案例", "方案1"} <= set(app.dataframe[0].value.columns)
    app.text_input(key="name_1_zh").set_value("更严的碳上限")
    ran(app)
    assert "更严的碳上限" in app.dataframe[0].value.columns
    app.button(key="load_1").click()
    ran(app)
    assert desktop(app).history.present.positions == {"carbon": 960}
    app.button(key="drop_1").click()
    ran(app)
    assert not desktop(app).pinned


def test_the_method_shows_every_family_and_the_certificate(app: AppTest) -> None:
    ran(app)
    for _ in range(600):
        if desktop(app).shown.plan.summary.get("certificate"):
            break
        time.sleep(0.1)
    opened(app, "method")
    assert app.success
    text = " ".join(one.value for one in app.markdown)
    for family in ROWS:
        assert family.name.replace("_", " ") in text


def test_a_plan_and_a_model_are_made_to_be_saved(app: AppTest) -> None:
    opened(app, "filing")
    report = "report_html_zh"
    for what in ("plan", "model_lp", report):
        app.button(key=f"make_{what}").click()
        ran(app)
        finished(app, what)
    data = app.session_state["job_tutorial_plan"][1].future.result()
    names = zipfile.ZipFile(BytesIO(data)).namelist()
    assert "tutorial-plan/portfolio.csv" in names
    assert "tutorial-plan/summary.json" in names
    assert "tutorial-plan/iamc.csv" in names
    page = app.session_state[f"job_tutorial_{report}"][1].future.result().decode()
    assert read_case(CASE).settings.title["zh"] in page
    assert "<svg" in page
    model = app.session_state["job_tutorial_model_lp"][1].future.result()
    assert zipfile.ZipFile(BytesIO(model)).namelist() == ["tutorial-model/tutorial.lp"]


def test_measures_tell_why_and_are_locked_out_and_in(app: AppTest) -> None:
    opened(app, "measuring")
    finished(app, "reasons")
    frame = app.dataframe[0].value
    plan = desktop(app).shown.plan
    names = {row.name_zh: row.measure for row in read_case(CASE).measures}
    starts = plan.measures.set_index("measure")["starts"]
    assert {names[name] for name in frame.loc[frame["chosen"], "measure"]} == set(starts[starts > 0].index)
    app.selectbox(key="library_sector_tutorial_zh").set_value("工业")
    ran(app)
    first = names[app.dataframe[0].value["measure"].iloc[0]]
    app.button(key="lock_out").click()
    ran(app)
    locked = desktop(app).shown.plan
    assert locked.measures.set_index("measure")["starts"][first] == 0
    assert locked.objective > plan.objective
    app.button(key="undo").click()
    ran(app)
    finished(app, "reasons")
    app.button(key="lock_in").click()
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(plan.objective, rel=1e-6)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_measure_is_capped_in_one_city_and_its_starts_are_bounded(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, "measuring")
    finished(app, "reasons")
    app.selectbox(key=f"library_sector_tutorial_{lang}").set_value(t("ui.measures.every_sector", lang))
    plan = desktop(app).shown.plan
    case = read_case(CASE)
    titles = {one.value for one in app.subheader}
    measure = next(row.measure for row in case.measures if titles & {row.name_zh, row.name_en})
    stock = plan.portfolio[plan.portfolio["measure"] == measure].groupby("city")["stock"].max()
    city = str(stock.idxmax())
    app.selectbox(key=f"limit_city_{measure}_{lang}").set_value(city)
    ran(app)
    suffix = f"{measure}_{city}_{lang}_{plan.case.digest[:8]}"
    unit = amounts.unit(next(row.unit for row in case.measures if row.measure == measure), lang)
    app.number_input(key=f"limit_cap_{suffix}").set_value(float(stock[city]) / 2 * unit.factor)
    app.selectbox(key=f"limit_from_{suffix}").set_value(2023)
    app.selectbox(key=f"limit_until_{suffix}").set_value(2027)
    app.button(key="apply_limit").click()
    ran(app)
    found = desktop(app).shown.plan
    of = found.portfolio[(found.portfolio["measure"] == measure) & (found.portfolio["city"] == city)]
    assert of["stock"].max() <= float(stock[city]) / 2 * (1 + 1e-6)
    assert set(of.loc[of["starts"] > 1e-9, "year"]) <= set(range(2023, 2028))
    assert found.objective >= plan.objective - 1e-6 * abs(plan.objective)
    assert limiting.standing(found.case, measure, city)["before"] == 2023
    # The same once more without limits brings the case back.
    assert found.case.edited(limiting.edits(found.case, measure, city, None, 2021, 2030)).digest == case.digest


@pytest.mark.parametrize("lang", LANGUAGES)
def test_shares_of_the_effects_of_all_measures_add_up(app: AppTest, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "VISIBLE", -1.0)
    app.session_state[f"measures_{lang}"] = t("ui.measures.heat", lang)
    app.query_params["lang"] = lang
    opened(app, "measuring")
    plan = desktop(app).shown.plan
    frame = curves.heat(plan.case, plan, 2030, lang)
    assert frame.groupby("quantity")["value"].sum().to_numpy() == pytest.approx(100.0)
    assert t("ui.heat.title", lang, year=2030) in [one.value for one in app.subheader]


def test_the_break_even_of_a_measure_is_told(app: AppTest) -> None:
    opened(app, "measuring")
    finished(app, "reasons")
    app.button(key="edge").click()
    ran(app)
    finished(app, "edge")
    found = app.session_state["job_tutorial_edge"][1].future.result()
    assert found.chosen
    assert found.outcome in ("found", "needed")
    assert app.info


def test_the_cost_curve_of_every_year_is_drawn(app: AppTest) -> None:
    app.session_state["measures_zh"] = t("ui.measures.curve", "zh")
    opened(app, "measuring")
    app.select_slider(key="curve_year_tutorial_zh").set_value(2025)
    ran(app)
    assert not app.error


def test_a_ladder_of_cuts_and_money_taken_back_cost_what_the_core_says(app: AppTest) -> None:
    opened(app, "spending")
    app.button(key="begin_ladder").click()
    ran(app)
    finished(app, "ladder")
    fund, _, _ = app.session_state["job_tutorial_ladder"][1].future.result()
    frame = app.dataframe[1].value
    assert frame["cut"].tolist() == [10.0, 20.0, 30.0]
    expected = [cut.extra for cut in ladder(read_case(CASE), fund)]
    assert frame["extra"].fillna(-1.0).tolist() == pytest.approx([-1.0 if x is None else x / 1e8 for x in expected])
    app.button(key="begin_clawback").click()
    ran(app)
    finished(app, "clawback")
    assert len(app.dataframe) == 3
    assert not app.error


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_last_money_of_every_budget_is_valued(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, "spending")
    app.button(key="worth").click()
    ran(app)
    finished(app, "worth")
    expected = worth(read_case(CASE))
    frame = next(one.value for one in app.dataframe if "gained" in one.value)
    factor = amounts.money("million", "CNY", lang).factor
    gained = sorted(value * factor for value in expected["gained"] if value > 0)
    assert gained
    assert sorted(frame.loc[frame["gained"] > 0, "gained"]) == pytest.approx(gained)
    assert not app.error


def test_an_earmark_costs_what_the_core_says_and_is_adopted(app: AppTest) -> None:
    opened(app, "spending")
    app.multiselect(key="earmark_sectors_tutorial_zh").set_value(["industry"])
    app.selectbox(key="earmark_share_zh").set_value(20)
    ran(app)
    app.button(key="begin_earmark").click()
    ran(app)
    finished(app, "earmark")
    _, sectors, rung, edits = app.session_state["job_tutorial_earmark"][1].future.result()
    assert (sectors, rung.cut) == (("industry",), 0.2)
    direct = solve(read_case(CASE).edited(edits), Options(break_ties=False, prices=False))
    assert rung.before.objective + rung.extra == pytest.approx(direct.objective, rel=1e-5)
    app.button(key="load_earmark").click()
    ran(app)
    assert desktop(app).shown.plan.objective == pytest.approx(direct.objective, rel=1e-5)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_cap_on_spending_costs_more_the_lower_it_is(app: AppTest, lang: str) -> None:
    app.query_params["lang"] = lang
    opened(app, "spending")
    app.button(key="caps").click()
    ran(app)
    finished(app, "caps")
    points = app.session_state["job_tutorial_caps"][1].future.result().points
    assert points["x"].is_monotonic_decreasing
    assert points["cost"].is_monotonic_increasing
    assert points["cost"].iloc[0] == pytest.approx(desktop(app).shown.plan.objective, rel=1e-6)
    assert not app.error


def test_alternatives_are_within_their_slack_and_can_be_loaded(app: AppTest) -> None:
    opened(app, "tradeoffs")
    app.button(key="nearby").click()
    ran(app)
    finished(app, "nearby")
    frame = app.dataframe[0].value
    assert len(frame) == 5
    assert frame["extra"].between(-1e-6, 2 + 1e-6).all()
    found = app.session_state["job_tutorial_nearby"][1].future.result()
    app.button(key="nearby_1").click()
    ran(app)
    cost = found.plans.set_index("plan")["cost"][1]
    assert desktop(app).shown.plan.objective == pytest.approx(cost, rel=1e-4)


def test_money_flows_on_as_it_came() -> None:
    case, plan = read_case(CASE), moved(OWN)
    frame = risks.flow(case, plan, "en")
    sectors = {row.name_en for row in case.sectors}
    into = frame[frame["target"].isin(sectors)].groupby("target")["value"].sum()
    out = frame[frame["source"].isin(sectors)].groupby("source")["value"].sum()
    assert into.sort_index().tolist() == pytest.approx(out.sort_index().tolist())
    assert into.sum() == pytest.approx(plan.portfolio["capex"].sum() / 1e6)


def test_futures_are_sampled_and_told(app: AppTest) -> None:
    opened(app, "firmness")
    app.segmented_control(key="samples_zh").set_value(25)
    ran(app)
    app.button(key="sample").click()
    ran(app)
    finished(app, "futures")
    found = app.session_state["job_tutorial_futures"][1].future.result()
    assert len(found.futures) == 25
    assert len(app.metric) == 3
    frame = app.dataframe[0].value
    assert frame["index"].max() == pytest.approx(100 * found.measures["index"].max())
    grades = app.dataframe[-1].value
    assert grades[["A", "B", "C", "none"]].sum(axis=1).tolist() == pytest.approx([100.0] * len(grades), abs=0.1)
