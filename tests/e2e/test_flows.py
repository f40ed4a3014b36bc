"""What people do in the app, in a real browser, on the tutorial."""

import re
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import TimeoutError, WebSocketRoute, expect

from planner.tables import read_case, write_workbook
from planner.text import t

from .conftest import ROOT, Visit, Visitor

CARBON = "lever_tutorial_carbon_zh"
POLLUTANT = "lever_tutorial_pollutant_zh"


def zh(key: str, **params: object) -> str:
    return t(key, "zh", **params)


def test_a_lever_changes_the_plan_and_undo_brings_it_back(here: Visitor) -> None:
    before = here.cost().inner_text()
    here.move(POLLUTANT, -1)
    expect(here.cost()).not_to_have_text(before)
    expect(here.page).to_have_url(re.compile("pollutant=-1"))
    after = here.settled().cost().inner_text()
    here.press("undo")
    expect(here.cost()).to_have_text(before)
    here.press("redo")
    expect(here.cost()).to_have_text(after)


def test_what_is_undone_stays_undone_before_the_browser_hears_of_it(visit: Visit) -> None:
    """A browser tells with every click where its sliders stand: that of a lever just undone is no wish of anybody."""
    here, held = visit(), threading.Event()
    late: list[tuple[WebSocketRoute, str | bytes]] = []

    def between(page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda words: late.append((page, words)) if held.is_set() else page.send(words))

    here.page.route_web_socket(re.compile("_stcore/stream"), between)
    before = here.open().cost().inner_text()
    here.move(POLLUTANT, -1)
    expect(here.cost()).not_to_have_text(before)
    first = here.settled().cost().inner_text()
    here.move(POLLUTANT, -1)
    expect(here.cost()).not_to_have_text(first)
    here.settled()
    held.set()
    here.press("undo")
    here.page.wait_for_timeout(1500)
    here.press("undo")
    here.page.wait_for_timeout(1500)
    held.clear()
    for page, words in late:
        page.send(words)
    expect(here.cost()).to_have_text(before)
    expect(here.key("redo").locator("button").first).to_be_enabled()
    expect(here.page).not_to_have_url(re.compile("pollutant="))


def test_what_cannot_be_had_is_told_and_the_furthest_is_accepted(visit: Visit) -> None:
    here = visit().open("lang=zh&case=tutorial&carbon=960")
    here.page.goto(f"{here.address}/?lang=zh&case=tutorial&carbon=900")
    here.settled()
    warning = here.key("trouble").locator('[data-testid="stAlert"]')
    expect(warning).to_contain_text("90%")
    accept = here.key("accept").locator("button").first
    while warning.count():
        with suppress(TimeoutError):  # what was accepted may be answered while the pointer is on its way
            accept.click(timeout=5_000)
        here.settled()
        here.page.wait_for_timeout(300)
    expect(here.key("differences").locator("button").first).to_contain_text(re.compile(r"\d"))
    expect(here.cost()).to_be_visible()


def test_a_point_of_the_frontier_is_loaded_by_a_click(here: Visitor) -> None:
    here.to(zh("ui.page.tradeoffs"))
    here.press("frontier")
    points = here.key("frontier_chart").locator('path[aria-roledescription="point"]')
    expect(points.nth(5)).to_be_visible()
    points.nth(7).click()
    expect(here.key("differences").locator("button").first).to_have_text(
        re.compile(re.escape(zh("ui.change.count", count=1)))
    )
    here.to(zh("ui.page.plan"))
    expect(here.page).to_have_url(re.compile("frontier_cap"))


def test_a_target_is_edited_applied_and_undone(here: Visitor) -> None:
    before = here.cost().inner_text()
    here.to(zh("ui.page.edit"))
    grid = here.page.locator('[data-testid="stDataFrameResizable"] canvas').first
    expect(grid).to_be_visible()
    box = grid.bounding_box()
    assert box is not None
    cell = here.page.locator("#portal input")
    while not cell.count():  # the grid takes clicks a moment after it is painted
        here.page.mouse.dblclick(box["x"] + 690, box["y"] + 35 * 1.5)  # the value of the first target
        here.page.wait_for_timeout(500)
    expect(cell).to_have_value("14")
    cell.fill("15")
    cell.press("Enter")
    expect(here.page.get_by_text(zh("ui.edit.ready", count=1))).to_be_visible()
    here.press("apply")
    expect(here.key("differences").locator("button").first).to_contain_text(zh("ui.change.count", count=1))
    here.to(zh("ui.page.plan"))
    expect(here.cost()).not_to_have_text(before)
    here.press("undo")
    expect(here.cost()).to_have_text(before)


def test_a_scenario_is_saved_and_loaded_after_a_reload(here: Visitor) -> None:
    before = here.cost().inner_text()
    here.move(POLLUTANT, -1)
    expect(here.cost()).not_to_have_text(before)
    after = here.cost().inner_text()
    here.press("scenarios")
    here.page.get_by_label(zh("ui.saved.name")).fill("e2e")
    here.page.keyboard.press("Enter")
    here.key("save_at_hand").locator("button").click()
    expect(here.page.get_by_text(zh("ui.saved.done", name="e2e"))).to_be_visible()
    here.page.reload()
    here.settled()
    expect(here.cost()).to_have_text(after)  # the draft outlives a reload
    here.open()  # a link without it does not
    expect(here.cost()).to_have_text(before)
    here.press("scenarios")
    here.key("load_at_hand_0").locator("button").click()
    expect(here.cost()).to_have_text(after)


