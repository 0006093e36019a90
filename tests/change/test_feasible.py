"""Which requests AWS could send: resources, keys and values; from the service authorization reference and the user guide."""

from itertools import product

import pytest

from ekstui.change.reach.dependent_keys import is_possible
from ekstui.change.reach.feasible import (
    instances_of,
    is_void,
    may_lack,
    resources_for,
    services_of,
    stand_in,
    takes_key,
)
from ekstui.iam.conditions.known_keys import type_of
from tests.support.wildcards import as_regex

ONE, TWO = "111122223333", "444455556666"
NODEGROUP = f"arn:aws:eks:eu-west-1:{ONE}:nodegroup/"


def test_a_resource_that_is_made_matches_its_pattern_and_its_type_and_is_made_where_one_exists() -> None:
    """The reference writes nodegroup/${ClusterName}/${NodegroupName}/${UUID}."""
    short_texts = ["", *("".join(parts) for count in (1, 2, 3) for parts in product("an/", repeat=count))]
    texts = [f"{start}{end}" for start in ("nodegroup/a/a/", "nodegroup///", "nodegroup//n/") for end in short_texts]
    empty_count = 0
    for pattern in (
        "".join(parts) for count in (1, 2, 3) for parts in product(("*", "?", "n", "nodegroup/", "/"), repeat=count)
    ):
        arn_pattern = f"arn:aws:eks:*:*:{pattern}"
        arns = [arn for arn, kind in resources_for("eks:DescribeNodegroup", arn_pattern, ONE, "eu-west-1") if kind]
        assert all(
            as_regex(arn_pattern).fullmatch(arn) and arn.startswith(NODEGROUP) and arn.count("/") > 2 for arn in arns
        ), pattern
        assert not any(sign in arn for arn in arns for sign in "*?"), pattern
        assert arns or not any(as_regex(pattern).fullmatch(text) for text in texts), pattern
        empty_count += not arns
    assert empty_count > 50


@pytest.mark.parametrize(
    ("pattern", "arns"),
    [
        ("arn:aws:eks:eu-west-1:*:cluster/prod", {f"arn:aws:eks:eu-west-1:{ONE}:cluster/prod"}),
        ("arn:aws:eks:*:*:cluster/p?", {f"arn:aws:eks:eu-west-1:{ONE}:cluster/pz"}),
        (f"arn:aws:eks:*:{TWO}:cluster/*", {f"arn:aws:eks:eu-west-1:{TWO}:cluster/zq"}),
        ("arn:*:eks:*:*:cluster/*", {f"arn:{partition}:eks:eu-west-1:{ONE}:cluster/zq" for partition in ("aws", "aws-cn", "aws-us-gov")}),
        ("arn:aws-cn:eks:*:*:cluster/*", {f"arn:aws-cn:eks:eu-west-1:{ONE}:cluster/zq"}),
        ("arn:aws:s3:::a", set()),
        (f"arn:aws:eks:*:*:cluster/{'a' * 400}", set()),
    ],
)  # fmt: skip
def test_a_resource_is_in_the_region_and_account_asked_for_unless_its_pattern_says_otherwise(
    pattern: str, arns: set[str]
) -> None:
    resources = resources_for("eks:DescribeCluster", pattern, ONE, "eu-west-1")
    assert {arn for arn, kind in resources if kind == "cluster"} == arns


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:sourceaccount", TWO), ("s3:dataaccesspointaccount", TWO), ("aws:sourcearn", f"arn:aws:iam::{TWO}:role/zq"),
        ("lambda:sourcefunctionarn", f"arn:aws:iam::{TWO}:role/zq"), ("aws:principalorgid", "o-zq"), ("k:orgid", "zq"),
        ("aws:principalorgpaths", "o-zq/r-zq/"), ("k:orgpaths", "zq"), ("aws:principaltype", "AssumedRole"), ("k:b", "zq"),
    ],
)  # fmt: skip
def test_a_value_that_no_policy_names_is_one_of_the_kind_of_its_key(key: str, value: str) -> None:
    assert stand_in(key) == value
    assert is_possible(key, (value,))


@pytest.mark.parametrize(
    "key",
    ["aws:sourceip", "aws:currenttime", "aws:multifactorauthage", "aws:securetransport", "aws:requestedregion"],
)
def test_a_value_of_a_typed_key_is_of_its_type(key: str) -> None:
    assert type_of(key) is not None
    assert is_possible(key, (stand_in(key),))
    assert is_possible(key, ("zq",)) is (type_of(key) == "region")


