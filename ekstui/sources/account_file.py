"""An account's entities as IAM's GetAccountAuthorizationDetails gives them, and an account from a file.

The file is the output of `aws iam get-account-authorization-details`, or the demo that ships. Times may be datetimes or
ISO 8601 text, as the SDK or a file has them; documents may be objects or (URL-encoded) JSON text.
"""

import json
import lzma
import marshal
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from ekstui import files, log
from ekstui.change.policy import parse_time
from ekstui.eks.account_snapshot import (
    AccountSnapshot,
    AttachedPolicy,
    CallerIdentity,
    Group,
    InlinePolicy,
    LocalPolicy,
    ReadExtent,
    Role,
    SourceError,
    User,
)
from ekstui.eks.last_accessed import LastAccessed
from ekstui.errors import DataError, DocumentError, InputError
from ekstui.files import from_record
from ekstui.iam.document import Document, load_json, object_of, parse

_Json = Mapping[str, object]

_MAX_BYTES = 512_000_000
"""The largest file read. A thousand roles take about 3 MB."""

_COMMAND = "Write it with `aws iam get-account-authorization-details > FILE`."
_NOT_LOOKED_AT = ("EKS: the file has IAM only, so every use is inferred from trust policies.",)
_OF_DOCUMENT = {"Version", "Id", "Statement"}
_WITHOUT_REFERENCES = 2
"""The version of `marshal` that writes equal values as equal bytes."""

_LISTS = ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies")


def read_account_file(path: Path) -> AccountSnapshot:
    """Return the account in a file or a folder's files, as of the newest one's time.

    Files are read in order of name; InputError says why one cannot be read.
    """
    paths = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not paths:
        raise InputError(f"{path} has no JSON file in it.", _COMMAND)
    pages = [page for file in paths for page in _pages(file)]
    roles = _parsed(pages, "RoleDetailList", parse_role)
    users = _parsed(pages, "UserDetailList", parse_user)
    groups = _parsed(pages, "GroupDetailList", parse_group)
    policies = [policy for policy in _parsed(pages, "Policies", parse_local_policy) if ":aws:policy/" not in policy.arn]
    entities: list[Role | User | Group | LocalPolicy] = [*roles, *users, *groups, *policies]
    partition, account = _owner([entity.arn or "" for entity in entities], path)
    # The CLI writes NextToken where it was told to stop early, IAM itself IsTruncated and Marker.
    complete = not (pages[-1].get("IsTruncated") or pages[-1].get("NextToken") or pages[-1].get("Marker"))
    cut = f"{path} is incomplete: IAM had more pages."
    return AccountSnapshot(
        identity=CallerIdentity(account, partition, f"arn:{partition}:iam::{account}:root", "", method="file"),
        fetched_at=datetime.fromtimestamp(max(file.stat().st_mtime for file in paths), UTC),
        complete=complete,
        roles=tuple(roles),
        users=tuple(users),
        groups=tuple(groups),
        local_policies=tuple(policies),
        not_looked_at=_NOT_LOOKED_AT,
        errors=() if complete else (SourceError("file", None, "incomplete", cut, "Write all pages, then try again."),),
    )


def _pages(path: Path) -> Iterator[_Json]:
    """Yield the pages of a file: one object, a list of them, or several after one another."""
    try:
        log.opening(path)
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise InputError(f"{path} is larger than {_MAX_BYTES // 1_000_000} MB.")
        text = content.decode("utf-8-sig")
        del content
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", _COMMAND) from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8.", _COMMAND) from None
    decoder, position = json.JSONDecoder(object_pairs_hook=_object_of), 0
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is not JSON: {error}.", _COMMAND) from None
        for page in value if isinstance(value, list) else [value]:
            if not isinstance(page, dict) or not any(key in page for key in _LISTS):
                raise InputError(f"{path} contains something other than IAM's authorization details.", _COMMAND)
            yield page
        position = len(text) - len(text[end:].lstrip())


_Entity = TypeVar("_Entity", Role, User, Group, LocalPolicy)


