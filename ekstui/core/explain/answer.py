"""The input and output of an explanation, as values and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ekstui.core import wildcard
from ekstui.core.conditions import Truth
from ekstui.core.denial import Cause
from ekstui.core.document import Document, Effect, Statement
from ekstui.core.evaluation import AppliedPolicy, Failure, Layer, StatementResult, Verdict
from ekstui.core.explain.callers import Caller, HowNamed
from ekstui.core.explain.commands import Command, attach_policy, put_policy
from ekstui.core.explain.purpose import Fit
from ekstui.core.holders import Since
from ekstui.core.knowledge import DependentActions, Symptom
from ekstui.core.policy import Policy, version_label
from ekstui.core.reference import ResourceUse
from ekstui.core.trust import ServiceAccount

if TYPE_CHECKING:
    from ekstui.core.account_snapshot import Use
    from ekstui.core.findings import Finding
    from ekstui.core.policy import PolicyScope


class WantedToken(NamedTuple):
    """The tokens of one EKS cluster's issuer that a trust policy accepts."""

    issuer: str
    service_accounts: tuple[ServiceAccount, ...]
    """Empty for every service account."""
    audiences: tuple[str, ...]
    """Empty for any audience."""


class TrustJudgement(NamedTuple):
    """What a trust policy decides about a caller."""

    role: str | None
    """The role's ARN; None if unknown."""
    caller: Caller
    verdict: Verdict
    grant: HowNamed | None
    """How the statements that allow it, or may, name the caller; the strongest way."""
    same_account: Truth
    """Whether the caller is in the role's account."""
    action: str
    """The action that decides; Pod Identity needs two."""
    statements: tuple[StatementResult, ...]
    missing: tuple[str, ...]
    """What would have to be known for a verdict."""
    may_assume: tuple[str, ...]
    """Sentences on who may assume the role."""
    wanted: tuple[WantedToken, ...]
    notes: tuple[str, ...]


class Policies(NamedTuple):
    """The policies that a request is evaluated by, and which kinds of policy are known."""

    identity: tuple[AppliedPolicy, ...] = ()
    boundary: AppliedPolicy | None = None
    session: tuple[AppliedPolicy, ...] = ()
    identity_known: bool = False
    """Whether `identity` includes everything that is attached to the principal."""
    boundary_known: bool = False
    """Whether it is known if the principal has a boundary."""
    unread: tuple[str, ...] = ()
    """Policies of the principal that were not read, in words."""
    used_by: tuple[Use, ...] = ()
    """The parts of EKS that use the role, if the account was read."""


class Candidate(NamedTuple):
    """An AWS managed policy that may allow the request."""

    policy: Policy
    documents: Mapping[int, Document]
    """By version number; may be read lazily."""
    scope: PolicyScope
    superseded: bool = False
    """Whether another policy supersedes it."""
    meant_for: tuple[str, ...] = ()
    """The kinds of role that it is meant for, such as `node role`, if known."""

    @property
    def published(self) -> bool:
        """Whether a project publishes it, so that it has to be created with its parameters filled in."""
        return self.policy.home is not None


class Allower(NamedTuple):
    """An AWS managed policy that would allow the request if it were attached."""

    policy: str
    version: int
    since: Since
    missing: tuple[str, ...]
    """The context keys that it depends on; empty if it certainly allows the request."""
    wildcard: bool
    """Whether it allows the action only by `*` or `service:*`, and so much else."""
    scope: PolicyScope
    meant_for: tuple[str, ...] = ()
    """The kinds of role that it is meant for, if known."""
    arn: str | None = None
    """None for what a project publishes."""
    fit: Fit = "unknown"
    """How it fits what the principal is for."""

    @property
    def published(self) -> bool:
        """Whether a project publishes it, rather than AWS."""
        return self.arn is None


class NewerVersion(NamedTuple):
    """A later version of an attached policy that allows what the current version does not."""

    policy: str
    current: int
    version: int
    """The first of the versions that allow it without a break until the newest."""
    created: datetime | None
    missing: tuple[str, ...] = ()
    """The context keys that it depends on; empty if it certainly allows the request."""


