"""Helpers: run the app on the real corpus, wait for a condition, and read a screen."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from ekstui.library import Library
from ekstui.tui.app import EkstuiApp
from ekstui.tui.base import LibraryApp
from ekstui.tui.messages import Start
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from tests.support import idle
from tests.support.patience import PATIENCE
from tests.support.rows import words
from tests.support.undrawn import draw

idle.wait_for_work_instead_of_time()

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
    """Run the app until a condition is true; if it never comes true, TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not until():
            # `pilot.pause` would send every widget a message, a hundred times a second.
            await asyncio.sleep(0.01)
            pilot.app.screen._on_timer_update()
    draw(pilot.app)


async def at_rest(pilot: Pilot[None], app: LibraryApp, *, timers: bool = True) -> None:
    """Run the app until no key, message, job and (with `timers`) timer is left."""
    rounds = 0
    async with asyncio.timeout(PATIENCE):
        # What a thread posts last arrives a round after its end.
        while rounds < 3:
            await pilot.pause(0.005)
            rounds = 0 if _has_work(app, timers) else rounds + 1


def _has_work(app: LibraryApp, timers: bool) -> bool:
    nodes: list[MessagePump] = [app]
    for screen in app.screen_stack:
        nodes += screen.walk_children(with_self=True)
    return (
        app.has_keys
        or any(thread.name.startswith("ekstui-") for thread in threading.enumerate())
        or any(node.message_queue_size for node in nodes)
        or (timers and any(_is_pending(timer) for node in nodes for timer in node._timers))
    )


def _is_pending(timer: Timer) -> bool:
    # What repeats, such as the repaints and the ages, is never done.
    return timer._repeat == 0 and timer._task is not None and not timer._task.done()


async def type_in(pilot: Pilot[None], text: str) -> None:
    """Type a text into a line: its first key is pressed, and the others are there at once, with one answer for all."""
    if not text:
        return
    names = {" ": "space", ":": "colon", "/": "slash", "*": "asterisk", "-": "minus", "_": "underscore"}
    await pilot.press(names.get(text[0], text[0]))
    line = pilot.app.focused
    assert isinstance(line, Input)
    line.insert_text_at_cursor(text[1:])
    await pilot.pause()


__all__ = ["at_rest", "settle", "travel", "type_in", "words"]


def explorer_of(app: App[None]) -> ExplorerScreen:
    """Return the app's first screen."""
    explorer = app.screen_stack[0]
    assert isinstance(explorer, ExplorerScreen)
    return explorer


def shows(app: App[None], kind: type[Screen[Any]]) -> bool:
    """Return whether a screen of this type is shown; unlike isinstance, it does not narrow the type."""
    return isinstance(app.screen, kind)
