"""A cluster as a list of problems: from the table of clusters to the command on the clipboard."""

import json
import re
import shlex
import threading
from datetime import UTC, datetime, timedelta

import pytest
from textual.pilot import Pilot

from ekstui.eks.cluster import AssociatedPolicy
from ekstui.eks.commands import one_line
from ekstui.library import AccountChoice, Library
from ekstui.library import cluster_answers as judging
from ekstui.library.cluster_answers import ClusterAnswer, CommonCause
from ekstui.present.cluster_report import cluster_blocks
from ekstui.present.rendering import lay_out, markdown
from ekstui.present.styled import plain
from ekstui.sources.aws import last_accessed
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens import cluster_screens
from ekstui.tui.screens.cluster_screens import ClusterScreen
from ekstui.tui.screens.dialogs import ChooserScreen
from ekstui.tui.screens.explain_screen import ExplainScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.role_screen import RoleScreen
from ekstui.tui.widgets.bars import LineBar
from ekstui.tui.widgets.rows import RowList
from tests.rig.rig import Rig
from tests.support.patience import PATIENCE
from tests.tui.journeys import settle, shows, travel, type_in, words


def test_from_the_table_of_clusters_to_the_command_that_mends_a_problem(lasting_rig: Rig) -> None:
    lasting_rig.reset(0)
    copies: list[str] = []
    command = (
        "aws iam attach-role-policy --role-name prod-cloudwatch "
        "--policy-arn arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"
    )

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        app.copy_to_clipboard = copies.append  # type: ignore[assignment, method-assign]
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        await pilot.press("c")
        await settle(pilot, lambda: shows(app, ChooserScreen))
        # Problems and advice are counted in the background, from the snapshot.
        await settle(pilot, lambda: "…" not in words(app.screen))
        await type_in(pilot, "prod")
        assert len(words(app.screen).splitlines()) == 1
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, ClusterScreen) and "problem" in words(app.screen))
        # In the rig's account, the CloudWatch agent's role has no policy; EKS reports that for the add-on too.
        assert re.match(r"prod 1\.34   ✗ [1-9]\d* problems   ! ", words(app.screen))
        assert "(EKS says so too)" in words(app.screen)
        screen = app.screen
        assert isinstance(screen, ClusterScreen)

        def on() -> object:
            return screen.rows.current.value if screen.rows.current else None

        # What EKS reports and no role explains has the command that shows more.
        while not isinstance(on(), CommonCause):
            await pilot.press("n")
        await pilot.press("y", "enter")
        await settle(
            pilot, lambda: copies == ["kubectl get clusterrole/eks:node-manager clusterrolebinding/eks:node-manager"]
        )
        await pilot.press("n", "y")
        await settle(pilot, lambda: shows(app, ChooserScreen))
        await pilot.press("enter")
        await settle(pilot, lambda: copies[1:] == [command])
        copies.clear()
        while not isinstance(cause := on(), CommonCause) or "prod-cloudwatch" not in cause.cases[0][0].arn:
            await pilot.press("n")
        # Cut in its row, in full in the details, with its fix.
        line = screen.query_one(LineBar)
        await settle(pilot, lambda: ":role/prod-cloudwatch" in str(line.render()))
        assert "y copies: aws iam attach-role-policy" in str(line.render())
        await pilot.press("enter")
        await settle(pilot, lambda: command in " ".join(words(app.screen).replace("\\\n", " ").split()))
        await pilot.press("y", "enter")
        await settle(pilot, lambda: copies == [command])
        await pilot.press("y")
        await settle(pilot, lambda: shows(app, ChooserScreen))
        await type_in(pilot, "terraform")
        await pilot.press("enter")
        await settle(pilot, lambda: len(copies) == 2)
        assert copies[1].splitlines()[1:] == [
            '  role       = "prod-cloudwatch"',
            '  policy_arn = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"',
            "}",
        ]
        # What cannot be refreshed stays, below the reason.
        lasting_rig.proxy.fail("denied", "sts", "GetCallerIdentity")
        await pilot.press("r")
        await settle(pilot, lambda: "What was known before" in words(app.screen))
        assert "✗ 6 problems" in words(app.screen)

    travel(journey)


def test_a_cluster_is_chosen_before_what_is_wrong_in_each_is_known(
    lasting_rig: Rig, monkeypatch: pytest.MonkeyPatch, toasts: list[str]
) -> None:
    lasting_rig.reset(0)
    may_judge, is_judged = threading.Event(), threading.Event()
    original_clusters = judging.clusters

    def clusters(library: Library) -> tuple[ClusterAnswer, ...]:
        assert may_judge.wait(PATIENCE)
        answers = original_clusters(library)
        is_judged.set()
        return answers

    monkeypatch.setattr(cluster_screens, "clusters", clusters)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        await pilot.press("c")
        await settle(pilot, lambda: shows(app, ChooserScreen))
        await pilot.press("enter")
        # The answer has not arrived yet.
        await pilot.press("n")
        await settle(pilot, lambda: shows(app, ClusterScreen) and "problem" in words(app.screen))
        may_judge.set()
        await settle(pilot, is_judged.is_set)
        await settle(pilot, lambda: "ekstui-clusters" not in {thread.name for thread in threading.enumerate()})
        await pilot.pause()
        assert not [message for message in toasts if message != ClusterScreen.WAITING.capitalize()]

    travel(journey)


