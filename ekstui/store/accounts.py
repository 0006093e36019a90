"""The last snapshot of each account, one file per account, readable by its owner alone.

Accounts and partitions cannot be mixed up: each has its own file, which contains the account's number and partition.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from ekstui.change.policy import format_time, parse_time
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.last_accessed import LastAccessed
from ekstui.errors import Advice, EkstuiError
from ekstui.files import from_record, to_record
from ekstui.named_tuples import NamedTuple
from ekstui.store.objects import AbsentCacheError, CacheError, DamagedCacheError, NewerCacheError, ObjectFile, packed

MOST_PROFILES = 50
"""How many profiles are remembered for one account."""

MOST_REPORTS = 200
"""How many reports on what was last used are kept for one account."""


class StoreError(EkstuiError):
    """An account's file cannot be used; everything else works without it."""


class StoredAccount(NamedTuple):
    """An account of which a snapshot is stored."""

    account: str
    partition: str
    fetched_at: datetime
    caller: str | None
    """Digest of the settings and credentials that it was read with; None for an account file."""
    path: Path
    profiles: Mapping[str, str] = {}
    """When each profile was last seen to lead to the account, by the profile's digest."""


def store(folder: Path, snapshot: AccountSnapshot, caller: str | None = None, profile: str | None = None) -> None:
    """Replace the account's last snapshot; StoreError if that fails.

    `caller` and `profile` are digests that recognise who read it.
    """
    _prepare(folder)
    identity = snapshot.identity
    file = _file(folder, identity.partition, identity.account)
    digest, body = packed(json.dumps(to_record(snapshot)).encode())
    head: dict[str, Any] = {
        "account": identity.account,
        "partition": identity.partition,
        "caller": caller,
        "fetched_at": format_time(snapshot.fetched_at),
        "snapshot": digest,
    }
    profiles: dict[str, str] = {}
    reports: dict[str, Any] = {}
    with _explained("The snapshot cannot be stored"):
        try:
            with file.reading() as objects:
                before = objects.root()
                profiles = _profiles(before)
                reports = {arn: objects.value(name) for arn, name in _reports(before).items()}
        except (AbsentCacheError, DamagedCacheError):
            pass
        with file.writing(empty=True) as draft:
            draft.put(digest, body)
            report_digests = {arn: draft.put_value(report) for arn, report in reports.items()}
            root = {**head, "profiles": _with(profiles, profile, snapshot.fetched_at), "last_accessed": report_digests}
            draft.set_root(root, _live(root))


def load(folder: Path, partition: str, account: str) -> AccountSnapshot | None:
    """Return the last snapshot of an account, None if there is none; StoreError if it cannot be read."""
    file = _file(folder, partition, account)
    if not _usable(folder):
        return None
    try:
        trouble = f"The snapshot of account {account} is damaged or cannot be read"
        with _explained(trouble, Advice("Refresh to replace it.", "r replaces it.")), file.reading() as objects:
            head = objects.root()
            if (head["account"], head["partition"]) != (account, partition):
                return None
            return from_record(AccountSnapshot, objects.value(head["snapshot"]))
    except AbsentCacheError:
        return None


def keep_profile(folder: Path, partition: str, account: str, profile: str, used_at: datetime) -> None:
    """Store that a profile leads to an account of which there is a snapshot."""
    with _explained("The profile's account cannot be stored"), _file(folder, partition, account).writing() as draft:
        head = draft.root()
        draft.set_root({**head, "profiles": _with(_profiles(head), profile, used_at)}, _live(head))


def _profiles(head: Mapping[str, Any]) -> dict[str, str]:
    return dict(head.get("profiles") or {})


def _with(profiles: Mapping[str, str], profile: str | None, used_at: datetime) -> dict[str, str]:
    """Return when each profile was last seen, with one more; the newest are kept."""
    last_seen = dict(profiles) if profile is None else {**profiles, profile: format_time(used_at) or ""}
    return dict(sorted(last_seen.items(), key=lambda item: item[1])[-MOST_PROFILES:])


def store_place(folder: Path, partition: str, account: str, remembered_at: str, place: str) -> None:
    """Store in an account's file, if there is one, what was open of it and when; the next snapshot drops that."""
    file = _file(folder, partition, account)
    with _explained("What was open cannot be stored"):
        if _usable(folder) and file.size():
            with file.writing() as draft:
                head = draft.root()
                draft.set_root({**head, "place": [remembered_at, place]}, _live(head))


