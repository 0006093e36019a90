"""Run ekstui as `python -m ekstui`."""

import sys

from ekstui.cli import main

if __name__ == "__main__":
    sys.exit(main())
