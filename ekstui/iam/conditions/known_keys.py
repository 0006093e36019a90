"""Which condition keys exist, what AWS documents about them, and which the reference lists for an action.

The reference writes the variable part of a key in several ways: `aws:ResourceTag/${TagKey}`,
`secretsmanager:ResourceTag/tag-key`, `s3:ExistingObjectTag/<key>`, `sagemaker:ResourceTag/`, in upper or lower case,
and also in the middle, as in `codebuild:fileSystemLocations/${identifier}.type`. Only this module interprets them. A
key that the reference does not list may still be in a request, because the reference omits many keys.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Literal

from ekstui import spelling
from ekstui.iam import wildcard
from ekstui.iam.reference import reference

# IAM User Guide, "AWS global condition context keys"; a name that ends in `/` is followed by a tag key.
_GLOBAL_KEYS = tuple(
    f"aws:{name}"
    for name in (
        "AssumedRoot", "CalledVia", "CalledViaFirst", "CalledViaLast", "ChatbotSourceArn", "CurrentTime",
        "Ec2InstanceSourcePrivateIPv4", "Ec2InstanceSourceVpc", "EpochTime", "FederatedProvider", "IsMcpServiceAction",
        "MultiFactorAuthAge", "MultiFactorAuthPresent", "PrincipalAccount", "PrincipalArn", "PrincipalIsAWSService",
        "PrincipalOrgID", "PrincipalOrgPaths", "PrincipalServiceName", "PrincipalServiceNamesList", "PrincipalTag/",
        "PrincipalType", "RequestTag/", "RequestedRegion", "ResourceAccount", "ResourceOrgID", "ResourceOrgPaths",
        "ResourceTag/", "SecureTransport", "SignInSessionArn", "SourceAccount", "SourceArn", "SourceIdentity",
        "SourceIp", "SourceOrgID", "SourceOrgPaths", "SourceVpc", "SourceVpcArn", "SourceVpce", "TagKeys",
        "TokenIssueTime", "UserAgent", "ViaAWSMCPService", "ViaAWSService", "VpcSourceIp", "VpceAccount", "VpceOrgID",
        "VpceOrgPaths", "referer", "userid", "username",
    )
)  # fmt: skip

# Keys that AWS's own policies use and that AWS no longer lists.
_UNLISTED_KEYS = (
    "aws:PrincipalOrgMasterAccountId",
    "deepracer:MultiUser",
    "deepracer:UserToken",
    "lakeformation:GlueARN",
)

# Keys that role credentials add to requests to any service.
_SESSION_KEYS = frozenset(
    {"ec2:sourceinstancearn", "ec2:roledelivery", "lambda:sourcefunctionarn", "glue:roleassumedby"}
)

# Prefixes of identity providers, which are not services of the reference.
_PROVIDERS = frozenset({"saml", "cognito-identity", "token"})

_PER_REQUEST = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")
"""Global keys that only some actions have; the reference lists them for those."""

_VARIABLE = re.compile(r"\$\{[^}]*\}|<[^>]*>|(?<=/)(?:tag-?key)?$")
_ARN = re.compile(r"\barns?\b", re.IGNORECASE)
_TAG = re.compile(r"(.*resourcetag/).+", re.DOTALL)


@cache
def form_of(key: str) -> str:
    """Return a key of the reference as a pattern in lower case, with `?*` where it has a variable part.

    One named resource tag stands for all, because accounts choose their own tags.
    """
    form = _VARIABLE.sub("?*", key.lower())
    tag = _TAG.fullmatch(form)
    return f"{tag[1]}?*" if tag else form


@cache
def forms_of(action: str, resource_type: str | None = None) -> frozenset[str]:
    """Return the forms of the keys that the reference lists for an action, on one of its resource types or on any.

    These are the action's own keys and those that the action lists for the resource type. The keys of the type itself
    count as well, but for a given type only if the action lists none: ec2:CreateVolume has no tags of the volume.
    Global keys are not included, and an unknown action has none.
    """
    info = reference().find(action)
    if info is None:
        return frozenset()
    service = info.name.partition(":")[0]
    keys = set(info.condition_keys)
    for use in info.resource_types:
        if resource_type in (None, use.name):
            keys.update(use.condition_keys)
            if resource_type is None or not use.condition_keys:
                keys.update(_of_type(service, use.name))
    return frozenset(map(form_of, keys))


@lru_cache(maxsize=65536)
def lists_key(action: str, key: str, resource_type: str | None = None) -> bool:
    """Return whether requests for an action can certainly have a key, because AWS lists it.

    False only means that no list has it. Global keys are available everywhere, except tags of requests and resources.
    """
    key = key.lower()
    if key in _SESSION_KEYS or (key.startswith("aws:") and not key.startswith(_PER_REQUEST)):
        return True
    return _is_of(key, forms_of(action, resource_type))


@lru_cache(maxsize=65536)
def is_unassigned(key: str) -> bool:
    """Return whether the reference lists a key for a service but for no action, so that any action may have it."""
    key = key.lower()
    forms_of_actions, forms_of_service = _forms_of_service(key.partition(":")[0])
    return not _is_of(key, forms_of_actions) and _is_of(key, forms_of_service)


def is_condition_key(key: str) -> bool:
    """Return whether a condition key of that name is known to exist.

    Keys of identity providers, such as `oidc.eks…/id/X:sub`, are not listed anywhere and are accepted.
    """
    name = key.lower()
    service, colon, key_name = name.partition(":")
    if not colon or not key_name:
        return False
    if "." in service or service in _PROVIDERS or name in _SESSION_KEYS:
        return True
    if service == "aws":
        return _is_of(name, map(form_of, (*_GLOBAL_KEYS, *_UNLISTED_KEYS)))
    if reference().has_service(service) and _is_of(name, (f"{service}:resourcetag/?*", *_forms_of_service(service)[1])):
        return True
    return _is_of(name, map(form_of, _UNLISTED_KEYS)) or _is_of(name, _forms_elsewhere())


def similar_keys(key: str) -> tuple[str, ...]:
    """Return the keys most similar to a mistyped one, best first."""
    service = key.partition(":")[0].lower()
    head = key.partition("/")[0] if service == "aws" else key
    return spelling.nearest(head, (*_GLOBAL_KEYS, *reference().keys_of_service(service)), 3)


def _of_type(service: str, resource_type: str) -> tuple[str, ...]:
    kind = reference().resource_type(service, resource_type)
    return kind.condition_keys if kind is not None else ()


@cache
def _forms_of_service(service: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the forms of a service's keys: those that its actions have, and all that the service lists."""
    forms_of_actions = {form for info in reference().actions(service).values() for form in forms_of(info.name)}
    for name in reference().resource_types(service):
        forms_of_actions.update(map(form_of, _of_type(service, name)))
    return frozenset(forms_of_actions), frozenset(map(form_of, reference().keys_of_service(service)))


