"""Asking who can do something, what an action is, and why something was denied."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from ekstui.denial.answer import Explanation
from ekstui.library import AccountChoice, Library
from ekstui.library.explaining import explain_all
from ekstui.library.notation import PolicyAt
from ekstui.library.peeling import LayerSimulation, PeelStep
from ekstui.present.explanation import explanation_blocks
from ekstui.present.rendering import lay_out
from ekstui.present.styled import plain
from ekstui.sources.aws.iam import SimulatedDecision
from ekstui.tui.app import EkstuiApp
from ekstui.tui.background import Background
from ekstui.tui.messages import Open
from ekstui.tui.screens import asking
from ekstui.tui.screens.card_screens import ActionScreen
from ekstui.tui.screens.explain_screen import ExplainScreen, inquiry_of
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.who_can_screen import WhoCanScreen
from ekstui.tui.widgets.permissions_pane import PermissionsPane
from ekstui.tui.widgets.rows import RowList
from tests.rig.rig import Rig
from tests.support.bundled import CNI, newest
from tests.tui.journeys import settle, shows, travel, type_in, words

# From the VPC CNI's issue tracker, wrapped by a terminal.
DENIED = (
    "api error UnauthorizedOperation: You are not authorized to perform this operation. User: "
    "arn:aws:sts::111122223333:assumed-role/node/i-1 is not authorized to perform: ec2:CreateTags on resource:\r"
    "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1 because no identity-based policy allows the ec2:CreateTags action"
)


def test_an_action_is_completed_and_its_policies_lead_back_to_the_explorer() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("w")
        await settle(pilot, lambda: isinstance(app.screen, WhoCanScreen))
        await type_in(pilot, "ec2:describesecuritygroups")
        await settle(pilot, lambda: words(app.screen).startswith("ec2:DescribeSecurityGroups  enter asks"))
        await pilot.press("enter")
        # AWS's history of the EKS policies: v6 of 4 March 2026 added it.
        await settle(pilot, lambda: f"{CNI} v{newest(CNI)} v6 2026-03-04" in words(app.screen))
        # A row unfolds, and folds again.
        await pilot.press("enter")
        await settle(pilot, lambda: "since v6 2026-03-04" in words(app.screen))
        await pilot.press("enter")
        await settle(pilot, lambda: "since v6 2026-03-04" not in words(app.screen))
        await pilot.press("j", "enter")
        await settle(pilot, lambda: "all that AmazonEKSClusterPolicy permits" in words(app.screen))
        await pilot.press("j", "enter")
        await settle(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        assert isinstance(app.screen, ExplorerScreen)
        assert app.screen.policy_view is not None
        assert app.screen.policy_view.entry.policy.name == "AmazonEKSClusterPolicy"

    travel(journey)


@pytest.mark.parametrize("text", ["ecr:batchi", "batchi"])
@pytest.mark.parametrize("key", ["w", "colon"])
def test_typing_is_never_overtaken(key: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of all actions are never read in the background, as if the user were faster."""
    run = Background.run

    def slow(self: Background, owner: Any, group: str, *arguments: Any) -> None:
        if group not in ("actions", "catalogue"):
            run(self, owner, group, *arguments)

    monkeypatch.setattr(Background, "run", slow)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press(key)
        await type_in(pilot, text)
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, WhoCanScreen))
        assert isinstance(app.screen, WhoCanScreen)
        # Not auditmanager's, which no EKS policy allows.
        assert app.screen.text == "ecr:BatchImportUpstreamImage"

    travel(journey)


