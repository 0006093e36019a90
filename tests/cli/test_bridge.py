"""`ekstui upgrade --bridge`: one policy for two releases."""

from __future__ import annotations

import json

import pytest

from ekstui.cli.main import main
from ekstui.iam.document import broken_rules, parse
from ekstui.sources.shipped import components
from tests.support.documents import actions_in


def actions_of_release(component: str, release: str) -> set[str]:
    version = components()[component].at(release)
    assert version is not None
    return {action for policy in version.policies for action in actions_in(policy.document)}


@pytest.mark.parametrize(("before", "after"), [("v1.8.0", "v1.14"), ("v1.14.1", "v1.6.0")])
def test_a_bridge_has_what_both_releases_publish_and_nothing_else(
    capsys: pytest.CaptureFixture[str], before: str, after: str
) -> None:
    words = ["upgrade", "prod", "--demo", "--from", f"karpenter={before}", "--bridge", f"karpenter@{after}"]
    assert main(words) == 0
    output = capsys.readouterr()
    document = parse(json.loads(output.out))
    assert not list(broken_rules(document))
    allowed_actions = {action for statement in document.statements for action in statement.actions}
    assert allowed_actions == actions_of_release("karpenter", before) | actions_of_release("karpenter", after)
    assert "and nothing else" in output.err


def test_a_bridge_from_nowhere_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["karpenter"], ["karpenter@v99.0.0"], ["no-such@v1.0.0"]):
        assert main(["upgrade", "prod", "--demo", "--bridge", *words]) in (1, 2)
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_a_bridge_it_is_said_why(capsys: pytest.CaptureFixture[str]) -> None:
    target = "aws-load-balancer-controller@v2.11"
    assert main(["upgrade", "prod", "--demo", "--bridge", target]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "no role was found that runs aws-load-balancer-controller in cluster prod" in output.err
