"""Every page on Jiangxi, in both languages, without an error on the console or a request off the machine."""

import pytest
from playwright.sync_api import TimeoutError, expect

from planner.text import t

from .conftest import Visit

NARROW = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  return main.scrollWidth <= main.clientWidth + 1;
}"""
PAGES = ("edit", "measures", "tradeoffs", "budget", "compare", "robustness", "cities", "method", "files", "plan")


def test_every_page_renders(visit: Visit) -> None:
    here = visit().open("lang=zh&case=jiangxi")
    expect(here.cost()).to_be_visible()
    for page in PAGES:
        here.to(t(f"ui.page.{page}", "zh"))
    charts = here.page.locator('[data-testid="stVegaLiteChart"] svg')
    expect(charts.nth(1)).to_be_visible()


def test_every_page_fits_a_phone_in_the_dark(visit: Visit) -> None:
    here = visit(color_scheme="dark", viewport={"width": 390, "height": 844})
    for page in PAGES:
        here.open("lang=en&case=jiangxi", "" if page == "plan" else page)
        try:
            here.page.wait_for_function(NARROW, timeout=20_000)  # tables shrink a moment after they are drawn
        except TimeoutError:
            pytest.fail(f"{page} is wider than a phone")
    expect(here.cost()).to_be_visible()


def test_a_click_on_the_map_shows_what_that_city_has_to_do(visit: Visit) -> None:
    here = visit().open("lang=zh&case=jiangxi")
    here.to(t("ui.page.cities", "zh"))
    heading = here.page.locator("h3").last
    before = heading.inner_text()
    shapes = here.key("map").locator('path[aria-roledescription="geoshape"]')
    expect(shapes.nth(3)).to_be_visible()
    for number in (3, 5):
        shapes.nth(number).click()
        here.settled()
        if heading.inner_text() != before:
            break
    expect(heading).not_to_have_text(before)
