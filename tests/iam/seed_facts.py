"""What AWS's page on managed policies for EKS says, as facts, written down by hand from the page.

The page is the ground for `assets/eks.toml`: each row here must have its entry there.
"""

from typing import NamedTuple

POLICIES = {
    "AmazonEKS_CNI_Policy": True,
    "AmazonEKSClusterPolicy": True,
    "AmazonEKSFargatePodExecutionRolePolicy": True,
    "AmazonEKSForFargateServiceRolePolicy": False,
    "AmazonEKSServicePolicy": True,
    "AmazonEKSServiceRolePolicy": False,
    "AmazonEKSVPCResourceController": True,
    "AmazonEKSWorkerNodePolicy": True,
    "AWSServiceRoleForAmazonEKSNodegroup": False,
    "AmazonEBSCSIDriverPolicy": True,
    "AmazonEFSCSIDriverPolicy": True,
    "AmazonEKSLocalOutpostClusterPolicy": True,
    "AmazonEKSLocalOutpostServiceRolePolicy": False,
}
"""The page's policies, and whether a user may attach them."""


class ServiceNote(NamedTuple):
    """The page says why a policy needs a service."""

    policy: str
    service: str
    ideas: tuple[str, ...]
    """Words for what the page says, in small letters: our note has each; `a|b` means either."""


SERVICE_NOTES = [
    ServiceNote("AmazonEKS_CNI_Policy", "ec2", ("interface", "address", "subnet", "instances", "room|free")),
    ServiceNote("AmazonEKSClusterPolicy", "autoscaling", ("read", "chang|updat", "old|backwards")),
    ServiceNote("AmazonEKSClusterPolicy", "ec2", ("volume", "network", "join", "persistent volume")),
    ServiceNote("AmazonEKSClusterPolicy", "elasticloadbalancing", ("load balancer", "target", "service")),
    ServiceNote("AmazonEKSClusterPolicy", "iam", ("service-linked role", "load balancing")),
    ServiceNote("AmazonEKSClusterPolicy", "kms", ("key", "secrets", "etcd")),
    ServiceNote("AmazonEKSFargatePodExecutionRolePolicy", "ecr", ("image", "fargate")),
    ServiceNote("AmazonEKSForFargateServiceRolePolicy", "ec2", ("interface", "delet", "fargate", "vpc")),
    ServiceNote("AmazonEKSServicePolicy", "eks", ("version", "user asked", "old|backwards")),
    ServiceNote("AmazonEKSServicePolicy", "ec2", ("interface", "tag", "control plane", "nodes")),
    ServiceNote("AmazonEKSServicePolicy", "route53", ("vpc", "hosted zone", "private", "endpoint")),
    ServiceNote("AmazonEKSServicePolicy", "logs", ("control plane", "log", "cloudwatch")),
    ServiceNote("AmazonEKSServiceRolePolicy", "iam", ("managed policies", "role", "check|validat")),
    ServiceNote("AmazonEKSServiceRolePolicy", "route53", ("vpc", "hosted zone", "private", "endpoint")),
    ServiceNote("AmazonEKSServiceRolePolicy", "logs", ("control plane", "log", "cloudwatch")),
    ServiceNote("AmazonEKSVPCResourceController", "ec2", ("interface", "address", "security group", "windows")),
    ServiceNote("AmazonEKSWorkerNodePolicy", "ec2", ("instance", "volume", "network", "join")),
    ServiceNote("AmazonEKSWorkerNodePolicy", "eks", ("cluster", "start|bootstrap", "not needed|optional")),
    ServiceNote("AmazonEKSWorkerNodePolicy", "eks-auth", ("credentials", "pod identity", "assumeroleforpodidentity")),
    ServiceNote(
        "AWSServiceRoleForAmazonEKSNodegroup", "ec2", ("security group", "tag", "launch template", "remote access")
    ),
    ServiceNote(
        "AWSServiceRoleForAmazonEKSNodegroup",
        "iam",
        ("service-linked role", "pass", "instance profile", "auto scaling"),
    ),
    ServiceNote("AWSServiceRoleForAmazonEKSNodegroup", "autoscaling", ("auto scaling group", "drain|evict")),
    ServiceNote(
        "AmazonEBSCSIDriverPolicy",
        "ec2",
        ("creat", "modif", "attach", "detach", "delet", "snapshot", "lists", "instances"),
    ),
    ServiceNote("AmazonEFSCSIDriverPolicy", "elasticfilesystem", ("access point", "file system", "mount target")),
    ServiceNote("AmazonEFSCSIDriverPolicy", "ec2", ("availability zone",)),
    ServiceNote("AmazonEKSLocalOutpostClusterPolicy", "ec2", ("instance", "control plane")),
    ServiceNote("AmazonEKSLocalOutpostClusterPolicy", "ssm", ("systems manager", "local cluster")),
    ServiceNote("AmazonEKSLocalOutpostClusterPolicy", "logs", ("push", "cloudwatch")),
    ServiceNote("AmazonEKSLocalOutpostClusterPolicy", "secretsmanager", ("fetch|get", "delet", "boot")),
    ServiceNote("AmazonEKSLocalOutpostClusterPolicy", "ecr", ("image", "control plane")),
    ServiceNote(
        "AmazonEKSLocalOutpostServiceRolePolicy",
        "ec2",
        ("security group", "instances", "control plane", "start|launch"),
    ),
    ServiceNote("AmazonEKSLocalOutpostServiceRolePolicy", "ssm", ("systems manager", "instances", "cluster")),
    ServiceNote("AmazonEKSLocalOutpostServiceRolePolicy", "iam", ("instance profile",)),
    ServiceNote("AmazonEKSLocalOutpostServiceRolePolicy", "secretsmanager", ("secret", "boot", "instance")),
    ServiceNote("AmazonEKSLocalOutpostServiceRolePolicy", "outposts", ("outpost",)),
]

