"""The n-th operation fails, a sample of it; `python -m tests.torture.nth` tries every n for ten commands and the app's start."""

from pathlib import Path

import pytest

from tests.torture.nth import APP, Kind, tries


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "kind", "every"),
    [(("versions", "AmazonEKS_CNI_Policy"), "sql", 8), (("cache", "info"), "file", 3), (APP, "file", 8)],
    ids=["a command's statements", "a command's files", "the app's start"],
)
def test_whatever_fails_the_answer_is_right_or_it_is_said(
    filled_cache: Path, words: tuple[str, ...], kind: Kind, every: int
) -> None:
    found = [*tries(words, kind, filled_cache, every=every)]
    print(f"{len(found)} tries")
    assert found
    assert [each for each in found if each.wrong] == []
