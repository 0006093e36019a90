"""`ekstui [WHERE]` or `ekstui open [WHERE]`: the app."""

import argparse

from ekstui.cli.options import ExitCode, add_account, add_scope, add_theme
from ekstui.cli.session import account_choice

DESCRIPTION = "Open the app."
EXAMPLES = ("ekstui open AmazonEKSClusterPolicy@v8..v10",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "where", nargs="?", metavar="WHERE", help="POLICY, POLICY@v5, or POLICY@v5..v6 for a comparison"
    )
    add_scope(parser)
    add_theme(parser)
    parser.add_argument("--mouse", action=argparse.BooleanOptionalAction, help="use the mouse, which is the default")
    add_account(parser)


def run(arguments: argparse.Namespace) -> int:
    """Open the app at the named policy, version or comparison, if any."""
    from ekstui.tui.app import start  # Textual: 155 ms

    return start(arguments.where, arguments.settings, account_choice(arguments)) or ExitCode.DONE
