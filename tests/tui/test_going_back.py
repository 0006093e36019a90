"""`esc` comes back to exactly what was there, after every way into every screen."""

from typing import Any

from textual.app import App
from textual.events import Paste
from textual.pilot import Pilot
from textual.screen import Screen

from ekstui.change.steps import FeedStep
from ekstui.eks.pod_credentials import PodsWithRole
from ekstui.eks.pods import PodPlace
from ekstui.library import AccountChoice, Library
from ekstui.library.copies import CopyAnswer
from ekstui.library.lookup import Thing
from ekstui.library.notation import PolicyAt
from ekstui.library.pod_answers import CredentialsAnswer
from ekstui.present.change_map import MapPlace
from ekstui.present.styled import plain
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.account_screen import AccountScreen
from ekstui.tui.screens.card_screens import ActionScreen, CardScreen
from ekstui.tui.screens.changes_screen import ChangesScreen
from ekstui.tui.screens.cluster_screens import ClusterScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explain_screen import ExplainScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.help_screen import HelpScreen
from ekstui.tui.screens.matrix_screen import MatrixScreen
from ekstui.tui.screens.panes_layout import PANES
from ekstui.tui.screens.pod_screen import PodScreen
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.screens.role_screen import RoleScreen
from ekstui.tui.screens.theme_screen import ThemeScreen
from ekstui.tui.screens.who_can_screen import WhoCanScreen
from ekstui.tui.widgets.attached_pane import AttachedPane
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.rows import RowList
from tests.tui.journeys import explorer_of, settle, travel, type_in

DENIED = (
    "User: arn:aws:sts::111122223333:assumed-role/prod-ebs-csi/i-0abc is not authorized to perform: ec2:CreateVolume on "
    "resource: arn:aws:ec2:eu-central-1:111122223333:volume/* because no identity-based policy allows the "
    "ec2:CreateVolume action"
)


def _place(app: App[None]) -> tuple[object, ...]:
    """Return all that the user sees of where they are."""
    screen = app.screen
    if not isinstance(screen, ExplorerScreen):
        return type(screen), screen.query_one(RowList).rows, screen.query_one(RowList).cursor
    panes = [screen.query_one(f"#{name}", Pane) for name in PANES]
    rows = [(pane.filter, pane.rows.current.key if pane.rows.current else None) for pane in panes]
    return screen.scope, screen.policy_view and screen.policy_view.place, screen.marks, screen.pane, rows


async def _ready(pilot: Pilot[None], app: EkstuiApp) -> None:
    """Wait until nothing is read any more."""
    await settle(pilot, lambda: not app.has_keys)
    screen: Screen[Any] = app.screen
    if isinstance(screen, ExplorerScreen):
        await settle(pilot, lambda: _has_followed(screen))
    elif isinstance(screen, ReportScreen):
        await settle(pilot, lambda: screen.answer is not None and bool(screen.rows.rows))


def _has_followed(screen: ExplorerScreen) -> bool:
    """Return whether all panes show the policy under the list's cursor."""
    arn = screen.policy_view.entry.policy.arn if screen.policy_view else None
    row = screen.policies.rows.current
    attached_pane = screen.query_one(AttachedPane)
    return (
        row is not None
        and row.key == arn == screen.permissions.policy_arn == screen.versions.policy_arn
        and bool(screen.versions.steps)
        and attached_pane.content is not None
    )


def _to(app: EkstuiApp, kind: type | str) -> None:
    """Put the cursor on the first row with a value of this type, or with this text."""
    rows = [row for row in app.screen.query_one(RowList).rows if row.selectable]
    match = (
        row.key for row in rows
        if (kind in " ".join(map(plain, row.cells)) if isinstance(kind, str) else isinstance(row.value, kind))
    )  # fmt: skip
    assert app.screen.query_one(RowList).move_to(next(match))


