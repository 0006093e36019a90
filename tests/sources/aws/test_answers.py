"""Malformed, endless and repeating answers: they are reported, and never taken for empty ones."""

import json
import os
import time
from types import SimpleNamespace
from typing import Any

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.errors import AccountError
from ekstui.sources.aws import answers, connection
from ekstui.sources.aws.answers import BoundError, MalformedError, check_form
from ekstui.sources.aws.connection import OPERATIONS, Connection, IncompleteError
from ekstui.sources.aws.iam import read_entities, sweep_account
from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.support.effort import pairs
from tests.support.patience import PROCESSOR

POLICY = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"

WRONG = {
    "a list": "[]", "null": "null", "a text": '"x"', "a number": "42", "nothing": "", "an empty object": "{}",
    "deep": "[" * 100_000, "deep objects": '{"a":' * 100_000, "deep XML": "<a>" * 100_000,
    "a list of null": '{"clusters": [null], "addons": [null], "nodegroups": [null], "fargateProfileNames": [null]}',
    "a map for a list": '{"clusters": {"a": 1}, "addons": {}, "accessEntries": {"a": 1}}',
    "null for an object": '{"cluster": null, "nodegroup": null, "addon": null, "accessEntry": null, "association": null}',
    "a text for an object": '{"cluster": "x", "nodegroup": "x", "addon": [], "capability": 7, "fargateProfile": true}',
    "an ARN without colons": '{"cluster": {"arn": "x", "roleArn": "x"}, "nodegroup": {"nodeRole": 1, "nodegroupArn": "x"}}',
}  # fmt: skip


_impatient: dict[str, Connection] = {}
"""By endpoint, one that tries each call once: to make it takes a third of the time of a sweep."""


def account(patient: Connection | None = None) -> AccountSnapshot:
    return sweep_account(patient or _impatient.setdefault(os.environ["AWS_ENDPOINT_URL"], Connection()))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ATTEMPTS", 1)


ASKED_LATER = {"DescribeAddonVersions", "DescribeAddonConfiguration", "ListAssociatedAccessPolicies"}
"""What only the page of a cluster asks EKS."""


@pytest.mark.parametrize(("wrong", "service"), pairs([*WRONG], ["eks", "iam", "ec2", "sts"]))
def test_an_answer_of_the_wrong_form_is_reported_and_the_rest_stays(rig: Rig, service: str, wrong: str) -> None:
    rig.standing()
    rig.proxy.add(Effect("body", message=WRONG[wrong]), service)
    if service == "sts":
        with pytest.raises(AccountError, match=r"not understood|cannot be reached|was cut"):
            account()
        return
    snapshot = account()
    assert snapshot.errors
    # Of a cluster that only a wrong list has, EKS says in every other list that it does not exist.
    assert {error.kind for error in snapshot.errors} <= {"unexpected", "network", "incomplete", "absent"}
    assert all("not understood" in error.message for error in snapshot.errors if error.kind == "unexpected")
    if service == "iam":
        assert not snapshot.complete
    else:
        assert snapshot.complete
        assert len(snapshot.roles) > 3


@pytest.mark.parametrize(
    ("action", "wrong"),
    pairs(
        sorted({action.partition(":")[2] for action in OPERATIONS if action.startswith("eks:")} - ASKED_LATER),
        ["an empty object", "a list of null"],
    ),
)
def test_no_call_to_eks_reports_none_for_a_broken_answer(rig: Rig, action: str, wrong: str) -> None:
    rig.standing()
    rig.proxy.add(Effect("body", message=WRONG[wrong]), "eks", action)
    snapshot = account()
    assert rig.proxy.counts()[f"eks:{action}"]
    assert f"eks:{action}" in {error.action for error in snapshot.errors}


def test_a_list_that_does_not_say_whether_it_is_whole_is_not(rig: Rig) -> None:
    rig.standing()
    rig.proxy.add(Effect("unmarked"), "iam", "GetAccountAuthorizationDetails")
    snapshot = account()
    assert not snapshot.complete
    assert [error.kind for error in snapshot.errors if error.source == "roles"] == ["incomplete"]