def test_where_no_policy_allows_it_that_is_said_and_the_question_can_be_changed() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("w")
        await settle(pilot, lambda: isinstance(app.screen, WhoCanScreen))
        await type_in(pilot, "mediaimport:createdatabasebinarysnapshot")
        await pilot.press("enter")
        await settle(pilot, lambda: "No EKS policy allows mediaimport:" in words(app.screen))
        await pilot.press("w", "ctrl+u")
        await type_in(pilot, "karpenter")
        await pilot.press("enter")
        # The error says that AWS has no such permission.
        await settle(pilot, lambda: "has a service before a colon" in words(app.screen))
        assert "Karpenter" in words(app.screen)
        # It is mended where it was typed: no key of the list saves or copies meanwhile.
        await pilot.press("ctrl+u")
        await type_in(pilot, "ec2:CreateVolume")
        await pilot.press("enter")
        await settle(pilot, lambda: "AmazonEKSClusterPolicy" in words(app.screen))

    travel(journey)


@pytest.mark.parametrize("key", ["w", "colon"])
def test_who_may_exec_is_answered_by_access_policies_not_by_iam(key: str) -> None:
    """Whoever reads "nobody may" of IAM would leave a way into every pod unseen."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press(key)
        await settle(pilot, lambda: not shows(app, ExplorerScreen))
        await type_in(pilot, "kubectl exec")
        await settle(pilot, lambda: words(app.screen).startswith("k8s:create:pods/exec"))
        await pilot.press("enter")
        # EKS User Guide, "Review access policy permissions": these three have create of pods/exec.
        policies = ("AmazonEKSAdminPolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSEditPolicy")
        await settle(pilot, lambda: all(policy in words(app.screen) for policy in policies))
        assert "roles and bindings inside the clusters" in words(app.screen)
        assert "nobody" not in words(app.screen)
        assert "PowerUserAccess" not in words(app.screen)

    travel(journey, library=Library.open(AccountChoice(demo=True)))


def test_a_search_goes_to_the_match_and_round_the_end() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("w")
        await settle(pilot, lambda: isinstance(app.screen, WhoCanScreen))
        await type_in(pilot, "ec2:describesecuritygroups")
        await pilot.press("enter")
        await settle(pilot, lambda: f"{CNI} v{newest(CNI)}" in words(app.screen))
        rows = app.screen.query_one(RowList)

        matches = [row.key for row in rows.rows if "loadbalancing" in " ".join(map(plain, row.cells)).lower()]
        assert len(matches) > 1
        await pilot.press("G", "slash", *"loadbalancing", "enter")
        for match in (*matches, matches[0]):
            assert (rows.current.key if rows.current else None) == match
            await pilot.press("n")

    travel(journey, (80, 24))


def test_an_unknown_action_leads_to_the_nearest_and_is_never_said_to_be_nobody_s() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("w")
        await settle(pilot, lambda: isinstance(app.screen, WhoCanScreen))
        await type_in(pilot, "ec2:CreatTag*")
        await pilot.press("enter")
        await settle(pilot, lambda: "There is no known action ec2:CreatTag*. Nearest:" in words(app.screen))
        # A pattern such as ec2:* allows the misspelt action too; a list of policies would hide the mistake.
        assert "nobody" not in words(app.screen)
        assert "Policy" not in words(app.screen)
        assert isinstance(app.screen, WhoCanScreen)
        assert app.screen.rows.move_to("ec2:CreateTags")
        await pilot.press("enter")
        await settle(pilot, lambda: "AmazonEKS_CNI_Policy" in words(app.screen))
        app.screen.submit("k8s:create")
        await settle(pilot, lambda: "A question about Kubernetes is" in words(app.screen))
        assert "ec2:CreateTags" not in str(app.screen.header.content)

    travel(journey, library=Library.open(AccountChoice(demo=True)))


def test_the_card_of_an_action_says_which_statement_gives_it_and_since_when() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: "ec2" in words(app.screen))
        pane = app.screen.query_one(PermissionsPane)
        await settle(pilot, lambda: bool(pane.rows.rows))
        await pilot.press("2")
        names = [row.value.action for row in pane.rows.rows if hasattr(row.value, "action")]
        pane.rows.move_to(
            next(row.key for row in pane.rows.rows if getattr(row.value, "action", "") == "ec2:CreateTags")
        )
        assert "ec2:DescribeSecurityGroups" in names
        await pilot.press("enter")
        await settle(pilot, lambda: "allowed continuously since v1 2018-05-27" in words(app.screen))
        assert isinstance(app.screen, ActionScreen)
        assert "level: Tagging" in words(app.screen)
        assert f"{CNI}@v{newest(CNI)}, AmazonEKSCNIPolicyENITag through ec2:CreateTags" in words(app.screen)
        assert "arn:aws:ec2:*:*:network-interface/*  All regions, All accounts" in words(app.screen)
        # The resource type that is reached comes first.
        assert "Resource types (* required)\n✓ network-interface" in words(app.screen)
        assert "✗ volume" in words(app.screen)
        await pilot.press("x")
        await settle(pilot, lambda: isinstance(app.screen, ExplainScreen) and "volume" not in words(app.screen))
        await settle(pilot, lambda: "CANNOT TELL  ec2:CreateTags: it depends on" in words(app.screen))

    travel(journey)


def test_a_pasted_message_is_taken_with_all_its_lines() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("x")
        await settle(pilot, lambda: isinstance(app.screen, ExplainScreen))
        assert isinstance(app.screen, ExplainScreen)
        app.screen.line.post_message(Paste(DENIED))
        await pilot.press("enter")
        await settle(pilot, lambda: ": no identity policy allows it" in words(app.screen))
        # All but the answer is folded, and unfolds with enter.
        assert "smallest policy that allows it" in words(app.screen)
        assert "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1" not in words(app.screen)
        await pilot.press("G", "enter")
        await settle(pilot, lambda: "resource   arn:aws:ec2:eu-west-1:111122223333:volume/vol-1" in words(app.screen))

    travel(journey)


def test_what_is_said_of_the_verdict_stands_above_the_simulator_s() -> None:
    explanation = explain_all(Library.open(), inquiry_of("policy:AmazonEKSClusterPolicy sts:AssumeRole"))[0]
    assert isinstance(explanation, Explanation)
    # A typed request is not a message.
    assert not [note for note in explanation.notes if "message" in note]
    decision = SimulatedDecision("sts:AssumeRole", "*", "implicitDeny", (), (), None, None)
    lines = [
        row.line
        for row in lay_out(
            explanation_blocks(
                [explanation], LayerSimulation((PeelStep(None, (decision,)),), 1), now=datetime.now(UTC)
            ),
            80,
            "app",
        )
    ]
    text = "\n".join(map(plain, lines))
    assert text.index("The trust policy of the role must allow this") < text.index("IAM's own simulator")


def test_iam_s_own_simulator_is_asked_when_the_user_says_so(lasting_rig: Rig, toasts: list[str]) -> None:
    lasting_rig.reset(0)
    requests: list[Mapping[str, Any]] = []

    def simulate(request: Mapping[str, Any]) -> list[dict[str, Any]]:
        requests.append(request)
        return [{"EvalActionName": "ec2:CreateTags", "EvalResourceName": "*", "EvalDecision": "explicitDeny"}]

    lasting_rig.world.simulation = simulate

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        await pilot.press("x")
        await settle(pilot, lambda: shows(app, ExplainScreen))
        await type_in(pilot, "role:prod-node ec2:CreateTags")
        await pilot.press("enter")
        await settle(pilot, lambda: "ec2:CreateTags: " in words(app.screen))
        assert not requests
        await pilot.press("S")
        await settle(pilot, lambda: "IAM's own simulator: denied explicitly" in words(app.screen))
        await settle(pilot, lambda: "More than one policy denies it" in words(app.screen))
        assert {request["PolicySourceArn"] for request in requests} == {"arn:aws:iam::123456789012:role/prod-node"}
        assert 1 < (count := len(requests)) <= 12
        # A policy opened from it leads back to what the simulator said.
        rows = app.screen.query_one(RowList)
        assert rows.move_to((0, "nearest"))
        await pilot.press("enter")
        assert rows.move_to(next(row.key for row in rows.rows if isinstance(row.value, PolicyAt)))
        answer = rows.rows, rows.cursor
        await pilot.press("enter")
        assert shows(app, ExplorerScreen)
        await pilot.press("escape")
        assert (rows.rows, rows.cursor) == answer and len(requests) == count
        # Another question has another answer.
        await pilot.press("x", "ctrl+u")
        await type_in(pilot, "ec2:CreateVolume")
        await pilot.press("enter")
        await settle(pilot, lambda: "ec2:CreateVolume: " in words(app.screen))
        assert "simulator" not in words(app.screen)
        await pilot.press("S")
        await settle(pilot, lambda: any("put role:NAME" in toast for toast in toasts))
        assert len(requests) == count

    travel(journey)


def test_a_text_without_a_denial_says_so_and_stays_in_the_input() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("x")
        await settle(pilot, lambda: isinstance(app.screen, ExplainScreen))
        assert isinstance(app.screen, ExplainScreen)
        await type_in(pilot, "nothing of note")
        await pilot.press("enter")
        await settle(pilot, lambda: words(app.screen).startswith("!"))
        assert app.screen.line.value == "nothing of note"
        # One goes on typing; esc leaves the input, then the screen.
        line = app.screen.line
        await settle(pilot, lambda: line.has_focus)
        await pilot.press("escape", "escape")
        assert shows(app, ExplorerScreen)

    travel(journey)


def test_the_lines_of_an_unmarked_paste_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """tmux's paste-buffer and serial consoles send a paste as if it were typed: its q would quit."""
    monkeypatch.setattr(asking, "NEXT_LINE_WITHIN", 1000)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("x")
        await settle(pilot, lambda: isinstance(app.screen, ExplainScreen))
        assert isinstance(app.screen, ExplainScreen)
        line = app.screen.line
        first, second = DENIED.split("\r")
        line.value = first[:-1]
        await type_in(pilot, first[-1])
        await pilot.press("enter", "q", "enter", "enter", "e")
        assert shows(app, ExplainScreen)
        assert line.has_focus
        assert line.value == f"{first}⏎q⏎⏎e"
        monkeypatch.setattr(asking, "NEXT_LINE_WITHIN", 0.001)
        line.value = f"{first}⏎{second}"
        await pilot.press("enter")
        await settle(pilot, lambda: words(app.screen).startswith("DENIED  ec2:CreateTags"))
        # A request is asked at once, and what follows it are keys.
        monkeypatch.setattr(asking, "NEXT_LINE_WITHIN", 1000)
        await pilot.press("x")
        line.value = "ec2:CreateTags arn:aws:ec2:eu-west-1:111122223333:volume/vol-1"
        await pilot.press("enter")
        assert not line.has_focus

    travel(journey)