def _parsed(pages: list[_Json], key: str, parse_entry: Callable[[object], _Entity]) -> list[_Entity]:
    """Return what the pages list under a key, each ARN once: the last page that has it wins."""
    entities: dict[str, _Entity] = {}
    for page in pages:
        entries = page.get(key) or []
        if not isinstance(entries, list):
            raise InputError(f"Not IAM's authorization details: {key} is not a list.", _COMMAND)
        entities |= {entity.arn or entity.name: entity for entity in map(parse_entry, entries)}
    return list(entities.values())


def _owner(arns: list[str], path: Path) -> tuple[str, str]:
    """Return partition and account of the ARNs, which must be one account's."""
    owners = Counter((parts[1], parts[4]) for arn in arns if len(parts := arn.split(":", 5)) == 6)
    if not owners:
        raise InputError(f"{path} has no role, user, group or policy in it.", _COMMAND)
    if len(owners) > 1:
        names = ", ".join(sorted(account for _, account in owners))
        raise InputError(f"{path} mixes accounts ({names}).", "Give one account's pages at a time.")
    return next(iter(owners))


def demo_account(now: datetime) -> AccountSnapshot:
    """Return the account of the demo as if it had just been read; DataError if its file is damaged."""
    return from_record(AccountSnapshot, _of_demo("demo.json.xz", now))


def demo_last_accessed(arn: str, now: datetime) -> LastAccessed | None:
    """Return the demo's report on what something was last used for; None if it has none, DataError as above."""
    report = _of_demo("demo-last-used.json.xz", now)["reports"].get(arn)
    return None if report is None else from_record(LastAccessed, report)


def _of_demo(name: str, now: datetime) -> Any:
    try:
        text = lzma.decompress(files.asset(name).read_bytes()).decode()
        made_at = datetime.fromisoformat(json.loads(text)["fetched_at"])
        return json.loads(_moved(text, made_at, now))
    except (OSError, ValueError, lzma.LZMAError):
        raise DataError("The demo's account cannot be read.", "Install ekstui again.") from None


_TIME = re.compile(r'"(\d{4}-\d{2}-\d{2}T[\d:.]+\+00:00)"')

_LATELY = timedelta(days=500)
"""Times younger than this when the demo was made keep their age, such as a role's last use."""


def _moved(text: str, made_at: datetime, now: datetime) -> str:
    """Return the text with recent times moved, so that they are as long ago now as when the demo was made."""

    def moved(match: re.Match[str]) -> str:
        moment = datetime.fromisoformat(match[1])
        return f'"{(moment + (now - made_at) if made_at - moment < _LATELY else moment).isoformat()}"'

    return _TIME.sub(moved, text)


def parse_role(detail: object, extent: ReadExtent = "full") -> Role:
    """Return the role of a RoleDetail, or of GetRole's Role if `extent` is `detail`; InputError if it is neither."""
    fields = _object(detail, "role")
    last_used = _object(fields.get("RoleLastUsed") or {}, "RoleLastUsed")
    return Role(
        **_common(fields, "Role"),
        trust=_document(fields.get("AssumeRolePolicyDocument")),
        boundary_arn=_boundary(fields),
        last_used=_time(last_used.get("LastUsedDate")),
        last_used_region=_optional(last_used, "Region"),
        tags=_tags(fields),
        instance_profiles=tuple(_text(entry, "Arn") for entry in _objects(fields, "InstanceProfileList")),
        extent=extent,
    )


def parse_user(detail: object) -> User:
    """Return the user of a UserDetail; InputError for anything else."""
    fields = _object(detail, "user")
    return User(
        **_common(fields, "User"),
        boundary_arn=_boundary(fields),
        groups=_texts(fields, "GroupList"),
        tags=_tags(fields),
    )


def parse_group(detail: object) -> Group:
    """Return the group of a GroupDetail; InputError for anything else."""
    return Group(**_common(_object(detail, "group"), "Group"))


def parse_local_policy(detail: object) -> LocalPolicy:
    """Return the customer managed policy of a ManagedPolicyDetail, at its default version, or InputError."""
    fields = _object(detail, "policy")
    default = _text(fields, "DefaultVersionId")
    versions = (version for version in _objects(fields, "PolicyVersionList") if version.get("VersionId") == default)
    arn = _text(fields, "Arn")
    return LocalPolicy(
        name=arn.rsplit("/", 1)[-1],
        arn=arn,
        path=_text(fields, "Path", "/"),
        default_version=default,
        document=_document(next(versions, {}).get("Document")),
        created=_time(fields.get("CreateDate")),
        updated=_time(fields.get("UpdateDate")),
    )


