"""What is said about pods, their service accounts, and the lines of aws-auth."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import AccessEntry, Addon, Cluster, NodeGroup
from ekstui.eks.commands import one_line
from ekstui.eks.findings.looking import findings_of, fixing_commands
from ekstui.eks.findings.subjects import (
    ClusterInUse,
    RoleInCluster,
    ServiceAccountInCluster,
    WorkloadInCluster,
)
from ekstui.eks.findings.table import Finding, FixPlace
from ekstui.eks.pod_credentials import credentials_of, expected_of, users_of_node_role
from ekstui.eks.pods import workloads
from ekstui.sources.kubernetes import read_kubernetes
from tests.eks.findings.subjects import ACCOUNT, PROVIDER, ROLE, around, association, cluster, used
from tests.support.kubernetes import (
    POD_IDENTITY,
    aws_auth,
    irsa_variables,
    listing,
    of_all_namespaces,
    pod,
    service_account,
)

OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
WEB = association(namespace="shop", service_account="web", created=datetime(2026, 6, 1, tzinfo=UTC))
BEFORE, AFTER = "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z"


def holding(*items: dict[str, Any], **fields: Any) -> Cluster:
    """A cluster whose Kubernetes has these objects, listed in all namespaces."""
    facts = read_kubernetes([("list", of_all_namespaces(items))], datetime(2026, 9, 1, tzinfo=UTC))
    return cluster(kubernetes=facts, **fields)


def of_pods(place: Cluster, **account: Any) -> dict[str, Finding]:
    """The findings about the pods and service accounts of a cluster, by code."""
    context = around(place, **{"principals": frozenset([ROLE, OTHER]), "providers": (PROVIDER,), **account})
    facts = place.kubernetes
    assert facts is not None
    findings: list[Finding] = []
    for workload in workloads(facts.pods or ()):
        subject = WorkloadInCluster(workload, place, credentials_of(workload, place), expected_of(workload, place))
        findings += findings_of(subject, context)
    for account_in_cluster in facts.service_accounts or ():
        findings += findings_of(ServiceAccountInCluster(account_in_cluster, place), context)
    return {finding.code: finding for finding in findings}


def severities(finding_by_code: dict[str, Finding]) -> dict[str, str]:
    return {code: finding.severity for code, finding in finding_by_code.items()}


@pytest.mark.parametrize(
    ("items", "fields", "expected", "words"),
    [
        ([pod("web-1-a", POD_IDENTITY)], {"associations": (WEB,)}, {}, ""),
        ([pod("web-1-a", irsa_variables(ROLE)), service_account("web", ROLE)], {}, {}, ""),
        ([pod("web-1-a", created=BEFORE)], {"associations": (WEB,)}, {"pod-lacks-credentials": "problem"},
         "made before the association of their service account was made on 2026-06-01."),
        ([pod("web-1-a", created=AFTER)], {"associations": (WEB,)}, {"pod-lacks-credentials": "problem"},
         "the webhook did not see that yet or did not run"),
        ([pod("web-1-a", created="2025-01-01T00:00:00Z"), service_account("web", ROLE)], {},
         {"pod-lacks-credentials": "problem"}, "made before their service account was annotated on 2026-01-01."),
        ([pod("web-1-a", created=AFTER), service_account("web", ROLE)], {}, {"pod-lacks-credentials": "problem"},
         "either made before their service account was annotated, or the webhook did not run"),
        # The variables of another mechanism, which works as long as IAM has the provider.
        ([pod("web-1-a", irsa_variables(OTHER))], {"associations": (WEB,)}, {"pod-lacks-credentials": "advice"},
         "other by IRSA instead of r by Pod Identity"),
        ([pod("web-1-a", irsa_variables(OTHER)), service_account("web", ROLE)], {}, {"pod-lacks-credentials": "advice"},
         "other by IRSA instead of r by IRSA"),
        # Some containers only.
        ([pod("web-1-a", containers=[{"name": "late"}, {"name": "app", "env": [
            {"name": name, "value": value} for name, value in POD_IDENTITY.items()]}])], {"associations": (WEB,)},
         {"pod-lacks-credentials": "advice"}, "late lacks them"),
        ([pod("web-1-a", node="fargate-ip-10-0-0-1.eu-west-1.compute.internal")], {"associations": (WEB,)},
         {"pod-lacks-credentials": "problem"}, "Fargate, where Pod Identity does not work"),
        ([pod("web-1-a", KEYS | irsa_variables(ROLE)), service_account("web", ROLE)], {}, {"static-keys": "advice"},
         "the SDKs use those, and not r"),
        ([pod("web-1-a", KEYS)], {}, {"static-keys": "note"}, "do not expire"),
        ([pod("web-1-a", {"AWS_ACCESS_KEY_ID": "x"})], {}, {}, ""),
        ([pod("web-1-a"), service_account("web", ROLE, namespace="other")], {}, {"pod-in-other-namespace": "advice"},
         "web has one in other"),
        ([pod("web-1-a", account="default"), service_account("default", ROLE, namespace="other")], {}, {}, ""),
        ([pod("web-1-a", POD_IDENTITY)], {"associations": ()}, {"pod-without-association": "problem"}, "gives nothing"),
        ([pod("web-1-a", POD_IDENTITY)], {"associations": None}, {}, ""),
        ([pod("web-1-a", irsa_variables(f"{ROLE}-gone"))], {}, {"pod-role-gone": "problem"}, "IAM has no such role"),
        ([pod("web-1-a", irsa_variables("arn:aws:iam::444455556666:role/theirs"))], {}, {}, ""),
        ([service_account("web", f"{ROLE}-gone")], {}, {"annotated-role-gone": "problem"}, "IAM has no role r-gone."),
        ([service_account("web", "arn:aws:iam::444455556666:role/theirs")], {}, {"annotated-role-gone": "note"},
         "an OIDC provider for this cluster's issuer"),
        ([service_account("web", "nobody")], {}, {"annotation-misspelt": "problem"}, "not the ARN of a role"),
        ([service_account("web", **{"eks.amazon.com/role-arn": ROLE})], {}, {"annotation-misspelt": "problem"},
         "annotated with eks.amazon.com/role-arn; EKS reads only eks.amazonaws.com/role-arn"),
        ([service_account("web", ROLE, **{"eks.amazon.com/role-arn": ROLE})], {}, {}, ""),
        ([service_account("web", ROLE)], {"associations": (WEB,)}, {"both-mechanisms": "note"},
         "pods made from now on use the association"),
        ([pod("ebs-1-a", namespace="kube-system", account="ebs-csi-controller-sa"),
          service_account("ebs-csi-controller-sa", namespace="kube-system")], {}, {"addon-on-node-role": "advice"},
         "aws-ebs-csi-driver has no role of its own"),
        ([pod("ebs-1-a", namespace="kube-system", account="ebs-csi-controller-sa"),
          service_account("ebs-csi-controller-sa", namespace="kube-system")],
         {"addons": (Addon("aws-ebs-csi-driver", "v1", ROLE),)}, {"addon-on-node-role": "problem"},
         "is to use r, but kube-system/ebs-csi-controller-sa is not annotated with it"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_pods_and_their_service_accounts(
    items: list[dict[str, Any]], fields: dict[str, Any], expected: dict[str, str], words: str
) -> None:
    findings = of_pods(holding(*items, **fields))
    assert severities(findings) == expected
    assert all(words in finding.text for finding in findings.values())


def test_irsa_without_a_provider_fails_where_an_association_waits() -> None:
    place = holding(pod("web-1-a", irsa_variables(OTHER)), associations=(WEB,))
    finding = of_pods(place, providers=())["pod-lacks-credentials"]
    assert finding.severity == "problem"
    assert "IAM has no OIDC provider for" in finding.text


def test_nothing_is_said_to_be_gone_where_not_all_roles_were_read() -> None:
    place = holding(pod("web-1-a", irsa_variables(f"{ROLE}-gone")), service_account("web", f"{ROLE}-gone"))
    assert of_pods(place, principals=None) == {}


def commands(finding: Finding, place: Cluster, **fields: Any) -> str:
    context = around(place, principals=frozenset([f"arn:aws:iam::{ACCOUNT}:role/team/r"]))
    return one_line(fixing_commands(finding, FixPlace(ROLE, None, place, context, **fields), {}))


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (None, "kubectl rollout restart deployment/web -n shop"),
        (("DaemonSet", "agent"), "kubectl rollout restart daemonset/agent -n shop"),
        (("ReplicaSet", "web"), "kubectl delete pod web-1-a -n shop"),
        (("Job", "once"), ""),
    ],
)
def test_the_restart_is_that_of_the_owner(owner: tuple[str, str] | None, expected: str) -> None:
    place = holding(pod("web-1-a", owner=owner), associations=(WEB,))
    assert place.kubernetes is not None
    (workload,) = workloads(place.kubernetes.pods or ())
    assert commands(of_pods(place)["pod-lacks-credentials"], place, workload=workload) == expected


def test_the_right_annotation_has_the_path_of_the_role() -> None:
    place = holding(service_account("web", ROLE, **{"eks.amazon.com/role-arn": ROLE}))
    assert place.kubernetes is not None
    annotated_account = place.kubernetes.service_account("shop", "web")
    finding = of_pods(place, principals=frozenset([f"arn:aws:iam::{ACCOUNT}:role/team/r"]))["annotated-role-gone"]
    assert "the path is part of the ARN" in finding.text
    assert commands(finding, place, service_account=annotated_account) == (
        "kubectl annotate serviceaccount web -n shop --overwrite "
        f"eks.amazonaws.com/role-arn=arn:aws:iam::{ACCOUNT}:role/team/r eks.amazon.com/role-arn-"
    )


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([service_account("sa", namespace="kube-system")], []),
        ([], ["advice"]),
        ([service_account("sa", namespace="shop")], ["problem"]),
    ],
)
def test_an_association_needs_its_service_account(items: list[dict[str, Any]], expected: list[str]) -> None:
    use = used("pod-identity", namespace="kube-system", service_account="sa")
    place = holding(*items, associations=(association(),))
    findings = findings_of(RoleInCluster(ROLE, (use,), place), around(place))
    assert [finding.severity for finding in findings if finding.code == "association-without-account"] == expected
    partial_cluster = cluster(kubernetes=read_kubernetes([("one", listing(service_account("x")))], datetime.now(UTC)))
    assert findings_of(RoleInCluster(ROLE, (use,), partial_cluster), around(partial_cluster)) == ()


LINE = "- rolearn: {arn}\n  username: x\n  groups: [{groups}]\n"
NODES = LINE.format(arn=ROLE, groups="system:nodes")


@pytest.mark.parametrize(
    ("roles", "fields", "expected"),
    [
        (NODES, {}, {}),
        (LINE.format(arn=f"arn:aws:iam::{ACCOUNT}:role/team/r", groups="ops"), {}, {"aws-auth-path": "problem"}),
        (LINE.format(arn=f"arn:aws:iam::{ACCOUNT}:user/x", groups="ops"), {}, {"aws-auth-principal-gone": "advice"}),
        (NODES + NODES, {}, {"aws-auth-duplicate": "advice"}),
        (NODES + LINE.format(arn=ROLE, groups="ops"), {}, {"aws-auth-duplicate": "problem"}),
        (LINE.format(arn=f"{ROLE}-gone", groups="ops"), {}, {"aws-auth-principal-gone": "advice"}),
        (LINE.format(arn=ROLE, groups="system:masters"), {}, {"aws-auth-admin": "note"}),
        (NODES, {"access_entries": (AccessEntry(ROLE, "STANDARD"),)}, {"aws-auth-overridden": "note"}),
        (NODES, {"authentication_mode": "API"}, {"aws-auth-overridden": "note"}),
    ],
)
def test_what_is_wrong_with_aws_auth(roles: str, fields: dict[str, Any], expected: dict[str, str]) -> None:
    fields = {"authentication_mode": "API_AND_CONFIG_MAP", "access_entries": (), **fields}
    place = holding(aws_auth(roles), **fields)
    context = around(place, principals=frozenset([ROLE, f"arn:aws:iam::{ACCOUNT}:role/team/r"]))
    findings = findings_of(ClusterInUse(place), context)
    assert {finding.code: finding.severity for finding in findings if finding.code.startswith("aws-auth")} == expected


def test_a_user_that_aws_auth_names_and_iam_lacks_is_gone() -> None:
    arns = [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("jo", "team/ann")]
    users = "".join(f"- userarn: {arn}\n  username: x\n  groups: [ops]\n" for arn in arns)
    place = holding(aws_auth(users=users), authentication_mode="CONFIG_MAP", access_entries=())
    findings = findings_of(ClusterInUse(place), around(place, principals=frozenset([ROLE, arns[1]])))
    assert [finding.evidence for finding in findings if finding.code == "aws-auth-principal-gone"] == [(arns[0],)]


def test_nodes_that_aws_auth_names_need_no_entry() -> None:
    use: Use = used("nodegroup", name="g")
    for line, expected in ((NODES, ()), (LINE.format(arn=OTHER, groups="system:nodes"), ("problem",))):
        place = holding(aws_auth(line), authentication_mode="API_AND_CONFIG_MAP", access_entries=())
        findings = findings_of(RoleInCluster(ROLE, (use,), place), around(place))
        assert tuple(finding.severity for finding in findings if finding.code == "entry-missing") == expected


OTHER_NODE = "ip-10-0-0-2.eu-west-1.compute.internal"


@pytest.mark.parametrize(
    ("items", "instance", "users"),
    [
        ([pod("web-1-a"), pod("api-1-a", account="api")], None, ["api", "web"]),
        # What has credentials of its own does not ask the node, whatever their role.
        ([pod("web-1-a", KEYS), pod("api-1-a", irsa_variables(ROLE)), pod("job-1-a", POD_IDENTITY)], None, []),
        # Auto Mode's nodes are named by their instances: of those, only the node's own pods; of others, all.
        ([pod("web-1-a", node="i-0a"), pod("api-1-a", node="i-0b")], "i-0a", ["web"]),
        ([pod("web-1-a", node="i-0a.eu-west-1.compute.internal"), pod("api-1-a", node="i-0b")], "i-0a", ["web"]),
        ([pod("web-1-a"), pod("api-1-a", node=OTHER_NODE)], "i-0a", ["api", "web"]),
    ],
)
def test_who_may_have_called_with_the_role_of_a_node(
    items: list[dict[str, Any]], instance: str | None, users: list[str]
) -> None:
    place = holding(*items, nodegroups=(NodeGroup("blue", ROLE),))
    workloads_of_node = users_of_node_role(place, ROLE, instance)
    assert workloads_of_node is not None
    assert [workload.name for workload in workloads_of_node] == users
    # Of another role, or without pods, it is not known.
    assert users_of_node_role(place, OTHER, instance) is None
    assert users_of_node_role(place._replace(kubernetes=None), ROLE, instance) is None
