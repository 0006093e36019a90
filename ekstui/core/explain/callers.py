"""Who makes a request: the caller as a trust policy names it, and the session that a pod gets from EKS Pod Identity.

IAM User Guide, "AWS JSON policy elements: Principal"; EKS User Guide, "Grant Pods access to AWS resources based on tags",
for the names of tags and sessions (`eks-CLUSTER-POD-…`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from ekstui.core import arn
from ekstui.core.conditions import Truth, negation, some
from ekstui.core.document import Statement, parse_text
from ekstui.core.evaluation import AppliedPolicy, Request
from ekstui.core.trust import POD_IDENTITY_SERVICE, SERVICE_ACCOUNT, issuer_of
from ekstui.errors import DocumentError

if TYPE_CHECKING:
    from ekstui.core.account_snapshot import Use

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
POD_IDENTITY = "eks-auth:AssumeRoleForPodIdentity"
UNSIGNED = frozenset({WEB_IDENTITY.lower(), "sts:assumerolewithsaml"})
"""Unsigned calls, to which identity policies do not apply."""

ANONYMOUS = "anonymous"
"""What services call the principal of an unsigned request."""

PROVIDER = "aws:FederatedProvider"
_TAG = "aws:PrincipalTag/"

_ASSUMING = UNSIGNED | {POD_IDENTITY.lower(), "sts:assumerole", "sts:tagsession", "sts:setsourceidentity"}
_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")
_INSTANCE_SESSION = re.compile(r":assumed-role/[^/]+/i-[0-9a-f]{8,17}$")
_REGIONAL = re.compile(r"\.[a-z]{2}(?:-[a-z]+)+-\d+(?=\.amazonaws\.com)")


CallerKind = Literal["aws", "service", "web-identity", "saml", "unknown"]
HowNamed = Literal["direct", "account", "open"]
"""How a statement names a caller: directly, by its account (whose policies must allow it too), or as anybody."""


class Caller(NamedTuple):
    """Who assumes a role, as far as that is known."""

    kind: CallerKind
    name: str | None = None
    """The ARN or service; for a token the ARN or issuer of its provider."""
    subject: str | None = None
    audience: str | None = None

    @property
    def has_policies(self) -> bool:
        """Whether it is or may be an IAM principal, which has policies of its own."""
        return self.kind in ("aws", "unknown")

    @property
    def issuer(self) -> str | None:
        """The issuer of the token, without `https://`."""
        return None if self.kind != "web-identity" or self.name is None else issuer_of(self.name) or self.name


def is_assuming(action: str) -> bool:
    """Return whether a trust policy takes part in deciding an action."""
    return action.lower() in _ASSUMING


def is_unsigned(request: Request) -> bool:
    """Return whether no IAM principal makes the request, so that identity policies do not apply."""
    return request.action.lower() in UNSIGNED or (request.principal or "").lower() == ANONYMOUS


def is_instance_session(principal: str | None) -> bool:
    """Return whether a principal is a session named after an EC2 instance, as those of node roles are."""
    return principal is not None and _INSTANCE_SESSION.search(principal) is not None


def caller_of(request: Request) -> Caller:
    """Return who makes the request: a principal, a service, or the bearer of an identity provider's token."""
    action, principal = request.action.lower(), request.principal
    given = {key.lower(): next(iter(values), None) for key, values in request.context.items()}
    pod = principal if principal is not None and principal.startswith(SERVICE_ACCOUNT) else None
    if action == "sts:assumerolewithsaml":
        return Caller("saml", given.get(PROVIDER.lower()), given.get("saml:sub"))
    if action == WEB_IDENTITY.lower():
        return _bearer(given, pod)
    if action == POD_IDENTITY.lower():
        return Caller("service", POD_IDENTITY_SERVICE, pod)
    if principal is None:
        return Caller("unknown")
    if _SERVICE_NAME.fullmatch(principal):
        return Caller("service", principal)
    return Caller("aws" if principal.startswith("arn:") else "unknown", principal)


def _bearer(given: Mapping[str, str | None], pod: str | None) -> Caller:
    """Return the bearer of a web identity token, whose claims are context keys with the issuer as prefix."""
    issuers = {issuer: None for key in given if "." in (issuer := key.rpartition(":")[0])}
    provider = given.get(PROVIDER.lower())
    if provider is None and len(issuers) == 1:
        (provider,) = issuers
    issuer = (issuer_of(provider or "") or provider or "").lower()
    claims = {key: value for key, value in given.items() if key.rpartition(":")[0] in issuers}
    subject = claims.get(f"{issuer}:sub")
    return Caller("web-identity", provider, pod if subject is None else subject, claims.get(f"{issuer}:aud"))


class Named(NamedTuple):
    """A principal in a statement, and whether it is the caller."""

    kind: str
    value: str
    is_caller: Truth
    grant: HowNamed | None


def named_by(statement: Statement, caller: Caller) -> list[Named]:
    """Return the principals that a statement names, at least one; a whole `NotPrincipal` counts as one."""
    entries = [
        Named(principal.kind, value, *_is_caller(principal.kind, value, caller))
        for principal in statement.principals
        for value in principal.values
    ]
    if statement.principal_element == "NotPrincipal":
        meant = some(entry.is_caller for entry in entries)
        # A Deny exempts a session only if its role and account are listed too.
        is_caller = None if statement.effect == "Deny" and meant is not False else negation(meant)
        return [Named("NotPrincipal", ", ".join(entry.value for entry in entries), is_caller, "open")]
    return entries or [Named("Principal", "", False, None)]


