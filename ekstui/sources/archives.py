"""Archives of AWS managed policies that others publish, in files and folders, or as a clone."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ekstui.change.policy import (
    Collection,
    Delivery,
    Policy,
    PolicyHistory,
    Provenance,
    SkippedPart,
    VersionInfo,
    version_label,
)
from ekstui.errors import InputError
from ekstui.named_tuples import NamedTuple
from ekstui.sources.git import borrowed
from ekstui.sources.git_history import read_history
from ekstui.sources.packages import is_npm_json, read_moto, read_npm_package
from ekstui.sources.policy_file import FOLDER, files_in, read_version_files
from ekstui.waiting import Cancelled, never


class Archive(NamedTuple):
    """An archive as a source."""

    path: Path
    now: datetime
    partition: str = "aws"
    cancelled: Cancelled = never

    def deliver(self, stored_policies: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Return what is in the archive; InputError if nothing in it can be read."""
        collection = read_collection(self.path, stored_policies(self.partition), self.cancelled)
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


def read_collection(path: Path, stored_policies: Mapping[str, Policy], cancelled: Cancelled = never) -> Collection:
    """Return what is in an archive: a package, a clone, or a folder of packages and versions.

    `stored_policies` tells the ARNs of versions.
    """
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{str(path)[:100]}… cannot be read: {error.strerror}.") from None
    if is_folder:
        if not ((path / ".git").exists() and (path / FOLDER).is_dir()):
            return _read_folder(path, stored_policies, cancelled)
        with borrowed(path) as objects:
            return read_history(path.resolve().name, objects, stored_policies)
    if not is_there:
        raise InputError(
            f"There is no file or folder {str(path)!r}.", "Give one, or the name or address of an archive."
        )
    if reader := _package_reader(path):
        return reader(path, cancelled)
    if path.suffix == ".json":
        return read_npm_package(path, cancelled)
    raise InputError(f"{path} is not an archive that ekstui reads.", "It reads .tgz, .json and .whl files and folders.")


def _package_reader(path: Path) -> Callable[[Path, Cancelled], Collection] | None:
    if path.suffix == ".whl":
        return read_moto
    return read_npm_package if path.name.endswith((".tgz", ".tar.gz")) or is_npm_json(path) else None


def _read_folder(folder: Path, stored_policies: Mapping[str, Policy], cancelled: Cancelled) -> Collection:
    """Return what is in a folder's packages and its files of one version each; InputError if it has neither."""
    collections: list[Collection] = []
    version_files: list[Path] = []
    error_by_path: dict[Path, InputError] = {}
    for path in files_in(folder):
        if reader := _package_reader(path):
            try:
                collections.append(reader(path, cancelled))
            except InputError as error:  # such as the wheel of something that moto needs
                error_by_path[path] = error
        else:
            version_files.append(path)
    if not collections:
        if error_by_path and not version_files:
            raise next(iter(error_by_path.values()))
        return read_version_files(folder, version_files, stored_policies)
    if version_files:
        packaged_policies = {
            history.policy.name: history.policy for collection in collections for history in collection.histories
        }
        collections.append(read_version_files(folder, version_files, {**stored_policies, **packaged_policies}))
    joined_collection = _joined(folder.name or str(folder), collections)
    skipped = (SkippedPart(path.name, error.message.removeprefix(f"{path} ")) for path, error in error_by_path.items())
    return joined_collection._replace(skipped=(*joined_collection.skipped, *skipped))


def _joined(source: str, collections: Sequence[Collection]) -> Collection:
    """Return several collections as one; of two documents of one version the first counts, and the other is named."""
    histories: dict[str, PolicyHistory] = {}
    skipped = [entry for collection in collections for entry in collection.skipped]
    for collection in sorted(collections, key=lambda collection: collection.as_of, reverse=True):
        for history in collection.histories:
            name = history.policy.name
            histories[name], conflicts = with_versions(histories.get(name, history), history)
            reason = f"{collection.source} has another document for the same version."
            skipped += (SkippedPart(f"{name} {version_label(number)}", reason) for number in conflicts)
    whole_collections = [collection for collection in collections if collection.whole]
    as_of = max(collection.as_of for collection in whole_collections or collections)
    return Collection(source, as_of, bool(whole_collections), tuple(histories.values()), tuple(skipped))


def with_versions(history: PolicyHistory, source: PolicyHistory) -> tuple[PolicyHistory, tuple[int, ...]]:
    """Return a history with the versions and times that it lacks, and the versions of which the documents differ."""
    texts = {**source.texts, **history.texts}
    times = {info.number: info.created for info in source.policy.versions}
    times |= {info.number: info.created for info in history.policy.versions if info.created}
    infos = tuple(VersionInfo(number, times.get(number)) for number in sorted(texts))
    conflicts = tuple(
        number
        for number, text in source.texts.items()
        if texts[number] != text and json.loads(texts[number]) != json.loads(text)
    )
    ordered_texts = {number: texts[number] for number in sorted(texts)}
    return PolicyHistory(history.policy._replace(versions=infos), ordered_texts), conflicts
