"""Who assumes a role: the caller as a trust policy names it, the tokens that it accepts, and why it may not fit.

IAM User Guide, "AWS JSON policy elements: Principal"; EKS User Guide, "IAM roles for service accounts" and "EKS Pod
Identity".
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from ekstui.iam import arn
from ekstui.iam.conditions import Truth, negation, some
from ekstui.iam.conditions.operators import Operator, operator
from ekstui.iam.document import Condition, Document, Statement
from ekstui.iam.evaluation import Request, Verdict
from ekstui.iam.trust import (
    POD_IDENTITY_SERVICE,
    SERVICE_ACCOUNT,
    ServiceAccount,
    Trustee,
    eks_region,
    issuer_of,
    trustees,
)
from ekstui.iam.wildcard import is_wild

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
POD_IDENTITY = "eks-auth:AssumeRoleForPodIdentity"
UNSIGNED = frozenset({WEB_IDENTITY.lower(), "sts:assumerolewithsaml"})
"""Unsigned calls, to which identity policies do not apply."""

OF_SESSIONS = frozenset({"sts:tagsession", "sts:setsourceidentity"})
"""Actions that must be allowed as well if a caller tags the session or sets its source identity."""

ANONYMOUS = "anonymous"
"""What services call the principal of an unsigned request."""

PROVIDER = "aws:FederatedProvider"

_ASSUMING = UNSIGNED | OF_SESSIONS | {POD_IDENTITY.lower(), "sts:assumerole"}
_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")
_INSTANCE_SESSION = re.compile(r":assumed-role/[^/]+/i-(?:[0-9a-f]{8,17}|[*xX#.…]+|\W.*\W|REDACTED)$")
"""The session of an EC2 instance, also with its identifier blanked out."""
_REGIONAL = re.compile(r"\.[a-z]{2}(?:-[a-z]+)+-\d+(?=\.amazonaws\.com)")


_USUAL_AUDIENCE = "sts.amazonaws.com"

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
    context = {key.lower(): next(iter(values), None) for key, values in request.context.items()}
    pod = principal if principal is not None and principal.startswith(SERVICE_ACCOUNT) else None
    if action == "sts:assumerolewithsaml":
        return Caller("saml", context.get(PROVIDER.lower()), context.get("saml:sub"))
    if action == WEB_IDENTITY.lower():
        return _bearer(context, pod)
    if action == POD_IDENTITY.lower():
        return Caller("service", POD_IDENTITY_SERVICE, pod)
    if principal is None:
        return Caller("unknown")
    if _SERVICE_NAME.fullmatch(principal):
        return Caller("service", principal)
    return Caller("aws" if principal.startswith("arn:") else "unknown", principal)


def _bearer(context: Mapping[str, str | None], pod: str | None) -> Caller:
    """Return the bearer of a web identity token, whose claims are context keys with the issuer as prefix."""
    issuers = {issuer: None for key in context if "." in (issuer := key.rpartition(":")[0])}
    provider = context.get(PROVIDER.lower())
    if provider is None and len(issuers) == 1:
        (provider,) = issuers
    issuer = (issuer_of(provider or "") or provider or "").lower()
    claims = {key: value for key, value in context.items() if key.rpartition(":")[0] in issuers}
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
    one, other = arn.split_arn(value), arn.split_arn(caller)
    if (one.partition, one.account) != (other.partition, other.account):
        return False
    ours, theirs = arn.entity_of(value), arn.entity_of(caller)
    if "user" in (ours.kind, theirs.kind) or not ours.name or ours.name != theirs.name:
        return False
    if ours.kind == theirs.kind:
        return False  # different paths, or different sessions of one role
    if ours.kind == "role":
        return True
    return None if ours.session else False


class WantedToken(NamedTuple):
    """The tokens of one EKS cluster's issuer that a trust policy accepts."""

    issuer: str
    service_accounts: tuple[ServiceAccount, ...]
    """Empty for every service account."""
    audiences: tuple[str, ...]
    """Empty for any audience."""


def wanted_tokens(document: Document) -> tuple[WantedToken, ...]:
    """Return the tokens that a trust policy's Allow statements accept."""
    wanted = []
    for trustee in trustees(document):
        if trustee.kind != "irsa" or not trustee.allows(WEB_IDENTITY):
            continue
        if any(_of_another_issuer(line, (trustee.name,)) for line in trustee.conditions):
            continue
        audiences = [
            value
            for line in trustee.conditions
            if line.key.lower() == f"{trustee.name}:aud".lower()
            and ((definition := operator(line.operator)) is None or definition.lists_accepted)
            for value in line.values
        ]
        if audiences and all(text.startswith(SERVICE_ACCOUNT) for text in audiences):
            continue  # a subject in place of the audience
        wanted.append(WantedToken(trustee.name, trustee.service_accounts, tuple(audiences)))
    return tuple(dict.fromkeys(wanted))


def _of_another_issuer(line: Condition, issuers: Iterable[str]) -> bool:
    """Return whether a condition needs a claim of another issuer, which no token of these issuers has."""
    of, _, claim = line.key.lower().rpartition(":")
    definition = operator(line.operator)
    needs_key = definition is not None and definition.needs_key(line.values)
    return needs_key and claim in ("sub", "aud") and "." in of and of not in map(str.lower, issuers)


