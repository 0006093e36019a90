"""The last snapshot of each account, one SQLite file an account, readable by its owner alone.

Nothing of one account or partition can come out under another: each has its own file, and a file says inside whose
it is.
"""

import json
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ekstui.core.account import AccountSnapshot, Group, LocalPolicy, Role, User
from ekstui.core.policy import format_time, parse_time
from ekstui.core.record import from_record, to_record
from ekstui.errors import EkstuiError

BUSY_SECONDS = 5.0
"""How long a write waits for another ekstui."""

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE snapshot (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            account TEXT NOT NULL,
            partition TEXT NOT NULL,
            caller TEXT,        -- digest of the settings and credentials it was asked with, NULL for a file
            fetched_at TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE entity (
            kind TEXT NOT NULL,
            position INTEGER NOT NULL,
            record TEXT NOT NULL,
            PRIMARY KEY (kind, position)
        )
        """,
    ),
)
"""The statements of each entry lead from the version that is its index to the next."""


class StoreError(EkstuiError):
    """The store of an account cannot be used; everything else goes on without it."""


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account of which a snapshot is stored."""

    account: str
    partition: str
    fetched_at: datetime
    caller: str | None
    path: Path


def store(folder: Path, snapshot: AccountSnapshot, caller: str | None = None) -> None:
    """Keep a snapshot in place of the account's last one; StoreError says why it cannot be kept.

    `folder` is the folder of accounts, `caller` a digest that tells the same settings and credentials next time.
    """
    _prepare(folder)
    path = _path(folder, snapshot.identity.partition, snapshot.identity.account)
    head = replace(snapshot, roles=(), users=(), groups=(), local_policies=())
    entities = [
        (kind, position, json.dumps(to_record(entity)))
        for kind, group in (
            ("role", snapshot.roles),
            ("user", snapshot.users),
            ("group", snapshot.groups),
            ("policy", snapshot.local_policies),
        )
        for position, entity in enumerate(group)
    ]
    row = (
        snapshot.identity.account,
        snapshot.identity.partition,
        caller,
        format_time(snapshot.fetched_at),
        json.dumps(to_record(head)),
    )
    _refuse_newer(path)
    draft = path.with_name(f".{path.stem}.{os.getpid()}.{threading.get_ident()}.draft")
    try:
        _write(draft, row, entities)
        # A whole file takes the place of the last one: a damaged one needs no repair, and readers see either.
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        draft.replace(path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"The snapshot cannot be kept: {error}.") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def load(folder: Path, partition: str, account: str) -> AccountSnapshot | None:
    """Return the last snapshot of an account, None if there is none; StoreError says why it cannot be read."""
    path = _path(folder, partition, account)
    if not _usable(folder) or not _exists(path):
        return None
    try:
        with _open(path) as database:
            row = database.execute("SELECT account, partition, record FROM snapshot WHERE id = 1").fetchone()
            if row is None or (row[0], row[1]) != (account, partition):
                return None
            rows = database.execute("SELECT kind, record FROM entity ORDER BY kind, position").fetchall()
        snapshot = from_record(AccountSnapshot, json.loads(row[2]))
        if (snapshot.identity.account, snapshot.identity.partition) != (account, partition):
            return None
        records = {kind: [json.loads(text) for key, text in rows if key == kind] for kind in _KINDS}
        return replace(
            snapshot,
            roles=tuple(from_record(Role, record) for record in records["role"]),
            users=tuple(from_record(User, record) for record in records["user"]),
            groups=tuple(from_record(Group, record) for record in records["group"]),
            local_policies=tuple(from_record(LocalPolicy, record) for record in records["policy"]),
        )
    except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
        raise StoreError(
            f"The snapshot of account {account} cannot be read: {error}.", "Refresh to replace it."
        ) from None


def stored(folder: Path) -> tuple[StoredAccount, ...]:
    """Return the accounts that have a snapshot, newest first; files that cannot be read are left out."""
    if not _usable(folder):
        return ()
    accounts: list[StoredAccount] = []
    for path in sorted(folder.glob("*.db")):
        try:
            if not _exists(path):
                continue
            with _open(path) as database:
                row = database.execute("SELECT account, partition, fetched_at, caller FROM snapshot").fetchone()
            if row is not None and path == _path(folder, row[1], row[0]):
                accounts.append(StoredAccount(row[0], row[1], parse_time(row[2]), row[3], path))
        except (sqlite3.Error, ValueError, TypeError, AttributeError, StoreError):
            continue
    return tuple(sorted(accounts, key=lambda entry: entry.fetched_at, reverse=True))


def clear(folder: Path, account: str | None = None) -> tuple[Path, ...]:
    """Delete what is stored of one account, whatever its partition, or of all; return the files that are gone."""
    if not _usable(folder):
        return ()
    name = "*" if account is None else f"*-{account}"
    gone: list[Path] = []
    for pattern in (f"{name}.db", f"{name}.db-journal", f".{name}.*.draft*"):
        for path in sorted(folder.glob(pattern)):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(f"{path} cannot be deleted: {error.strerror}.") from None
            gone.append(path)
    return tuple(gone)


_KINDS = ("role", "user", "group", "policy")


def _path(folder: Path, partition: str, account: str) -> Path:
    if not (account.isascii() and account.isalnum() and partition.replace("-", "").isalnum()):
        raise StoreError(f"{partition}-{account} is no account.")
    return folder / f"{partition}-{account}.db"


def _prepare(folder: Path) -> None:
    """Make the folder with its final permissions, or check the one that is there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_symlink() and not folder.exists():
            folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    _usable(folder)


def _usable(folder: Path) -> bool:
    """Return whether the folder is there; StoreError if it is not the user's own."""
    try:
        state = folder.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be read: {error.strerror}.") from None
    if stat.S_ISLNK(state.st_mode) or not stat.S_ISDIR(state.st_mode):
        raise StoreError(f"{folder} is a link or no folder, so no account is kept there.", "Remove it.")
    if state.st_uid != os.geteuid():
        raise StoreError(f"{folder} belongs to someone else, so no account is kept there.", "Set EKSTUI_CACHE.")
    if stat.S_IMODE(state.st_mode) & 0o077:
        _tighten(folder, 0o700)
    return True


def _exists(path: Path) -> bool:
    """Return whether the file is there; StoreError if it is not the user's own plain file."""
    try:
        state = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(state.st_mode) or state.st_uid != os.geteuid():
        raise StoreError(f"{path} is a link or belongs to someone else, so it is not used.", "Remove it.")
    if stat.S_IMODE(state.st_mode) & 0o077:
        _tighten(path, 0o600)
    return True


def _refuse_newer(path: Path) -> None:
    """Raise StoreError if a newer ekstui wrote the file that is there; whatever else is wrong with it is replaced."""
    if not _exists(path):
        return
    with suppress(sqlite3.Error, ValueError), closing(_connected(path)) as database:
        _version(database, path)


def _write(path: Path, row: tuple[str | None, ...], entities: list[tuple[str, int, str]]) -> None:
    """Make a new file that holds a snapshot."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_RDWR, 0o600))
    with _open(path) as database:
        database.execute(
            "INSERT INTO snapshot (id, account, partition, caller, fetched_at, record) VALUES (1, ?, ?, ?, ?, ?)", row
        )
        database.executemany("INSERT INTO entity (kind, position, record) VALUES (?, ?, ?)", entities)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file at the newest version, for one transaction; StoreError for one of a newer ekstui."""
    database = _connected(path)
    try:
        if _version(database, path) < len(_MIGRATIONS):
            database.execute("BEGIN IMMEDIATE")
            # Another ekstui may have done it while this one waited.
            for statements in _MIGRATIONS[_version(database, path) :]:
                for statement in statements:
                    database.execute(statement)
            database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
            database.execute("COMMIT")
        database.execute("BEGIN")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()


def _connected(path: Path) -> sqlite3.Connection:
    """Open a file that is there: SQLite would make a missing one, and for all to read."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _version(database: sqlite3.Connection, path: Path) -> int:
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version > len(_MIGRATIONS):
        raise StoreError(f"{path} is of a newer ekstui, so it is not used.", "Update ekstui.")
    return version


def _tighten(path: Path, mode: int) -> None:
    try:
        path.chmod(mode)
    except OSError as error:
        raise StoreError(f"{path} is open to others and cannot be closed: {error.strerror}.") from None
