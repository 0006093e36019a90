"""Who-can over the whole corpus: against a plain reading of the raw JSON, and in cases that people are paged for."""

from functools import cache
from typing import Any

import pytest

from ekstui.change.candidates import Candidate, candidate_of
from ekstui.change.holders import Holder, first_of_run, holders_of, nearest_actions, parse_action, widenings
from ekstui.change.policy import Policy, VersionInfo, format_time
from ekstui.errors import InputError
from ekstui.iam.document import parse
from ekstui.iam.reference import reference
from tests.support.brute_force import as_list, glob
from tests.support.corpus import policy_of, raw_corpus, raw_policies, sampled_corpus
from tests.support.documents import allow, deny


def names(statement: Any, action: str) -> bool:
    element = "Action" if "Action" in statement else "NotAction"
    is_matched = any(glob(pattern.strip().lower(), action.lower()) for pattern in as_list(statement[element]))
    return is_matched == (element == "Action")


def versions_that_allow(raw: Any, action: str) -> list[int]:
    return [
        int(version["version"][1:])
        for version in raw["versions"]
        if any(s["Effect"] == "Allow" and names(s, action) for s in as_list(version["document"]["Statement"]))
    ]


@cache
def candidates(action: str) -> list[Candidate]:
    """The policies that may allow an action, from the documents of those versions that matter."""
    list_of_candidates: list[Candidate] = []
    for raw in raw_corpus():
        if versions_that_allow({"versions": raw["versions"][-1:]}, action):
            documents = {int(version["version"][1:]): parse(version["document"]) for version in raw["versions"]}
            candidate = candidate_of(policy_of(raw), documents, action.lower())
            assert candidate is not None, raw["name"]
            list_of_candidates.append(candidate)
    return list_of_candidates


def holders(action: str, resource: str | None = None) -> dict[str, Holder]:
    return {holder.policy.name: holder for holder in holders_of(action, candidates(action), resource).holders}


@pytest.mark.parametrize(
    "action", ["ec2:DescribeSecurityGroups", "ecr:BatchImportUpstreamImage", "iam:CreateUser", "eks:DescribeCluster"]
)
def test_the_policies_and_the_runs_are_those_of_the_raw_documents(action: str) -> None:
    holder_by_name = holders(action)
    looked_at = {*holder_by_name, *(raw["name"] for raw in sampled_corpus())}
    policies = [raw for raw in raw_corpus() if raw["name"] in looked_at]
    expected: dict[str, int] = {}
    for raw in policies:
        versions = versions_that_allow(raw, action)
        if int(raw["default"][1:]) not in versions:
            continue
        run = [int(version["version"][1:]) for version in raw["versions"]]
        while run and run[-1] in versions:
            first = run.pop()
        expected[raw["name"]] = first
    assert {name: holder.since.version for name, holder in holder_by_name.items()} == expected
    assert len(expected) > 2


def test_the_vpc_cni_policy_describes_security_groups_since_v6() -> None:
    holder = holders("ec2:DescribeSecurityGroups")["AmazonEKS_CNI_Policy"]
    assert (holder.since.version, holder.since.at_latest) == (6, False)
    assert (format_time(holder.since.created) or "")[:10] == "2026-03-04"
    assert (holder.via, holder.pattern, holder.denied) == ("Action", "ec2:DescribeSecurityGroups", None)


def test_a_pull_through_cache_needs_another_policy_than_read_only() -> None:
    holder_by_name = holders("ecr:BatchImportUpstreamImage")
    assert "AmazonEC2ContainerRegistryPullOnly" in holder_by_name
    assert "AmazonEC2ContainerRegistryReadOnly" not in holder_by_name


def test_power_users_may_do_all_but_what_their_policy_excepts() -> None:
    holder = holders("s3:CreateBucket")["PowerUserAccess"]
    assert holder.via == "NotAction"
    assert "iam:*" in holder.pattern
    assert "PowerUserAccess" not in holders("iam:CreateUser")


def test_an_action_on_several_types_says_which_are_covered() -> None:
    info = reference().find("ec2:CreateVolume")
    assert info is not None
    driver = holders("ec2:CreateVolume")["AmazonEBSCSIDriverPolicy"]
    # AmazonEBSCSIDriverPolicy v3 added the snapshot that a volume is restored from.
    assert {"volume", "snapshot"} <= set(driver.covers)
    assert set(driver.covers) | set(driver.lacks) == {use.name for use in info.resource_types}
    assert not set(driver.covers) & set(driver.lacks)
    # A question about snapshots leaves the policy what it has on volumes.
    on_snapshots = holders("ec2:CreateVolume", "arn:aws:ec2:*:*:snapshot/*")["AmazonEBSCSIDriverPolicy"]
    assert [grant.resources for grant in on_snapshots.grants] == [("arn:aws:ec2:*:*:snapshot/*",)]
    assert (on_snapshots.covers, on_snapshots.lacks) == (("snapshot", "volume"), ())


