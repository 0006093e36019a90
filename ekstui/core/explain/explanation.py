"""What goes into an explanation, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.core.conditions.truth import Truth
from ekstui.core.denial import Cause
from ekstui.core.document import Document, Effect, Statement
from ekstui.core.evaluation import AppliedPolicy, Failure, Layer, Verdict
from ekstui.core.knowledge import DependentActions, Symptom
from ekstui.core.policy import Policy
from ekstui.core.reference import ResourceUse

if TYPE_CHECKING:
    from ekstui.core.account import Use
    from ekstui.core.explain.trust import TrustJudgement
    from ekstui.core.findings import Finding


@dataclass(frozen=True, slots=True)
class Policies:
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """An AWS managed policy that may allow the request."""

    policy: Policy
    documents: Mapping[int, Document]
    """By version number; only those that are asked for need to be read."""
    in_eks_scope: bool
    superseded: bool = False
    """Whether another policy has taken its place."""
    meant_for: tuple[str, ...] = ()
    """The kinds of role that it is meant for, such as `node role`, where that is known."""


@dataclass(frozen=True, slots=True)
class Since:
    """From which version on something has held without a break until the default version."""

    version: int
    created: datetime | None
    at_latest: bool
    """True if versions nobody saw stand right before it: then it may have held earlier."""


@dataclass(frozen=True, slots=True)
class Allower:
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


@dataclass(frozen=True, slots=True)
class NewerVersion:
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
    """A statement that speaks, or nearly speaks, about the request."""

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


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to why a request was denied."""

    verdict: Verdict
    action: str | None
    """None for a symptom that no action stands behind."""
    resource: str | None
    principal: str | None
    cause: Cause | None
    """What the message named as the reason."""
    nearest: tuple[NearStatement, ...]
    """Best first."""
    missing_context: tuple[str, ...]
    """What would have to be told for a verdict; `resource` stands for the resource."""
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