def test_a_policy_opened_from_an_explanation_leads_back_to_it() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)
        await pilot.press("j", "j")
        await _ready(pilot, app)
        panes = _place(app)
        await pilot.press("x")
        assert isinstance(app.screen, ExplainScreen)
        await type_in(pilot, "role:prod-node ec2:CreateTags")
        await pilot.press("enter")
        await _ready(pilot, app)
        assert app.screen.rows.move_to((0, "nearest"))
        await pilot.press("enter")
        await _ready(pilot, app)
        _to(app, PolicyAt)
        explanation = _place(app)
        await pilot.press("enter")
        assert explorer_of(app).policy_view is not None
        await _ready(pilot, app)
        assert _place(app) != panes
        # The panes work as ever, and esc undoes their steps first.
        await pilot.press("3", "escape", "escape")
        assert _place(app) == explanation
        await pilot.press("escape")
        await _ready(pilot, app)
        assert _place(app) == panes

    travel(journey, library=Library.open(AccountChoice(demo=True)))


def test_the_scope_is_as_before_after_an_upgrade_s_policy() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)
        await pilot.press("4")
        await _ready(pilot, app)
        panes = _place(app)
        await pilot.press("c")
        await type_in(pilot, "p")
        await pilot.press("enter", "U")
        await _ready(pilot, app)
        _to(app, PolicyAt)
        upgrade = _place(app)
        await pilot.press("enter")
        assert isinstance(app.screen, ExplorerScreen)
        assert app.explorer.scope == "controllers"
        await pilot.press("escape")
        assert _place(app) == upgrade
        await pilot.press("escape", "escape")
        await _ready(pilot, app)
        assert _place(app) == panes

    travel(journey, library=Library.open(AccountChoice(demo=True)))


WAYS = {
    "w": (("w",), "ec2:CreateTags", WhoCanScreen),
    "x": (("x",), "ec2:CreateTags", ExplainScreen),
    "f": (("f",), "", ChangesScreen),
    "t": (("t",), "", MatrixScreen),
    "d": (("d",), "", CompareScreen),
    "a": (("a",), "", AccountScreen),
    "an action": (("2", "l", "j", "enter"), "", ActionScreen),
    "a role": (("4", "enter"), "", RoleScreen),
    "a cluster": (("c",), "prod", ClusterScreen),
    "found action": (("colon",), "ec2:CreateTags", WhoCanScreen),
    "found role": (("colon",), "role prod-node", RoleScreen),
    "found user": (("colon",), "alice", CardScreen),
    "found symptom": (("colon",), "irsa", CardScreen),
    "found policy": (("colon",), "AmazonEKSServiceRolePolicy", ExplorerScreen),
    "found release": (("colon",), "karpenter@v1.8", ExplorerScreen),
    "found pods": (("colon",), "pod checkout", PodScreen),
    "themes": (("T",), "", ThemeScreen),
    "what a policy does not allow": (("2", "l", "j", "v"), "", ExplorerScreen),
}


