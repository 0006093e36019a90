"""A snapshot is readable by its owner alone, comes back equal, and never under another account or partition."""

import errno
import os
import random
import sqlite3
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from ekstui.store import accounts
from ekstui.store.accounts import StoreError, clear, keep_profile, load, place_of, store, store_place, stored
from ekstui.store.objects import ObjectFile
from tests.support.accounts import WHEN, snapshot

FIRST, SECOND = "111122223333", "444455556666"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "accounts"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_snapshot_comes_back_equal(folder: Path) -> None:
    assert load(folder, "aws", FIRST) is None
    store(folder, snapshot(), "digest")
    assert load(folder, "aws", FIRST) == snapshot()
    store(folder, snapshot()._replace(roles=(), complete=False))
    assert load(folder, "aws", FIRST) == snapshot()._replace(roles=(), complete=False)


def test_accounts_and_partitions_do_not_mix(folder: Path) -> None:
    store(folder, snapshot(FIRST), "a")
    store(folder, snapshot(FIRST, "aws-cn")._replace(roles=()), "b")
    assert load(folder, "aws", SECOND) is None
    assert load(folder, "aws-us-gov", FIRST) is None
    assert load(folder, "aws", FIRST) == snapshot(FIRST)
    assert {(entry.partition, entry.account, entry.caller) for entry in stored(folder)} == {
        ("aws", FIRST, "a"),
        ("aws-cn", FIRST, "b"),
    }
    (folder / f"aws-{FIRST}.db").replace(folder / f"aws-{SECOND}.db")
    assert load(folder, "aws", SECOND) is None
    assert [entry.partition for entry in stored(folder)] == ["aws-cn"]


def test_only_the_owner_can_read(folder: Path) -> None:
    before = os.umask(0)
    try:
        store(folder, snapshot())
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    assert mode(folder / f"aws-{FIRST}.db") == 0o600
    folder.chmod(0o755)
    (folder / f"aws-{FIRST}.db").chmod(0o644)
    store(folder, snapshot())
    assert (mode(folder), mode(folder / f"aws-{FIRST}.db")) == (0o700, 0o600)


def test_links_are_refused(folder: Path, tmp_path: Path) -> None:
    other_folder = tmp_path / "elsewhere"
    other_folder.mkdir()
    folder.parent.mkdir()
    folder.symlink_to(other_folder)
    for action in (lambda: store(folder, snapshot()), lambda: load(folder, "aws", FIRST), lambda: clear(folder)):
        with pytest.raises(StoreError, match=r"link|regular file|not a folder"):
            action()
    folder.unlink()
    store(folder, snapshot())
    target = tmp_path / "target.db"
    (folder / f"aws-{FIRST}.db").replace(target)
    (folder / f"aws-{FIRST}.db").symlink_to(target)
    with pytest.raises(StoreError, match=r"link|regular file|not a folder"):
        load(folder, "aws", FIRST)
    with pytest.raises(StoreError, match=r"link|regular file|not a folder"):
        store(folder, snapshot())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_someone_else_is_refused(folder: Path) -> None:
    store(folder, snapshot())
    os.chown(folder, 12345, 12345)
    with pytest.raises(StoreError, match="someone else"):
        load(folder, "aws", FIRST)


def test_a_corrupt_file_is_replaced(folder: Path) -> None:
    store(folder, snapshot())
    path = folder / f"aws-{FIRST}.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot be read"):
        load(folder, "aws", FIRST)
    assert stored(folder) == ()
    store(folder, snapshot())
    assert load(folder, "aws", FIRST) == snapshot()
    assert mode(path) == 0o600


def test_a_record_of_another_release_is_not_half_read(folder: Path) -> None:
    store(folder, snapshot())
    file = ObjectFile(folder / f"aws-{FIRST}.db", private=True)
    with file.writing() as draft:
        head = draft.root()
        name = draft.put_value({**draft.value(head["snapshot"]), "novel": 1})
        draft.set_root({**head, "snapshot": name}, {name})
    with pytest.raises(StoreError, match="did not write"):
        load(folder, "aws", FIRST)


