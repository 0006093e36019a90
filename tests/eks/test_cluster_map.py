"""A cluster's roles by how they are used, and where roles may hide."""

import pytest

from ekstui.eks.account_snapshot import Use, UseKind
from ekstui.eks.cluster import Cluster
from ekstui.eks.unseen import ROLES, Branch, UseWay, branches
from ekstui.present.cluster_map import WAY_WORDS
from tests.support.accounts import role_arn

READ = Cluster(
    "prod", "eu-west-1", issuer="oidc.eks.eu-west-1.amazonaws.com/id/A", described=True, authentication_mode="API",
    nodegroups=(), fargate_profiles=(), addons=(), access_entries=(), capabilities=(), associations=(), nodes=(),
)  # fmt: skip


def use(kind: UseKind, name: str | None = None) -> Use:
    return Use(kind, "confirmed", "prod", "eu-west-1", name)


def mapped(
    cluster: Cluster, roles: dict[str, list[Use]] | None = None, *, roles_complete: bool = True
) -> dict[UseWay, Branch]:
    return {branch.way: branch for branch in branches(cluster, roles or {}, roles_complete=roles_complete)}


def test_a_role_stands_in_every_way_it_is_used_with_the_uses_of_that_way() -> None:
    one, two, group = use("nodegroup", "one"), use("nodegroup", "two"), use("addon", "vpc-cni")
    by_way = mapped(READ, {role_arn("z"): [one, group, two], role_arn("A"): [one], role_arn("m"): []})
    # By name, whatever the case and the path; a role that only trusts the issuer has a place as well.
    assert by_way["nodegroup"].roles == ((role_arn("A"), (one,)), (role_arn("z"), (one, two)))
    assert by_way["addon"].roles == ((role_arn("z"), (group,)),)
    assert by_way["issuer"].roles == ((role_arn("m"), ()),)


def test_every_way_has_a_branch_even_without_roles() -> None:
    assert list(mapped(READ)) == list(WAY_WORDS)
    assert all(not branch.roles and not branch.unread for branch in mapped(READ).values())


@pytest.mark.parametrize(
    ("change", "part", "ways"),
    [
        ({"nodegroups": None}, "node groups", {"nodegroup"}),
        ({"fargate_profiles": None}, "Fargate profiles", {"fargate"}),
        ({"addons": None}, "add-ons", {"addon"}),
        ({"associations": None}, "Pod Identity", {"addon", "pod-identity", "pod-identity-target"}),
        ({"capabilities": None}, "capabilities", {"capability"}),
        (
            {"access_entries": None},
            "access entries",
            {"self-managed-node", "karpenter-node", "auto-mode-node", "hybrid-node", "hyperpod-node"},
        ),
        # The list ended early: what was read of it stands, and more may be there.
        ({"cut_short": ("associations",)}, "Pod Identity", {"addon", "pod-identity", "pod-identity-target"}),
        # EC2 was asked, and still nobody outside the cluster knows whom its map names.
        (
            {"authentication_mode": "API_AND_CONFIG_MAP"},
            "the aws-auth ConfigMap",
            {"self-managed-node", "karpenter-node", "hybrid-node"},
        ),
        ({"described": False}, "the cluster's own description", {"cluster", "auto-mode-node", "irsa", "issuer"}),
    ],
)
def test_what_was_not_read_stands_where_it_could_tell_of_roles(
    change: dict[str, object], part: str, ways: set[str]
) -> None:
    by_way = mapped(READ._replace(**change))  # type: ignore[arg-type]
    assert {way for way, branch in by_way.items() if part in branch.unread} == ways
    assert {way for way, branch in by_way.items() if branch.unread} == ways


def test_a_way_of_which_a_part_was_read_is_told_from_one_that_nobody_looked_at() -> None:
    by_way = mapped(READ._replace(associations=None, authentication_mode="API_AND_CONFIG_MAP"))
    looked_at = {way: branch.looked_at for way, branch in by_way.items() if branch.unread}
    assert looked_at == {
        "self-managed-node": True, "karpenter-node": True, "hybrid-node": True, "addon": True,
        "pod-identity": False, "pod-identity-target": False,
    }  # fmt: skip


def test_a_cluster_that_was_not_described_does_not_hide_that_its_parts_were_not_read() -> None:
    by_way = mapped(Cluster("prod", "eu-west-1"))
    assert all(branch.unread for branch in by_way.values())


def test_without_all_roles_nothing_is_said_to_be_trusted_by_none() -> None:
    by_way = mapped(READ, roles_complete=False)
    assert {way for way, branch in by_way.items() if branch.unread} == {
        "self-managed-node", "karpenter-node", "irsa", "issuer"
    }  # fmt: skip
    assert by_way["irsa"].unread == (ROLES,)
