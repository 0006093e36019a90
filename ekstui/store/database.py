"""One SQLite file: opened for each operation, migrated by number, and set aside when it cannot be trusted.

The journal is SQLite's rollback journal (DELETE), never WAL: home directories are often on network file systems,
where WAL's shared memory corrupts a database that two hosts use, and writes are too rare here to gain from it.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from ekstui.store import lock
from ekstui.store.errors import (
    AbsentCacheError,
    CacheError,
    DamagedCacheError,
    NewerCacheError,
    UnavailableCacheError,
)

BUSY_TIMEOUT = 5.0
"""The longest wait for another process's transaction, in seconds."""

KEPT_ASIDE = 3
"""How many files that were set aside are kept; older ones are deleted."""

_PAGE_CACHE = -64_000
"""In KiB: a transaction that fits takes no lock that readers would wait for before it commits."""

_SIDE_FILES = ("-journal", "-wal", "-shm")

_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_ERROR,  # such as a table that is not there
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_TOOBIG,
    }
)

_SHORT_READ = 522
"""SQLITE_IOERR_SHORT_READ: the file ends before a page that it should have."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database file and the migrations that make its schema; cheap to make, and safe to share between threads."""

    path: Path
    application_id: int
    """What the file's header says the file is."""
    migrations: tuple[tuple[str, ...], ...]
    """Each entry's statements lead from the version that is its index to the next."""

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one consistent look at it.

        Raises AbsentCacheError where there is nothing yet, or another CacheError. What the body meets while it reads
        (wrong types, values or checksums included) becomes a CacheError too.
        """
        with self._guarded(), lock.shared(self.path):
            if not self.path.exists():
                raise AbsentCacheError(f"There is no cache at {self.path}.")
            with closing(self._connect()) as connection:
                if self._version(connection) < len(self.migrations):
                    self._migrate(connection)
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction, committed at the end and rolled back by any error; makes the file.

        Raises a CacheError.
        """
        with self._guarded():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with lock.shared(self.path), closing(self._connect(create=True)) as connection:
                if self._version(connection) < len(self.migrations):
                    self._migrate(connection)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise

    def make_folder(self) -> None:
        """Make the folder that holds the file; UnavailableCacheError where that cannot be."""
        with self._guarded():
            self.path.parent.mkdir(parents=True, exist_ok=True)

    def set_aside(self, reason: CacheError) -> Path | None:
        """Rename a file that cannot be trusted, and return its new path; None if somebody else did so before.

        `reason` is the error that this file gave. Raises UnavailableCacheError where the file cannot be renamed.
        """
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self.path.with_name(f"{self.path.name}.aside-{moment}")
        with self._guarded(), lock.alone(self.path):
            if _identity(self.path) != reason.identity:
                return None
            # The file goes first: SQLite deletes a journal that it finds beside an empty new file.
            self.path.rename(aside)
            for suffix in _SIDE_FILES:
                self._beside(suffix).unlink(missing_ok=True)
            self._forget_old_ones()
            return aside

    def clear(self) -> int:
        """Delete the file and those that were set aside; return how many bytes that freed."""
        freed = 0
        with self._guarded(), lock.alone(self.path):
            for path in [self.path, *map(self._beside, _SIDE_FILES), *self._set_aside()]:
                if path.exists():
                    freed += path.stat().st_size
                    path.unlink(missing_ok=True)
        return freed

    def size(self) -> int:
        """Return the file's size in bytes, 0 where there is none."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def writable(self) -> bool:
        """Return whether the file, or the directory that would hold it, may be written."""
        folder = self.path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return os.access(folder, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

    def _connect(self, *, create: bool = False) -> sqlite3.Connection:
        if create or self.writable():
            return self._opened("mode=rwc" if create else "mode=rw")
        try:
            return self._opened("mode=ro")
        except sqlite3.OperationalError:
            # A read-only file system may refuse locks as well; nobody can change the file under us there.
            return self._opened("immutable=1")

    def _opened(self, options: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path.absolute()))}?{options}",
            uri=True,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = {_PAGE_CACHE}")
            connection.execute("PRAGMA user_version").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _version(self, connection: sqlite3.Connection) -> int:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
        if mark != self.application_id and (mark, version) != (0, 0):
            raise DamagedCacheError(f"{self.path} is no cache of ekstui.")
        if version > len(self.migrations):
            raise NewerCacheError(f"{self.path} is from a newer ekstui.")
        if version < 0 or (version == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone()):
            raise DamagedCacheError(f"{self.path} is no cache of ekstui.")
        return version

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if not self.writable():
            raise UnavailableCacheError(f"{self.path} is from an older ekstui and cannot be written.")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statements in self.migrations[self._version(connection) :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {self.application_id}")
            connection.execute(f"PRAGMA user_version = {len(self.migrations)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn whatever SQLite, the file system or a wrong value raises into a CacheError of the file in use."""
        identity = _identity(self.path)
        try:
            yield
        except CacheError as error:
            error.identity = error.identity or identity
            raise
        except sqlite3.Error as error:
            raise _as_cache_error(self.path, error).of(identity) from error
        except OSError as error:
            raise UnavailableCacheError(f"{self.path} cannot be used: {error.strerror or error}.").of(
                identity
            ) from error
        except (ValueError, TypeError, OverflowError, LookupError, zlib.error) as error:
            raise DamagedCacheError(f"{self.path} holds what ekstui did not write: {error}.").of(identity) from error

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _set_aside(self) -> list[Path]:
        """Return the files that were set aside, oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.name}.aside-*"))

    def _forget_old_ones(self) -> None:
        for path in self._set_aside()[:-KEPT_ASIDE]:
            path.unlink(missing_ok=True)


def _as_cache_error(path: Path, error: sqlite3.Error) -> CacheError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    if code & 0xFF in _DAMAGE or code == _SHORT_READ:
        return DamagedCacheError(f"{path} is damaged: {error}.")
    return UnavailableCacheError(f"{path} cannot be used: {error}.")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from the one that takes its place under the same name."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
