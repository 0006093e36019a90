"""Policies of controllers and EKS access policies on the command line, together with AWS's own policies."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ekstui import files
from ekstui.change.policy import SCOPE_WORDS
from ekstui.cli.main import main
from ekstui.library import Library
from ekstui.sources.shipped import SHIPPED_FAMILIES, components, shipped_in


def output_of(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(list(words)) == code
    return capsys.readouterr().out


def answer_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(output_of(capsys, *words, "--json"))
    return value


def test_a_component_is_a_policy_with_releases_as_versions(capsys: pytest.CaptureFixture[str]) -> None:
    """v2.13.0 brought ec2:DescribeRouteTables, as the project's own change of docs/install/iam_policy.json says."""
    comparison = answer_of(capsys, "diff", "aws-load-balancer-controller@v2.12.0..v2.13.0")
    assert comparison["reach"] == "widened"
    assert [grant["actions"] for grant in comparison["added"]] == [["ec2:DescribeRouteTables"]]
    assert comparison["removed"] == comparison["changed"] == []
    policies = {policy["name"]: policy for policy in answer_of(capsys, "list", "--scope", "controllers")["policies"]}
    components = json.loads((files.assets() / "published.json").read_bytes())["components"]
    assert policies["karpenter"]["newest"] == components["Karpenter"]["newest"]
    assert "ClusterName" in policies["karpenter"]["parameters"]
    assert all(entry["kind"] == "published" for entry in policies.values())
    newest = components["AWS Load Balancer Controller"]["newest"]
    controller = answer_of(capsys, "show", f"aws-load-balancer-controller@{newest}")
    assert (controller["version"], controller["default"], controller["arn"]) == (newest, True, None)
    holders = answer_of(capsys, "who-can", "elasticloadbalancing:SetRulePriorities", "--scope", "controllers")
    assert "aws-load-balancer-controller" in [policy["policy"] for policy in holders["policies"]]


def test_a_family_has_its_words_wherever_they_are_needed() -> None:
    """What CONTRIBUTING.md lists for a new family: here a place is missed, elsewhere a command fails."""
    schema = (files.assets() / "schema.json").read_text()
    for family, shipped_family in SHIPPED_FAMILIES.items():
        (reader,) = shipped_in(shipped_family.scope)
        assert reader.family == family
        assert shipped_family.scope in SCOPE_WORDS
        assert f'"{family}"' in schema
        assert f'"{shipped_family.scope}"' in schema
        policies = list(reader.policies())
        assert {(policy.family, policy.arn) for policy in policies} == {
            (family, f"{family}:{policy.name}") for policy in policies
        }
        assert all(policy.home for policy in policies)


def test_a_release_that_is_not_known_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("karpenter@v99.0.0", "karpenter@v5", "AmazonEKS_CNI_Policy@v1.2.3"):
        assert main(["show", text]) == 1, text
        assert text.partition("@")[2] in capsys.readouterr().err


def test_parameters_are_filled_in_and_the_others_stand_for_anything(capsys: pytest.CaptureFixture[str]) -> None:
    filled_document = output_of(capsys, "show", "karpenter", "--document", "--param", "ClusterName=prod")
    assert "aws:ResourceTag/kubernetes.io/cluster/prod" in filled_document
    assert "${ClusterName}" not in filled_document
    assert "<ClusterName>" in output_of(capsys, "show", "karpenter")
    # Nothing is known of the Region, so a request in one is not refused for it.
    words = ("who-can", "ec2:RunInstances", "--scope", "controllers", "--json", "--resource")
    answer = json.loads(output_of(capsys, *words, "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"))
    assert [policy["policy"] for policy in answer["policies"]] == ["karpenter"]
    assert main(["show", "karpenter", "--param", "ClusterName"]) == 2


def test_all_parameters_make_a_document_that_iam_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """The names of the node role and of the queue are those of Karpenter's CloudFormation template."""
    parameters = [
        f"--param={pair}" for pair in ("AWS::Region=eu-west-1", "AWS::AccountId=111122223333", "ClusterName=prod")
    ]
    document = output_of(capsys, "show", "karpenter", "--document", *parameters)
    assert "arn:aws:iam::111122223333:role/KarpenterNodeRole-prod" in document
    assert "arn:aws:sqs:eu-west-1:111122223333:prod" in document
    assert "${" not in document
    own = output_of(
        capsys, "show", "karpenter", "--document", *parameters, "--param", "KarpenterNodeRole.Arn=arn:aws:iam::1:role/x"
    )
    assert "arn:aws:iam::1:role/x" in own
    assert "KarpenterNodeRole-prod" not in own
    # Without the account, the ARN of the role is not known.
    assert "${KarpenterNodeRole.Arn}" in output_of(capsys, "show", "karpenter", "--document", *parameters[2:])


