"""How long a move of a lever takes on Jiangxi, from the key to the last chart, in a real browser.

    make bench-app      needs Chromium; 40 moves with 1, 5, 10 and 20 people at once, some twenty minutes

A move is split into the solve (as the app tells it on the page, to 0.1 s), the server (until its run ends, less the
solve) and the browser (until the last mark of a chart is painted). One person has a real browser, which shares this
machine with the server; all others move as often, but hear the server without drawing, as their screens would be on
machines of their own: of them the time from the move to the end of the run is told. Other work on the machine counts,
so its load is told.
"""

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import StringArray
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.e2e.conftest import FLAGS, ROOT, answers, chromium, free_port

MOVES = 40
ROW_OF = "{:>6} | {:>5} | {:>15} | {:>15} | {:>15} | {:>15} | {:>10} | {:>15}"
"""Columns: people, moves, whole, solve, server, browser, first load, others."""
THINKING = 2.0
"""Pause of a person between two moves [s]."""
LEVER = '[class*="st-key-lever_jiangxi_{}_en_"]'
ROW = 4
"""Moves of the budget between two moves of the renewable targets: no position comes twice, so none is known [-]."""
WATCH = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const seen = window.seen = {painted: 0, ended: 0, ran: false};
  new MutationObserver(all => {
    for (const one of all) {
      const at = one.target.nodeType === 1 ? one.target : one.target.parentElement;
      if (at && at.closest('[data-testid="stVegaLiteChart"]')) seen.painted = performance.now();
    }
  }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
  new MutationObserver(() => {
    const state = app.getAttribute('data-test-script-state');
    if (state === 'running') seen.ran = true;
    if (state === 'notRunning' && seen.ran && !seen.ended) seen.ended = performance.now();
  }).observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}"""
BEGIN = "() => Object.assign(window.seen, {begun: performance.now(), painted: 0, ended: 0, ran: false})"
QUIET = """() => window.seen.ended > 0
  && performance.now() - Math.max(window.seen.ended, window.seen.painted) > (window.seen.painted ? 400 : 1500)"""
"""Where the plan stays the same no chart is painted again: the move ends with the run of the page."""
TIMES = """() => ({whole: Math.max(window.seen.painted, window.seen.ended) - window.seen.begun,
  served: window.seen.ended - window.seen.begun})"""


async def move(page: Page, lever: str, key: str) -> tuple[float, float, float, float]:
    """One move: whole, solve, server, browser [ms]."""
    slider = LEVER.format(lever)
    await page.locator(f'{slider} input[type="range"], {slider} [role="slider"]').first.focus()
    await page.evaluate(BEGIN)
    await page.keyboard.press(key)
    await page.wait_for_function(QUIET, timeout=120_000)
    times: dict[str, float] = await page.evaluate(TIMES)
    line = await page.locator(".st-key-state_line").inner_text()
    told = re.search(r"([\d.]+) s\b", line)
    solve = min(1000 * float(told[1]) if told else 0.0, times["served"])
    return times["whole"], solve, times["served"] - solve, times["whole"] - times["served"]


def path(moves: int) -> list[tuple[str, str]]:
    """Levers and keys: budgets from 100 to 120 % and back, with weaker renewable targets at each turn."""
    found = []
    for number in range(moves):
        row, place = divmod(number, ROW + 1)
        turn = ("renewables", "ArrowLeft")
        found.append(turn if place == ROW else ("budget", "ArrowLeft" if row % 2 else "ArrowRight"))
    return found


def own_link(number: int) -> str:
    """Where a person begins: with pollutant and renewable targets of his own."""
    own = f"pollutant={100 - 5 * (number % 10)}&renewables={100 - 5 * (number // 10)}"
    return f"lang=en&case=jiangxi&{own}"


async def person(browser: Browser, address: str, moves: int, number: int) -> tuple[float, list[tuple[float, ...]]]:
    """First load [ms] and moves of one person; each begins with pollutant targets of his own."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = await context.new_page()
    begun = time.perf_counter()
    await page.goto(f"{address}/?{own_link(number)}")
    await page.locator('[data-testid="stVegaLiteChart"] svg').nth(1).wait_for(timeout=180_000)
    loaded = 1000 * (time.perf_counter() - begun)
    await asyncio.sleep(5 * THINKING)
    await page.evaluate(WATCH)
    found = []
    for lever, key in path(moves):
        found.append(await move(page, lever, key))
        await asyncio.sleep(THINKING)
    await context.close()
    return loaded, found


