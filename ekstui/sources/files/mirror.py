"""A public archive of policies in git, kept as a partial clone of our own in the cache, where only what is new is fetched.

Commits and folders come whole; of the files only those that were committed lately, since the corpus knows the others.
What the archive's own configuration may say never reaches us: a fetch brings objects alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from ekstui.core.history import Delivery, Provenance, Skipped
from ekstui.core.policy import Policy
from ekstui.errors import InputError
from ekstui.sources.files.git import Objects, make_bare, run
from ekstui.sources.files.git_archive import blobs_in, read_history

MAMIP = "https://github.com/zoph-io/MAMIP.git"
"""The archive that `--from mamip` names: AWS's managed policies, committed several times a day."""

OVERLAP = timedelta(days=60)
"""How long before the newest version that is known files are read again: an archive may have noticed it late."""

PATIENCE = 600.0
"""Seconds that a fetch may take."""

_HEAD = "refs/ekstui/head"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A public archive in git as a source."""

    url: str
    folder: Path
    """Where the clone is kept."""
    now: datetime
    partition: str = "aws"

    def deliver(self, known: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Fetch what is new and return what it holds; InputError where it cannot be reached or read."""
        policies = known(self.partition)
        created = [info.created for policy in policies.values() for info in policy.versions if info.created]
        since = max(created) - OVERLAP if created else None
        objects, rewritten = self._fetched()
        self._fetch_files(objects, since)
        collection = read_history(self._name, objects, policies, since)
        skipped = list(collection.skipped)
        if rewritten:
            said = "its history was rewritten since the last time; what was read before is kept."
            skipped.insert(0, Skipped(self.url, said))
        return Delivery(
            self.partition,
            Provenance(f"{self._name} {objects.head[:12]}", "archive", collection.as_of, self.now),
            len(collection.histories) + len(skipped),
            (*skipped, *collection.histories),
            collection.as_of,
        )

    @property
    def _name(self) -> str:
        return urlsplit(self.url).path.rstrip("/").rpartition("/")[2].removesuffix(".git") or "archive"

    @property
    def _protocol(self) -> str:
        scheme = urlsplit(self.url).scheme
        if scheme not in ("https", "http") or urlsplit(self.url).username is not None:
            raise InputError("An archive is reached by https.", "Give an address without a user name, or a folder.")
        return scheme

    def _fetched(self) -> tuple[Objects, bool]:
        """Fetch the newest commit; return it, and whether what was the newest is no longer in its history."""
        protocol = self._protocol
        if not (self.folder / "objects").is_dir():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            make_bare(self.folder)
        before = run(self.folder, "for-each-ref", "--format=%(objectname)", _HEAD).decode().strip()
        self._git("fetch", *_FETCH, self.url, f"+HEAD:{_HEAD}", protocol=protocol)
        head = run(self.folder, "rev-parse", "--verify", _HEAD).decode().strip()
        lost = before and run(self.folder, "rev-list", "--max-count=1", before, "--not", head).strip()
        return Objects(self.folder, head), bool(lost)

    def _fetch_files(self, objects: Objects, since: datetime | None) -> None:
        """Fetch the files that are not here yet, all in one go."""
        blobs = dict(blobs_in(objects, since))
        listed = "".join(f"{blob}\n" for blob in blobs).encode()
        lines = objects.git("cat-file", "--batch-check", given=listed).decode().splitlines()
        missing = "".join(f"{line.split(' ')[0]}\n" for line in lines if line.endswith(" missing")).encode()
        if missing:
            self._git("fetch", *_FETCH, "--stdin", self.url, given=missing, protocol=self._protocol)

    def _git(self, *arguments: str, protocol: str, given: bytes = b"") -> None:
        remote = ("-c", f"remote.{self.url}.promisor=true", "-c", f"remote.{self.url}.partialclonefilter=blob:none")
        run(self.folder, *remote, *arguments, given=given, protocol=protocol, patience=PATIENCE)


_FETCH = (
    "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance", "--filter=blob:none",
)  # fmt: skip
