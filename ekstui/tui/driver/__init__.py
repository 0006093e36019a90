"""A terminal driver for Textual apps that live at the end of a thin line.

    App(driver_class=driver_class()).run()

It knows nothing of the app it serves. What it does beyond Textual's own driver:

- it sends only the cells that have changed, and only the attributes that change between them; frames merge while the
  terminal takes no more;
- no control character in a text that is shown reaches the terminal;
- bytes that are no UTF-8, old mouse reports and key releases do no harm; the end of the input is a hang-up;
- SIGTERM, SIGHUP, SIGINT, SIGQUIT and hang-ups end the app within half a second with 128 + n, the terminal as it was;
- the mouse is asked for clicks, not for its every move.
"""

import os
from typing import Any

from textual.app import App
from textual.driver import Driver

VARIABLE = "EKSTUI_DRIVER"
"""Set to `plain` for Textual's own driver, to `motion` for reports of each move of the mouse."""


def driver_class() -> type[Driver] | None:
    """Return the driver to give to `App(driver_class=...)`, or None where Textual is to choose its own.

    That is where EKSTUI_DRIVER=plain asks for it, where TEXTUAL_DRIVER names another (serving in a browser does), and
    where the platform is not POSIX.
    """
    wanted = os.environ.get(VARIABLE, "")
    if os.name != "posix" or os.environ.get("TEXTUAL_DRIVER") or wanted == "plain":
        return None
    from ekstui.tui.driver.terminal import MotionDriver, TerminalDriver  # needs termios, which Windows lacks

    return MotionDriver if wanted == "motion" else TerminalDriver


def repaint(app: App[Any]) -> None:
    """Draw everything again on a terminal that is not as it should be, whatever its driver."""
    again = getattr(app._driver, "repaint", None)
    if again is not None:
        again()
    app.refresh(layout=True)
