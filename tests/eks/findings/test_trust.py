"""What a trust policy lacks for the uses of its role, and what it lets in by mistake."""

import shlex
from typing import Any

import pytest

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Addon, Cluster
from ekstui.iam.document import Document, parse_text
from tests.eks.findings.subjects import (
    ISSUER,
    OTHER_ISSUER,
    PROVIDER,
    ROLE,
    around,
    aws,
    cluster,
    coded,
    findings_with,
    fixing,
    role,
    trust_of,
    used,
    web_identity,
)
from tests.support.documents import trust_document

BOTH = ("sts:AssumeRole", "sts:TagSession")
EKS = "eks.amazonaws.com"
PODS = "pods.eks.amazonaws.com"


@pytest.mark.parametrize(
    ("trust", "use", "cluster_of_use", "code", "expected"),
    [
        (trust_document(EKS), used("cluster"), cluster(auto_mode=True), "tag-session", ["problem"]),
        (trust_document(EKS), used("cluster"), cluster(auto_mode=False), "tag-session", []),
        (trust_document(EKS), used("cluster"), cluster(auto_mode=None), "tag-session", []),
        (trust_document(EKS, BOTH), used("cluster"), cluster(auto_mode=True), "tag-session", []),
        (trust_document(EKS, "sts:*"), used("cluster"), cluster(auto_mode=True), "tag-session", []),
        (trust_document("eks.amazonaws.com.cn", BOTH), used("cluster"), cluster(auto_mode=True), "principal", []),
        (trust_document(PODS), used("pod-identity", session_tags=True), cluster(), "tag-session", ["problem"]),
        (trust_document(PODS), used("nodegroup"), cluster(), "tag-session", ["advice"]),
        (trust_document(PODS, BOTH), used("pod-identity", session_tags=True), cluster(), "tag-session", []),
        # Session tags are turned off: nothing is left to tag ("pod-id-role", and disableSessionTags in the API reference).
        (trust_document(PODS), used("pod-identity", session_tags=False), cluster(), "tag-session", []),
        (trust_document(PODS, "sts:TagSession"), used("pod-identity", session_tags=False), cluster(), "principal", ["problem"]),
        (trust_document("capabilities.eks.amazonaws.com"), used("capability"), cluster(), "tag-session", ["problem"]),
        (trust_document("capabilities.eks.amazonaws.com", BOTH), used("capability"), cluster(), "tag-session", []),
        (None, used("pod-identity", session_tags=True), cluster(), "tag-session", []),
        (trust_document("ec2.amazonaws.com", BOTH), used("pod-identity", session_tags=True), cluster(), "principal", ["problem"]),
        (trust_document("ec2.amazonaws.com", BOTH), used("pod-identity", certainty="inferred"), cluster(), "principal", []),
        (trust_document("ec2.amazonaws.com"), used("nodegroup"), cluster(), "principal", []),
        (trust_document(EKS), used("nodegroup"), cluster(), "principal", ["problem"]),
        (trust_document("eks-fargate-pods.amazonaws.com"), used("fargate"), cluster(), "principal", []),
        (trust_document(EKS), used("fargate"), cluster(), "principal", ["problem"]),
        (trust_document("ec2.amazonaws.com"), used("cluster"), cluster(outpost=True), "principal", []),
        (trust_document("ec2.amazonaws.com"), used("cluster"), cluster(auto_mode=True), "principal", ["problem"]),
    ],
)  # fmt: skip
def test_the_trust_of_each_use(
    trust: Document | None, use: Use, cluster_of_use: Cluster, code: str, expected: list[str]
) -> None:
    findings = coded(findings_with((), (use,), around(cluster_of_use), role(trust)), f"trust-lacks-{code}")
    assert [finding.severity for finding in findings] == expected


@pytest.mark.parametrize(
    ("statements", "code", "expected"),
    [
        ([web_identity(ISSUER, "system:serviceaccount:kube-system:*")], "irsa-wildcard-with-stringequals", ["problem"]),
        ([web_identity(ISSUER, "system:serviceaccount:kube-system:*", "StringLike")], "irsa-wildcard-with-stringequals", []),
        ([web_identity(ISSUER, "system:serviceaccount:kube-system:a")], "irsa-wildcard-with-stringequals", []),
        (
            [web_identity(ISSUER, "system:serviceaccount:*:a"), web_identity(ISSUER, "system:serviceaccount:b:a")],
            "irsa-wildcard-with-stringequals",
            ["advice"],
        ),
        ([web_identity(ISSUER, None)], "irsa-without-sub", ["advice"]),
        ([web_identity(ISSUER, "system:serviceaccount:a:a")], "irsa-without-sub", []),
    ],
)  # fmt: skip
def test_the_subjects_of_irsa(statements: list[dict[str, Any]], code: str, expected: list[str]) -> None:
    findings = coded(findings_with((), (), subject_role=role(trust_of(*statements))), code)
    assert [finding.severity for finding in findings] == expected


@pytest.mark.parametrize(
    ("statements", "addon", "expected"),
    [
        ([web_identity(ISSUER, None)], Addon("vpc-cni", "v1", ROLE), []),
        ([web_identity(OTHER_ISSUER, None)], Addon("vpc-cni", "v1", ROLE), ["irsa-issuer-of-another-cluster"]),
        ([web_identity(OTHER_ISSUER, None), web_identity(ISSUER, None)], Addon("vpc-cni", "v1", ROLE), []),
        ([web_identity(OTHER_ISSUER, None)], Addon("vpc-cni", "v1", None, ("arn:a",)), []),
        ([web_identity(OTHER_ISSUER, None)], Addon("vpc-cni", "v1", ROLE, ("arn:a",)), []),
        ([], Addon("vpc-cni", "v1", ROLE), ["trust-lacks-principal"]),
    ],
)
def test_an_add_on_is_given_a_role_of_its_own_cluster(
    statements: list[dict[str, Any]], addon: Addon, expected: list[str]
) -> None:
    findings = findings_with(
        (), (used("addon", name="vpc-cni"),), around(cluster(addons=(addon,))), role(trust_of(*statements))
    )
    codes = [
        finding.code
        for finding in findings
        if finding.code in ("irsa-issuer-of-another-cluster", "trust-lacks-principal")
    ]
    assert codes == expected


