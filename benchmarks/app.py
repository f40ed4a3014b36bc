"""How long a move of a lever takes on Jiangxi, from the key to the last chart, in a real browser.

    make bench-app      needs Chromium; 40 moves with 1, 5, 10 and 20 people at once, some minutes

A move is split into the solve (as the app tells it on the page, to 0.1 s), the server (until its run ends, less the
solve) and the browser (until the last mark of a chart is painted). Browser and server share this machine: with many
people the browser's own work is part of what is measured, and other work on the machine counts, so its load is told.
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

from tests.e2e.conftest import FLAGS, ROOT, answers, chromium, free_port

MOVES = 40
ROW_OF = "{:>6} | {:>5} | {:>15} | {:>15} | {:>15} | {:>15} | {:>10}"
"""Columns: people, moves, whole, solve, server, browser, first load."""
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


async def person(browser: Browser, address: str, moves: int, number: int) -> tuple[float, list[tuple[float, ...]]]:
    """First load [ms] and moves of one person; each begins with pollutant targets of his own."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = await context.new_page()
    begun = time.perf_counter()
    own = f"pollutant={100 - 5 * (number % 10)}&renewables={100 - 5 * (number // 10)}"
    await page.goto(f"{address}/?lang=en&case=jiangxi&{own}")
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


async def crowd(address: str, people: int, moves: int) -> tuple[list[float], list[tuple[float, ...]]]:
    """So many people at once, each in a context of its own."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        each = max(2, -(-moves // people))
        all_of = await asyncio.gather(*(person(browser, address, each, number) for number in range(people)))
        await browser.close()
    return [loaded for loaded, _ in all_of], [one for _, found in all_of for one in found]


def percentile(values: list[float], part: float) -> float:
    """A percentile of some values."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(100 * part) - 1]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, nargs="*", default=[1, 5, 10, 20])
    parser.add_argument("--moves", type=int, default=MOVES)
    asked = parser.parse_args()
    if chromium() is None:
        sys.exit("no Chromium on this machine")
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("From the key to the last chart, p50 / p95, and the slowest first load [ms]")
    print(ROW_OF.format("people", "moves", "whole", "solve", "server", "browser", "first load"))
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
                    loads, found = asyncio.run(crowd(address, people, asked.moves))
                finally:
                    server.kill()
                    server.wait(20)
        parts = [
            f"{percentile(values, 0.5):,.0f} / {percentile(values, 0.95):,.0f}"
            for values in (list(column) for column in zip(*found, strict=True))
        ]
        print(ROW_OF.format(people, len(found), *parts, f"{max(loads):,.0f}"), flush=True)
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
