"""The help: one page, which typing searches."""

from textual.pilot import Pilot

from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.help_screen import HelpScreen
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.widgets.rows import RowList
from tests.tui.journeys import settle, shows, travel, words


def test_the_help_is_one_page_with_the_symbols_first_and_typing_searches_it() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("question_mark")
        await settle(pilot, lambda: shows(app, HelpScreen) and "What may it do?" in words(app.screen))
        page = words(app.screen)
        rows = app.screen.query_one(RowList)
        assert len(rows.rows) <= rows.size.height < 36
        assert page.startswith("Symbols")
        # Everything that the panes' keys do is on it, in a word or two.
        for key in app.explorer.KEYS:
            assert key.label in page, key
        # A letter is a part of a word, and not a key.
        await pilot.press(*"denied")
        assert "Why was it denied?" in words(app.screen)
        assert "What changed?" not in words(app.screen)
        await pilot.press("escape")
        await settle(pilot, lambda: words(app.screen) == page)
        # While nothing is typed, the keys of the help work.
        await pilot.press("question_mark")
        assert shows(app, ExplorerScreen)
        await pilot.press("question_mark", "colon")
        await settle(pilot, lambda: shows(app, PaletteScreen))

    travel(journey)


def test_a_screen_without_symbols_has_none_in_its_help() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("a", "question_mark")
        await settle(pilot, lambda: shows(app, HelpScreen) and "Here" in words(app.screen))
        assert "Symbols" not in words(app.screen)

    travel(journey)
