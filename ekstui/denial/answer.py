"""The input and output of an explanation, and AWS CLI commands that help."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ekstui.change.holders import Since
from ekstui.change.policy import PolicyScope, version_label
from ekstui.denial.message import Cause
from ekstui.denial.purpose import Fit
from ekstui.eks.commands import Command, decode_message
from ekstui.eks.knowledge import DependentActions, Symptom
from ekstui.eks.trust import ServiceAccount
from ekstui.iam import wildcard
from ekstui.iam.document import Document, Statement
from ekstui.iam.evaluation import (
    DENIALS,
    LAYER_WORDS,
    NO_RESOURCE_POLICIES,
    AppliedPolicy,
    Failure,
    Layer,
    LayerEvaluation,
    Organization,
    ResourcePolicies,
    StatementResult,
    Verdict,
    exemption_of,
)
from ekstui.iam.principals import ANONYMOUS, Caller, NamedAs, is_assuming
from ekstui.iam.reference import ResourceUse
from ekstui.iam.truth import Truth
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import Use
    from ekstui.eks.findings.table import Finding


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
    named_as: NamedAs | None
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
    organization: Organization = Organization()
    resource: ResourcePolicies = NO_RESOURCE_POLICIES
    without: frozenset[Layer] = frozenset()
    """The layers that were looked for and are known not to exist for the request."""
    identity_known: bool = False
    """Whether `identity` includes everything that is attached to the principal."""
    boundary_known: bool = False
    """Whether it is known if the principal has a boundary."""
    unread: tuple[str, ...] = ()
    """Policies of the principal that were not read, in words."""
    used_by: tuple[Use, ...] = ()
    """The parts of EKS that use the role, if the account was read."""
    notes: tuple[str, ...] = ()
    """Sentences on which of the given policies apply."""


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
    conditional: NewerVersion | None = None
    """An earlier version than that, which allows it only under a condition."""


class OldCopy(NamedTuple):
    """A policy of a role that is like an older release of what a project publishes."""

    name: str
    role: str
    newer: NewerVersion
    """Of what it is a copy, like which release it is, and which later one allows the request or may."""


class Fix(NamedTuple):
    """What makes a request allowed, by an evaluation of the request as if it were done."""

    commands: tuple[Command, ...]
    """To be run in this order."""
    depends_on: tuple[str, ...] = ()
    """What is not known of the request, or must allow it too; empty if it certainly allows the request."""


Outcome = Literal["allowed", "denied", "unknown"]


class Explanation(NamedTuple):
    """Why a request was denied."""

    verdict: Verdict
    action: str | None
    """None for a symptom that no action causes, and for a denial whose action the message does not name."""
    resource: str | None = None
    principal: str | None = None
    cause: Cause | None = None
    """The reason that the message gave."""
    nearest: tuple[StatementResult, ...] = ()
    """The statements that match the request or nearly do, best first, with why each does not allow it.

    A matching Deny fails in the part `effect`; for a part that does not match, the most similar values are listed.
    """
    missing_context: tuple[str, ...] = ()
    """What would have to be known for a verdict; `resource` stands for the resource."""
    not_looked_at: tuple[str, ...] = ()
    hints: tuple[DependentActions, ...] = ()
    """What such a call often needs besides; it never affects the verdict."""
    also_authorised_on: tuple[ResourceUse, ...] = ()
    """The other resource types that the same call is authorised on."""
    used_by: tuple[Use, ...] = ()
    """The parts of EKS that use the role."""
    notes: tuple[str, ...] = ()
    """Further sentences."""
    encoded: str | None = None
    """The encoded authorization message that came with the denial."""
    judged: bool = False
    """Whether policies were evaluated; otherwise the verdict is that of the message."""
    denied: bool = False
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
    tag_keys_of_new_resource: tuple[str, ...] = ()
    """Keys about the tags of what the call makes, which say nothing about the resource that was denied."""
    resource_name: str | None = None
    """The resource as the message names it, if that is not a whole ARN; `resource` is None then."""
    outdated_copies: tuple[OldCopy, ...] = ()
    """Policies of the role that are copies of an older release, a later one of which helps."""
    checks: tuple[Command, ...] = ()
    """What shows whether the diagnosis is right, or the policy that is to blame."""
    fixes: tuple[Fix, ...] = ()
    """What would allow it; those that certainly do come first."""
    trust: TrustJudgement | None = None
    """The decision of the role's trust policy, if a role is to be assumed and the policy is known."""
    fetched_at: datetime | None = None
    """When the account that it was judged by was read; None if it was judged without one."""
    must_allow_too: str | None = None
    """The policy of the resource that must allow an allowed request too and was not looked at; None if none must."""
    times: int = 1
    """How often the message has it; 0 for what is known of lines that are no denial."""
    resources: tuple[str, ...] = ()
    """The resources of all repeats, if they differ; `resource` is the first one's."""
    layers: tuple[LayerEvaluation, ...] = ()
    """The verdict of each layer of policies that was evaluated, in IAM's order."""

    @property
    def lacks_only_tags_of_new_resource(self) -> bool:
        """Whether only tags of what the call makes would allow it, which the denied resource cannot have."""
        keys = self.tag_keys_of_new_resource
        return bool(keys) and set(self.missing_context) <= set(keys)

    @property
    def outcome(self) -> Outcome:
        """What becomes of the request; what was denied is denied even if the policies looked at allow it, or may."""
        if self.lacks_only_tags_of_new_resource:
            return "denied"
        if self.verdict == "allowed" and exemption_of(self.action or "", self.principal) == "action":
            return "allowed"
        if self.denied or self.verdict in DENIALS:
            return "denied"
        return "allowed" if self.verdict == "allowed" else "unknown"

    @property
    def breaking_layer(self) -> LayerEvaluation | None:
        """The first layer that denies the request or, if the verdict depends on something, may; None if none does."""
        breaking = {*DENIALS, "depends"} if self.verdict == "depends" else DENIALS
        return next((layer for layer in self.layers if layer.verdict in breaking), None)

    @property
    def limiting_layer(self) -> LayerEvaluation | None:
        """The layer that denies what the identity policies allow; None if they do not allow it."""
        is_allowed = any((layer.layer, layer.verdict) == ("identity", "allowed") for layer in self.layers)
        return self.breaking_layer if is_allowed else None

    @property
    def identity_policies_could_allow(self) -> bool:
        """Whether one of the principal's policies could have allowed the request."""
        is_signed = (self.principal or "").lower() != ANONYMOUS
        has_remedy = self.cause is None or self.cause.has_remedy
        return is_signed and has_remedy and not is_assuming(self.action or "")

    @property
    def worth_attaching(self) -> tuple[Allower, ...]:
        """The policies that fit the principal best: what is for other services or roles would do harm."""
        for fit in ("own", "kind"):
            if fitting_policies := tuple(allower for allower in self.allowed_by if allower.fit == fit):
                return fitting_policies
        unknown = (allower for allower in self.allowed_by if allower.fit == "unknown")
        return tuple(allower for allower in unknown if allower.scope != "aws" and not allower.wildcard)

    def without_remedies(self) -> Explanation:
        """Return it without what would allow the request, and without what to check."""
        return self._replace(
            allowed_by=(), allowed_by_more=0, newer_version=None, smallest_statement=None, checks=(), fixes=()
        )


