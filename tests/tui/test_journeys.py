"""What a journey through the app waits for."""

import asyncio
import time

from textual.app import App


class Busy(App[None]):
    """Takes a while for a key, in which it hardly needs the processor, as where others have it."""

    done = 0

    def on_key(self) -> None:
        self.work_on(10)

    def work_on(self, steps: int) -> None:
        time.sleep(0.04)
        if steps:
            self.call_later(self.work_on, steps - 1)
        else:
            self.done += 1


def test_a_key_has_its_effect_however_little_processor_time_it_took() -> None:
    async def run() -> None:
        app = Busy()
        async with app.run_test() as pilot:
            for count in (1, 2):
                await pilot.press("x")
                assert app.done == count

    asyncio.run(run())
