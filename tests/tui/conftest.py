"""A cache that is filled and indexed once, so that no journey shares its processor with that work."""

import pytest


@pytest.fixture(autouse=True)
def _use_filled_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Making it takes 15 s of the processor, which only the tests that travel through the app should pay.
    if hasattr(request.module, "travel"):
        monkeypatch.setenv("EKSTUI_CACHE", str(request.getfixturevalue("filled_cache")))