def layer_in_words(layer: LayerEvaluation) -> str:
    """Return a layer's name, such as `service control policy of Workloads`."""
    return layer_name(layer.layer, layer.level)


def layer_name(layer: Layer, level: str | None) -> str:
    """Return the name of a layer, or of one level of an organization's."""
    words = "identity policies" if layer == "identity" else LAYER_WORDS[layer]
    return words if level is None else f"{words} of {level}"


def statement_in_words(result: StatementResult) -> str:
    """Return a statement's name, such as `AmazonEBSCSIDriverPolicy v2, statement 4`."""
    policy, statement = result.policy, result.statement
    version = "" if policy.version is None else f" {version_label(policy.version)}"
    layer = "" if result.layer == "identity" else f" ({result.layer})"
    deny = ", a Deny" if statement.effect == "Deny" else ""
    return f"{policy.name}{version}, {statement.sid or f'statement {result.position + 1}'}{layer}{deny}"


def refused_tags(failure: Failure) -> tuple[str, ...]:
    """Return the tag keys of a request that a condition on all tag keys refuses; empty for another condition."""
    operator = failure.operator.lower()
    if (
        (failure.key or "").lower() != "aws:tagkeys"
        or not operator.startswith("forallvalues:string")
        or "not" in operator
    ):
        return ()
    return tuple(
        tag
        for tag in failure.actual or ()
        if not any(
            wildcard.matches(pattern, tag) if "like" in operator else pattern.lower() == tag.lower()
            for pattern in failure.wanted
        )
    )


def is_narrow(explanation: Explanation) -> bool:
    """Return whether the smallest statement is about the resource in question, rather than `*` for lack of one."""
    statement = explanation.smallest_statement
    return explanation.resource is not None or (statement is not None and statement.resources != ("*",))


def commands_for(explanation: Explanation) -> tuple[Command, ...]:
    """Return the commands that help, in the order that they are shown: what to check, then what fixes it."""
    return (*explanation.checks, *(command for fix in explanation.fixes for command in fix.commands))


def decoding(explanation: Explanation) -> Command | None:
    """Return the command that decodes the encoded part of the message."""
    return None if explanation.encoded is None else decode_message(explanation.encoded)


def policy_document(statement: Statement) -> Document:
    """Return a policy document with one statement, as IAM accepts it."""
    return Document("2012-10-17", None, (statement,))
