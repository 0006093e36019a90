"""Which roles run a controller: by its add-on, by the service account it has by its own instructions, or by a copy of its policy."""

from __future__ import annotations

from collections.abc import Iterable

from ekstui.core.account import Use

_SERVICE_ACCOUNTS: dict[str, tuple[str, ...]] = {
    "aws-load-balancer-controller": ("aws-load-balancer-controller",),
    "karpenter": ("karpenter",),
    "aws-ebs-csi-driver": ("ebs-csi-controller-sa",),
    "aws-efs-csi-driver": ("efs-csi-controller-sa",),
    "vpc-cni": ("aws-node",),
    "aws-gateway-api-controller": ("gateway-api-controller",),
    "cluster-autoscaler": ("cluster-autoscaler", "cluster-autoscaler-aws-cluster-autoscaler"),
}
"""What each project's installation instructions or chart call the service account; the namespace may be any."""

_ADDONS = ("aws-ebs-csi-driver", "aws-efs-csi-driver", "vpc-cni")
"""Components that EKS installs as add-ons of the same name."""


def runs(component: str, uses: Iterable[Use]) -> tuple[Use, ...]:
    """Return those uses of a role by which it runs a component, named `karpenter`, `vpc-cni/ipv6` and so on."""
    whole = component.partition("/")[0]
    names = _SERVICE_ACCOUNTS.get(whole, ())
    return tuple(
        use
        for use in uses
        if (use.kind == "addon" and use.name == whole and whole in _ADDONS)
        or (use.kind in ("pod-identity", "irsa") and use.service_account in names)
    )
