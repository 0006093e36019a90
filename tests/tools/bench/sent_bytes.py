"""Bytes that the app sends to a terminal for what a user does, counted in this process: the same each time.

The app runs with a driver that draws on ekstui's own canvas and sends nothing anywhere. What follows a key is waited for
until nothing of the app is left to do, so neither a slow machine nor a quick one changes what is counted.
"""

import asyncio
from collections.abc import AsyncIterator
from statistics import median
from typing import Any, Final, NamedTuple
from unittest import mock

from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from ekstui.library import Library
from ekstui.tui.app import EkstuiApp
from ekstui.tui.base import Debounce
from ekstui.tui.driver.terminal_output import Output
from tests.tui.journeys import at_rest

IDLE: Final = 3.0
"""Seconds of the idle rows: a blinking cursor would blink six times."""

NARROW, WIDE = (80, 24), (120, 40)


class Sent(NamedTuple):
    """What the app sent for one thing that a user does."""

    name: str
    bytes: float
    limit: int


class _Counted(Output):
    """Output that goes nowhere: all that is drawn until the app is at rest is one frame, however many it took."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(-1, "utf-8", size, lambda: None)
        self.bytes = 0
        self.is_idle = False
        """Whether nothing should be drawn, and every frame counts by itself."""

    def _write_through(self, data: bytes) -> None:
        self.bytes += len(data)


class _CountingDriver(HeadlessDriver):
    """Draws on an output that counts."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.output = _Counted(size or NARROW)

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.output.send(data)
        if self.output.is_idle:
            self.output.write("")

    def flush(self) -> None:
        """Do nothing: all has been counted."""


class _Run:
    """The running app, and what it sent."""

    def __init__(self, app: EkstuiApp, pilot: Pilot[Any], output: _Counted) -> None:
        self.app = app
        self.pilot = pilot
        self._output = output

    @property
    def bytes(self) -> int:
        """What was sent so far."""
        self._output.write("")
        return self._output.bytes

    async def press(self, *keys: str, timers: bool = True) -> int:
        """Press keys, wait for all that follows, and return the bytes that were sent."""
        before = self.bytes
        await self.pilot.press(*keys)
        await at_rest(self.pilot, self.app, timers=timers)
        return self.bytes - before

    async def idle(self) -> int:
        """Return the bytes that were sent while nothing happened."""
        before, self._output.is_idle = self.bytes, True
        await asyncio.sleep(IDLE)
        self._output.is_idle = False
        return self.bytes - before


async def _figures(run: _Run) -> AsyncIterator[Sent]:
    is_wide = run.app.size.width > NARROW[0]
    await at_rest(run.pilot, run.app)
    yield Sent("first paint", run.bytes, 13_000 if is_wide else 8_000)
    yield Sent(f"{IDLE:.0f} idle seconds, list", await run.idle(), 0)
    yield Sent("cursor move, panes followed", max([await run.press("down") for _ in range(4)]), 3_000)
    with mock.patch.object(Debounce, "call"):
        yield Sent("cursor move, while moving", median([await run.press("down", timers=False) for _ in range(8)]), 400)
    await run.press("home")
    await run.press("pagedown")  # to the end of the page that is shown
    with mock.patch.object(Debounce, "call"):
        yield Sent("page down", await run.press("pagedown", timers=False), 2_700)
    await run.press("home")
    yield Sent("page down, panes followed", max([await run.press("pagedown") for _ in range(2)]), 5_000)
    await run.press("home")
    yield Sent("switching a pane", max([await run.press(key) for key in "231"]), 5_000)
    for key, name in (("colon", "what finds anything"), ("question_mark", "the help")):
        yield Sent(f"opening {name}", await run.press(key), 3_000)
        yield Sent(f"closing {name}", await run.press("escape"), 3_000)
    await run.press("slash")
    yield Sent(f"{IDLE:.0f} idle seconds, filter", await run.idle(), 0)


def sent_bytes(size: tuple[int, int]) -> list[Sent]:
    """Run the app in a terminal of this size, and return what it sent."""
    figures: list[Sent] = []

    async def journey(pilot: Pilot[Any]) -> None:
        driver = app._driver
        assert isinstance(driver, _CountingDriver)
        figures.extend([figure async for figure in _figures(_Run(app, pilot, driver.output))])
        app.exit()

    app = EkstuiApp(Library.open())
    app.driver_class = _CountingDriver
    asyncio.run(app.run_async(size=size, auto_pilot=journey))
    return figures
