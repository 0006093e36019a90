"""Which concrete requests are possible in AWS: the resources of an action, and the condition keys and their values.

Source: the service authorization reference for resource types and keys.
"""

from collections.abc import Iterator
from functools import lru_cache

from ekstui.change.reach.dependent_keys import OTHER_ACCOUNT, STAND_IN
from ekstui.iam import wildcard
from ekstui.iam.applicability import BESIDE_THE_REFERENCE, arn_patterns, fits_type, lacks_place, services_of_others
from ekstui.iam.arn import Arn, is_plausible, matches_resource, split_arn
from ekstui.iam.conditions.arn_values import ANY_ARN, form_of_values
from ekstui.iam.conditions.known_keys import (
    ALWAYS_PRESENT,
    is_condition_key,
    is_tag,
    is_unassigned,
    lists_key,
    type_of,
)
from ekstui.iam.conditions.predicates import PRINCIPAL_FORMS
from ekstui.iam.policy_variables import without_encoding
from ekstui.iam.reference import reference

MAX_PATTERN = 300
"""The longest pattern for which an instance is made, in characters."""

REGION = "zq-east-1"

_PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_RENAMED = {"codestar-connections": "codeconnections"}
"""Services whose ARNs have either their old or their new name."""

_PRESENT_WHERE_LISTED = frozenset({"ec2:region", "kms:calleraccount", "s3:resourceaccount"})
"""Keys, in lower case, that every request has for actions that list them."""

_STAND_INS = {
    "account": OTHER_ACCOUNT,
    "date": "2026-01-01T00:00:00Z",
    "number": "1",
    "address": "192.0.2.77",
    "truth": "false",
    "region": REGION,
}


@lru_cache(maxsize=4096)
def stand_in(key: str) -> str:
    """Return a value of the key's type that no policy names."""
    kind = type_of(key)
    if kind in _STAND_INS:
        return _STAND_INS[kind]
    name = key.rpartition(":")[2]
    if kind == "arn" and (form := form_of_values(key)) != ANY_ARN:
        return without_encoding(next(_instances(form, "arn:aws:*:*:*:*", OTHER_ACCOUNT, REGION)))
    if kind == "arn" or name.endswith("arn"):
        return f"arn:aws:iam::{OTHER_ACCOUNT}:role/{STAND_IN}"
    if name.endswith("account"):
        return OTHER_ACCOUNT
    if key.startswith("aws:") and name.endswith("orgid"):
        return f"o-{STAND_IN}"
    if key.startswith("aws:") and name.endswith("orgpaths"):
        return f"o-{STAND_IN}/r-{STAND_IN}/"
    if key == "aws:principaltype":
        return "AssumedRole"
    return STAND_IN


@lru_cache(maxsize=65536)
def instances_of(key: str, pattern: str, accounts: tuple[str, ...]) -> tuple[str, ...]:
    """Return values of the key's type that match a wildcard pattern."""
    kind = type_of(key)
    if kind == "account":
        matches = (candidate for candidate in accounts if wildcard.matches(pattern, candidate))
        return tuple(dict.fromkeys((*matches, without_encoding(_filled(pattern, "0")))))
    if kind != "arn" and not key.endswith("arn"):
        return (without_encoding(_filled(pattern, STAND_IN)),)
    form = form_of_values(key)
    shapes = tuple(PRINCIPAL_FORMS.values()) if key == "aws:principalarn" else (form,)
    if form != ANY_ARN and wildcard.is_wild(split_arn(pattern).partition):
        # What a service's own key holds is in the partition of the policy (see conditions/predicates.py).
        shapes = tuple(":".join(split_arn(arn)._replace(partition="aws")) for arn in shapes)
    arns: dict[str, None] = {}
    for account in accounts:
        for shape in shapes:
            arns.update(dict.fromkeys(_instances(pattern, shape, account, REGION)))
        if ":" not in pattern.strip("*"):
            shape = "arn:aws:iam::*:role/*" if form == ANY_ARN or key == "aws:principalarn" else form
            fill = Arn("arn", "aws", "zq", REGION, account, "*")
            parts = (filling if part == "*" else part for part, filling in zip(split_arn(shape), fill, strict=True))
            instance = _common(pattern, ":".join(parts), STAND_IN)
            arns.update({} if instance is None else {instance: None})
    return tuple(without_encoding(arn) for arn in dict.fromkeys((*arns, _filled(pattern, STAND_IN))))


