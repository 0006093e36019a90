"""A database file that is missing, foreign, damaged, from another version or not writable."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ekstui.store.database import KEPT_ASIDE, Database
from ekstui.store.errors import (
    AbsentCacheError,
    CacheError,
    DamagedCacheError,
    NewerCacheError,
    UnavailableCacheError,
)

FIRST = ("CREATE TABLE note (text TEXT NOT NULL)",)
SECOND = ("ALTER TABLE note ADD COLUMN author TEXT", "UPDATE note SET author = 'nobody'")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "sub" / "notes.db", 0x1234, (FIRST,))


def write(database: Database, text: str) -> None:
    with database.writing() as connection:
        connection.execute("INSERT INTO note (text) VALUES (?)", (text,))


def read(database: Database) -> list[str]:
    with database.reading() as connection:
        return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY rowid")]


def test_what_is_written_is_read_and_what_fails_is_not_there(database: Database) -> None:
    with pytest.raises(AbsentCacheError):
        read(database)
    write(database, "one")
    with pytest.raises(RuntimeError), database.writing() as connection:
        connection.execute("INSERT INTO note (text) VALUES ('two')")
        raise RuntimeError
    write(database, "three")
    assert read(database) == ["one", "three"]


def test_an_older_file_is_migrated_with_what_it_holds(database: Database) -> None:
    write(database, "one")
    newer = replace(database, migrations=(FIRST, SECOND))
    with newer.reading() as connection:
        assert connection.execute("SELECT text, author FROM note").fetchall() == [("one", "nobody")]
    with pytest.raises(NewerCacheError):
        read(database)


def test_a_migration_that_fails_leaves_the_file_as_it_was(database: Database) -> None:
    write(database, "one")
    broken = replace(database, migrations=(FIRST, (*SECOND, "INSERT INTO nowhere VALUES (1)")))
    with pytest.raises(CacheError):
        read(broken)
    assert read(database) == ["one"]


def test_what_is_no_database_of_this_kind_is_damage(database: Database) -> None:
    write(database, "one")
    content = database.path.read_bytes()
    with closing(sqlite3.connect(database.path.with_name("other.db"))) as other:
        other.execute("CREATE TABLE x (y)")
    foreign = database.path.with_name("other.db").read_bytes()
    for wrong in (b"no database at all" * 100, content[: len(content) // 2], content[:50], foreign):
        database.path.write_bytes(wrong)
        with pytest.raises(DamagedCacheError):
            read(database)
        with pytest.raises(DamagedCacheError):
            write(database, "two")


def test_a_value_of_a_wrong_shape_is_damage(database: Database) -> None:
    write(database, "noon")
    with pytest.raises(DamagedCacheError), database.reading() as connection:
        int(connection.execute("SELECT text FROM note").fetchone()[0])


def test_a_file_is_set_aside_once_and_few_are_kept(database: Database) -> None:
    for number in range(KEPT_ASIDE + 2):
        write(database, "one")
        database.path.write_bytes(b"damage %d" % number)
        with pytest.raises(DamagedCacheError) as caught:
            read(database)
        aside = database.set_aside(caught.value)
        assert aside is not None
        assert aside.read_bytes() == b"damage %d" % number
        # A second process that met the same damage finds a file that is whole, and leaves it.
        write(database, "whole")
        assert database.set_aside(caught.value) is None
        assert read(database) == ["whole"]
    assert len(list(database.path.parent.glob("*.aside-*"))) == KEPT_ASIDE
    assert database.clear() > 0
    assert [path.name for path in database.path.parent.iterdir()] == ["notes.db.lock"]


def test_a_held_lock_is_waited_for_and_then_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    write(database, "one")
    monkeypatch.setattr("ekstui.store.database.BUSY_TIMEOUT", 0.05)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert read(database) == ["one"]
        with pytest.raises(UnavailableCacheError, match="locked"):
            write(database, "two")


def test_what_a_killed_writer_left_half_done_is_taken_back(database: Database) -> None:
    write(database, "one")
    program = (
        "import os, sqlite3, sys; connection = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "connection.execute('PRAGMA cache_size = 5'); connection.execute('BEGIN IMMEDIATE'); "
        "connection.executemany('INSERT INTO note VALUES (?)', [('x' * 1000,)] * 1000); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(database.path)], check=False).returncode == -9
    assert database.path.with_name("notes.db-journal").exists()
    assert read(database) == ["one"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_can_be_read(database: Database) -> None:
    check_read_only(database)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_of_somebody_else_can_be_read(database: Database) -> None:
    write(database, "one")
    for path in (database.path.parent, *database.path.parent.parents):
        if path.stat().st_uid == 0 and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(65534)
            check_read_only(database)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def check_read_only(database: Database) -> None:
    if os.geteuid() == database.path.parent.stat().st_uid:
        write(database, "one")
        database.path.chmod(0o444)
        database.path.parent.chmod(0o555)
    assert not database.writable()
    assert read(database) == ["one"]
    with pytest.raises(UnavailableCacheError):
        write(database, "two")
    with pytest.raises(UnavailableCacheError):
        read(replace(database, migrations=(FIRST, SECOND)))
