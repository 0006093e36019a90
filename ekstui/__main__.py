"""Run ekstui as `python -m ekstui`, or as the zipapp, which no installer keeps from a Python that is too old."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (see above; so this file uses only what such a Python can read)
    sys.stderr.write("ekstui needs Python 3.11 or newer; this is Python %d.%d.\n" % sys.version_info[:2])  # noqa: UP031
    sys.exit(2)

from ekstui.cli import main

if __name__ == "__main__":
    sys.exit(main())
