"""A realistic account: three clusters in two regions, every way in which EKS uses a role, and names that hurt.

What each role is for is in its name; `Builder.uses` holds the truth that an app must find.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from moto.iam.models import Role

from tests.rig.builder import Builder
from tests.rig.clusters import add_auto, add_legacy, add_prod
from tests.rig.crowd import add_crowd
from tests.rig.documents import trusting_accounts_of, trusting_ec2
from tests.rig.isolation import ACCOUNT_ID
from tests.rig.world import Aggregator, world
from tests.support.documents import allow_statement, document, trust

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
"""The time at which the seeded account stands, unless another is given."""

LONG_NAME = "platform-observability-metrics-collector-production-euc1-irsa-01"
"""As long as a role name may be: 64 characters."""

ODD_NAMES = (LONG_NAME, "x", "--help", "we+ird=,.@-_name")
"""Role names that a command line, a table or a wildcard might trip over; all carry AmazonEKS_CNI_Policy."""

REGIONS = {
    "aws": ("eu-central-1", "us-east-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
}
"""Partition -> the region of the clusters prod and auto, and the region of the cluster legacy."""

OTHER_ACCOUNT = "222233334444"


@dataclass(frozen=True, slots=True)
class Seeded:
    """The account as it was seeded."""

    builder: Builder
    home: str
    """Region of the clusters prod and auto."""
    away: str
    """Region of the cluster legacy."""

    def role(self, name: str) -> Role:
        """Return a role by name."""
        role: Role = self.builder.iam.get_role(name)
        return role

    def roles_with(self, policy: str) -> set[str]:
        """Return the names of the roles that a policy, an AWS one by name or any by ARN, is attached to."""
        arn = policy if policy.startswith("arn:") else self.builder.aws_policy(policy)
        return {role.name for role in self.builder.iam.roles.values() if arn in role.managed_policies}


def seed(
    roles: int = 300,
    *,
    account_id: str = ACCOUNT_ID,
    partition: str = "aws",
    now: datetime = NOW,
    hostile: bool = False,
) -> Seeded:
    """Fill the account with at least its named roles, and others up to `roles`.

    `hostile` adds names, tags, documents and messages with markup, escape sequences and bidirectional controls.
    """
    builder = Builder(account_id, partition, now)
    home, away = REGIONS[partition]
    builder.iam.account_aliases[:] = ["acme-prod"]
    _linked_roles(builder)
    _people(builder)
    add_prod(builder, home)
    add_auto(builder, home)
    add_legacy(builder, away)
    _odd_names(builder)
    _not_of_eks(builder)
    if hostile:
        _hostile(builder, home)
    add_crowd(builder, max(0, roles - len(builder.iam.roles)), home)
    aggregator = world.aggregators.get("organisation", Aggregator((), (home, away)))
    world.aggregators["organisation"] = Aggregator((*aggregator.accounts, account_id), aggregator.regions)
    return Seeded(builder, home, away)


def _linked_roles(builder: Builder) -> None:
    for service, name, policy in (
        ("eks", "AWSServiceRoleForAmazonEKS", "AmazonEKSServiceRolePolicy"),
        ("eks-nodegroup", "AWSServiceRoleForAmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
        ("eks-fargate", "AWSServiceRoleForAmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy"),
        ("autoscaling", "AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy"),
        ("spot", "AWSServiceRoleForEC2Spot", "AWSEC2SpotServiceRolePolicy"),
        ("elasticloadbalancing", "AWSServiceRoleForElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    ):
        host = f"{service}.amazonaws.com"
        builder.role(name, trust(host), policy, path=f"/aws-service-role/{host}/")


def _people(builder: Builder) -> None:
    alice = builder.user("alice", path="/people/")
    bob = builder.user("bob", "AmazonEKSClusterPolicy", path="/people/")
    builder.user("ci-bot", "AmazonEC2ContainerRegistryReadOnly", boundary="AmazonEC2ContainerRegistryReadOnly")
    builder.user("auditor", boundary="AmazonEKSMCPReadOnlyAccess")
    builder.group("platform", "AmazonEKSMCPReadOnlyAccess", "AmazonEKSClusterPolicy", users=[alice, bob])
    builder.group("on-call", "AmazonEKSDashboardConsoleReadOnly", path="/teams/", users=[alice])


def _odd_names(builder: Builder) -> None:
    for name in ODD_NAMES:
        builder.role(name, trusting_ec2(builder.partition), "AmazonEKS_CNI_Policy")


def _not_of_eks(builder: Builder) -> None:
    github = builder.oidc_provider("https://token.actions.githubusercontent.com")
    builder.role(
        "github-deploy",
        trusting_accounts_of(github, "repo:acme/infrastructure:ref:refs/heads/main", "StringLike"),
        "AmazonEKSClusterPolicy",
        last_used=builder.ago(hours=5),
        last_used_region="us-east-1",
    )
    builder.role(
        "trusts-somebody-deleted",
        document(
            {
                "Effect": "Allow",
                # What AWS shows in place of a principal that was deleted.
                "Principal": {"AWS": ["AIDAEXAMPLEDELETED0001", builder.arn("iam", "user/alice")]},
                "Action": "sts:AssumeRole",
            }
        ),
        "AmazonEKSWorkerNodePolicy",
    )
    boundary = builder.policy("acme-boundary", allow_statement("eks:*", "ec2:Describe*"), path="/boundaries/")
    builder.role(
        "eks-operator",
        document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{builder.partition}:iam::{OTHER_ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "acme"}},
            }
        ),
        "AmazonEKSClusterPolicy",
        boundary=boundary.arn,
        path="/operators/",
    )


def _hostile(builder: Builder, region: str) -> None:
    escape = "\x1b]0;owned\x07\x1b[2J\x1b[31m"
    builder.role(
        "hostile",
        trusting_ec2(builder.partition),
        "AmazonEKS_CNI_Policy",
        # IAM allows brackets here; what it would refuse stands where JSON carries it.
        description="[/oops] [bold red]not bold[/] [@click=app.quit]no[/]",
        tags={"note": "\u202eright to left", "line": "one\u2028two"},
        inline={"inline": document({"Sid": escape, "Effect": "Allow", "Action": "s3:Get*", "Resource": f"*{escape}"})},
    )
    role = builder.role("hostile-cluster", trust("eks.amazonaws.com"), "AmazonEKSClusterPolicy")
    issue = {"code": "Other", "message": f"[/oops] {escape} \u202ebroken", "resourceIds": ["[bold]"]}
    cluster = builder.cluster(region, "hostile", role, issues=[issue], tags={"[/x]": escape})
    builder.pod_identity(region, cluster, "[/oops]", f"sa{escape}", builder.iam.get_role("hostile"))
