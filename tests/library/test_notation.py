"""What a user types where a policy, a file or a role is meant."""

from datetime import UTC, datetime, timedelta

import pytest

from ekstui.errors import InputError
from ekstui.library.notation import (
    FileSide,
    PolicyAt,
    RoleSide,
    StandardInput,
    VersionRange,
    parse_policy,
    parse_policy_or_range,
    parse_side,
    parse_sides,
    parse_since,
)

ARN = "arn:aws:iam::123456789012:policy/team@corp"


def two(name: str, before: int, after: int) -> VersionRange:
    return VersionRange(PolicyAt(name, before), PolicyAt(name, after))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("AmazonEKS_CNI_Policy", PolicyAt("AmazonEKS_CNI_Policy")),
        ("AmazonEKS_CNI_Policy@v6", PolicyAt("AmazonEKS_CNI_Policy", 6)),
        ("AmazonEKS_CNI_Policy@6", PolicyAt("AmazonEKS_CNI_Policy", 6)),
        ("AmazonEKS_CNI_Policy@v5..v6", two("AmazonEKS_CNI_Policy", 5, 6)),
        ("X@6..5", two("X", 6, 5)),
        (ARN, PolicyAt(ARN)),
        (f"{ARN}@v2", PolicyAt(ARN, 2)),
        (f"{ARN}@v2..v3", two(ARN, 2, 3)),
        ("karpenter@v1.14.1", PolicyAt("karpenter", release="v1.14.1")),
        ("karpenter@v1", PolicyAt("karpenter", release="v1")),
        ("load-balancer-c@2.13.0", PolicyAt("load-balancer-c", release="2.13.0")),
        (
            "vpc-cni/ipv6@v1.11.0..v1.20.4-eksbuild.1",
            VersionRange(
                PolicyAt("vpc-cni/ipv6", release="v1.11.0"), PolicyAt("vpc-cni/ipv6", release="v1.20.4-eksbuild.1")
            ),
        ),
    ],
)
def test_where_points_at_a_policy_or_two_of_its_versions(text: str, place: PolicyAt | VersionRange) -> None:
    assert parse_policy_or_range(text) == place


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("", "missing"),
        ("@v5", "missing"),
        ("X@", "''"),
        ("X@v0", "'v0'"),
        ("X@latest", "'latest'"),
        ("X@v5..", "''"),
        ("X@..v5", "''"),
        ("X@v5...v6", "'v5...v6'"),
        ("X@v٣", "v٣"),
    ],
)
def test_a_version_that_is_none_is_named(text: str, phrase: str) -> None:
    with pytest.raises(InputError) as error:
        parse_policy_or_range(text)
    assert phrase in error.value.message


def test_one_version_is_not_a_range() -> None:
    assert parse_policy("X@v5") == PolicyAt("X", 5)
    with pytest.raises(InputError, match="One version"):
        parse_policy("X@v5..v6")


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("-", StandardInput()),
        ("role:node", RoleSide("node")),
        ("./policy", FileSide("./policy")),
        ("policy.json", FileSide("policy.json")),
        ("AmazonEKS_CNI_Policy@v6", PolicyAt("AmazonEKS_CNI_Policy", 6)),
        ("arn:aws:iam::aws:policy/service-role/X@v2", PolicyAt("arn:aws:iam::aws:policy/service-role/X", 2)),
    ],
)
def test_a_side_of_a_diff(text: str, side: object) -> None:
    assert parse_side(text) == side


def test_the_two_sides_of_a_diff() -> None:
    assert parse_sides(["X", "Y@v2"]) == (PolicyAt("X"), PolicyAt("Y", 2))
    assert parse_sides(["X@v5..v6"]) == (PolicyAt("X", 5), PolicyAt("X", 6))
    assert parse_sides(["X", "v5..v6"]) == (PolicyAt("X", 5), PolicyAt("X", 6))
    assert parse_sides(["X", "../v6"])[1] == FileSide("../v6")
    for places in ([], ["X"], ["X", "Y", "Z"], ["-", "-"], ["role:", "X"], ["X@v1..v2", "Y"]):
        with pytest.raises(InputError):
            parse_sides(places)


NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T10:00Z", datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("36h", NOW - timedelta(hours=36)),
        (" 7D ", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(days=14)),
        ("3m", NOW - timedelta(days=90)),
        ("1y", NOW - timedelta(days=365)),
        # Before the calendar: everything.
        ("99999y", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_a_time_and_how_long_ago(text: str, since: datetime) -> None:
    assert parse_since(text, NOW) == since


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "1.5d", "7 d", "2026-13-01", "0000-01-01", "yesterday"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InputError):
        parse_since(text, NOW)


@pytest.mark.parametrize(
    ("before", "after", "second_side"),
    [
        ("AmazonEKS_CNI_Policy@v5", "v6", PolicyAt("AmazonEKS_CNI_Policy", 6)),
        ("AmazonEKS_CNI_Policy", "5", PolicyAt("AmazonEKS_CNI_Policy", 5)),
        ("karpenter@v1.8.0", "v1.14.1", PolicyAt("karpenter", release="v1.14.1")),
        ("role:prod-node", "v6", PolicyAt("v6")),
        ("A", "VSixPolicy", PolicyAt("VSixPolicy")),
    ],
)
def test_a_version_after_a_policy_is_that_policys(before: str, after: str, second_side: PolicyAt) -> None:
    assert parse_sides([before, after])[1] == second_side
