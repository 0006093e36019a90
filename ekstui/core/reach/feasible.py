"""Which concrete requests AWS could send: an action's resources, the keys it carries, and keys that hang together.

Sources: the service authorization reference for resource types and keys; IAM User Guide, "AWS global condition
context keys" for the rest.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from ekstui.core import wildcard
from ekstui.core.applicability import fits_type
from ekstui.core.arn import Arn, matches_resource, split_arn
from ekstui.core.reference import ResourceUse, reference

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
"""Account numbers that AWS's documentation uses as examples."""

STAND_IN = "zq"
"""A value that no policy names."""

ALWAYS_PRESENT = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:userid",
        "aws:viaawsservice",
    }
)
"""Keys that are never absent from a request of a signed-in principal, in lower case."""

MAX_PATTERN = 300
"""The longest pattern of which an instance is made, in characters."""

_PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_PER_REQUEST = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")
_TAG_OF_RESOURCE = re.compile(r"[a-z0-9-]+:resourcetag/(.*)", re.DOTALL)

DERIVED = frozenset({"aws:calledviafirst", "aws:calledvialast", "aws:viaawsservice"})
"""Keys that follow from `aws:CalledVia` unless they are asked for, in lower case."""

Context = Mapping[str, tuple[str, ...]]


def stand_in(key: str) -> str:
    """Return a value for a key that no policy names, of the kind that the key takes."""
    name = key.rpartition(":")[2]
    if name.endswith("account"):
        return OTHER_ACCOUNT
    if name.endswith("arn"):
        return f"arn:aws:iam::{OTHER_ACCOUNT}:role/{STAND_IN}"
    return STAND_IN


@lru_cache(maxsize=65536)
def resources_for(action: str, patterns: tuple[str, ...], account: str, region: str) -> tuple[tuple[str, str], ...]:
    """Return ARNs that an action takes and that match one of the patterns, each with its resource type.

    A pattern is without policy variables. An action that takes no resource, or none that it must have, is asked on
    `*`. Of an action that the reference lacks every ARN counts, with an empty type.
    """
    info = reference().find(action)
    found: dict[tuple[str, str], None] = {}
    for pattern in patterns:
        if info is None:
            found.update(dict.fromkeys((each, "") for each in _instances(pattern, "*", account, region)))
            continue
        service = action.partition(":")[0]
        for use in info.resource_types:
            for shape in _shapes(service, use.name):
                made = _instances(pattern, shape, account, region)
                found.update(dict.fromkeys((each, use.name) for each in made if fits_type(service, use.name, each)))
        if not pattern.strip("*") and not any(use.required for use in info.resource_types):
            found["*", ""] = None
    return tuple(found)


@lru_cache(maxsize=65536)
def takes_key(action: str, resource_type: str, key: str) -> bool:
    """Return whether requests for the action on a resource of that type may carry the key, in lower case.

    Global keys are carried by all, except the tags of request and resource, which the reference lists where they apply.
    """
    if key.startswith("aws:") and not key.startswith(_PER_REQUEST):
        return True
    exact, prefixes = _keys(action, resource_type)
    return key in exact or key.startswith(prefixes)


def agreeing(context: Context, resource: str, spelled_tags: Mapping[str, str]) -> Context | None:
    """Return the context with the keys that follow from the others, or None if they contradict each other.

    `spelled_tags` gives the case of a tag key by its lower-case form.
    """
    arn = split_arn(resource) if resource != "*" else None
    for key, part in (("aws:resourceaccount", arn and arn.account), ("aws:requestedregion", arn and arn.region)):
        if (
            part
            and context.get(key)
            and context[key] != (part,)
            and (key.endswith("region") or _ACCOUNT.fullmatch(part))
        ):
            return None
    filled = dict(context)
    for entries, whole in (("aws:requesttag/", "aws:tagkeys"), ("kms:encryptioncontext:", "kms:encryptioncontextkeys")):
        if any(key.startswith(entries) or key == whole for key in context):
            _agree_on_entries(filled, entries, whole, spelled_tags)
    for key, values in context.items():
        tag = _TAG_OF_RESOURCE.fullmatch(key)
        if tag and values:
            for other in [other for other in context if other.endswith(f":resourcetag/{tag[1]}")]:
                if filled[other] not in ((), values):
                    return None
                filled[other] = values
    return filled if _agree_on_chain(filled) else None


