"""How the store merges what several sources deliver, and that it has what the corpus has."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui.change.policy import Authority, VersionInfo
from ekstui.sources.corpus import Corpus
from ekstui.store.objects import AbsentCacheError
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, State, pack
from tests.store.policies import document, fill_from_the_corpus, history, moment, provenance, store_history
from tests.support.corpus import small_corpus
from tests.support.patience import PATIENCE

MEGABYTE = 1_000_000

PROCESSES = 8

A, B = document("ec2:A"), document("ec2:B")
B_SPELLED_OTHERWISE = b" " + B.replace(b": ", b":")


@pytest.fixture
def store(tmp_path: Path) -> PolicyStore:
    store = PolicyStore.in_folder(tmp_path)
    store_history(store, history({1: (moment(1), A), 2: (None, B)}), "archive", 10)
    return store


def test_the_filled_store_has_what_the_corpus_has(filled_cache: Path) -> None:
    store, corpus = PolicyStore.in_folder(filled_cache), Corpus.bundled()
    assert store.policies() == tuple(corpus.policies())
    assert store.policies("eks") == tuple(corpus.policies("eks"))
    assert store.names() == tuple(corpus.names())
    for number, entry in enumerate(corpus.histories()):
        if number % 10 == 0:
            assert store.history(entry.policy.name) == entry
    manifest = corpus.manifest()
    assert store.verify() == (manifest.policies, manifest.versions)
    # Its index is a megabyte and a half of that.
    assert store.file.size() < 11.5 * MEGABYTE


def test_what_is_put_in_comes_out(store: PolicyStore) -> None:
    assert store.history("P") == history({1: (moment(1), A), 2: (None, B)})
    assert store.text("P", 2) == B


def test_putting_the_same_in_again_changes_nothing(store: PolicyStore) -> None:
    assert store_history(store, history({1: (moment(1), A), 2: (None, B_SPELLED_OTHERWISE)}), "archive", 11) is None
    assert store.text("P", 2) == B


def test_a_new_version_of_a_newer_source_becomes_the_default(store: PolicyStore) -> None:
    store_end = store_history(store, history({3: (moment(11), A)}), "aws", 12)
    assert store_end
    assert store_end.new_versions == (3,)
    assert store.policy("P").default_version == 3
    assert store.policy("P").versions == (VersionInfo(1, moment(1)), VersionInfo(2, None), VersionInfo(3, moment(11)))


def test_an_older_source_adds_versions_but_neither_chooses_the_default_nor_turns_back_what_is_known(
    store: PolicyStore,
) -> None:
    store_history(store, history({3: (moment(11), A)}), "aws", 12)
    store_end = store_history(store, history({1: (moment(1), A), 4: (moment(5), B)}, default=1), "archive", 9)
    assert store_end
    assert store_end.new_versions == (4,)
    assert store.policy("P").default_version == 3
    assert (store.state().source, store.state().known_until) == ("aws 12", moment(12))


def test_an_archives_other_document_for_a_version_is_reported_and_not_taken(store: PolicyStore) -> None:
    store_end = store_history(store, history({2: (None, A)}), "archive", 20)
    assert store_end
    assert store_end.conflicts == (2,)
    assert store.text("P", 2) == B


def test_awss_other_document_for_a_version_is_reported_and_taken(store: PolicyStore) -> None:
    store_end = store_history(store, history({2: (None, A)}), "aws", 20)
    assert store_end
    assert store_end.conflicts == (2,)
    assert store.text("P", 2) == A


def test_a_time_fills_a_gap_and_only_awss_replaces_another(store: PolicyStore) -> None:
    store_history(store, history({1: (moment(2), A), 2: (moment(3), B)}), "archive", 20)
    assert store.policy("P").versions == (VersionInfo(1, moment(1)), VersionInfo(2, moment(3)))
    store_history(store, history({1: (moment(2), A), 2: (moment(4), B)}), "aws", 20)
    assert store.policy("P").versions == (VersionInfo(1, moment(2)), VersionInfo(2, moment(4)))
    store_history(store, history({1: (None, A), 2: (None, B)}), "aws", 21)
    assert store.policy("P").versions == (VersionInfo(1, moment(2)), VersionInfo(2, moment(4)))


def test_awss_default_is_taken_although_the_clock_went_back(store: PolicyStore) -> None:
    store_history(store, history({3: (moment(11), A)}), "aws", 20)
    store_history(store, history({4: (moment(12), B)}), "aws", 2)
    assert store.policy("P").default_version == 4


def test_a_policy_that_aws_lists_again_is_no_longer_withdrawn_and_an_archive_cannot_say_so(store: PolicyStore) -> None:
    store_history(store, history({1: (moment(1), A)}, name="Q"), "aws", 11, "P")
    assert store.policy("P").withdrawn
    store_history(store, history({3: (moment(12), A)}), "archive", 12)
    assert store.policy("P").withdrawn
    store_history(store, history({3: (moment(12), A)}), "aws", 13)
    assert not store.policy("P").withdrawn


def test_a_sync_is_undone_as_a_whole_and_once(store: PolicyStore) -> None:
    before = store.state(), store.policies(), store.history("P")
    store_history(store, history({2: (None, A), 3: (moment(11), B)}), "aws", 12)
    store_history(store, history({1: (moment(1), A)}, name="Q"), "aws", 13, "P")
    after_one = PolicyStore.in_folder(store.file.path.parent)
    store.undo()
    assert store.names() == ("P",)
    assert (store.text("P", 2), store.policy("P").default_version) == (A, 3)
    assert store.undo() is None  # the last sync alone is kept
    store_history(store, history({4: (moment(14), A)}), "aws", 14)
    store.undo()
    assert after_one.policies() == store.policies()
    assert before[1] != store.policies()


def test_what_is_put_in_for_good_leaves_nothing_to_undo(store: PolicyStore) -> None:
    """After an update of ekstui the new corpus is merged in; to undo the sync before that would take it away again."""
    store_history(store, history({3: (moment(11), A)}), "aws", 12)
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
        origin = provenance(authority, 10)._replace(source=name)
        store.put([pack(history({1: (moment(1), A)}))], DeliveryInfo(origin, moment(10)))
    assert (store.state().source, store.state().known_until) == (source, moment(10))


def test_collections_are_kept_apart(store: PolicyStore) -> None:
    china = PolicyStore(store.file, "aws-cn")
    with pytest.raises(AbsentCacheError):
        china.names()
    store_history(china, history({1: (None, B)}), "aws", 3)
    assert (china.text("P", 1), store.text("P", 1)) == (B, A)
    china.undo()
    assert store.names() == ("P",)


def test_a_newer_corpus_is_merged_into_what_is_there(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    for digest, day, names in (("one", 1, "AB"), ("two", 2, "BC")):
        histories = [pack(history({day: (None, A)}, name=name)) for name in names]
        store.put(histories, DeliveryInfo(provenance("archive", day), moment(day), corpus=digest), tuple(names[:1]))
    assert store.names() == ("B", "A", "C")
    assert [policy.name for policy in store.policies("eks")] == ["B"]
    assert (store.policy("B").default_version, store.state().corpus) == (2, "two")


_EIGHT = f"""
import json, os, sys
from pathlib import Path
from ekstui.library import Library
from ekstui.library.maintenance import fill_cache
from ekstui.sources.corpus import Corpus
from ekstui.store.policy_store import PolicyStore

