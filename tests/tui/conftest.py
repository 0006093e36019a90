"""A cache that is filled and indexed once, so that no test competes with that work for the processor."""

import pytest

from tests.support import idle

idle.wait_for_work_instead_of_time()


@pytest.fixture(autouse=True)
def _has_a_filled_cache(request: pytest.FixtureRequest) -> None:
    """Give every test that runs the app a cache of its own."""
    if {"travel", "EkstuiApp"} & vars(request.module).keys():
        request.getfixturevalue("own_filled_cache")