class OldCopy(NamedTuple):
    """A policy of a role that is like an older release of what a project publishes."""

    name: str
    role: str
    newer: NewerVersion
    """Of what it is a copy, like which release it is, and which later one allows the request or may."""


@dataclass(frozen=True, slots=True)
class NearStatement:
    """A statement that matches the request or nearly does."""

    layer: Layer
    policy: str
    version: int | None
    sid: str | None
    index: int
    """Its position in the document, from 0."""
    effect: Effect
    matches: Truth
    failed: tuple[Failure, ...]
    """Why it does not allow the request: parts that do not match or are not known; for a Deny that matches, its effect."""


class Explanation(NamedTuple):
    """Why a request was denied."""

    verdict: Verdict
    action: str | None
    """None for a symptom that no action causes."""
    resource: str | None
    principal: str | None
    cause: Cause | None
    """The reason that the message gave."""
    nearest: tuple[NearStatement, ...]
    """Best first."""
    missing_context: tuple[str, ...]
    """What would have to be known for a verdict; `resource` stands for the resource."""
    not_looked_at: tuple[str, ...]
    hints: tuple[DependentActions, ...]
    """What such a call often needs besides; it never affects the verdict."""
    also_authorised_on: tuple[ResourceUse, ...]
    """The other resource types that the same call is authorised on."""
    used_by: tuple[Use, ...]
    """The parts of EKS that use the role."""
    notes: tuple[str, ...]
    """Further sentences."""
    encoded: str | None
    """The encoded authorization message that came with the denial."""
    judged: bool
    """Whether policies were evaluated; otherwise the verdict is that of the message."""
    denied: bool
    """Whether a message said that the request was denied."""
    allowed_by: tuple[Allower, ...] = ()
    """Best first; empty if no policy would help."""
    allowed_by_more: int = 0
    """How many more there are."""
    newer_version: NewerVersion | None = None
    smallest_statement: Statement | None = None
    symptoms: tuple[Symptom, ...] = ()
    """Known meanings of the text."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the role, if the account was read."""
    role: str | None = None
    """The ARN of the role or user whose policies were read from the account."""
    foreign_context: tuple[str, ...] = ()
    """Keys about the tags of what the call makes, which say nothing about the resource that was denied."""
    resource_name: str | None = None
    """The resource as the message names it, if that is not a whole ARN; `resource` is None then."""
    behind: tuple[OldCopy, ...] = ()
    """Policies of the role that are copies of an older release, a later one of which helps."""
    fixes: tuple[Command, ...] = ()
    """Commands that fix the role itself, such as its trust policy."""
    trust: TrustJudgement | None = None
    """The decision of the role's trust policy, if a role is to be assumed and the policy is known."""
    fetched_at: datetime | None = None
    """When the account that it was judged by was read; None if it was judged without one."""


def is_narrow(explanation: Explanation) -> bool:
    """Return whether the smallest statement is about the resource in question, rather than `*` for lack of one."""
    statement = explanation.smallest_statement
    return explanation.resource is not None or (statement is not None and statement.resources != ("*",))


def commands_for(explanation: Explanation) -> tuple[Command, ...]:
    """Return AWS CLI commands that help, likeliest first; none if it is not known what to give to whom."""
    principal = explanation.role or explanation.principal
    fitting = [each for each in explanation.allowed_by if each.fit in ("own", "kind") and each.arn is not None]
    best = next((each for each in fitting if not each.missing), next(iter(fitting), None))
    attach = None if best is None or best.arn is None else attach_policy(principal, best.arn)
    statement = explanation.smallest_statement
    put = None if statement is None or not is_narrow(explanation) else put_policy(principal, statement)
    # A policy made for this comes first; one for this kind of role may allow much more.
    first = (attach, put) if best is not None and best.fit == "own" else (put, attach)
    found = (*explanation.fixes, *first)
    return tuple(each for each in found if each is not None)