def test_an_encoded_message_leads_to_the_whole_command(toasts: list[str]) -> None:
    payload = "4RbVDXqdtQVWkxDmW5gIAg0KWGnOMvsd9xhGBbwhWrDR9SbkNZPsTz2pS8yX" * 20

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        message = "You are not authorized to perform this operation. Encoded authorization failure message:"
        app.push_screen(ExplainScreen(f"{message} {payload}"))
        await settle(pilot, lambda: "decode-authorization-message" in words(app.screen))
        assert payload in words(app.screen).replace("\n", "")
        assert not toasts
        # y opens what can be copied, and y again takes the first.
        await pilot.press("y", "y")
        await settle(pilot, lambda: f"decode-authorization-message --encoded-message {payload} " in app.clipboard)

    travel(journey, (80, 24))


def test_a_policy_that_is_not_known_keeps_the_screen_and_says_so(toasts: list[str]) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("x")
        await settle(pilot, lambda: isinstance(app.screen, ExplainScreen))
        assert isinstance(app.screen, ExplainScreen)
        # An account may have a version attached that is newer than the data, or a policy that AWS has made since.
        app.post_message(Open(PolicyAt("AmazonEKS_CNI_Policy", 99)))
        app.post_message(Open(PolicyAt("AmazonEKSNoSuchPolicy")))
        await pilot.pause()
        assert shows(app, ExplainScreen)
        assert any("AmazonEKS_CNI_Policy v99 is not known yet" in message for message in toasts)
        assert any("AmazonEKSNoSuchPolicy" in message for message in toasts)

    travel(journey)