def test_esc_comes_back_to_the_same_row() -> None:
    """Every way into a screen, and from there into the panes where a row leads to a policy."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)
        await pilot.press("j")
        for way, (opening_keys, text, kind) in WAYS.items():
            await pilot.press("1")
            await _ready(pilot, app)
            *to_pane, last = opening_keys
            await pilot.press(*to_pane)
            panes = _place(app)
            await pilot.press(last)
            if text:
                await type_in(pilot, text)
                await pilot.press("enter")
            await settle(pilot, lambda kind=kind: isinstance(app.screen, kind))  # type: ignore[misc]
            await _ready(pilot, app)
            screen: Screen[Any] = app.screen
            if isinstance(screen, ReportScreen) and any(isinstance(row.value, PolicyAt) for row in screen.rows.rows):
                _to(app, PolicyAt)
                report = _place(app)
                await pilot.press("enter")
                assert isinstance(app.screen, ExplorerScreen), way
                await _ready(pilot, app)
                await pilot.press("escape")
                assert _place(app) == report, way
            assert isinstance(screen, ExplorerScreen) or _place(app) != panes, way
            await pilot.press("escape")
            await _ready(pilot, app)
            await settle(pilot, lambda panes=panes: _place(app) == panes)  # type: ignore[misc]

    travel(journey, library=Library.open(AccountChoice(demo=True)))


FURTHER: dict[str, tuple[tuple[str, ...], str, list[type | str], str, type]] = {
    "pods of a role": (("colon",), "role prod-payments", [PodsWithRole, PodPlace], "enter", PodScreen),
    "role of pods": (("colon",), "pod checkout", [CredentialsAnswer], "enter", RoleScreen),
    "pods of a cluster": (("c",), "prod", ["pods: what they use", PodPlace], "enter", PodScreen),
    "role's copy": (("colon",), "role legacy-node-NodeInstanceRole-1ABCDEFGHIJK", [CopyAnswer], "d", CompareScreen),
    "account's copy": (("a",), "", [CopyAnswer], "enter", CompareScreen),
    "role's own policy": (
        ("colon",),
        "role legacy-node-NodeInstanceRole-1ABCDEFGHIJK",
        ["customer managed"],
        "enter",
        RoleScreen,
    ),
    "cell of the map": (("f", "p", "p"), "", [MapPlace], "enter", ChangesScreen),
    "change": (("f", "p", "p"), "", ["v26→v27"], "enter", CompareScreen),
    "themes": (("f",), "", [FeedStep], "T", ThemeScreen),
    "help": (("f",), "", [FeedStep], "question_mark", HelpScreen),
}
"""What opens a screen, and its text; the rows to open on it, the last one by a key; and the screen that this opens."""


def test_esc_comes_back_to_the_same_row_of_a_screen() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)
        await pilot.press("j")
        await _ready(pilot, app)
        panes = _place(app)
        for opening_keys, text, (*kinds_to_unfold, kind), key, screen in FURTHER.values():
            await pilot.press(*opening_keys)
            if text:
                await type_in(pilot, text)
                await pilot.press("enter")
            await settle(pilot, lambda: isinstance(app.screen, ReportScreen))
            await _ready(pilot, app)
            for part in kinds_to_unfold:
                _to(app, part)
                await pilot.press("enter")
            _to(app, kind)
            report = _place(app)
            await pilot.press(key)
            await settle(
                pilot,
                lambda screen=screen, report=report: isinstance(app.screen, screen) and _place(app) != report,  # type: ignore[misc]
            )
            await _ready(pilot, app)
            await pilot.press("escape")
            await settle(pilot, lambda report=report: _place(app) == report)  # type: ignore[misc]
            await pilot.press("escape")
            await _ready(pilot, app)
            await settle(pilot, lambda: _place(app) == panes)

    travel(journey, library=Library.open(AccountChoice(demo=True)))


def test_the_last_five_questions_are_offered_again() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)
        await pilot.press("x")
        app.post_message(Paste(DENIED))
        await pilot.press("enter")
        await _ready(pilot, app)
        assert isinstance(app.screen, ExplainScreen)
        question = app.screen.text
        await pilot.press("escape")
        for action in ("ec2:CreateTags", "ec2:RunInstances", "eks:DescribeCluster", "sts:AssumeRole"):
            await pilot.press("w")
            await type_in(pilot, action)
            await pilot.press("enter")
            await _ready(pilot, app)
            await pilot.press("escape")
        # Policies do not push them out.
        for policy in ("AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSServicePolicy", "AmazonEKSNetworkingPolicy",
                       "AmazonEKS_CNI_Policy", "AmazonEKSWorkerNodePolicy", "AmazonEKSLoadBalancingPolicy"):  # fmt: skip
            app.remember(Thing("policy", policy))
        await pilot.press("colon")
        things = [row.value for row in app.screen.query_one(RowList).rows if isinstance(row.value, Thing)]
        question_names = [thing.name for thing in things if thing.kind in ("denial", "action")]
        assert question_names == [
            "sts:AssumeRole",
            "eks:DescribeCluster",
            "ec2:RunInstances",
            "ec2:CreateTags",
            "ec2:CreateVolume",
        ]
        assert app.screen.query_one(RowList).move_to(next(
            row.key for row in app.screen.query_one(RowList).rows if isinstance(row.value, Thing) and row.value.kind == "denial"
        ))  # fmt: skip
        await pilot.press("enter")
        await _ready(pilot, app)
        reopened_screen: Screen[Any] = app.screen
        assert isinstance(reopened_screen, ExplainScreen)
        assert reopened_screen.text == question

    travel(journey, library=Library.open(AccountChoice(demo=True)))
