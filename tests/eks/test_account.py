"""Who carries a policy is told once each, with every way, and never as a smaller number as if whole."""

from ekstui.eks.account_snapshot import attachments_of, in_partition
from tests.support.accounts import CLUSTER_POLICY, snapshot


def test_carriers_stand_once_with_every_way() -> None:
    carriers = attachments_of(snapshot(), CLUSTER_POLICY.arn)
    assert [(entry.role.name, entry.attached_as) for entry in carriers.roles] == [
        ("prod-cluster", ("permissions", "boundary"))
    ]
    assert [(entry.user.name, entry.attached_as) for entry in carriers.users] == [("ana", ("permissions", "boundary"))]
    assert [group.name for group in carriers.groups] == ["ops"]


def test_an_aws_policy_is_found_in_the_partition_of_the_account() -> None:
    carriers = attachments_of(snapshot(partition="aws-us-gov"), CLUSTER_POLICY.arn)
    assert carriers.policy_arn == "arn:aws-us-gov:iam::aws:policy/AmazonEKSClusterPolicy"
    assert len(carriers.roles) == 1
    assert in_partition("arn:aws:iam::111122223333:policy/mine", "aws-cn") == "arn:aws:iam::111122223333:policy/mine"


def test_nothing_is_proven_empty_by_an_incomplete_sweep() -> None:
    unknown = "arn:aws:iam::aws:policy/AmazonEKSServicePolicy"
    assert attachments_of(snapshot(), unknown).proven_empty
    assert not attachments_of(snapshot()._replace(complete=False), unknown).proven_empty
    assert not attachments_of(snapshot(), CLUSTER_POLICY.arn).proven_empty