# aws/karpenter-provider-aws#3176: the decoded message of a launch that a service control policy denies for want of a tag.
DECODED = {
    "allowed": False,
    "explicitDeny": True,
    "matchedStatements": {
        "items": [
            {
                "statementId": "AskTeamIdCompute1c", "effect": "DENY",
                "principals": {"items": [{"value": "AROA6JVJT7X6J6IT7OOOY"}]}, "principalGroups": {"items": []},
                "actions": {"items": [{"value": "ec2:RunInstances"}]},
                "resources": {"items": [{"value": "arn:aws:ec2:*:*:instance/*"}, {"value": "arn:aws:ec2:*:*:volume/*"}]},
                "conditions": {"items": [{"key": "aws:RequestTag/team-id", "values": {"items": [{"value": "true"}]}}]},
            }
        ]
    },
    "failures": {"items": []},
    "context": {
        "principal": {
            "id": "AROA6JVJT7X6J6IT7OOOY:1672997846453450322",
            "arn": "arn:aws:sts::111122223333:assumed-role/karpenter-controller/1672997846453450322",
        },
        "action": "ec2:RunInstances",
        "resource": "arn:aws:ec2:us-east-1:111122223333:instance/*",
        "conditions": {"items": [{"key": "aws:RequestTag/Name", "values": {"items": [{"value": "karpenter"}]}}]},
    },
}  # fmt: skip


