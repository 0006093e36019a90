"""An account's roles, users, groups and customer-managed policies as values, and who has a policy attached."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from ekstui.eks.cluster import Cluster, EksFacts
from ekstui.errors import Advice
from ekstui.iam.document import Document
from ekstui.named_tuples import NamedTuple

AttachedAs = Literal["permissions", "boundary"]
"""How a policy is attached: as permissions policy, or as permissions boundary."""

ReadExtent = Literal["full", "detail", "name"]
"""How much of a role is known: all of it, all but its policies (GetRole), or no more than its name."""

ErrorKind = Literal[
    "credentials", "expired", "mfa", "denied", "throttled", "network", "region", "absent", "setting", "incomplete",
    "unexpected",
]  # fmt: skip
"""The kind of failure: `absent` means that something does not exist, `setting` a bad setting or file."""

SourceName = Literal[
    "identity", "counts", "roles", "oidc-providers", "entities", "clusters", "nodegroups", "fargate", "addons",
    "access-entries", "pod-identity", "capabilities", "nodes", "config", "simulation", "last-accessed", "file", "store",
]  # fmt: skip
"""The parts of an account that are read separately; `roles` covers roles, users, groups and policies."""

UseKind = Literal[
    "cluster", "nodegroup", "self-managed-node", "karpenter-node", "hybrid-node", "hyperpod-node", "auto-mode-node",
    "fargate", "addon", "pod-identity", "pod-identity-target", "irsa", "capability",
]  # fmt: skip
"""The part of EKS that uses a role."""

Certainty = Literal["confirmed", "inferred"]
"""Whether EKS or EC2 confirms a use, or only the role's own policies suggest it."""

SERVICE_LINKED_PATH = "/aws-service-role/"


class SourceError(NamedTuple):
    """One part of the account that could not be read."""

    source: SourceName
    action: str | None
    """The IAM action that failed, such as `iam:ListPolicies`; None if no call was made."""
    kind: ErrorKind
    message: str
    """One sentence."""
    next_step: str = ""
    """What the user can do; may be empty."""
    region: str | None = None
    subject: str | None = None
    """What the call was about, such as a cluster's name."""
    next_in_app: str = ""
    """What the user can do in the app, where that differs."""

    @property
    def advice(self) -> str:
        """What to do, in both wordings."""
        return Advice(self.next_step, self.next_in_app) if self.next_in_app else self.next_step


class CallerIdentity(NamedTuple):
    """The account and the credentials that every answer rests on."""

    account: str
    """Twelve digits."""
    partition: str
    """`aws`, `aws-cn`, `aws-us-gov` or another, from the caller's ARN."""
    arn: str
    user_id: str
    method: str | None = None
    """How the credentials were found, as botocore names it (`env`, `sso`, `iam-role`); `file` for a file."""
    profile: str | None = None
    region: str | None = None
    """The configured region."""
    endpoint: str | None = None
    """Custom endpoints of environment or settings, without user information; with services if only some have it."""


class AttachedPolicy(NamedTuple):
    """A managed policy attached to a role, user or group as permissions policy."""

    name: str
    arn: str


class InlinePolicy:
    """A policy written into a role, user or group; a class, so that the document may be parsed when asked for."""

    # Its fields are those of a named tuple for what writes and reads records.
    __slots__ = _fields = ("name", "document")
    _field_defaults: Mapping[str, object] = MappingProxyType({})
    name: str
    document: Document | None
    """None if the document could not be read."""

    def __init__(self, name: str, document: Document | None) -> None:
        self.name = name
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InlinePolicy) and (self.name, self.document) == (other.name, other.document)

    def __hash__(self) -> int:
        return hash((self.name, self.document))


