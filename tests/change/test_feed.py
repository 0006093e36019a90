"""The changes of a policy over time: since a day, and in the order of the feed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.change.policy import Policy, VersionInfo, name_in
from ekstui.change.steps import (
    FeedStep,
    StepCounts,
    newest_first,
    numbers_since,
    steps_since,
    undated_versions_possibly_since,
)
from ekstui.iam.document import parse

DAY = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 10)]


def policy_with_dates(*days: datetime | None) -> Policy:
    infos = tuple(VersionInfo(number, day) for number, day in enumerate(days, 1))
    return Policy("P", "arn:aws:iam::aws:policy/P", len(infos), infos)


@pytest.mark.parametrize(
    ("days", "since", "numbers", "perhaps"),
    [
        ((DAY[0], DAY[2], DAY[4]), None, (1, 2, 3), ()),
        # Each with the one before it, which it is compared with.
        ((DAY[0], DAY[2], DAY[4]), DAY[4], (2, 3), ()),
        ((DAY[0], DAY[2], DAY[4]), DAY[1], (1, 2, 3), ()),
        ((DAY[0], DAY[2], DAY[4]), DAY[5], (), ()),
        # A version without a time may be of any time before the next that has one.
        ((DAY[0], None, DAY[4]), DAY[3], (2, 3), (2,)),
        ((DAY[0], None, DAY[4]), DAY[4], (2, 3), (2,)),
        ((None, DAY[2], None), DAY[3], (), (3,)),
        ((None, DAY[2], None), DAY[1], (1, 2), (1, 3)),
        ((None, None), DAY[1], (), (1, 2)),
        ((None, None), None, (1, 2), ()),
    ],
)
def test_versions_since_a_time(
    days: tuple[datetime | None, ...], since: datetime | None, numbers: tuple[int, ...], perhaps: tuple[int, ...]
) -> None:
    policy = policy_with_dates(*days)
    assert numbers_since(policy, since) == numbers
    assert undated_versions_possibly_since(policy, since) == perhaps


def test_steps_come_newest_first_and_those_without_a_time_last() -> None:
    counts = StepCounts("none", "same", 0, 0, 0)
    steps = [
        FeedStep(policy, version, version - 1, day, counts)
        for policy, version, day in (("b", 2, DAY[1]), ("a", 2, DAY[1]), ("a", 3, DAY[1]), ("c", 5, None), ("a", 9, None), ("d", 1, DAY[3]))
    ]  # fmt: skip
    assert [(step.policy, step.version) for step in newest_first(steps)] == [
        ("d", 1), ("a", 3), ("a", 2), ("b", 2), ("a", 9), ("c", 5),
    ]  # fmt: skip


def test_a_step_is_from_the_version_before_it_and_the_first_is_new() -> None:
    policy = policy_with_dates(DAY[0], DAY[2], DAY[4])
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    actions: list[Any] = [["s3:GetObject"], ["s3:GetObject", "s3:PutObject"], ["s3:PutObject"]]
    documents = {n: parse({"Statement": {**statement, "Action": action}}) for n, action in enumerate(actions, 1)}
    steps = list(steps_since(policy, documents, None))
    rows = [(step.version, step.previous, step.change.kind, step.change.added, step.change.removed) for step in steps]
    assert rows == [(1, None, "new", 1, 0), (2, 1, "actions", 1, 0), (3, 2, "actions", 0, 1)]
    assert [step.version for step in steps_since(policy, documents, DAY[3])] == [3]
    assert list(steps_since(policy, documents, DAY[5])) == []


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::aws:policy/service-role/P", "P"),
        ("arn:aws:eks::aws:cluster-access-policy/P", "P"),
        ("arn:aws:iam::111122223333:role/r#own", "r#own"),
        ("published:karpenter/controller", "karpenter/controller"),
    ],
)
def test_the_name_in_the_arn_of_a_policy(arn: str, name: str) -> None:
    assert name_in(arn) == name
