"""Starts the app and answers with the process's exit code."""

from ekstui.library import Library
from ekstui.tui.app import EkstuiApp
from ekstui.tui.shown import Shown


def start(where: str | None) -> int:
    """Run the app, opened at `where` if given; an unknown policy is an error before the screen changes."""
    library = Library.open()
    shown = None
    if where:
        entry = library.find(where)
        shown = Shown(entry, entry.policy.default_version)
    app = EkstuiApp(library, shown)
    app.run()
    # run() returns normally after a crash, with the code on the app.
    return app.return_code or 0
