"""What all tests share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor fill the cache of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