UNUSED = [("AmazonEKSClusterPolicy", "autoscaling"), ("AmazonEKSServicePolicy", "eks")]
"""Services that the page says stay for backwards compatibility."""


class SeedUpdate(NamedTuple):
    """A row of the page's list of updates, whose columns of policy and date the page has lost."""

    policy: str
    created: str
    """The day on which IAM made the version, from version-dates.csv."""
    actions: tuple[str, ...]
    """The actions that the row names, in the document's spelling; none for an introduction."""
    ideas: tuple[str, ...]
    disagrees: tuple[str, ...] = ()
    """Where the row and the document differ: what our entry says about it."""


UPDATES = [
    SeedUpdate("AmazonEKS_CNI_Policy", "2024-03-04", ("ec2:DescribeSubnets",), ("address", "subnet", "interface")),
    SeedUpdate("AmazonEKSWorkerNodePolicy", "2023-11-27", ("eks-auth:AssumeRoleForPodIdentity",), ("agent", "node")),
    SeedUpdate("AmazonEFSCSIDriverPolicy", "2023-07-25", (), ("introduced",)),
    SeedUpdate("AmazonEKSClusterPolicy", "2023-02-07", ("ec2:DescribeAvailabilityZones",), ("subnet", "discover")),
    SeedUpdate(
        "AmazonEBSCSIDriverPolicy",
        "2022-11-18",
        ("ec2:DeleteVolume",),
        ("wildcard", "in-tree", "kubernetes.io/created-for/pvc/name"),
        ("ec2:CreateVolume", "statement"),
    ),
    SeedUpdate(
        "AmazonEKSLocalOutpostServiceRolePolicy",
        "2022-10-24",
        (
            "ec2:DescribeVpcAttribute",
            "ec2:GetConsoleOutput",
            "secretsmanager:DescribeSecret",
            "ec2:DescribePlacementGroups",
            "ec2:RunInstances",
        ),
        ("prerequisites", "placement"),
        ("ec2:DescribeSecret", "ec2:DescribeVPCAttribute"),
    ),
    SeedUpdate(
        "AmazonEKSLocalOutpostClusterPolicy",
        "2022-10-17",
        ("ecr:GetDownloadUrlForLayer",),
        ("eks/", "repositor"),
        ("already",),
    ),
    SeedUpdate(
        "AmazonEKSLocalOutpostClusterPolicy",
        "2022-09-01",
        ("ecr:GetDownloadUrlForLayer",),
        ("kubelet-config-updater", "argument"),
    ),
    SeedUpdate("AmazonEKSLocalOutpostClusterPolicy", "2022-08-24", (), ("introduced",)),
    SeedUpdate("AmazonEKSLocalOutpostServiceRolePolicy", "2022-08-23", (), ("introduced",)),
    SeedUpdate("AmazonEBSCSIDriverPolicy", "2022-04-04", (), ("introduced",)),
    SeedUpdate("AmazonEKSWorkerNodePolicy", "2022-03-21", ("ec2:DescribeInstanceTypes",), ("image", "instance type")),
    SeedUpdate(
        "AWSServiceRoleForAmazonEKSNodegroup",
        "2022-01-14",
        ("autoscaling:EnableMetricsCollection",),
        ("metrics",),
        ("2021-12-13",),
    ),
    SeedUpdate(
        "AmazonEKSClusterPolicy",
        "2021-06-15",
        ("ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeInternetGateways"),
        ("service-linked role", "network load balancer"),
    ),
]

MISNAMED = [
    ("AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverServiceRolePolicy"),
    ("AmazonEFSCSIDriverPolicy", "AmazonEFSCSIDriverServiceRolePolicy"),
    ("AmazonEKS_CNI_Policy", "ec2:*NetworkInterface"),
]
"""Names that the page gives and that are not in the policy it speaks of, or nowhere at all."""
