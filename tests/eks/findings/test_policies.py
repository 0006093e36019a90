"""A newer or narrower policy is advised only where every use of the role was seen and none needs the old one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.eks.account_snapshot import Use, UseKind
from ekstui.eks.cluster import Addon, Cluster, EksFacts
from ekstui.eks.findings.conditions import cni_on_node_role
from ekstui.iam.evaluation import evaluate
from ekstui.iam.request import Request
from tests.eks.findings.subjects import (
    ACCOUNT,
    CNI_WITH_ITS_OWN_ROLE,
    CNI_WITHOUT,
    ROLE,
    around,
    association,
    aws,
    cluster,
    coded,
    findings_with,
    knowledge,
    role,
    used,
)

OLD = datetime(2019, 6, 1, tzinfo=UTC)
HIDDEN = ("Pod Identity of cluster d",)
EBS = used("pod-identity", namespace="kube-system", service_account="sa")
TAGGED = EBS._replace(session_tags=True)
UNTAGGED = EBS._replace(session_tags=False)
NODES = used("nodegroup", name="a")
AUTO = used("auto-mode-node")


@pytest.mark.parametrize(
    ("clusters", "fields", "expected"),
    [
        ((cluster(),), {}, ["advice"]),
        ((cluster(),), {"unseen": HIDDEN}, ["note"]),
        ((cluster(created=OLD),), {}, []),
        ((cluster(created=None),), {}, []),
        ((), {}, []),
        ((cluster(), cluster(name="d", created=OLD)), {"also": used("cluster", cluster="d")}, []),
        ((cluster(), cluster(name="d", created=None)), {"also": used("cluster", cluster="d")}, []),
        ((cluster(), cluster(name="d")), {"also": used("cluster", cluster="d")}, ["advice"]),
    ],
)
def test_the_old_service_policy_is_judged_by_the_age_of_every_cluster(
    clusters: tuple[Cluster, ...], fields: dict[str, Any], expected: list[str]
) -> None:
    uses = (used("cluster"), *([fields.pop("also")] if "also" in fields else []))
    policies = (aws("AmazonEKSClusterPolicy"), aws("AmazonEKSServicePolicy"))
    findings = coded(findings_with(policies, uses, around(*clusters), **fields), "superseded-policy")
    assert [finding.severity for finding in findings] == expected


@pytest.mark.parametrize(
    ("names", "fields", "expected", "word"),
    [
        (("AmazonEBSCSIDriverPolicy",), {}, ["advice"], "not withdrawn"),
        (("AmazonEBSCSIDriverPolicy",), {"unseen": HIDDEN}, ["note"], "ebs.csi.aws.com/cluster=true"),
        (("AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicyV2"), {}, ["advice"], "still allows the wider access"),
        (("AmazonEBSCSIDriverPolicyV2",), {}, [], ""),
        (("AmazonEKSBlockStoragePolicy",), {}, ["advice"], "snapshot"),
        (("AmazonEKSBlockStoragePolicyV2",), {}, [], ""),
    ],
)
def test_a_superseded_policy_says_what_its_successor_would_refuse(
    names: tuple[str, ...], fields: dict[str, Any], expected: list[str], word: str
) -> None:
    findings = coded(findings_with(tuple(map(aws, names)), (EBS,), **fields), "superseded-policy")
    assert [finding.severity for finding in findings] == expected
    assert all(word in finding.text for finding in findings)


@pytest.mark.parametrize(
    ("name", "uses", "cluster_of_use", "fields", "expected"),
    [
        ("AmazonEKSWorkerNodePolicy", (AUTO,), cluster(), {}, ["advice"]),
        ("AmazonEKSWorkerNodePolicy", (AUTO,), cluster(), {"unseen": HIDDEN}, ["note"]),
        ("AmazonEKSWorkerNodePolicy", (AUTO, NODES), cluster(), {}, []),
        ("AmazonEKSWorkerNodePolicy", (NODES,), cluster(), {}, []),
        ("AmazonEKSWorkerNodePolicy", (used("hybrid-node"),), cluster(), {}, ["advice"]),
        ("AmazonEKSWorkerNodePolicy", (), cluster(), {}, []),
        ("AmazonEKSWorkerNodeMinimalPolicy", (AUTO,), cluster(), {}, []),
        ("AmazonEC2ContainerRegistryReadOnly", (NODES,), cluster(), {}, ["advice"]),
        ("AmazonEC2ContainerRegistryReadOnly", (NODES, used("irsa")), cluster(), {}, ["note"]),
        ("AmazonEC2ContainerRegistryReadOnly", (used("irsa"),), cluster(), {}, []),
        ("AmazonEC2ContainerRegistryPullOnly", (NODES,), cluster(), {}, []),
        ("AmazonEKS_CNI_Policy", (NODES,), cluster(addons=(CNI_WITH_ITS_OWN_ROLE,)), {}, ["advice"]),
        ("AmazonEKS_CNI_Policy", (NODES,), cluster(addons=(CNI_WITHOUT,)), {}, []),
        ("AmazonEKS_CNI_Policy", (NODES,), cluster(addons=None), {}, ["note"]),
        ("AmazonEKS_CNI_Policy", (NODES,), cluster(), {}, ["note"]),
        ("AmazonEKS_CNI_Policy", (AUTO,), cluster(), {}, ["advice"]),
        (
            "AmazonEKS_CNI_Policy",
            (NODES, used("addon", name="vpc-cni")),
            cluster(addons=(CNI_WITH_ITS_OWN_ROLE,)),
            {},
            [],
        ),
        ("AmazonEKS_CNI_Policy", (used("addon", name="vpc-cni"),), cluster(), {}, []),
    ],
)
def test_a_policy_is_too_broad_only_if_no_use_needs_it(
    name: str, uses: tuple[Use, ...], cluster_of_use: Cluster, fields: dict[str, Any], expected: list[str]
) -> None:
    findings = coded(findings_with((aws(name),), uses, around(cluster_of_use), **fields), "broader-than-needed")
    assert [finding.severity for finding in findings] == expected
    for finding in findings:
        assert any("not looked at" in line for line in finding.evidence) is ("unseen" in fields)


def test_without_a_use_that_was_seen_a_superseded_policy_is_only_noted() -> None:
    findings = coded(findings_with((aws("AmazonEBSCSIDriverPolicy"),)), "superseded-policy")
    assert [finding.severity for finding in findings] == ["note"]


def test_a_shared_node_role_is_judged_by_the_cni_of_every_cluster() -> None:
    uses = (NODES, used("nodegroup", cluster="d"))
    first = cluster(addons=(CNI_WITH_ITS_OWN_ROLE,))
    for addons, expected in (((CNI_WITH_ITS_OWN_ROLE,), ["advice"]), ((CNI_WITHOUT,), [])):
        findings = findings_with((aws("AmazonEKS_CNI_Policy"),), uses, around(first, cluster(name="d", addons=addons)))
        assert [finding.severity for finding in coded(findings, "broader-than-needed")] == expected


@pytest.mark.parametrize(
    ("tags", "use", "cluster_of_use", "expected"),
    [
        ((), TAGGED, cluster(), []),
        ((), EBS, cluster(), []),
        ((), used("addon", name="e", namespace="n", service_account="s", session_tags=False), cluster(), ["problem"]),
        # Whether the sessions of an add-on have tags may not have been read; those of IRSA have none.
        ((), used("addon", name="e", namespace="n", service_account="s"), cluster(), []),
        ((), used("irsa", namespace="n", service_account="s"), cluster(), ["problem"]),
        ((), used("addon", name="e"), cluster(addons=(Addon("e", "v1", ROLE),)), ["problem"]),
        ((), used("addon", name="e"), cluster(addons=(Addon("e", "v1", ROLE, ("arn:a",)),)), []),
        ((), UNTAGGED, cluster(), ["problem"]),
        ((("eks-cluster-name", "c"),), UNTAGGED, cluster(), []),
        ((("eks-cluster-name", "d"),), UNTAGGED, cluster(), ["problem"]),
        ((), used("irsa", certainty="inferred"), cluster(), ["advice"]),
        ((("eks-cluster-name", "c"),), used("irsa", certainty="inferred"), cluster(), []),
        ((), NODES, cluster(), []),
    ],
)
def test_the_cluster_scoped_policy_needs_its_principal_tag(
    tags: tuple[tuple[str, str], ...], use: Use, cluster_of_use: Cluster, expected: list[str]
) -> None:
    findings = findings_with(
        (aws("AmazonEBSCSIDriverEKSClusterScopedPolicy"),), (use,), around(cluster_of_use), role(tags=tags)
    )
    assert [finding.severity for finding in coded(findings, "principal-tag-missing")] == expected


def test_every_use_is_asked_for_the_tag() -> None:
    findings = findings_with(
        (aws("AmazonEBSCSIDriverEKSClusterScopedPolicy"),), (TAGGED, NODES, UNTAGGED), around(cluster())
    )
    assert [finding.uses for finding in coded(findings, "principal-tag-missing")] == [(UNTAGGED,)]


@pytest.mark.parametrize(
    ("fields", "on_node_role"),
    [
        ({"addons": (CNI_WITHOUT,), "associations": ()}, True),
        ({"addons": (CNI_WITHOUT,), "associations": None}, None),
        ({"addons": (), "associations": ()}, None),
        ({"addons": (CNI_WITH_ITS_OWN_ROLE,), "associations": ()}, False),
        (
            {
                "addons": (CNI_WITHOUT,),
                "associations": (association(namespace="kube-system", service_account="aws-node"),),
            },
            False,
        ),
        # Those of others say nothing, whatever comes before or after in the alphabet.
        (
            {
                "addons": (CNI_WITHOUT,),
                "associations": (
                    association(namespace="kube-system", service_account="ebs"),
                    association(namespace="shop", service_account="a"),
                ),
            },
            True,
        ),
        (
            {
                "addons": (CNI_WITHOUT,),
                "associations": (
                    association(namespace="a", service_account="aws-node"),
                    association(namespace="x", service_account="aws-node"),
                ),
            },
            True,
        ),
    ],
)
def test_the_cni_has_the_node_role_where_nothing_gives_it_another(
    fields: dict[str, Any], on_node_role: bool | None
) -> None:
    assert cni_on_node_role(cluster(**fields)) is on_node_role


def test_no_finding_tells_anyone_to_take_something_away() -> None:
    everything = tuple(aws(name) for name, entry in knowledge().policies.items() if entry.attachable)
    kinds: tuple[UseKind, ...] = (
        "cluster",
        "nodegroup",
        "auto-mode-node",
        "hybrid-node",
        "fargate",
        "pod-identity",
        "irsa",
        "addon",
    )
    texts = [
        finding.text.lower()
        for kind in kinds
        for policies in (everything, ())
        for finding in findings_with(policies, (used(kind, name="vpc-cni"),), around(cluster(auto_mode=True)))
    ]
    assert len(texts) > 20
    assert not [text for text in texts for word in ("remove", "detach it", "delete it", "drop it") if word in text]


def test_nothing_is_said_of_a_service_linked_role() -> None:
    linked_role = role(path="/aws-service-role/eks.amazonaws.com/", created=datetime(2019, 1, 1, tzinfo=UTC))
    assert findings_with((aws("AmazonEKSServiceRolePolicy"),), (used("cluster"),), subject_role=linked_role) == ()


@pytest.mark.parametrize(
    ("last_used", "created", "uses", "expected"),
    [
        (datetime(2026, 1, 5, tzinfo=UTC), OLD, (), ["since 2026-01-05"]),
        (datetime(2026, 8, 30, tzinfo=UTC), OLD, (), []),
        (None, OLD, (), ["400 days"]),
        (None, datetime(2026, 8, 20, tzinfo=UTC), (), []),
        (None, None, (), []),
        (None, OLD, (NODES,), []),
        (None, OLD, (used("irsa", certainty="inferred"),), ["400 days"]),
    ],
)
def test_no_recorded_activity_is_a_note_and_never_of_a_role_that_eks_confirms(
    last_used: datetime | None, created: datetime | None, uses: tuple[Use, ...], expected: list[str]
) -> None:
    findings = coded(
        findings_with((), uses, subject_role=role(last_used=last_used, created=created)), "no-recorded-activity"
    )
    assert len(findings) == len(expected)
    for finding, words in zip(findings, expected, strict=True):
        assert finding.severity == "note"
        assert words in finding.text


def test_problems_come_first() -> None:
    policies = (aws("AmazonEC2ContainerRegistryReadOnly"),)
    severities = [
        finding.severity for finding in findings_with(policies, (NODES,), around(cluster(addons=(CNI_WITHOUT,))))
    ]
    assert severities == sorted(severities, key=["problem", "advice", "note"].index)
    assert set(severities) == {"problem", "advice", "note"}


def test_a_cluster_that_two_regions_have_is_not_mistaken_for_the_other() -> None:
    uses = (used("cluster", region=None),)
    surroundings = around(eks=EksFacts((cluster(), cluster(region="us-east-1", created=OLD)), ()))
    policies = (aws("AmazonEKSClusterPolicy"), aws("AmazonEKSServicePolicy"))
    assert coded(findings_with(policies, uses, surroundings), "superseded-policy") == []


@pytest.mark.parametrize(
    ("name", "code", "use"),
    [
        ("AmazonEBSCSIDriverPolicy", "superseded-policy", EBS),
        ("AmazonEC2ContainerRegistryReadOnly", "broader-than-needed", NODES),
    ],
)
def test_a_policy_of_the_account_is_not_taken_for_its_namesake_of_aws(name: str, code: str, use: Use) -> None:
    customer_policy = replace(aws(name), arn=f"arn:aws:iam::{ACCOUNT}:policy/{name}")
    chinese_policy = replace(aws(name), arn=f"arn:aws-cn:iam::aws:policy/{name}")
    assert coded(findings_with((customer_policy,), (use,)), code) == []
    assert len(coded(findings_with((chinese_policy,), (use,)), code)) == 1


V2, SCOPED = aws("AmazonEBSCSIDriverPolicyV2"), aws("AmazonEBSCSIDriverEKSClusterScopedPolicy")


def test_the_wider_policy_of_the_ebs_driver_cancels_the_scoping_of_the_other() -> None:
    driver = used("addon", name="aws-ebs-csi-driver")
    (finding,) = coded(findings_with((V2, SCOPED), (driver,)), "scoping-cancelled")
    assert finding.severity == "advice"
    assert "Without AmazonEBSCSIDriverPolicyV2" in finding.text
    namesake = replace(V2, arn=f"arn:aws:iam::{ACCOUNT}:policy/AmazonEBSCSIDriverPolicyV2")
    for policies in ((V2,), (SCOPED,), (namesake, SCOPED)):
        assert coded(findings_with(policies, (driver,)), "scoping-cancelled") == []
    # The tag that the scoped one needs is missing, but nothing is refused while the wider one is there.
    assert [
        coded(findings_with(policies, (driver,)), "principal-tag-missing")[0].severity
        for policies in ((SCOPED,), (V2, SCOPED))
    ] == ["problem", "note"]
    # A volume of another cluster, which the scoped policy refuses, is allowed by both together.
    volume = Request(
        "ec2:DeleteVolume",
        ("arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",),
        context={
            "ec2:ResourceTag/ebs.csi.aws.com/cluster": ("true",),
            "ec2:ResourceTag/ebs.csi.aws.com/cluster-name": ("other",),
            "aws:PrincipalTag/eks-cluster-name": ("prod",),
        },
        absent=frozenset({"ec2:ResourceTag/kubernetes.io/created-for/pvc/name"}),
    )
    applied_policies = [applied_policy for policy in (SCOPED, V2) if (applied_policy := policy.applied()) is not None]
    assert [evaluate(volume, applied_policies[:count]).verdict for count in (1, 2)] == ["implicit-deny", "allowed"]