class Listener:
    """A person without a screen: moves levers as a browser does and hears what the server sends."""

    def __init__(self, address: str, number: int) -> None:
        self.address, self.number = address.replace("http", "ws", 1) + "/_stcore/stream", number
        self.query = own_link(number)
        self.page = ""
        self.sliders: dict[str, tuple[str, list[str], int]] = {}
        """Identifier, positions and position of each lever's slider."""

    async def act(self, moves: int) -> list[float]:
        """All moves: time from each to the end of the run of the page [ms]."""
        found = []
        async with connect(self.address, subprotocols=[Subprotocol("streamlit")], max_size=None) as wire:
            await self.ran(wire, WidgetStates())
            await asyncio.sleep(5 * THINKING)
            for lever, key in path(moves):
                name, places, place = self.sliders[lever]
                place += 1 if key == "ArrowRight" else -1
                self.sliders[lever] = name, places, place
                begun = time.perf_counter()
                state = WidgetState(id=name, string_array_value=StringArray(data=[places[place]]))
                await self.ran(wire, WidgetStates(widgets=[state]))
                found.append(1000 * (time.perf_counter() - begun))
                await asyncio.sleep(THINKING)
        if "trail=" not in self.query:
            raise RuntimeError(f"no move was heard of: {self.query}")
        return found

    async def ran(self, wire: ClientConnection, states: WidgetStates) -> None:
        """Ask for a run of the page, and hear it to its end."""
        asked = ClientState(query_string=self.query, widget_states=states, page_script_hash=self.page)
        await wire.send(BackMsg(rerun_script=asked).SerializeToString())
        while True:
            heard = ForwardMsg()
            heard.ParseFromString(bytes(await wire.recv(decode=False)))
            kind = heard.WhichOneof("type")
            if kind == "script_finished":
                return
            if kind == "navigation":
                self.page = heard.navigation.page_script_hash
            if kind == "page_info_changed":
                self.query = heard.page_info_changed.query_string
            if kind == "delta" and heard.delta.new_element.WhichOneof("type") == "slider":
                slider = heard.delta.new_element.slider
                lever = re.search(r"lever_jiangxi_(.+)_en_", slider.id)
                if lever and (lever[1] not in self.sliders or slider.set_value):
                    places = list(slider.options)
                    at = places.index(slider.raw_value[0]) if slider.set_value else int(slider.default[0])
                    self.sliders[lever[1]] = slider.id, places, at


async def crowd(address: str, people: int, moves: int) -> tuple[float, list[tuple[float, ...]], list[float]]:
    """So many people at once: first load and moves of the one with a browser, and moves of all others [ms]."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        others = [asyncio.create_task(Listener(address, number).act(moves)) for number in range(1, people)]
        loaded, found = await person(browser, address, moves, 0)
        await browser.close()
        heard = await asyncio.gather(*others)
    return loaded, found, [one for each in heard for one in each]


def percentile(values: list[float], part: float) -> float:
    """A percentile of some values."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(100 * part) - 1]


def spread(times: list[float]) -> str:
    """Median and 95th percentile; blank of none."""
    return f"{percentile(times, 0.5):,.0f} / {percentile(times, 0.95):,.0f}" if times else ""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, nargs="*", default=[1, 5, 10, 20])
    parser.add_argument("--moves", type=int, default=MOVES)
    asked = parser.parse_args()
    if chromium() is None:
        sys.exit("no Chromium on this machine")
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("From the key to the last chart, p50 / p95, and the first load; of the others to the end of the run [ms]")
    print(ROW_OF.format("people", "moves", "whole", "solve", "server", "browser", "first load", "others"))
    for people in asked.people:
        with tempfile.TemporaryDirectory() as folder:
            port, log = free_port(), Path(folder) / "log"
            options = ["--server.headless", "true", "--server.port", str(port), "--server.fileWatcherType", "none"]
            environment: dict[str, Any] = {**os.environ, "PLANNER_STORE": str(Path(folder) / "store.sqlite")}
            with log.open("wb") as stream:
                command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
                server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
                try:
                    address = f"http://127.0.0.1:{port}"
                    answers(f"{address}/_stcore/health", server, log)
                    loaded, found, heard = asyncio.run(crowd(address, people, asked.moves))
                finally:
                    server.kill()
                    server.wait(20)
        parts = [spread(list(column)) for column in zip(*found, strict=True)]
        print(ROW_OF.format(people, len(found), *parts, f"{loaded:,.0f}", spread(heard)), flush=True)
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
