"""What was not read counts only where the role's trust lets it be used there."""

from typing import Any

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot, CallerIdentity, SourceError
from ekstui.eks.cluster import Cluster, EksFacts
from ekstui.eks.findings.looking import findings_of
from ekstui.eks.findings.subjects import RoleInCluster
from ekstui.eks.pods import KubernetesFacts
from ekstui.eks.unseen import branches, unread_inside, unseen_uses
from ekstui.iam.document import Document
from tests.eks.findings.subjects import (
    ACCOUNT,
    ISSUER,
    NOW,
    ROLE,
    around,
    association,
    cluster,
    role,
    trust_of,
    used,
    web_identity,
)
from tests.support.accounts import snapshot as account_snapshot
from tests.support.documents import trust_document

READ: dict[str, Any] = {
    "nodegroups": (), "fargate_profiles": (), "access_entries": (), "capabilities": (), "authentication_mode": "API",
}  # fmt: skip
EC2 = trust_document("ec2.amazonaws.com")
PODS = trust_document("pods.eks.amazonaws.com")
IRSA = trust_of(web_identity(ISSUER, None))
TARGET = trust_of({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"})


def snapshot(**fields: Any) -> AccountSnapshot:
    identity = CallerIdentity(ACCOUNT, "aws", f"arn:aws:iam::{ACCOUNT}:user/u", "AIDA")
    return AccountSnapshot(identity, NOW, **{"complete": True, **fields})


@pytest.mark.parametrize(
    ("trust", "fields", "expected"),
    [
        (EC2, {}, []),
        (EC2, {"nodegroups": None}, ["node groups"]),
        (EC2, {"access_entries": None}, ["access entries"]),
        (EC2, {"associations": None, "addons": None, "fargate_profiles": None, "capabilities": None}, []),
        (EC2, {"authentication_mode": "API_AND_CONFIG_MAP"}, ["the aws-auth ConfigMap"]),
        (EC2, {"authentication_mode": "API_AND_CONFIG_MAP", "nodes": ()}, []),
        (EC2, {"authentication_mode": "CONFIG_MAP"}, ["EC2 instances", "the aws-auth ConfigMap"]),
        (EC2, {"described": False}, ["the cluster's own description"]),
        (trust_document("ssm.amazonaws.com"), {"access_entries": None, "nodegroups": None}, ["access"]),
        (PODS, {"associations": None, "nodegroups": None}, ["Pod Identity"]),
        (PODS, {"associations": (association(role_arn=None),)}, ["Pod Identity"]),
        (PODS, {"addons": None}, ["add-ons"]),
        (TARGET, {"associations": None, "addons": None}, ["Pod Identity"]),
        (IRSA, {"addons": None, "associations": None}, ["add-ons"]),
        (trust_document("eks-fargate-pods.amazonaws.com"), {"fargate_profiles": None}, ["Fargate"]),
        (trust_document("capabilities.eks.amazonaws.com"), {"capabilities": None}, ["capabilities"]),
        (trust_document("lambda.amazonaws.com"), {"capabilities": None, "described": False}, []),
        (None, {"capabilities": None, "addons": None}, ["add-ons", "capabilities"]),
    ],
)
def test_what_was_not_read_may_hide_a_use(trust: Document | None, fields: dict[str, Any], expected: list[str]) -> None:
    eks = EksFacts((cluster(**{**READ, **fields}),), ("eu-west-1",))
    phrases = unseen_uses(role(trust), snapshot(eks=eks))
    assert len(phrases) == len(expected)
    assert all(phrase.startswith(start) for phrase, start in zip(phrases, expected, strict=True))


def test_regions_that_failed_and_eks_that_was_not_asked_are_told() -> None:
    region_error = SourceError("clusters", "eks:ListClusters", "denied", "Denied.", region="us-east-1")
    assert unseen_uses(role(EC2), snapshot(eks=EksFacts((), ()), errors=(region_error,))) == ("clusters in us-east-1",)
    assert unseen_uses(role(EC2), snapshot()) == ("clusters",)
    assert unseen_uses(role(trust_document("lambda.amazonaws.com")), snapshot()) == ()


@pytest.mark.parametrize(
    ("arn", "complete", "severity", "words"),
    [
        (ROLE, True, "problem", "IAM has no role r"),
        (ROLE, False, "note", "could be read"),
        ("arn:aws:iam::999999999999:role/r", True, "note", "another account"),
    ],
)
def test_a_role_that_was_not_read_is_a_problem_only_if_all_were(
    arn: str, complete: bool, severity: str, words: str
) -> None:
    subject = RoleInCluster(arn, (used("cluster", name="c"),), cluster(), was_read=False)
    (finding,) = findings_of(subject, around(principals=frozenset() if complete else None))
    assert (finding.code, finding.severity) == ("role-not-found", severity)
    assert words in finding.text


INSIDE = KubernetesFacts(NOW, service_accounts=(), whole=("service accounts",))
IN_PART = KubernetesFacts(NOW, service_accounts=())


@pytest.mark.parametrize(
    ("clusters", "service_linked", "expected"),
    [
        ((), False, ["service accounts' annotations inside the clusters, so"]),
        ((), True, []),
        ((cluster(kubernetes=INSIDE),), False, []),
        ((cluster(kubernetes=IN_PART),), False, ["service accounts' annotations inside the clusters, so"]),
        ((cluster(),), True, []),
        ((cluster(kubernetes=INSIDE), cluster(name="d")), False, ["service accounts' annotations inside d, so"]),
        ((cluster(authentication_mode="CONFIG_MAP"),), True, ["the aws-auth ConfigMap inside c, which"]),
        ((cluster(authentication_mode="API"),), True, []),
    ],
)
def test_what_only_kubernetes_knows_and_was_not_read(
    clusters: tuple[Cluster, ...], service_linked: bool, expected: list[str]
) -> None:
    path = "/aws-service-role/eks.amazonaws.com/" if service_linked else "/"
    notes = unread_inside(account_snapshot()._replace(roles=(role(path=path),), eks=EksFacts(clusters, ("eu-west-1",))))
    assert [note[: len(words)] for note, words in zip(notes, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"authentication_mode": "API"}, False),
        ({"authentication_mode": "API_AND_CONFIG_MAP"}, True),
        ({"authentication_mode": "API_AND_CONFIG_MAP", "kubernetes": KubernetesFacts(NOW, mappings=())}, False),
    ],
)
def test_aws_auth_may_name_more_nodes_where_it_counts_and_was_not_read(fields: dict[str, Any], expected: bool) -> None:
    unread_by_way = {branch.way: branch.unread for branch in branches(cluster(**fields), {}, roles_complete=True)}
    assert ("aws-auth" in " ".join(unread_by_way["self-managed-node"])) is expected
