"""The palette: keys on its rows, pasted text, and recent things."""

from textual.events import Paste
from textual.pilot import Pilot

from ekstui.library import AccountChoice, Library
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.card_screens import CardScreen
from ekstui.tui.screens.cluster_screens import ClusterScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explain_screen import ExplainScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.screens.who_can_screen import WhoCanScreen
from tests.library.test_lookup import DENIAL
from tests.tui.journeys import Journey, settle, shows, travel, type_in, words


def travel_in_demo(journey: Journey) -> None:
    """Run a journey with the account of the demo."""

    async def with_account(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        await journey(pilot, app)

    travel(with_account, library=Library.open(AccountChoice(demo=True)))


async def find(pilot: Pilot[None], app: EkstuiApp, text: str) -> PaletteScreen:
    await pilot.press("colon")
    await settle(pilot, lambda: shows(app, PaletteScreen))
    palette = app.screen
    assert isinstance(palette, PaletteScreen)
    await type_in(pilot, text)
    return palette


def test_the_keys_of_a_row_mark_compare_ask_and_explain() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        palette = await find(pilot, app, "cni@v2")
        await pilot.press("tab", "space")
        assert [str(mark) for mark in explorer.marks] == ["AmazonEKS_CNI_Policy@v2"]
        assert words(palette).startswith("A AmazonEKS_CNI_Policy@v2")
        # A letter that is not a key of the rows is typed into the input.
        await pilot.press("5")
        assert palette.line.has_focus
        assert palette.line.value == "cni@v25"
        await pilot.press("backspace", "backspace", "4", "tab", "d")
        await settle(pilot, lambda: "AmazonEKS_CNI_Policy@v2 → v4" in str(getattr(app.screen, "question", str)()))
        assert shows(app, CompareScreen)
        for key, kind in (("w", WhoCanScreen), ("x", ExplainScreen)):
            await find(pilot, app, "ec2:CreateTags")
            await pilot.press("tab", key)
            await settle(pilot, lambda kind=kind: shows(app, kind))  # type: ignore[misc]
            assert getattr(app.screen, "text", "") == "ec2:CreateTags"

    travel_in_demo(journey)


def test_what_is_pasted_anywhere_is_looked_up() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        for text, kind in (
            (DENIAL, ExplainScreen),
            ("kernel: ok\r\nChecking for IPAM connectivity ...\r\n", CardScreen),
            ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy\n", CardScreen),
            ("prod", ClusterScreen),
        ):
            app.post_message(Paste(text))
            await settle(pilot, lambda: shows(app, PaletteScreen))
            await pilot.press("enter")
            await settle(pilot, lambda kind=kind: shows(app, kind))  # type: ignore[misc]
            if kind is ExplainScreen:
                # The denial is offered again once, by its action.
                await settle(
                    pilot, lambda: [(thing.kind, thing.name) for thing in app.recent] == [("denial", "ec2:CreateTags")]
                )

    travel_in_demo(journey)


def test_what_was_found_before_is_offered_first_and_forgotten_with_the_account() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        for text in ("alice", "AmazonS3FullAccess"):
            await find(pilot, app, text)
            await pilot.press("enter")
            await settle(pilot, lambda: not shows(app, PaletteScreen))
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(
            pilot,
            lambda: explorer.policy_view is not None and explorer.policy_view.entry.policy.name == "AmazonS3FullAccess",
        )
        palette = await find(pilot, app, "")
        assert [line.split()[:2] for line in words(palette).splitlines()[:2]] == [
            ["recent", "AmazonS3FullAccess"],
            ["recent", "alice"],
        ]
        await pilot.press("escape", "f")
        # The commands are those of the screen, with their keys.
        palette = await find(pilot, app, "period")
        assert words(palette).startswith("p period")
        await pilot.press("enter")
        await settle(pilot, lambda: "90 days" in str(getattr(app.screen, "question", str)()))

    travel_in_demo(journey)
