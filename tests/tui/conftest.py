"""A cache that is filled and indexed once, so that no journey shares its processor with that work."""

from pathlib import Path

import pytest

from ekstui.cache.policies import PolicyCache
from ekstui.library.store import Store
from ekstui.sources.corpus import Corpus


@pytest.fixture(scope="session")
def filled_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a filled and indexed cache."""
    folder = tmp_path_factory.mktemp("filled-cache")
    store = Store(Corpus.bundled(), PolicyCache.in_folder(folder))
    assert store.fill(lambda *_: None, lambda: False)
    assert store.index(lambda *_: None, lambda: False)
    return folder


@pytest.fixture(autouse=True)
def _use_filled_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Making it takes 15 s of the processor, which only the tests that travel through the app should pay.
    if hasattr(request.module, "travel"):
        monkeypatch.setenv("EKSTUI_CACHE", str(request.getfixturevalue("filled_cache")))
