"""Small accounts as values, for tests of what reads and keeps them."""

from datetime import UTC, datetime

from ekstui.eks.account_snapshot import (
    AccountSnapshot,
    AttachedPolicy,
    CallerIdentity,
    Group,
    InlinePolicy,
    LocalPolicy,
    PolicyCount,
    Role,
    SourceError,
    User,
)
from ekstui.eks.cluster import (
    AccessEntry,
    Addon,
    Cluster,
    Ec2Node,
    EksFacts,
    HealthIssue,
    NodeGroup,
    PodIdentityAssociation,
)
from ekstui.iam.document import parse

CLUSTER_POLICY = AttachedPolicy("AmazonEKSClusterPolicy", "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
TRUST = parse(
    {"Statement": {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}}
)
ALLOW_S3 = parse({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
WHEN = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def role_arn(name: str) -> str:
    """The ARN of a role of the account."""
    return f"arn:aws:iam::111122223333:role/{name}"


def identity(account: str = "111122223333", partition: str = "aws") -> CallerIdentity:
    """A user of the account, with credentials from the environment."""
    return CallerIdentity(account, partition, f"arn:{partition}:iam::{account}:user/ana", "AIDAEXAMPLE", "env", "prod")


def snapshot(account: str = "111122223333", partition: str = "aws") -> AccountSnapshot:
    """An account in which each kind of value stands once."""

    def arn(resource: str) -> str:
        return f"arn:{partition}:iam::{account}:{resource}"

    cluster_policy = AttachedPolicy(CLUSTER_POLICY.name, f"arn:{partition}:iam::aws:policy/{CLUSTER_POLICY.name}")
    issue = HealthIssue("nodegroup", "blue", "AccessDenied", "no", ("i-1",))
    cluster = Cluster(
        "prod",
        "eu-west-1",
        role_arn=arn("role/prod-cluster"),
        created=WHEN,
        auto_mode=False,
        described=True,
        nodegroups=(NodeGroup("blue", arn("role/nodes"), (issue,)),),
        addons=(Addon("vpc-cni", "v1", None, recommended_policies=(("aws-node", (cluster_policy.arn,)),)),),
        access_entries=(AccessEntry(arn("role/nodes"), "EC2_LINUX"),),
        associations=(PodIdentityAssociation("a-1", "ns", "sa", None, session_tags=False),),
        nodes=(Ec2Node(arn("instance-profile/p"), "default", 2),),
    )
    return AccountSnapshot(
        identity=identity(account, partition),
        fetched_at=WHEN,
        complete=True,
        roles=(
            Role(
                "prod-cluster",
                arn("role/prod-cluster"),
                trust=TRUST,
                attached=(cluster_policy,),
                inline=(InlinePolicy("s3", ALLOW_S3), InlinePolicy("odd", None)),
                boundary_arn=cluster_policy.arn,
                created=WHEN,
                last_used=WHEN,
                last_used_region="eu-west-1",
                tags=(("team", "[bold]\x1b[31mred"), ("empty", "")),
                instance_profiles=(arn("instance-profile/p"),),
            ),
            Role("nodes", arn("role/nodes"), trust=None),
        ),
        users=(
            User("ana", arn("user/ana"), attached=(cluster_policy,), groups=("ops",), boundary_arn=cluster_policy.arn),
        ),
        groups=(Group("ops", arn("group/ops"), attached=(cluster_policy,), created=WHEN),),
        local_policies=(LocalPolicy("mine", arn("policy/mine"), "/", "v3", ALLOW_S3, WHEN, WHEN),),
        counts={cluster_policy.arn: PolicyCount(3, 2)},
        oidc_providers=(arn("oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"),),
        eks=EksFacts((cluster,), ("eu-west-1",)),
        not_looked_at=("Pod Identity",),
        errors=(SourceError("addons", "eks:ListAddons", "denied", "eks:ListAddons is denied.", region="eu-west-1"),),
    )
