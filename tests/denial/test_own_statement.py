"""The smallest statement that allows what is denied."""

from typing import Any

import pytest

from ekstui.denial.deciding import nearest_statements
from ekstui.denial.own_statement import smallest_statement
from ekstui.iam.document import Statement
from ekstui.iam.evaluation import evaluate
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from tests.denial.subjects import ACCOUNT, BUCKET, REGION, SESSION, SNAPSHOT, VOLUME, candidate, managed_policy
from tests.support.documents import allow, deny


def smallest(request: Request, *statements: dict[str, Any], name: str | None = None) -> Statement:
    evaluation = evaluate(request, (managed_policy(*statements),), reference=reference()) if statements else None
    statements_near = (
        ()
        if evaluation is None
        else nearest_statements(evaluation.decisive.statements, evaluation.verdict, request.action)
    )
    return smallest_statement(request, evaluation, statements_near, name)


def test_the_smallest_statement_allows_what_is_not_allowed_yet_and_no_more() -> None:
    two_objects = Request("s3:GetObject", (f"{BUCKET}/a", f"{BUCKET}/b"), SESSION)
    assert smallest(two_objects, allow("s3:GetObject", f"{BUCKET}/a")).resources == (f"{BUCKET}/b",)
    assert smallest(two_objects).resources == two_objects.resources
    assert smallest(two_objects, allow("s3:PutObject")).conditions == ()
    # It has the conditions of the nearest one only where that refuses tags.
    keys = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    tagging = Request("ec2:CreateTags", (SNAPSHOT,), SESSION, REGION | {"aws:TagKeys": ("b",)})
    statement = smallest(tagging, allow("ec2:*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), allow("ec2:CreateTags", Condition=keys))  # fmt: skip
    assert statement.conditions == ()
    statement = smallest(tagging, allow("ec2:CreateTags", Condition=keys))
    assert [(condition.operator, condition.key, condition.values) for condition in statement.conditions] == [
        ("StringEquals", "aws:RequestedRegion", ("eu-west-1",))
    ]
    other_region = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    assert smallest(tagging, allow("ec2:CreateTags", Condition=other_region)).conditions == ()
    # The nearest is the one that fails for its condition alone, not the one for another resource.
    elsewhere = allow("ec2:CreateTags", VOLUME, Condition={"StringEquals": {"ec2:CreateAction": "CreateVolume"}})
    statement_of_nearest = smallest(tagging, elsewhere, allow("ec2:CreateTags", Condition=keys))
    assert [condition.key for condition in statement_of_nearest.conditions] == ["aws:RequestedRegion"]


@pytest.mark.parametrize(
    ("action", "name", "resource"),
    [
        # A secret's ARN ends in six characters that its name has not (Secrets Manager User Guide, "Secrets Manager ARN").
        ("secretsmanager:GetSecretValue", "prod/db", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:prod/db-??????"),
        ("secretsmanager:GetSecretValue", "prod/db-a1B2c3", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:prod/db-a1B2c3"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:prod/db",
         f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:prod/db-??????"),
        ("ssm:GetParameter", "/prod/db", f"arn:aws:ssm:*:{ACCOUNT}:parameter/prod/db"),
        ("eks:DescribeCluster", "prod", f"arn:aws:eks:*:{ACCOUNT}:cluster/prod"),
        # Of several types of resource the one that the action needs; of those that it may have, the only one.
        ("eks:DescribeUpdate", "prod", f"arn:aws:eks:*:{ACCOUNT}:cluster/prod"),
        ("sns:TagResource", "alerts", f"arn:aws:sns:*:{ACCOUNT}:alerts"),
        ("iam:UpdateRole", "node", f"arn:aws:iam::{ACCOUNT}:role/node"),
        # An alias is no key; the ARN of a node group has three names; a table may be one of several types.
        ("kms:Decrypt", "alias/app", "*"),
        ("kms:Decrypt", "a466d1fa-0000-0000-0000-000000000000", f"arn:aws:kms:*:{ACCOUNT}:key/a466d1fa-0000-0000-0000-000000000000"),
        ("eks:DescribeNodegroup", "workers", "*"),
        ("eks:TagResource", "prod", "*"),
        ("nosuch:Action", "prod", "*"),
        ("eks:DescribeCluster", None, "*"),
    ],
)  # fmt: skip
def test_a_resource_that_a_message_only_names_is_taken_to_be_in_the_callers_account(
    action: str, name: str | None, resource: str
) -> None:
    assert smallest(Request(action, (), SESSION), name=name).resources == (resource,)
    redacted_session = SESSION.replace(ACCOUNT, "***")
    assert smallest(Request(action, (), redacted_session), name=name).resources == ("*",)
    assert smallest(Request(action, (VOLUME,), SESSION), name=name).resources == (VOLUME,)


@pytest.mark.parametrize(
    ("pattern", "resource"),
    [
        ("arn:aws:ec2:*:*:snapshot/*", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:snapshot/*"),
        ("arn:*:ec2:eu-*:*:snapshot/*", f"arn:aws:ec2:eu-*:{ACCOUNT}:snapshot/*"),
        (f"arn:aws:ec2:*:{ACCOUNT}:snapshot/snap-*", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:snapshot/snap-*"),
        # It allows what is not asked for.
        ("arn:aws:ec2:us-east-1:*:snapshot/*", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:snapshot/snap-0abc"),
    ],
)
def test_the_smallest_statement_is_as_narrow_as_that_of_a_policy_made_for_the_caller(
    pattern: str, resource: str
) -> None:
    condition = {"StringEquals": {"ec2:Attribute": "x"}}
    first, second = (f"arn:aws:ec2:eu-west-1:{ACCOUNT}:snapshot/snap-0{name}" for name in ("abc", "def"))
    model = candidate(
        "made", [allow("ec2:DescribeTags"), allow("ec2:ModifySnapshotAttribute", pattern, Condition=condition)]
    )
    request = Request("ec2:ModifySnapshotAttribute", (first,), SESSION)
    statement = smallest_statement(request, None, (), None, [model])
    assert statement.resources == (resource,)
    assert [line.key for line in statement.conditions] == (["ec2:Attribute"] if resource != first else [])
    # Of several resources it need not be about each.
    common = smallest_statement(request._replace(resources=(first, second)), None, (), None, [model])
    assert (common.conditions, len(common.resources)) == ((), 2 if "snap-" in common.resources[0] else 1)


@pytest.mark.parametrize(
    ("name", "model", "key"),
    [
        # Of no resource, or of one that the message names, what a policy made for the caller asks for stays.
        (None, [allow("eks:DescribeCluster", f"arn:aws:eks:*:{ACCOUNT}:cluster/*")], "aws:ResourceTag/made"),
        ("prod", [allow("eks:DescribeCluster", f"arn:aws:eks:*:{ACCOUNT}:cluster/prod")], "aws:ResourceTag/made"),
        ("prod", [allow("eks:DescribeCluster", f"arn:aws:eks:*:{ACCOUNT}:cluster/dev")], None),
        # What it denies, allows by a wildcard, or allows on all but something is no model.
        ("prod", [deny("eks:DescribeCluster")], None),
        ("prod", [allow("eks:*")], None),
        ("prod", [{"Effect": "Allow", "Action": "eks:DescribeCluster", "NotResource": "arn:aws:eks:*:*:cluster/dev"}], None),
    ],
)  # fmt: skip
def test_what_a_policy_made_for_the_caller_asks_for_is_asked_for_too(
    name: str | None, model: list[dict[str, Any]], key: str | None
) -> None:
    asking = [{**statement, "Condition": {"StringEquals": {"aws:ResourceTag/made": "x"}}} for statement in model]
    request = Request("eks:DescribeCluster", (), SESSION)
    statement = smallest_statement(request, None, (), name, [candidate("made", asking)])
    assert [condition.key for condition in statement.conditions] == ([key] if key else [])
