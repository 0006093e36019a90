"""Policies in files and on standard input, bare or in the wrappers that `aws iam` prints around them.

A folder of outputs of `aws iam get-policy-version`, with one version per file, is an archive.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from ekstui import files, log
from ekstui.change.policy import Collection, Policy, PolicyHistory, SkippedPart, VersionInfo, parse_time, parse_version
from ekstui.errors import DocumentError, InputError
from ekstui.iam.document import MAX_BYTES, Document, DocumentKind, broken_rules, load_json, parse
from ekstui.named_tuples import NamedTuple

_WRAPPERS = (
    "PolicyVersion", "Document", "PolicyDocument", "Role", "AssumeRolePolicyDocument", "Policy", "Content",
    "ResourcePolicy", "policyText", "Attributes",
)  # fmt: skip
"""Fields in which the AWS CLI prints a policy; those of the last line hold the policies of resources."""

_DEPTH = 4
"""PolicyVersion or Role, the document, a string in it, and one to spare."""


def read_document(path: Path, *, kind: DocumentKind = "identity") -> Document:
    """Return the policy in a file; InputError names the file and what is wrong (see `document_of`)."""
    if files.is_served():
        raise InputError(
            "In a browser, ekstui does not read files of the server.", "Name a policy, or paste what a command printed."
        )
    log.opening(path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError:  # a name that no file can have
        raise InputError(f"{path} is not the name of a file.") from None
    return document_of(text, str(path), kind=kind)


def document_of(text: str | bytes, label: str, *, kind: DocumentKind = "identity") -> Document:
    """Return the policy in a text; DocumentError if AWS would reject it as one of this kind.

    The error starts with the text's `label`.
    """
    try:
        document = parse(inner_document(load_json(text)))
        for violation in broken_rules(document, kind):
            raise violation
        return document
    except DocumentError as error:
        raise DocumentError(f"{label}: {error.message}") from None


def inner_document(value: object) -> object:
    """Return the document in what the AWS CLI prints of a policy, a role or a bucket; else the value itself.

    It may be URL-encoded.
    """
    for _ in range(_DEPTH):
        if isinstance(value, str):
            value = load_json(value if value.lstrip().startswith("{") else unquote(value))
        elif (
            isinstance(value, dict)
            and "Statement" not in value
            and (keys := [key for key in _WRAPPERS if key in value])
        ):
            value = value[keys[0]]
        else:
            break
    return value


def text_of(document: object) -> bytes:
    """Return a document's JSON as the cache stores it; InputError for a lone surrogate, which UTF-8 cannot encode."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise InputError("The document contains a lone surrogate, which is not text.") from None


class _Version(NamedTuple):
    """A version as IAM returned it."""

    number: int
    default: bool
    created: datetime | None
    text: bytes
    """The document's JSON."""


def _version_in(text: bytes) -> _Version:
    """Return the version in what `get-policy-version` printed; InputError for anything else."""
    value = load_json(text)
    fields = value.get("PolicyVersion") if isinstance(value, dict) else None
    if not isinstance(fields, dict) or "Document" not in fields:
        raise InputError("not what get-policy-version prints.")
    number = parse_version(str(fields.get("VersionId", "")))
    if number is None:
        raise InputError(f"{fields.get('VersionId')!r} is not a version.")
    try:
        created = parse_time(str(fields["CreateDate"])) if fields.get("CreateDate") else None
    except ValueError:
        raise InputError(f"{fields['CreateDate']!r} is not a time.") from None
    document = inner_document(fields["Document"])
    parse(document)
    return _Version(number, fields.get("IsDefaultVersion") is True, created, text_of(document))


def read_versions(
    texts: Iterable[tuple[str, str, bytes | str]], stored_policies: Mapping[str, Policy], *, alike: bool = False
) -> tuple[tuple[PolicyHistory, ...], list[SkippedPart]]:
    """Return the known policies whose versions are in texts, with place and name, and what could not be read."""
    versions: dict[str, dict[int, _Version]] = {}
    skipped: list[SkippedPart] = []
    for place, name, text in texts:
        try:
            if isinstance(text, str):
                raise InputError(text)
            version = _version_in(text)
            if name not in stored_policies:
                raise InputError(f"no known policy is named {name!r}.")
            before = versions.setdefault(name, {}).setdefault(version.number, version)
            if alike and before.text != version.text:
                raise InputError("another file has another document for the same version.")
        except InputError as error:
            skipped.append(SkippedPart(place, error.message))
    return tuple(
        _history_of(stored_policies[name], policy_versions) for name, policy_versions in versions.items()
    ), skipped


def _history_of(policy: Policy, versions: Mapping[int, _Version]) -> PolicyHistory:
    """Return a known policy's history; the newest version that is marked as default is the default version."""
    numbers = sorted(versions)
    defaults = [number for number in numbers if versions[number].default]
    return PolicyHistory(
        policy._replace(
            default_version=defaults[-1] if defaults else policy.default_version,
            versions=tuple(VersionInfo(number, versions[number].created) for number in numbers),
        ),
        {number: versions[number].text for number in numbers},
    )


MAX_FILES = 50_000
"""The most files that are looked at."""

_VERSION = re.compile(r"[@._-]?v\d+", re.ASCII)


def read_version_files(folder: Path, paths: Iterable[Path], stored_policies: Mapping[str, Policy]) -> Collection:
    """Return the versions in some files of a folder, of policies that are known; InputError if there are no files."""
    texts = ((str(path.relative_to(folder)), _policy_name(path), _content(path)) for path in paths)
    histories, skipped = read_versions(texts, stored_policies, alike=True)
    if not histories and not skipped:
        raise InputError(
            f"{folder} has no .json, .whl or .tgz files.",
            "Give a folder with moto's wheel, the npm package, or outputs of aws iam get-policy-version.",
        )
    times = [info.created for history in histories for info in history.policy.versions if info.created]
    as_of = max(times, default=datetime.min.replace(tzinfo=UTC))
    return Collection(folder.name or str(folder), as_of, False, histories, tuple(skipped))


FOLDER = "policies"
"""The folder of an archive in git whose files are named like policies, without a suffix."""

_SUFFIXES = (".json", ".whl", ".tgz", ".tar.gz")


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that may have policies, in a stable order, without following links."""
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            is_named = name.endswith(_SUFFIXES) or ("." not in name and Path(root).name == FOLDER)
            if is_named and path.is_file() and not path.is_symlink():
                count += 1
                if count > MAX_FILES:
                    raise InputError(f"{folder} has more than {MAX_FILES:,} files.")
                yield path


def _content(path: Path) -> bytes | str:
    log.opening(path)
    try:
        with path.open("rb") as file:
            return file.read(2 * MAX_BYTES)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}."


def _policy_name(path: Path) -> str:
    stem = path.stem
    if _VERSION.fullmatch(stem):
        return path.parent.name
    match = _VERSION.search(stem)
    return stem[: match.start()] if match and match.end() == len(stem) and match.start() else stem
