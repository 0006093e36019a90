"""What the journeys share: the app on the real corpus, waiting for a condition, and the words of a screen."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from ekstui.library import Library
from ekstui.present.styled import plain
from ekstui.tui.app import EkstuiApp
from ekstui.tui.shown import Start
from ekstui.tui.widgets.rows import RowList

Journey = Callable[[Pilot[None], EkstuiApp], Awaitable[None]]


def travel(
    journey: Journey, size: tuple[int, int] = (120, 40), start: Start | None = None, library: Library | None = None
) -> None:
    """Run a journey through the app."""

    async def run() -> None:
        app = EkstuiApp(library or Library.open(), start)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await journey(pilot, app)

    asyncio.run(run())


async def settle(pilot: Pilot[None], until: Callable[[], bool]) -> None:
    """Let the app work until a condition holds, for at most half a minute, since machines may be busy."""
    async with asyncio.timeout(30):
        while not until():
            await pilot.pause(0.01)


def words(screen: Widget) -> str:
    """Return all that the lists of a screen, or of a part of it, hold, a line a row."""
    return "\n".join(
        " ".join(plain(cell).strip() for cell in row.cells).strip()
        for rows in screen.query(RowList)
        for row in rows.rows
    )


async def type_in(pilot: Pilot[None], text: str) -> None:
    """Press the keys of a text, one after the other."""
    names = {" ": "space", ":": "colon", "/": "slash", "*": "asterisk", "-": "minus", "_": "underscore"}
    await pilot.press(*(names.get(character, character) for character in text))


__all__ = ["settle", "travel", "type_in", "words"]


def shows(app: App[None], kind: type[Screen[Any]]) -> bool:
    """Return whether a screen of this kind is shown; unlike isinstance on the app, it narrows nothing for later."""
    return isinstance(app.screen, kind)
