"""The views of the explorer's panes: filters, notes, what is not allowed, and too small a terminal."""

import asyncio
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Static
from textual.widgets._toast import Toast

from ekstui.eks.account_snapshot import RoleAttachment
from ekstui.library import AccountChoice, Library
from ekstui.present.styled import plain
from ekstui.settings import Effective, Settings
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.changes_screen import ChangesScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.dialogs import TooSmallScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.panes_layout import PANES
from ekstui.tui.screens.who_can_screen import WhoCanScreen
from ekstui.tui.widgets.attached_pane import AttachedPane
from ekstui.tui.widgets.bars import FooterBar
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.rows import RowList
from tests.support.bundled import CNI, FAMILY, newest
from tests.support.patience import PATIENCE
from tests.tui.journeys import at_rest, explorer_of, settle, travel, type_in, words


def _names(app: EkstuiApp) -> list[str]:
    entries = (row.value for row in explorer_of(app).policies.rows.rows)
    return [entry.policy.name for entry in entries if hasattr(entry, "policy")]


@pytest.mark.parametrize(
    ("query", "policy_shown", "policy_hidden"),
    [
        # The policies' documents: the CNI policy tags network interfaces, the worker node policy only reads.
        ("action:ec2:createtags", "AmazonEKS_CNI_Policy", "AmazonEKSWorkerNodePolicy"),
        ("service:kms", "AmazonEKSClusterPolicy", "AmazonEKS_CNI_Policy"),
        ("level:tagging", "AmazonEKS_CNI_Policy", "AmazonEKSWorkerNodePolicy"),
        ("changed:2026-08-01", "AmazonEKSLoadBalancingPolicy", "AmazonEKSServicePolicy"),
        ("service:ec2 cni", "AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy"),
    ],
)
def test_policies_are_filtered_by_what_they_give(query: str, policy_shown: str, policy_hidden: str) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("slash")
        explorer_of(app).policies.line.value = query
        await settle(pilot, lambda: policy_hidden not in _names(app) and policy_shown in _names(app))

    travel(journey)


def test_a_facet_that_cannot_be_read_says_so_and_leaves_nothing_out() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("slash")
        explorer_of(app).policies.line.value = "changed:soon"
        await settle(pilot, lambda: "not a date" in str(explorer_of(app).policies.border_subtitle))
        assert len(_names(app)) == FAMILY

    travel(journey)


def test_notes_and_what_remains_are_a_key_away() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: " notes)" in words(app.screen))
        assert "Worth knowing" not in words(app.screen)
        await pilot.press("i")
        assert "Worth knowing" in words(app.screen)
        rows = explorer_of(app).permissions.rows
        ec2 = next(row for row in rows.rows if " ec2" in plain(row.cells[0]) and row.selectable)
        await pilot.press("v")
        # The CNI policy allows EC2 only, so nothing of S3.
        await settle(pilot, lambda: "Not allowed by this version" in words(app.screen))
        assert "▸ ec2" in words(app.screen)
        assert ", s3, " in words(app.screen)
        assert rows.move_to(next(row.key for row in rows.rows if "▸ ec2" in plain(row.cells[0])))
        await pilot.press("enter")
        assert "▾ ec2" in words(app.screen)
        await pilot.press("v")
        assert "Not allowed by this version" not in words(app.screen)
        # What is unfolded of one view is not of another.
        await pilot.press("v")
        assert ec2 in rows.rows

    travel(journey)


def test_notes_are_of_the_policy_in_every_pane_and_do_not_stick() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: " notes)" in words(app.screen))
        # While the app asks or reads, escape stops that first.
        await at_rest(pilot, app)
        for pane in "1234":
            for close in ("i", "escape"):
                await pilot.press(pane, "i")
                assert "Worth knowing" in words(app.screen)
                await pilot.press(close)
                assert "Worth knowing" not in words(app.screen)
                assert explorer_of(app).pane == PANES[int(pane) - 1]
        before = explorer_of(app).permissions.policy_arn
        await pilot.press("1", "i", "1", "j")
        await settle(pilot, lambda: explorer_of(app).permissions.policy_arn != before)
        assert "Worth knowing" not in words(app.screen)

    travel(journey)


def test_a_role_is_compared_with_the_policy_and_what_is_counted_is_listed() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        attached_pane = app.screen.query_one(AttachedPane)
        await settle(pilot, lambda: any(isinstance(row.value, RoleAttachment) for row in attached_pane.rows.rows))
        roles = [row.value for row in attached_pane.rows.rows if isinstance(row.value, RoleAttachment)]
        policy = next(row for row in explorer_of(app).policies.rows.rows if row.selectable)
        assert plain(policy.cells[-2]).strip() == str(sum(bool(role.attached_as) for role in roles))
        # The account's own copy of the CNI policy is on a role, which has not the original.
        assert [role.remarks for role in roles if not role.attached_as]
        assert "with a copy" in str(attached_pane.border_subtitle)
        await pilot.press("4", "d")
        assert isinstance(app.screen, CompareScreen)
        assert str(app.screen.after) == f"{CNI}@v{newest(CNI)}"
        assert str(app.screen.before) == f"role:{roles[0].role.name}"

    travel(journey, library=Library.open(AccountChoice(demo=True)))


class _WithLastingToasts(EkstuiApp):
    """The app with toasts that stay: on a busy machine five seconds are over before a dialog was closed."""

    NOTIFICATION_TIMEOUT = PATIENCE


