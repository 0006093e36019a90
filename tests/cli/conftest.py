"""A cache that is filled and indexed: without it, each command that needs one would first spend 2 s on it."""

import pytest


@pytest.fixture(autouse=True)
def _has_a_filled_cache(own_filled_cache: None) -> None:
    """Give every test of commands a cache of its own; a test of what comes before it clears it."""
