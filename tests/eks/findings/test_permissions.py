"""Missing permissions are told by actions, not by the names of policies."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.eks.account_snapshot import Use, UseKind
from ekstui.eks.cluster import AccessEntry, Addon, Cluster, NodeGroup
from ekstui.eks.findings.subjects import RolePolicy
from ekstui.eks.pods import Container, KubernetesFacts, Pod
from ekstui.iam.document import parse
from ekstui.sources.shipped import components
from tests.eks.findings.subjects import (
    ACCOUNT,
    CNI_WITH_ITS_OWN_ROLE,
    CNI_WITHOUT,
    NOW,
    ROLE,
    around,
    association,
    aws,
    cluster,
    coded,
    findings_with,
    policy_allowing,
    role,
    unread,
    used,
)
from tests.support.documents import trust_document

NODE = (aws("AmazonEKSWorkerNodePolicy"), aws("AmazonEC2ContainerRegistryPullOnly"))
OWN_CLUSTER = policy_allowing("own", "ec2:CreateTags", "ec2:Describe*", "kms:DescribeKey")
AUTO = tuple(
    aws(f"AmazonEKS{name}Policy") for name in ("Cluster", "Compute", "BlockStorage", "LoadBalancing", "Networking")
)


def severities(policies: tuple[RolePolicy, ...], use: Use, cluster_of_use: Cluster, *words: str) -> list[str]:
    """The severities of what is said to be missing, of findings that hold all of the words."""
    findings = coded(findings_with(policies, (use,), around(cluster_of_use)), "missing-policy")
    return [finding.severity for finding in findings if all(word in finding.text for word in words)]


@pytest.mark.parametrize(
    ("policies", "use", "cluster_of_use", "words", "expected"),
    [
        ((), used("cluster"), cluster(), ("run a cluster",), ["problem"]),
        ((aws("AmazonEKSClusterPolicy"),), used("cluster"), cluster(), ("run a cluster",), []),
        ((OWN_CLUSTER,), used("cluster"), cluster(), ("covered by own",), ["note"]),
        ((OWN_CLUSTER,), used("cluster"), cluster(), ("It lacks", "run a cluster"), []),
        ((unread("own"),), used("cluster"), cluster(), ("run a cluster", "not known: own could not be read"), ["note"]),
        ((), used("cluster", certainty="inferred"), cluster(), ("run a cluster",), ["note"]),
        ((), used("cluster"), cluster(outpost=True), ("run a cluster",), []),
        ((), used("cluster"), cluster(described=False), ("run a cluster", "where the cluster is not a local"), ["note"]),
        ((), used("cluster"), cluster(outpost=True), ("on an Outpost",), ["problem"]),
        ((aws("AmazonEKSLocalOutpostClusterPolicy"),), used("cluster"), cluster(outpost=True), ("Outpost",), []),
        (AUTO[:1], used("cluster"), cluster(auto_mode=True), ("Auto Mode",), ["problem"] * 4),
        (AUTO[:1], used("cluster"), cluster(auto_mode=None), ("where Auto Mode is on",), ["note"] * 4),
        (AUTO[:1], used("cluster"), cluster(auto_mode=False), ("Auto Mode",), []),
        (AUTO, used("cluster"), cluster(auto_mode=True), ("Auto Mode",), []),
        (AUTO[:1], used("cluster"), cluster(), ("branch interfaces", "where pods have security groups"), ["note"]),
        (
            AUTO[:1],
            used("cluster"),
            cluster(access_entries=(AccessEntry("arn", "EC2_WINDOWS"),)),
            ("branch interfaces",),
            ["problem"],
        ),
        ((*AUTO[:1], aws("AmazonEKSVPCResourceController")), used("cluster"), cluster(), ("branch",), []),
        (AUTO[:1], used("cluster"), cluster(), ("2020-04-16",), []),
        (AUTO[:1], used("cluster"), cluster(created=datetime(2019, 5, 1, tzinfo=UTC)), ("2020-04-16",), ["problem"]),
        (NODE, used("nodegroup"), cluster(addons=(CNI_WITH_ITS_OWN_ROLE,)), ("It lacks",), []),
        (NODE, used("nodegroup"), cluster(addons=(CNI_WITHOUT,)), ("IPv4",), ["problem"]),
        (NODE, used("nodegroup"), cluster(addons=(CNI_WITHOUT,), ip_family="ipv6"), ("IPv4",), []),
        (NODE, used("nodegroup"), cluster(addons=(CNI_WITHOUT,), ip_family="ipv6"), ("IPv6",), ["problem"]),
        ((*NODE, aws("AmazonEKS_CNI_Policy")), used("nodegroup"), cluster(addons=(CNI_WITHOUT,)), ("lacks",), []),
        (
            NODE,
            used("nodegroup"),
            cluster(associations=(association(service_account="aws-node"),), addons=(CNI_WITHOUT,)),
            ("IPv4",),
            [],
        ),
        (NODE, used("nodegroup"), cluster(), ("IPv4", "where the VPC CNI has no role of its own"), ["note"]),
        (NODE[:1], used("nodegroup"), cluster(), ("pull images",), ["problem"]),
        (NODE[1:], used("nodegroup"), cluster(), ("join as a node",), ["problem"]),
        (
            (NODE[0], aws("AmazonEC2ContainerRegistryReadOnly")),
            used("nodegroup"),
            cluster(),
            ("ecr:BatchImportUpstreamImage", "where an ECR pull-through cache is used"),
            ["note"],
        ),
        ((aws("AmazonEC2ContainerRegistryPullOnly"),), used("auto-mode-node"), cluster(), ("Pod Identity",), ["problem"]),
        (
            (aws("AmazonEKSWorkerNodeMinimalPolicy"), NODE[1]),
            used("auto-mode-node"),
            cluster(auto_mode=True),
            ("It lacks",),
            [],
        ),
        ((NODE[1],), used("hybrid-node"), cluster(), ("join as a node",), []),
        ((NODE[1],), used("hybrid-node"), cluster(), ("find the cluster", "where the node's"), ["note"]),
        ((), used("fargate"), cluster(), ("Fargate",), ["problem"]),
        ((aws("AmazonEKSFargatePodExecutionRolePolicy"),), used("fargate"), cluster(), ("Fargate",), []),
        ((), used("addon", name="aws-ebs-csi-driver"), cluster(), ("EBS CSI driver",), ["problem"]),
        ((), used("addon", name="coredns"), cluster(), ("driver",), []),
        ((aws("AmazonEBSCSIDriverPolicyV2"),), used("addon", name="aws-ebs-csi-driver"), cluster(), ("EBS",), []),
        (
            (),
            used("pod-identity", namespace="kube-system", service_account="ebs-csi-controller-sa"),
            cluster(),
            ("EBS CSI driver",),
            ["problem"],
        ),
        ((), used("pod-identity", namespace="app", service_account="web"), cluster(), ("driver",), []),
        ((), used("capability"), cluster(), (), []),
    ],
)  # fmt: skip
def test_a_requirement_is_judged_by_the_actions_that_the_role_gives(
    policies: tuple[RolePolicy, ...], use: Use, cluster_of_use: Cluster, words: tuple[str, ...], expected: list[str]
) -> None:
    assert severities(policies, use, cluster_of_use, *words) == expected


def test_a_copy_of_an_older_cni_policy_is_told_what_newer_releases_need() -> None:
    document = aws("AmazonEKS_CNI_Policy").document
    assert document is not None
    older = sorted(set(document.statements[0].actions) - {"ec2:DescribeSecurityGroups"})
    copy = policy_allowing("cni-copy", *older, "ec2:CreateTags")
    findings = coded(findings_with((copy,), (used("addon", name="vpc-cni"),)), "missing-policy")
    assert [finding.severity for finding in findings] == ["note", "note"]
    assert "ec2:DescribeSecurityGroups" in findings[0].text
    assert "IPAM connectivity" in findings[0].text
    assert "ec2:DescribeSubnets" not in findings[0].text
    assert "covered by" in findings[1].text


@pytest.mark.parametrize(
    ("fields", "evidence_line"),
    [
        ({"boundary": policy_allowing("edge", "ec2:*")}, "withheld by the permissions boundary edge"),
        ({}, None),
    ],
)
def test_what_a_boundary_withholds_is_missing(fields: dict[str, Any], evidence_line: str | None) -> None:
    findings = findings_with((aws("AmazonEKSFargatePodExecutionRolePolicy"),), (used("fargate"),), **fields)
    evidence = [line for finding in coded(findings, "missing-policy") for line in finding.evidence]
    assert any(evidence_line in line for line in evidence) if evidence_line else evidence == []


def test_an_unread_boundary_makes_it_unknown() -> None:
    findings = findings_with(
        (aws("AmazonEKSFargatePodExecutionRolePolicy"),), (used("fargate"),), boundary=unread("edge")
    )
    (finding,) = coded(findings, "missing-policy")
    assert finding.severity == "note"
    assert "edge could not be read" in finding.text


def test_an_explicit_deny_counts_whatever_else_was_not_read() -> None:
    policies = (
        aws("AmazonEKSFargatePodExecutionRolePolicy"),
        policy_allowing("no", "ecr:*", effect="Deny"),
        unread("own"),
    )
    (finding,) = coded(findings_with(policies, (used("fargate"),)), "missing-policy")
    assert finding.severity == "problem"
    assert any("an explicit deny" in line for line in finding.evidence)


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (None, []),
        ('{"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}', []),
        ('{"Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}}', ["problem"]),
        ("{", ["note"]),
    ],
)
def test_the_session_policy_of_an_association_is_intersected(session: str | None, expected: list[str]) -> None:
    use = used("pod-identity", namespace="kube-system", service_account="ebs-csi-controller-sa", session_policy=session)
    findings = coded(findings_with((aws("AmazonEBSCSIDriverPolicyV2"),), (use,)), "missing-policy")
    assert [finding.severity for finding in findings] == expected


def test_a_policy_of_the_account_with_the_name_of_one_of_aws_is_not_taken_for_it() -> None:
    namesake = policy_allowing(
        "AmazonEKSClusterPolicy", "ec2:*", arn="arn:aws:iam::111122223333:policy/AmazonEKSClusterPolicy"
    )
    (finding,) = [
        finding
        for finding in coded(findings_with((namesake,), (used("cluster"),)), "missing-policy")
        if "kms" in finding.text
    ]
    assert finding.severity == "problem"


def test_a_role_whose_policies_were_not_seen_lacks_nothing_that_one_could_name() -> None:
    assert (
        coded(findings_with((), (used("cluster"),), subject_role=role(extent="name", arn=None)), "missing-policy") == []
    )


def test_hybrid_nodes_need_systems_manager_where_it_is_trusted() -> None:
    for service, expected in (("ssm.amazonaws.com", ["problem", "note"]), ("rolesanywhere.amazonaws.com", [])):
        findings = findings_with((NODE[1],), (used("hybrid-node"),), subject_role=role(trust_document(service)))
        missing = [
            finding.severity for finding in coded(findings, "missing-policy") if "Systems Manager" in finding.text
        ]
        assert missing == expected


def test_one_finding_speaks_of_all_uses_that_lack_it() -> None:
    uses = (used("nodegroup", name="a"), used("nodegroup", name="b", cluster="d"))
    findings = findings_with(NODE[:1], uses, around(cluster(), cluster(name="d")))
    (finding,) = [finding for finding in coded(findings, "missing-policy") if "pull images" in finding.text]
    assert finding.evidence[:2] == (
        "nodegroup a of cluster c in eu-west-1 (confirmed)",
        "nodegroup b of cluster d in eu-west-1 (confirmed)",
    )


def test_the_agent_makes_pod_identity_certain() -> None:
    agent = Addon("eks-pod-identity-agent", "v1", None)
    policies = (policy_allowing("own", "ec2:Describe*"), NODE[1])
    for addons, expected in (((), "note"), ((agent,), "problem")):
        findings = coded(
            findings_with(policies, (used("nodegroup"),), around(cluster(addons=addons))), "missing-policy"
        )
        assert [finding.severity for finding in findings if "Pod Identity" in finding.text] == [expected]


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("pod-identity", None, ["problem"]),
        ("pod-identity", "arn:aws:iam::444455556666:role/target", []),
        ("pod-identity-target", ROLE, ["problem"]),
    ],
)
def test_the_target_role_of_an_association_needs_the_permissions(
    kind: UseKind, target: str | None, expected: list[str]
) -> None:
    name = "ebs-csi-controller-sa"
    cluster_of_use = cluster(associations=(association(service_account=name, target_role_arn=target),))
    findings = findings_with((), (used(kind, namespace="kube-system", service_account=name),), around(cluster_of_use))
    assert [finding.severity for finding in coded(findings, "missing-policy")] == expected


def test_a_role_that_pod_identity_comes_before_is_only_noted() -> None:
    for associations, expected in (((), ["problem"]), (("arn:a",), ["note"])):
        addon = Addon("aws-efs-csi-driver", "v1", ROLE, associations)
        findings = findings_with((), (used("addon", name="aws-efs-csi-driver"),), around(cluster(addons=(addon,))))
        assert [finding.severity for finding in coded(findings, "missing-policy")] == expected


LOOKS_LIKE_ONE = used("cluster", "inferred", cluster=None, region=None)
"""What the trust policy alone suggests, as in an account file."""


@pytest.mark.parametrize(
    ("policies", "since", "expected"),
    [
        (AUTO[:1], 2024, []),
        ((), 2024, ["run a cluster"]),
        # A policy for Auto Mode or an Outpost speaks for the rest of what that takes.
        ((*AUTO[:2],), 2024, ["make Auto Mode volumes", "build Auto Mode load balancers", "network Auto Mode nodes"]),
        ((aws("AmazonEKSLocalOutpostClusterPolicy"),), 2024, []),
        ((*AUTO[:1], aws("AmazonEKSServicePolicy")), 2019, []),
    ],
)
def test_a_role_that_looks_like_a_clusters_gets_no_notes_of_what_few_clusters_need(
    policies: tuple[RolePolicy, ...], since: int, expected: list[str]
) -> None:
    subject_role = role(created=datetime(since, 5, 1, tzinfo=UTC))
    findings = coded(findings_with(policies, (LOOKS_LIKE_ONE,), around(eks=None), subject_role), "missing-policy")
    assert len(findings) == len(expected)
    for finding, words in zip(findings, expected, strict=True):
        assert f"needed to {words}" in finding.text
        assert "Outpost" not in finding.text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"nodegroups": (NodeGroup("a", ROLE),)}, ["note"]),
        ({"access_entries": (AccessEntry("a", "EC2"), AccessEntry("b", "EC2_LINUX"))}, ["note"]),
        ({"access_entries": (AccessEntry("b", "EC2_WINDOWS"),)}, ["problem"]),
        ({"authentication_mode": "API_AND_CONFIG_MAP"}, ["note"]),
        ({"access_entries": None}, ["note"]),
        ({"auto_mode": False}, ["note"]),
    ],
)
def test_nodes_of_auto_mode_have_no_branch_interfaces(fields: dict[str, Any], expected: list[str]) -> None:
    usual_fields: dict[str, Any] = {
        "auto_mode": True, "nodegroups": (), "authentication_mode": "API", "access_entries": (AccessEntry("a", "EC2"),),
    }  # fmt: skip
    findings = coded(
        findings_with(AUTO, (used("cluster"),), around(cluster(**usual_fields | fields))), "missing-policy"
    )
    assert [finding.severity for finding in findings if "branch interfaces" in finding.text] == expected


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (datetime(2020, 4, 15, 23, 59, tzinfo=UTC), 1),
        (datetime(2020, 4, 16, tzinfo=UTC), 0),
        (datetime(2020, 4, 16, 0, 1, tzinfo=UTC), 0),
        (None, 1),
    ],
)
def test_a_role_of_2020_04_16_or_later_belongs_to_no_cluster_before(created: datetime | None, expected: int) -> None:
    """EKS User Guide: before April 16, 2020, AmazonEKSServicePolicy was also required."""
    service = aws("AmazonEKSServicePolicy")
    shadow = RolePolicy(service.name, service.arn, 1, policy_allowing("x", "s3:GetObject").document)
    findings = coded(
        findings_with((AUTO[0], shadow), (LOOKS_LIKE_ONE,), around(eks=None), role(created=created)), "missing-policy"
    )
    assert len([finding for finding in findings if "2020-04-16" in finding.text]) == expected


def test_what_another_policy_covers_is_said_with_what_is_usual() -> None:
    own_policy = policy_allowing("own", "ecr:*", "ec2:*", "kms:*", "eks-auth:*")
    (text,) = (
        finding.text for finding in findings_with((own_policy,), (used("cluster"),)) if "run a cluster" in finding.text
    )
    assert text.startswith("AmazonEKSClusterPolicy is not attached; ")
    assert text.endswith(" is covered by own.")
    (node_text,) = (
        finding.text
        for finding in findings_with((NODE[0], own_policy), (used("nodegroup"),))
        if "pull images" in finding.text and "own" in finding.text
    )
    assert node_text.startswith("None of AmazonEC2ContainerRegistry")
    assert " and AmazonEC2ContainerRegistry" in node_text.split(" is attached; ")[0]


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("v1.21.1-eksbuild.1", []),
        ("v1.22.1-eksbuild.1", [("problem", "ec2:DescribeSecurityGroups"), ("problem", "ec2:DescribeSubnets")]),
        ("v1.22.2-eksbuild.1", [("problem", "ec2:DescribeSubnets")]),
        ("v1.23.0-eksbuild.3", [("problem", "ec2:DescribeSubnets")]),
        ("v1.99.0", [("note", "ec2:DescribeSubnets")]),
        (None, [("note", "ec2:DescribeSecurityGroups"), ("note", "ec2:DescribeSubnets")]),
    ],
)
def test_an_action_is_missed_by_the_releases_that_call_it(release: str | None, expected: list[tuple[str, str]]) -> None:
    """amazon-vpc-cni-k8s #3705, and #3720, which took one of the calls back."""
    original = aws("AmazonEKS_CNI_Policy").document
    assert original is not None
    statements = tuple(
        statement._replace(
            actions=tuple(
                a for a in statement.actions if a not in ("ec2:DescribeSubnets", "ec2:DescribeSecurityGroups")
            )
        )
        for statement in original.statements
    )
    copy = RolePolicy("copy", None, None, original._replace(statements=statements))
    cluster_of_use = cluster(addons=(Addon("vpc-cni", release, ROLE),))
    findings = [
        finding
        for finding in findings_with((copy,), (used("addon", name="vpc-cni"),), around(cluster_of_use))
        if "It lacks" in finding.text
    ]
    assert sorted((finding.severity, finding.text.split()[2].rstrip(",")) for finding in findings) == expected
    assert "where vpc-cni v1.99.0 still needs it, as v1.23.0 does" in findings[0].text if release == "v1.99.0" else True


