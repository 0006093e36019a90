"""One-line inputs."""

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.widgets.bars import Line
from tests.tui.journeys import settle, travel

EDITS = {"ab\x7fc": "ac", "ab\x15c": "c"}
NAMES = {"\x7f": "backspace", "\x15": "ctrl+u"}


def test_the_palette_takes_letters_back_and_moves_in_its_rows_while_one_types() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("colon")
        palette = app.screen
        assert isinstance(palette, PaletteScreen)
        rows, line = palette.rows, palette.query_one(Line)
        first = rows.current
        for key in ("down", "pagedown"):
            await pilot.press(key)
            assert app.focused is line
            assert rows.current is not first
        for typed, left in EDITS.items():
            line.value = ""
            for key in typed:  # in one burst, as on a slow connection
                app.post_message(Key(NAMES.get(key, key), key))
            await settle(pilot, lambda left=left: line.value == left)  # type: ignore[misc]

    travel(journey)


@pytest.mark.parametrize(
    ("open_line", "shown"), [("colon", "<U+009B>31mred<U+202E> more"), ("slash", "<U+009B>31mred<U+202E>")]
)
def test_what_is_pasted_is_made_safe_to_show(open_line: str, shown: str) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press(open_line)
        line = app.focused
        assert isinstance(line, Line)
        line.post_message(Paste("\x9b31mred\u202e\nmore"))
        await settle(pilot, lambda: line.value == shown)

    travel(journey)
