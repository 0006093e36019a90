"""What goes into an explanation and what comes out, as values and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from ekstui.core.conditions.truth import Truth
from ekstui.core.denial import Cause
from ekstui.core.document import Document, Effect, Statement
from ekstui.core.evaluation import AppliedPolicy, Failure, Layer, StatementResult, Verdict
from ekstui.core.holders import Since
from ekstui.core.knowledge import DependentActions, Symptom
from ekstui.core.policy import Policy, version_label
from ekstui.core.reference import ResourceUse
from ekstui.core.trust import ServiceAccount, issuer_of

if TYPE_CHECKING:
    from ekstui.core.account import Use
    from ekstui.core.findings import Finding
    from ekstui.scope import PolicyScope


CallerKind = Literal["aws", "service", "web-identity", "saml", "unknown"]
HowNamed = Literal["direct", "account", "open"]
"""How a statement names a caller: itself, by its account, whose policies must allow it too, or as anybody."""


class Caller(NamedTuple):
    """Who wants to assume the role, as far as it is known."""

    kind: CallerKind
    name: str | None = None
    """The ARN, the service, or for a token its provider's ARN or issuer."""
    subject: str | None = None
    audience: str | None = None

    @property
    def issuer(self) -> str | None:
        """The issuer of the token, without `https://`."""
        return None if self.kind != "web-identity" or self.name is None else issuer_of(self.name) or self.name


class WantedToken(NamedTuple):
    """The tokens of one EKS cluster's issuer that a trust policy lets in."""

    issuer: str
    service_accounts: tuple[ServiceAccount, ...]
    """Empty: every service account."""
    audiences: tuple[str, ...]
    """Empty: any audience."""


class TrustJudgement(NamedTuple):
    """What the trust policy says of the caller."""

    role: str | None
    """The role's ARN, where it is known."""
    caller: Caller
    verdict: Verdict
    grant: HowNamed | None
    """How the statements that allow it, or may, name the caller; the strongest of them."""
    same_account: Truth
    """Whether the caller is of the role's own account."""
    action: str
    """The action that decides: Pod Identity needs two."""
    statements: tuple[StatementResult, ...]
    missing: tuple[str, ...]
    """What would have to be given for a verdict."""
    may_assume: tuple[str, ...]
    """Who may assume the role, a sentence each."""
    wanted: tuple[WantedToken, ...]
    notes: tuple[str, ...]


class Policies(NamedTuple):
    """The policies that a request is held against, and which kinds of policy were looked at."""

    identity: tuple[AppliedPolicy, ...] = ()
    boundary: AppliedPolicy | None = None
    session: tuple[AppliedPolicy, ...] = ()
    identity_known: bool = False
    """Whether `identity` is all that is attached to the principal."""
    boundary_known: bool = False
    """Whether it is known if there is a boundary."""
    unread: tuple[str, ...] = ()
    """What of the principal's policies was not looked at, in words."""
    used_by: tuple[Use, ...] = ()
    """Which parts of EKS use the role, where the account was asked."""


class Candidate(NamedTuple):
    """An AWS managed policy that may allow the request."""

    policy: Policy
    documents: Mapping[int, Document]
    """By version number; only those that are asked for need to be read."""
    in_eks_scope: bool
    superseded: bool = False
    """Whether another policy has taken its place."""
    meant_for: tuple[str, ...] = ()
    """The kinds of role that it is meant for, such as `node role`, where that is known."""
    published: bool = False
    """Whether a controller's project publishes it: it is to be made, with its parameters filled in."""


class Allower(NamedTuple):
    """An AWS managed policy that would allow the request if it were attached."""

    policy: str
    version: int
    since: Since
    missing: tuple[str, ...]
    """The context keys that it depends on; empty if it allows the request as it is known."""
    wildcard: bool
    """Whether it gives the action by `*` or `service:*` alone, and so much else."""
    in_eks_scope: bool
    meant_for: tuple[str, ...] = ()
    """The kinds of role that it is meant for, where that is known."""
    published: bool = False
    """Whether a controller's project publishes it, and AWS does not."""

    @property
    def scope(self) -> PolicyScope:
        """The scope it belongs to."""
        return "controllers" if self.published else "eks" if self.in_eks_scope else "aws"


class NewerVersion(NamedTuple):
    """A later version of a policy in force that allows what the version in force does not."""

    policy: str
    current: int
    version: int
    """The first later version that allows it, without a break until the newest."""
    created: datetime | None
    missing: tuple[str, ...] = ()
    """The context keys that it depends on; empty if it allows the request as it is known."""


@dataclass(frozen=True, slots=True)
class NearStatement:
    """A statement that matches the request, or nearly does."""

    layer: Layer
    policy: str
    version: int | None
    sid: str | None
    index: int
    """Its place in the document, from 0."""
    effect: Effect
    matches: Truth
    failed: tuple[Failure, ...]
    """What kept it from allowing: parts that do not match, or are not known; for a Deny that matches, its effect."""