@cache
def _forms_elsewhere() -> frozenset[str]:
    """Return the forms of keys that another service than that of their prefix lists, such as `catalog:ChangeType`."""
    return frozenset(
        form_of(key)
        for service in reference().services()
        for key in reference().keys_of_service(service)
        if key.partition(":")[0].lower() != service
    )


def _is_of(key: str, forms: Iterable[str]) -> bool:
    return any(wildcard.matches(form, key) for form in forms)


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


_LISTED_TYPES: dict[str, KeyType] = {
    "Bool": "truth", "Numeric": "number", "Date": "date", "IPAddress": "address", "ARN": "arn", "ArrayOfARN": "arn",
}  # fmt: skip


@lru_cache(maxsize=4096)
def type_of(key: str) -> KeyType | None:
    """Return the type of each value of a key in lower case; None if AWS documents none."""
    if key in _TYPE_OF:
        return _TYPE_OF[key]
    name = key.rpartition(":")[2]
    if name in ("resourceaccount", "calleraccount"):
        return "account"
    kind = _LISTED_TYPES.get(_listed_type(key) or "")
    return None if kind == "arn" and not _is_about_arns(key) else kind


def _is_about_arns(key: str) -> bool:
    """Return whether a key that the reference types as an ARN is described as one; `ec2:InstancePlatform` is not."""
    return key.rstrip("s").endswith("arn") or _ARN.search(description_of(key)) is not None


def description_of(key: str) -> str:
    """Return what the reference says about a key in lower case; empty if it lists none."""
    descriptions = reference().details_of_keys(key.partition(":")[0], "description")
    return next((text for name, text in descriptions.items() if wildcard.matches(form_of(name), key)), "")


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
def _listed_type(key: str) -> str | None:
    return next((kind for form, kind in _types_of_service(key.partition(":")[0]) if wildcard.matches(form, key)), None)


@cache
def _types_of_service(service: str) -> tuple[tuple[str, str], ...]:
    return tuple((form_of(key), kind) for key, kind in reference().details_of_keys(service, "type").items())
