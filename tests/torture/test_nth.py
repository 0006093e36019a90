"""The n-th operation fails, a sample of it; `python -m tests.torture.nth` tries every n for ten commands and the app's starts."""

from pathlib import Path

import pytest

from tests.rig.rig import Rig
from tests.torture.nth import APP, APP_ASKING, OFFLINE, Kind, shim, tries


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "kind", "every"),
    [
        (("versions", "AmazonEKS_CNI_Policy"), "sql", 16),
        (("cache", "info"), "file", 6),
        (OFFLINE[3], "file", 10),
        pytest.param(OFFLINE[7], "memory", 20, marks=pytest.mark.skipif(not shim(), reason="there is no compiler")),
        (APP, "file", 16),
    ],
    ids=[
        "a command's statements",
        "a command's files",
        "who-can's files",
        "large buffers of explain",
        "the app's start",
    ],
)
def test_whatever_fails_the_answer_is_right_or_it_is_said(
    filled_cache: Path, words: tuple[str, ...], kind: Kind, every: int
) -> None:
    attempts = [*tries(words, kind, filled_cache, every=every)]
    print(f"{len(attempts)} tries")
    assert attempts
    assert [attempt for attempt in attempts if attempt.wrong] == []


@pytest.mark.slow
def test_whatever_call_of_the_apps_start_fails_it_is_said(filled_cache: Path, rig: Rig, own_home: Path) -> None:
    rig.reset(0)
    attempts = [*tries(APP_ASKING, "call", filled_cache, rig.environment(own_home), every=64)]
    assert attempts
    assert [attempt for attempt in attempts if attempt.wrong] == []