class Explanation(NamedTuple):
    """The answer to why a request was denied."""

    verdict: Verdict
    action: str | None
    """None for a symptom that no action causes."""
    resource: str | None
    principal: str | None
    cause: Cause | None
    """What the message named as the reason."""
    nearest: tuple[NearStatement, ...]
    """Best first."""
    missing_context: tuple[str, ...]
    """What would have to be given for a verdict; `resource` stands for the resource."""
    allowed_by: tuple[Allower, ...]
    """Best first; empty where no policy is a remedy."""
    allowed_by_more: int
    """How many more there are."""
    newer_version: NewerVersion | None
    smallest_statement: Statement | None
    not_looked_at: tuple[str, ...]
    hints: tuple[DependentActions, ...]
    """What such a call often needs besides; never a ground for the verdict."""
    also_authorised_on: tuple[ResourceUse, ...]
    """The other resource types that the same call is authorised on."""
    used_by: tuple[Use, ...]
    """Which parts of EKS use the role that was asked about."""
    notes: tuple[str, ...]
    """Sentences to keep in mind."""
    encoded: str | None
    """The encoded authorization message that came with the denial."""
    judged: bool
    """Whether there were policies to judge by; else the verdict is what the message says."""
    denied: bool
    """Whether a message said that the request was denied."""
    symptoms: tuple[Symptom, ...] = ()
    """What the text is known to mean."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the role, where the account was asked."""
    role: str | None = None
    """The ARN of the role or user whose policies were taken from the account."""
    trust: TrustJudgement | None = None
    """What the trust policy of the role says, where a role is to be assumed and the policy is known."""


_VERDICTS: dict[Verdict, str] = {
    "allowed": "allowed by the policies looked at",
    "explicit-deny": "denied explicitly: a Deny counts more than any Allow",
    "implicit-deny": "denied: nothing allows it",
    "depends": "depends on what was not given",
}


_SIMULATED = {"allowed": "allowed", "explicitDeny": "denied explicitly", "implicitDeny": "denied, nothing allows it"}


def simulated_in_words(decision: str) -> str:
    """Return what IAM's simulator decided (`allowed`, `explicitDeny`, `implicitDeny`) in words."""
    return _SIMULATED.get(decision, decision)


_POLICY_WORDS = {
    "identity": "identity policy",
    "resource": "resource policy",
    "trust": "trust policy of the role",
    "boundary": "permissions boundary",
    "session": "session policy",
    "service-control": "service control policy",
    "resource-control": "resource control policy",
    "vpc-endpoint": "VPC endpoint policy",
}


def verdict_in_words(explanation: Explanation) -> str:
    """Return what the verdict means, and where it is the message's own, by which kind of policy."""
    cause = explanation.cause
    if explanation.judged or not explanation.denied:
        return _VERDICTS[explanation.verdict]
    if cause is None:
        return "denied; the message does not say by which policy"
    kind = _POLICY_WORDS.get(cause.policy_type or "", "policy")
    if cause.policy_type == "trust":
        return (
            f"{'denied explicitly by' if cause.explicit else 'denied: not allowed by'} the {kind}, as the message says"
        )
    if cause.is_one_of_several:
        return f"denied by the {kind} or for want of the resource, as the message says"
    if cause.explicit:
        return f"denied explicitly by {_article(kind)} {kind}, as the message says"
    return f"denied: no {kind} allows it, as the message says"


def cause_in_words(cause: Cause) -> str:
    """Return what the message names as the reason, and that no identity policy helps."""
    kind = _POLICY_WORDS.get(cause.policy_type or "", "policy")
    named = f" ({cause.policy})" if cause.policy else ""
    article = "the" if cause.policy_type == "trust" else _article(kind)
    if cause.is_one_of_several:
        return (
            f"The message leaves open whether no {kind} allows it, one denies it, or the Region has no such resource: an "
            "identity policy changes none of that."
        )
    if cause.explicit:
        return f"The message names an explicit deny in {article} {kind}{named}: no Allow elsewhere changes that."
    if cause.policy_type == "trust":
        return f"The message says that the {kind} does not allow it: an identity policy does not change that."
    return f"The message says that no {kind} allows it: an identity policy does not change that."


def newer_in_words(newer: NewerVersion) -> str:
    """Return which later version allows a request, and on what that depends."""
    day = f" ({newer.created:%Y-%m-%d})" if newer.created else ""
    depends = f", if {', '.join(newer.missing)} fits" if newer.missing else ""
    return f"{newer.policy} {version_label(newer.version)}{day}{depends}; in force is {version_label(newer.current)}"


def since_in_words(allower: Allower) -> str:
    """Return since which version a policy allows a request."""
    day = f" ({allower.since.created:%Y-%m-%d})" if allower.since.created else ""
    return f"since {'at latest ' if allower.since.at_latest else ''}{version_label(allower.since.version)}{day}"


def decode_command(encoded: str) -> str:
    """Return the command that decodes an authorization message, which takes an action that ekstui does not."""
    return f"aws sts decode-authorization-message --encoded-message {encoded} --query DecodedMessage --output text"


def _article(word: str) -> str:
    return "an" if word[0] in "aeio" else "a"


def statement_in_words(near: NearStatement) -> str:
    """Return which statement it is, such as `AmazonEBSCSIDriverPolicy v2, statement 4`."""
    version = "" if near.version is None else f" {version_label(near.version)}"
    layer = "" if near.layer == "identity" else f" ({near.layer})"
    deny = ", a Deny" if near.effect == "Deny" else ""
    return f"{near.policy}{version}, {near.sid or f'statement {near.index + 1}'}{layer}{deny}"


def failure_in_words(failure: Failure) -> str:
    """Return what a statement asks for and what the request has."""
    if failure.part == "effect":
        return "it denies the request"
    wanted = " or ".join(failure.wanted) or "nothing"
    if failure.given is None:
        given = "not given"
    elif failure.given:
        given = f"the request has {', '.join(failure.given)}"
    else:
        given = "the request does not have the key"
    if failure.part == "condition":
        return f"condition {failure.key}: {failure.operator} {wanted}; {given}"
    return f"{failure.operator} {wanted}; {given}"
