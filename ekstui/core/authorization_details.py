"""Roles, users, groups and customer-managed policies, parsed from IAM's GetAccountAuthorizationDetails.

Both the live account and files written by the AWS CLI have this shape. Times may be datetimes or ISO 8601 text;
documents may be objects or (URL-encoded) JSON text.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote

from ekstui.core.account_snapshot import AttachedPolicy, Extent, Group, InlinePolicy, LocalPolicy, Role, User
from ekstui.core.document import Document, load_json, parse
from ekstui.core.policy import parse_time
from ekstui.errors import DocumentError, InputError

Json = Mapping[str, object]


def parse_role(detail: object, extent: Extent = "full") -> Role:
    """Return the role of a RoleDetail, or of GetRole's Role if `extent` is `detail`; InputError if it is neither."""
    fields = _object(detail, "role")
    last_used = _object(fields.get("RoleLastUsed") or {}, "RoleLastUsed")
    return Role(
        name=_text(fields, "RoleName"),
        arn=_text(fields, "Arn"),
        path=_text(fields, "Path", "/"),
        trust=_document(fields.get("AssumeRolePolicyDocument")),
        attached=_attached(fields),
        inline=_inline(fields, "RolePolicyList"),
        boundary_arn=_boundary(fields),
        created=_time(fields.get("CreateDate")),
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
        name=_text(fields, "UserName"),
        arn=_text(fields, "Arn"),
        path=_text(fields, "Path", "/"),
        attached=_attached(fields),
        inline=_inline(fields, "UserPolicyList"),
        boundary_arn=_boundary(fields),
        groups=_texts(fields, "GroupList"),
        created=_time(fields.get("CreateDate")),
        tags=_tags(fields),
    )


def parse_group(detail: object) -> Group:
    """Return the group of a GroupDetail; InputError for anything else."""
    fields = _object(detail, "group")
    return Group(
        name=_text(fields, "GroupName"),
        arn=_text(fields, "Arn"),
        path=_text(fields, "Path", "/"),
        attached=_attached(fields),
        inline=_inline(fields, "GroupPolicyList"),
        created=_time(fields.get("CreateDate")),
    )


def parse_local_policy(detail: object) -> LocalPolicy:
    """Return the customer-managed policy of a ManagedPolicyDetail with its default version; InputError for anything else."""
    fields = _object(detail, "policy")
    default = _text(fields, "DefaultVersionId")
    documents = [
        _document(version.get("Document"))
        for version in _objects(fields, "PolicyVersionList")
        if version.get("VersionId") == default
    ]
    arn = _text(fields, "Arn")
    return LocalPolicy(
        name=arn.rsplit("/", 1)[-1],
        arn=arn,
        path=_text(fields, "Path", "/"),
        default_version=default,
        document=documents[0] if documents else None,
        created=_time(fields.get("CreateDate")),
        updated=_time(fields.get("UpdateDate")),
    )


def _object(value: object, place: str) -> Json:
    if not isinstance(value, Mapping):
        raise InputError(f"Not IAM's authorization details: {place} is not an object.")
    return value


def _objects(fields: Json, key: str) -> list[Json]:
    value = fields.get(key) or []
    if not isinstance(value, list):
        raise InputError(f"Not IAM's authorization details: {key} is not a list.")
    return [_object(entry, key) for entry in value]


def _text(fields: Json, key: str, default: str | None = None) -> str:
    value = fields.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"Not IAM's authorization details: {key} is missing or not text.")
    return value


def _optional(fields: Json, key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None


def _texts(fields: Json, key: str) -> tuple[str, ...]:
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


def _document(value: object) -> Document | None:
    """Return the document, or None if it is missing or unreadable: one bad document must not hide a role."""
    if value is None:
        return None
    try:
        return parse(load_json(unquote(value)) if isinstance(value, str) else value)
    except DocumentError:
        return None


def _attached(fields: Json) -> tuple[AttachedPolicy, ...]:
    return tuple(
        AttachedPolicy(_text(entry, "PolicyName"), _text(entry, "PolicyArn"))
        for entry in _objects(fields, "AttachedManagedPolicies")
    )


def _inline(fields: Json, key: str) -> tuple[InlinePolicy, ...]:
    return tuple(
        InlinePolicy(_text(entry, "PolicyName"), _document(entry.get("PolicyDocument")))
        for entry in _objects(fields, key)
    )


def _boundary(fields: Json) -> str | None:
    return _optional(_object(fields.get("PermissionsBoundary") or {}, "PermissionsBoundary"), "PermissionsBoundaryArn")


def _tags(fields: Json) -> tuple[tuple[str, str], ...]:
    return tuple((_text(entry, "Key"), _text(entry, "Value", "")) for entry in _objects(fields, "Tags"))
