"""The layers of an organization: AWS Organizations User Guide, "SCP evaluation" and "RCP evaluation"."""

from typing import Any

import pytest

from ekstui.iam.evaluation import Organization, PolicyLevel, evaluate
from ekstui.iam.request import Request
from tests.support.documents import applied_policy

ROLE = "arn:aws:iam::111122223333:role/app"
BUCKET = "arn:aws:s3:::logs"
FULL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
LINKED = "arn:aws:iam::111122223333:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"
LINKED_SESSION = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForAmazonEKS/1"


def level(*statements: dict[str, Any]) -> PolicyLevel:
    return PolicyLevel("ou", tuple(applied_policy("p", {"Effect": "Deny", **statement}) for statement in statements))


IN_REGION = {"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}
OUTSIDE = {"NotAction": ["iam:*"], "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}
ALLOW = {"Effect": "Allow"}


@pytest.mark.parametrize(
    ("levels", "region", "expected", "decided_by"),
    [
        ([level(FULL)], "eu-west-1", "allowed", None),
        # Every level must allow it; within one, any policy may.
        ([level(FULL), level({**ALLOW, "Action": "ec2:*"})], None, "implicit-deny", "service-control"),
        ([level(FULL), level({**ALLOW, "Action": "ec2:*"}, {**ALLOW, "Action": "s3:*"})], None, "allowed", None),
        ([level({**ALLOW, "Action": "ec2:*"}), level({**ALLOW, "Action": "s3:*"})], None, "implicit-deny", "service-control"),
        # A level without an Allow allows nothing.
        ([level(FULL), level({"Action": "ec2:*"})], None, "implicit-deny", "service-control"),
        # The full language in an Allow: conditions, NotAction, NotResource.
        ([level({**ALLOW, **IN_REGION})], "eu-west-1", "allowed", None),
        ([level({**ALLOW, **IN_REGION})], "us-east-1", "implicit-deny", "service-control"),
        ([level({**ALLOW, **IN_REGION})], None, "depends", None),
        ([level({**ALLOW, "NotAction": "iam:*"})], None, "allowed", None),
        ([level({**ALLOW, "NotAction": "s3:*"})], None, "implicit-deny", "service-control"),
        ([level({**ALLOW, "NotResource": "arn:aws:s3:::logs"})], None, "implicit-deny", "service-control"),
        ([level({**ALLOW, "NotResource": "arn:aws:s3:::else"})], None, "allowed", None),
        # A Deny of any level.
        ([level(FULL), level(FULL, OUTSIDE)], "us-east-1", "explicit-deny", "service-control"),
        ([level(FULL, OUTSIDE), level(FULL)], "us-east-1", "explicit-deny", "service-control"),
        ([level(FULL, OUTSIDE)], "eu-west-1", "allowed", None),
        ([level(FULL, OUTSIDE)], None, "depends", None),
    ],
)  # fmt: skip
def test_service_control_policies(
    levels: list[PolicyLevel], region: str | None, expected: str, decided_by: str | None
) -> None:
    context = {} if region is None else {"aws:RequestedRegion": (region,)}
    request = Request("s3:ListBucket", (BUCKET,), ROLE, context)
    evaluation = evaluate(request, [applied_policy("p", FULL)], organization=Organization(tuple(levels)))
    assert (evaluation.verdict, evaluation.decisive.decided_by) == (expected, decided_by)


@pytest.mark.parametrize(
    ("principal", "context", "expected"),
    [
        (ROLE, {}, "explicit-deny"),
        ("arn:aws:iam::111122223333:root", {}, "explicit-deny"),
        (LINKED, {}, "allowed"),
        # A session's ARN lacks the path, which alone tells.
        (LINKED_SESSION, {}, "depends"),
        (LINKED_SESSION, {"aws:PrincipalArn": (LINKED,)}, "allowed"),
        (
            LINKED_SESSION,
            {"aws:PrincipalArn": ("arn:aws:iam::111122223333:role/AWSServiceRoleForMe",)},
            "explicit-deny",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["service_control", "resource_control"])
def test_whom_they_restrict(principal: str, context: dict[str, tuple[str, ...]], expected: str, kind: str) -> None:
    organization = Organization()._replace(**{kind: (level(FULL, {}),)})
    evaluation = evaluate(
        Request("s3:ListBucket", (BUCKET,), principal, context), [applied_policy("p", FULL)], organization=organization
    )
    assert evaluation.verdict == expected
    assert ("aws:PrincipalArn" in evaluation.missing) == (expected == "depends")


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1", "explicit-deny"),
        ("sts:AssumeRole", ROLE, "explicit-deny"),
        # Whether they apply to EC2 is not known here.
        ("ec2:StopInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "depends"),
        # AWS evaluates no policy for it.
        ("sts:GetCallerIdentity", "*", "allowed"),
    ],
)
def test_resource_control_policies(action: str, resource: str, expected: str) -> None:
    # Without an Allow of its own: RCPFullAWSAccess is always attached.
    for organization, verdict in (
        (Organization((), (level({"Action": "*"}),)), expected),
        (Organization((), (level({"Action": "logs:*"}),)), "allowed"),
    ):
        evaluation = evaluate(
            Request(action, (resource,), ROLE), [applied_policy("p", FULL)], organization=organization
        )
        assert evaluation.verdict == verdict


def test_unknown_identity_policies_never_make_it_allowed_nor_hide_a_deny() -> None:
    request = Request("s3:ListBucket", (BUCKET,), ROLE)
    evaluation = evaluate(request, None, organization=Organization((level(FULL),)))
    assert (evaluation.verdict, evaluation.missing) == ("depends", ("identity",))
    evaluation_with_deny = evaluate(request, None, organization=Organization((level(FULL, {"Action": "s3:*"}),)))
    assert [(layer.layer, layer.verdict) for layer in evaluation_with_deny.decisive.layers] == [
        ("service-control", "explicit-deny"), ("identity", "depends"),
    ]  # fmt: skip
