"""A server of its own, a real Chromium, and visitors who note console errors and requests off the machine."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from planner.text import LANGUAGES, t

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
PATIENCE = 90_000
"""How long a state is waited for [ms]."""
COST = re.compile("|".join(re.escape(t("ui.figure.cost", lang)) for lang in LANGUAGES))
BELOW = re.compile(r"/\w+/_stcore/(health|host-config)$")
"""Where Streamlit looks for its server when a page other than the first is opened by its address."""
ABSENT = "no Chromium on this machine: `make e2e` as root installs it"


def chromium() -> str | None:
    """The browser that the system has."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if chromium() is None:
        if os.environ.get("CI") == "true":
            pytest.exit(ABSENT, returncode=1)
        for item in items:
            item.add_marker(pytest.mark.skip(reason=ABSENT))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the app answers."""
    folder = tmp_path_factory.mktemp("app")
    port = free_port()
    environment = {**os.environ, "PLANNER_STORE": str(folder / "store.sqlite"), "PLANNER_CASE": "tutorial"}
    options = {"server.headless": "true", "server.port": str(port), "server.showEmailPrompt": "false"}
    options["server.fileWatcherType"] = "none"
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            here = f"http://127.0.0.1:{port}"
            answers(f"{here}/_stcore/health", server, folder / "log")
            yield here
        finally:
            server.terminate()
            server.wait(20)
        told = (folder / "log").read_text(errors="replace").split("Traceback")
        own = [fault for fault in told[1:] if "/planner/" in fault or "/app.py" in fault]  # not of a visitor who left
        assert not own, own[0][-4000:]


def answers(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server is there."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.exit(f"the app ended at once:\n{log.read_text()}", returncode=1)
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.exit(f"the app does not answer:\n{log.read_text()}", returncode=1)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
    yield found
    found.close()


@dataclass
class Visitor:
    """Somebody with a browser of their own."""

    context: BrowserContext
    page: Page
    address: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, query: str = "lang=zh", page: str = "") -> "Visitor":
        """Open the app, or a page of it; that is on screen afterwards."""
        self.page.goto(f"{self.address}/{page}?{query}")
        return self.settled()

    def settled(self) -> "Visitor":
        """After the app has drawn all of the page."""
        expect(self.page.locator("h1").first).to_be_visible()
        expect(self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_attached()
        expect(self.page.locator('[data-stale="true"]')).to_have_count(0)
        expect(self.page.locator('[data-testid="stException"]')).to_have_count(0)
        return self

    def key(self, key: str) -> Locator:
        """Part of the page by its key."""
        return self.page.locator(f".st-key-{key}")

    def press(self, key: str) -> None:
        """Press a button."""
        self.key(key).locator("button").first.click()

    def press_until(self, key: str, there: Locator, text: str) -> None:
        """Press a button until a place says something, as people do: one press may be lost while the page is drawn."""
        button = self.key(key).locator("button").first
        for _ in range(3):
            if button.is_enabled():
                button.click()
            try:
                expect(there).to_have_text(text, timeout=PATIENCE / 5)
            except AssertionError:
                continue
            return
        expect(there).to_have_text(text)

    def to(self, title: str) -> "Visitor":
        """Go to another page."""
        self.page.locator('[data-testid="stTopNavLink"]', has_text=re.compile(rf"{re.escape(title)}$")).first.click()
        return self.settled()

    @property
    def figures(self) -> list[str]:
        """The headline."""
        return self.key("headline").locator('[data-testid="stMetricValue"]').all_inner_texts()

    def cost(self) -> Locator:
        """The cost in the headline, found by its label: while a page is drawn another number may stand in its place."""
        figure = self.key("headline").locator('[data-testid="stMetric"]', has_text=COST)
        return figure.locator('[data-testid="stMetricValue"]')

    def move(self, lever: str, presses: int) -> None:
        """Move a lever by so many steps (left below zero), as with the arrow keys."""
        slider = self.page.locator(f'[class*="st-key-{lever}_"]')  # another takes its place after an undo
        handle = slider.locator('input[type="range"], [role="slider"]').first
        handle.focus()
        for _ in range(abs(presses)):
            self.page.keyboard.press("ArrowRight" if presses > 0 else "ArrowLeft")


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Makes visitors; at the end none of them has seen an error or a request off the machine."""
    made: list[Visitor] = []

    def visitor(locale: str = "zh-CN", **options: object) -> Visitor:
        size = {"viewport": {"width": 1440, "height": 900}, "accept_downloads": True}
        context = browser.new_context(**{"locale": locale, **size, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        found = Visitor(context, context.new_page(), address)
        found.page.on("console", lambda said: told(said, found))
        found.page.on("pageerror", lambda fault: found.errors.append(str(fault)))
        context.on("request", lambda asked: outside(asked.url, found))
        made.append(found)
        return found

    expect.set_options(timeout=PATIENCE)
    yield visitor
    for one in made:
        one.context.close()
    assert not [error for one in made for error in one.errors]
    assert not [url for one in made for url in one.outside]


def told(said: ConsoleMessage, visitor: Visitor) -> None:
    """Note an error; not that Streamlit looks for its server below the address of a page before it looks above."""
    if said.type == "error" and not BELOW.search(said.location["url"]):
        visitor.errors.append(said.text)


def outside(url: str, visitor: Visitor) -> None:
    """Note a request that leaves the machine."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
        visitor.outside.append(url)


@pytest.fixture
def here(visit: Visit) -> Visitor:
    """A visitor of the tutorial, in Chinese."""
    return visit().open()
