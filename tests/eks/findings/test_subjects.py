"""What is known of the cluster of a use."""

import pytest

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Cluster
from ekstui.eks.findings.subjects import AccountContext
from tests.eks.findings.subjects import around, cluster, used

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