@pytest.mark.parametrize(
    "pages",
    [
        [
            {"IsTruncated": True, "Marker": "a"},
            {"IsTruncated": True, "Marker": "b"},
            {"IsTruncated": True, "Marker": "a"},
        ],
        [{"IsTruncated": False, "Marker": "a"}],
        [{"IsTruncated": True}],
        [{}],
    ],
    ids=["a circle", "whole and not", "more, but not where", "not said"],
)
def test_a_list_that_contradicts_itself_is_incomplete(
    pages: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Connection()
    rest = iter(pages)
    monkeypatch.setattr(connection, "ask", lambda *_, **__: next(rest))
    with pytest.raises(IncompleteError):
        list(connection.pages("iam:ListPolicies"))


def test_a_list_of_tokens_that_goes_in_a_circle_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection()
    rest = iter(["a", "b", "a"])
    monkeypatch.setattr(connection, "ask", lambda *_, **__: {"nextToken": next(rest)})
    with pytest.raises(IncompleteError, match="same page"):
        list(connection.token_pages("eks:ListClusters"))


def test_roles_that_are_listed_and_all_said_not_to_exist_are_not_none(rig: Rig) -> None:
    rig.standing()
    rig.proxy.add(Effect("error", code="NoSuchEntity", status=404), "iam", "GetRole")
    snapshot = read_entities(Connection(), POLICY)
    assert snapshot.roles
    assert not snapshot.complete
    assert "says of each that it does not exist" in snapshot.errors[-1].message


def test_clusters_that_are_listed_and_all_said_not_to_exist_are_not_none(rig: Rig) -> None:
    rig.standing()
    rig.proxy.add(Effect("error", code="ResourceNotFoundException", status=404), "eks", "Describe*")
    snapshot = account()
    assert snapshot.eks
    assert snapshot.eks.clusters
    doubted_calls = {"eks:DescribeCluster", "eks:DescribePodIdentityAssociation", "eks:DescribeAddon"}
    assert doubted_calls <= {error.action for error in snapshot.errors}


@pytest.mark.parametrize("action", ["ListClusters", "ListAddons", "ListPodIdentityAssociations"])
def test_a_list_that_is_said_not_to_exist_is_not_an_empty_one(rig: Rig, action: str) -> None:
    rig.standing()
    rig.proxy.add(Effect("error", code="ResourceNotFoundException", status=404), "eks", action)
    assert f"eks:{action}" in {error.action for error in account().errors}


def test_access_entries_that_are_not_arns_are_not_understood(rig: Rig) -> None:
    rig.standing()
    rig.proxy.add(Effect("odd_arns"), "eks", "ListAccessEntries")
    assert ("eks:ListAccessEntries", "unexpected") in {(error.action, error.kind) for error in account().errors}


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("DescribeCluster", "cluster"), ("DescribeNodegroup", "nodegroup"), ("DescribeFargateProfile", "fargateProfile"),
        ("DescribeAddon", "addon"), ("DescribeAccessEntry", "accessEntry"), ("DescribePodIdentityAssociation", "association"),
    ],
)  # fmt: skip
def test_a_description_of_nothing_is_not_understood(rig: Rig, action: str, key: str) -> None:
    """EKS returns a part's name and role, which its model does not require: without them nothing is known about it."""
    rig.standing()
    rig.proxy.add(Effect("body", message=json.dumps({key: {}})), "eks", action)
    assert (f"eks:{action}", "unexpected") in {(error.action, error.kind) for error in account().errors}


