"""Documents and differences in the formats of other tools."""

import json
from typing import Any

from tests.cli.test_commands import ekstui


def actions_of(document: dict[str, Any]) -> list[str]:
    actions = [statement["Action"] for statement in document["Statement"]]
    return [action for some in actions for action in ([some] if isinstance(some, str) else some)]


def test_a_version_as_terraform_cloudformation_and_markdown() -> None:
    document = json.loads(ekstui("show", "AmazonEKS_CNI_Policy@v5", "--document").stdout)
    terraform = ekstui("show", "AmazonEKS_CNI_Policy@v5", "--terraform").stdout
    assert 'resource "aws_iam_policy"' in terraform
    template = json.loads(ekstui("show", "AmazonEKS_CNI_Policy@v5", "--cloudformation").stdout)
    (resource,) = template["Resources"].values()
    assert resource["Type"] == "AWS::IAM::ManagedPolicy"
    assert resource["Properties"]["PolicyDocument"] == document
    assert "| ec2 |" in ekstui("show", "AmazonEKS_CNI_Policy@v5", "--markdown").stdout.replace("`", "")


def test_a_difference_as_markdown_and_as_a_patch() -> None:
    step = "AmazonEKS_CNI_Policy@v5..v6"
    assert "ec2:DescribeSecurityGroups" in ekstui("diff", step, "--markdown").stdout
    patch = ekstui("diff", step, "--patch").stdout.splitlines()
    assert patch[0].startswith("--- ")
    assert any(line.startswith("+") and "ec2:DescribeSecurityGroups" in line for line in patch)
    assert ekstui("diff", step, "--patch", "--markdown").returncode == 2


def test_a_start_without_what_eks_no_longer_uses() -> None:
    whole = json.loads(ekstui("show", "AmazonEKSClusterPolicy", "--document").stdout)
    done = ekstui("trim", "AmazonEKSClusterPolicy")
    assert done.returncode == 0
    left, everything = actions_of(json.loads(done.stdout)), actions_of(whole)
    assert left == [action for action in everything if not action.startswith("autoscaling:")]
    assert left != everything
    assert "Left out autoscaling:" in done.stderr


def test_a_policy_that_has_nothing_unused_stays_whole() -> None:
    done = ekstui("trim", "AmazonEKS_CNI_Policy", "--json")
    answer = json.loads(done.stdout)
    assert answer["dropped"] == []
    assert len(answer["document"]["Statement"]) == 2
    assert "Nothing is left out" in done.stderr
