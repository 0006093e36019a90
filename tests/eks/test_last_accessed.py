"""What provably was not used: IAM User Guide, "Refine permissions in AWS using last accessed information"."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ekstui.eks.last_accessed import ActionAccess, LastAccessed, ServiceAccess, use_in, without_unused
from ekstui.iam.document import parse, serialise

NOW = datetime(2026, 12, 2, tzinfo=UTC)
RECENT, OLD = NOW - timedelta(days=3), NOW - timedelta(days=91)


def service(name: str, last_used: datetime | None, **actions: datetime | None) -> ServiceAccess:
    tracked_actions = tuple(ActionAccess(f"{name}:{action}", last_use) for action, last_use in actions.items())
    return ServiceAccess(name, name.upper(), last_used, None, None, tracked_actions)


REPORT = LastAccessed(
    "arn:aws:iam::111122223333:role/app", NOW,
    (
        service("ec2", RECENT, CreateTags=RECENT, DeleteTags=OLD, CreateVolume=None),
        service("sqs", None), service("sns", OLD), service("iam", None), service("s3", RECENT),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "actions_left"),
    [
        # A service that was not used at all: whatever its pattern.
        (["sqs:*", "SNS:Publish", "ec2:CreateTags"], ["ec2:CreateTags"]),
        # Of a service that was used, only actions that IAM tracks are known not to have been.
        (["ec2:CreateTags", "ec2:DeleteTags", "ec2:createvolume", "ec2:DescribeTags"], ["ec2:CreateTags", "ec2:DescribeTags"]),
        (["s3:GetObject"], ["s3:GetObject"]),
        # A pattern stays with everything that it matches; so does every service.
        (["ec2:Delete*", "ec2:*"], ["ec2:Delete*", "ec2:*"]),
        (["*"], ["*"]),
        # A service that the report lacks is not known to be unused, nor is handing over a role.
        (["kms:Decrypt"], ["kms:Decrypt"]),
        (["iam:PassRole", "iam:GetRole"], ["iam:PassRole"]),
        (["iam:Pass*", "iam:Get*"], ["iam:Pass*"]),
        (["iam:*"], ["iam:*"]),
    ],
)  # fmt: skip
def test_what_provably_was_not_used_goes(actions: list[str], actions_left: list[str]) -> None:
    document = parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}})
    less = without_unused(document, REPORT, 90)
    statements: Any = serialise(less.trimmed.document)["Statement"]
    assert [action for statement in statements for action in statement["Action"]] == actions_left
    assert set(less.trimmed.dropped) == set(actions) - set(actions_left)


def test_denies_and_exceptions_stay() -> None:
    statements = [
        {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
    ]
    document = parse({"Version": "2012-10-17", "Statement": statements})
    less = without_unused(document, REPORT, 90)
    assert less.trimmed.document.statements == document.statements[:2]


def test_what_a_pattern_matches_that_was_not_used_is_said() -> None:
    document = parse({"Statement": {"Effect": "Allow", "Action": "ec2:Delete*", "Resource": "*"}})
    assert without_unused(document, REPORT, 90).kept == (("ec2:Delete*", ("ec2:DeleteTags",)),)


def test_never_is_not_in_the_tracking_period() -> None:
    assert [use_in(last_use, NOW, 90) for last_use in (RECENT, OLD, None)] == ["used", "not-in-days", "not-in-period"]
    assert use_in(OLD, NOW, 100) == "used"