def test_what_people_are_paged_for_stands_with_the_controller(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Karpenter is denied calls after an upgrade" in " ".join(output_of(capsys, "show", "karpenter").split())


def test_who_can_in_kubernetes_is_answered_by_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Each row of the tables, asked by its first verb and resource; the core's tests try all of them."""
    with (files.assets() / "access-policy-rules.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["resources"] not in ("", "*")]
    for row in rows:
        plural, _, sub = row["resources"].split(",")[0].partition("/")
        group = row["api_groups"].split(",")[0].replace("*", "example.com")
        resource_words = f"{plural}{'.' * bool(group)}{group}{'/' * bool(sub)}{sub}"
        names = output_of(capsys, "who-can", f"k8s:{row['verbs'].split(',')[0]}:{resource_words}", "--names").split()
        assert row["policy"] in names, resource_words
        assert "AmazonEKSClusterAdminPolicy" in names
    answer = answer_of(capsys, "who-can", "k8s:create:widgets.example.com")
    assert [policy["policy"] for policy in answer["policies"]] == ["AmazonEKSClusterAdminPolicy"]
    assert "AmazonEKSKROPolicy" in answer["not_known"]
    assert main(["who-can", "k8s:pods"]) == 2


def test_a_name_of_both_kinds_shows_both_and_a_prefix_picks_one(capsys: pytest.CaptureFixture[str]) -> None:
    output = output_of(capsys, "show", "AmazonEKSBlockStoragePolicy")
    iam, access = (
        f"arn:aws:{place}/AmazonEKSBlockStoragePolicy"
        for place in ("iam::aws:policy", "eks::aws:cluster-access-policy")
    )
    assert output.index(iam) < output.index(access)
    for words in ("access:AmazonEKSBlockStoragePolicy", access):
        alone = output_of(capsys, "show", words)
        assert access in alone
        assert iam not in alone


def test_what_people_miss_in_an_access_policy_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    view, edit = (answer_of(capsys, "show", f"AmazonEKS{kind}Policy")["lacks"] for kind in ("View", "Edit"))
    assert "secrets" in view
    assert "secrets" not in edit
    assert {"nodes", "custom resources (of CRDs)"} <= {*view, *edit}
    comparison = answer_of(capsys, "diff", "AmazonEKSViewPolicy", "AmazonEKSEditPolicy")
    assert {"api_group": "", "resource": "pods/exec", "verb": "create"} in comparison["added"]
    assert (comparison["reach"], comparison["removed"]) == ("widened", [])
    assert main(["diff", "AmazonEKSViewPolicy", "AmazonEKSKROPolicy"]) == 1  # nobody publishes the rules of one


def test_the_feed_has_releases_and_access_policies_where_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    def feed(scope: str) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = answer_of(capsys, "changes", "--scope", scope, "--since", "2024-01-01")["changes"]
        return steps

    changes = feed("controllers")
    assert {step["family"] for step in changes} == {"published"}
    steps = {(step["policy"], step["previous"], step["version"], step["reach"]) for step in changes}
    assert ("aws-load-balancer-controller", "v2.12.0", "v2.13.0", "widened") in steps
    comparison = answer_of(
        capsys, "diff", "aws-load-balancer-controller@v2.13.0", "aws-load-balancer-controller@v3.5.0"
    )
    # The project's tags; the document is the same in all releases between.
    assert [comparison[side]["created"][:10] for side in ("before", "after")] == ["2025-05-06", "2026-08-03"]
    days = [step["created"] for step in changes]
    assert days == sorted(days, reverse=True)
    (admin,) = [step for step in feed("access") if step["policy"] == "AmazonEKSAdminViewPolicy"]
    assert (admin["family"], admin["version"], admin["kind"]) == ("access-policy", None, "new")
    assert admin["created"] == "2024-04-23T00:00:00Z"
    assert {step["family"] for step in feed("eks")} == {"aws-managed"}
    late = answer_of(capsys, "changes", "--scope", "controllers", "--since", "2031-01-01")
    assert (late["complete"], late["changes"]) == (False, [])


def test_the_changes_of_controllers_say_until_when_those_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    until = json.loads((files.assets() / "published.json").read_text())["known_until"]
    assert main(["changes", "--scope", "controllers", "--since", "2025-01-01"]) == 0
    assert f"known until {until}" in capsys.readouterr().err
    assert main(["changes", "--scope", "controllers", "--since", "2031-01-01"]) != 1
    assert f"known until {until}" in capsys.readouterr().err


def test_what_is_listed_of_some_families_is_not_called_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    since = f"{Library.open().known_until('any') + timedelta(days=1):%Y-%m-%d}"
    feed = answer_of(capsys, "changes", "--scope", "any", "--since", since)
    main(["changes", "--scope", "any", "--since", since])
    assert ("Not all can be listed" if feed["changes"] else "Nothing can be listed") in capsys.readouterr().err
    assert not feed["complete"]


def test_an_access_policy_is_not_taken_for_the_iam_policy_of_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Four names exist in both families (EKS User Guide, "Review access policy permissions", and IAM)."""
    names = {"AmazonEKSBlockStoragePolicy", "AmazonEKSComputePolicy"}
    command = ("changes", "--scope", "any", "--since", "2024-10-15")
    attached_changes = answer_of(capsys, *command, "--attached", "--demo")["changes"]
    assert names <= {policy["policy"] for policy in attached_changes}
    assert {policy["family"] for policy in attached_changes} == {"aws-managed"}
    feed = ElementTree.fromstring(output_of(capsys, *command, "--format", "atom"))
    ids = [
        entry.findtext("{http://www.w3.org/2005/Atom}id") for entry in feed.iter("{http://www.w3.org/2005/Atom}entry")
    ]
    assert len(ids) == len(set(ids))


def test_what_is_too_long_for_a_customer_policy_is_split_by_whole_statements(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """IAM allows 6,144 characters without white space; AmazonEKSServiceRolePolicy has more."""
    assert main(["show", "AmazonEKSServiceRolePolicy", "--document"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert f"{len(''.join(json.dumps(answer).split())):,} characters" in err
    template = json.loads(output_of(capsys, "show", "AmazonEKSServiceRolePolicy", "--cloudformation"))
    parts = [resource["Properties"]["PolicyDocument"] for resource in template["Resources"].values()]
    assert len(parts) == 2
    assert [statement for part in parts for statement in part["Statement"]] == answer["Statement"]
    assert all(len("".join(json.dumps(part).split())) <= 6_144 for part in parts)
    assert (
        output_of(capsys, "show", "AmazonEKSServiceRolePolicy", "--terraform").count('resource "aws_iam_policy"') == 2
    )
    assert main(["show", "AmazonEKS_CNI_Policy", "--terraform"]) == 0
    assert "characters" not in capsys.readouterr().err


def test_a_request_is_evaluated_by_a_controllers_policy_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    request = ("--action", "eks:DescribeCluster", "--resource", "arn:aws:eks:eu-west-1:111122223333:cluster/prod")
    words = ("explain", "--policy", "karpenter@v1.14.1", *request)
    open_answer = answer_of(capsys, *words)
    assert open_answer["verdict"] == "depends"
    assert "ClusterName" in open_answer["missing_context"]
    parameters = [f"--param={pair}" for pair in ("AWS::Region=eu-west-1", "AWS::AccountId=111122223333")]
    assert answer_of(capsys, *words, *parameters, "--param", "ClusterName=prod")["verdict"] == "allowed"
    assert answer_of(capsys, *words, *parameters, "--param", "ClusterName=other")["verdict"] == "implicit-deny"
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/lbc/i is not authorized to perform: ec2:GetSecurityGroupsForVpc"
    )
    scopes = {allower["policy"]: allower["scope"] for allower in answer_of(capsys, "explain", message)["allowed_by"]}
    assert scopes["aws-load-balancer-controller"] == "controllers"
    assert "aws-load-balancer-controller/aws-cn" not in scopes


def test_a_release_is_pinned_and_moves_with_its_document_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    releases = [release.tag for release in components()["aws-load-balancer-controller"].versions[-1].releases]
    first, newest = releases[0], releases[-1]
    assert main(["pin", f"aws-load-balancer-controller@{first}"]) == 0
    assert f'version = "{first}"' in (tmp_path / "ekstui.lock").read_text()
    assert answer_of(capsys, "check")["moved"] == []  # the newest release has the same document
    assert main(["pin", "aws-load-balancer-controller@v2.12.0"]) == 0
    capsys.readouterr()
    (change,) = answer_of(capsys, "check")["moved"]
    assert (change["from"], change["to"], change["reach"]) == ("v2.12.0", newest, "widened")
    lock = tmp_path / "ekstui.lock"
    lock.write_text(lock.read_text().replace("v2.12.0", "v2.12.99"))
    assert main(["check"]) == 0
    assert "the pinned version is not known" in capsys.readouterr().out
