"""The encoder of values as the commands' JSON and YAML; the fields listed here are a stable interface for scripts."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from pathlib import PurePath
from typing import Any

from ekstui.core.document import serialise_conditions, serialise_statement
from ekstui.core.policy import format_time, version_label

Shape = dict[str, object]

_FIELDS: Mapping[str, str] = {
    "ActionSummary": "action level grants patterns sids denied warnings",
    "Allower": "policy version since depends_on=missing wildcard scope meant_for fit",
    "Caller": "kind name subject audience",
    "RolePolicy": "name arn version",
    "Cause": "policy_type explicit policy",
    "ClusterRole": "arn uses policies=subject findings",
    "ComparedSide": "label policy=policy.name arn=policy.arn version created parameters",
    "DataStatus": "source partition newest synced_at reference",
    "DependentActions": "action needs text source",
    "Explanation": "verdict action resource principal cause nearest missing_context allowed_by allowed_by_more "
    "newer_version smallest_statement not_looked_at used_by notes hints also_authorised_on role findings symptoms fetched_at",
    "Failure": "part key operator wanted given",
    "EntryAnswer": "principal=entry.principal_arn type=entry.kind username=entry.username groups=entry.groups "
    "policies=entry.policies findings",
    "GivenAccess": "policy scope namespaces",
    "FeedStep": "policy family version previous created",
    "Finding": "code severity text evidence",
    "Grant": "resource_element resources conditions",
    "GrantDifference": "effect element actions",
    "Group": "name arn path",
    "HealthIssue": "kind name code message resources",
    "Holder": "policy=policy.name version since wider kind=policy.kind pattern via grants denied covers lacks",
    "LevelCount": "granted total",
    "Moved": "policy=pin.name from=pin.version to=version kind=change.kind reach=change.reach",
    "NearStatement": "policy version sid index effect layer matches failed",
    "NewerVersion": "policy current version created depends_on=missing",
    "PrincipalInCluster": "cluster principal policy scope namespaces",
    "Permission": "api_group resource verb",
    "PolicyEntry": "name=policy.name arn=policy.arn path=policy.path default_version=policy.default_version "
    "versions=policy.versions created=policy.created updated=policy.updated kind=policy.kind scope "
    "attachable=policy.attachable superseded_by",
    "PrincipalCan": "kind=subject.kind name=subject.name arn=subject.arn used_by=subject.used_by through verdict "
    "depends_on=reasons last_used=subject.last_used",
    "RecentChange": "policy version created roles",
    "RecordedAttachment": "account name arn path as=attached_as recorded_at used_by",
    "ResourceUse": "resource_type=name required",
    "RoleAttachment": "name=role.name arn=role.arn path=role.path service_linked=role.service_linked "
    "last_used=role.last_used last_used_region=role.last_used_region as=attached_as used_by remarks",
    "ReviewedDocument": "path place state kind=change.kind reach=change.reach verdict=change.verdict",
    "Rule": "api_groups resources verbs non_resource_urls",
    "ServiceAccount": "namespace name pattern never_matches",
    "ServiceSummary": "service effect access levels resource condition warnings",
    "SimulatedDecision": "action resource decision missing_context matched allowed_by_organisation allowed_by_boundary",
    "Since": "version created at_latest",
    "Skipped": "place reason",
    "SourceError": "source action kind region message next_step",
    "Step": "version created default missing_before change",
    "StepCounts": "kind reach denies added removed changed",
    "StoredAccount": "account partition fetched_at",
    "Symptom": "symptom answer policies actions source",
    "SyncReport": "source partition complete known_until new_policies new_versions conflicts withdrawn skipped",
    "Through": "policy version",
    "Use": "kind cluster region name namespace service_account certainty",
    "UserAttachment": "name=user.name arn=user.arn path=user.path as=attached_as",
    "Wider": "version created without",
}
"""The JSON fields of each class, in order; `name=path` if the attribute has another name."""

_VERSIONS = frozenset({"version", "previous", "current", "default_version", "missing_before", "from", "to"})
"""Fields with version numbers, which become labels such as `v5`."""


def arn_or_none(arn: str | None) -> str | None:
    """Return an ARN, or None for a policy without one, such as a controller's."""
    return arn if arn is not None and arn.startswith("arn:") else None


