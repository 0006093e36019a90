"""Who makes a request, and whether a policy of a resource, such as a role's trust policy, names that caller.

IAM User Guide, "AWS JSON policy elements: Principal".
"""

import re
from collections.abc import Mapping
from typing import Literal

from ekstui.iam import arn
from ekstui.iam.document import Statement
from ekstui.iam.request import Request
from ekstui.iam.truth import Truth, negation, some
from ekstui.named_tuples import NamedTuple

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"

ASSUMED_BY_SERVICE: Mapping[str, str] = {"eks-auth:AssumeRoleForPodIdentity": "pods.eks.amazonaws.com"}
"""Actions for which a service, not the caller, assumes the role: the trust policy has to name that service."""

UNSIGNED = frozenset({WEB_IDENTITY.lower(), "sts:assumerolewithsaml"})
"""Unsigned calls, to which identity policies do not apply."""

OF_SESSIONS = frozenset({"sts:tagsession", "sts:setsourceidentity"})
"""Actions that must be allowed as well if a caller tags the session or sets its source identity."""

ANONYMOUS = "anonymous"
"""What services call the principal of an unsigned request."""

PROVIDER = "aws:FederatedProvider"

_SERVICES = {action.lower(): service for action, service in ASSUMED_BY_SERVICE.items()}
_ASSUMING = UNSIGNED | OF_SESSIONS | _SERVICES.keys() | {"sts:assumerole"}
_SUBJECT = re.compile(r"(?!arn:)[^:\s]+:\S+")
"""What a token's subject looks like where it is called the principal: `system:serviceaccount:…`, `repo:…`."""
_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")
_REGIONAL = re.compile(r"\.[a-z]{2}(?:-[a-z]+)+-\d+(?=\.amazonaws\.com)")

CallerKind = Literal["aws", "service", "web-identity", "saml", "anonymous", "unknown"]
NamedAs = Literal["direct", "account", "open"]
"""How a statement names a caller: directly, by its account (whose policies must allow it too), or as anybody."""


class Caller(NamedTuple):
    """Who assumes a role, as far as that is known."""

    kind: CallerKind
    name: str | None = None
    """The ARN or service; for a token the ARN or issuer of its provider."""
    subject: str | None = None
    """Whom the token is about: its claim `sub`."""
    audience: str | None = None

    @property
    def has_policies(self) -> bool:
        """Whether it is or may be an IAM principal, which has policies of its own."""
        return self.kind in ("aws", "unknown")

    @property
    def issuer(self) -> str | None:
        """The issuer of the token, without `https://`."""
        return None if self.kind != "web-identity" or self.name is None else issuer_of(self.name) or self.name


def issuer_of(provider_arn: str) -> str:
    """Return the issuer, without `https://`, of an OIDC provider's ARN."""
    return provider_arn.partition(":oidc-provider/")[2]


def is_assuming(action: str) -> bool:
    """Return whether a trust policy takes part in deciding an action."""
    return action.lower() in _ASSUMING


def is_unsigned(request: Request) -> bool:
    """Return whether no IAM principal makes the request, so that identity policies do not apply."""
    return request.action.lower() in UNSIGNED or (request.principal or "").lower() == ANONYMOUS


def caller_of(request: Request) -> Caller:
    """Return who makes the request: a principal, a service, or the bearer of an identity provider's token."""
    action, principal = request.action.lower(), request.principal
    context = {key.lower(): next(iter(values), None) for key, values in request.context.items()}
    subject = principal if principal is not None and _SUBJECT.fullmatch(principal) else None
    if action == "sts:assumerolewithsaml":
        return Caller("saml", context.get(PROVIDER.lower()), context.get("saml:sub"))
    if action == WEB_IDENTITY.lower():
        return _bearer(context, subject)
    if action in _SERVICES:
        return Caller("service", _SERVICES[action], subject)
    if principal is None:
        return Caller("unknown")
    if principal.lower() == ANONYMOUS:
        return Caller("anonymous", principal)
    if _SERVICE_NAME.fullmatch(principal):
        return Caller("service", principal)
    return Caller("aws" if principal.startswith("arn:") else "unknown", principal)


def _bearer(context: Mapping[str, str | None], subject_by_default: str | None) -> Caller:
    """Return the bearer of a web identity token, whose claims are context keys with the issuer as prefix."""
    issuers = {issuer: None for key in context if "." in (issuer := key.rpartition(":")[0])}
    provider = context.get(PROVIDER.lower())
    if provider is None and len(issuers) == 1:
        (provider,) = issuers
    issuer = (issuer_of(provider or "") or provider or "").lower()
    claims = {key: value for key, value in context.items() if key.rpartition(":")[0] in issuers}
    subject = claims.get(f"{issuer}:sub")
    return Caller(
        "web-identity", provider, subject_by_default if subject is None else subject, claims.get(f"{issuer}:aud")
    )


