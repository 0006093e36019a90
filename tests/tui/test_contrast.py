"""Every text is readable: in each theme, with 16 colours, and with none."""

import asyncio
import re

import pytest
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot

from ekstui.library import Library
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.panes_layout import PaneId
from ekstui.tui.styles import LEAST_CONTRAST, contrast
from tests.tui.journeys import settle

BESIDE_WORDS = re.compile("[─│╭╮╰╯▁▂▃▄▅▆▇█━┃┏┓┗┛\\s]*")
"""Borders, scrollbars and bars, which are not text."""

THEMES = sorted(name for name in EkstuiApp(Library.open()).available_themes if not name.startswith("ansi"))


def texts(app: EkstuiApp) -> list[tuple[str, Style]]:
    """Return the screen's segments."""
    return [
        (segment.text, segment.style)
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if segment.style and not BESIDE_WORDS.fullmatch(segment.text)
    ]


def test_black_on_white_is_told_apart_best() -> None:
    # The two ends of WCAG 2.1's scale, and its example of grey that is just enough on white.
    assert contrast(Color(0, 0, 0), Color(255, 255, 255)) == pytest.approx(21)
    assert contrast(Color(9, 9, 9), Color(9, 9, 9)) == 1
    assert 4.5 <= contrast(Color(118, 118, 118), Color(255, 255, 255)) < 4.6


def test_every_text_is_readable_in_every_theme() -> None:
    async def run() -> None:
        app = EkstuiApp(Library.open())
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("space", "j")
            explorer = app.screen
            assert isinstance(explorer, ExplorerScreen)
            await settle_rows(pilot, app)
            panes: tuple[PaneId, ...] = ("policies", "versions")
            for theme in THEMES:
                app.theme = theme
                await pilot.pause()
                await pilot.pause()
                for focus in panes:
                    # Faster than pressing its key.
                    explorer.action_pane(focus)
                    await pilot.pause()
                    for text, style in texts(app):
                        assert style.color
                        assert style.bgcolor
                        colours = (Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
                        assert contrast(*colours) >= LEAST_CONTRAST - 0.02, (theme, focus, text, *colours)

    asyncio.run(run())


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark", "ansi-light"])
@pytest.mark.parametrize("no_color", ["1", None])
def test_the_cursor_is_seen_in_every_pane(monkeypatch: pytest.MonkeyPatch, theme: str, no_color: str | None) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)

    async def run() -> None:
        app = EkstuiApp(Library.open())
        async with app.run_test(size=(120, 40)) as pilot:
            app.theme = theme
            await settle_rows(pilot, app)
            for key in ("1", "2", "3"):
                await pilot.press(key)
                await pilot.pause()
                rows = app.focused
                assert rows is not None
                # The line of time is above the versions.
                y = rows.cursor + rows.lines_above - rows.scroll_offset.y  # type: ignore[attr-defined]
                strips = [rows.render_line(line) for line in (y, y + 1)]
                cursor_styles, next_styles = (
                    {(segment.style.reverse, str(segment.style.bgcolor)) for segment in strip if segment.style}
                    for strip in strips
                )
                assert cursor_styles.isdisjoint(next_styles)

    asyncio.run(run())


async def settle_rows(pilot: Pilot[None], app: EkstuiApp) -> None:
    explorer = app.screen
    assert isinstance(explorer, ExplorerScreen)
    panes = (explorer.policies, explorer.permissions, explorer.versions)
    await settle(pilot, lambda: all(pane.rows.cursor is not None for pane in panes))
