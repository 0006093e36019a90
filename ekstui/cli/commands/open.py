"""`ekstui [WHERE]`: the app."""

import argparse
import gc

from ekstui.cli.account import account_choice
from ekstui.cli.exit_code import ExitCode


def run(arguments: argparse.Namespace) -> int:
    """Open the app, at a policy, a version or a comparison if one is named."""
    # Nothing that is made before the first paint is garbage, and looking for some takes a fortieth of the start; the
    # first screen turns it on again.
    gc.disable()
    from ekstui.tui.start import start  # Textual: 155 ms

    return start(arguments.where, arguments.settings, account_choice(arguments)) or ExitCode.DONE