def _object(value: object, place: str) -> _Json:
    if not isinstance(value, Mapping):
        raise InputError(f"Not IAM's authorization details: {place} is not an object.")
    return value


def _objects(fields: _Json, key: str) -> list[_Json]:
    value = fields.get(key) or []
    if not isinstance(value, list):
        raise InputError(f"Not IAM's authorization details: {key} is not a list.")
    return [_object(entry, key) for entry in value]


def _text(fields: _Json, key: str, default: str | None = None) -> str:
    value = fields.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"Not IAM's authorization details: {key} is missing or not text.")
    return value


def _optional(fields: _Json, key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None


def _texts(fields: _Json, key: str) -> tuple[str, ...]:
    value = fields.get(key) or []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InputError(f"Not IAM's authorization details: {key} is not a list of names.")
    return tuple(value)


def _time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not value:
        return None
    try:
        return parse_time(value)
    except ValueError:
        raise InputError(f"Not IAM's authorization details: {value!r} is not a time.") from None


def _object_of(pairs: list[tuple[str, object]]) -> object:
    """Return a JSON object, or the bytes of the document that it is, so that a large account is never there as JSON."""
    fields = object_of(pairs)
    return _packed(fields) if "Statement" in fields and fields.keys() <= _OF_DOCUMENT else fields


class _PackedPolicy(InlinePolicy):
    """An inline policy whose document is parsed when asked for, so that thousands are never there at once."""

    __slots__ = ("_value",)

    def __init__(self, name: str, value: object) -> None:
        self.name = name
        self._value: object = _packed(value)

    @property
    def document(self) -> Document | None:  # type: ignore[override]
        return _document(self._value)

    def __eq__(self, other: object) -> bool:
        # The app compares whole accounts on the thread of its keys.
        if isinstance(other, _PackedPolicy) and (self.name, self._value) == (other.name, other._value):
            return True
        return super().__eq__(other)

    __hash__ = InlinePolicy.__hash__


def _packed(value: Any) -> Any:
    """Return a document's JSON as bytes, one object for all equal ones; as it is if an element is there twice."""
    if value is None or isinstance(value, bytes):
        return value
    try:
        return _shared(marshal.dumps(value, _WITHOUT_REFERENCES))
    except ValueError:
        return value


@lru_cache(maxsize=256)
def _shared(packed_document: bytes) -> bytes:
    """Return equal bytes as one object, since many roles have the same document."""
    return packed_document


def _document(value: object) -> Document | None:
    """Return the document, or None if it is missing or unreadable: one bad document must not hide a role."""
    packed_document = _packed(value)
    return _unpacked(packed_document) if isinstance(packed_document, bytes) else _read(packed_document)


@lru_cache(maxsize=256)
def _unpacked(packed_document: bytes) -> Document | None:
    """Return the document of equal bytes as one object."""
    return _read(marshal.loads(packed_document))  # noqa: S302, only what `_packed` wrote


def _read(value: object) -> Document | None:
    if value is None:
        return None
    try:
        return parse(load_json(unquote(value)) if isinstance(value, str) else value)
    except DocumentError:
        return None


def _common(fields: _Json, kind: str) -> dict[str, Any]:
    managed, inline = _objects(fields, "AttachedManagedPolicies"), _objects(fields, f"{kind}PolicyList")
    return {
        "name": _text(fields, f"{kind}Name"),
        "arn": _text(fields, "Arn"),
        "path": _text(fields, "Path", "/"),
        "attached": tuple(
            AttachedPolicy(_text(policy, "PolicyName"), _text(policy, "PolicyArn")) for policy in managed
        ),
        "inline": tuple(_PackedPolicy(_text(policy, "PolicyName"), policy.get("PolicyDocument")) for policy in inline),
        "created": _time(fields.get("CreateDate")),
    }


def _boundary(fields: _Json) -> str | None:
    return _optional(_object(fields.get("PermissionsBoundary") or {}, "PermissionsBoundary"), "PermissionsBoundaryArn")


def _tags(fields: _Json) -> tuple[tuple[str, str], ...]:
    return tuple((_text(entry, "Key"), _text(entry, "Value", "")) for entry in _objects(fields, "Tags"))
