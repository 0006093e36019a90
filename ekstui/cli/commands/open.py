"""`ekstui [WHERE]`: the app. What it needs of the terminal is looked at before Textual is imported."""

import argparse
import os
import sys

from ekstui.cli.account import account_choice
from ekstui.cli.exit_code import ExitCode
from ekstui.errors import InputError


def run(arguments: argparse.Namespace) -> int:
    """Open the app, at a policy, a version or a comparison if one is named."""
    if "TEXTUAL_DRIVER" not in os.environ:  # a page in a browser is no terminal, and needs none
        refuse_what_is_no_terminal()
    from ekstui.tui.start import start  # Textual: 155 ms

    return start(arguments.where, arguments.settings, account_choice(arguments)) or ExitCode.DONE


def refuse_what_is_no_terminal() -> None:
    """Raise InputError where the app could not be seen or could not hear keys; Textual draws on stderr."""
    commands = "Commands such as ekstui list work without a terminal."
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError("The app needs a terminal on standard input.", commands)
    if sys.stderr is None or not sys.stderr.isatty():
        raise InputError("The app needs a terminal on standard error, where it draws.", commands)
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise InputError("This terminal cannot place text (TERM is unset or dumb).", commands)
