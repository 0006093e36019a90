"""Layers planted one at a time in the rig's AWS, whose simulator decides as SimulatePrincipalPolicy is documented to."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ekstui.cli.main import main
from ekstui.denial.question import Question
from ekstui.errors import AccountError
from ekstui.library import Library
from ekstui.library.explaining import Inquiry
from ekstui.library.peeling import LayerSimulation, peel
from ekstui.sources.aws import connection
from tests.rig.rig import Rig

ROLE = "eks-operator"
"""A role of the rig with a boundary."""

Planted = Mapping[str, str]
"""What denies: the layer or a policy's ARN, and whether it denies explicitly or only does not allow."""


def simulator(planted: Planted, exclusions: list[Any]) -> Callable[[Mapping[str, Any]], list[dict[str, Any]]]:
    """A simulator of a world in which these layers deny, and all others allow."""

    def simulate(request: Mapping[str, Any]) -> list[dict[str, Any]]:
        excluded_layers = {
            entry.get("PolicyType") or entry.get("PolicyArn") or entry["InlinePolicyIdentifier"]["PolicyName"]
            for entry in request.get("PolicyExclusionList", ())
        }
        exclusions.append(excluded_layers)
        decisions = [layer_decision for layer, layer_decision in planted.items() if layer not in excluded_layers]
        decision = "explicitDeny" if "explicitDeny" in decisions else "implicitDeny" if decisions else "allowed"
        return [
            {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": decision}
            for action in request["ActionNames"]
        ]

    return simulate


CLUSTER = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"


VERDICTS: list[tuple[Planted, str]] = [
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
]


@pytest.fixture
def refreshed_library(rig: Rig) -> Library:
    rig.standing()
    library = Library.open()
    library.account.refresh()
    return library


QUESTION = Inquiry(Question(action="ec2:CreateTags", resources=("*",)), principal=ROLE)


def test_the_layer_that_denies_is_named(refreshed_library: Library, rig: Rig) -> None:
    for planted, verdict in VERDICTS:
        exclusions: list[Any] = []
        rig.world.simulation = simulator(planted, exclusions)
        partial_results: list[LayerSimulation] = []
        peeling = peel(refreshed_library, QUESTION, partial_results.append)
        assert (peeling.verdict, peeling.complete, peeling.error) == (verdict, True, None), planted
        assert exclusions[0] == set() and len(exclusions) == len(peeling.steps) == peeling.planned <= 12
        assert not any(partial_result.complete for partial_result in partial_results)
        # A policy that only does not allow something denies nothing: only a Deny leads to asking about each.
        assert any(layers & {CLUSTER} for layers in exclusions) == ("explicitDeny" in planted.values())


def test_it_stops_when_it_is_told_to(refreshed_library: Library, rig: Rig) -> None:
    rig.world.simulation = simulator({"scp": "explicitDeny"}, [])
    peeling = peel(refreshed_library, QUESTION, cancelled=lambda: True)
    assert (len(peeling.steps), peeling.complete, peeling.error) == (1, False, "It was cancelled.")


@pytest.mark.parametrize("cause", ["denied", "throttled"])
def test_nothing_partial_is_shown_as_whole(
    refreshed_library: Library, rig: Rig, cause: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ATTEMPTS", 1)
    refreshed_library.account.connection().clients.clear()
    rig.world.simulation = simulator({"permission-boundary": "implicitDeny"}, [])
    rig.proxy.fail(cause, "iam", "SimulatePrincipalPolicy", nth=2)
    peeling = peel(refreshed_library, QUESTION)
    assert (len(peeling.steps), peeling.complete) == (1, False)
    assert peeling.verdict == "So far no layer alone denies it, and the rest was not asked."
    assert peeling.error
    rig.proxy.clear()
    rig.proxy.fail(cause, "iam", "SimulatePrincipalPolicy")
    with pytest.raises(AccountError):
        peel(refreshed_library, QUESTION)


def test_an_older_sdk_says_so(refreshed_library: Library, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.Connection, "knows", lambda *_: False)
    rig.world.simulation = simulator({"scp": "explicitDeny"}, [])
    with pytest.raises(AccountError) as error:
        peel(refreshed_library, QUESTION)
    assert "1.43.60" in error.value.next_step


def test_where_the_simulator_and_ekstui_differ_both_say_what_they_did_not_know(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.standing()
    rig.world.simulation = simulator({"scp": "explicitDeny"}, [])
    arguments = ["explain", "--action", "eks:ListClusters", "--resource", "*", "--role", ROLE, "--peel"]
    assert main(arguments) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "ekstui and the simulator differ" in output
    assert (
        "did not look at" in output.partition("differ")[2]
        and "service control policies" in output.partition("differ")[2]
    )
