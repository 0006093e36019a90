"""A mirror of a public archive in git, as a source.

It is a partial clone in the cache, into which only new objects are fetched: all commits and trees, but only the files
that were committed lately, since the corpus has the others. A fetch transfers objects only, so the archive's own
configuration has no effect.
"""

import os
import shutil
import stat
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from ekstui.change.policy import Delivery, Policy, Provenance, SkippedPart
from ekstui.errors import InputError
from ekstui.files import create_file
from ekstui.named_tuples import NamedTuple
from ekstui.sources.git import GitError, GitObjects, make_bare, run_git
from ekstui.sources.git_history import blobs_in, read_history
from ekstui.waiting import Cancelled, never

MAMIP = "https://github.com/zoph-io/MAMIP.git"
"""The archive that `--from mamip` names: AWS's managed policies, committed several times a day."""

OVERLAP = timedelta(days=60)
"""How long before the newest known version files are read again, since an archive may notice versions late."""

_PATIENCE = 600.0
"""How long a fetch may take, in seconds."""

_HEAD = "refs/ekstui/head"


class Mirror(NamedTuple):
    """A public archive in git as a source."""

    url: str
    folder: Path
    """Where the mirror is."""
    now: datetime
    partition: str = "aws"
    cancelled: Cancelled = never

    def deliver(self, stored_policies: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Fetch what is new and return it; NetworkError if the archive is out of reach.

        The mirror is made anew if git cannot read the old one.
        """
        protocol, policies = self._protocol, stored_policies(self.partition)
        folder = self.folder.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_plain(folder.lstat(), stat.S_ISDIR):
            raise InputError(f"{folder} is not a folder of yours.", "Remove it.")
        backup = self.folder.with_suffix(".aside")
        _remove(backup)
        if is_new := not os.path.lexists(self.folder):
            make_bare(self.folder)
        elif not _is_as_left(self.folder):
            self.folder.rename(backup)
            make_bare(self.folder)
        try:
            try:
                return self._delivered(protocol, policies)
            except GitError:
                if is_new or os.path.lexists(backup):
                    raise
            self.folder.rename(backup)
            make_bare(self.folder)
            return self._delivered(protocol, policies)
        except BaseException:
            # What could not be replaced is of use yet, unless it is no mirror at all.
            if backup.is_dir() and not backup.is_symlink():
                _remove(self.folder)
                backup.rename(self.folder)
            elif is_new and not _has_head(self.folder):
                _remove(self.folder)
            raise
        finally:
            _remove(backup)

    def _delivered(self, protocol: str, policies: Mapping[str, Policy]) -> Delivery:
        _disarm(self.folder)
        times = [info.created for policy in policies.values() for info in policy.versions if info.created]
        since = max(times) - OVERLAP if times else None
        objects, rewritten = self._fetched(protocol)
        self._fetch_files(objects, since)
        collection = read_history(self._name, objects, policies, since)
        skipped = list(collection.skipped)
        if rewritten:
            message = "its history was rewritten since the last time; what was read before is kept."
            skipped.insert(0, SkippedPart(self._name, message))
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
        lost_commit = before and run_git(self.folder, "rev-list", "--max-count=1", before, "--not", head).strip()
        return GitObjects(self.folder, head), bool(lost_commit)

    def _fetch_files(self, objects: GitObjects, since: datetime | None) -> None:
        blobs = dict(blobs_in(objects, since))
        stdin = "".join(f"{blob}\n" for blob in blobs).encode()
        lines = objects.git("cat-file", "--batch-check", stdin=stdin).decode().splitlines()
        missing = "".join(f"{line.split(' ')[0]}\n" for line in lines if line.endswith(" missing")).encode()
        if missing:
            self._git("fetch", *_FETCH, "--stdin", self.url, stdin=missing, protocol=self._protocol)

    def _git(self, *arguments: str, protocol: str, stdin: bytes = b"") -> None:
        remote = ("-c", f"remote.{self.url}.promisor=true", "-c", f"remote.{self.url}.partialclonefilter=blob:none")
        words = (*remote, *arguments)
        run_git(self.folder, *words, stdin=stdin, protocol=protocol, patience=_PATIENCE, cancelled=self.cancelled)


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
    freed_bytes = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) if is_folder else 0
    _remove(folder)
    return freed_bytes


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
    "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance",
    "--filter=blob:none",
)  # fmt: skip