def test_from_an_event_to_the_statement_of_the_service_control_policy_in_six_keys(tmp_path: Path) -> None:
    deny = {
        "Sid": "AskTeamIdCompute1c", "Effect": "Deny", "Action": "ec2:RunInstances",
        "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*"],
        "Condition": {"Null": {"aws:RequestTag/team-id": "true"}},
    }  # fmt: skip
    full_access = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [full_access, deny]}
    folder = tmp_path / "organization"
    folder.mkdir()
    (folder / "tags.json").write_text(json.dumps(policy), encoding="utf-8")
    choice = AccountChoice(layers={"111122223333": {"scp": (str(folder),)}})
    keystrokes: list[str] = []

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        async def press(key: str) -> None:
            keystrokes.append(key)
            await pilot.press(key)

        await press("x")
        await settle(pilot, lambda: shows(app, ExplainScreen))
        app.screen.line.post_message(Paste(json.dumps(DECODED)))  # type: ignore[attr-defined]
        await press("enter")
        await settle(pilot, lambda: "DENIED  ec2:RunInstances" in words(app.screen))
        assert "The service control policy has such a Deny: tags, AskTeamIdCompute1c" in words(app.screen)
        # Its conditions are a fold away.
        await press("down")
        while "nearest statements" not in at_cursor(app):
            await press("down")
        await press("enter")
        await settle(pilot, lambda: "it denies the request" in words(app.screen))
        assert len(keystrokes) <= 6, keystrokes

    travel(journey, library=Library.open(choice))


def test_who_can_says_why_nobody_of_the_account_is_listed(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    choice = AccountChoice(demo=True, layers={"111122223333": {"scp": (str(tmp_path / "broken.json"),)}})

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        app.push_screen(WhoCanScreen("ec2:CreateTags"))
        await settle(pilot, lambda: "Who in my account may do it cannot be said:" in words(app.screen))
        assert "broken.json" in words(app.screen)
        assert "AmazonEKS_CNI_Policy" in words(app.screen)
        assert "may do ec2:CreateTags" not in words(app.screen)

    travel(journey, library=Library.open(choice))


def at_cursor(app: EkstuiApp) -> str:
    row = app.screen.query_one(RowList).current
    return "" if row is None else plain(row.cells[0])