def test_undo_and_pins_outlive_a_reload_and_a_new_connection(here: Visitor, visit: Visit) -> None:
    before = here.cost().inner_text()
    here.press("pin")
    expect(here.key("release")).to_be_visible()
    here.move(POLLUTANT, -1)
    expect(here.cost()).not_to_have_text(before)
    after = here.settled().cost().inner_text()
    here.press("undo")
    expect(here.cost()).to_have_text(before)
    here.settled()
    here.page.reload()
    here.settled()
    expect(here.cost()).to_have_text(before)
    expect(here.key("release").locator("button").first).to_contain_text(zh("ui.pin.name", number=1))
    here.press("redo")
    expect(here.cost()).to_have_text(after)
    expect(here.page).to_have_url(re.compile("pollutant=-1"))
    here.settled()
    other = visit()  # after a long absence the browser connects anew: nothing but the address is left
    other.page.goto(here.page.url)
    name = zh("ui.pin.name", number=1)
    expect(other.key("headline")).to_contain_text(zh("ui.figure.against", name=name))  # the pin is solved again
    other.settled()
    other.press_until("undo", other.cost(), before)
    expect(here.cost()).to_have_text(after)


def test_a_link_opens_the_same_plan_in_another_browser(here: Visitor, visit: Visit) -> None:
    before = here.cost().inner_text()
    here.move(POLLUTANT, -2)
    expect(here.cost()).not_to_have_text(before)
    expect(here.page).to_have_url(re.compile("pollutant=-2"))
    here.settled()
    other = visit()
    other.page.goto(here.page.url)
    other.settled()
    expect(other.cost()).to_have_text(here.cost().inner_text())


def test_one_visitor_never_moves_another(visit: Visit) -> None:
    one, other = visit().open(), visit().open()
    before = other.cost().inner_text()
    one.move(POLLUTANT, -2)
    expect(one.cost()).not_to_have_text(before)
    other.to(zh("ui.page.budget")).to(zh("ui.page.plan"))
    expect(other.cost()).to_have_text(before)
    expect(other.key("differences").locator("button").first).to_contain_text(zh("ui.change.none"))


def test_a_lost_connection_loses_nothing(here: Visitor) -> None:
    before = here.cost().inner_text()
    here.move(POLLUTANT, -1)
    expect(here.cost()).not_to_have_text(before)
    after = here.cost().inner_text()
    here.context.set_offline(True)
    here.page.wait_for_timeout(1500)
    here.context.set_offline(False)
    here.press("undo")
    expect(here.cost()).not_to_have_text(after)
    here.press("redo")
    expect(here.cost()).to_have_text(after)
    here.errors.clear()  # that it was offline is said on the console


def test_a_broken_workbook_lists_its_faults(here: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "broken.xlsx"
    write_workbook(read_case(ROOT / "cases" / "tutorial"), file)
    book = load_workbook(file)
    sheet = book["effects"]
    columns = [cell.value for cell in sheet[1]]
    sheet.cell(2, columns.index("quantity") + 1).value = "clean_powr"
    sheet.cell(3, columns.index("value") + 1).value = "many"
    book.save(file)
    here.to(zh("ui.page.files"))
    here.key("upload").locator('input[type="file"]').set_input_files(file)
    fault = here.page.locator('[data-testid="stAlert"]', has_text="broken.xlsx")
    expect(fault).to_contain_text("clean_powr")
    expect(fault).to_contain_text("many")


@pytest.mark.parametrize(("locale", "lang"), [("zh-CN", "zh"), ("en-GB", "en")])
def test_the_language_is_that_of_the_browser_until_another_is_chosen(visit: Visit, locale: str, lang: str) -> None:
    here = visit(locale).open("case=tutorial")
    title = read_case(ROOT / "cases" / "tutorial").settings.title
    expect(here.page.locator("h1").first).to_have_text(title[lang])
    other = "en" if lang == "zh" else "zh"
    here.page.get_by_role("radio", name=t("ui.in_language", other)).or_(
        here.page.get_by_role("button", name=t("ui.in_language", other))
    ).first.click()
    expect(here.page.locator("h1").first).to_have_text(title[other])


def test_teams_on_two_laptops_meet_on_one_board(visit: Visit) -> None:
    host = visit().open("mode=workshop&lang=zh&case=tutorial")
    host.press("open_room")
    expect(host.page).to_have_url(re.compile("room="))
    room = host.key("code").inner_text().strip()
    expect(host.page.locator('[data-testid="stImage"] img').first).to_be_visible()
    for number, name in enumerate(("甲", "乙")):
        team = visit().open(f"mode=workshop&lang=zh&room={room}")
        team.page.get_by_label(zh("ui.workshop.team")).fill(name)
        team.page.keyboard.press("Enter")
        team.press("enter")
        before = team.cost().inner_text()
        team.move(POLLUTANT, -1 - number)
        expect(team.cost()).not_to_have_text(before)
        team.settled().press("post")
        expect(host.key("room").locator('[data-testid="stVegaLiteChart"] svg').first).to_contain_text(name)
    assert host.key("room").locator('path[aria-roledescription="point"]').count() == 2
