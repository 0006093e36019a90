"""Which condition keys there are, so that a mistyped one is told instead of being ignored."""

import re

from ekstui.core import wildcard
from ekstui.core.reference import Reference

# IAM User Guide, "AWS global condition context keys"; a name that ends in `/` takes a tag key behind it.
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

_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")


def is_condition_key(key: str, reference: Reference) -> bool:
    """Return whether a condition key of that name exists, as far as anybody can tell.

    The keys of an identity provider, such as `oidc.eks…/id/X:sub`, are not listed anywhere.
    """
    name = key.lower()
    service, colon, _ = name.partition(":")
    if not colon:
        return False
    if service == "aws":
        return any(_is_of_form(name, form) for form in _GLOBAL_KEYS)
    if not reference.has_service(service):
        return "." in service or service in ("saml", "cognito-identity", "token")
    return any(_is_of_form(name, form) for form in _keys_of_service(service, reference))


def similar_keys(key: str, reference: Reference) -> tuple[str, ...]:
    """Return the names of keys that come closest to a mistyped one, best first."""
    import difflib  # 5 ms, and only for a key that does not exist

    service = key.partition(":")[0].lower()
    known = {*_GLOBAL_KEYS, *(_keys_of_service(service, reference) if reference.has_service(service) else ())}
    spelled = {name.lower(): name for name in known}
    head = key.partition("/")[0] if key.partition(":")[0].lower() == "aws" else key
    return tuple(spelled[name] for name in difflib.get_close_matches(head.lower(), spelled, 3, 0.6))


def _is_of_form(name: str, form: str) -> bool:
    pattern = _PLACEHOLDER.sub("*", form.lower())
    return wildcard.matches(f"{pattern}?*" if pattern.endswith("/") else pattern, name)


def _keys_of_service(service: str, reference: Reference) -> frozenset[str]:
    keys: set[str] = set()
    for info in reference.actions(service).values():
        keys.update(info.condition_keys)
        for use in info.resource_types:
            keys.update(use.condition_keys)
            kind = reference.resource_type(service, use.name)
            keys.update(kind.condition_keys if kind is not None else ())
    return frozenset(keys)