corpus, cache = map(Path, sys.argv[1:])
waiting, start = os.pipe()
for _ in range({PROCESSES}):
    if not os.fork():
        os.close(start)
        os.read(waiting, 1)
        library = Library(Corpus(corpus), PolicyStore.in_folder(cache))
        answer = fill_cache(library), len(library.policies("all")), library.notices()
        os.write(1, json.dumps(answer).encode() + b"\\n")
        os._exit(0)
os.close(start)
for _ in range({PROCESSES}):
    os.wait()
"""
"""A process that has imported ekstui and forks; its children begin together."""


def test_eight_processes_that_start_on_an_empty_cache_fill_it_once(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    corpus = small_corpus(tmp_path / "corpus")
    command = [sys.executable, "-c", _EIGHT, str(tmp_path / "corpus"), str(tmp_path / "cache")]
    ran = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == PROCESSES, ran.stderr
    for is_filled, count, notices in answers:
        # Whoever waits too long for the one that fills says so, and answers from the corpus.
        assert (count, is_filled) == (corpus.manifest().policies, not notices)
    assert PolicyStore.in_folder(tmp_path / "cache").policies() == tuple(corpus.policies())


BEFORE = State("before", moment(5), synced_at=moment(6), corpus="abc", endpoints=("http://a",))


@pytest.mark.parametrize(
    ("authority", "known_until", "source", "until"),
    [
        ("archive", moment(6), "archive 9", moment(6)),
        # Of sources that know as much, AWS answers; none turns back what is known.
        ("archive", moment(5), "before", moment(5)),
        ("aws", moment(5), "aws 9", moment(5)),
        ("aws", moment(4), "before", moment(5)),
        ("aws", None, "before", moment(5)),
    ],
)
def test_what_a_delivery_tells_of_the_whole(
    authority: Authority, known_until: datetime | None, source: str, until: datetime
) -> None:
    delivery = DeliveryInfo(provenance(authority, 9), known_until)
    after = delivery.applied_to(BEFORE)
    assert (after.source, after.known_until) == (source, until)
    # What it does not tell stays.
    assert (after.synced_at, after.corpus, after.endpoints) == (moment(6), "abc", ("http://a",))
    state = delivery._replace(synced_at=moment(7), corpus="", endpoint="http://b").applied_to(BEFORE)
    assert (state.synced_at, state.corpus, state.endpoints) == (moment(7), "", ("http://a", "http://b"))
    assert delivery._replace(endpoint="http://a").applied_to(BEFORE).endpoints == ("http://a",)
    first = delivery.applied_to(None)
    assert first.source == f"{authority} 9"
    assert first.known_until == (known_until or datetime.min.replace(tzinfo=UTC))


def test_policies_are_listed_the_family_first_and_the_others_by_name_in_chunks(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    names = [f"P{number:03}" for number in range(140)]
    source = DeliveryInfo(provenance("archive", 9), moment(9))
    store.put(
        [pack(history({1: (moment(1), A)}, name=name)) for name in reversed(names)], source, ("P100", "Gone", "P005")
    )
    others = [name for name in names if name not in ("P100", "P005")]
    assert store.names() == ("P100", "P005", *others)
    assert [policy.name for policy in store.policies("eks")] == ["P100", "P005"]
    assert [len(chunk) for _, chunk in store.state().chunks] == [2, 64, 64, 10]
    # A later delivery without an order of its own keeps that of the family.
    store_history(store, history({1: (moment(1), A)}, name="A"), "aws", 10)
    assert store.names() == ("P100", "P005", "A", *others)
    assert [entry.policy.name for entry in store.named(["P003", "P100"])] == ["P003", "P100"]
    assert [history.policy.name for history in store.histories_of(["P003", "P100"])] == ["P003", "P100"]
    assert store.of("aws-cn").collection == "aws-cn"
    with pytest.raises(AbsentCacheError):
        store.of("aws-cn").names()


def test_documents_that_are_asked_for_one_after_the_other_are_the_right_ones(tmp_path: Path) -> None:
    store = PolicyStore.in_folder(tmp_path)
    texts = {number: document(f"s3:Get{number}") for number in range(1, 40)}
    store_history(store, history({number: (moment(1), text) for number, text in texts.items()}), "aws", 9)
    (stored_policy,) = store.histories()
    assert (len(stored_policy.texts), list(stored_policy.texts)) == (39, list(texts))
    for number in (20, 19, 11, 10, 1, 39, 38, 25):
        assert stored_policy.texts[number] == texts[number]
    with pytest.raises(KeyError):
        stored_policy.texts[40]
    assert dict(next(iter(store.histories()))[1]) == texts


def test_a_first_delivery_that_is_not_whole_is_readable_like_any_other(tmp_path: Path) -> None:
    """An interrupted first sync of another partition left a time that could not be read, so the file seemed damaged."""
    store = fill_from_the_corpus(tmp_path, family=True)
    china = store.of("aws-cn")
    china.put([pack(history({1: (moment(1), A)}))], DeliveryInfo(provenance("aws", 9), None))
    reopened_store = PolicyStore(store.file, "aws-cn")
    assert reopened_store.state().known_until == datetime.min.replace(tzinfo=UTC)
    assert [policy.name for policy in reopened_store.policies()] == ["P"]
    china.put([], DeliveryInfo(provenance("aws", 10), moment(10)))
    assert PolicyStore(store.file, "aws-cn").state().known_until == moment(10)
    assert PolicyStore(store.file).names() == store.names()
