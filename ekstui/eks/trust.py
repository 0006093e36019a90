"""Who may assume a role, according to its trust policy alone.

Sources: IAM User Guide, "AWS JSON policy elements: Principal"; EKS User Guide for IRSA and Pod Identity.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from ekstui.iam.arn import entity_of, split_arn
from ekstui.iam.condition_operators import operator
from ekstui.iam.document import Condition, Document, Principal, Statement
from ekstui.iam.principals import ASSUMED_BY_SERVICE, issuer_of
from ekstui.iam.wildcard import is_wild, matches
from ekstui.named_tuples import NamedTuple

TrusteeKind = Literal[
    "service", "pod-identity", "irsa", "account", "role", "user", "session", "sso", "saml", "github", "oidc",
    "deleted", "anyone", "unknown",
]  # fmt: skip
"""The kind of principal that is trusted; `oidc` is a provider that is neither a cluster's nor GitHub's."""

POD_IDENTITY = "eks-auth:AssumeRoleForPodIdentity"
POD_IDENTITY_SERVICE = ASSUMED_BY_SERVICE[POD_IDENTITY]

SERVICE_ACCOUNT = "system:serviceaccount:"
"""How the subject of every Kubernetes service account starts."""

_EKS_ISSUER = re.compile(
    r"oidc[.-]eks\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)/id/\w+$"
)
SERVICE_ACCOUNT_NAME = re.compile(rf"{SERVICE_ACCOUNT}([a-z0-9-]{{1,63}}):([a-z0-9.-]{{1,253}})")
"""The user name of a service account: its namespace and its own name."""

_PRINCIPAL_ID = re.compile(r"A(?:ROA|IDA|GPA)[A-Z0-9]{12,}$")


class ServiceAccount(NamedTuple):
    """A Kubernetes service account, or a pattern, that a trust policy names."""

    subject: str
    """As written, such as `system:serviceaccount:kube-system:aws-node`."""
    pattern: bool
    """Whether `*` and `?` in it are wildcards, which depends on the condition's operator."""

    @property
    def namespace(self) -> str:
        """The namespace, or its pattern."""
        return self._parts[0]

    @property
    def name(self) -> str:
        """The service account's name, or its pattern."""
        return self._parts[1]

    @property
    def never_matches(self) -> bool:
        """Whether it has a wildcard under an operator that takes it literally, so that no service account matches."""
        return not self.pattern and is_wild(self.subject)

    def fits(self, namespace: str, name: str) -> bool:
        """Return whether it matches a service account."""
        subject = f"{SERVICE_ACCOUNT}{namespace}:{name}"
        return matches(self.subject, subject) if self.pattern else self.subject == subject

    @property
    def _parts(self) -> tuple[str, str]:
        if not self.subject.startswith(SERVICE_ACCOUNT):
            return ("*", "*") if self.pattern and self.subject.startswith("*") else (self.subject, "*")
        namespace, separator, name = self.subject.removeprefix(SERVICE_ACCOUNT).partition(":")
        return namespace, name if separator else "*"


class Trustee(NamedTuple):
    """A principal that the trust policy allows to assume the role."""

    kind: TrusteeKind
    name: str
    """The service, account id, ARN, issuer or principal id."""
    actions: tuple[str, ...]
    """As written, such as `sts:AssumeRole`."""
    conditions: tuple[Condition, ...] = ()
    region: str | None = None
    """Where the cluster of an EKS issuer is."""
    service_accounts: tuple[ServiceAccount, ...] = ()
    """For IRSA: those that are named; empty means every service account of the cluster."""
    subjects: tuple[str, ...] = ()
    """For other OIDC providers: the subjects that are named."""

    def allows(self, action: str) -> bool:
        """Return whether its statement allows an action, such as `sts:TagSession`."""
        return any(matches(pattern.lower(), action.lower()) for pattern in self.actions)

    @property
    def unrestricted(self) -> bool:
        """Whether an OIDC provider is trusted without a condition on the subject."""
        return self.kind in ("irsa", "github", "oidc") and not (self.service_accounts or self.subjects)


def trustees(trust: Document | None) -> tuple[Trustee, ...]:
    """Return the principals that a trust policy's Allow statements name, in order and without duplicates."""
    principals: list[Trustee] = []
    for statement in trust.statements if trust else ():
        if statement.effect != "Allow":
            continue
        if statement.principal_element == "NotPrincipal":
            principals.append(Trustee("anyone", "everyone but some", statement.actions, statement.conditions))
            continue
        for principal in statement.principals:
            principals.extend(_trustee(statement, principal, value) for value in principal.values)
    return tuple(dict.fromkeys(principals))


def trust_word(trust: Document | None, account: str) -> str:
    """Return who is trusted in a word or two, such as `eks`, `irsa`, `sso` or `account 111122223333`."""
    if trust is None:
        return "unknown"
    words = list(dict.fromkeys(_word(trustee, account) for trustee in trustees(trust)))
    if not words:
        return "nobody"
    return words[0] if len(words) == 1 else f"{words[0]} +{len(words) - 1}"


def trust_in_words(trust: Document | None, account: str) -> tuple[str, ...]:
    """Return a sentence for each trusted principal, with names as written."""
    if trust is None:
        return ("The trust policy could not be read.",)
    sentences = [_sentence(trustee, account) for trustee in trustees(trust)]
    if any(statement.effect == "Deny" for statement in trust.statements):
        sentences.append("Deny statements restrict this further.")
    return tuple(dict.fromkeys(sentences)) or ("Nobody may assume it.",)


