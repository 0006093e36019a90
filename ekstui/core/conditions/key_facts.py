"""What AWS documents about condition keys: which every request has, which are multivalued, and their types.

Source: IAM User Guide, "AWS global condition context keys"; for a service's own keys the service authorization
reference, which only tells which are lists.
"""

from functools import cache, lru_cache
from typing import Literal

from ekstui.core import wildcard
from ekstui.core.conditions.known_keys import form_of
from ekstui.core.conditions.predicates import Predicate, predicate
from ekstui.core.reference import reference

ALWAYS_PRESENT = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:userid",
        "aws:viaawsservice",
    }
)
"""Keys that every signed request has, in lower case."""

_LISTS = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }
)

KeyType = Literal["account", "arn", "date", "number", "address", "truth", "region", "text"]

_TYPES: dict[KeyType, tuple[str, ...]] = {
    "account": ("principalaccount", "resourceaccount", "sourceaccount", "vpceaccount"),
    "arn": ("chatbotsourcearn", "principalarn", "signinsessionarn", "sourcearn", "sourcevpcarn"),
    "date": ("currenttime", "epochtime", "tokenissuetime"),
    "number": ("multifactorauthage",),
    "address": ("ec2instancesourceprivateipv4", "sourceip", "vpcsourceip"),
    "truth": (
        "assumedroot", "ismcpserviceaction", "multifactorauthpresent", "principalisawsservice", "securetransport",
        "viaawsmcpservice", "viaawsservice",
    ),
    "region": ("requestedregion",),
}  # fmt: skip
_TYPE_OF: dict[str, KeyType] = {f"aws:{name}": kind for kind, names in _TYPES.items() for name in names}

_FORMS = {
    "account": ("StringLikeIfExists", "????????????"),
    "arn": ("ArnLikeIfExists", "arn:*:*:*:*:*"),
}


@lru_cache(maxsize=4096)
def type_of(key: str) -> KeyType | None:
    """Return the type of the values of a key in lower case; None if AWS documents none, or a list."""
    if key in _TYPE_OF:
        return _TYPE_OF[key]
    name = key.rpartition(":")[2]
    if name in ("resourceaccount", "calleraccount"):
        return "account"
    return "truth" if _listed_type(key) == "Bool" else None


@lru_cache(maxsize=4096)
def has_several(key: str) -> bool | None:
    """Return whether a key, in lower case, is multivalued; None if AWS does not say."""
    if key in _LISTS:
        return True
    if key.startswith("aws:") or is_tag(key):
        return False
    kind = _listed_type(key)
    return None if kind is None else kind.startswith("ArrayOf")


def is_tag(key: str) -> bool:
    """Return whether a key, in lower case, is the value of one tag, which may be empty."""
    return "tag/" in key


@lru_cache(maxsize=4096)
def facts(key: str) -> tuple[Predicate, ...]:
    """Return conditions on a key, in lower case, that hold for every request."""
    found: list[Predicate] = []
    if key in ALWAYS_PRESENT:
        found.append(predicate("Null", key, ("false",)))
    kind = type_of(key)
    if kind == "truth":
        found.append(predicate("BoolIfExists", key, ("false", "true")))
    elif kind in _FORMS:
        name, form = _FORMS[kind]
        found.append(predicate(name, key, (form,)))
    return tuple(found)


@lru_cache(maxsize=4096)
def _listed_type(key: str) -> str | None:
    return next((kind for form, kind in _types_of_service(key.partition(":")[0]) if wildcard.matches(form, key)), None)


@cache
def _types_of_service(service: str) -> tuple[tuple[str, str], ...]:
    return tuple((form_of(key), kind) for key, kind in reference().key_types(service).items())
