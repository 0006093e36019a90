"""A cache that is filled and indexed once, so that no test competes with that work for the processor."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.filled import copied


@pytest.fixture(autouse=True)
def _own_filled_cache(request: pytest.FixtureRequest, own_home: Path) -> Iterator[None]:
    # Making it takes 15 s of processor time, so only tests that run the app do it.
    if not hasattr(request.module, "travel"):
        yield
        return
    cache = copied(request.getfixturevalue("filled_cache"), own_home / "cache")
    yield
    # pytest keeps the folders of three runs; 10 MB for each test is too much of that.
    shutil.rmtree(cache, ignore_errors=True)
