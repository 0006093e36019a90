"""`ekstui [WHERE]`: the app."""

import argparse

from ekstui.cli.account import account_choice
from ekstui.cli.exit_code import ExitCode


def run(arguments: argparse.Namespace) -> int:
    """Open the app, at a policy, a version or a comparison if one is named."""
    from ekstui.tui.start import start  # Textual: 155 ms

    return start(arguments.where, arguments.settings, account_choice(arguments)) or ExitCode.DONE
