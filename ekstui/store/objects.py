"""One SQLite file of objects that are named by their hash, under one root that names the current ones; and its errors.

The library works without the cache after such an error, so users see a notice instead.
"""

import fcntl
import json
import os
import sqlite3
import stat
import time
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from ekstui import log
from ekstui.errors import DataError
from ekstui.files import digest_of
from ekstui.named_tuples import NamedTuple


class CacheError(DataError):
    """The cache cannot be used."""

    identity: tuple[int, int] | None = None
    """Device and inode of the file that gave the error."""

    def of(self, identity: tuple[int, int] | None) -> Self:
        """Return the error with the identity of its file."""
        self.identity = identity
        return self


class AbsentCacheError(CacheError):
    """There is no cache yet, or nothing in it."""


class DamagedCacheError(CacheError):
    """The file is not a cache, is corrupt, or has contents that ekstui did not write."""


class NewerCacheError(CacheError):
    """A newer ekstui wrote the cache."""


class UnavailableCacheError(CacheError):
    """The cache cannot be opened or written now: permissions, a full disk, something else in its place."""


class BusyCacheError(UnavailableCacheError):
    """Another process is writing the cache; it can still be read."""


APPLICATION_ID = 0x454B5332
"""`EKS2` in the file's header."""

_VERSION = 1
"""The file's user_version. A cache of another version is set aside and rebuilt."""

WAIT = 1.0
"""How long to wait for another writer, in seconds."""

MAX_FILE = 1_000_000_000
"""The largest file that is opened, in bytes."""

MAX_OBJECT = 256_000_000
"""The largest object, in bytes; the account of 20,000 roles has about 30 MB."""

KEPT_ASIDE = 3
"""How many files that were set aside are kept; older ones are deleted."""

_LEVEL = 1
"""zlib's fastest: 8 MB for the whole corpus, where the slowest takes twice as long for 7."""

_COPIED_AT_ONCE = 1 << 20
"""How many bytes of the file are copied at a time."""

_STEP = 0.02
"""The time between two tries for the lock, in seconds."""

_SCHEMA = (
    "CREATE TABLE root (id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL, digest TEXT NOT NULL) STRICT",
    "CREATE TABLE object (digest TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {_VERSION}",
)

_UNUSABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM})
"""SQLite's errors that say nothing about the contents of the file."""


def packed(content: bytes) -> tuple[str, bytes]:
    """Return an object's name and its stored form, to be made before the file is locked."""
    return digest_of(content), zlib.compress(content, _LEVEL)


def unpacked(body: bytes, digest: str) -> bytes | None:
    """Return an object from its stored form; None if it does not match its name."""
    content = zlib.decompressobj().decompress(body, MAX_OBJECT)
    return content if digest_of(content) == digest else None