def principals_of(account: str) -> tuple[str, ...]:
    """Return a role, a user, the root and a federated user of an account."""
    parts = [form.replace("arn:*", "arn:aws").replace("::*", f"::{account}") for form in PRINCIPAL_FORMS.values()]
    return tuple(part.replace("*", STAND_IN) for part in parts)


def _filled(pattern: str, fill: str) -> str:
    return pattern.replace("*", fill).replace("?", fill[0])


@lru_cache(maxsize=65536)
def resources_for(action: str, pattern: str, account: str, region: str) -> tuple[tuple[str, str], ...]:
    """Return ARNs on which an action can be requested and that match a pattern, each with its resource type.

    The pattern is as in `ResolvedValue.pattern`. An action without a required resource can be requested on `*`. For an
    action that the reference lacks, every ARN counts; for others, so do ARNs of kinds that the reference does not
    describe, because it is not complete. Both have an empty type.
    """
    resources = dict.fromkeys(_resources_under(action, pattern, account, region))
    # A short pattern may be split so that its account is not one; such an ARN does not exist.
    real = ((resource, kind) for resource, kind in resources if resource == "*" or is_plausible(split_arn(resource)))
    return tuple((without_encoding(resource), kind) for resource, kind in real)


def _resources_under(action: str, pattern: str, account: str, region: str) -> Iterator[tuple[str, str]]:
    info = reference().find(action)
    if info is None:
        yield from ((instance, "") for instance in _instances(pattern, "*", account, region))
        return
    service = info.name.partition(":")[0]
    for use in info.resource_types:
        for shape in arn_patterns(service, use.name):
            instances = _instances(pattern, shape, account, region)
            yield from ((arn, use.name) for arn in instances if fits_type(service, use.name, arn))
    # A resource that the reference does not describe counts only if a policy names it, not by a wildcard.
    if pattern.strip("*") and not (info.resource_types and wildcard.is_wild(split_arn(pattern).resource[:1])):
        instances = _instances(pattern, "*", account, region)
        yield from ((arn, "") for arn in instances if _is_undescribed(service, arn))
    if not pattern.strip("*") and not any(use.required for use in info.resource_types):
        yield "*", ""


def _is_undescribed(service: str, resource: str) -> bool:
    """Return whether the reference does not describe a kind of resource that a policy names for a service."""
    if lacks_place(resource):
        return False
    types = reference().resource_types(service)
    if not types:
        return True
    arn_service = _RENAMED.get(split_arn(resource).service, split_arn(resource).service)
    return arn_service == _RENAMED.get(service, service) and not any(
        fits_type(service, name, resource) for name in types
    )


@lru_cache(maxsize=65536)
def takes_key(action: str, resource_type: str, key: str) -> bool:
    """Return whether requests for the action on a resource of that type may have the key, in lower case.

    The reference is not complete: besides its keys, an action on resources may have their tags and the keys of its
    service, and one that writes may have request tags.
    """
    info = reference().find(action)
    if info is None or lists_key(action, key, resource_type or None) or is_unassigned(key):
        return True
    if key.startswith(("aws:requesttag/", "aws:tagkeys")):
        return not {"List", "Read"}.issuperset(info.levels)
    service = info.name.partition(":")[0]
    if is_tag(key) or {"List", "Read"}.issuperset(info.levels):
        return bool(info.resource_types) and (key.startswith("aws:resourcetag/") or _is_own(key, service))
    return _is_own(key, service)


def _is_own(key: str, service: str) -> bool:
    return key.startswith(f"{service}:") and is_condition_key(key)


def may_lack(action: str, key: str) -> bool:
    """Return whether requests for the action may lack the key, in lower case."""
    return key not in ALWAYS_PRESENT and not (key in _PRESENT_WHERE_LISTED and lists_key(action, key))