def trusts_service(trust: Document | None, service: str) -> bool:
    """Return whether a service principal such as `eks.amazonaws.com` is trusted, in any partition's spelling."""
    return any(trustee.name.removesuffix(".cn") == service for trustee in trustees(trust))


def eks_region(issuer: str) -> str | None:
    """Return the region of an EKS cluster's issuer, or None for any other issuer."""
    match = _EKS_ISSUER.match(issuer)
    return match["region"] if match else None


def _trustee(statement: Statement, principal: Principal, value: str) -> Trustee:
    kind, name = _kind(principal.kind, value)
    if kind not in ("irsa", "github", "oidc"):
        return Trustee(kind, name, statement.actions, statement.conditions)
    subjects = list(accepted_values(statement.conditions, f"{name}:sub"))
    accounts = tuple(ServiceAccount(text, pattern) for text, pattern in subjects) if kind == "irsa" else ()
    return Trustee(
        kind,
        name,
        statement.actions,
        statement.conditions,
        region=eks_region(name),
        service_accounts=accounts,
        subjects=tuple(text for text, _ in subjects),
    )


def accepted_values(conditions: Iterable[Condition], key: str) -> Iterator[tuple[str, bool]]:
    """Yield the values of a key that conditions accept, and whether `*` and `?` in them are or may be wildcards."""
    for condition in conditions:
        definition = operator(condition.operator)
        if condition.key.lower() == key.lower() and (definition is None or definition.lists_accepted):
            takes_wildcards = definition is None or definition.takes_wildcards
            yield from ((value, takes_wildcards) for value in condition.values)


def _kind(principal: str, value: str) -> tuple[TrusteeKind, str]:
    if value == "*":
        return "anyone", "*"
    if principal == "Service":
        return ("pod-identity" if value.removesuffix(".cn") == POD_IDENTITY_SERVICE else "service"), value
    if principal == "Federated":
        return _federated_kind(value)
    if principal != "AWS":
        return "unknown", value
    if _PRINCIPAL_ID.match(value):
        return "deleted", value
    if re.fullmatch(r"\d{12}", value):
        return "account", value
    parts = split_arn(value)
    if parts.resource == "root":
        return "account", parts.account
    kinds: dict[str, TrusteeKind] = {"role": "role", "user": "user", "session": "session"}
    return kinds.get(entity_of(value).kind, "unknown"), value


def _federated_kind(value: str) -> tuple[TrusteeKind, str]:
    if ":saml-provider/" in value:
        provider = value.partition(":saml-provider/")[2]
        return ("sso" if provider.startswith("AWSSSO_") else "saml"), provider
    issuer = issuer_of(value) or value
    if eks_region(issuer):
        return "irsa", issuer
    return ("github" if issuer == "token.actions.githubusercontent.com" else "oidc"), issuer


_WORDS: dict[TrusteeKind, str] = {
    "pod-identity": "pod identity",
    "irsa": "IRSA",
    "github": "GitHub",
    "sso": "SSO",
    "saml": "SAML",
    "deleted": "deleted principal",
}


def _word(trustee: Trustee, account: str) -> str:
    match trustee.kind:
        case "service":
            return trustee.name.removesuffix(".cn").removesuffix(".amazonaws.com") or "unknown"
        case "account":
            return "this account" if trustee.name == account else f"account {trustee.name}"
        case "role" | "user" | "session":
            return f"{trustee.kind} {trustee.name.rsplit('/', 1)[-1]}"
        case "oidc":
            return trustee.name.split("/", 1)[0] or "unknown"
        case kind:
            return _WORDS.get(kind, kind)


def _sentence(trustee: Trustee, account: str) -> str:
    match trustee.kind:
        case "irsa":
            return f"{_service_accounts(trustee)} of the cluster with issuer {trustee.name} may assume it (IRSA)."
        case "pod-identity":
            return "EKS Pod Identity may give it to the service accounts that are associated with it."
        case "service":
            return f"The service {trustee.name} may assume it."
        case "account":
            owner = "this account" if trustee.name == account else f"account {trustee.name}"
            return f"Principals of {owner} may assume it if their own policies allow that."
        case "sso":
            return f"IAM Identity Center users sign in with it (provider {trustee.name})."
        case "saml":
            return f"Users of the SAML provider {trustee.name} sign in with it."
        case "github" | "oidc":
            subjects = ", ".join(trustee.subjects) or "any subject"
            provider = "GitHub Actions" if trustee.kind == "github" else trustee.name
            return f"Tokens of {provider} for {subjects} may assume it."
        case "deleted":
            return f"{trustee.name} is the ID of a deleted principal, which nobody can use again."
        case "anyone":
            return "Anyone may assume it if the conditions hold."
        case "role" | "user" | "session" | "unknown":
            return f"{trustee.name} may assume it."


def _service_accounts(trustee: Trustee) -> str:
    if not trustee.service_accounts:
        return "Every service account"
    names = ", ".join(f"{account.namespace}/{account.name}" for account in trustee.service_accounts)
    plural = "Service accounts" if len(trustee.service_accounts) > 1 else "Service account"
    if all(account.never_matches for account in trustee.service_accounts):
        return f"No service account ({names} has a wildcard that its operator takes literally)"
    return f"{plural} {names}"