def test_an_issuer_that_is_not_known_says_nothing_about_another_cluster() -> None:
    cluster_of_use = cluster(issuer=None, addons=(Addon("vpc-cni", "v1", ROLE),))
    findings = findings_with(
        (), (used("addon", name="vpc-cni"),), around(cluster_of_use), role(trust_of(web_identity(OTHER_ISSUER, None)))
    )
    assert coded(findings, "irsa-issuer-of-another-cluster") == []


@pytest.mark.parametrize(
    ("issuer", "providers", "prod", "expected"),
    [
        (ISSUER, (PROVIDER,), cluster(), []),
        (ISSUER, (), cluster(), ["irsa-provider-missing"]),
        (ISSUER, None, cluster(), []),
        (OTHER_ISSUER, (PROVIDER.replace(ISSUER, OTHER_ISSUER),), cluster(), ["orphaned-provider"]),
        (OTHER_ISSUER, None, cluster(), ["orphaned-provider"]),
        (OTHER_ISSUER, None, cluster(described=False, issuer=None), []),
        (OTHER_ISSUER.replace("eu-west-1", "us-east-1"), None, cluster(), []),
    ],
)
def test_a_provider_without_a_cluster_is_orphaned_only_if_its_region_was_read_whole(
    issuer: str, providers: tuple[str, ...] | None, prod: Cluster, expected: list[str]
) -> None:
    trust = trust_of(web_identity(issuer, "system:serviceaccount:a:a"))
    findings = findings_with((), (), around(prod, providers=providers), role(trust))
    codes = [finding.code for finding in findings if finding.code in ("irsa-provider-missing", "orphaned-provider")]
    assert codes == expected


CAPABILITIES = "capabilities.eks.amazonaws.com"


@pytest.mark.parametrize(
    ("trust", "policies", "expected"),
    [
        (trust_document(PODS), (), ["advice"]),
        (trust_document(CAPABILITIES), (), ["advice"]),
        (trust_document(CAPABILITIES, BOTH), (), []),
        (trust_document(EKS), ("AmazonEKSClusterPolicy",), []),
        (trust_document(EKS), ("AmazonEKSClusterPolicy", "AmazonEKSComputePolicy"), ["advice"]),
        (trust_document("ec2.amazonaws.com"), (), []),
    ],
)
def test_a_missing_tag_session_is_inferred_where_eks_was_not_asked(
    trust: Document, policies: tuple[str, ...], expected: list[str]
) -> None:
    findings = coded(
        findings_with(tuple(map(aws, policies)), (), around(eks=None), role(trust)), "trust-lacks-tag-session"
    )
    assert [finding.severity for finding in findings] == expected
    assert all("inferred" in " ".join(finding.evidence) for finding in findings)


def test_the_command_for_another_clusters_issuer_keeps_it_and_adds_this_one() -> None:
    trust = trust_of(web_identity(OTHER_ISSUER, "system:serviceaccount:kube-system:aws-node"))
    cluster_of_use, use = cluster(addons=(Addon("vpc-cni", "v1", ROLE),)), used("addon", name="vpc-cni")
    (finding,) = coded(findings_with((), (use,), around(cluster_of_use), role(trust)), "irsa-issuer-of-another-cluster")
    (command,) = fixing(finding, role(trust), cluster_of_use)
    new_trust = parse_text(shlex.split(command.text)[-1])
    trusts = [web_identity(issuer, "system:serviceaccount:kube-system:aws-node") for issuer in (OTHER_ISSUER, ISSUER)]
    assert new_trust.statements == trust_of(*trusts).statements
    assert not coded(
        findings_with((), (use,), around(cluster_of_use), role(new_trust)), "irsa-issuer-of-another-cluster"
    )


@pytest.mark.parametrize(
    ("trust", "use", "cluster_of_use", "code"),
    [
        (
            trust_document(PODS),
            used("pod-identity", session_tags=True),
            cluster(),
            "trust-lacks-tag-session",
        ),
        (trust_document(EKS), used("cluster"), cluster(auto_mode=True), "trust-lacks-tag-session"),
        (
            trust_of(web_identity(ISSUER, "system:serviceaccount:kube-system:*")),
            used("irsa"),
            cluster(),
            "irsa-wildcard-with-stringequals",
        ),
    ],
)
def test_the_command_for_a_trust_policy_ends_the_finding_and_nothing_else(
    trust: Document, use: Use, cluster_of_use: Cluster, code: str
) -> None:
    before = findings_with((), (use,), around(cluster_of_use), role(trust))
    (finding,) = [finding for finding in before if finding.code == code]
    (command,) = fixing(finding, role(trust))
    words = shlex.split(command.text)
    assert words[2:4] == ["update-assume-role-policy", "--role-name"]
    new_trust = parse_text(words[-1])
    after = findings_with((), (use,), around(cluster_of_use), role(new_trust))
    assert {finding.code for finding in after} == {finding.code for finding in before} - {code}
    # A second run has nothing to do.
    assert fixing(finding, role(new_trust)) == ()