class Objects:
    """The objects of an open file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def root(self) -> dict[str, Any]:
        """Return the root: the names of the current objects."""
        rows = self._connection.execute("SELECT record, digest FROM root").fetchall()
        if len(rows) != 1 or digest_of(rows[0][0]) != rows[0][1]:
            raise DamagedCacheError(f"{self._path} is damaged.")
        root: dict[str, Any] = json.loads(rows[0][0])
        return root

    def get(self, digest: str) -> bytes:
        """Return an object; DamagedCacheError if it is missing or does not match its hash."""
        row = self._connection.execute("SELECT body FROM object WHERE digest = ?", (digest,)).fetchone()
        content = None if row is None else unpacked(row[0], digest)
        if content is None:
            raise DamagedCacheError(f"{self._path} is damaged.")
        return content

    def value(self, digest: str) -> Any:
        """Return an object that is JSON."""
        return json.loads(self.get(digest))


class Draft(Objects):
    """A copy of the file that a writer changes."""

    def put(self, digest: str, body: bytes) -> None:
        """Add an object made by `packed`, unless it is there already."""
        self._connection.execute("INSERT OR IGNORE INTO object (digest, body) VALUES (?, ?)", (digest, body))

    def put_value(self, value: object) -> str:
        """Add a JSON value and return its name."""
        digest, body = packed(_encoded(value))
        self.put(digest, body)
        return digest

    def set_root(self, root: dict[str, Any], live_digests: Collection[str]) -> None:
        """Set the root, and delete every object that is not in `live_digests`."""
        record = _encoded(root)
        self._connection.execute("INSERT OR REPLACE INTO root VALUES (1, ?, ?)", (record, digest_of(record)))
        self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS live (digest TEXT PRIMARY KEY)")
        self._connection.executemany("INSERT OR IGNORE INTO live VALUES (?)", ((digest,) for digest in live_digests))
        self._connection.execute("DELETE FROM object WHERE digest NOT IN (SELECT digest FROM live)")


class ObjectFile(NamedTuple):
    """A file of objects; cheap to make, and safe to share between threads. Every method raises CacheError."""

    path: Path
    private: bool = False
    """Whether it is the user's own: nobody else may own it, read it, or put a link in its place."""

    @contextmanager
    def reading(self) -> Iterator[Objects]:
        """Open the file as it is now; AbsentCacheError if there is none."""
        with self._guarded(), closing(self._opened()) as connection:
            yield Objects(connection, self.path)

    @contextmanager
    def writing(self, *, empty: bool = False) -> Iterator[Draft]:
        """Open a draft, a copy of the file or `empty`, which replaces the file at the end.

        BusyCacheError while another writer does not end.
        """
        with self._guarded(writing=True), self._locked():
            draft = self.path.with_name(f".{self.path.name}.draft")
            with suppress(FileNotFoundError):
                draft.unlink()  # left by a writer that was killed, since this one has the lock
            try:
                flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_WRONLY
                os.close(os.open(draft, flags, 0o600 if self.private else 0o644))
                fresh = empty or not self._copied(draft)
                with closing(_connected(draft, "mode=rw")) as connection:
                    connection.execute("PRAGMA journal_mode = OFF")
                    connection.execute("PRAGMA synchronous = OFF")
                    for statement in _SCHEMA if fresh else ():
                        connection.execute(statement)
                    connection.execute("BEGIN")
                    open_draft = Draft(connection, self.path)
                    if fresh:
                        open_draft.set_root({}, ())
                    yield open_draft
                    connection.execute("COMMIT")
                descriptor = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                draft.replace(self.path)
                log.info("wrote %s", "an account's snapshot" if self.private else self.path.name)
                log.debug("wrote %s", self.path)
            finally:
                with suppress(OSError):
                    draft.unlink()

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Hold a second lock while preparing what is written later, so that two processes do not prepare the same."""
        with self._guarded(), self._locked("work"):
            yield

    @contextmanager
    def _locked(self, kind: str = "lock") -> Iterator[None]:
        """Hold the lock for writing, moving or deleting the file; creates the folder."""
        self.path.parent.mkdir(mode=0o700 if self.private else 0o777, parents=True, exist_ok=True)
        lock = self._lock(kind)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(lock, flags, 0o600 if self.private else 0o644)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnavailableCacheError(f"{lock} is not a regular file.")
            end = time.monotonic() + WAIT
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise BusyCacheError(f"Another ekstui is writing {self.path}.") from None
                    time.sleep(_STEP)
            yield
        finally:
            os.close(descriptor)

    def set_aside(self, reason: CacheError) -> Path | None:
        """Rename a damaged file for its error, and return its new path; None if another file has replaced it."""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        new_path = self.path.with_name(f"{self.path.name}.aside-{moment}")
        with self._guarded(), self._locked():
            if reason.identity is None or _identity(self.path) != reason.identity:
                return None
            self.path.rename(new_path)
            for old_file in self._set_aside()[:-KEPT_ASIDE]:
                old_file.unlink(missing_ok=True)
            return new_path

    def clear(self) -> int:
        """Delete the file and those that were set aside; return how many bytes that freed."""
        freed_bytes = 0
        if not self.path.parent.is_dir():
            return freed_bytes
        with self._guarded(), self._locked():
            for path in [self.path, *self._set_aside(), *self.path.parent.glob(f".{self.path.name}.*draft*")]:
                with suppress(FileNotFoundError):
                    freed_bytes += path.lstat().st_size
                    path.unlink()
            if self.private:
                self._lock().unlink(missing_ok=True)  # its name contains the account
        return freed_bytes

    def size(self) -> int:
        """Return the file's size in bytes, 0 if there is none; UnavailableCacheError if it cannot be read."""
        try:
            return self.path.lstat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return 0
        except OSError as error:
            raise UnavailableCacheError(f"{self.path} cannot be read: {error.strerror}.") from None

    def writable(self) -> bool:
        """Return whether the folder, or its nearest parent that exists, is writable."""
        folder = self.path.parent
        try:
            while not folder.exists() and folder != folder.parent:
                folder = folder.parent
        except OSError:
            return False
        return os.access(folder, os.W_OK)

    def _opened(self) -> sqlite3.Connection:
        try:
            state = self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise AbsentCacheError(f"There is no cache at {self.path}.") from None
        if not stat.S_ISREG(state.st_mode):
            raise UnavailableCacheError(f"{self.path} is not a regular file, so it is not used.")
        if self.private and state.st_uid != os.geteuid():
            raise UnavailableCacheError(f"{self.path} belongs to someone else, so it is not used.")
        if self.private and stat.S_IMODE(state.st_mode) & 0o077:
            self.path.chmod(0o600)
        if state.st_size > MAX_FILE:
            raise DamagedCacheError(f"{self.path} is larger than any cache of ekstui.")
        log.info_once("opens an account's snapshot" if self.private else f"opens {self.path.name}")
        log.debug("opens %s", self.path)
        # The file is never changed in place, so SQLite need not look for changes, journals or locks.
        connection = _connected(self.path, "mode=ro&immutable=1")
        try:
            mark = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if mark == APPLICATION_ID and version > _VERSION:
                raise NewerCacheError(f"{self.path} is from a newer ekstui.")
            if (mark, version) != (APPLICATION_ID, _VERSION):
                raise DamagedCacheError(f"{self.path} is not from this version of ekstui, or damaged.")
        except BaseException:
            connection.close()
            raise
        return connection

    def _copied(self, draft: Path) -> bool:
        """Copy the file into a draft; return whether there is one."""
        try:
            self._opened().close()
        except AbsentCacheError:
            return False
        # shutil's own copy would cost every command 3 ms: it imports all kinds of archives.
        with self.path.open("rb") as source, draft.open("wb") as copy:
            while part := source.read(_COPIED_AT_ONCE):
                copy.write(part)
        return True

    @contextmanager
    def _guarded(self, *, writing: bool = False) -> Iterator[None]:
        """Turn errors of SQLite, the file system or invalid contents into a CacheError of this file."""
        identity = _identity(self.path)
        try:
            yield
        except CacheError as error:
            error.identity = error.identity or identity
            raise
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
            # A short read means a damaged file, a short write a full disk.
            unusable = code in _UNUSABLE or (writing and code == sqlite3.SQLITE_IOERR)
            kind = UnavailableCacheError if unusable else DamagedCacheError
            message = "cannot be used" if unusable else "is damaged"
            raise kind(f"{self.path} {message}: {error}.").of(identity) from error
        except OSError as error:
            message = f"{self.path} cannot be used: {error.strerror or error}."
            raise UnavailableCacheError(message).of(identity) from error
        except (ValueError, TypeError, OverflowError, LookupError, AttributeError, RecursionError, zlib.error) as error:
            raise DamagedCacheError(f"{self.path} is damaged: ekstui did not write its contents.").of(
                identity
            ) from error

    def _lock(self, kind: str = "lock") -> Path:
        return self.path.with_name(f".{self.path.name}.{kind}")

    def _set_aside(self) -> list[Path]:
        return sorted(self.path.parent.glob(f"{self.path.name}.aside-*"))


def _connected(path: Path, options: str) -> sqlite3.Connection:
    # Quoted by hand: urllib.parse takes 2 ms to import.
    name = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(f"file:{name}?{options}", uri=True, isolation_level=None, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_OBJECT)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode, which tell a file from its replacement; None if there is none."""
    try:
        state = path.lstat()
    except OSError:
        return None
    return state.st_dev, state.st_ino
