"""Journeys through the four panes, on the real corpus."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from ekstui.library import Library
from ekstui.library.remembered import seen_versions
from ekstui.present.styled import plain
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.policies_pane import PoliciesPane
from ekstui.tui.widgets.versions_pane import VersionsPane
from tests.support.bundled import CNI, FAMILY, POLICIES, newest
from tests.support.rows import row_texts
from tests.tui.journeys import at_rest, explorer_of, settle, travel

Journey = Callable[[Pilot[None], ExplorerScreen], Awaitable[None]]


def explore(journey: Journey, size: tuple[int, int] = (120, 40)) -> None:
    """Run a journey through the app's first screen."""

    async def through_explorer(pilot: Pilot[None], app: EkstuiApp) -> None:
        await journey(pilot, explorer_of(app))

    travel(through_explorer, size)


def test_the_list_is_filled_and_the_panes_follow_its_cursor() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        policies, versions = screen.query_one(PoliciesPane), screen.query_one(VersionsPane)
        assert len(policies.entries) == FAMILY
        await settle(pilot, lambda: any("v6 2026-03-04" in line for line in row_texts(versions)))
        await pilot.press("j")
        await settle(pilot, lambda: any("v3 2023-11-27 +1 widened" in line for line in row_texts(versions)))

    explore(journey)


def test_a_long_title_keeps_its_version() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        pane = screen.permissions
        await pilot.press("2")
        await settle(pilot, lambda: pane.outer_size.width == 60)
        pane.set_title("AmazonSageMakerHyperPodObservabilityAdminAccess v1")
        (frame,) = pane.render_lines(Region(0, 0, pane.outer_size.width, 1))
        assert "AmazonSageMaker" in frame.text
        assert frame.text.endswith("AdminAccess v1 ━┓")

    explore(journey, size=(60, 15))


def test_versions_that_nobody_saw_are_named() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        await pilot.press("slash", *"EKSServiceRolePolicy", "enter")
        await settle(pilot, lambda: "v12–v16 never recorded" in row_texts(screen.query_one(VersionsPane)))

    explore(journey)


def test_a_filter_that_matches_nothing_says_how_to_clear_it() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        policies = screen.query_one(PoliciesPane)
        await pilot.press("slash", *"xyzzy")
        assert "Nothing here matches “xyzzy”." in row_texts(policies)
        # What the filter hides can be neither seen nor marked.
        await settle(pilot, lambda: screen.policy_view is None)
        await pilot.press("enter", "3", "space")
        assert screen.marks == ()
        assert not row_texts(screen.versions) + row_texts(screen.permissions)
        await pilot.press("1", "s")
        assert "Nothing here matches “xyzzy”." in row_texts(policies)
        await pilot.press(*"ssss")
        # While the app asks or reads, escape stops that first.
        await at_rest(pilot, screen.app)
        await pilot.press("escape")
        assert sum(row.selectable for row in policies.rows.rows) == FAMILY
        assert policies.rows.has_focus
        # The next filter starts anew, and one esc in it is enough.
        await pilot.press("slash", *"CNI", "enter", "slash", *"Fargate")
        assert policies.filter == "Fargate"
        await settle(
            pilot, lambda: screen.policy_view is not None and "Fargate" in screen.policy_view.entry.policy.name
        )
        await pilot.press("escape")
        assert policies.filter == ""
        assert policies.rows.has_focus

    explore(journey)


def test_a_policy_that_changed_is_marked_until_it_is_looked_at() -> None:
    seen_versions().changed_since([], datetime(2026, 8, 1, tzinfo=UTC))

    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        await settle(
            pilot, lambda: any(line.startswith("! AmazonEKSNetworkingPolicy") for line in row_texts(screen.policies))
        )
        await pilot.press("slash", *"EKSNetworking", "enter")
        await settle(pilot, lambda: not any(line.startswith("!") for line in row_texts(screen.policies)))
        await pilot.press("slash", "escape")

    explore(journey)
    library = Library.open()
    networking = library.find("AmazonEKSNetworkingPolicy").policy
    assert seen_versions().changed_since([networking], datetime(2026, 9, 1, tzinfo=UTC)) == frozenset()


def test_scope_switches_through_all_families_and_back_with_the_cursor_on_its_policy() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        policies = screen.query_one(PoliciesPane)
        await pilot.press("j", "j")
        before = policies.rows.current
        await pilot.press("s")
        assert len(policies.rows.rows) == POLICIES
        assert policies.rows.current == before
        await pilot.press("s")
        assert {entry.scope for entry in policies.entries} == {"controllers"}
        await pilot.press("s")
        assert {entry.scope for entry in policies.entries} == {"access"}
        await pilot.press("s")
        assert {entry.scope for entry in policies.entries} == {"eks", "aws", "controllers", "access"}
        await pilot.press("s")
        assert policies.rows.current == before

    explore(journey)


def test_older_and_newer_walk_through_the_known_versions() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        await pilot.press("left_square_bracket", "left_square_bracket", "right_square_bracket")
        assert screen.policy_view is not None
        assert screen.policy_view.version == newest(CNI) - 1

    explore(journey)


def test_a_key_right_behind_the_cursor_is_for_the_policy_under_it() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        # The panes follow only once the cursor rests.
        worker = "AmazonEKSWorkerNodePolicy"
        title = f"{worker}@v{newest(worker) - 1} → v{newest(worker)}"
        await pilot.press("j", "d")
        assert isinstance(pilot.app.screen, CompareScreen)
        await settle(pilot, lambda: title in plain(pilot.app.screen.question()))  # type: ignore[attr-defined]

    explore(journey)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
def test_every_pane_can_be_reached_at_every_size(size: tuple[int, int]) -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        for key, pane in (("2", "permissions"), ("3", "versions"), ("4", "attached"), ("1", "policies")):
            await pilot.press(key)
            await pilot.pause()
            pane_widget = screen.query_one(f"#{pane}", Pane)
            assert pane_widget.rows.has_focus
            assert pane_widget.region.width >= 40 or size[0] > 60
            assert pane_widget.region.height > 5

    explore(journey, size)


def test_zoom_fills_the_screen_and_puts_back() -> None:
    async def journey(pilot: Pilot[None], screen: ExplorerScreen) -> None:
        for key in "1234":
            await pilot.press(key, "z")
            await pilot.pause()
            pane_in_zoom = next(pane for pane in screen.query(Pane) if pane.rows.has_focus)
            assert pane_in_zoom.region.width == 120
            assert pane_in_zoom.region.height == 36
            await pilot.press("z")
            await pilot.pause()
            assert pane_in_zoom.region.width < 120

    explore(journey)
