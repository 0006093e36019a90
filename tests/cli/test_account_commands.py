"""The commands that ask an account, run in this process against the rig."""

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ekstui.cli.main import main
from ekstui.library import own_account
from tests.rig.clients import client
from tests.rig.rig import Rig
from tests.support.bundled import CNI, newest


class Output(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Output]


@pytest.fixture
def ekstui(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Output:
        code = main(list(arguments))
        return Output(code, *capsys.readouterr())

    return run


def shape(run: Run, *arguments: str) -> dict[str, Any]:
    output = run(*arguments, "--json")
    assert output.code == 0, output.err
    value: dict[str, Any] = json.loads(output.out)
    return value


def test_attached_in_one_account_and_in_all(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    lasting_rig.add_account("444455556666", 0)
    one = shape(ekstui, "attached", "AmazonEKSClusterPolicy")
    assert one["complete"] is True
    assert {role["name"] for role in one["roles"] if "permissions" in role["as"]} == lasting_rig.account.roles_with(
        one["policy"]
    )
    every = shape(ekstui, "attached", "AmazonEKSClusterPolicy", "--aggregator", "organisation")
    assert {role["account"] for role in every["roles"]} == {"123456789012", "444455556666"}
    assert len(every["roles"]) == 2 * len(one["roles"])
    assert every["not_looked_at"]
    unknown = ekstui("attached", "AmazonEKSClusterPolicy", "--aggregator", "organization")
    assert unknown.code == 1
    assert "Known: organisation." in unknown.err


def test_exit_codes_tell_empty_from_unasked(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    assert ekstui("attached", "AmazonEKSDashboardServiceRolePolicy").code == 1
    lasting_rig.proxy.fail("denied", "iam", "*")
    result = ekstui("attached", "AmazonEKSDashboardServiceRolePolicy")
    assert result.code == 3
    assert "iam:GetAccountAuthorizationDetails is denied" in result.err
    lasting_rig.proxy.clear()
    lasting_rig.proxy.fail("denied", "eks", "DescribeNodegroup")
    partial = shape(ekstui, "attached", "AmazonEKSWorkerNodePolicy")
    assert partial["complete"] is False
    assert [error["action"] for error in partial["errors"]] == ["eks:DescribeNodegroup"]


def test_a_role_against_a_policy(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    comparison = shape(ekstui, "diff", "role:prod-cluster", "AmazonEKSClusterPolicy")
    assert comparison["added"] == []
    assert comparison["removed"]
    assert ekstui("diff", "role:prod-clustre", "AmazonEKSClusterPolicy").code == 1


def test_a_policy_of_the_account_s_own_against_one_of_aws_s(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    arn = "arn:aws:iam::123456789012:policy/acme-eks-control-plane"
    assert ekstui("diff", "AmazonEKSClusterPolicy", "acme-eks-control-plane").code == 1  # nobody read the account yet
    comparison = shape(ekstui, "diff", "AmazonEKSClusterPolicy", arn)
    assert comparison["after"] == {
        "label": "acme-eks-control-plane@v1 (the account's own)", "policy": None, "arn": None, "version": None, "created": None,
        "parameters": {},
    }  # fmt: skip
    assert comparison["kind"] == "actions"
    assert shape(ekstui, "diff", "AmazonEKSClusterPolicy", "acme-eks-control-plane")["after"] == comparison["after"]
    by_name, by_arn = (shape(ekstui, "show", name)["document"] for name in ("acme-eks-control-plane", arn))
    assert by_name == by_arn
    unknown = ekstui("diff", "AmazonEKSClusterPolicy", f"{arn}s")
    assert (unknown.code, unknown.err) == (1, f"ekstui: No policy in account 123456789012 has the ARN {arn}s.\n")
    nowhere = ekstui("attached", f"{arn}s")
    assert (nowhere.code, nowhere.out, nowhere.err) == (1, "", unknown.err)
    assert "It is not attached in this account" in ekstui("attached", arn).out
    older = ekstui("diff", "AmazonEKSClusterPolicy", f"{arn}@v9")
    assert older.code == 1
    assert "only the default version of an account's own policies, v1" in older.err


def test_the_gate_of_a_cluster(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    for name in ("prod", "legacy"):
        answer = shape(ekstui, "cluster", name)
        severities = {finding["severity"] for role in answer["roles"] for finding in role["findings"]}
        # The findings of the one are a problem; those of the other are not, but EKS reports one.
        assert ("problem" in severities) == (name == "prod")
        assert (
            name == "prod"
            or next(cluster for cluster in shape(ekstui, "clusters")["clusters"] if cluster["name"] == name)["issues"]
        )
        assert ekstui("cluster", name, "--fail-on", "problem").code == 1
        assert ekstui("cluster", name, "--fail-on", "advice").code == 1
        assert ekstui("cluster", name).code == 0
    lasting_rig.proxy.fail("denied", "eks", "DescribeNodegroup")
    assert ekstui("cluster", "legacy", "--fail-on", "problem").code == 1


def test_nothing_found_is_not_no_problem_where_something_could_not_be_read(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    clusters = {cluster["name"]: cluster for cluster in shape(ekstui, "clusters")["clusters"]}
    assert clusters["prod"]["problems"] > 0 < clusters["prod"]["issues"]
    assert not any(cluster["not_judged"] for cluster in clusters.values())
    lasting_rig.proxy.fail("denied", "iam", "*")
    clusters_by_name = {cluster["name"]: cluster for cluster in shape(ekstui, "clusters")["clusters"]}
    # What EKS reports is a problem, whatever its roles may have.
    assert all(
        (cluster["problems"], cluster["advice"]) == (cluster["issues"] or None, None)
        for cluster in clusters_by_name.values()
    )
    assert all(cluster["not_judged"] == [f"all its {cluster['roles']} roles"] for cluster in clusters_by_name.values())
    assert ekstui("clusters", "-q").out.split("prod", 1)[1].split("\n")[0].split()[3:5] == ["2+", "?"]
    for form in ((), ("--markdown",)):
        text = " ".join(ekstui("cluster", "prod", "-q", *form).out.replace("\\", "").replace("**", "").split())
        assert "✗ 2+ problems ! ? advice" in text
        assert f"not judged: all its {clusters_by_name['prod']['roles']} roles" in text
        assert "iam:GetAccountAuthorizationDetails: denied" in text.partition("Could not be read")[2]
    assert ekstui("cluster", "auto", "--fail-on", "problem").code == 1
    lasting_rig.proxy.clear()
    # The node group's issue is the only one that is out of reach.
    lasting_rig.proxy.fail("denied", "eks", "DescribeNodegroup")
    text = " ".join(ekstui("cluster", "prod", "-q").out.split())
    assert f"EKS reports {clusters['prod']['issues'] - 1}+" in text
    lasting_rig.proxy.clear()
    lasting_rig.proxy.fail("denied", "eks", "ListClusters")
    assert "could not be listed" in ekstui("clusters", "-q").out
    assert "could not be listed" in ekstui("account", "-q").out


def test_explain_says_how_old_the_account_is_and_asks_again_when_it_is_stale(
    rig: Rig, ekstui: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.reset(0)
    who = "arn:aws:sts::123456789012:assumed-role/prod-karpenter-controller/k"
    action, profile_arn = "iam:ListInstanceProfiles", "arn:aws:iam::123456789012:instance-profile/*"
    message = f"User: {who} is not authorized to perform: {action} on resource: {profile_arn}"
    assert shape(ekstui, "explain", message)["fetched_at"] is None
    fetched_at = shape(ekstui, "account")["fetched_at"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    client("iam").put_role_policy(
        RoleName="prod-karpenter-controller", PolicyName="more", PolicyDocument=json.dumps(allow)
    )
    recent = shape(ekstui, "explain", message)
    assert (recent["verdict"], recent["fetched_at"]) == ("implicit-deny", fetched_at)
    monkeypatch.setattr(own_account, "FRESH", timedelta(0))
    rig.proxy.calls.clear()
    assert shape(ekstui, "explain", "--offline", message)["verdict"] == "implicit-deny"
    assert not rig.proxy.calls
    assert shape(ekstui, "explain", message)["verdict"] == "allowed"
    rig.proxy.fail("expired")
    explanation = ekstui("explain", message)
    assert "The session has expired" in explanation.err
    assert f"as of {fetched_at[:10]}" in explanation.out
    forbidden = 'pods is forbidden: User "jo" cannot list resource "pods" in API group "" in the namespace "shop"'
    assert f"cluster as of {fetched_at[:10]}" in ekstui("explain", "--cluster", "prod", forbidden).out
    dead = ekstui("cluster", "prod")
    assert (dead.code, "--offline answers from what was read just now" in dead.err) == (3, True)


def test_an_upgrade_names_the_policies_that_eks_recommends(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    (cni,) = shape(ekstui, "upgrade", "prod", "--to", "vpc-cni=v1.23.0")["components"]
    assert "EKS recommends AmazonEKS_CNI_Policy for aws-node" in cni["reasons"]
    assert cni["before"] == []
    # Nobody knows the needs of such a release, nor who runs a controller that no role fits.
    assert ekstui("upgrade", "prod", "--to", "vpc-cni=v9.9.9").code == 1


def test_who_can_names_who_in_the_account_may_do_it(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    command = ("who-can", "ec2:CreateTags", "--scope", "eks")
    # Nothing was asked of the account yet, and no option names it.
    assert "principals" not in shape(ekstui, *command)
    answer = shape(ekstui, *command, "--region", "eu-central-1")
    principals = {principal["name"]: principal for principal in answer["principals"]}
    cni = lasting_rig.account.roles_with("arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")
    names = {principal["name"] for principal in answer["taken_away"]}
    assert cni <= set(principals) | names
    assert principals["prod-node"]["verdict"] == "allowed"
    assert {"policy": "AmazonEKS_CNI_Policy", "version": f"v{newest(CNI)}"} in principals["prod-node"]["through"]
    assert {principal["by"][0] for principal in answer["taken_away"]} == {"boundary acme-boundary does not allow it"}
    assert answer["complete"] is True
    assert "service control policies" in answer["not_looked_at"]
    # What was seen is known from now on, and its first screen is the policies.
    text = ekstui(*command).out
    assert "In my account: " in text
    assert ekstui(*command, "--names").out.splitlines()[0] == "AmazonEKS_CNI_Policy"


def test_who_can_never_says_nobody_of_an_account_that_was_not_read(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    lasting_rig.proxy.fail("denied", "iam", "*")
    output = ekstui("who-can", "ec2:CreateTags", "--scope", "eks", "--region", "eu-central-1")
    # Which policies allow it is known all the same.
    assert output.code == 0
    assert "AmazonEKS_CNI_Policy" in output.out
    assert "nobody may" not in output.out
    assert "denied" in output.err.lower()


def test_what_a_role_or_a_document_permits(lasting_rig: Rig, ekstui: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lasting_rig.reset(0)
    result = ekstui("show", "role:prod-node")
    assert result.code == 0
    assert "ecr:GetAuthorizationToken" in result.out
    assert shape(ekstui, "show", "role:prod-node")["label"] == "role:prod-node"
    monkeypatch.setattr(
        "sys.stdin",
        io.StringIO(
            '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*"}}'
        ),
    )
    assert re.search(r"^ec2 +.1/\d+ +All resources", ekstui("show", "-").out, re.MULTILINE)
    assert ekstui("show", "role:prod-nod").code == 1
    assert ekstui("show", "./none.json").code == 2


def used_by_nodes(_: str) -> list[dict[str, Any]]:
    """What IAM reports: EC2 was used, with one tracked action that was and one that was not; SSM never was."""
    recently = datetime.now(UTC) - timedelta(days=2)
    return [
        {
            "ServiceName": "Amazon EC2", "ServiceNamespace": "ec2", "LastAuthenticated": recently,
            "LastAuthenticatedEntity": "arn:aws:iam::123456789012:role/prod-node", "LastAuthenticatedRegion": "eu-central-1",
            "TotalAuthenticatedEntities": 1,
            "TrackedActionsLastAccessed": [
                {"ActionName": "CreateTags", "LastAccessedTime": recently, "LastAccessedRegion": "eu-central-1"},
                {"ActionName": "DeleteNetworkInterface"},
            ],
        },
        {"ServiceName": "AWS Systems Manager", "ServiceNamespace": "ssm", "TotalAuthenticatedEntities": 0},
    ]  # fmt: skip


def test_what_a_role_was_last_used_for(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    lasting_rig.world.reports, lasting_rig.world.short_pages = used_by_nodes, 1
    answer = shape(ekstui, "used", "role:prod-node")
    assert [(service["service"], service["last_used"] is None, len(service["actions"])) for service in answer["services"]] == [
        ("ec2", False, 2), ("ssm", True, 0),
    ]  # fmt: skip
    assert answer["arn"].endswith(":role/prod-node")
    output = ekstui("used", "role:prod-node").out
    assert "1 of 2 services used in the last 90 days" in output
    assert "ssm  not in the tracking period" in output and "never" not in output
    assert "400 days" in output and "not tracked" in " ".join(output.split())
    # It is kept with its time: the same report answers again, offline too, and after the account was read anew.
    assert len(lasting_rig.world.jobs) == 1
    assert shape(ekstui, "account")["account"] == "123456789012"
    assert shape(ekstui, "used", "role:prod-node", "--offline")["fetched_at"] == answer["fetched_at"]
    result = ekstui("used", "role:prod-cluster", "--offline")
    assert (result.code, "known to IAM alone" in result.err) == (3, True)


def test_a_role_s_policies_without_what_was_not_used(lasting_rig: Rig, ekstui: Run, tmp_path: Path) -> None:
    lasting_rig.reset(0)
    lasting_rig.world.reports = used_by_nodes
    output = ekstui("used", "role:prod-node", "--less")
    document = json.loads(output.out)
    actions = {action for statement in document["Statement"] for action in statement["Action"]}
    assert "ec2:DeleteNetworkInterface" not in actions and not any(action.startswith("ssm:") for action in actions)
    assert "ec2:CreateTags" in actions and any(action.startswith("ecr:") for action in actions)
    assert "the document only narrows" in output.err
    answer = shape(ekstui, "used", "role:prod-node", "--less")["less"]
    assert (answer["document"], answer["reach"]) == (document, "narrowed")
    # The proof is ekstui's own comparison of the two.
    path = tmp_path / "less.json"
    path.write_text(output.out, encoding="utf-8")
    assert shape(ekstui, "diff", "role:prod-node", str(path))["reach"] == "narrowed"


@pytest.mark.parametrize("call", ["GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails"])
def test_last_use_that_cannot_be_asked_for(lasting_rig: Rig, ekstui: Run, call: str) -> None:
    lasting_rig.reset(0)
    lasting_rig.proxy.fail("denied", "iam", call)
    output = ekstui("used", "role:prod-node")
    assert (output.code, output.out) == (3, "")
    assert f"iam:{call} is denied" in output.err
    lasting_rig.proxy.clear()
    lasting_rig.world.questions_per_report = 9
    assert "did not finish the report" in ekstui("used", "role:prod-node").err
    assert ekstui("used", "role:prod-node", "--days", "401").code == 2


def test_why_access_entries_could_not_be_read_is_said_once(lasting_rig: Rig, ekstui: Run) -> None:
    lasting_rig.reset(0)
    lasting_rig.proxy.fail("denied", "eks", "ListAssociatedAccessPolicies")
    answer = ekstui("who-can", "k8s:get:pods", "--region", "all")
    assert answer.code == 0
    assert "By access entries: none that was read" in answer.out
    assert answer.err.count("eks:ListAssociatedAccessPolicies") == 1
    lasting_rig.proxy.clear()
    result = ekstui("who-can", "k8s:get:pods", "--region", "all")
    assert "deleted-since" in result.out
    assert "eks:ListAssociatedAccessPolicies" not in result.err
