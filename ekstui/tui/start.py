"""Starts the app and answers with the process's exit code."""

from ekstui.config import Effective
from ekstui.library import AccountChoice, Library
from ekstui.tui.app import EkstuiApp
from ekstui.tui.shown import Shown


def start(where: str | None, effective: Effective, account: AccountChoice) -> int:
    """Run the app, opened at `where` if given; an unknown policy is an error before the screen changes."""
    library = Library.open(account)
    shown = None
    if where:
        entry = library.find(where)
        shown = Shown(entry, entry.policy.default_version)
    app = EkstuiApp(library, shown, effective)
    app.run(mouse=effective.settings.mouse)
    # run() returns normally after a crash, with the code on the app.
    return app.return_code or 0
