"""What is said about access entries, and about nodes that have none."""

from collections.abc import Sequence
from typing import Any

import pytest

from ekstui.eks.account_snapshot import Use, UseKind
from ekstui.eks.cluster import AccessEntry, AssociatedPolicy, Capability, Cluster
from ekstui.eks.commands import one_line
from ekstui.eks.findings.looking import findings_of
from ekstui.eks.findings.subjects import ClusterInUse, EntryInCluster, RoleInCluster
from ekstui.eks.findings.table import Finding
from tests.eks.findings.subjects import ACCOUNT, ROLE, around, fixing, used


def associated_policies(*policies: str) -> tuple[AssociatedPolicy, ...]:
    return tuple(AssociatedPolicy(f"arn:aws:eks::aws:cluster-access-policy/{policy}") for policy in policies)


def codes(
    entry: AccessEntry, uses: Sequence[Use] = (), principals: frozenset[str] | None = frozenset([ROLE]), **fields: Any
) -> set[tuple[str, str]]:
    cluster = Cluster("c", "eu-west-1", authentication_mode="API", access_entries=(entry,), **fields)
    findings = findings_of(EntryInCluster(entry, cluster, uses), around(principals=principals))
    return {(finding.code, finding.severity) for finding in findings}


def missing_entry(cluster: Cluster, use: Use) -> tuple[Finding, ...]:
    return findings_of(RoleInCluster(ROLE, (use,), cluster), around())


def entry(kind: str | None = "STANDARD", *policies: str, **fields: Any) -> AccessEntry:
    return AccessEntry(**{"principal_arn": ROLE, "kind": kind, "policies": associated_policies(*policies), **fields})


