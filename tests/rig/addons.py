"""What EKS says of its add-ons: whether they need IAM permissions, and the policies it recommends."""

from typing import Any

ADDONS: dict[str, tuple[str, bool]] = {
    "vpc-cni": ("v1.20.4-eksbuild.1", True),
    "coredns": ("v1.12.4-eksbuild.1", False),
    "kube-proxy": ("v1.34.1-eksbuild.2", False),
    "eks-pod-identity-agent": ("v1.3.9-eksbuild.3", False),
    "aws-ebs-csi-driver": ("v1.51.1-eksbuild.1", True),
    "aws-efs-csi-driver": ("v2.1.13-eksbuild.1", True),
    "aws-mountpoint-s3-csi-driver": ("v2.1.0-eksbuild.1", True),
    "amazon-cloudwatch-observability": ("v4.6.0-eksbuild.1", True),
    "snapshot-controller": ("v8.3.0-eksbuild.1", False),
    "metrics-server": ("v0.8.0-eksbuild.3", False),
}
"""Name -> newest version, requiresIamPermissions."""

RECOMMENDED: dict[str, dict[str, list[str]]] = {
    "vpc-cni": {"aws-node": ["AmazonEKS_CNI_Policy"]},
    "aws-ebs-csi-driver": {"ebs-csi-controller-sa": ["AmazonEBSCSIDriverPolicyV2"]},
    "aws-efs-csi-driver": {"efs-csi-controller-sa": ["AmazonEFSCSIDriverPolicy"]},
    "aws-mountpoint-s3-csi-driver": {"s3-csi-driver-sa": ["AmazonS3FilesCSIDriverPolicy"]},
    "amazon-cloudwatch-observability": {"cloudwatch-agent": ["CloudWatchAgentServerPolicy", "AWSXrayWriteOnlyAccess"]},
}
"""Name -> service account -> names of recommended policies."""


def addon_type(name: str) -> dict[str, Any]:
    """Return an add-on as DescribeAddonVersions lists it."""
    version, requires_iam = ADDONS[name]
    compatible = [
        {"clusterVersion": cluster, "platformVersions": ["*"], "defaultVersion": cluster == "1.34"}
        for cluster in ("1.34", "1.33", "1.32")
    ]
    return {
        "addonName": name,
        "type": "networking" if name in {"vpc-cni", "coredns", "kube-proxy"} else "storage",
        "publisher": "eks",
        "owner": "aws",
        "addonVersions": [
            {
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "computeTypes": ["ec2", "auto", "hybrid"],
                "compatibilities": compatible,
                "requiresConfiguration": False,
                "requiresIamPermissions": requires_iam,
            }
        ],
    }