def within(name: str, *actions: str, resource: str = "*", element: str = "Action") -> RolePolicy:
    """A policy that allows actions, or all but some, on a resource."""
    statement = {"Effect": "Allow", element: list(actions), "Resource": resource}
    return RolePolicy(name, f"arn:aws:iam::{ACCOUNT}:policy/{name}", 1, parse({"Statement": statement}))


BUCKET, OTHER = "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"


@pytest.mark.parametrize(
    ("policies", "boundary", "is_voided"),
    [
        ((within("p", "sts:AssumeRole"),), aws("AmazonEKSClusterPolicy"), True),
        ((within("p", "S3:Get*", resource=BUCKET),), within("b", "s3:*"), False),
        ((within("p", "s3:Get*", resource=BUCKET),), within("b", "s3:*", resource=OTHER), True),
        ((within("p", "s3:Get*"), within("q", "ec2:*")), within("b", "ec2:DescribeVpcs"), False),
        ((within("p", "s3:Get*"),), within("b", "s3:*", element="NotAction"), True),
        ((within("p", "s3:*", element="NotAction"),), within("b", "s3:GetObject"), True),
        ((within("p", "s3:*", element="NotAction"),), within("b", "iam:*", element="NotAction"), False),
        # What may be allowed by what was not read is not voided, and without a policy nothing is.
        ((within("p", "s3:Get*"), unread("q")), within("b", "ec2:*"), False),
        ((within("p", "s3:Get*"),), unread("b"), False),
        ((), within("b", "ec2:*"), False),
    ],
)
def test_a_boundary_that_takes_everything_away(
    policies: tuple[RolePolicy, ...], boundary: RolePolicy, is_voided: bool
) -> None:
    pod = used("pod-identity", session_tags=True)
    findings = coded(findings_with(policies, (pod,), boundary=boundary), "boundary-allows-nothing")
    assert [finding.severity for finding in findings] == ["problem"] * is_voided
    findings_without_use = coded(findings_with(policies, (), boundary=boundary), "boundary-allows-nothing")
    assert [finding.severity for finding in findings_without_use] == ["advice"] * is_voided


