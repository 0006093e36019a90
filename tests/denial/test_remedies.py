"""Which policies, versions and releases would allow a request, and in which order they are offered."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.change.holders import Since
from ekstui.denial.purpose import UNKNOWN_PURPOSE, CandidatePolicy, Purpose
from ekstui.denial.remedies import MAX_ALLOWERS, allowers, newer_release, newer_version
from ekstui.iam.request import Request
from tests.denial.subjects import GET, MAY, READ, TAGGED, candidate, managed_policy
from tests.support.documents import allow, deny


def offered(*candidates: CandidatePolicy, request: Request = GET, purpose: Purpose = UNKNOWN_PURPOSE) -> list[str]:
    return [allower.policy for allower in allowers(request, candidates, purpose)[0]]


def test_the_policies_that_would_help_are_those_that_can_be_attached() -> None:
    roles = "arn:aws:iam::aws:policy/aws-service-role/linked"
    assert offered(
        candidate("reads", READ),
        candidate("linked", READ, arn=roles),
        candidate("gone", READ, withdrawn=True),
        candidate("writes", [allow("s3:PutObject")]),
        candidate("denies", [*READ, deny("s3:*")]),
        candidate("may", [allow("s3:GetObject", **MAY)]),
    ) == ["reads", "may"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # What is made for what the principal runs, then for its kind of role, then what nothing is known of.
        (candidate("own", READ, scope="all"), candidate("kind", READ, meant_for=("node role",))),
        (candidate("kind", READ, scope="all", meant_for=("node role",)), candidate("x", READ)),
        (candidate("x", [allow("*")], scope="all", meant_for=("node role",)), candidate("b", READ)),
        # Then AWS's for EKS, those of projects, and all others.
        (candidate("a", [allow("*")]), candidate("p", READ, scope="all", arn="published:p", home="https://p.example")),
        (candidate("p", [allow("*")], scope="all", arn="published:p", home="https://p.example"), candidate("b", READ, scope="all")),
        # Then one that names the action.
        (candidate("a", [allow("s3:Get*")], superseded=True), candidate("b", [allow("s3:*")])),
        (candidate("a", [allow("s3:Get*")], superseded=True), candidate("b", [{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}])),
        # Then one that nothing supersedes, the narrower one, and the more certain one.
        (candidate("a", [allow("s3:Get*")]), candidate("b", READ, superseded=True)),
        (candidate("a", READ), candidate("b", [allow(["s3:GetObject", "s3:PutObject"])])),
        (candidate("a", [*READ, deny("ec2:*")]), candidate("b", [allow(["s3:GetObject", "s3:PutObject"])])),
        (candidate("a", [allow("s3:GetObject", **MAY)]), candidate("b", [allow("s3:Get*")])),
        (candidate("a", READ), candidate("b", [allow("s3:GetObject", **MAY)])),
        # Outside EKS every pattern counts like a small service, and all but some as more than any.
        (candidate("a", [allow(["s3:GetObject", "s3:PutObject"])], scope="all"), candidate("b", [allow("s3:Get*")], scope="all")),
        (candidate("a", [allow("*")], scope="all"), candidate("b", [{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}], scope="all")),
        (candidate("a", [*READ, allow("iam:*")], scope="all"), candidate("b", [*READ, {"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}], scope="all")),
    ],
)  # fmt: skip
def test_the_policies_that_would_help_are_ranked(first: CandidatePolicy, second: CandidatePolicy) -> None:
    purpose = Purpose(True, frozenset({"node role"}), frozenset({"own"}))
    expected = [first.policy.name, second.policy.name]
    assert offered(first, second, purpose=purpose) == offered(second, first, purpose=purpose) == expected


def test_a_policy_made_for_the_caller_that_only_may_help_comes_after_those_that_do() -> None:
    purpose = Purpose(True, frozenset({"node role"}), frozenset({"mine", "doubtful"}))
    may = candidate("doubtful", [allow("s3:GetObject", **MAY)])
    assert offered(may, candidate("mine", [allow("*")], scope="all"), candidate("b", READ), purpose=purpose) == [
        "mine", "doubtful", "b",
    ]  # fmt: skip


def test_at_most_fifteen_policies_are_offered_and_the_others_counted() -> None:
    candidates = [candidate(f"p{number}", READ) for number in range(18)]
    offered_policies, count_left_out = allowers(GET, candidates, UNKNOWN_PURPOSE)
    assert (len(offered_policies), count_left_out) == (15, 3) == (MAX_ALLOWERS, 3)
    assert allowers(GET, candidates[:15], UNKNOWN_PURPOSE)[1] == 0


def test_what_is_said_of_a_policy_that_would_help() -> None:
    (published_allower,), _ = allowers(
        GET, [candidate("p", READ, arn="published:p", home="https://p.example")], UNKNOWN_PURPOSE
    )
    assert (published_allower.arn, published_allower.published, published_allower.wildcard) == (None, True, False)
    (wild,), _ = allowers(GET, [candidate("a", [allow("*")])], UNKNOWN_PURPOSE)
    assert (wild.arn, wild.published, wild.wildcard, wild.fit) == ("arn:aws:iam::aws:policy/a", False, True, "unknown")
    # It is the statement that allows it that counts, not a wildcard in another.
    (exact_allower,), _ = allowers(GET, [candidate("a", [allow("ec2:*"), *READ, deny("s3:Put*")])], UNKNOWN_PURPOSE)
    assert not exact_allower.wildcard
    (wide_and_exact,), _ = allowers(GET, [candidate("a", [allow("s3:*"), *READ])], UNKNOWN_PURPOSE)
    assert not wide_and_exact.wildcard
    (list_allower,), _ = allowers(GET, [candidate("a", [allow(["S3:*", "s3:PutObject"])])], UNKNOWN_PURPOSE)
    assert list_allower.wildcard


ELSEWHERE = "arn:aws:s3:::elsewhere/*"


@pytest.mark.parametrize(
    ("versions", "since"),
    [
        ([READ], 1),
        ([[allow("s3:PutObject")], READ, READ], 2),
        # A gap ends the run.
        ([READ, [allow("s3:PutObject")], READ], 3),
        # A version that allows it for certain belongs to the run of one that may.
        ([READ, [allow("s3:GetObject", **MAY)]], 1),
        # One that only may is not of the run of one that certainly does.
        ([[allow("s3:GetObject", **MAY)], READ], 2),
        # The conditions are the same, or more than one way leads there.
        ([[allow("s3:GetObject", **MAY)], [allow("s3:GetObject", **MAY)]], 1),
        ([[allow("s3:GetObject", **MAY), allow("s3:GetObject", **TAGGED)], [allow("s3:GetObject", **MAY)]], 1),
        ([[allow("s3:GetObject", **MAY)], [allow("s3:GetObject", **MAY), allow("s3:GetObject", **TAGGED)]], 2),
        ([[allow("s3:GetObject", **TAGGED)], [allow("s3:GetObject", **MAY)]], 2),
        # A Deny or a statement about another action is no way.
        ([[allow("s3:GetObject", **MAY)], [allow("s3:GetObject", **MAY), allow("s3:PutObject", **TAGGED)]], 1),
        (
            [
                [allow("s3:GetObject", **MAY)],
                [allow("s3:GetObject", **MAY), allow("s3:GetObject", ELSEWHERE, **TAGGED)],
            ],
            1,
        ),
    ],
)
def test_since_when_a_policy_helps(versions: list[list[dict[str, Any]]], since: int) -> None:
    (allower,), _ = allowers(GET, [candidate("a", *versions)], UNKNOWN_PURPOSE)
    assert allower.since == Since(since, datetime(2020 + since, 1, 1, tzinfo=UTC), at_latest=False)


NONE = [allow("s3:PutObject")]
PERHAPS = [allow("s3:GetObject", **MAY)]
PERHAPS_BOTH = [
    allow("s3:GetObject", Condition={"StringEquals": {"aws:ResourceTag/team": "a", "aws:PrincipalTag/team": "a"}})
]


@pytest.mark.parametrize(
    ("versions", "current", "default", "newer", "missing"),
    [
        ([NONE, READ], 1, None, 2, ()),
        ([NONE, NONE, READ, READ], 1, None, 3, ()),
        ([NONE, READ, NONE, READ], 1, None, 4, ()),
        ([NONE, READ], 2, None, None, ()),
        # Only up to the version that AWS has made the default.
        ([NONE, NONE, READ], 1, 2, None, ()),
        ([NONE, PERHAPS], 1, None, 2, ("aws:ResourceTag/team",)),
        ([NONE, PERHAPS, READ], 1, None, 3, ()),
        # What depends already gains nothing from what depends, but from what does not.
        ([PERHAPS, PERHAPS], 1, None, None, ()),
        ([PERHAPS, READ], 1, None, 2, ()),
        # An older version that depends on more is not the one to name.
        ([NONE, PERHAPS_BOTH, PERHAPS], 1, None, 3, ("aws:ResourceTag/team",)),
        ([NONE, PERHAPS, PERHAPS_BOTH], 1, None, 2, ("aws:ResourceTag/team",)),
    ],
)  # fmt: skip
def test_a_newer_version_that_helps(
    versions: list[list[dict[str, Any]]], current: int, default: int | None, newer: int | None, missing: tuple[str, ...]
) -> None:
    policy = candidate("a", *versions, default=default)
    in_force = managed_policy(*versions[current - 1], name="a", version=current)
    advice = newer_version(GET, (in_force,), [policy])
    assert (advice and (advice.current, advice.version, advice.missing)) == (newer and (current, newer, missing))
    assert newer_version(GET, (in_force._replace(arn="arn:aws:iam::aws:policy/b"),), [policy]) is None
    assert newer_version(GET, (in_force._replace(version=None),), [policy]) is None


def test_of_the_newer_versions_of_two_policies_the_one_that_certainly_helps_is_named() -> None:
    may_help, helps = candidate("a", NONE, PERHAPS), candidate("b", NONE, READ)
    outdated_policies = (managed_policy(*NONE, name="a", version=1), managed_policy(*NONE, name="b", version=1))
    for identity in (outdated_policies, outdated_policies[::-1]):
        advice = newer_version(GET, identity, [may_help, helps])
        assert advice is not None
        assert (advice.policy, advice.version) == ("b", 2)


@pytest.mark.parametrize(
    ("versions", "newer"),
    [
        ([PERHAPS, PERHAPS], None),
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)]], 2),
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)], [*PERHAPS, allow("s3:GetObject", **TAGGED)]], 2),
        # What came and went helps nobody.
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)], PERHAPS], None),
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)], PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)]], 4),
        ([PERHAPS, [*PERHAPS, deny("s3:GetObject", **TAGGED)]], None),
        ([NONE, NONE, READ], 3),
    ],
)  # fmt: skip
def test_a_newer_release_with_another_way_to_be_allowed(
    versions: list[list[dict[str, Any]]], newer: int | None
) -> None:
    release = newer_release(GET, candidate("a", *versions), 1)
    assert (release and release.version) == newer