def is_own_role(principal: str | None, role: str | None) -> bool:
    """Return whether a principal is a session of a role, also where an ARN does not show the account."""
    caller, role_entity = arn.entity_of(principal), arn.entity_of(role)
    accounts = {arn.split_arn(name or "").account for name in (principal, role)}
    is_of_another = len(accounts) > 1 and all(account.isdigit() for account in accounts)
    return (caller.kind, role_entity.kind, caller.name) == ("session", "role", role_entity.name) and not is_of_another


class PrincipalMatch(NamedTuple):
    """A principal in a statement, and whether it is the caller."""

    kind: str
    value: str
    is_caller: Truth
    named_as: NamedAs | None


def named_by(statement: Statement, caller: Caller) -> list[PrincipalMatch]:
    """Return the principals that a statement names, at least one; a whole `NotPrincipal` counts as one."""
    entries = [
        PrincipalMatch(principal.kind, value, *_is_caller(principal.kind, value, caller))
        for principal in statement.principals
        for value in principal.values
    ]
    if statement.principal_element == "NotPrincipal":
        includes_caller = some(entry.is_caller for entry in entries)
        # A Deny exempts a session only if its role and account are listed too.
        is_caller = None if statement.effect == "Deny" and includes_caller is not False else negation(includes_caller)
        return [PrincipalMatch("NotPrincipal", ", ".join(entry.value for entry in entries), is_caller, "open")]
    return entries or [PrincipalMatch("Principal", "", False, None)]


def _is_caller(kind: str, value: str, caller: Caller) -> tuple[Truth, NamedAs | None]:
    """Return whether a principal in a statement is the caller, None if unknown, and how it names the caller."""
    if value == "*" and kind in ("*", "AWS"):
        # AWS does not document whether `*` includes services and bearers of tokens.
        return (True if caller.kind == "aws" else None), "open"
    if caller.kind == "unknown":
        named_as: NamedAs = "account" if _account_of(kind, value) else "direct"
        return (None, named_as) if kind in ("AWS", "Service", "Federated") else (False, None)
    if kind == "Service":
        return caller.kind == "service" and same_service(value, caller.name or ""), "direct"
    if kind == "Federated":
        return _is_bearer(value, caller)
    if kind != "AWS" or caller.kind != "aws" or caller.name is None:
        return False, None
    if account := _account_of(kind, value):
        return arn.split_arn(caller.name).account == account, "account"
    return same_principal(value, caller.name), "direct"


def _is_bearer(provider: str, caller: Caller) -> tuple[Truth, NamedAs | None]:
    kind = "saml" if ":saml-provider/" in provider else "web-identity"
    if caller.kind != kind:
        return False, None
    if caller.name is None:
        return None, "direct"
    both_arns = provider.startswith("arn:") and caller.name.startswith("arn:")
    ours, theirs = (issuer if both_arns else issuer_of(issuer) or issuer for issuer in (provider, caller.name))
    return ours.lower() == theirs.lower(), "direct"


def _account_of(kind: str, value: str) -> str | None:
    if kind != "AWS":
        return None
    if re.fullmatch(r"\d{12}", value):
        return value
    parts = arn.split_arn(value)
    return parts.account if parts.service == "iam" and parts.resource == "root" else None


def same_service(value: str, service: str) -> Truth:
    """Return whether two names are of the same service; None if they differ only in the region."""
    ours, theirs = value.lower().removesuffix(".cn"), service.lower().removesuffix(".cn")
    if ours == theirs:
        return True
    # A name with a region may stand for the same service.
    return None if _REGIONAL.sub("", ours) == _REGIONAL.sub("", theirs) else False


def same_principal(value: str, caller: str) -> Truth:
    """Return whether a principal's ARN is the caller's; the ARN of a session lacks the role's path."""
    if value == caller:
        return True
    named_arn, calling_arn = arn.split_arn(value), arn.split_arn(caller)
    if (named_arn.partition, named_arn.account) != (calling_arn.partition, calling_arn.account):
        return False
    ours, theirs = arn.entity_of(value), arn.entity_of(caller)
    if "user" in (ours.kind, theirs.kind) or not ours.name or ours.name != theirs.name:
        return False
    if ours.kind == theirs.kind:
        return False  # different paths, or different sessions of one role
    if ours.kind == "role":
        return True
    return None if ours.session else False
