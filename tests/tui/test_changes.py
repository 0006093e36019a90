"""The screen of what AWS changed."""

from textual.pilot import Pilot

from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.changes import ChangesScreen
from ekstui.tui.screens.compare import CompareScreen
from ekstui.tui.screens.explorer import ExplorerScreen
from tests.tui.journeys import settle, shows, travel, words


def test_a_step_is_compared_and_a_new_policy_is_shown() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("f")
        await settle(pilot, lambda: "AmazonEKSNetworkingPolicy v2→v3" in words(app.screen))
        changes = app.screen
        assert isinstance(changes, ChangesScreen)
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, CompareScreen))
        await pilot.press("escape", "p", "p")
        await settle(pilot, lambda: "2026-05-11 AmazonEKSBlockStoragePolicyV2 v1 new policy +7" in words(changes))
        assert changes.rows.move_to(("AmazonEKSBlockStoragePolicyV2", 1))
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, ExplorerScreen))
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.shown is not None and explorer.shown.version == 1)
        assert explorer.shown is not None
        assert explorer.shown.entry.policy.name == "AmazonEKSBlockStoragePolicyV2"

    travel(journey)