class Role(NamedTuple):
    """A role with all its policies."""

    name: str
    arn: str | None
    """None if `extent` is `name`: the path is part of it."""
    path: str = "/"
    trust: Document | None = None
    """None if it could not be read."""
    attached: tuple[AttachedPolicy, ...] = ()
    inline: tuple[InlinePolicy, ...] = ()
    boundary_arn: str | None = None
    created: datetime | None = None
    last_used: datetime | None = None
    """None means no activity in the period that IAM tracks (at most 400 days), not never."""
    last_used_region: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    instance_profiles: tuple[str, ...] = ()
    """ARNs."""
    extent: ReadExtent = "full"

    @property
    def was_read(self) -> bool:
        """Whether more is known of it than its name."""
        return self.extent != "name"

    @property
    def service_linked(self) -> bool:
        """Whether a service owns it, as its path shows."""
        return self.path.startswith(SERVICE_LINKED_PATH)


class User(NamedTuple):
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


class Group(NamedTuple):
    """A group with its policies."""

    name: str
    arn: str | None
    path: str = "/"
    attached: tuple[AttachedPolicy, ...] = ()
    inline: tuple[InlinePolicy, ...] = ()
    created: datetime | None = None


def managed_arns(entity: Role | User | Group) -> set[str]:
    """Return the ARNs of the managed policies of a role, user or group, its boundary's included."""
    arns = {policy.arn for policy in entity.attached}
    boundary = None if isinstance(entity, Group) else entity.boundary_arn
    return arns if boundary is None else arns | {boundary}


class LocalPolicy(NamedTuple):
    """A customer-managed policy with its default version."""

    name: str
    arn: str
    path: str
    default_version: str
    """As IAM writes it: `v3`."""
    document: Document | None
    """The default version's document; None if it could not be read."""
    created: datetime | None = None
    updated: datetime | None = None


class PolicyCount(NamedTuple):
    """How many entities have a policy attached, as IAM counts them."""

    attachments: int
    boundaries: int | None
    """None if IAM did not say."""


class AccountSnapshot(NamedTuple):
    """One account as it was read at one time."""

    identity: CallerIdentity
    fetched_at: datetime
    """When the sweep began, UTC."""
    complete: bool
    """Whether all roles, users, groups and customer-managed policies are included."""
    roles: tuple[Role, ...] = ()
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    local_policies: tuple[LocalPolicy, ...] = ()
    counts: Mapping[str, PolicyCount] | None = None
    """By policy ARN, for policies with at least one attachment; None if the counts are not known."""
    oidc_providers: tuple[str, ...] | None = None
    """ARNs of IAM's OIDC providers; None if they are not known."""
    eks: EksFacts | None = None
    """None if EKS has not been read."""
    not_looked_at: tuple[str, ...] = ()
    """What this answer leaves out by design, as phrases."""
    errors: tuple[SourceError, ...] = ()

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """The clusters that were read; none if EKS was not."""
        return self.eks.clusters if self.eks else ()

    def roles_with_each(self) -> Callable[[str], int] | None:
        """Return a function from a policy's ARN to how many roles have it attached; None if that is not known.

        Where not all roles could be read, it is how many entities have it, as IAM counts them.
        """
        if self.complete:
            # IAM's own count has users and groups in it.
            counts: Mapping[str, int] = Counter(arn for role in self.roles for arn in managed_arns(role))
        elif self.counts is not None:
            counts = {arn: count.attachments for arn, count in self.counts.items()}
        else:
            return None
        return lambda arn: counts.get(in_partition(arn, self.identity.partition), 0)


class Use(NamedTuple):
    """One part of EKS that uses a role, or may."""

    kind: UseKind
    certainty: Certainty
    cluster: str | None = None
    """None if unknown."""
    region: str | None = None
    name: str | None = None
    """The node group, profile, add-on, capability, node pool or association; for IRSA the issuer."""
    namespace: str | None = None
    """May be a pattern for IRSA."""
    service_account: str | None = None
    session_policy: str | None = None
    """For Pod Identity: a policy, as JSON text, that limits the session further."""
    session_tags: bool | None = None
    """For Pod Identity: whether sessions have EKS's tags."""
    remark: str | None = None
    """A phrase with anything else worth knowing."""
    pods: int | None = None
    """How many pods have its credentials; None if pods were not read, or it is not for service accounts."""
    overruled: str = ""
    """Why its pods do not get this role, as a phrase; empty if they do."""


