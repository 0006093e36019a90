"""Every command that the demo's answers print is one whole line that a shell and the AWS CLI take as it is meant."""

import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from ekstui.eks.findings.table import Finding
from ekstui.export.shapes import answer_of
from ekstui.iam.document import Document
from ekstui.library import Library
from ekstui.library.cluster_answers import cluster_answer, findings_worst_first
from ekstui.library.roles import role_answer
from ekstui.library.upgrading import upgrade
from ekstui.present.blocks import Block
from ekstui.present.cluster_report import cluster_blocks
from ekstui.present.forbidden_report import forbidden_blocks
from ekstui.present.rendering import lines, markdown
from ekstui.present.role_report import role_blocks
from ekstui.present.upgrade_report import upgrade_blocks
from tests.support.forbidden import forbidden_answers
from tests.support.shell import commands_in, fault_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CLUSTERS = ("prod", "auto", "legacy")
FORBIDDEN = (
    'pods is forbidden: User "arn:aws:sts::111122223333:assumed-role/dev/ana" cannot list resource "pods" in API group ""',
    "error: You must be logged in to the server (Unauthorized)",
)


def printed(blocks: Sequence[Block]) -> list[str]:
    """Return the commands of an answer, which every width and a pipe show alike, and Markdown too but for the account."""
    (narrow, wide), in_pipe = (
        [commands_in("\n".join(lines(blocks, width, colours=False, whole_tables=False))) for width in (40, 300)],
        commands_in("\n".join(lines(blocks, 80, colours=False, whole_tables=True))),
    )
    assert narrow == wide == in_pipe
    in_markdown = [command for command in commands_in(markdown(blocks)) if not command.startswith("ACCOUNT=")]
    assert [
        command.replace("'\"${ACCOUNT:?}\"'", "111122223333") for command in in_markdown if "${ACCOUNT:?}" in command
    ] == [command for command, own_command in zip(narrow, in_markdown, strict=True) if command != own_command]
    return [*narrow, *in_markdown]


def faults(commands: Sequence[str]) -> list[tuple[str, str]]:
    return [(command, fault) for command in dict.fromkeys(commands) if (fault := fault_of(command))]


@pytest.mark.parametrize("name", CLUSTERS)
def test_what_a_cluster_s_report_prints(demo: Library, name: str) -> None:
    answer = cluster_answer(demo, name)
    commands = printed(cluster_blocks(answer, NOW, NOW))
    assert faults(commands) == []
    shape = json.loads(json.dumps(answer_of(demo.data(), answer)))
    in_json = [command for role in shape["roles"] for finding in role["findings"] for command in finding["commands"]]
    in_json += [command for issue in shape["health"] for command in issue["commands"]]
    assert {shlex.join(command) for command in in_json} <= set(commands)
    assert in_json


def test_what_an_upgrade_prints(demo: Library) -> None:
    count = 0
    for name in CLUSTERS:
        answer = upgrade(demo, name, {}, {}, {})
        assert faults(printed(upgrade_blocks(answer))) == []
        count += sum(len(component.commands) for component in answer.components)
    assert count


def test_what_a_role_s_page_prints_is_what_its_cluster_says(demo: Library) -> None:
    of_clusters = {
        (subject.arn, finding.text): finding.commands
        for name in CLUSTERS
        for subject, finding in findings_worst_first(cluster_answer(demo, name))
        if subject.role is not None and subject.role.subject is not None and finding.commands
    }
    commands: list[str] = []
    for role in demo.account.last_snapshot_or_error().roles:
        answer = role_answer(demo, role.arn or role.name)
        on_page = printed(role_blocks(answer, NOW))
        commands += on_page
        for finding in answer.findings:
            assert {command.text for command in finding.commands} <= set(on_page)
            assert finding.commands == of_clusters.get((role.arn or "", finding.text), finding.commands)
    assert faults(commands) == []
    assert of_clusters


@pytest.mark.parametrize("message", FORBIDDEN)
@pytest.mark.parametrize("cluster", [None, "prod", "auto"])
def test_what_helps_against_a_forbidden_prints(demo: Library, message: str, cluster: str | None) -> None:
    answers = forbidden_answers(demo, message, cluster, None)
    assert answers or cluster is None
    for answer in answers:
        assert faults(printed(forbidden_blocks(answer, NOW))) == []


def test_a_policy_that_a_finding_attaches_allows_what_the_role_lacks(demo: Library) -> None:
    count = 0
    for name in CLUSTERS:
        for _, finding in findings_worst_first(cluster_answer(demo, name)):
            for command in finding.commands:
                if command.arguments[2] == "attach-role-policy":
                    policy = demo.find(command.arguments[-1].rpartition("/")[2]).policy
                    allowed_actions = _actions(demo.document(policy, policy.default_version))
                    assert _lacking(finding) <= allowed_actions, finding.text
                    count += 1
    assert count > 2


def _actions(document: Document) -> set[str]:
    from ekstui.iam.reference import reference

    patterns = [
        pattern for statement in document.statements if statement.effect == "Allow" for pattern in statement.actions
    ]
    return {name.lower() for pattern in patterns for name in reference().expand(pattern)}


def _lacking(finding: Finding) -> set[str]:
    line = next(evidence for evidence in finding.evidence if evidence.startswith("lacks "))
    return {action.strip().lower() for action in line.removeprefix("lacks ").split(",")}
