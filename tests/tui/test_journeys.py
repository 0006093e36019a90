"""What a journey through the app waits for."""

import asyncio
import time

import pytest
from textual.app import App


class Busy(App[None]):
    """Answers a key after half a second of work, in parts."""

    answers = 0

    def on_key(self) -> None:
        self.run_worker(self.work())

    async def work(self) -> None:
        for _ in range(20):
            time.sleep(0.025)
            await asyncio.sleep(0)
        self.answers += 1


def test_a_key_has_its_effect_however_little_processor_time_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    # As where other processes have the processor.
    monkeypatch.setattr("textual._wait.process_time", lambda: 0.0)

    async def run() -> None:
        app = Busy()
        async with app.run_test() as pilot:
            for count in (1, 2):
                await pilot.press("x")
                assert app.answers == count

    asyncio.run(run())
