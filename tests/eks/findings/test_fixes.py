"""Commands and words for findings: what they change, and where there is none."""

import shlex
from typing import Any

import pytest

from ekstui.eks.account_snapshot import Role, Use
from ekstui.eks.cluster import HealthIssue
from ekstui.eks.commands import attach_policy, create_entry, one_line, role_arn_from_iam
from ekstui.eks.findings.health import is_about, meaning_of
from ekstui.eks.findings.looking import table
from ekstui.eks.findings.table import Finding
from ekstui.iam.document import parse_text
from ekstui.library.catalog import knowledge
from tests.eks.findings.subjects import (
    ISSUER,
    OTHER_ISSUER,
    ROLE,
    cluster,
    coded,
    findings_with,
    fixing,
    role,
    trust_of,
    used,
    web_identity,
)

PODS = "pods.eks.amazonaws.com"


def finding_of(code: str, *uses: Use, severity: Any = "problem") -> Finding:
    return Finding(code, severity, "text", (), uses=uses)


def command(finding: Finding, role_to_fix: Role | None = None, **fields: Any) -> str | None:
    commands = fixing(finding, role_to_fix, cluster(**fields), partition="aws-cn")
    return one_line(commands) or None


@pytest.mark.parametrize(
    ("finding", "role_to_fix", "fields", "expected"),
    [
        (finding_of("entry-missing", used("fargate", name="f")), None, {},
         f"aws eks create-access-entry --cluster-name c --principal-arn {ROLE} --region eu-west-1 --type FARGATE_LINUX"),
        # Nodes of two kinds need entries of two types, and a role has one entry.
        (finding_of("entry-missing", used("fargate"), used("nodegroup")), None, {}, None),
        (finding_of("auto-node-policy-missing"), None, {},
         (f"aws eks associate-access-policy --cluster-name c --principal-arn {ROLE} --region eu-west-1 --policy-arn "
         "arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSAutoNodePolicy --access-scope type=cluster")),
        (finding_of("principal-tag-missing", used("addon")), role(), {},
         "aws iam tag-role --role-name r --tags Key=eks-cluster-name,Value=c"),
        (finding_of("principal-tag-missing", used("addon")), None, {}, None),
        # A role has one tag, and so can serve one cluster.
        (finding_of("principal-tag-missing", used("addon"), used("addon", cluster="d")), role(), {}, None),
        (finding_of("irsa-provider-missing", used("irsa"), used("irsa", name=ISSUER)), None, {},
         f"aws iam create-open-id-connect-provider --url https://{ISSUER} --client-id-list sts.amazonaws.com"),
        (finding_of("irsa-provider-missing", used("irsa")), None, {}, None),
        (finding_of("irsa-issuer-of-another-cluster"), role(), {}, None),
        (finding_of("irsa-issuer-of-another-cluster"), None, {}, None),
        (finding_of("irsa-issuer-of-another-cluster"), role(trust_of(web_identity(OTHER_ISSUER, "a"))), {"issuer": None}, None),
        (finding_of("role-not-found"), role(), {}, None),
    ],
)  # fmt: skip
def test_the_command_for_a_cluster(
    finding: Finding, role_to_fix: Role | None, fields: dict[str, Any], expected: str | None
) -> None:
    line = command(finding, role_to_fix, **fields)
    assert line is None if expected is None else line is not None and sorted(line.split()) == sorted(expected.split())


def service(
    *principals: str, action: Any = "sts:AssumeRole", effect: str = "Allow", element: str = "Action"
) -> dict[str, Any]:
    return {"Effect": effect, "Principal": {"Service": list(principals)}, element: action}


def fixed(code: str, *statements: dict[str, Any]) -> tuple[Any, ...] | None:
    commands = fixing(finding_of(code), role(trust_of(*statements)))
    return parse_text(shlex.split(one_line(commands))[-1]).statements if commands else None


@pytest.mark.parametrize(
    ("statement", "is_meant"),
    [
        (service(PODS), True),
        (service("eks.amazonaws.com.cn"), True),
        (service("ec2.amazonaws.com", PODS, action=["STS:assumerole", "sts:SetSourceIdentity"]), True),
        (service("ec2.amazonaws.com"), False),
        (service(PODS, effect="Deny"), False),
        (service(PODS, action=["sts:AssumeRole", "STS:tagsession"]), False),
        (service(PODS, action="sts:SetSourceIdentity"), False),
        (service(PODS, element="NotAction"), False),
        ({"Effect": "Allow", "Principal": {"AWS": PODS}, "Action": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "NotPrincipal": {"Service": PODS}, "Action": "sts:AssumeRole"}, False),
    ],
)
def test_the_session_may_be_tagged_by_the_services_that_assume_the_role_for_eks(
    statement: dict[str, Any], is_meant: bool
) -> None:
    of_nodes = service("ec2.amazonaws.com")
    statements = fixed("trust-lacks-tag-session", of_nodes, statement)
    if not is_meant:
        assert statements is None
        return
    before = trust_of(of_nodes, statement).statements
    assert statements == (before[0], before[1]._replace(actions=(*before[1].actions, "sts:TagSession")))
    assert fixed("missing-policy", statement) is None
    assert fixing(finding_of("trust-lacks-tag-session"), role(None)) == ()


