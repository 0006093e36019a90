"""A cluster's report: its roles in order, each judged over every cluster that shares it."""

from datetime import UTC, datetime
from typing import Any

from ekstui.core.account import AccountSnapshot, AttachedPolicy, CallerIdentity, InlinePolicy, LocalPolicy, Role
from ekstui.core.cluster_report import ClusterReport, cluster_report
from ekstui.core.document import parse
from ekstui.core.eks import Addon, Cluster, EksFacts, FargateProfile, HealthIssue, NodeGroup
from ekstui.core.findings.subject import Documents, carried_arns
from ekstui.core.uses import uses_in
from tests.core.findings.subjects import ACCOUNT, NOW, aws, cluster, knowledge, trusting


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def role(name: str, service: str, *policies: str, **fields: Any) -> Role:
    attached = tuple(AttachedPolicy(policy, aws(policy).arn or "") for policy in policies)
    trust = trusting(service, "sts:AssumeRole", "sts:TagSession")
    return Role(name, arn(name), trust=trust, attached=attached, created=datetime(2024, 1, 1, tzinfo=UTC), **fields)


def documents(*names: str) -> Documents:
    found = {}
    for name in names:
        policy = aws(name)
        assert policy.arn is not None
        assert policy.document is not None
        found[policy.arn] = (policy.version or 0, policy.document)
    return found


def reported(seen: Cluster, *roles: Role, others: tuple[Cluster, ...] = (), **fields: Any) -> ClusterReport:
    identity = CallerIdentity(ACCOUNT, "aws", f"arn:aws:iam::{ACCOUNT}:user/u", "AIDA")
    eks = EksFacts((seen, *others), ("eu-west-1",))
    snapshot = AccountSnapshot(identity, NOW, **{"complete": True, "roles": roles, "eks": eks, **fields})
    names = [policy.name for each in roles for policy in each.attached if ":aws:policy/" in policy.arn]
    return cluster_report(seen, snapshot, uses_in(snapshot), documents(*names), knowledge(), NOW)


CLUSTER_ROLE = role("cluster", "eks.amazonaws.com", "AmazonEKSClusterPolicy")
NODE_ROLE = role("node", "ec2.amazonaws.com", "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
PARTS: dict[str, Any] = {
    "role_arn": arn("cluster"), "nodegroups": (NodeGroup("a", arn("node")),), "fargate_profiles": (), "capabilities": (),
    "access_entries": (), "authentication_mode": "API",
}  # fmt: skip


def test_a_cluster_in_order_has_its_roles_and_no_problem() -> None:
    own = Addon("vpc-cni", "v1", arn("cni"))
    report = reported(cluster(**PARTS, addons=(own,)), NODE_ROLE, CLUSTER_ROLE)
    assert [each.arn for each in report.roles[:2]] == [arn("cluster"), arn("node")]
    severities = {finding.severity for each in report.roles[:2] for finding in each.findings}
    assert severities <= {"note"}
    assert [policy.name for policy in report.roles[1].policies] == [policy.name for policy in NODE_ROLE.attached]


def test_a_role_that_iam_lacks_is_a_problem_only_if_all_roles_were_seen() -> None:
    for complete, expected in ((True, "problem"), (False, "note")):
        report = reported(cluster(**PARTS), CLUSTER_ROLE, complete=complete)
        (finding,) = report.roles[1].findings
        assert (finding.code, finding.severity) == ("role-not-found", expected)
        assert report.roles[1].role is None


def test_a_role_of_another_account_was_not_looked_at() -> None:
    foreign = "arn:aws:iam::999999999999:role/pod"
    profiles = (FargateProfile("f", foreign),)
    report = reported(cluster(**{**PARTS, "fargate_profiles": profiles}), CLUSTER_ROLE, NODE_ROLE)
    (finding,) = next(each.findings for each in report.roles if each.arn == foreign)
    assert (finding.code, finding.severity) == ("role-not-found", "note")


def test_a_shared_role_shows_its_uses_in_other_clusters() -> None:
    other = cluster(name="d", nodegroups=(NodeGroup("b", arn("node")),))
    report = reported(cluster(**PARTS), CLUSTER_ROLE, NODE_ROLE, others=(other,))
    assert [(use.cluster, use.name) for use in report.roles[1].uses] == [("c", "a"), ("d", "b")]


def test_policies_of_the_account_and_inline_ones_count() -> None:
    local_arn = f"arn:aws:iam::{ACCOUNT}:policy/own"
    allow = parse({"Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}})
    describe = parse({"Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}})
    node = Role(
        "node",
        arn("node"),
        trust=NODE_ROLE.trust,
        attached=(AttachedPolicy("own", local_arn),),
        inline=(InlinePolicy("more", describe),),
        boundary_arn=local_arn,
    )
    report = reported(
        cluster(**PARTS), CLUSTER_ROLE, node, local_policies=(LocalPolicy("own", local_arn, "/", "v3", allow),)
    )
    of_node = report.roles[1]
    assert [(policy.name, policy.version) for policy in of_node.policies] == [("own", 3), ("more", None)]
    texts = [finding.text for finding in of_node.findings]
    assert any("pull images is covered by own" in text for text in texts)
    evidence = [line for finding in of_node.findings for line in finding.evidence]
    assert "ec2:DescribeInstances: withheld by the permissions boundary own" in evidence
    assert carried_arns((node, CLUSTER_ROLE)) == {local_arn, aws("AmazonEKSClusterPolicy").arn}


def test_a_document_that_is_not_known_makes_it_unknown_and_not_missing() -> None:
    strange = Role(
        "cluster",
        arn("cluster"),
        trust=CLUSTER_ROLE.trust,
        attached=(AttachedPolicy("AmazonEKSClusterPolicy", "arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy"),),
    )
    report = reported(cluster(**PARTS), strange, NODE_ROLE)
    assert {finding.severity for finding in report.roles[0].findings} == {"note"}


def test_health_comes_from_eks_and_what_was_not_read_is_said() -> None:
    issue = HealthIssue("cluster", "c", "IamRoleNotFound", "gone")
    fields = {**PARTS, "addons": None, "authentication_mode": "API_AND_CONFIG_MAP"}
    report = reported(cluster(**fields, issues=(issue,)), CLUSTER_ROLE, NODE_ROLE)
    assert report.health == (issue,)
    assert report.not_looked_at[0] == "its add-ons"
    assert any("aws-auth" in phrase for phrase in report.not_looked_at)
    assert not any("node groups" in phrase for phrase in report.not_looked_at)