KARPENTER = used("pod-identity", namespace="karpenter", service_account="karpenter", session_tags=True)


def published(name: str, release: str) -> RolePolicy:
    """The policy that a controller publishes for a release."""
    version = components()[name].at(release)
    assert version is not None
    return RolePolicy(name, None, None, version.document(version.named({})))


@pytest.mark.parametrize(
    ("policies", "use", "expected"),
    [
        ((), KARPENTER, ["problem"]),
        ((), KARPENTER._replace(kind="irsa", certainty="inferred"), ["note"]),
        ((), KARPENTER._replace(overruled="an association of Pod Identity comes first"), []),
        ((policy_allowing("own", "ec2:*", "iam:*", "ssm:*", "sqs:*"),), KARPENTER, ["note"]),
        ((published("karpenter", "v1.14.1"),), KARPENTER, []),
        # Any known release may be the one that runs.
        ((published("karpenter", "v1.0.0"),), KARPENTER, []),
        ((unread("own"),), KARPENTER, []),
        ((), KARPENTER._replace(service_account="other"), []),
        # The autoscaler runs with the smaller of its two policies.
        (
            (published("cluster-autoscaler/minimal", "1.33.0"),),
            KARPENTER._replace(service_account="cluster-autoscaler"),
            [],
        ),
        ((), KARPENTER._replace(service_account="cluster-autoscaler"), ["problem"]),
    ],
)
def test_a_controllers_role_has_what_some_release_of_it_needs(
    policies: tuple[RolePolicy, ...], use: Use, expected: list[str]
) -> None:
    findings = coded(
        findings_with(policies, (use,), around(cluster(), components=components())), "controller-lacks-actions"
    )
    assert [finding.severity for finding in findings] == expected


