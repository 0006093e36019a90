"""Filling the cache from the corpus: all of it, in the corpus's order, resumable, the family first."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ekstui.core.history import PolicyHistory
from ekstui.sources.corpus import Corpus
from ekstui.store.filling import Filling, fill
from ekstui.store.policies import PolicyCache
from tests.store.policies import document, fill_from_the_corpus, history, provenance

MEGABYTE = 1_000_000

PROCESSES = 8


def test_the_filled_cache_holds_what_the_corpus_holds(tmp_path: Path) -> None:
    cache, corpus = fill_from_the_corpus(tmp_path), Corpus.bundled()
    assert cache.policies() == tuple(corpus.policies())
    assert cache.policies(family=True) == tuple(corpus.policies(family=True))
    assert cache.names() == tuple(corpus.names())
    for number, entry in enumerate(corpus.histories()):
        if number % 10 == 0:
            assert cache.history(entry.policy.name) == entry
    assert cache.database.size() < 25 * MEGABYTE


def test_filling_can_stop_after_the_family_and_go_on_later(tmp_path: Path) -> None:
    cache = PolicyCache.in_folder(tmp_path)
    histories = [history({1: (None, document("a:b"))}, name=f"P{number:04}") for number in range(400)]
    filling = Filling("digest", 7, len(histories), provenance("archive", 1))
    seen: list[int] = []
    read: list[str] = []

    def given() -> list[PolicyHistory]:
        read.append("corpus")
        return histories

    def go_on(until: int) -> bool:
        seen.clear()
        return fill(cache, filling, given, lambda stored, _: seen.append(stored), lambda: seen[-1:] == [until])

    assert not go_on(until=7)
    assert seen == [0, 7]
    assert [policy.name for policy in cache.policies()] == [f"P{number:04}" for number in range(7)]
    assert cache.policies(family=True) == cache.policies()
    assert not cache.holding().filled
    assert not go_on(until=107)
    assert go_on(until=-1)
    assert seen == [107, 207, 307, 400]
    assert cache.policies() == tuple(entry.policy for entry in histories)
    assert cache.policies(family=True) == cache.policies()[:7]
    assert cache.holding().filled
    read.clear()
    assert go_on(until=-1)
    assert not read


def test_a_corpus_that_is_newer_is_merged_into_what_is_there(tmp_path: Path) -> None:
    cache = PolicyCache.in_folder(tmp_path)

    def filled_with(digest: str, day: int, *histories: PolicyHistory) -> None:
        filling = Filling(digest, 1, len(histories), provenance("archive", day))
        assert fill(cache, filling, lambda: histories, lambda *_: None, lambda: False)

    old, new = document("a:old"), document("a:new")
    filled_with("one", 1, history({1: (None, old)}, name="A"), history({1: (None, old)}, name="B"))
    filled_with("two", 2, history({1: (None, old), 2: (None, new)}, name="B"), history({1: (None, new)}, name="C"))
    assert cache.names() == ("A", "B", "C")
    assert [policy.name for policy in cache.policies(family=True)] == ["A", "B"]
    assert cache.policy("B").default_version == 2
    assert cache.holding().corpus == "two"


@pytest.mark.slow
def test_eight_processes_that_start_on_an_empty_cache_fill_it_once(tmp_path: Path) -> None:
    program = (
        "import json, sys; from ekstui.library import Library; library = Library.open(); "
        "filled = library.fill(); print(json.dumps([filled, len(library.policies('all')), library.notices()]))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"EKSTUI_CACHE": str(tmp_path), "PATH": "/usr/bin"},
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert json.loads(output) == [True, 1594, []], errors
    cache = PolicyCache.in_folder(tmp_path)
    assert cache.policies() == tuple(Corpus.bundled().policies())