def keep_last_accessed(folder: Path, partition: str, account: str, report: LastAccessed) -> None:
    """Store IAM's report on a role, user or policy in its account's file, if any; the newest ones are kept."""
    file = _file(folder, partition, account)
    with _explained("The report cannot be stored"):
        if _usable(folder) and file.size():
            with file.writing() as draft:
                head = draft.root()
                reports = {arn: name for arn, name in _reports(head).items() if arn != report.arn}
                reports[report.arn] = draft.put_value(to_record(report))
                root = {**head, "last_accessed": dict([*reports.items()][-MOST_REPORTS:])}
                draft.set_root(root, _live(root))


def last_accessed(folder: Path, partition: str, account: str, arn: str) -> LastAccessed | None:
    """Return IAM's last report on a role, user or policy; None if none is stored."""
    if not _usable(folder):
        return None
    try:
        with _explained("The report cannot be read"), _file(folder, partition, account).reading() as objects:
            name = _reports(objects.root()).get(arn)
            return None if name is None else from_record(LastAccessed, objects.value(name))
    except AbsentCacheError:
        return None


def _reports(head: Mapping[str, Any]) -> dict[str, str]:
    return dict(head.get("last_accessed") or {})


def _live(head: Mapping[str, Any]) -> set[str]:
    """Return the names of the objects that the root refers to."""
    return {head["snapshot"], *_reports(head).values()}


def place_of(folder: Path, partition: str, account: str, remembered_at: str) -> str:
    """Return what was open of an account at a time; empty if nothing was stored then."""
    if not _usable(folder):
        return ""
    try:
        with _explained("What was open cannot be read"), _file(folder, partition, account).reading() as objects:
            match objects.root().get("place"):
                case [str(kept_at), str(place)] if kept_at == remembered_at:
                    return place
    except AbsentCacheError:
        pass
    return ""


def stored(folder: Path, trouble: list[str] | None = None) -> tuple[StoredAccount, ...]:
    """Return the accounts with a snapshot, newest first; `trouble` gets a sentence per file that cannot be read."""
    if not _usable(folder):
        return ()
    accounts: list[StoredAccount] = []
    for path in sorted(folder.glob("*.db")):
        try:
            with ObjectFile(path, private=True).reading() as objects:
                head = objects.root()
                if path == _file(folder, head["partition"], head["account"]).path:
                    fetched_at = parse_time(head["fetched_at"])
                    accounts.append(
                        StoredAccount(
                            head["account"], head["partition"], fetched_at, head["caller"], path, _profiles(head)
                        )
                    )
        except (CacheError, StoreError) as error:
            if trouble is not None:
                trouble.append(f"{error.message} The snapshot in it is not used; refresh to replace it.")
    return tuple(sorted(accounts, key=lambda entry: entry.fetched_at, reverse=True))


def clear(folder: Path, account: str | None = None) -> tuple[Path, ...]:
    """Delete the snapshots of one account in any partition, or of all; return the deleted files."""
    if not _usable(folder):
        return ()
    deleted_files: list[Path] = []
    # Drafts of writers that were killed, and files that were set aside, go as well.
    for path in sorted(folder.glob("*.db*")):
        if account is None or path.name.partition(".db")[0].endswith(f"-{account}"):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(f"{path} cannot be deleted: {error.strerror}.") from None
            deleted_files.append(path)
    return tuple(path for path in deleted_files if path.suffix == ".db")


@contextmanager
def _explained(trouble: str, next_step: str = "") -> Iterator[None]:
    try:
        yield
    except AbsentCacheError:
        raise
    except NewerCacheError as error:
        raise StoreError(error.message, "Update ekstui.") from None
    except CacheError as error:
        raise StoreError(f"{trouble}: {error.message}", next_step) from None


def _file(folder: Path, partition: str, account: str) -> ObjectFile:
    if not (account.isascii() and account.isalnum() and partition.replace("-", "").isalnum()):
        raise StoreError(f"{partition}-{account} is not an account.")
    return ObjectFile(folder / f"{partition}-{account}.db", private=True)


def _prepare(folder: Path) -> None:
    """Create the folder with its final permissions, or check the one that exists."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_symlink() and not folder.exists():
            folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be created: {error.strerror}.") from None
    _usable(folder)


def _usable(folder: Path) -> bool:
    """Return whether the folder is there; StoreError if it is not the user's own."""
    try:
        state = folder.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"The folder {folder} cannot be read: {error.strerror}.") from None
    if not stat.S_ISDIR(state.st_mode):
        raise StoreError(f"{folder} is not a folder, so no account is stored there.", "Remove it.")
    if state.st_uid != os.geteuid():
        raise StoreError(f"{folder} belongs to someone else, so no account is stored there.", "Set EKSTUI_CACHE.")
    if stat.S_IMODE(state.st_mode) & 0o077:
        try:
            folder.chmod(0o700)
        except OSError as error:
            raise StoreError(f"Others can read {folder}, and that cannot be changed: {error.strerror}.") from None
    return True
