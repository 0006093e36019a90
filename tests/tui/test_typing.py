"""Keys typed faster than the app handles them, each of which takes effect after the one before it; and one-line inputs."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from ekstui.tui import base
from ekstui.tui.app import EkstuiApp
from ekstui.tui.driver.escape import EscapedKey
from ekstui.tui.screens.changes_screen import ChangesScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.screens.who_can_screen import WhoCanScreen
from ekstui.tui.widgets.bars import BarLine
from tests.support.patience import PATIENCE
from tests.tui.journeys import settle, shows, travel

GAPS = (0, 1, 2, 3, 5, 8, 13)
"""Event loop iterations between two keys: a key passes several queues, and the next may arrive at any time."""
NAMES = {"/": "slash", ":": "colon", "\r": "enter", "\x1b": "escape", "\x7f": "backspace", "\x15": "ctrl+u"}


async def type_ahead(app: EkstuiApp, keys: str, gap: int) -> None:
    """Send keys without waiting for their effect."""
    for key in keys:
        app.post_message(Key(NAMES.get(key, key), key))
        for _ in range(gap):
            await asyncio.sleep(0)


def test_a_filter_and_what_follows_it() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        pane = explorer.policies
        for gap in GAPS:
            await type_ahead(app, "g/policy\rjjk", gap)
            await settle(pilot, lambda: pane.line.value != "" and pane.rows.has_focus)
            await settle(pilot, lambda: pane.rows.current == [row for row in pane.rows.rows if row.selectable][1])
            assert (pane.filter, pane.line.value, gap) == ("policy", "policy", gap)
            pane.clear_filter()
            await pilot.pause()

    travel(journey)


def test_escape_and_a_key_right_after_it_are_both_taken() -> None:
    """A terminal sends them like that key with alt, which nothing binds."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("w")
        assert shows(app, WhoCanScreen)
        app.post_message(EscapedKey("colon", ":", Key("colon", ":")))
        await settle(pilot, lambda: shows(app, PaletteScreen))
        app.post_message(EscapedKey("alt+3", "3", Key("3", "3")))
        explorer = app.explorer
        await settle(pilot, lambda: app.screen is explorer and explorer.pane == "versions")

    travel(journey)


def test_in_an_input_escape_and_f_are_alt_f_only_where_there_is_a_word_to_go_to() -> None:
    """Terminals send them like alt and f, and some like alt and the right arrow."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        def send() -> None:
            app.post_message(EscapedKey("ctrl+right", None, Key("f", "f")))

        await pilot.press("w", *"ec2", "home")
        line = app.screen.query_one(BarLine)
        send()
        await settle(pilot, lambda: line.cursor_position == len("ec2"))
        assert (shows(app, WhoCanScreen), line.value) == (True, "ec2")
        # Whoever has typed is at the end.
        send()
        await settle(pilot, lambda: shows(app, ChangesScreen))
        assert app.screen_stack[-2] is app.explorer

    travel(journey)


@pytest.mark.parametrize("seconds", [0.001, 0.6])
def test_a_question_and_what_follows_it(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, on which more than half a second passes between two keys, each still waits for the one before."""
    clock = itertools.count(0, seconds)
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        for gap in GAPS:
            await type_ahead(app, "wsts:AssumeRole\rs", gap)
            await settle(pilot, lambda: shows(app, WhoCanScreen))
            screen = app.screen
            assert isinstance(screen, WhoCanScreen)
            # s switches to all policies, once the answer has arrived.
            await settle(pilot, lambda screen=screen: "all AWS managed policies" in str(screen.question()))  # type: ignore[misc]
            assert (screen.text, screen.line.value, gap) == ("sts:AssumeRole", "sts:AssumeRole", gap)
            await pilot.press("escape")
            await settle(pilot, lambda: shows(app, ExplorerScreen))

    travel(journey)


def test_a_key_is_sent_though_messages_keep_coming() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        rows = app.explorer.policies.rows
        second, third = [row for row in rows.rows if row.selectable][1:3]

        async def keep_busy() -> None:
            while True:
                app.screen.call_later(lambda: None)
                await asyncio.sleep(0)

        task = asyncio.create_task(keep_busy())
        await type_ahead(app, "jj", 0)
        async with asyncio.timeout(PATIENCE):
            for row in (second, third):
                while rows.key != row.key:
                    await asyncio.sleep(0)
        task.cancel()

    travel(journey)


def test_the_palette_and_what_follows_it() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        for gap in GAPS:
            await type_ahead(app, ":CNI@v2\r3", gap)
            await settle(pilot, lambda: not shows(app, PaletteScreen) and explorer.versions.rows.has_focus)
            assert explorer.policy_view is not None
            assert (explorer.policy_view.entry.policy.name, explorer.policy_view.version) == ("AmazonEKS_CNI_Policy", 2)
            await pilot.press("1", "right_square_bracket")

    travel(journey)


EDITS = {"ab\x7fc": "ac", "ab\x15c": "c"}


def test_the_palette_takes_letters_back_and_moves_in_its_rows_while_one_types() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("colon")
        palette = app.screen
        assert isinstance(palette, PaletteScreen)
        rows, line = palette.rows, palette.query_one(BarLine)
        first = rows.current
        for key in ("down", "pagedown"):
            await pilot.press(key)
            assert app.focused is line
            assert rows.current is not first
        for keys, text_left in EDITS.items():
            line.value = ""
            for key in keys:  # in one burst, as on a slow connection
                app.post_message(Key(NAMES.get(key, key), key))
            await settle(pilot, lambda text_left=text_left: line.value == text_left)  # type: ignore[misc]

    travel(journey)


@pytest.mark.parametrize(
    ("open_line", "value"), [("colon", "<U+009B>31mred<U+202E> more"), ("slash", "<U+009B>31mred<U+202E>")]
)
def test_what_is_pasted_is_made_safe_to_show(open_line: str, value: str) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press(open_line)
        line = app.focused
        assert isinstance(line, BarLine)
        line.post_message(Paste("\x9b31mred\u202e\nmore"))
        await settle(pilot, lambda: line.value == value)

    travel(journey)