SUB = f"{ISSUER}:sub"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"StringEquals": {SUB: "system:serviceaccount:a:*"}}, {"StringLike": {SUB: "system:serviceaccount:a:*"}}),
        ({"StringEquals": {SUB: "system:serviceaccount:a:b?"}}, {"StringLike": {SUB: "system:serviceaccount:a:b?"}}),
        ({"ForAnyValue:StringEqualsIfExists": {SUB: ["a", "*"]}}, {"ForAnyValue:StringLikeIfExists": {SUB: ["a", "*"]}}),
        ({"stringequals": {SUB: "*"}, "StringEquals": {f"{ISSUER}:aud": "*"}},
         {"StringLike": {SUB: "*"}, "StringEquals": {f"{ISSUER}:aud": "*"}}),
        ({"StringEquals": {SUB: "a"}}, None),
        ({"StringNotEquals": {SUB: "*"}}, None),
        ({"StringEqualsIgnoreCase": {SUB: "*"}}, None),
        # Two lines with one operator and key would be one.
        ({"StringEquals": {SUB: "a*"}, "StringLike": {SUB: "b*"}}, None),
    ],
)  # fmt: skip
def test_a_wildcard_of_a_subject_gets_an_operator_that_takes_it_for_one(
    conditions: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    statement = {**web_identity(ISSUER, None), "Condition": conditions}
    statements = fixed("irsa-wildcard-with-stringequals", statement)
    assert statements == (None if expected is None else trust_of({**statement, "Condition": expected}).statements)
    for other_statement in ({**statement, "Effect": "Deny"}, {**statement, "Principal": {"AWS": "*"}}):
        assert fixed("irsa-wildcard-with-stringequals", other_statement) is None


def test_the_statement_for_another_issuer_is_the_first_that_allows_one_of_eks() -> None:
    github = "token.actions.githubusercontent.com"
    issuers = [
        statement["Principal"]["Federated"]
        for statement in (web_identity(OTHER_ISSUER, None), web_identity(github, None))
    ]
    deny = {**web_identity(OTHER_ISSUER, "x"), "Effect": "Deny"}
    joint = {**web_identity(OTHER_ISSUER, "y"), "Principal": {"Federated": issuers}}
    of_eks = web_identity(OTHER_ISSUER, "z")
    statements = [web_identity(github, "w"), service(PODS), deny, joint, of_eks, web_identity(OTHER_ISSUER, "zz")]
    line = command(finding_of("irsa-issuer-of-another-cluster"), role(trust_of(*statements)))
    assert line is not None
    assert parse_text(shlex.split(line)[-1]).statements == trust_of(*statements, web_identity(ISSUER, "z")).statements
    assert command(finding_of("irsa-issuer-of-another-cluster"), role(trust_of(*statements[:4]))) is None


def test_the_aws_cli_takes_no_name_with_a_hyphen_first_for_an_option() -> None:
    line = one_line([attach_policy("-x", "arn:aws:iam::aws:policy/P", "user")])
    assert line == "aws iam attach-user-policy --user-name=-x --policy-arn arn:aws:iam::aws:policy/P"
    assert role_arn_from_iam("-x") == "$(aws iam get-role --role-name=-x --query Role.Arn --output text)"
    assert " --role-name x " in role_arn_from_iam("x")


def test_a_problem_has_words_and_advice_has_not() -> None:
    (problem,) = coded(findings_with((), (used("cluster"),)), "missing-policy")[:1]
    assert (problem.severity, problem.change) == ("problem", table()["missing-policy"].change)
    (advice,) = findings_with((), (), subject_role=role(trust_of(web_identity(ISSUER, None))))
    assert (advice.code, advice.change) == ("irsa-without-sub", "")


def issue(kind: Any, code: str, *resources: str, name: str = "n") -> HealthIssue:
    return HealthIssue(kind, name, code, "message", resources)


@pytest.mark.parametrize(
    ("health_issue", "phrase", "shows"),
    [
        (issue("cluster", "KmsKeyDisabled", "arn:aws:kms:::key/a b"), "is disabled", "aws kms enable-key --key-id 'arn:aws:kms:::key/a b'"),
        (issue("cluster", "KmsKeyDisabled"), "is disabled", ""),
        (issue("cluster", "KmsKeyDisabled", "a", "b"), "is disabled", ""),
        (issue("nodegroup", "AccessDenied", "a", "b"), "API server denies",
         "kubectl get clusterrole/eks:node-manager clusterrolebinding/eks:node-manager"),
        (issue("cluster", "AccessDenied"), "with the cluster role", ""),
        (issue("addon", "NoSuchCode", "a"), "", ""),
    ],
)  # fmt: skip
def test_what_a_report_of_eks_means(health_issue: HealthIssue, phrase: str, shows: str) -> None:
    meaning = meaning_of(health_issue, knowledge())
    assert (meaning is None) is (phrase == "")
    assert phrase in (meaning.text if meaning else "")
    assert shlex.join(meaning.command if meaning else ()) == shows


def test_a_report_is_about_the_uses_by_its_part_of_the_cluster() -> None:
    group = issue("nodegroup", "AccessDenied", name="a")
    assert [is_about(group, used("nodegroup", name=name)) for name in ("a", "b")] == [True, False]
    assert not is_about(group, used("addon", name="a"))
    assert is_about(issue("cluster", "AccessDenied"), used("cluster", name="other"))


@pytest.mark.parametrize("kind", ["role", "user"])
def test_the_command_that_attaches_a_policy_says_which_and_to_whom(kind: str) -> None:
    command = attach_policy("web", "arn:aws:iam::111122223333:policy/team/Read", kind)
    assert command.about == "attaches Read to web"
    assert f"iam attach-{kind}-policy --{kind}-name web " in one_line([command])


@pytest.mark.parametrize(("cluster", "cluster_in_words"), [("prod", "prod"), ("${CLUSTER:?}", "the cluster")])
def test_a_cluster_that_the_user_has_to_name_is_called_the_cluster(cluster: str, cluster_in_words: str) -> None:
    assert create_entry(cluster, "eu-west-1", ROLE).about == f"lets the principal into {cluster_in_words}"