def test_what_a_trust_policy_lacks_is_added_and_all_else_of_it_stays() -> None:
    library = Library.open(AccountChoice(demo=True, offline=True))
    answer = judging.cluster_answer(library, "auto")
    (role, finding) = next(
        (role, finding)
        for role, finding in judging.findings_worst_first(answer)
        if finding.code == "trust-lacks-tag-session"
    )
    command = shlex.split(one_line(finding.commands))
    assert command[:5] == ["aws", "iam", "update-assume-role-policy", "--role-name", role.arn.rpartition("/")[2]]
    # The trust policy that AWS's guide has for the cluster role of Auto Mode.
    assert json.loads(command[-1]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["eks.amazonaws.com"]},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }


@pytest.mark.parametrize("name", ["prod", "auto", "legacy"])
def test_every_problem_says_what_to_change_and_no_channel_gets_the_account(name: str) -> None:
    answer = judging.cluster_answer(Library.open(AccountChoice(demo=True, offline=True)), name)
    for _, finding in judging.findings_worst_first(answer):
        if finding.severity == "problem":
            assert finding.commands or finding.change, finding.code
    now = datetime.now(UTC)
    assert answer.identity.account not in markdown(cluster_blocks(answer, now, now))


@pytest.mark.parametrize("width", [76, 116])
def test_what_an_access_entry_allows_is_whole_at_every_width(width: int) -> None:
    answer = judging.cluster_answer(Library.open(AccountChoice(demo=True, offline=True)), "prod")
    (of_sso,) = (entry for entry in answer.entries if "AWSReservedSSO" in entry.entry.principal_arn)
    policy = AssociatedPolicy("AmazonEKSClusterAdminPolicy")
    entry = of_sso._replace(entry=of_sso.entry._replace(kind="STANDARD", policies=(policy,)))
    now = datetime.now(UTC)
    rows = lay_out(cluster_blocks(answer._replace(entries=(entry,)), now, now), width, "app")
    (line,) = (plain(row.line) for row in rows if "role/…/" in plain(row.line))
    assert line.split()[1:] == ["STANDARD", "AmazonEKSClusterAdminPolicy", "in", "the", "cluster"]


def test_what_is_typed_from_a_role_is_held_against_it() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None)
        app.push_screen(RoleScreen("prod-node"))
        await settle(pilot, lambda: shows(app, RoleScreen) and "AmazonEKS_CNI_Policy" in words(app.screen))
        await pilot.press("x")
        await settle(pilot, lambda: shows(app, ExplainScreen))
        await type_in(pilot, "iam:CreateUser")
        await pilot.press("enter")
        await settle(pilot, lambda: "role prod-node" in words(app.screen) and "iam:CreateUser" in words(app.screen))

    travel(journey, library=Library.open(AccountChoice(demo=True, offline=True)))


def test_what_a_role_was_last_used_for_is_one_of_its_views(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_accessed, "PAUSES", (0.0, 0.1, 0.1))
    rig.reset(0)
    last_used = datetime.now(UTC) - timedelta(days=2)
    rig.world.reports = lambda _: [
        {
            "ServiceName": "Amazon EC2", "ServiceNamespace": "ec2", "LastAuthenticated": last_used, "TotalAuthenticatedEntities": 1,
            "TrackedActionsLastAccessed": [{"ActionName": "CreateTags", "LastAccessedTime": last_used}],
        },
        {"ServiceName": "AWS Systems Manager", "ServiceNamespace": "ssm", "TotalAuthenticatedEntities": 0},
    ]  # fmt: skip

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        app.push_screen(RoleScreen("prod-node"))
        await settle(pilot, lambda: shows(app, RoleScreen) and "AmazonEKS_CNI_Policy" in words(app.screen))
        assert not rig.world.jobs
        await pilot.press("v", "v")
        await settle(pilot, lambda: "1 of 2 services used in the last 90 days" in words(app.screen))
        assert "ssm  not in the tracking period" in words(app.screen) and "CreateTags" not in words(app.screen)
        while "ec2" not in words_of_row(app):
            await pilot.press("down")
        await pilot.press("enter")
        await settle(pilot, lambda: "ec2:CreateTags" in words(app.screen))
        assert len(rig.world.jobs) == 1
        # Back to the first view, then to where the role was opened.
        await pilot.press("escape")
        assert shows(app, RoleScreen) and "AmazonEKS_CNI_Policy" in words(app.screen)
        await pilot.press("escape")
        # The same as a view of a policy's permissions.
        await settle(pilot, lambda: shows(app, ExplorerScreen))
        await pilot.press("2", "v", "v")
        await settle(pilot, lambda: "ssm  not in the tracking period" in words(app.screen))
        assert [job[0] for job in rig.world.jobs.values()][1] == "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
        # v goes on to the first view, and esc back to it, from whichever pane: to the row before.
        await pilot.press("v")
        assert "not in the tracking period" not in words(app.screen)
        rows = explorer.permissions.rows
        await pilot.press("G")
        first_view = rows.rows, rows.cursor
        await pilot.press("v", "v")
        await settle(pilot, lambda: "not in the tracking period" in words(app.screen))
        await pilot.press("1", "escape")
        assert (rows.rows, rows.cursor) == first_view

    travel(journey)


def words_of_row(app: EkstuiApp) -> str:
    row = app.screen.query_one(RowList).current
    return "" if row is None else str(row.value)