@pytest.mark.parametrize(
    ("access_entry", "uses", "expected"),
    [
        (entry(), (), set()),
        (entry("EC2_LINUX"), (used("nodegroup", name="g"),), set()),
        (entry("STANDARD"), (used("nodegroup", name="g"),), {("entry-of-wrong-type", "problem")}),
        (entry("EC2_LINUX"), (used("auto-mode-node"),), {("entry-of-wrong-type", "problem")}),
        (entry(None), (used("nodegroup", name="g"),), set()),
        # A use that was derived, or of which no node group is known, shows no wrong type.
        (entry("STANDARD"), (used("nodegroup", "inferred", name="g"),), set()),
        (entry("STANDARD"), (used("nodegroup"),), set()),
        (entry("STANDARD"), (used("addon", name="vpc-cni"),), set()),
        (entry("EC2"), (used("auto-mode-node"),), {("auto-node-policy-missing", "problem")}),
        (entry("EC2"), (), {("auto-node-policy-missing", "problem")}),
        (entry("EC2", "AmazonEKSAutoNodePolicy"), (used("auto-mode-node"),), set()),
        (entry("EC2", policies=None), (), set()),
        (entry("STANDARD", "AmazonEKSComputePolicy"), (), {("reserved-access-policy", "advice")}),
        (entry("STANDARD", "AmazonEKSClusterAdminPolicy"), (), {("cluster-admin", "note")}),
        (entry("STANDARD", groups=("system:masters",)), (), {("cluster-admin", "note")}),
        (entry(principal_arn=ROLE + "-gone"), (), {("entry-principal-gone", "advice")}),
        # A path may have a colon.
        (entry(principal_arn=f"arn:aws:iam::{ACCOUNT}:role/a:b/gone"), (), {("entry-principal-gone", "advice")}),
        (entry(principal_arn=f"arn:aws:iam::{ACCOUNT}"), (), set()),
        (entry(principal_arn="gone"), (), set()),
        (entry(principal_arn="arn:aws:iam::444455556666:role/theirs"), (), set()),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry(
    access_entry: AccessEntry, uses: Sequence[Use], expected: set[tuple[str, str]]
) -> None:
    assert codes(access_entry, uses) == expected


def test_a_role_is_not_said_to_be_gone_where_not_all_were_read() -> None:
    assert codes(entry(principal_arn=ROLE + "-gone"), principals=None) == set()


def test_admin_in_some_namespaces_is_no_admin_of_the_cluster() -> None:
    (admin,) = associated_policies("AmazonEKSClusterAdminPolicy")
    assert codes(entry(policies=(admin._replace(namespaces=("shop",)),))) == set()


@pytest.mark.parametrize(
    ("kind", "policies", "lacks"),
    [
        ("ARGOCD", ("AmazonEKSArgoCDPolicy", "AmazonEKSArgoCDClusterPolicy"), True),
        ("ARGOCD", ("AmazonEKSArgoCDPolicy", "AmazonEKSArgoCDClusterPolicy", "AmazonEKSEditPolicy"), False),
        ("KRO", ("AmazonEKSKROPolicy",), True),
        ("ACK", ("AmazonEKSACKPolicy",), False),
    ],
)
def test_capabilities_need_rights_on_workloads(kind: str, policies: tuple[str, ...], lacks: bool) -> None:
    codes_of_entry = codes(entry("STANDARD", *policies), capabilities=(Capability("x", kind, ROLE),))
    assert codes_of_entry == ({("capability-without-rights", "advice")} if lacks else set())


@pytest.mark.parametrize(
    ("fields", "role"), [({}, ROLE + "-other"), ({"groups": ("devs",)}, ROLE), ({"policies": None}, ROLE)]
)
def test_a_capability_of_another_role_or_with_groups_or_of_an_entry_not_read_may_have_rights(
    fields: dict[str, Any], role: str
) -> None:
    capability_entry = entry("STANDARD", "AmazonEKSKROPolicy")._replace(**fields)
    assert codes(capability_entry, capabilities=(Capability("x", "KRO", role),)) == set()


@pytest.mark.parametrize(
    ("mode", "entries", "expected"),
    [
        ("API", (), "problem"),
        ("API_AND_CONFIG_MAP", (), "note"),
        ("CONFIG_MAP", (), None),
        ("API", (entry("EC2_LINUX"),), None),
        ("API", None, None),
    ],
)
def test_nodes_without_an_entry(mode: str, entries: tuple[AccessEntry, ...] | None, expected: str | None) -> None:
    cluster = Cluster("c", "eu-west-1", authentication_mode=mode, access_entries=entries)
    assert [finding.severity for finding in missing_entry(cluster, used("nodegroup", name="g"))] == [expected] * bool(
        expected
    )
    assert not missing_entry(cluster, used("nodegroup", "inferred"))
    assert not missing_entry(cluster, used("irsa"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nodegroup", ["--type EC2_LINUX"]),
        ("hybrid-node", ["--type HYBRID_LINUX"]),
        # Nodes of Auto Mode need the access policy as well (EKS User Guide, "Create a custom node class").
        (
            "auto-mode-node",
            [
                "--type EC2 --region eu-west-1 && ",
                "cluster-access-policy/AmazonEKSAutoNodePolicy --access-scope type=cluster",
            ],
        ),
    ],
)
def test_the_command_for_a_missing_entry(kind: UseKind, expected: list[str]) -> None:
    cluster = Cluster("c", "eu-west-1", authentication_mode="API", access_entries=())
    (finding,) = missing_entry(cluster, used(kind, name="g"))
    text = one_line(fixing(finding, None, cluster))
    assert text.startswith(f"aws eks create-access-entry --cluster-name c --principal-arn {ROLE} ")
    assert all(words in text for words in expected)


def test_the_mode_says_whether_entries_count() -> None:
    modes = ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP", None)
    clusters = [ClusterInUse(Cluster("c", "r", authentication_mode=mode)) for mode in modes]
    severities = [[finding.severity for finding in findings_of(cluster, around())] for cluster in clusters]
    assert severities == [[], ["note"], ["advice"], []]


@pytest.mark.parametrize(
    ("access_entry", "grounds"),
    [
        (entry("STANDARD", "AmazonEKSClusterAdminPolicy"), "AmazonEKSClusterAdminPolicy"),
        (entry("STANDARD", groups=("system:masters",)), "the group system:masters"),
        (entry("STANDARD", "AmazonEKSClusterAdminPolicy", groups=("system:masters",)), "AmazonEKSClusterAdminPolicy"),
    ],
)
def test_it_is_said_what_makes_an_admin(access_entry: AccessEntry, grounds: str) -> None:
    cluster = Cluster("c", "eu-west-1", authentication_mode="API", access_entries=(access_entry,))
    (finding,) = findings_of(EntryInCluster(access_entry, cluster, ()), around(principals=frozenset([ROLE])))
    assert finding.text == f"May do everything in the cluster, through {grounds}."