_VERDICTS: dict[Verdict, str] = {
    "allowed": "allowed by the policies looked at",
    "explicit-deny": "denied explicitly: a Deny overrides any Allow",
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
    """Return the verdict in words; if it comes from the message, with the kind of policy."""
    cause = explanation.cause
    if explanation.foreign_context and set(explanation.missing_context) <= set(explanation.foreign_context):
        return "denied, as the message says: only tags that the resource cannot have would allow it"
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
        return f"denied by the {kind} or because the resource does not exist, as the message says"
    if cause.explicit:
        return f"denied explicitly by {_article(kind)} {kind}, as the message says"
    return f"denied: no {kind} allows it, as the message says"


def cause_in_words(cause: Cause) -> str:
    """Return the reason that the message gives, and that no identity policy helps."""
    kind = _POLICY_WORDS.get(cause.policy_type or "", "policy")
    named = f" ({cause.policy})" if cause.policy else ""
    article = "the" if cause.policy_type == "trust" else _article(kind)
    if cause.is_one_of_several:
        return (
            f"The message leaves open whether no {kind} allows it, one denies it, or the resource does not exist in the "
            "Region: an identity policy changes none of that."
        )
    if cause.explicit:
        return f"The message names an explicit deny in {article} {kind}{named}: no Allow elsewhere changes that."
    if cause.policy_type == "trust":
        return f"The message says that the {kind} does not allow it: an identity policy does not change that."
    return f"The message says that no {kind} allows it: an identity policy does not change that."


def newer_in_words(newer: NewerVersion) -> str:
    """Return in words which later version allows a request, and what that depends on."""
    day = f" ({newer.created:%Y-%m-%d})" if newer.created else ""
    depends = f", if {', '.join(newer.missing)} fits" if newer.missing else ""
    return f"{newer.policy} {version_label(newer.version)}{day}{depends}; in force is {version_label(newer.current)}"


def behind_in_words(copy: OldCopy, action: str) -> str:
    """Return like which release a copy is, and what a later one has for an action."""
    newer = copy.newer
    day = f" ({newer.created:%Y-%m-%d})" if newer.created else ""
    allows = f"has a further statement for {action}" if newer.missing else f"allows {action}"
    return f"{copy.name} is like {newer.policy} {version_label(newer.current)}; {version_label(newer.version)}{day} {allows}"


def since_in_words(allower: Allower) -> str:
    """Return in words since which version a policy has allowed a request."""
    day = f" ({allower.since.created:%Y-%m-%d})" if allower.since.created else ""
    return f"since {'at latest ' if allower.since.at_latest else ''}{version_label(allower.since.version)}{day}"


def decoding(explanation: Explanation) -> Command | None:
    """Return the command that decodes the encoded part of the message, if it has one."""
    encoded = explanation.encoded
    return None if encoded is None else Command(decode_command(encoded), "decodes the message")


def decode_command(encoded: str) -> str:
    """Return the command that decodes an authorization message; ekstui does not run it, as it needs a permission."""
    return f"aws sts decode-authorization-message --encoded-message {encoded} --query DecodedMessage --output text"


def _article(word: str) -> str:
    return "an" if word[0] in "aeio" else "a"


def statement_in_words(near: NearStatement) -> str:
    """Return a statement's name, such as `AmazonEBSCSIDriverPolicy v2, statement 4`."""
    version = "" if near.version is None else f" {version_label(near.version)}"
    layer = "" if near.layer == "identity" else f" ({near.layer})"
    deny = ", a Deny" if near.effect == "Deny" else ""
    return f"{near.policy}{version}, {near.sid or f'statement {near.index + 1}'}{layer}{deny}"


def refused_tags(failure: Failure) -> tuple[str, ...]:
    """Return the tag keys of a request that a condition on all of them does not let pass; empty for another condition."""
    operator = failure.operator.lower()
    if (
        (failure.key or "").lower() != "aws:tagkeys"
        or not operator.startswith("forallvalues:string")
        or "not" in operator
    ):
        return ()
    return tuple(
        tag
        for tag in failure.given or ()
        if not any(
            wildcard.matches(each, tag) if "like" in operator else each.lower() == tag.lower()
            for each in failure.wanted
        )
    )


def failure_in_words(failure: Failure) -> str:
    """Return what a statement requires and what the request has."""
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
        refused = refused_tags(failure)
        given = f"refused: {', '.join(refused)}; {given}" if refused else given
        return f"condition {failure.key}: {failure.operator} {wanted}; {given}"
    return f"{failure.operator} {wanted}; {given}"
