"""How the store merges what several sources deliver, and that it has what the corpus has."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ekstui.core.policy import Authority, VersionInfo
from ekstui.sources.corpus import Corpus
from ekstui.store.objects import AbsentCacheError
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, pack
from tests.store.policies import document, fill_from_the_corpus, history, moment, provenance, put

MEGABYTE = 1_000_000

PROCESSES = 8

A, B = document("ec2:A"), document("ec2:B")
B_SPELLED_OTHERWISE = b" " + B.replace(b": ", b":")


@pytest.fixture
def store(tmp_path: Path) -> PolicyStore:
    store = PolicyStore.in_folder(tmp_path)
    put(store, history({1: (moment(1), A), 2: (None, B)}), "archive", 10)
    return store


def test_the_filled_store_has_what_the_corpus_has(tmp_path: Path) -> None:
    store, corpus = fill_from_the_corpus(tmp_path), Corpus.bundled()
    assert store.policies() == tuple(corpus.policies())
    assert store.policies("eks") == tuple(corpus.policies("eks"))
    assert store.names() == tuple(corpus.names())
    for number, entry in enumerate(corpus.histories()):
        if number % 10 == 0:
            assert store.history(entry.policy.name) == entry
    manifest = corpus.manifest()
    assert store.verify() == (manifest.policies, manifest.versions)
    assert store.file.size() < 10 * MEGABYTE


def test_what_is_put_in_comes_out(store: PolicyStore) -> None:
    assert store.history("P") == history({1: (moment(1), A), 2: (None, B)})
    assert store.text("P", 2) == B


def test_putting_the_same_in_again_changes_nothing(store: PolicyStore) -> None:
    assert put(store, history({1: (moment(1), A), 2: (None, B_SPELLED_OTHERWISE)}), "archive", 11) is None
    assert store.text("P", 2) == B


def test_a_new_version_of_a_newer_source_becomes_the_default(store: PolicyStore) -> None:
    stored = put(store, history({3: (moment(11), A)}), "aws", 12)
    assert stored
    assert stored.new_versions == (3,)
    assert store.policy("P").default_version == 3
    assert store.policy("P").versions == (VersionInfo(1, moment(1)), VersionInfo(2, None), VersionInfo(3, moment(11)))


def test_an_older_source_adds_versions_but_neither_chooses_the_default_nor_turns_back_what_is_known(
    store: PolicyStore,
) -> None:
    put(store, history({3: (moment(11), A)}), "aws", 12)
    stored = put(store, history({1: (moment(1), A), 4: (moment(5), B)}, default=1), "archive", 9)
    assert stored
    assert stored.new_versions == (4,)
    assert store.policy("P").default_version == 3
    assert (store.state().source, store.state().known_until) == ("aws 12", moment(12))


def test_an_archives_other_document_for_a_version_is_reported_and_not_taken(store: PolicyStore) -> None:
    stored = put(store, history({2: (None, A)}), "archive", 20)
    assert stored
    assert stored.conflicts == (2,)
    assert store.text("P", 2) == B


def test_awss_other_document_for_a_version_is_reported_and_taken(store: PolicyStore) -> None:
    stored = put(store, history({2: (None, A)}), "aws", 20)
    assert stored
    assert stored.conflicts == (2,)
    assert store.text("P", 2) == A


def test_a_time_fills_a_gap_and_only_awss_replaces_another(store: PolicyStore) -> None:
    put(store, history({1: (moment(2), A), 2: (moment(3), B)}), "archive", 20)
    assert store.policy("P").versions == (VersionInfo(1, moment(1)), VersionInfo(2, moment(3)))
    put(store, history({1: (moment(2), A), 2: (moment(4), B)}), "aws", 20)
    assert store.policy("P").versions == (VersionInfo(1, moment(2)), VersionInfo(2, moment(4)))
    put(store, history({1: (None, A), 2: (None, B)}), "aws", 21)
    assert store.policy("P").versions == (VersionInfo(1, moment(2)), VersionInfo(2, moment(4)))


def test_awss_default_is_taken_although_the_clock_went_back(store: PolicyStore) -> None:
    put(store, history({3: (moment(11), A)}), "aws", 20)
    put(store, history({4: (moment(12), B)}), "aws", 2)
    assert store.policy("P").default_version == 4


def test_a_policy_that_aws_lists_again_is_no_longer_withdrawn_and_an_archive_cannot_say_so(store: PolicyStore) -> None:
    put(store, history({1: (moment(1), A)}, name="Q"), "aws", 11, "P")
    assert store.policy("P").withdrawn
    put(store, history({3: (moment(12), A)}), "archive", 12)
    assert store.policy("P").withdrawn
    put(store, history({3: (moment(12), A)}), "aws", 13)
    assert not store.policy("P").withdrawn


def test_a_sync_is_undone_as_a_whole_and_once(store: PolicyStore) -> None:
    before = store.state(), store.policies(), store.history("P")
    put(store, history({2: (None, A), 3: (moment(11), B)}), "aws", 12)
    put(store, history({1: (moment(1), A)}, name="Q"), "aws", 13, "P")
    after_one = PolicyStore.in_folder(store.file.path.parent)
    store.undo()
    assert store.names() == ("P",)
    assert (store.text("P", 2), store.policy("P").default_version) == (A, 3)
    assert store.undo() is None  # the last sync alone is kept
    put(store, history({4: (moment(14), A)}), "aws", 14)
    store.undo()
    assert after_one.policies() == store.policies()
    assert before[1] != store.policies()


def test_what_is_put_in_for_good_leaves_nothing_to_undo(store: PolicyStore) -> None:
    """After an update of ekstui the new corpus is merged in; to undo the sync before that would take it away again."""
    put(store, history({3: (moment(11), A)}), "aws", 12)
    store.put([pack(history({1: (moment(1), A)}, name="Q"))], DeliveryInfo(provenance("archive", 13), moment(13)))
    assert store.undo() is None
    assert store.names() == ("P", "Q")


@pytest.mark.parametrize(
    ("first", "then", "source"),
    [("archive", "archive", "first"), ("aws", "archive", "first"), ("archive", "aws", "then"), ("aws", "aws", "then")],
)
def test_of_sources_that_know_as_much_aws_answers_else_the_one_that_was_there(
    tmp_path: Path, first: Authority, then: Authority, source: str
) -> None:
    """An archive that brings nothing newer is not where what is known comes from."""
    store = PolicyStore.in_folder(tmp_path)
    for name, authority in (("first", first), ("then", then)):
        given = provenance(authority, 10)._replace(source=name)
        store.put([pack(history({1: (moment(1), A)}))], DeliveryInfo(given, moment(10)))
    assert (store.state().source, store.state().known_until) == (source, moment(10))


def test_collections_are_kept_apart(store: PolicyStore) -> None:
    china = PolicyStore(store.file, "aws-cn")
    with pytest.raises(AbsentCacheError):
        china.names()
    put(china, history({1: (None, B)}), "aws", 3)
    assert (china.text("P", 1), store.text("P", 1)) == (B, A)
    china.undo()
    assert store.names() == ("P",)


def test_a_newer_corpus_is_merged_into_what_is_there(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    for digest, day, names in (("one", 1, "AB"), ("two", 2, "BC")):
        given = [pack(history({day: (None, A)}, name=name)) for name in names]
        store.put(given, DeliveryInfo(provenance("archive", day), moment(day), corpus=digest), tuple(names[:1]))
    assert store.names() == ("B", "A", "C")
    assert [policy.name for policy in store.policies("eks")] == ["B"]
    assert (store.policy("B").default_version, store.state().corpus) == (2, "two")


@pytest.mark.slow
def test_eight_processes_that_start_on_an_empty_cache_fill_it_once(tmp_path: Path) -> None:
    program = (
        "import json, sys; from ekstui.library import Library; "
        "from ekstui.library.maintenance import fill_cache; library = Library.open(); "
        "filled = fill_cache(library); print(json.dumps([filled, len(library.policies('all')), library.notices()]))"
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
        filled, count, notices = json.loads(output)
        # Whoever waits too long for the one that fills says so, and answers from the corpus.
        assert (count, filled) == (1594, not notices), errors
    assert PolicyStore.in_folder(tmp_path).policies() == tuple(Corpus.bundled().policies())
