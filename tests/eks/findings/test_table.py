"""The table of findings: each entry is complete, each finding is said once, and what was not read is not judged."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ekstui import files
from ekstui.eks.cluster import HealthIssue
from ekstui.eks.findings import looking
from ekstui.eks.findings.looking import findings_of, table
from ekstui.eks.findings.subjects import AccountContext, ClusterInUse, RoleInUse
from ekstui.eks.findings.table import SEVERITIES, TITLE_WIDTH, Case, FindingType
from ekstui.eks.uses import uses_in
from ekstui.library import AccountChoice, Library
from ekstui.library.cluster_answers import cluster_answer, findings_worst_first
from tests.eks.findings.subjects import around, cluster, findings_with, fixing, role, used


@pytest.mark.parametrize("entry", table().values(), ids=lambda entry: entry.code)
def test_an_entry_is_complete(entry: FindingType) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", entry.code)
    assert entry.severity in SEVERITIES
    assert 0 < len(entry.title) <= TITLE_WIDTH
    assert entry.meaning.endswith(".")
    assert not entry.change.endswith(".")
    # Whoever meets a problem has to learn what to do about it.
    assert entry.change or entry.severity != "problem"
    assert entry.look.__doc__


def test_the_schema_has_the_codes_of_the_table() -> None:
    schema = json.loads((files.assets() / "schema.json").read_text(encoding="utf-8"))
    properties = schema["$defs"]["Finding"]["properties"]
    assert properties["code"]["enum"] == sorted(table())
    assert properties["severity"]["enum"] == list(SEVERITIES)


def test_a_finding_is_said_once_with_the_evidence_of_all_its_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(_subject: RoleInUse, _account: AccountContext) -> Iterator[Case]:
        yield Case("It fails.", ("a",), (used("irsa"),))
        yield Case("It fails.", ("b", "a"), (used("addon"),))
        yield Case("It fails.", ("c",), severity="note")
        yield Case("It fails too.", ("d",), title="x" * (TITLE_WIDTH + 1))

    def unread(_subject: RoleInUse, _account: AccountContext) -> Iterator[Case]:
        raise AssertionError("the trust policy was not read")

    first = table()["missing-policy"]
    entries = (replace(first, look=look), replace(first, code="other", needs=("trust",), look=unread))
    monkeypatch.setattr(looking, "table", lambda: {entry.code: entry for entry in entries})
    findings = findings_with(subject_role=role(None))
    assert [(finding.text, finding.severity, finding.evidence, finding.title) for finding in findings] == [
        ("It fails.", "problem", ("a", "b"), first.title),
        ("It fails too.", "problem", ("d",), first.title),
        ("It fails.", "note", ("c",), first.title),
    ]
    assert findings[0].uses == (used("irsa"), used("addon"))


@pytest.mark.parametrize(
    ("issue", "title", "text", "command"),
    [
        (HealthIssue("cluster", "c", "KmsGrantRevoked", "Revoked."), "EKS reports KmsGrantRevoked", "may no longer use the KMS key",
         "aws eks describe-cluster --name c --query cluster.encryptionConfig --region eu-west-1"),
        (HealthIssue("addon", "x", "NeverHeardOf", "No."), "EKS reports NeverHeardOf for x", "knows no more about it",
         "aws eks describe-addon --cluster-name c --addon-name x --query addon.health --region eu-west-1"),
    ],
)  # fmt: skip
def test_what_eks_reports_is_a_problem_with_a_next_step(
    issue: HealthIssue, title: str, text: str, command: str
) -> None:
    (finding,) = findings_of(ClusterInUse(cluster(), unexplained=(issue,)), around())
    assert (finding.code, finding.severity, finding.title) == ("eks-reports", "problem", title)
    assert text in finding.text
    assert [command_line.text for command_line in fixing(finding, cluster_to_fix=cluster())] == [command]


FIRST_LINES = """
prod problem eks-reports                      prod: EKS reports AccessDenied for spot
prod problem missing-policy                   prod-cloudwatch: lacks CloudWatchAgentServerPolicy
prod problem irsa-issuer-of-another-cluster   prod-efs-csi: trust names another cluster's issuer
prod problem controller-lacks-actions         prod-karpenter-controller: lacks most of what its controller needs
prod problem irsa-wildcard-with-stringequals  prod-never-matches: StringEquals with *: never matches
prod problem boundary-allows-nothing          prod-orders: boundary allows none of its actions
prod problem pod-lacks-credentials            api: not given the role meant for it
prod problem annotation-misspelt              web: annotation that EKS does not read
prod advice  broader-than-needed              KarpenterNodeRole-prod: CNI policy on node role
prod advice  superseded-policy                prod-ebs-csi: AmazonEBSCSIDriverPolicy is superseded
prod advice  superseded-policy                prod-ebs-csi-irsa: AmazonEBSCSIDriverPolicy is superseded
prod advice  broader-than-needed              prod-hyperpod: CNI policy on node role
prod advice  irsa-without-sub                 prod-no-sub: any service account may assume it
prod advice  broader-than-needed              prod-node: CNI policy on node role
prod advice  broader-than-needed              prod-node: ECR ReadOnly where PullOnly is enough
prod advice  addon-on-node-role               aws-load-balancer-controller: controller uses its node's role
prod advice  entry-principal-gone             deleted-since: access entry of a deleted principal
prod note    authentication-mode              prod: the config map aws-auth decides too
prod note    aws-auth-overridden              prod: an access entry overrides aws-auth
prod note    missing-policy                   prod-node: lacks ecr:BatchImportUpstreamImage
prod note    missing-policy                   prod-hybrid-node: lacks 2 actions that it needs
prod note    static-keys                      runner: static access keys
prod note    both-mechanisms                  ebs-csi-controller-sa: annotated and associated
prod note    cluster-admin                    AWSReservedSSO_AdministratorAccess_0123456789abcdef: may do everything in the cluster
auto problem trust-lacks-tag-session          auto-cluster: trust lacks sts:TagSession
auto problem missing-policy                   auto-gpu-node: lacks AmazonEC2ContainerRegistryPullOnly
auto advice  superseded-policy                auto-cluster: has a superseded policy
auto advice  broader-than-needed              auto-gpu-node: CNI policy on node role
auto note    missing-policy                   auto-gpu-node: lacks ecr:BatchImportUpstreamImage
legacy problem eks-reports                    legacy: EKS reports KmsGrantRevoked
legacy advice  authentication-mode            legacy: only the config map aws-auth decides
legacy advice  broader-than-needed            legacy-node-NodeInstanceRole-1ABCDEFGHIJK: ECR ReadOnly where PullOnly is enough
legacy advice  addon-on-node-role             aws-node: controller uses its node's role
legacy note    aws-auth-admin                 legacy: aws-auth gives system:masters
legacy note    missing-policy                 legacy-node-NodeInstanceRole-1ABCDEFGHIJK: lacks ecr:BatchImportUpstreamImage
legacy note    missing-policy                 legacy-node-NodeInstanceRole-1ABCDEFGHIJK: lacks ec2:AssignIpv6Addresses
legacy note    missing-policy                 legacy-cluster: lacks 3 actions that it needs
"""
"""The first line of everything that is found in the demo, as it is read at three in the morning."""


def test_the_first_lines_of_the_demo_read_as_a_page() -> None:
    library = Library.open(AccountChoice(demo=True, offline=True))
    lines = [
        f"{name} {finding.severity} {finding.code} {role.arn.rpartition('/')[2]}: {finding.title}"
        for name in ("prod", "auto", "legacy")
        for role, finding in findings_worst_first(cluster_answer(library, name))
    ]
    assert lines == [" ".join(line.split()) for line in FIRST_LINES.strip().splitlines()]


def test_a_denial_by_the_cluster_counts_an_access_entry_that_is_there() -> None:
    library = Library.open(AccountChoice(demo=True, offline=True))
    (eks_finding,) = (finding for finding in cluster_answer(library, "prod").findings if finding.code == "eks-reports")
    assert "The access entry of prod-node is there (EC2_LINUX)" in eks_finding.text
    assert "needs its access entry" not in eks_finding.text


def test_a_role_whose_pods_get_another_says_so_wherever_it_is_a_use() -> None:
    """`cluster` and `upgrade` once called the same use confirmed and not used."""
    library = Library.open(AccountChoice(demo=True, offline=True))
    answer = cluster_answer(library, "prod")
    (irsa,) = (role for role in answer.roles if role.arn.endswith("/prod-ebs-csi-irsa"))
    assert {use.overruled for use in irsa.uses} == {"an association of Pod Identity comes first"}
    (finding,) = irsa.findings
    assert all("not used: an association" in line for line in finding.evidence)
    (cni,) = (role for role in answer.roles if role.arn.endswith("/prod-vpc-cni"))
    assert not any(use.overruled for use in cni.uses)
    # Without the agent nothing hands out the credentials of an association.
    snapshot = library.account.last_snapshot_or_error()
    assert snapshot.eks is not None
    prod = next(cluster for cluster in snapshot.eks.clusters if cluster.name == "prod")
    bare = prod._replace(addons=tuple(addon for addon in prod.addons or () if addon.name != "eks-pod-identity-agent"))
    clusters_without_agent = tuple(bare if cluster is prod else cluster for cluster in snapshot.eks.clusters)
    uses = uses_in(snapshot._replace(eks=snapshot.eks._replace(clusters=clusters_without_agent)))
    assert not any(use.overruled for use in uses[irsa.arn])
