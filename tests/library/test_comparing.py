"""What is known beside the difference of two sides: updates, a successor, who has them attached."""

import pytest

from ekstui.eks.account_snapshot import AttachedPolicy
from ekstui.library import Library
from ekstui.library.attachments import attached_names
from ekstui.library.catalog import knowledge
from ekstui.library.comparing import attached_count, compare
from ekstui.library.notation import parse_policy
from tests.support.accounts import snapshot


@pytest.mark.parametrize(
    ("before", "after", "one_policy", "goes_back", "updates", "supersession"),
    [
        ("AmazonEKS_CNI_Policy@v5", "AmazonEKS_CNI_Policy@v6", True, False, [6], False),
        ("AmazonEKS_CNI_Policy@v6", "AmazonEKS_CNI_Policy@v5", True, True, [6], False),
        ("AmazonEKS_CNI_Policy@v6", "AmazonEKS_CNI_Policy@v6", True, False, [], False),
        ("AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicyV2", False, False, [], True),
        ("AmazonEBSCSIDriverPolicyV2", "AmazonEBSCSIDriverPolicy", False, False, [], True),
        ("AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy", False, False, [], False),
    ],
)
def test_what_a_comparison_knows_of_its_two_sides(
    before: str, after: str, one_policy: bool, goes_back: bool, updates: list[int], supersession: bool
) -> None:
    comparison = compare(Library.open(), parse_policy(before), parse_policy(after))
    assert (comparison.is_one_policy, comparison.goes_back) == (one_policy, goes_back)
    versions = [update.version for update in knowledge().policies["AmazonEKS_CNI_Policy"].updates]
    assert [update.version for update in comparison.updates] == [update for update in updates if update in versions]
    assert bool(comparison.supersession) is supersession
    assert comparison.names == (before.partition("@")[0], after.partition("@")[0])
    assert comparison.attached == ()


def test_how_often_a_policy_is_attached_in_a_snapshot() -> None:
    account_snapshot = snapshot()
    count = attached_count("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy", account_snapshot)
    # The role and the user have it as a policy and as their boundary, the group as a policy.
    assert (count.policy, count.roles, count.users, count.groups, count.boundaries) == (
        "AmazonEKSClusterPolicy",
        1,
        1,
        1,
        2,
    )
    assert (count.account, count.fetched_at) == ("111122223333", account_snapshot.fetched_at)
    count = attached_count("arn:aws:iam::aws:policy/ReadOnlyAccess", account_snapshot)
    assert (count.roles, count.users, count.groups, count.boundaries) == (0, 0, 0, 0)
    assert attached_names(account_snapshot) == {"AmazonEKSClusterPolicy": 3}
    mine = AttachedPolicy("mine", account_snapshot.local_policies[0].arn)
    snapshot_with_boundary = account_snapshot._replace(
        roles=(account_snapshot.roles[0]._replace(attached=()), account_snapshot.roles[1]._replace(attached=(mine,)))
    )
    assert attached_names(snapshot_with_boundary) == {"AmazonEKSClusterPolicy": 3}
