"""Opening the app at a policy, a version or a comparison."""

import pytest
from textual.pilot import Pilot

from ekstui.errors import EkstuiError
from ekstui.library import Library
from ekstui.tui.app import EkstuiApp, keep, where_to_start
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.who_can_screen import WhoCanScreen
from ekstui.tui.widgets.bars import HeaderBar
from ekstui.tui.widgets.rows import RowList
from tests.tui.journeys import settle, shows, travel, words


def test_a_version_is_shown_at_once() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: isinstance(app.screen, ExplorerScreen) and app.screen.policy_view is not None)
        assert isinstance(app.screen, ExplorerScreen) and app.screen.policy_view is not None
        assert (app.screen.policy_view.entry.policy.name, app.screen.policy_view.version) == ("AmazonEKS_CNI_Policy", 5)

    travel(journey, start=where_to_start("amazoneks_cni_policy@v5", Library.open()))


def test_a_range_opens_the_comparison_over_the_explorer() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: "shield:CreateProtection" in words(app.screen))
        assert isinstance(app.screen, CompareScreen)
        # Both the header and the verdict are visible.
        header, verdict = (bar.region for bar in app.screen.query(HeaderBar))
        assert header.height == 1
        assert verdict.y == header.bottom
        await pilot.press("escape")
        assert shows(app, ExplorerScreen)

    travel(journey, start=where_to_start("AmazonEKSLoadBalancingPolicy@v5..v6", Library.open()))


def test_one_is_back_on_the_row_where_the_connection_was_lost() -> None:
    cursors: list[object] = []

    async def lose(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("w", *"ec2", "colon", *"DescribeSubnets", "enter")
        await settle(pilot, lambda: shows(app, WhoCanScreen) and app.screen.query_one(RowList).cursor is not None)
        await pilot.press(*"jj")
        cursors.append(app.screen.query_one(RowList).cursor)
        keep(app.screen_stack, app.explorer, app.library)

    async def return_there(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.offer is not None)
        await pilot.press("b")
        await settle(pilot, lambda: shows(app, WhoCanScreen) and app.screen.query_one(RowList).cursor is not None)
        cursors.append(app.screen.query_one(RowList).cursor)

    travel(lose)
    travel(return_there)
    assert cursors[0] == cursors[1] != 0


@pytest.mark.parametrize("argument", ["AmazonEKS_CNI_Policy@v99", "AmazonEKS_CNI_Policy@v1..v99", "xyzzy", "@v1"])
def test_what_does_not_exist_is_an_error_before_the_screen_changes(argument: str) -> None:
    with pytest.raises(EkstuiError):
        where_to_start(argument, Library.open())
