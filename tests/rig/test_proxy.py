"""Every fault that the proxy makes, as a plain botocore client meets it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    PaginationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from tests.rig.clients import client, everything
from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.rig.wire import Cause

AGGREGATE = {
    "ConfigurationAggregatorName": "organisation",
    "Expression": "SELECT resourceName WHERE resourceType = 'AWS::IAM::Role'",
}

ASK: dict[str, Callable[[], Any]] = {
    "iam": lambda: client("iam").list_roles(),
    "sts": lambda: client("sts").get_caller_identity(),
    "eks": lambda: client("eks").list_clusters(),
    "config": lambda: client("config").select_aggregate_resource_config(**AGGREGATE),
    "ec2": lambda: client("ec2").describe_instances(),
}


@pytest.mark.parametrize(
    ("cause", "codes"),
    [
        ("denied", "AccessDenied AccessDenied AccessDeniedException AccessDeniedException UnauthorizedOperation"),
        ("throttled", "Throttling Throttling TooManyRequestsException ThrottlingException RequestLimitExceeded"),
        ("expired", "ExpiredToken ExpiredToken ExpiredTokenException ExpiredTokenException RequestExpired"),
        (
            "bad-key",
            "InvalidClientTokenId InvalidClientTokenId UnrecognizedClientException UnrecognizedClientException AuthFailure",
        ),
        (
            "skewed",
            "SignatureDoesNotMatch SignatureDoesNotMatch InvalidSignatureException InvalidSignatureException AuthFailure",
        ),
    ],
)
def test_each_service_says_it_in_its_own_way(rig: Rig, cause: Cause, codes: str) -> None:
    rig.proxy.fail(cause)
    for service, code in zip(("iam", "sts", "eks", "config", "ec2"), codes.split(), strict=True):
        with pytest.raises(ClientError) as error:
            ASK[service]()
        assert error.value.response["Error"]["Code"] == code
        assert error.value.response["Error"]["Message"]


def test_a_rule_meets_only_its_calls(rig: Rig) -> None:
    iam = client("iam")
    rig.proxy.fail("throttled", "iam", "GetRole", nth=2, every=3, times=2)
    outcomes = []
    for _ in range(9):
        try:
            iam.get_role(RoleName="prod-node")
            outcomes.append("ok")
        except ClientError:
            outcomes.append("no")
        iam.list_roles()
    assert outcomes == ["ok", "no", "ok", "ok", "no", "ok", "ok", "ok", "ok"]
    assert rig.proxy.counts() == {"iam:GetRole": 9, "iam:ListRoles": 9}
    assert [call.status for call in rig.proxy.calls if call.action == "GetRole"].count(400) == 2


def test_a_rule_can_be_for_one_region(rig: Rig) -> None:
    rig.proxy.fail("bad-key", "eks", region="us-east-1")
    assert client("eks", "eu-central-1").list_clusters()["clusters"] == ["auto", "prod"]
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        client("eks", "us-east-1").list_clusters()


def test_only_what_is_allowed_passes(rig: Rig) -> None:
    rig.proxy.allow({"eks:DescribeAccessEntry", "eks:ListAccessEntries"})
    eks = client("eks")
    for arn in eks.list_access_entries(clusterName="prod")["accessEntries"]:
        assert eks.describe_access_entry(clusterName="prod", principalArn=arn)["accessEntry"]["principalArn"] == arn
    with pytest.raises(ClientError, match="not authorized to perform: eks:DescribeCluster"):
        eks.describe_cluster(name="prod")
    assert client("sts").get_caller_identity()["Account"] == "123456789012"


def test_a_failure_that_passes_is_retried(rig: Rig) -> None:
    rig.proxy.fail("unavailable", "iam", times=1)
    assert client("iam", attempts=3).list_roles(MaxItems=1)["Roles"]
    assert [call.status for call in rig.proxy.calls] == [503, 200]


def test_a_bucket_throttles_what_overflows(rig: Rig) -> None:
    rig.proxy.limit(rate=0.001, burst=2, service="iam", action="GetRole")
    iam = client("iam")
    for _ in range(2):
        iam.get_role(RoleName="prod-node")
    with pytest.raises(ClientError, match="Rate exceeded"):
        iam.get_role(RoleName="prod-node")
    iam.list_roles(MaxItems=1)


def test_latency_and_delay_take_their_time(rig: Rig) -> None:
    rig.proxy.latency = 0.1
    rig.proxy.add(Effect("delay", seconds=0.2), "sts")
    started_at = time.monotonic()
    ASK["sts"]()
    assert time.monotonic() - started_at >= 0.3


def test_a_hanging_call_ends_when_the_rules_are_cleared(rig: Rig) -> None:
    rig.proxy.add(Effect("hang"), "iam")
    with pytest.raises(ReadTimeoutError):
        client("iam", read_timeout=0.2).list_roles()
    rig.proxy.clear()
    assert ASK["iam"]()["Roles"]


@pytest.mark.parametrize(
    ("effect", "service", "error"),
    [
        (Effect("reset"), "iam", ConnectionClosedError),
        # botocore before 1.44 notices that the line was cut.
        (Effect("cut"), "iam", (ConnectionClosedError, ResponseParserError)),
        (Effect("bad_xml"), "iam", ResponseParserError),
        (Effect("truncate"), "iam", ResponseParserError),
        (Effect("garbage"), "iam", ResponseParserError),
        # A captive portal's page is XML enough to be parsed, and then lacks what botocore looks for.
        (Effect("html"), "iam", (KeyError, ResponseParserError)),
        (Effect("error", code="Odd", status=418, message="teapot"), "eks", ClientError),
    ],
)
def test_broken_answers(rig: Rig, effect: Effect, service: str, error: type[Exception]) -> None:
    rig.proxy.add(effect, service)
    with pytest.raises(error):
        ASK[service]()


@pytest.mark.parametrize("kind", ["truncate", "cut", "html"])
def test_a_broken_json_answer_looks_like_an_empty_one(rig: Rig, kind: Any) -> None:
    # botocore 1.44 holds no answer against its Content-Length, so even a lost connection is nothing to it.
    rig.proxy.add(Effect(kind), "eks")
    try:
        answer = ASK["eks"]()
    except ConnectionClosedError:  # botocore before 1.44
        assert kind == "cut"
        return
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert "clusters" not in answer


def test_a_page_without_marker_ends_the_list_silently(rig: Rig) -> None:
    rig.proxy.add(Effect("no_marker"), "iam", nth=2)
    assert len(everything(client("iam"), "list_roles", "Roles")) == 200


def test_a_repeated_marker_is_noticed(rig: Rig) -> None:
    rig.world.short_pages = 10
    rig.proxy.add(Effect("same_marker"))
    with pytest.raises(PaginationError):
        everything(client("iam"), "list_roles", "Roles")
    with pytest.raises(PaginationError):
        rig.world.short_pages = 1
        everything(client("eks"), "list_access_entries", "accessEntries", clusterName="prod")