class RoleAttachment(NamedTuple):
    """A role that has a policy attached, listed once, with how it is attached."""

    role: Role
    attached_as: tuple[AttachedAs, ...]
    used_by: tuple[Use, ...] = ()
    remarks: tuple[str, ...] = ()
    """Sentences on how the role's other policies affect this one."""


class UserAttachment(NamedTuple):
    """A user that has a policy attached, listed once, with how it is attached."""

    user: User
    attached_as: tuple[AttachedAs, ...]


class Attachments(NamedTuple):
    """Who has a policy attached. An empty list means nobody only if `complete` is true."""

    policy_arn: str
    roles: tuple[RoleAttachment, ...] = ()
    users: tuple[UserAttachment, ...] = ()
    groups: tuple[Group, ...] = ()
    complete: bool = False
    """Whether every role, user and group that has it is included, even if their uses are not all known."""
    uses_complete: bool = False
    """Whether every question about the uses of the roles was answered."""
    not_looked_at: tuple[str, ...] = ()
    errors: tuple[SourceError, ...] = ()

    @property
    def proven_empty(self) -> bool:
        """Whether it is certain that nothing in the account has the policy attached."""
        return self.complete and not (self.roles or self.users or self.groups)


def attachments_of(snapshot: AccountSnapshot, policy_arn: str) -> Attachments:
    """Return who has a policy attached, sorted by name; the ARN of an AWS policy may be of any partition."""
    arn = in_partition(policy_arn, snapshot.identity.partition)
    roles = [
        RoleAttachment(role, kinds)
        for role in snapshot.roles
        if (kinds := _attached_as(arn, role.attached, role.boundary_arn))
    ]
    users = [
        UserAttachment(user, kinds)
        for user in snapshot.users
        if (kinds := _attached_as(arn, user.attached, user.boundary_arn))
    ]
    groups = [group for group in snapshot.groups if _attached_as(arn, group.attached, None)]
    return Attachments(
        policy_arn=arn,
        roles=tuple(sorted(roles, key=lambda entry: entry.role.name.lower())),
        users=tuple(sorted(users, key=lambda entry: entry.user.name.lower())),
        groups=tuple(sorted(groups, key=lambda group: group.name.lower())),
        complete=snapshot.complete,
        errors=tuple(error for error in snapshot.errors if error.source == "roles"),
    )


def in_partition(policy_arn: str, partition: str) -> str:
    """Return the ARN of an AWS managed policy in another partition; any other ARN is returned unchanged."""
    parts = policy_arn.split(":", 5)
    if len(parts) == 6 and parts[4] == "aws":
        parts[1] = partition
    return ":".join(parts)


def _attached_as(arn: str, policies: tuple[AttachedPolicy, ...], boundary_arn: str | None) -> tuple[AttachedAs, ...]:
    kinds: list[AttachedAs] = []
    if any(policy.arn == arn for policy in policies):
        kinds.append("permissions")
    if boundary_arn == arn:
        kinds.append("boundary")
    return tuple(kinds)


EntityKind = Literal["role", "user", "group"]

NOT_IN_CONFIG = (
    "when a role was last used, which AWS Config does not record",
    "node groups, access entries, Pod Identity and capabilities, which AWS Config does not record",
    "accounts and regions whose recorder leaves IAM out: an empty answer may mean that nothing was recorded",
)
"""What an answer from AWS Config leaves out, as phrases."""


class RecordedAttachment(NamedTuple):
    """A role, user or group of any account that has the policy attached, listed once."""

    kind: EntityKind
    account: str
    name: str
    arn: str
    path: str
    attached_as: tuple[AttachedAs, ...]
    recorded_at: datetime | None
    """When AWS Config last recorded a change to it."""
    used_by: tuple[Use, ...] = ()


class OrganisationAnswer(NamedTuple):
    """The answer of an AWS Config aggregator, which never proves that nobody has the policy attached."""

    identity: CallerIdentity
    aggregator: str
    policy_arn: str
    attachments: tuple[RecordedAttachment, ...]
    """Sorted by account, then name."""
    complete: bool
    """Whether every page was read; see `not_looked_at` for what no page contains."""
    not_looked_at: tuple[str, ...]
    errors: tuple[SourceError, ...]