_SPECIAL: Mapping[tuple[str, str], Callable[..., object]] = {
    ("ComparedSide", "arn"): arn_or_none,
    ("ComparedSide", "parameters"): dict,
    ("PolicyEntry", "arn"): arn_or_none,
    ("GivenAccess", "namespaces"): lambda namespaces: namespaces or (),
    ("ClusterRole", "policies"): lambda subject: subject.policies if subject else (),
    ("Explanation", "smallest_statement"): lambda statement: statement and serialise_statement(statement),
    ("Grant", "conditions"): serialise_conditions,
    ("Moved", "reach"): lambda reach: reach or "unknown",
    ("PolicyEntry", "versions"): len,
    ("ReviewedDocument", "reach"): lambda reach: reach or "unknown",
}
"""Conversions of fields before they are encoded."""


Plan = tuple[tuple[str, Callable[[object], object], Callable[..., object] | None], ...]
"""How to encode a class: each field's name in the JSON, its reader, and its conversion."""

_plans: dict[type, Plan] = {}


def encode(value: object) -> object:
    """Return a value as JSON: a class with fields as an object, a time in ISO 8601, a version as its label."""
    match value:
        case None | str() | int() | float():
            return value
        case datetime():
            return format_time(value)
        case Mapping():
            return {key: encode(each) for key, each in value.items()}
        case PurePath():
            return str(value)
    if type(value).__name__ in _FIELDS:
        return shape(value)
    if isinstance(value, Sequence) and not hasattr(value, "_fields"):
        return [encode(each) for each in value]
    raise TypeError(f"{type(value).__name__} cannot be encoded as JSON")


def shape(value: Any) -> Shape:
    """Return a value with fields as an object."""
    found: Shape = {}
    kind = type(value)
    if kind not in _plans:
        _plans[kind] = _plan(kind)
    for name, get, special in _plans[kind]:
        part = get(value)
        found[name] = _versions(part) if name in _VERSIONS else encode(special(part) if special else part)
    return found


def _versions(numbers: object) -> object:
    if isinstance(numbers, tuple):
        return [version_label(number) for number in numbers]
    return version_label(numbers) if isinstance(numbers, int) else None


def _plan(kind: type[Any]) -> Plan:
    """Return how to encode the fields of a class."""
    plan = []
    for word in _FIELDS[kind.__name__].split():
        name, _, path = word.partition("=")
        plan.append((name, _reader(path or name), _SPECIAL.get((kind.__name__, name))))
    return tuple(plan)


def _reader(path: str) -> Callable[[object], object]:
    """Return a reader of an attribute, or of `one.other`, which is None if `one` is."""
    first, _, rest = path.partition(".")
    read = attrgetter(first)
    if not rest:
        return read

    def through(value: object) -> object:
        inner = read(value)
        return None if inner is None else getattr(inner, rest)

    return through


_LISTS = ("policies", "changes", "versions", "moved", "roles", "users", "groups", "allowed_by", "services", "answers")
"""The fields with the lists that answers are about."""

_PLAIN = re.compile(r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_-]*", re.IGNORECASE)
"""A key that needs no quotes in YAML."""

_LONGEST_KEY = 1000
"""The longest key, in characters, on one line with its colon; YAML allows 1,024."""

_PAIR = re.compile(r"\\ud([89ab][0-9a-f]{2})\\ud([c-f][0-9a-f]{2})")
"""A surrogate pair in JSON, which is a single escape in YAML."""


def yaml(value: object, indent: str = "") -> Iterator[str]:
    """Yield a JSON value as lines of YAML, in ASCII."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            name = key if _PLAIN.fullmatch(key) else _scalar(key)
            start = f"{indent}{name}:"
            if len(name) > _LONGEST_KEY:
                yield f"{indent}? {name}"
                start = f"{indent}:"
            if isinstance(part, dict | list) and part:
                yield start
                yield from yaml(part, indent + "  ")
            else:
                yield f"{start} {_scalar(part)}"
    elif isinstance(value, list) and value:
        for part in value:
            first, *others = yaml(part, indent + "  ")
            yield f"{indent}- {first.strip()}"
            yield from others
    else:
        yield indent + _scalar(value)


def names(value: object) -> Iterator[str]:
    """Yield the names in an answer's lists, each once."""
    seen: set[str] = set()
    for name in _names(value):
        if name not in seen:
            seen.add(name)
            yield json.dumps(name)[1:-1]


def _names(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for part in _LISTS:
        for each in value.get(part) or ():
            if part == "answers":
                yield from _names(each)
            elif isinstance(each, dict):
                name = each.get("name") or each.get("policy") or each.get("arn") or each.get("service")
                yield name or f"{value.get('policy')}@{each.get('version')}"


def _scalar(value: object) -> str:
    return _PAIR.sub(_one, json.dumps(value))


def _one(match: re.Match[str]) -> str:
    high, low = int(match[1], 16) & 0x3FF, int(match[2], 16) & 0x3FF
    return f"\\U{0x10000 + (high << 10) + low:08x}"