@pytest.mark.parametrize("effect", [Effect("drip", seconds=0.02), Effect("endless")], ids=["slow", "large"])
def test_an_answer_without_end_is_given_up(rig: Rig, effect: Effect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ANSWER_SECONDS", 0.5 if effect.kind == "drip" else 60)
    monkeypatch.setattr(connection, "ATTEMPTS", 8)
    monkeypatch.setattr(answers, "ANSWER_BYTES", 1 << 22)
    rig.proxy.add(effect, "sts")
    begun = time.process_time()
    with pytest.raises(AccountError, match=r"No whole answer from 127\.0\.0\.1:\d+ in \d+ s\.|was abandoned"):
        account(Connection())
    assert time.process_time() - begun < PROCESSOR
    # What has waited so long is not asked for again; what broke off is, once.
    call_count = len([call for call in rig.proxy.calls if call.service == "sts"])
    assert call_count <= (1 if effect.kind == "drip" else connection.NETWORK_ATTEMPTS)


def test_a_second_attempt_waits_only_for_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ReadTimeoutError

    clock = [1000.0]
    monkeypatch.setattr(answers, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    deadline = answers.Deadline()
    deadline.start()
    timeout = ReadTimeoutError(endpoint_url="https://iam.amazonaws.com")
    with deadline.waiting() as seconds:
        assert seconds == answers.ANSWER_SECONDS
        clock[0] += 0.2
    deadline.check(timeout)
    with deadline.waiting() as seconds:
        assert 0 < seconds <= answers.ANSWER_SECONDS - 0.2
    # An answer, if only that the rate is limited, starts the time again.
    deadline.check(None)
    with deadline.waiting() as seconds:
        assert seconds == answers.ANSWER_SECONDS


@pytest.mark.parametrize("piece", ["<a/>", "[],", "{},", '"",'], ids=["elements", "lists", "objects", "texts"])
def test_an_answer_of_too_many_values_is_given_up(rig: Rig, piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the limit of bytes, one of empty elements took 5 GB of memory."""
    monkeypatch.setattr(answers, "ANSWER_VALUES", 10_000)
    rig.proxy.add(Effect("body", message=f"<a>{piece * 20_000}</a>"), "sts")
    with pytest.raises(AccountError, match="was abandoned: sts:GetCallerIdentity has more than 10,000 values"):
        account()


def test_a_part_whose_description_says_nothing_of_its_health_is_not_well(rig: Rig) -> None:
    """Without problems EKS sends `"health": {"issues": []}` (the examples of its API reference)."""
    rig.standing()
    snapshot = account()
    assert snapshot.eks
    before = {cluster.name for cluster in snapshot.eks.clusters if cluster.issues_known}
    group = {"nodegroupName": "a", "nodeRole": "arn:aws:iam::111122223333:role/a"}
    rig.proxy.add(Effect("body", message=json.dumps({"nodegroup": group})), "eks", "DescribeNodegroup")
    snapshot = account()
    assert snapshot.eks
    with_groups = {cluster.name for cluster in snapshot.eks.clusters if cluster.nodegroups}
    assert before & with_groups
    assert {cluster.name for cluster in snapshot.eks.clusters if cluster.issues_known} == before - with_groups


def test_a_call_is_not_tried_for_ever(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ATTEMPTS", 50)
    monkeypatch.setattr(answers, "CALL_SECONDS", 0.0)
    rig.proxy.add(Effect("error", cause="throttled"), "sts")
    with pytest.raises(BoundError, match="was tried for"):
        Connection().ask("sts:GetCallerIdentity")
    # An answer without end, of the test before, is counted when it breaks off.
    assert [call.action for call in rig.proxy.calls if call.status >= 400] == ["GetCallerIdentity"]


def test_the_form_is_that_of_the_model() -> None:
    import botocore.session

    model = botocore.session.Session().get_service_model("iam").operation_model("ListRoles").output_shape
    role = {"Path": "/", "RoleName": "a", "RoleId": "AROA", "Arn": "arn:aws:iam::111122223333:role/a"}
    wrong: list[Any] = [{}, {"Roles": None}, {"Roles": [None]}, {"Roles": [role]}, {"Roles": {}}, []]
    for answer in wrong:
        with pytest.raises(MalformedError):
            check_form(answer, model)
