"""A terminal driver for Textual apps on slow connections.

    App(driver_class=driver_class()).run()

It knows nothing about ekstui. Unlike Textual's own driver:

- it sends only cells that have changed, and only the attributes that differ; frames merge while the terminal is busy;
- no control character in displayed text reaches the terminal;
- invalid UTF-8, legacy mouse reports and key releases do no harm; the end of input counts as a hang-up;
- SIGTERM, SIGHUP, SIGINT, SIGQUIT and hang-ups end the app within half a second with 128 + n, the terminal restored;
- the mouse reports clicks, not every move.
"""

import os
from typing import Any

from textual.app import App
from textual.driver import Driver

VARIABLE = "EKSTUI_DRIVER"
"""The environment variable: `plain` for Textual's own driver, `motion` for mouse movements."""


def driver_class() -> type[Driver] | None:
    """Return the driver for `App(driver_class=...)`, or None to let Textual choose.

    None with EKSTUI_DRIVER=plain, with TEXTUAL_DRIVER (which serving in a browser sets), and on other platforms than POSIX.
    """
    wanted = os.environ.get(VARIABLE, "")
    if os.name != "posix" or os.environ.get("TEXTUAL_DRIVER") or wanted == "plain":
        return None
    from ekstui.tui.driver.terminal import MotionDriver, TerminalDriver  # needs termios, which Windows does not have

    return MotionDriver if wanted == "motion" else TerminalDriver


def repaint(app: App[Any]) -> None:
    """Redraw the whole terminal, with any driver."""
    again = getattr(app._driver, "repaint", None)
    if again is not None:
        again()
    app.refresh(layout=True)
