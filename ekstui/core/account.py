"""An account's roles, users, groups and customer-managed policies as values, and who has a policy attached."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ekstui.core.document import Document
from ekstui.core.eks import EksFacts

AttachedAs = Literal["permissions", "boundary"]
"""How a policy is attached: as permissions policy, or as permissions boundary."""

Extent = Literal["full", "detail", "name"]
"""How much of a role is known: all of it, all but its policies (GetRole), or no more than its name."""

ErrorKind = Literal[
    "credentials", "expired", "mfa", "denied", "throttled", "network", "region", "absent", "setting", "incomplete",
    "unexpected",
]  # fmt: skip
"""What kind of failure it was: `absent` is something that does not exist, `setting` a bad setting or file."""

SourceName = Literal[
    "identity", "counts", "roles", "oidc-providers", "entities", "clusters", "nodegroups", "fargate", "addons",
    "access-entries", "pod-identity", "capabilities", "nodes", "config", "simulation", "file", "store",
]  # fmt: skip
"""What a failed or unasked part of the account is called; `roles` is the sweep over roles, users, groups and policies."""

UseKind = Literal[
    "cluster", "nodegroup", "self-managed-node", "karpenter-node", "hybrid-node", "hyperpod-node", "auto-mode-node",
    "fargate", "addon", "pod-identity", "pod-identity-target", "irsa", "capability",
]  # fmt: skip
"""What part of EKS uses a role."""

Certainty = Literal["confirmed", "inferred"]
"""Whether EKS or EC2 says so, or only the role's own policies do."""

SERVICE_LINKED_PATH = "/aws-service-role/"


@dataclass(frozen=True, slots=True)
class SourceError:
    """One part of the account that could not be read."""

    source: SourceName
    action: str | None
    """The IAM action that failed, such as `iam:ListPolicies`; None where no call was made."""
    kind: ErrorKind
    message: str
    """One sentence."""
    next_step: str = ""
    """What the user can do, or empty."""
    region: str | None = None
    subject: str | None = None
    """What the call asked about, such as a cluster's name."""


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who asks: the account and the credentials that every answer rests on."""

    account: str
    """Twelve digits."""
    partition: str
    """`aws`, `aws-cn`, `aws-us-gov` or another, from the caller's ARN."""
    arn: str
    user_id: str
    method: str | None = None
    """How the credentials were found, as botocore names it (`env`, `sso`, `assume-role`, `iam-role`); `file` for a file."""
    profile: str | None = None
    region: str | None = None
    """The configured region."""
    endpoint: str | None = None
    """Custom endpoints from the environment or settings, without user information; with its services where only some have one."""


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A managed policy attached to a role, user or group as permissions policy."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class InlinePolicy:
    """A policy written into a role, user or group."""

    name: str
    document: Document | None
    """None where the document could not be read."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role with all its policies."""

    name: str
    arn: str | None
    """None where `extent` is `name`: the path is part of it."""
    path: str = "/"
    trust: Document | None = None
    """None where it could not be read."""
    attached: tuple[AttachedPolicy, ...] = ()
    inline: tuple[InlinePolicy, ...] = ()
    boundary_arn: str | None = None
    created: datetime | None = None
    last_used: datetime | None = None
    """None means no activity in the period that IAM tracks (at most 400 days), not never."""
    last_used_region: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    instance_profiles: tuple[str, ...] = ()
    """Their ARNs."""
    extent: Extent = "full"

    @property
    def service_linked(self) -> bool:
        """Whether a service owns it, which its path says."""
        return self.path.startswith(SERVICE_LINKED_PATH)