def test_an_add_on_that_eks_requires_something_of_is_judged_by_that_alone() -> None:
    driver = used("addon", name="aws-ebs-csi-driver")
    assert not coded(
        findings_with((), (driver,), around(cluster(), components=components())), "controller-lacks-actions"
    )


@pytest.mark.parametrize(
    ("tag", "policy", "expected"),
    [
        (
            "v2.13.0",
            "v2.4.7",
            [("advice", "its role has what releases up to v2.6.2 need and lacks 10 actions", "v2.13.0")],
        ),
        ("v2.4.7", "v2.4.7", []),
        # An image that is built at home tells nothing; some release is served by the role.
        ("main", "v2.4.7", []),
    ],
)
def test_a_controllers_role_is_judged_by_the_release_whose_image_runs(
    tag: str, policy: str, expected: list[tuple[str, str, str]]
) -> None:
    name = "aws-load-balancer-controller"
    container = Container(name, f"public.ecr.aws/eks/{name}", tag)
    pod = Pod("kube-system", "lbc-1", name, "n", NOW, "Running", "Deployment", name, (container,))
    running_cluster = cluster()._replace(kubernetes=KubernetesFacts(NOW, (pod,)))
    use = KARPENTER._replace(service_account=name)
    codes = coded(
        findings_with((published(name, policy),), (use,), around(running_cluster, components=components())),
        "controller-lacks-actions",
    )
    assert len(codes) == len(expected)
    for finding, (severity, words, release) in zip(codes, expected, strict=True):
        assert finding.severity == severity
        assert words in finding.text
        assert f"c runs AWS Load Balancer Controller {release}" in finding.text
        lacking = {action for action in _actions(name, "v2.13.0") if action not in _actions(name, "v2.4.7")}
        assert (
            finding.evidence[-1]
            == f"lacks {', '.join(action for action in _actions(name, 'v2.13.0') if action in lacking)}"
        )


def _actions(name: str, release: str) -> list[str]:
    document = published(name, release).document
    assert document is not None
    return list(dict.fromkeys(action for statement in document.statements for action in statement.actions))
