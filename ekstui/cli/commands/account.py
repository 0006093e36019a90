"""`ekstui account`: which account is asked, as whom, and what could be read."""

import argparse
from datetime import UTC, datetime

from ekstui.cli.options import ExitCode, add_account, add_json
from ekstui.cli.session import library_for, narrate_errors, read_account
from ekstui.cli.streams import narrate, print_blocks, print_json
from ekstui.export.shapes import answer_of
from ekstui.present.account_report import clusters_blocks, identity_blocks, unread_blocks
from ekstui.present.blocks import incomplete_words

DESCRIPTION = "Show which account is asked and as whom, its clusters, and what could not be read."
EXAMPLES = ("ekstui account --profile prod", "ekstui account --offline --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the account, one row per cluster, and what is missing."""
    library = library_for(arguments)
    snapshot = read_account(library)
    if arguments.json:
        print_json(answer_of(library.data(), snapshot))
        narrate_errors(snapshot.errors)
    else:
        identity = identity_blocks(snapshot, datetime.now(UTC))
        print_blocks([*identity, *clusters_blocks(snapshot), *unread_blocks(snapshot)])
    if arguments.json and not snapshot.complete:
        narrate(incomplete_words())
    return ExitCode.DONE
