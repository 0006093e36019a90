"""The app with as much time to save the place as it takes; the driver would end it after a third of a second."""

import sys

from ekstui.cli import main
from ekstui.tui.driver import terminal
from tests.support.patience import PATIENCE

if __name__ == "__main__":
    terminal.GRACE = PATIENCE  # type: ignore[misc]
    sys.exit(main())
