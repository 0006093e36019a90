"""A cache that is filled and indexed once, so that no test competes with that work for the processor."""

import pytest


@pytest.fixture(autouse=True)
def _use_filled_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Making it takes 15 s of processor time, so only tests that run the app do it.
    if hasattr(request.module, "travel"):
        monkeypatch.setenv("EKSTUI_CACHE", str(request.getfixturevalue("filled_cache")))