@dataclass(frozen=True, slots=True)
class User:
    """A user with its own policies, without those of its groups."""

    name: str
    arn: str | None
    path: str = "/"
    attached: tuple[AttachedPolicy, ...] = ()
    inline: tuple[InlinePolicy, ...] = ()
    boundary_arn: str | None = None
    groups: tuple[str, ...] = ()
    created: datetime | None = None
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group with its policies."""

    name: str
    arn: str | None
    path: str = "/"
    attached: tuple[AttachedPolicy, ...] = ()
    inline: tuple[InlinePolicy, ...] = ()
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class LocalPolicy:
    """A customer-managed policy with its default version."""

    name: str
    arn: str
    path: str
    default_version: str
    """As IAM writes it: `v3`."""
    document: Document | None
    """The default version's document; None where it could not be read."""
    created: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class PolicyCount:
    """How many entities have a policy attached, as IAM counts them."""

    attachments: int
    boundaries: int | None
    """None where IAM did not say."""


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """What was seen of one account at one time."""

    identity: CallerIdentity
    fetched_at: datetime
    """When the sweep began, UTC."""
    complete: bool
    """Whether roles, users, groups and local policies are all there."""
    roles: tuple[Role, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    local_policies: tuple[LocalPolicy, ...] = ()
    counts: Mapping[str, PolicyCount] | None = None
    """By policy ARN, of policies with at least one; None where the counts are not known."""
    oidc_providers: tuple[str, ...] | None = None
    """ARNs of IAM's OIDC providers; None where they are not known."""
    eks: EksFacts | None = None
    """None before EKS was asked."""
    not_looked_at: tuple[str, ...] = ()
    """What this answer leaves out by design, a phrase each."""
    errors: tuple[SourceError, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """One part of EKS that uses a role, or may."""

    kind: UseKind
    certainty: Certainty
    cluster: str | None = None
    """None where it is not known."""
    region: str | None = None
    name: str | None = None
    """The node group, profile, add-on, capability, node pool or association; for IRSA the issuer."""
    namespace: str | None = None
    """A pattern for IRSA with wildcards."""
    service_account: str | None = None
    session_policy: str | None = None
    """For Pod Identity: a policy, as JSON text, that limits the session further."""
    session_tags: bool | None = None
    """For Pod Identity: whether sessions have EKS's tags."""
    remark: str | None = None
    """What else to know, a phrase."""


@dataclass(frozen=True, slots=True)
class RoleAttachment:
    """A role that has a policy attached, once, with every way it is attached."""

    role: Role
    attached_as: tuple[AttachedAs, ...]
    used_by: tuple[Use, ...] = ()
    remarks: tuple[str, ...] = ()
    """What another policy of the role makes of this one, a sentence each."""


@dataclass(frozen=True, slots=True)
class UserAttachment:
    """A user that has a policy attached, once, with every way it is attached."""

    user: User
    attached_as: tuple[AttachedAs, ...]


@dataclass(frozen=True, slots=True)
class Attachments:
    """Who has a policy attached; only where `complete` does an empty list mean that nobody has."""

    policy_arn: str
    roles: tuple[RoleAttachment, ...] = ()
    users: tuple[UserAttachment, ...] = ()
    groups: tuple[Group, ...] = ()
    complete: bool = False
    """Whether every role, user and group that has it is there; their uses may still be partly known."""
    uses_complete: bool = False
    """Whether everything that was to be asked about the roles' uses answered."""
    not_looked_at: tuple[str, ...] = ()
    errors: tuple[SourceError, ...] = ()

    @property
    def proven_empty(self) -> bool:
        """Whether it is certain that nothing in the account has the policy attached."""
        return self.complete and not (self.roles or self.users or self.groups)


def attachments_of(snapshot: AccountSnapshot, policy_arn: str) -> Attachments:
    """Return who has the policy attached, by name; an AWS policy's ARN may be of any partition."""
    arn = in_partition(policy_arn, snapshot.identity.partition)
    roles = [
        RoleAttachment(role, ways) for role in snapshot.roles if (ways := _ways(arn, role.attached, role.boundary_arn))
    ]
    users = [
        UserAttachment(user, ways) for user in snapshot.users if (ways := _ways(arn, user.attached, user.boundary_arn))
    ]
    groups = [group for group in snapshot.groups if _ways(arn, group.attached, None)]
    return Attachments(
        policy_arn=arn,
        roles=tuple(sorted(roles, key=lambda entry: entry.role.name.lower())),
        users=tuple(sorted(users, key=lambda entry: entry.user.name.lower())),
        groups=tuple(sorted(groups, key=lambda group: group.name.lower())),
        complete=snapshot.complete,
        errors=tuple(error for error in snapshot.errors if error.source == "roles"),
    )


def in_partition(policy_arn: str, partition: str) -> str:
    """Return the ARN of the same AWS managed policy in another partition; any other ARN as it is."""
    parts = policy_arn.split(":", 5)
    if len(parts) == 6 and parts[4] == "aws":
        parts[1] = partition
    return ":".join(parts)


def _ways(arn: str, attached: tuple[AttachedPolicy, ...], boundary_arn: str | None) -> tuple[AttachedAs, ...]:
    ways: list[AttachedAs] = []
    if any(policy.arn == arn for policy in attached):
        ways.append("permissions")
    if boundary_arn == arn:
        ways.append("boundary")
    return tuple(ways)


EntityKind = Literal["role", "user", "group"]

NOT_IN_CONFIG = (
    "when a role was last used, which AWS Config does not record",
    "node groups, access entries, Pod Identity and capabilities, which AWS Config does not record",
    "accounts and regions whose recorder leaves IAM out: an empty answer may mean that nothing was recorded",
)
"""What an answer of AWS Config leaves out, a phrase each."""


@dataclass(frozen=True, slots=True)
class RecordedAttachment:
    """A role, user or group of some account that has the policy attached, once."""

    kind: EntityKind
    account: str
    name: str
    arn: str
    path: str
    attached_as: tuple[AttachedAs, ...]
    recorded_at: datetime | None
    """When Config last recorded a change of it."""
    used_by: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganisationAnswer:
    """What an aggregator of AWS Config says; it never proves that nobody has the policy attached."""

    identity: CallerIdentity
    aggregator: str
    policy_arn: str
    attachments: tuple[RecordedAttachment, ...]
    """By account, then name."""
    complete: bool
    """Whether every page came; see `not_looked_at` for what no page holds."""
    not_looked_at: tuple[str, ...]
    errors: tuple[SourceError, ...]