def _agree_on_entries(
    context: dict[str, tuple[str, ...]], entries: str, whole: str, spelled: Mapping[str, str]
) -> None:
    """Make the key that lists all entries, such as aws:TagKeys, and the entries themselves name the same ones."""
    listed = {value.lower() for value in context.get(whole, ())}
    given = [key.removeprefix(entries) for key, values in context.items() if key.startswith(entries) and values]
    context[whole] = (*context.get(whole, ()), *(spelled.get(name, name) for name in given if name not in listed))
    for value in context[whole]:
        if not context.get(entries + value.lower()):
            context[entries + value.lower()] = (STAND_IN,)


def _agree_on_chain(context: dict[str, tuple[str, ...]]) -> bool:
    """Make the keys about services that call on the principal's behalf agree; return whether they can."""
    first, last = context.get("aws:calledviafirst", ()), context.get("aws:calledvialast", ())
    chain = context.get("aws:calledvia", ())
    if not (first or last or chain):
        if not context.get("aws:viaawsservice"):
            context["aws:viaawsservice"] = ("false",)
        return True
    if chain:
        if first not in ((), chain[:1]) or last not in ((), chain[-1:]):
            return False
    else:
        chain = (*(first or last), *(last if last and last != first and first else ()))
    context.update({"aws:calledvia": chain, "aws:calledviafirst": chain[:1], "aws:calledvialast": chain[-1:]})
    if context.get("aws:viaawsservice") not in (None, (), ("true",)):
        return False
    context["aws:viaawsservice"] = ("true",)
    return True


@lru_cache(maxsize=16384)
def _keys(action: str, resource_type: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the keys that the reference lists, in lower case: whole ones, and what those with a placeholder start with."""
    info = reference().find(action)
    if info is None:
        return frozenset(), ("",)
    keys = {key.lower() for key in info.condition_keys}
    service = action.partition(":")[0]
    for use in info.resource_types:
        if use.name == resource_type:
            keys |= _keys_of(service, use)
    return (
        frozenset(key for key in keys if "${" not in key),
        tuple(key.partition("${")[0] for key in keys if "${" in key),
    )


@lru_cache(maxsize=16384)
def _shapes(service: str, resource_type: str) -> tuple[str, ...]:
    """Return the ARNs of a resource type as wildcard patterns."""
    kind = reference().resource_type(service, resource_type)
    return tuple(_PLACEHOLDER.sub("*", shape) for shape in kind.arn_formats) if kind else ()


def _keys_of(service: str, use: ResourceUse) -> set[str]:
    kind = reference().resource_type(service, use.name)
    # EC2 lists the keys of each action and type; other services list those of the type alone.
    keys = use.condition_keys or (kind.condition_keys if kind else ())
    return {key.lower() for key in keys}


def _instances(pattern: str, shape: str, account: str, region: str) -> Iterator[str]:
    """Yield ARNs that match both a resource pattern and the shape of a type's ARNs."""
    one, other = split_arn(pattern), split_arn(shape)
    for partition in _PARTITIONS:
        fill = Arn("arn", partition, "zq", region, account, STAND_IN)
        parts = [_common(a, b, by) for a, b, by in zip(one, other, fill, strict=True)]
        if None in parts:
            return
        text = ":".join(part or "" for part in parts)
        if matches_resource(pattern, text) and matches_resource(shape, text):
            yield text
        if not wildcard.is_wild(one.partition) or not wildcard.is_wild(other.partition):
            return


@lru_cache(maxsize=65536)
def _common(a: str, b: str, fill: str) -> str | None:
    """Return a text that matches both wildcard patterns, with `fill` where both leave it open; None if there is none."""
    if a == "*" and b == "*":
        return fill
    if not wildcard.overlaps(a, b) or len(a) + len(b) > MAX_PATTERN:
        return None
    failed: set[tuple[int, int]] = set()

    def rest(i: int, j: int) -> str | None:
        if i == len(a) and j == len(b):
            return ""
        if (i, j) in failed:
            return None
        one, other = a[i : i + 1], b[j : j + 1]
        found: str | None = None
        if one == "*" and other == "*":
            found = _after(fill, rest(i + 1, j)) or _after(fill, rest(i, j + 1))
        elif one == "*":
            found = _after(_letter(other), rest(i, j + 1)) if other else None
            found = rest(i + 1, j) if found is None else found
        elif other == "*":
            found = _after(_letter(one), rest(i + 1, j)) if one else None
            found = rest(i, j + 1) if found is None else found
        elif one and other and (one == other or "?" in (one, other)):
            found = _after(_letter(other if one == "?" else one), rest(i + 1, j + 1))
        if found is None:
            failed.add((i, j))
        return found

    return rest(0, 0)


def _after(start: str, end: str | None) -> str | None:
    return None if end is None else start + end


def _letter(character: str) -> str:
    return STAND_IN[0] if character == "?" else character
