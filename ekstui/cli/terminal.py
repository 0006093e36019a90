"""What the app needs of the terminal, looked at before anything is imported for it."""

import os
import sys

from ekstui.errors import InputError


def refuse_what_is_no_terminal() -> None:
    """Raise InputError where the app could not be seen or could not hear keys; Textual draws on stderr."""
    if "TEXTUAL_DRIVER" in os.environ:  # a page in a browser is no terminal, and needs none
        return
    commands = "Commands such as ekstui list work without a terminal."
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError("The app needs a terminal on standard input.", commands)
    if sys.stderr is None or not sys.stderr.isatty():
        raise InputError("The app needs a terminal on standard error, where it draws.", commands)
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise InputError("This terminal cannot place text (TERM is unset or dumb).", commands)
