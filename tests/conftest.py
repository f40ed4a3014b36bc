"""What all tests share."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from planner.case import Case
    from planner.plan import Plan


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor fill the cache of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "AppTest":
    """The app on the tutorial, in a browser and with a store of its own."""
    from screens import another

    monkeypatch.setenv("PLANNER_CASE", "tutorial")
    monkeypatch.setenv("PLANNER_STORE", str(tmp_path / "store.sqlite"))
    return another()


@pytest.fixture(scope="session")
def small() -> "Case":
    """A case of one measure and one cap."""
    import toy

    return toy.case(targets="target kind quantity sense value first_year\ncap level q <= 95 2023")


@pytest.fixture(scope="session")
def plan(small: "Case") -> "Plan":
    """Its plan."""
    from planner.plan import solve

    return solve(small)
