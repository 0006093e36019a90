"""A cache that is filled and indexed once, so that no test competes with that work for the processor."""

import pytest

from tests.support import idle

idle.wait_for_work_instead_of_time()


@pytest.fixture(autouse=True)
def _has_a_filled_cache(request: pytest.FixtureRequest) -> None:
    """Give every test that runs the app a cache of its own."""
    if {"travel", "EkstuiApp"} & vars(request.module).keys():
        request.getfixturevalue("own_filled_cache")


@pytest.fixture
def toasts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the sentences that the app shows in toasts, which are gone after seconds."""
    from ekstui.tui.app import EkstuiApp

    sentences: list[str] = []
    monkeypatch.setattr(EkstuiApp, "notify", lambda _, sentence, **__: sentences.append(sentence))
    return sentences
