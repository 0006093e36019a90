"""Layers planted one at a time in the rig's AWS, whose simulator decides as SimulatePrincipalPolicy is documented to."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ekstui.cli.main import main
from ekstui.sources.aws import connection
from tests.rig.rig import Rig

ROLE = "eks-operator"
"""A role of the rig with a boundary."""

Planted = Mapping[str, str]
"""What denies: the layer or a policy's ARN, and whether it denies explicitly or only does not allow."""


def simulator(planted: Planted, asked: list[Any]) -> Callable[[Mapping[str, Any]], list[dict[str, Any]]]:
    """A simulator of a world in which these layers deny, and all others allow."""

    def simulate(request: Mapping[str, Any]) -> list[dict[str, Any]]:
        excluded = {
            entry.get("PolicyType") or entry.get("PolicyArn") or entry["InlinePolicyIdentifier"]["PolicyName"]
            for entry in request.get("PolicyExclusionList", ())
        }
        asked.append(excluded)
        left = [how for what, how in planted.items() if what not in excluded]
        decision = "explicitDeny" if "explicitDeny" in left else "implicitDeny" if left else "allowed"
        return [
            {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": decision}
            for action in request["ActionNames"]
        ]

    return simulate


@pytest.fixture
def peel(rig: Rig, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[dict[str, Any], list[Any], str]]:
    def run(planted: Planted, *more: str) -> tuple[dict[str, Any], list[Any], str]:
        asked: list[Any] = []
        rig.world.simulation = simulator(planted, asked)
        assert main(["explain", "--json", "--action", "ec2:CreateTags", "--role", ROLE, "--peel", *more]) == 0
        done = capsys.readouterr()
        return json.loads(done.out), asked, done.err

    return run


CLUSTER = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"


@pytest.mark.parametrize(
    ("planted", "verdict"),
    [
        ({"scp": "explicitDeny"}, "Without the service control policies it is allowed."),
        ({"scp": "implicitDeny"}, "Without the service control policies it is allowed."),
        ({"permission-boundary": "implicitDeny"}, "Without the permissions boundary it is allowed."),
        ({"permission-boundary": "explicitDeny"}, "Without the permissions boundary it is allowed."),
        ({CLUSTER: "explicitDeny"}, "Without AmazonEKSClusterPolicy it is allowed."),
        (
            {"scp": "implicitDeny", "permission-boundary": "implicitDeny"},
            "Without the service control policies and the permissions boundary together it is allowed.",
        ),
        (
            {"scp": "explicitDeny", "identity": "implicitDeny"},
            "The Deny is in the service control policies; without it, nothing allows the request either.",
        ),
        ({"identity": "implicitDeny"}, "No layer above denies it: no identity policy allows it."),
        ({"resource": "explicitDeny"}, "More than one policy denies it: it stays denied whichever is left out."),
        ({}, "IAM's simulator allows it with every layer that it knows, so none of them denied it."),
    ],
)  # fmt: skip
def test_the_layer_that_denies_is_named(peel: Any, planted: Planted, verdict: str) -> None:
    answer, asked, _ = peel(planted)
    if not planted:
        assert (len(asked), answer["peeled"], answer["simulated"][0]["decision"]) == (1, None, "allowed")
        return
    assert answer["peeled"]["verdict"] == verdict
    assert (answer["peeled"]["complete"], answer["peeled"]["error"]) == (True, None)
    assert asked[0] == set() and len(asked) <= 12
    assert [step["without"] for step in answer["peeled"]["steps"]][:3] == [
        None, "the service control policies", "the permissions boundary",
    ]  # fmt: skip
    # A policy that only does not allow something denies nothing: only a Deny leads to asking about each.
    assert any(each & {CLUSTER} for each in asked) == ("explicitDeny" in planted.values())


@pytest.mark.parametrize("cause", ["denied", "throttled"])
def test_nothing_partial_is_shown_as_whole(
    rig: Rig, peel: Any, cause: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "ATTEMPTS", 1)
    rig.reset(0)
    rig.proxy.fail(cause, "iam", "SimulatePrincipalPolicy", nth=2)
    answer, _, _ = peel({"permission-boundary": "implicitDeny"})
    assert len(answer["peeled"]["steps"]) == 1
    assert answer["peeled"]["complete"] is False
    assert answer["peeled"]["verdict"] == "So far no layer alone denies it, and the rest was not asked."
    assert answer["peeled"]["error"]
    rig.proxy.clear()
    rig.proxy.fail(cause, "iam", "SimulatePrincipalPolicy")
    assert main(["explain", "--action", "ec2:CreateTags", "--role", ROLE, "--peel"]) == 3
    assert capsys.readouterr().out == ""


def test_an_older_sdk_says_so(
    peel: Any, rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection.Connection, "knows", lambda *_: False)
    rig.world.simulation = simulator({"scp": "explicitDeny"}, [])
    assert main(["explain", "--action", "ec2:CreateTags", "--role", ROLE, "--peel"]) == 3
    assert "1.43.60" in capsys.readouterr().err


def test_where_the_simulator_and_ekstui_differ_both_say_what_they_did_not_know(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.world.simulation = simulator({"scp": "explicitDeny"}, [])
    given = ["explain", "--action", "eks:ListClusters", "--resource", "*", "--role", ROLE, "--peel"]
    assert main(given) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "ekstui and the simulator differ" in printed
    assert (
        "did not look at" in printed.partition("differ")[2]
        and "service control policies" in printed.partition("differ")[2]
    )
