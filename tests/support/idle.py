"""Keys and pauses of an app under test end once it has nothing left to do, not once it took little processor time.

Textual looks at the process: 20 ms in which it took less than one are its sign, or a second of work. Beside busy
processes the first holds in the middle of the work, and on a slow machine the second. What threads and timers still
bring is waited for by its condition (`journeys.settle`).
"""

import asyncio

import textual.app
import textual.pilot
from textual._context import active_app

_ROUNDS = 3
"""How often in turn nothing is left to run: what was written for the loop by a thread is seen in the second."""


async def wait_until_idle(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Run the app until no task of its loop can go on; what awaits a refresh of its screen has it, and a new size too."""
    loop = asyncio.get_running_loop()
    rounds = 0
    while rounds < _ROUNDS:
        await asyncio.sleep(0)
        rounds += 1
        if loop._ready:  # type: ignore[attr-defined]
            rounds = 0
        elif (app := active_app.get()).is_running and app.screen_stack:
            if app._resize_event:
                app._check_resize()
                rounds = 0
            screen = app.screen
            if screen._callbacks or screen._dirty_widgets or screen._layout_required or screen._scroll_required:
                screen._on_timer_update()
                rounds = 0


def wait_for_work_instead_of_time() -> None:
    """Let every key and pause of Textual's pilot wait so."""
    textual.app.wait_for_idle = textual.pilot.wait_for_idle = wait_until_idle  # type: ignore[attr-defined]