def test_a_flipped_bit_in_a_snapshot_never_loads_as_another_account(folder: Path) -> None:
    """Of an earlier file, 27 in a hundred flips did: 6 roles for 7, and called complete."""
    store(folder, snapshot())
    path, chance = folder / f"aws-{FIRST}.db", random.Random(3)
    content = path.read_bytes()
    for _ in range(300):
        changed_content = bytearray(content)
        changed_content[chance.randrange(len(changed_content))] ^= 1 << chance.randrange(8)
        path.write_bytes(changed_content)
        try:
            assert load(folder, "aws", FIRST) == snapshot()
        except StoreError:
            continue


def test_a_file_of_a_newer_ekstui_is_left_alone(folder: Path) -> None:
    store(folder, snapshot())
    path = folder / f"aws-{FIRST}.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer"):
        store(folder, snapshot())
    with pytest.raises(StoreError, match="newer"):
        load(folder, "aws", FIRST)
    assert path.read_bytes() == before


def test_a_reader_sees_one_snapshot_while_others_write(folder: Path) -> None:
    small_snapshot, large = snapshot()._replace(roles=()), snapshot()
    store(folder, small_snapshot)

    def write() -> None:
        for number in range(40):
            store(folder, large if number % 2 else small_snapshot)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        assert load(folder, "aws", FIRST) in (small_snapshot, large)
    writer.join()


def test_a_folder_that_cannot_be_written_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    store(folder, snapshot())
    (folder / f"aws-{FIRST}.db").chmod(0o644)
    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StoreError, match="Read-only"):
        load(folder, "aws", FIRST)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StoreError, match="Read-only"):
        clear(folder)


def test_clear_deletes_the_files(folder: Path) -> None:
    store(folder, snapshot(FIRST))
    store(folder, snapshot(SECOND)._replace(fetched_at=WHEN.replace(hour=13)))
    assert [entry.account for entry in stored(folder)] == [SECOND, FIRST]
    clear(folder, SECOND)
    assert {path.name for path in folder.iterdir()} == {f"aws-{FIRST}.db", f".aws-{FIRST}.db.lock"}
    clear(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("account", ["../x", "1111/2222", "", "x y"])
def test_an_account_is_not_a_path(folder: Path, account: str) -> None:
    folder.mkdir(parents=True)
    with pytest.raises(StoreError, match="is not an account"):
        load(folder, "aws", account)


def test_what_was_open_is_kept_with_the_snapshot_of_that_time_alone(folder: Path) -> None:
    store_place(folder, "aws", FIRST, "t", "roles")
    assert (place_of(folder, "aws", FIRST, "t"), load(folder, "aws", FIRST)) == ("", None)
    store(folder, snapshot())
    store_place(folder, "aws", SECOND, "t", "roles")
    assert load(folder, "aws", SECOND) is None
    store_place(folder, "aws", FIRST, "t", "roles")
    assert [place_of(folder, "aws", FIRST, at) for at in ("t", "u")] == ["roles", ""]
    assert place_of(folder, "aws", SECOND, "t") == ""
    assert load(folder, "aws", FIRST) == snapshot()
    store(folder, snapshot())
    assert place_of(folder, "aws", FIRST, "t") == ""


def test_profiles_that_were_seen_last_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST_PROFILES", 2)
    store(folder, snapshot(), "digest", profile="first")
    keep_profile(folder, "aws", FIRST, "second", WHEN + timedelta(minutes=1))
    keep_profile(folder, "aws", FIRST, "first", WHEN + timedelta(minutes=2))
    keep_profile(folder, "aws", FIRST, "third", WHEN + timedelta(minutes=3))
    (entry,) = stored(folder)
    assert set(entry.profiles) == {"first", "third"}
    assert load(folder, "aws", FIRST) == snapshot()
