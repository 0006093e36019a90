"""A small corpus in place of the bundled one, for the tests that ask for it."""

from pathlib import Path
from unittest import mock

import pytest

from ekstui.sources.corpus import Corpus
from tests.store.policies import fill_from_the_corpus
from tests.support.corpus import small_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def small_bundle(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small corpus be the bundled one: what is done with each policy is done in a tenth of the time."""
    monkeypatch.setattr(Corpus, "bundled", lambda: corpus)


@pytest.fixture(scope="module")
def filled_file(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache's file, filled with the small corpus."""
    with mock.patch.object(Corpus, "bundled", lambda: corpus):
        return fill_from_the_corpus(tmp_path_factory.mktemp("filled")).file.path