def trust_notes(
    action: str, verdict: Verdict, caller: Caller, document: Document, wanted: Sequence[WantedToken]
) -> Iterator[str]:
    """Yield why the caller cannot assume the role, or may not be able to; nothing if the trust policy allows it."""
    if verdict == "allowed":
        return
    trusted = trustees(document)
    if verdict == "implicit-deny":
        yield from _not_trusted(action, caller, trusted)
    elif verdict == "depends" and caller.kind in ("web-identity", "saml", "service") and _names_everybody(document):
        yield 'AWS does not say whether the principal "*" includes services and bearers of tokens.'
    if caller.kind == "web-identity":
        yield from filter(None, (_wanted_in_words(token, caller) for token in wanted))
        if not wanted and (caller.issuer is None or eks_region(caller.issuer) is not None):
            yield from _no_token(trusted)
        for statement in document.statements:
            yield from _mistakes(statement)
        yield from _other_token(caller, wanted)


def _not_trusted(action: str, caller: Caller, trusted: Sequence[Trustee]) -> Iterator[str]:
    """Yield which service is not trusted, or which action besides sts:AssumeRole is not allowed."""
    if caller.kind == "service":
        meant = [
            trustee for trustee in trusted if same_service(trustee.name, caller.name or "") or trustee.kind == "anyone"
        ]
        if not meant:
            yield f"The trust policy does not name {caller.name}."
        elif action == "sts:TagSession" and not any(trustee.allows(action) for trustee in meant):
            yield f"The trust policy does not allow {caller.name} sts:TagSession, which it needs besides sts:AssumeRole."
    elif caller.kind == "aws" and action.lower() in OF_SESSIONS:
        named = [trustee for trustee in trusted if trustee.kind not in ("irsa", "service")]
        if not any(trustee.allows(action) for trustee in named):
            yield f"The trust policy does not allow {action}, which the session's tags or source identity need."


def _no_token(trusted: Sequence[Trustee]) -> Iterator[str]:
    irsa = [trustee for trustee in trusted if trustee.kind == "irsa"]
    if not irsa:
        yield "The trust policy accepts no token of an EKS cluster."
    elif not any(trustee.allows(WEB_IDENTITY) for trustee in irsa):
        yield f"The trust policy names the issuer {irsa[0].name}, but does not allow {WEB_IDENTITY}."


def _other_token(caller: Caller, wanted: Sequence[WantedToken]) -> Iterator[str]:
    if caller.issuer is not None and wanted and all(token.issuer.lower() != caller.issuer.lower() for token in wanted):
        yield f"The token's issuer is {caller.issuer}, which belongs to another cluster."
    if caller.audience is None and any(_USUAL_AUDIENCE not in token.audiences and token.audiences for token in wanted):
        yield f"The audience of service account tokens is {_USUAL_AUDIENCE}, unless an annotation says otherwise."


def _is_issued_and_named(token: WantedToken, caller: Caller) -> bool:
    """Return whether the caller's token has the required issuer and one of the service accounts."""
    if caller.issuer is None or caller.subject is None or caller.issuer.lower() != token.issuer.lower():
        return False
    account = ServiceAccount(caller.subject, pattern=False)
    return not token.service_accounts or any(
        subject.fits(account.namespace, account.name) for subject in token.service_accounts
    )


def _names_everybody(document: Document) -> bool:
    return any("*" in principal.values for statement in document.statements for principal in statement.principals)


def _wanted_in_words(token: WantedToken, caller: Caller) -> str:
    """Return what is wrong with the caller's token; nothing if the token fits, since something else is then wrong."""
    is_named = _is_issued_and_named(token, caller)
    if is_named and (not token.audiences or caller.audience in token.audiences):
        return ""
    if is_named and caller.audience is not None:
        return f"The token's audience would have to be {' or '.join(token.audiences)}, not {caller.audience}."
    usable = [account for account in token.service_accounts if not account.never_matches]
    if not token.service_accounts:
        return f"Any service account of the cluster with issuer {token.issuer} may assume it."
    if not usable:
        return f"No service account of the cluster with issuer {token.issuer} matches."
    names = " or ".join(f"{account.namespace}/{account.name}" for account in usable)
    return f"It would have to be service account {names} of the cluster with issuer {token.issuer}."


def _mistakes(statement: Statement) -> Iterator[str]:
    """Yield why a statement matches no service account's token at all."""
    providers = [
        value for principal in statement.principals if principal.kind == "Federated" for value in principal.values
    ]
    issuers = [issuer for value in providers if eks_region(issuer := issuer_of(value))]
    for line in statement.conditions if issuers else ():
        of, _, claim = line.key.rpartition(":")
        wild = [text for text in line.values if is_wild(text)]
        if of in issuers and wild and _takes_literally(operator(line.operator)):
            yield f"{line.operator} takes * and ? in {' or '.join(wild)} literally; StringLike supports wildcards."
        elif _of_another_issuer(line, issuers):
            yield f"No token of the issuer that the statement trusts has {line.key}, which belongs to another issuer."
        elif of in issuers and claim == "aud" and any(value.startswith(SERVICE_ACCOUNT) for value in line.values):
            yield f"{line.key} is compared with a service account, which a token has in :sub."


def _takes_literally(definition: Operator | None) -> bool:
    return (
        definition is not None
        and definition.base in ("StringEquals", "StringEqualsIgnoreCase")
        and not definition.negated
    )
