"""What the driver's terminal shows is, cell by cell, what the stock driver's terminal shows.

The app's own writes go to two emulators at once: to one as Textual's driver passes them on (8.2.8: verbatim), to the
other through this driver's output. Keys, sizes, themes, dialogs and toasts are drawn at random from fixed seeds, and
the second terminal is at times too busy to take a frame, so that frames merge.
"""

import asyncio
import os
import random
import select
from typing import Any

import pytest
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from ekstui.tui.driver.terminal_output import Output
from tests.support.effort import EFFORT
from tests.support.emulator import Screen, Stream
from tests.support.terminal import as_seen
from tests.tui.driver.demo import Demo

KEYS = (
    *("down", "down", "up", "pagedown", "pageup", "end", "home", "left", "right"),
    *("tab", "tab", "shift+tab", "enter", "m", "t", "c", "full_stop", "x", "e", "backspace", "escape"),
)
SIZES = ((80, 24), (120, 40), (60, 15), (33, 9), (81, 25))
STEPS = 7 if EFFORT == 1 else 12

ENVIRONMENTS = {
    "truecolor": {"COLORTERM": "truecolor", "TERM": "xterm-256color"},
    "256 colours": {"COLORTERM": "", "TERM": "xterm-256color"},
    "16 colours": {"COLORTERM": "", "TERM": "xterm"},
    "no colour": {"NO_COLOR": "1", "TERM": "xterm"},
}


class Both(HeadlessDriver):
    """A driver with two terminals."""

    def __init__(self, app: App[Any], *, size: tuple[int, int] | None = None, **options: Any) -> None:
        super().__init__(app, size=size, **options)
        columns, rows = size or (80, 24)
        self.stock, self.ours = Screen(columns, rows), Screen(columns, rows)
        self._to_stock, self._to_ours = Stream(self.stock), Stream(self.ours)
        self.stock_bytes = self.our_bytes = 0
        self._reader, writer = os.pipe()
        self._output = Output(writer, "utf-8", (columns, rows), lambda: None)
        self.busy = False

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.stock_bytes += len(data.encode())
        self._to_stock.feed(data.encode())
        self._output.send(data)
        if not self.busy:
            self.take()

    def take(self) -> None:
        """Let our terminal take what is waiting."""
        self._output.write("")
        data = os.read(self._reader, 1 << 20) if select.select([self._reader], [], [], 0)[0] else b""
        self.our_bytes += len(data)
        self._to_ours.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        """Give both terminals another size."""
        self.take()
        self.stock.resize(rows, columns)
        self.ours.resize(rows, columns)
        self._output.resize(columns, rows)

    def different(self) -> list[tuple[int, int, Any, Any]]:
        """Return row, column, stock cell and our cell wherever they differ."""
        return [
            (y, x, self.stock.buffer[y][x], self.ours.buffer[y][x])
            for y in range(self.stock.lines)
            for x in range(self.stock.columns)
            if as_seen(self.stock.buffer[y][x]) != as_seen(self.ours.buffer[y][x])
        ]


async def _step(pilot: Pilot[None], driver: Both, dice: random.Random) -> str:
    roll = dice.random()
    if roll < 0.12:
        size = dice.choice(SIZES)
        driver.resize(*size)
        await pilot.resize_terminal(*size)
        return f"resize {size}"
    driver.busy = roll < 0.4
    keys = [dice.choice(KEYS) for _ in range(dice.randint(1, 3))]
    for key in keys:
        await pilot.press(key)
    driver.busy = False
    return " ".join(keys)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("seed", range(4 if EFFORT > 1 else 1))
def test_no_cell_differs(environment: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLORTERM", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENTS[environment].items():
        monkeypatch.setenv(name, value)
    asyncio.run(_compare(environment, seed))


async def _compare(environment: str, seed: int) -> None:
    dice = random.Random(f"{environment} {seed}")
    app = Demo()
    app.driver_class = Both
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        driver = app._driver
        assert isinstance(driver, Both)
        if environment == "no colour":
            app.theme = "ansi-dark"
        steps = ["start"]
        for _ in range(STEPS):
            await pilot.pause()
            driver.take()
            different = driver.different()
            assert different == [], f"{len(different)} cells differ after {steps}"
            steps.append(await _step(pilot, driver, dice))
        assert "Demo" in "".join(driver.ours.display) or driver.ours.lines < 9
    saving = 1 - driver.our_bytes / driver.stock_bytes
    print(f"{environment} {seed}: {driver.stock_bytes:,} bytes become {driver.our_bytes:,}, {saving:.0%} saved")
    assert saving > 0.5