def test_a_toast_leaves_the_details_of_the_row_in_view() -> None:
    async def run() -> None:
        app = _WithLastingToasts(Library.open())
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await pilot.press("u")
            await settle(pilot, lambda: any(toast.region for toast in app.screen.query(Toast)))
            assert app.screen.query_one(Toast).region.bottom <= app.screen.query_one("#line").region.y
            # A dialog leaves it; another screen takes it away.
            await pilot.press("question_mark")
            await settle(pilot, lambda: app.screen.is_modal)
            await pilot.press("escape")
            assert app.screen.query(Toast)
            await pilot.press("f")
            await settle(pilot, lambda: isinstance(app.screen, ChangesScreen) and not app.screen.query(Toast))

    asyncio.run(run())


def test_without_colour_the_frame_shows_the_focus_and_the_footer_its_keys() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.pause()
        frames = {}
        for key, name in (("2", "permissions"), ("1", "policies")):
            await pilot.press(key)
            await pilot.pause()
            frames[name] = {
                str(pane.id): pane.render_lines(Region(0, 0, pane.outer_size.width, 1))[0].text
                for pane in app.screen.query(Pane)
            }
        for pane_name, frame in frames.items():
            assert [name for name, line in frame.items() if line.startswith("┏━")] == [pane_name]
            assert not any("─" in line for line in frame.values() if "━" in line)
        footer = app.screen.query_one(FooterBar).render_line(0)
        bold = [segment.text.strip() for segment in footer if segment.style and segment.style.bold]
        assert bold[:3] == ["enter", "space", "d"]

    travel(journey)


def test_the_column_that_one_leaves_shows_what_it_is_for() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        before = app.screen.query_one("#permissions").region
        await pilot.press("4", "1")
        await settle(pilot, lambda: app.screen.query_one("#permissions").region == before)

    travel(journey)


def test_versions_that_change_nothing_can_be_hidden() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press(*["j"] * 5, "3")
        await settle(pilot, lambda: "v9   2026-02-11" in words(app.screen) or "v9 2026-02-11" in words(app.screen))
        await pilot.press("v")
        assert "v9 2026-02-11" not in words(app.screen)
        # The default version stays, even if it changed nothing, as v10 did.
        assert f"v{newest('AmazonEKSClusterPolicy')} 20" in words(app.screen)

    travel(journey)


def test_versions_are_found_by_the_action_that_they_changed() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        versions = explorer_of(app).versions
        await settle(pilot, lambda: len(versions.steps) == newest(CNI))
        await pilot.press("3", "slash")
        versions.line.value = "ec2:describesecurity"
        # AWS's history of the EKS policies: v6 of 4 March 2026 added it; no earlier version has it.
        await settle(pilot, lambda: [row.key for row in versions.rows.rows] == [6])

    travel(journey)


def test_a_terminal_that_is_too_small_says_what_is_needed_and_recovers() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.resize_terminal(50, 10)
        await settle(pilot, lambda: isinstance(app.screen, TooSmallScreen))
        await settle(pilot, lambda: "60&#160;columns" in app.export_screenshot())
        await pilot.resize_terminal(80, 24)
        await settle(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        await pilot.press("j")
        assert explorer_of(app).policies.rows.has_focus

    travel(journey)


@pytest.mark.parametrize(("keys", "quits"), [({}, "q"), ({"leave": "Q"}, "Q")])
def test_the_key_that_a_terminal_too_small_names_quits(keys: dict[str, str], quits: str) -> None:
    async def run() -> None:
        app = EkstuiApp(Library.open(), effective=Effective(Settings(keys=keys), {}, (), Path(), file_found=False))
        async with app.run_test(size=(50, 10)) as pilot:
            await settle(pilot, lambda: isinstance(app.screen, TooSmallScreen))
            await settle(pilot, lambda: f"{quits}&#160;" in app.export_screenshot())
            await pilot.press(quits)
        assert not app.is_running
        assert app.return_code == 0

    asyncio.run(run())


@pytest.mark.parametrize("dialogue", ["colon", "question_mark", "y"])
def test_a_dialogue_can_be_quit_from(dialogue: str) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press(dialogue)
        await settle(pilot, lambda: not isinstance(app.screen, ExplorerScreen))
        await pilot.press("ctrl+q")
        assert app.return_code == 0

    travel(journey)


def test_what_is_said_at_a_start_without_room_can_be_read() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: isinstance(app.screen, TooSmallScreen))
        style = app.screen.query_one(Static).visual_style.rich_style
        assert style.color != style.bgcolor

    travel(journey, (50, 12))


def test_the_help_is_wrapped_again_where_the_width_changes() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("question_mark")
        await settle(pilot, lambda: "next pane" in " ".join(words(app.screen).split()))
        await pilot.resize_terminal(60, 15)
        await settle(pilot, lambda: app.screen.size.width == 60)
        await pilot.pause()
        rows = app.screen.query_one(RowList)
        assert max(len(plain(row.cells[0])) for row in rows.rows) <= rows.row_width
        assert "next pane" in " ".join(words(app.screen).split())

    travel(journey)


def test_the_palette_compares_any_two_and_the_header_says_the_way() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await type_in(pilot, "diff AmazonEKS_CNI_Policy@v5 AmazonEKS_CNI_Policy@v6")
        await pilot.press("enter")
        await settle(pilot, lambda: isinstance(app.screen, CompareScreen))
        await settle(pilot, lambda: "ec2:describesecuritygroups" in words(app.screen).casefold())
        await pilot.press("w")
        await settle(pilot, lambda: "AmazonEKSClusterPolicy" in words(app.screen))
        assert isinstance(app.screen, WhoCanScreen)
        way = str(app.screen.header.render())
        assert "compare AmazonEKS_CNI_Policy" in way
        assert "› who can ec2:DescribeSecurityGroups" in way

    travel(journey)
