"""The clusters of the realistic account, each with the roles that it uses."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

from tests.rig.builder import Builder
from tests.rig.documents import trusting_accounts_of, trusting_ec2, trusting_pods
from tests.rig.eks import issuer
from tests.rig.world import world
from tests.support.documents import allow_statement, document, trust


def _auto_issuer(region: str) -> str:
    # The second of the two forms of issuers that EKS has.
    return f"https://oidc-eks.{region}.api.aws/id/A0704C1057E4A0704C1057E4A0704C10"


def add_prod(builder: Builder, region: str) -> None:
    """Add a cluster with managed node groups, Karpenter, Fargate, hybrid and HyperPod nodes, add-ons and workloads."""
    recent_use: dict[str, Any] = {"last_used": builder.ago(hours=1), "last_used_region": region}
    cluster_role = builder.role(
        "prod-cluster",
        trust("eks.amazonaws.com", ("sts:AssumeRole", "sts:TagSession")),
        "AmazonEKSClusterPolicy",
        "AmazonEKSVPCResourceController",
        description="Control plane of prod",
        tags={"team": "platform", "env": "prod"},
        **recent_use,
    )
    created = builder.ago(days=900)
    prod = builder.cluster(region, "prod", cluster_role, created=created, tags={"env": "prod"})
    provider = builder.oidc_provider(prod.identity["oidc"]["issuer"])

    node = builder.role(
        "prod-node",
        trusting_ec2(builder.partition),
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEKS_CNI_Policy",
        "AmazonSSMManagedInstanceCore",
        **recent_use,
    )
    builder.nodegroup(region, prod, "general", node)
    denial = {"code": "AccessDenied", "message": "Your user or role lacks permissions.", "resourceIds": ["ng-spot"]}
    builder.nodegroup(region, prod, "spot", node, issues=[denial])
    builder.access_entry(region, prod, node.arn, "EC2_LINUX")

    karpenter = builder.role(
        "KarpenterNodeRole-prod",
        trusting_ec2(builder.partition),
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKS_CNI_Policy",
        "AmazonSSMManagedInstanceCore",
        **recent_use,
    )
    builder.access_entry(region, prod, karpenter.arn, "EC2_LINUX")
    profile = builder.instance_profile("prod_1234567890", karpenter, path="/karpenter/")
    for _ in range(3):
        builder.instance(region, profile, {"kubernetes.io/cluster/prod": "owned", "karpenter.sh/nodepool": "default"})
    builder.node(region, prod, karpenter, "karpenter-node")

    fargate = builder.role(
        "prod-fargate", trust("eks-fargate-pods.amazonaws.com"), "AmazonEKSFargatePodExecutionRolePolicy", **recent_use
    )
    builder.fargate_profile(region, prod, "batch", fargate, "batch")
    builder.access_entry(region, prod, fargate.arn, "FARGATE_LINUX")

    hybrid = builder.role(
        "prod-hybrid-node",
        trust("ssm.amazonaws.com"),
        "AmazonSSMManagedInstanceCore",
        "AmazonEC2ContainerRegistryPullOnly",
        inline={"describe": allow_statement("eks:DescribeCluster")},
    )
    builder.access_entry(region, prod, hybrid.arn, "HYBRID_LINUX")
    builder.node(region, prod, hybrid, "hybrid-node")
    hyperpod = builder.role("prod-hyperpod", trust("sagemaker.amazonaws.com"), "AmazonEKS_CNI_Policy")
    builder.access_entry(region, prod, hyperpod.arn, "HYPERPOD_LINUX")
    builder.node(region, prod, hyperpod, "hyperpod-node")

    sso = builder.role(
        "AWSReservedSSO_AdministratorAccess_0123456789abcdef",
        document(
            {
                "Effect": "Allow",
                "Principal": {"Federated": builder.arn("iam", "saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE")},
                "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
                "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
            }
        ),
        "AmazonEKSClusterPolicy",
        path=f"/aws-reserved/sso.amazonaws.com/{region}/",
        last_used=builder.ago(days=2),
        last_used_region=region,
    )
    builder.access_entry(region, prod, sso.arn, policies=["AmazonEKSClusterAdminPolicy"])
    builder.access_entry(region, prod, builder.arn("iam", "role/deleted-since"), policies=["AmazonEKSViewPolicy"])

    _prod_addons(builder, region, provider)
    _prod_workloads(builder, region, provider)


def _prod_addons(builder: Builder, region: str, provider: str) -> None:
    prod = builder.eks(region).clusters["prod"]
    cni = builder.role(
        "prod-vpc-cni",
        trusting_accounts_of(provider, "system:serviceaccount:kube-system:aws-node"),
        "AmazonEKS_CNI_Policy",
        last_used=builder.ago(hours=2),
        last_used_region=region,
    )
    builder.addon(region, prod, "vpc-cni", cni)
    builder.irsa(region, prod, cni, "kube-system", "aws-node")
    for name in ("coredns", "kube-proxy", "eks-pod-identity-agent"):
        builder.addon(region, prod, name)

    # An association wins over serviceAccountRoleArn, so the first role here is what pods no longer get.
    before = builder.role(
        "prod-ebs-csi-irsa",
        trusting_accounts_of(provider, "system:serviceaccount:kube-system:ebs-csi-controller-sa"),
        "AmazonEBSCSIDriverPolicy",
    )
    builder.irsa(region, prod, before, "kube-system", "ebs-csi-controller-sa")
    now = builder.role("prod-ebs-csi", trusting_pods(), "AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicyV2")
    association = builder.pod_identity(
        region, prod, "kube-system", "ebs-csi-controller-sa", now, addon="aws-ebs-csi-driver"
    )
    builder.addon(region, prod, "aws-ebs-csi-driver", before, [association])

    # The issuer of another cluster: this trust policy can never match a pod of prod.
    other_cluster = builder.arn("iam", f"oidc-provider/{_auto_issuer(region).removeprefix('https://')}")
    efs = builder.role(
        "prod-efs-csi",
        trusting_accounts_of(other_cluster, "system:serviceaccount:kube-system:efs-csi-controller-sa"),
        "AmazonEFSCSIDriverPolicy",
    )
    builder.addon(region, prod, "aws-efs-csi-driver", efs)

    observing = builder.role(
        "prod-cloudwatch",
        trusting_accounts_of(provider, "system:serviceaccount:amazon-cloudwatch:cloudwatch-agent"),
        "AWSXrayWriteOnlyAccess",
    )
    builder.irsa(region, prod, observing, "amazon-cloudwatch", "cloudwatch-agent")
    lacking = {
        "code": "AddonPermissionFailure",
        "message": "The add-on lacks the permission logs:PutLogEvents.",
        "resourceIds": ["amazon-cloudwatch-observability"],
    }
    builder.addon(region, prod, "amazon-cloudwatch-observability", observing, issues=[lacking])


def _prod_workloads(builder: Builder, region: str, provider: str) -> None:
    prod = builder.eks(region).clusters["prod"]
    bucket = allow_statement("s3:GetObject", "s3:PutObject", resource=f"arn:{builder.partition}:s3:::acme-payments/*")
    wildcard = builder.role(
        "prod-payments",
        trusting_accounts_of(provider, "system:serviceaccount:payments:*", "StringLike"),
        inline={"bucket": bucket},
    )
    builder.irsa(region, prod, wildcard, "payments", "*")
    anyone = builder.role("prod-no-sub", trusting_accounts_of(provider, None), inline={"bucket": bucket})
    builder.irsa(region, prod, anyone)
    builder.role(
        "prod-never-matches",
        trusting_accounts_of(provider, "system:serviceaccount:web:*", "StringEquals"),
        inline={"bucket": bucket},
    )

    provider_of_deleted = builder.oidc_provider(issuer(region, "deleted-cluster", builder.account_id))
    builder.role(
        "old-cluster-app",
        trusting_accounts_of(provider_of_deleted, "system:serviceaccount:web:frontend"),
        "AmazonEKS_CNI_Policy",
        last_used=builder.ago(days=250),
        last_used_region=region,
    )

    target = builder.role(
        "orders-data",
        document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": builder.arn("iam", "role/prod-orders")},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ),
        inline={"table": allow_statement("dynamodb:GetItem", "dynamodb:PutItem")},
    )
    orders = builder.role(
        "prod-orders",
        trusting_pods(),
        boundary="AmazonEKSClusterPolicy",
        inline={"target": allow_statement("sts:AssumeRole", "sts:TagSession", resource=target.arn)},
    )
    builder.pod_identity(region, prod, "orders", "api", orders, target=target.arn)
    session = allow_statement("s3:GetObject", resource=f"arn:{builder.partition}:s3:::acme-reports/*")
    reports = builder.role(
        "prod-reports",
        # Without sts:TagSession, which Pod Identity asks for.
        trust("pods.eks.amazonaws.com"),
        inline={"bucket": allow_statement("s3:*")},
    )
    builder.pod_identity(region, prod, "reports", "writer", reports, policy=session, disable_session_tags=True)
    controller = builder.policy(
        "KarpenterController-prod",
        allow_statement("ec2:RunInstances", "ec2:CreateFleet", "iam:PassRole"),
        path="/platform/",
    )
    karpenter = builder.role("prod-karpenter-controller", trusting_pods(), controller.arn)
    builder.pod_identity(region, prod, "kube-system", "karpenter", karpenter)


def add_auto(builder: Builder, region: str) -> None:
    """Add a cluster in Auto Mode, with capabilities."""
    cluster_role = builder.role(
        "auto-cluster",
        # Without sts:TagSession, which Auto Mode asks for.
        trust("eks.amazonaws.com"),
        "AmazonEKSClusterPolicy",
        "AmazonEKSComputePolicy",
        "AmazonEKSBlockStoragePolicy",
        "AmazonEKSLoadBalancingPolicy",
        "AmazonEKSNetworkingPolicy",
        last_used=builder.ago(minutes=20),
        last_used_region=region,
    )
    node = builder.role(
        "auto-node",
        trusting_ec2(builder.partition),
        "AmazonEKSWorkerNodeMinimalPolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        last_used=builder.ago(minutes=20),
        last_used_region=region,
    )
    auto = builder.cluster(
        region,
        "auto",
        cluster_role,
        authentication_mode="API",
        auto_mode_role=node,
        created=builder.ago(days=120),
        issuer_url=_auto_issuer(region),
    )
    builder.oidc_provider(auto.identity["oidc"]["issuer"])
    builder.access_entry(region, auto, node.arn, "EC2", policies=["AmazonEKSAutoNodePolicy"])
    custom = builder.role(
        "auto-gpu-node", trusting_ec2(builder.partition), "AmazonEKSWorkerNodeMinimalPolicy", "AmazonEKS_CNI_Policy"
    )
    builder.access_entry(region, auto, custom.arn, "EC2", policies=["AmazonEKSAutoNodePolicy"])
    builder.node(region, auto, custom, "auto-mode-node")

    capability_trust = trust("capabilities.eks.amazonaws.com", ("sts:AssumeRole", "sts:TagSession"))
    for name, kind, inline in (
        ("ack-s3", "ACK", {"buckets": allow_statement("s3:CreateBucket", "s3:GetBucketTagging")}),
        ("kro", "KRO", {}),
        ("argocd", "ARGOCD", {"secrets": allow_statement("secretsmanager:GetSecretValue")}),
    ):
        role = builder.role(f"auto-{name}", capability_trust, inline=inline)
        builder.capability(region, auto, name, kind, role)

    builder.irsa(region, auto, builder.iam.get_role("prod-efs-csi"), "kube-system", "efs-csi-controller-sa")


def add_legacy(builder: Builder, region: str) -> None:
    """Add an old cluster with nodes of its own, where access is by ConfigMap alone."""
    cluster_role = builder.role(
        "legacy-cluster",
        trust("eks.amazonaws.com"),
        "AmazonEKSClusterPolicy",
        "AmazonEKSServicePolicy",
        last_used=builder.ago(days=1),
        last_used_region=region,
    )
    grant_issue = {
        "code": "KmsGrantRevoked",
        "message": "The grant of the cluster's KMS key was revoked.",
        "resourceIds": [],
    }
    legacy = builder.cluster(
        region,
        "legacy",
        cluster_role,
        authentication_mode="CONFIG_MAP",
        version="1.31",
        created=datetime(2019, 6, 1, tzinfo=UTC),
        issues=[grant_issue],
    )
    builder.oidc_provider(legacy.identity["oidc"]["issuer"])

    today = json.loads(world.catalogue(builder.partition).named("AmazonEKS_CNI_Policy").versions[-1].document)
    cni_document = copy.deepcopy(today)
    cni_document["Statement"][0]["Action"].remove("ec2:DescribeSecurityGroups")
    own_cni = builder.policy(
        "AmazonEKS_CNI_Policy", cni_document, path="/platform/", description="Our copy of the CNI policy"
    )
    node = builder.role(
        "legacy-node-NodeInstanceRole-1ABCDEFGHIJK",
        trusting_ec2(builder.partition),
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryReadOnly",
        own_cni.arn,
        last_used=builder.ago(days=1),
        last_used_region=region,
    )
    profile = builder.instance_profile("legacy-nodes", node)
    for _ in range(2):
        builder.instance(region, profile, {"kubernetes.io/cluster/legacy": "owned", "Name": "legacy-node"})
    builder.node(region, legacy, node, "self-managed-node")
    idle = builder.role(
        "legacy-gpu-node", trusting_ec2(builder.partition), "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"
    )
    builder.instance_profile("legacy-gpu-nodes", idle)

    older = world.catalogue(builder.partition).named("AmazonEKSClusterPolicy").versions[-4]
    builder.policy("acme-eks-control-plane", json.loads(older.document), description="Started as AWS's cluster policy")