def test_a_resource_keeps_the_policies_whose_grants_can_match_it() -> None:
    table = "arn:aws:iam::123456789012:role/prod"
    all_holders, table_holders = holders("iam:PassRole"), holders("iam:PassRole", table)
    assert set(table_holders) < set(all_holders)
    for name, holder in all_holders.items():
        is_wide = any(grant.resources == ("*",) or grant.resource_element == "NotResource" for grant in holder.grants)
        assert not is_wide or name in table_holders
        if name not in table_holders:
            assert all(resource.startswith("arn:") for grant in holder.grants for resource in grant.resources)


def holder_of_small_policy(statements: list[Any], action: str, resource: str | None = None) -> Holder | None:
    policy = Policy("P", "arn:aws:iam::aws:policy/P", 1, (VersionInfo(1, None),))
    candidate = candidate_of(policy, {1: parse({"Statement": statements})}, action.lower())
    matches = holders_of(action, [candidate] if candidate else [], resource).holders
    return matches[0] if matches else None


ALLOW = {"Effect": "Allow", "Action": ["s3:Get*", "S3:GetObject"], "Resource": "*"}


@pytest.mark.parametrize(
    ("action", "deny", "denied"),
    [
        ("s3:GetObject", {"Action": "s3:*", "Resource": "*"}, "full"),
        ("s3:GetObject", {"Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}, "partial"),
        ("s3:GetObject", {"Action": "s3:Put*", "Resource": "*"}, None),
        ("s3:Get*", {"Action": "s3:GetObject", "Resource": "*"}, "partial"),
        ("s3:Get*", {"Action": "s3:*", "Resource": "*"}, "full"),
    ],
)
def test_what_the_policy_takes_back_is_said(action: str, deny: Any, denied: str | None) -> None:
    holder = holder_of_small_policy([ALLOW, {"Effect": "Deny", **deny}], action)
    assert holder is not None
    assert holder.denied == denied


@pytest.mark.parametrize(
    ("count", "denied"),
    [
        # Each resource that is allowed is compared with each that is denied, up to 20,000 pairs.
        (100, "full"),
        (200, "partial"),
        (201, "unknown"),
    ],
)
def test_how_much_is_taken_back_is_left_open_where_lists_are_long(count: int, denied: str) -> None:
    buckets = [f"arn:aws:s3:::b{number}/*" for number in range(count)]
    holder = holder_of_small_policy(
        [allow("s3:GetObject", buckets), deny("s3:GetObject", buckets[:100])], "s3:GetObject"
    )
    assert holder is not None
    assert holder.denied == denied


def test_the_most_specific_pattern_is_named() -> None:
    holder = holder_of_small_policy([{**ALLOW, "Action": "*"}, ALLOW], "s3:getobject")
    assert holder is not None
    assert holder.pattern == "S3:GetObject"


def test_a_grant_that_the_action_cannot_use_is_marked() -> None:
    holder = holder_of_small_policy(
        [{**ALLOW, "Action": "ec2:DescribeSubnets", "Resource": "arn:aws:ec2:*:*:subnet/*"}], "ec2:DescribeSubnets"
    )
    assert holder is not None
    assert not holder.applies


@pytest.mark.parametrize(
    ("numbers", "default", "allowing", "expected"),
    [
        ((1, 2, 3), 3, (1, 2, 3), (1, False)),
        ((1, 2, 3), 3, (1, 3), (3, False)),
        ((1, 2, 6), 6, (2, 6), (2, False)),
        ((1, 2, 6), 6, (6,), (6, True)),
        ((4, 5), 5, (4, 5), (4, True)),
        # What is newer than the default version counts neither way.
        ((1, 2, 3), 2, (2, 3), (2, False)),
        ((1, 2, 3), 2, (1, 2), (1, False)),
    ],
)
def test_a_run_crosses_numbers_that_nobody_saw(
    numbers: tuple[int, ...], default: int, allowing: tuple[int, ...], expected: tuple[int, bool]
) -> None:
    policy = Policy("P", "arn:aws:iam::aws:policy/P", default, tuple(VersionInfo(number, None) for number in numbers))
    since = first_of_run(policy, allowing.__contains__)
    assert (since.version, since.at_latest) == expected


def test_a_name_that_nobody_knows_has_its_nearest() -> None:
    assert nearest_actions("ec2:DescribeSubnet")[0] == "ec2:DescribeSubnets"
    assert "eks:DescribeCluster" in nearest_actions("ekss:DescribeCluster")
    # The right name under the prefix of another service, also one that the reference has.
    assert nearest_actions("ec2:CreateLoadBalancer")[0] == "elasticloadbalancing:CreateLoadBalancer"
    assert nearest_actions("efs:DescribeMountTargets")[0] == "elasticfilesystem:DescribeMountTargets"


def test_an_action_is_spelled_as_in_the_reference_and_needs_a_service() -> None:
    assert parse_action(" EC2:describesubnets ") == "ec2:DescribeSubnets"
    assert parse_action("zz:Odd") == "zz:Odd"
    for invalid_action in ("DescribeSubnets", "", ":x", "ec2:", "ec2:a b"):
        with pytest.raises(InputError):
            parse_action(invalid_action)
    with pytest.raises(InputError, match="ec2:DescribeSubnets"):
        parse_action("describesubnets")


def wider(name: str, action: str, since: int, resource: str | None = None) -> list[tuple[int, tuple[str, ...]]]:
    raw = raw_policies()[name]
    documents = {int(version["version"][1:]): parse(version["document"]) for version in raw["versions"]}
    return [
        (widened_by.version, widened_by.without)
        for widened_by in widenings(policy_of(raw), since, documents, action, resource)
    ]


def test_since_is_of_the_grant_as_asked() -> None:
    # v8 (2026-06-03) wants the cluster's tag, v9 (2026-06-16) does not.
    action = "elasticloadbalancing:SetRulePriorities"
    assert holders(action)["AmazonEKSLoadBalancingPolicy"].since.version == 8
    steps = wider("AmazonEKSLoadBalancingPolicy", action, 8)
    assert steps == [(9, ("aws:ResourceTag/eks:eks-cluster-name",))]
    # v6 dropped the conditions of the Shield actions.
    assert wider("AmazonEKSLoadBalancingPolicy", "shield:DeleteProtection", 1)[-1] == (
        6,
        ("aws:ResourceTag/eks:eks-cluster-name",),
    )


def test_a_grant_that_stayed_as_it_was_has_no_later_version() -> None:
    assert wider("AmazonEKS_CNI_Policy", "ec2:DescribeSecurityGroups", 6) == []
    assert wider("AmazonEKSClusterPolicy", "ec2:CreateTags", 1) == []


def test_no_condition_is_dropped_that_another_way_still_needs() -> None:
    # v3 made two statements with a condition each of one statement with both.
    assert wider("AmazonEKSServiceRolePolicy", "ec2:CreateTags", 1) == [(3, ())]


def test_of_a_resource_only_what_became_wider_for_it_counts() -> None:
    interface, group = "arn:aws:ec2:*:*:network-interface/*", "arn:aws:ec2:*:*:volume/*"
    assert wider("AmazonEKSServicePolicy", "ec2:CreateTags", 1, interface) == [(7, ())]
    assert wider("AmazonEKSServicePolicy", "ec2:CreateTags", 1, group) == []


def test_what_a_short_arn_reaches_is_left_open() -> None:
    policy = Policy("p", "arn:aws:iam::aws:policy/p", 1, (VersionInfo(1, None),))

    def holder(resource: str) -> Holder:
        statement = {"Effect": "Allow", "Action": "ec2:CreateVolume", "Resource": resource}
        candidate = candidate_of(policy, {1: parse({"Statement": statement})}, "ec2:createvolume")
        assert candidate is not None
        (match,) = holders_of("ec2:CreateVolume", [candidate]).holders
        return match

    short_holder, full_holder = holder("arn:aws:ec2:*:volume/*"), holder("arn:aws:ec2:*:*:volume/*")
    assert (short_holder.covers, short_holder.lacks) == ((), ("snapshot",))
    assert (full_holder.covers, full_holder.lacks) == (("volume",), ("snapshot",))


@pytest.mark.parametrize(
    ("statements", "action", "via", "pattern"),
    [
        # Names before wildcards, then the pattern with the most letters; a list of exceptions only if nothing else allows it.
        ([allow(["s3:Get*", "s3:*", "s3:GetObj*"])], "s3:GetObject", "Action", "s3:GetObj*"),
        ([allow(["s3:GetObjec*****", "s3:GetObject"])], "s3:GetObject", "Action", "s3:GetObject"),
        ([allow("*"), allow("s3:G***")], "s3:GetObject", "Action", "s3:G***"),
        ([{"Effect": "Allow", "NotAction": ["iam:*", "sqs:*"], "Resource": "*"}, allow("*")], "s3:GetObject", "Action", "*"),
        ([{"Effect": "Allow", "NotAction": ["iam:*", "sqs:*"], "Resource": "*"}], "s3:GetObject", "NotAction", "iam:*, sqs:*"),
        ([allow(["s3:GetObject", "s3:PutObject", "s3:G*"])], "s3:Get*", "Action", "s3:GetObject"),
    ],
)  # fmt: skip
def test_which_pattern_allows_it(statements: list[Any], action: str, via: str, pattern: str) -> None:
    holder = holder_of_small_policy(statements, action)
    assert holder is not None
    assert (holder.via, holder.pattern) == (via, pattern)


@pytest.mark.parametrize(
    ("resources", "resource", "grants"),
    [
        ({"Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}, "arn:aws:s3:::b/x", 1),
        ({"Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}, "arn:aws:s3:::*", 2),
        ({"Resource": "arn:aws:s3:::a/*"}, "arn:aws:s3:::b/x", 0),
        ({"NotResource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}, "arn:aws:s3:::b/x", 0),
        ({"NotResource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}, "arn:aws:s3:::b*/x", 1),
    ],
)
def test_only_grants_that_can_match_a_resource_count(resources: dict[str, Any], resource: str, grants: int) -> None:
    holder = holder_of_small_policy(
        [{"Effect": "Allow", "Action": "s3:GetObject", **resources}], "s3:GetObject", resource
    )
    assert (0 if holder is None else len(holder.grants)) == grants


def test_what_takes_long_is_left_out_where_it_is_not_asked_for() -> None:
    action = "elasticloadbalancing:SetRulePriorities"
    (candidate,) = (
        candidate for candidate in candidates(action) if candidate.policy.name == "AmazonEKSLoadBalancingPolicy"
    )
    (default,) = holders_of(action, [candidate]).holders
    (history,) = holders_of(action, [candidate], history=True).holders
    (bare_holder,) = holders_of(action, [candidate], types=False).holders
    assert (default.wider, [wider.version for wider in history.wider]) == ((), [9])
    assert (bool(default.covers or default.lacks), bare_holder.covers, bare_holder.lacks) == (True, (), ())
    # Of a pattern, neither types nor a level are known.
    answer = holders_of("elasticloadbalancing:SetRule*", [candidate])
    assert (answer.level, answer.holders[0].covers, answer.holders[0].lacks, answer.holders[0].applies) == (
        "unknown",
        (),
        (),
        True,
    )
    assert holders_of("ELASTICLOADBALANCING:setrulepriorities", []).action == action
    assert holders_of(action, []).level == "Write"


def test_no_more_names_than_help_are_given_for_one_that_nobody_knows() -> None:
    """Many services have an action of that name: three are listed, then what is spelled like it."""
    assert [action.partition(":")[2] for action in nearest_actions("zz:TagResource")] == ["TagResource"] * 3
    suggestions = nearest_actions("ekss:TagResource")
    assert [action.partition(":")[2] for action in suggestions[:3]] == ["TagResource"] * 3
    assert len(suggestions) == 5
    assert "eks:TagResource" in suggestions
    with pytest.raises(InputError) as error:
        parse_action("TagResource")
    assert error.value.next_step.count(":TagResource") == 5


@pytest.mark.parametrize("length", [256, 257])
def test_an_action_has_at_most_256_letters(length: int) -> None:
    action = f"zz:{'a' * (length - 3)}"
    if length == 256:
        assert parse_action(action) == action
        assert parse_action(" * ") == "*"
    else:
        with pytest.raises(InputError):
            parse_action(action)


@pytest.mark.parametrize(
    ("denies", "denied"),
    [
        ([{"NotAction": "ec2:*", "Resource": "*"}], "full"),
        ([{"NotAction": "s3:GetObject", "Resource": "*"}], "partial"),
        ([{"Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], "partial"),
        ([{"Action": "s3:Put*", "Resource": "*"}], None),
        ([], None),
    ],
)
def test_how_far_a_pattern_of_actions_is_denied(denies: list[Any], denied: str | None) -> None:
    holder = holder_of_small_policy([allow("s3:Get*"), *({"Effect": "Deny", **deny} for deny in denies)], "s3:Get*")
    assert holder is not None
    assert holder.denied == denied
