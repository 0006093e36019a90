"""A file that is missing, foreign, damaged, from another version, not writable, or not a file."""

import fcntl
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ekstui.store.objects import (
    KEPT_ASIDE,
    AbsentCacheError,
    BusyCacheError,
    CacheError,
    DamagedCacheError,
    NewerCacheError,
    ObjectFile,
    UnavailableCacheError,
)
from tests.support.patience import PROCESSOR


@pytest.fixture
def file(tmp_path: Path) -> ObjectFile:
    return ObjectFile(tmp_path / "sub" / "notes.db")


def write(file: ObjectFile, *texts: str) -> None:
    with file.writing() as draft:
        names = [draft.put_value(text) for text in texts]
        draft.set_root({"notes": names}, set(names))


def read(file: ObjectFile) -> list[str]:
    with file.reading() as objects:
        return [objects.value(name) for name in objects.root()["notes"]]


def test_what_is_written_is_read_and_what_fails_is_not_there(file: ObjectFile) -> None:
    with pytest.raises(AbsentCacheError):
        read(file)
    write(file, "one")
    with pytest.raises(RuntimeError), file.writing() as draft:
        draft.set_root({"notes": []}, set())
        raise RuntimeError
    assert read(file) == ["one"]
    with file.reading() as objects:
        write(file, "two", "three")
        assert objects.root()["notes"]  # a reader goes on with the file that it opened
    assert read(file) == ["two", "three"]


@pytest.mark.parametrize("seed", range(8))
def test_a_flipped_bit_or_byte_is_found_or_changes_nothing(file: ObjectFile, seed: int) -> None:
    texts = [f"note {number} " * 40 for number in range(30)]
    write(file, *texts)
    content, chance = file.path.read_bytes(), random.Random(seed)
    for _ in range(60):
        changed_content = bytearray(content)
        place = chance.randrange(len(changed_content))
        changed_content[place] ^= 1 << chance.randrange(8) if chance.random() < 0.5 else chance.randrange(1, 256)
        file.path.write_bytes(changed_content)
        try:
            assert read(file) == texts
        except (DamagedCacheError, NewerCacheError):
            continue


def test_a_root_that_a_damaged_page_hides_is_damage_and_not_an_empty_cache(file: ObjectFile) -> None:
    write(file, "one")
    with closing(sqlite3.connect(file.path)) as connection, connection:
        connection.execute("DELETE FROM root")
    with pytest.raises(DamagedCacheError):
        read(file)


def test_a_foreign_file_is_damage(file: ObjectFile) -> None:
    write(file, "one")
    content = file.path.read_bytes()
    with closing(sqlite3.connect(file.path.with_name("other.db"))) as foreign_database:
        foreign_database.execute("CREATE TABLE x (y)")
    foreign = file.path.with_name("other.db").read_bytes()
    for invalid_content in (b"", b"no database at all" * 100, content[: len(content) // 2], content[:50], foreign):
        file.path.write_bytes(invalid_content)
        with pytest.raises(DamagedCacheError):
            read(file)
        with pytest.raises(DamagedCacheError):
            write(file, "two")
    file.path.write_bytes(content)
    with closing(sqlite3.connect(file.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerCacheError):
        read(file)


def test_a_file_is_set_aside_once_and_few_are_kept(file: ObjectFile) -> None:
    for number in range(KEPT_ASIDE + 2):
        write(file, "one")
        file.path.write_bytes(b"damage %d" % number)
        with pytest.raises(DamagedCacheError) as caught:
            read(file)
        aside = file.set_aside(caught.value)
        assert aside is not None
        assert aside.read_bytes() == b"damage %d" % number
        # A second process that met the same damage finds a file that is whole, and leaves it.
        write(file, "whole")
        assert file.set_aside(caught.value) is None
        assert read(file) == ["whole"]
    assert len(list(file.path.parent.glob("*.aside-*"))) == KEPT_ASIDE
    assert file.clear() > 0
    assert [path.name for path in file.path.parent.iterdir()] == [".notes.db.lock"]


def place_folder(path: Path) -> None:
    path.mkdir()


def place_link(path: Path) -> None:
    target = path.with_name("target")
    target.write_bytes(b"theirs")
    path.symlink_to(target)


def place_device(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a device")
    os.mknod(path, 0o644 | 0o020000, os.makedev(1, 5))  # /dev/zero: bytes without an end


@pytest.mark.parametrize("place", [os.mkfifo, place_folder, place_link, place_device])
@pytest.mark.parametrize("name", ["notes.db", ".notes.db.lock", ".notes.db.draft"])
def test_something_else_in_a_files_place_is_reported_and_nothing_waits_for_it(
    file: ObjectFile, place: Callable[[Path], None], name: str
) -> None:
    """Each once hung a start, or was written through."""
    write(file, "one")
    path = file.path.with_name(name)
    path.unlink(missing_ok=True)
    place(path)
    began = time.process_time()
    if name == "notes.db":
        with pytest.raises(UnavailableCacheError, match="regular file"):
            read(file)
    else:
        assert read(file) == ["one"]
    try:
        write(file, "two")
    except CacheError:
        assert name == "notes.db" or read(file) == ["one"]
    else:
        assert read(file) == ["two"]
    assert time.process_time() - began < PROCESSOR
    if (target := path.with_name("target")).exists():
        assert target.read_bytes() == b"theirs"


def test_a_lock_stops_writers_after_a_while_and_readers_never(
    file: ObjectFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(file, "one")
    monkeypatch.setattr("ekstui.store.objects.WAIT", 0.05)
    with file.path.with_name(".notes.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert read(file) == ["one"]
        with pytest.raises(BusyCacheError, match="Another ekstui"):
            write(file, "two")
    write(file, "three")
    assert read(file) == ["three"]


def test_a_killed_writer_leaves_the_file_as_it_was(file: ObjectFile) -> None:
    write(file, "one")
    program = (
        "import os, sys; from pathlib import Path; from ekstui.store.objects import ObjectFile\n"
        "with ObjectFile(Path(sys.argv[1])).writing() as draft:\n"
        "    draft.set_root({'notes': []}, set()); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(file.path)], check=False).returncode == -9
    assert file.path.with_name(".notes.db.draft").exists()
    assert read(file) == ["one"]
    write(file, "two")
    assert read(file) == ["two"]
    assert not file.path.with_name(".notes.db.draft").exists()


def test_a_full_disk_leaves_the_file_as_it_was(file: ObjectFile, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, "one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("pathlib.Path.open", "os.fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(step, full)
            with pytest.raises(UnavailableCacheError, match="No space"):
                write(file, "two")
        assert read(file) == ["one"]
    assert shutil.disk_usage(file.path.parent).free


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_can_be_read(file: ObjectFile) -> None:
    check_read_only(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_of_somebody_else_can_be_read(file: ObjectFile) -> None:
    write(file, "one")
    file.path.chmod(0o644)
    for path in (file.path.parent, *file.path.parent.parents):
        if path.stat().st_uid == 0 and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(65534)
            check_read_only(file)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def check_read_only(file: ObjectFile) -> None:
    if os.geteuid() == file.path.parent.stat().st_uid:
        write(file, "one")
        file.path.chmod(0o444)
        file.path.parent.chmod(0o555)
    assert not file.writable()
    assert read(file) == ["one"]
    with pytest.raises(UnavailableCacheError):
        write(file, "two")