@pytest.mark.parametrize(
    ("key", "pattern", "possible"),
    [
        ("aws:principalaccount", "1*", {ONE}),
        ("aws:principalaccount", "????????????", {ONE, TWO, "0" * 12}),
        ("aws:principalaccount", "7777????????", {"777700000000"}),
        ("aws:principalarn", "arn:aws:iam::*:role/a*", {f"arn:aws:iam::{account}:role/azq" for account in (ONE, TWO)}),
        ("aws:principalarn", f"arn:aws:*::{ONE}:*", {
            f"arn:aws:{principal}" for principal in (f"iam::{ONE}:role/zq", f"iam::{ONE}:user/zq", f"iam::{ONE}:root", f"sts::{ONE}:federated-user/zq")
        }),
        ("aws:principalarn", "*/team/?", {f"arn:aws:iam::{account}:role/zq/team/z" for account in (ONE, TWO)}),
        ("aws:sourcearn", "arn:aws:sns:*:*:t", {f"arn:aws:sns:zq-east-1:{account}:t" for account in (ONE, TWO)} | {"arn:aws:sns:zq:zq:t"}),
        ("lambda:sourcefunctionarn", "*f", {f"arn:aws:iam::{account}:role/zqf" for account in (ONE, TWO)}),
        ("ec2:placementgroup", "*-a", {f"arn:aws:ec2:zq-east-1:{account}:placement-group/zq-a" for account in (ONE, TWO)}),
        ("k:x", "a*b?", {"azqbz"}),
    ],
)  # fmt: skip
def test_values_that_a_pattern_can_mean(key: str, pattern: str, possible: set[str]) -> None:
    values = instances_of(key, pattern, (ONE, TWO))
    assert {value for value in values if is_possible(key, (value,))} == possible
    assert all(as_regex(pattern).fullmatch(value) for value in values)


@pytest.mark.parametrize(
    ("action", "kind", "key", "takes"),
    [
        ("zz:Get", "", "k:a", True),  # nothing is known of it
        ("ec2:StartInstances", "instance", "aws:sourceip", True),
        # Requests that only read have no tags; those that write may.
        ("eks:DescribeCluster", "cluster", "aws:requesttag/a", False),
        ("ec2:DescribeInstances", "", "aws:tagkeys", False),
        ("ec2:StartInstances", "instance", "aws:requesttag/a", True),
        ("ec2:StartInstances", "instance", "aws:tagkeys", True),
        # Resources have tags, whatever is done with them, and what is no resource has none.
        ("eks:DescribeCluster", "cluster", "aws:resourcetag/a", True),
        ("ec2:DescribeInstances", "", "aws:resourcetag/a", False),
        ("eks:DescribeCluster", "cluster", "ec2:resourcetag/a", False),
        # The keys of the service, for what writes or has a resource.
        ("ec2:StartInstances", "instance", "ec2:vpc", True),
        ("ec2:StartInstances", "instance", "s3:prefix", False),
        ("ec2:StartInstances", "instance", "ec2:nokey", False),
        ("eks:DescribeCluster", "cluster", "eks:policyarn", True),
        ("eks:DescribeCluster", "cluster", "ec2:vpc", False),
        ("eks:ListClusters", "", "eks:policyarn", False),
        ("iottwinmaker:GetEntity", "entity", "iottwinmaker:linkedservices", True),  # the service lists it, no action does
    ],
)  # fmt: skip
def test_keys_that_a_request_may_have(action: str, kind: str, key: str, takes: bool) -> None:
    assert takes_key(action, kind, key) is takes


@pytest.mark.parametrize(
    ("action", "key", "may"),
    [
        ("s3:GetObject", "aws:principalarn", False), ("s3:GetObject", "aws:sourceip", True),
        ("ec2:StartInstances", "ec2:region", False), ("s3:GetObject", "ec2:region", True), ("zz:Get", "ec2:region", True),
        ("kms:Decrypt", "kms:calleraccount", False), ("s3:GetObject", "s3:resourceaccount", False),
        ("s3:GetObject", "s3:prefix", True), ("ec2:StartInstances", "ec2:vpc", True),
    ],
)  # fmt: skip
def test_keys_that_a_request_may_lack(action: str, key: str, may: bool) -> None:
    assert may_lack(action, key) is may


@pytest.mark.parametrize(
    ("action", "services"),
    [
        ("eks:describecluster", {"eks"}),
        ("backup:startbackupjob", {"backup", "ec2"}),
        ("ssm:startsession", {"ssm", "eks", "ec2", "ecs"}),
        ("codeconnections:useconnection", {"codeconnections", "codestar-connections"}),
        ("codestar-connections:useconnection", {"codeconnections", "codestar-connections"}),
        ("zz:get", None),
        ("eks:nosuchaction", None),
    ],
)
def test_services_on_whose_resources_an_action_is_used(action: str, services: set[str] | None) -> None:
    assert services_of(action) == services
    if services is not None:
        void_by_service = {
            service: is_void(f"arn:aws:{service}:::a", frozenset(services)) for service in ("s3", "zz", "*", *services)
        }
        assert void_by_service == {"s3": True, "zz": False, "*": False, **dict.fromkeys(services, False)}
