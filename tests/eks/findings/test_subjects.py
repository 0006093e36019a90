"""What is known of the cluster, the add-on and the association of a use, and the use in words."""

import pytest

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Addon, Cluster, PodIdentityAssociation
from ekstui.eks.findings.subjects import AccountContext, use_as_evidence
from tests.eks.findings.subjects import CNI_WITHOUT, around, association, cluster, used

HERE, THERE = cluster(), cluster(region="eu-north-1")


@pytest.mark.parametrize(
    ("account", "use", "expected"),
    [
        (around(HERE), used("nodegroup"), HERE),
        (around(HERE, THERE), used("nodegroup", region="eu-north-1"), THERE),
        (around(HERE), used("nodegroup", cluster="other"), None),
        (around(HERE), used("nodegroup", cluster=None), None),
        (around(HERE, eks=None), used("nodegroup"), None),
        # Either may be meant.
        (around(HERE, THERE), used("nodegroup", region=None), None),
    ],
)
def test_the_cluster_of_a_use(account: AccountContext, use: Use, expected: Cluster | None) -> None:
    assert account.cluster(use) == expected


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (used("addon", name="vpc-cni"), CNI_WITHOUT),
        (used("addon", name="coredns"), None),
        (used("addon"), None),
        (used("addon", name="vpc-cni", cluster="other"), None),
        # A node group may have the name of an add-on.
        (used("nodegroup", name="vpc-cni"), None),
    ],
)
def test_the_addon_of_a_use(use: Use, expected: Addon | None) -> None:
    assert around(cluster(addons=(CNI_WITHOUT,))).addon(use) == expected


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (used("pod-identity", namespace="kube-system", service_account="sa"), association()),
        (used("pod-identity-target", namespace="kube-system", service_account="sa"), association()),
        (used("addon", name="vpc-cni", namespace="kube-system", service_account="sa"), association()),
        (used("irsa", namespace="kube-system", service_account="sa"), None),
        (used("pod-identity", namespace="shop", service_account="sa"), None),
        (used("pod-identity", namespace="kube-system", service_account="sa", cluster="other"), None),
    ],
)
def test_the_association_of_a_use(use: Use, expected: PodIdentityAssociation | None) -> None:
    assert around(cluster(associations=(association(),))).association(use) == expected


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (used("nodegroup", name="g"), "nodegroup g of cluster c in eu-west-1 (confirmed)"),
        (used("nodegroup", "inferred", name="g", region=None), "nodegroup g of cluster c (inferred)"),
        (used("auto-mode-node", cluster=None), "auto mode node in eu-west-1 (confirmed)"),
        (used("irsa", service_account="web"), "irsa */web of cluster c in eu-west-1 (confirmed)"),
        (used("irsa", namespace="shop", service_account="web"), "irsa shop/web of cluster c in eu-west-1 (confirmed)"),
        (used("cluster", name="c"), "cluster c in eu-west-1 (confirmed)"),
        (used("cluster"), "cluster c in eu-west-1 (confirmed)"),
        (used("irsa", overruled="by an association"), "irsa of cluster c in eu-west-1 (not used: by an association)"),
    ],
)  # fmt: skip
def test_a_use_as_evidence(use: Use, words: str) -> None:
    assert use_as_evidence(use) == words