@lru_cache(maxsize=65536)
def kind_of(action: str) -> object:
    """Return what decides which requests for an action are possible; equal for actions that do not differ in it."""
    info = reference().find(action)
    if info is None:
        return action
    is_read = {"List", "Read"}.issuperset(info.levels)
    return action.partition(":")[0], info.resource_types, info.condition_keys, is_read


# More than the reference has actions, since `*` asks about all of them several times in the same order.
@lru_cache(maxsize=65536)
def services_of(action: str) -> frozenset[str] | None:
    """Return the services, as named in ARNs, whose resources an action may use; None if that is not known.

    Its own service is always included. An action without types may be used on those of its service: AWS allows
    sagemaker-mlflow:AccessUI on tracking servers. A service that has only types of others, such as arc-zonal-shift, may
    take more than the reference lists.
    """
    info = reference().find(action)
    service = action.partition(":")[0]
    types = reference().resource_types(service)
    if info is None or not types or services_of_others(service):
        return None
    used_types = tuple(use.name for use in info.resource_types) or types
    services = {split_arn(pattern).service for name in used_types for pattern in arn_patterns(service, name)}
    if any(map(wildcard.is_wild, services)):
        return None
    services |= {service, *BESIDE_THE_REFERENCE.get(service, ())}
    return frozenset(
        services | {old for old, new in _RENAMED.items() if new in services} | {_RENAMED.get(service, service)}
    )


@lru_cache(maxsize=65536)
def is_void(resource: str, services: frozenset[str]) -> bool:
    """Return whether no action on resources of these services can be requested on what a resource pattern matches.

    It belongs to another service that the reference describes, or leaves a region or account empty.
    """
    if lacks_place(resource):
        return True
    service = split_arn(resource).service
    return service not in services and not wildcard.is_wild(service) and bool(reference().resource_types(service))


def _instances(pattern: str, shape: str, account: str, region: str) -> Iterator[str]:
    """Yield ARNs that match both a resource pattern and the shape of a type's ARNs."""
    arn, shape_arn = split_arn(pattern), split_arn(shape)
    for partition in _PARTITIONS:
        fill = Arn("arn", partition, "zq", region, account, STAND_IN)
        parts = [_common(a, b, filling) for a, b, filling in zip(arn, shape_arn, fill, strict=True)]
        if None in parts:
            return
        text = ":".join(part or "" for part in parts)
        if matches_resource(pattern, text) and matches_resource(shape, text):
            yield text
        if not wildcard.is_wild(arn.partition) or not wildcard.is_wild(shape_arn.partition):
            return


@lru_cache(maxsize=65536)
def _common(a: str, b: str, fill: str) -> str | None:
    """Return a text that matches both wildcard patterns, with `fill` where both have `*`; None if there is none."""
    if {a, b} <= {"*", "?*"}:
        return fill
    if not wildcard.overlaps(a, b) or len(a) + len(b) > MAX_PATTERN:
        return None
    dead_ends: set[tuple[int, int]] = set()

    def rest(i: int, j: int) -> str | None:
        if i == len(a) and j == len(b):
            return ""
        for text, after_a, after_b in _next(a[i : i + 1], b[j : j + 1], fill) if (i, j) not in dead_ends else ():
            end = rest(i + after_a, j + after_b)
            if end is not None:
                return text + end
        dead_ends.add((i, j))
        return None

    return rest(0, 0)


def _next(left: str, right: str, fill: str) -> list[tuple[str, int, int]]:
    """Return what may come next according to a character of each pattern, and how far to advance in each."""
    if left == right == "*":
        return [(fill, 1, 0), (fill, 0, 1)]
    if left == "*":
        return [*([(_letter(right), 0, 1)] if right else []), ("", 1, 0)]
    if right == "*":
        return [*([(_letter(left), 1, 0)] if left else []), ("", 0, 1)]
    if left and right and (left == right or "?" in (left, right)):
        return [(_letter(right if left == "?" else left), 1, 1)]
    return []


def _letter(character: str) -> str:
    return STAND_IN[0] if character == "?" else character