def _is_caller(kind: str, value: str, caller: Caller) -> tuple[Truth, HowNamed | None]:
    """Return whether a principal in a statement is the caller, None if unknown, and how it names the caller."""
    if value == "*" and kind in ("*", "AWS"):
        # AWS does not document whether `*` includes services and bearers of tokens.
        return (True if caller.kind == "aws" else None), "open"
    if caller.kind == "unknown":
        how: HowNamed = "account" if _account_of(kind, value) else "direct"
        return (None, how) if kind in ("AWS", "Service", "Federated") else (False, None)
    if kind == "Service":
        return caller.kind == "service" and same_service(value, caller.name or ""), "direct"
    if kind == "Federated":
        return _is_bearer(value, caller)
    if kind != "AWS" or caller.kind != "aws" or caller.name is None:
        return False, None
    if account := _account_of(kind, value):
        return arn.split_arn(caller.name).account == account, "account"
    return same_principal(value, caller.name), "direct"


def _is_bearer(provider: str, caller: Caller) -> tuple[Truth, HowNamed | None]:
    wanted = "saml" if ":saml-provider/" in provider else "web-identity"
    if caller.kind != wanted:
        return False, None
    return (None if caller.name is None else _same_provider(provider, caller.name)), "direct"


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


def _same_provider(value: str, provider: str) -> bool:
    if value.startswith("arn:") and provider.startswith("arn:"):
        return value.lower() == provider.lower()
    return (issuer_of(value) or value).lower() == (issuer_of(provider) or provider).lower()


def same_principal(value: str, caller: str) -> Truth:
    """Return whether a principal's ARN is the caller's; the ARN of a session lacks the role's path."""
    if value == caller:
        return True
    one, other = arn.split_arn(value), arn.split_arn(caller)
    if (one.partition, one.account) != (other.partition, other.account):
        return False
    (kind, name, session), (its_kind, its_name, its_session) = _role_of(one), _role_of(other)
    if "" in (name, its_name) or name != its_name:
        return False
    if kind == its_kind:
        return False  # different paths, or different sessions of one role
    if kind == "role":
        return True
    return None if not its_session and session else False


def _role_of(parts: arn.Arn) -> tuple[str, str, str]:
    kind, _, rest = parts.resource.partition("/")
    if (parts.service, kind) == ("iam", "role"):
        return "role", rest.rpartition("/")[2], ""
    if (parts.service, kind) == ("sts", "assumed-role"):
        name, _, session = rest.partition("/")
        return "session", name, session
    return kind, "", ""


@dataclass(frozen=True, slots=True)
class PodSession:
    """What requests in such a session have."""

    policies: tuple[AppliedPolicy, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Context keys with their values."""
    absent: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()
    """Session policies that may apply and were not evaluated, in words."""


def pod_session(
    uses: Sequence[Use], session_name: str | None, role_tags: Sequence[tuple[str, str]], place: str
) -> PodSession:
    """Return what is known about a session from the uses of its role and the session's name, which may be None.

    `place` is `PARTITION:ACCOUNT`. An association is used only if it is the only possible one.
    """
    pods = [use for use in uses if use.kind == "pod-identity"]
    if session_name is not None:
        pods = [use for use in pods if session_name.startswith(f"eks-{use.cluster}-")]
        certain = True
    else:
        certain = len(pods) == len(uses)
    if len(pods) == 1 and certain:
        return _session_of(pods[0], role_tags, place)
    limited = [use for use in pods if use.session_policy is not None]
    return PodSession(unread=tuple(f"the session policy of {_association(use)}, which may apply" for use in limited))


def session_name_of(principal: str | None) -> str | None:
    """Return SESSION of `arn:…:assumed-role/NAME/SESSION`; None for any other principal."""
    parts = arn.split_arn(principal or "").resource.split("/", 2)
    return parts[2] if len(parts) == 3 and parts[0] == "assumed-role" else None


def _session_of(use: Use, role_tags: Sequence[tuple[str, str]], place: str) -> PodSession:
    policies: tuple[AppliedPolicy, ...] = ()
    unread: tuple[str, ...] = ()
    if use.session_policy is not None:
        name = f"session policy of {_association(use)}"
        try:
            policies = (AppliedPolicy(name, None, parse_text(use.session_policy)),)
        except DocumentError:
            unread = (f"the {name}, which cannot be read",)
    tags = {f"{_TAG}{key}": (value,) for key, value in role_tags}
    if use.session_tags is None:
        return PodSession(policies, {}, frozenset(), unread)
    if not use.session_tags:
        # Then there are only the role's own tags.
        return PodSession(policies, tags, frozenset({f"{_TAG}*"}), unread)
    partition, _, account = place.partition(":")
    tags |= {
        f"{_TAG}eks-cluster-arn": (f"arn:{partition}:eks:{use.region}:{account}:cluster/{use.cluster}",),
        f"{_TAG}eks-cluster-name": (use.cluster or "",),
        f"{_TAG}kubernetes-namespace": (use.namespace or "",),
        f"{_TAG}kubernetes-service-account": (use.service_account or "",),
    }
    return PodSession(policies, tags, frozenset(), unread)


def _association(use: Use) -> str:
    return f"the Pod Identity association {use.namespace}/{use.service_account} of {use.cluster}"
