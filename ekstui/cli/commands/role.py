"""`ekstui role`: what is wrong with a role, who may assume it, and what it may do."""

import argparse
from datetime import UTC, datetime

from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.options import add_account, add_json
from ekstui.cli.session import library_for, narrate_errors, read_account
from ekstui.cli.streams import narrate, print_blocks, print_json
from ekstui.export.account_shapes import role_shape
from ekstui.library.roles import role_answer
from ekstui.present.role_report import role_blocks

DESCRIPTION = (
    "Show what is wrong with a role of the account, who may assume it, what it may do with all its policies together, "
    "what uses it, and its policies. NAME is a role's name or ARN."
)
EXAMPLES = (
    "ekstui role prod-node --profile prod",
    "ekstui role prod-node --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("role", metavar="NAME")
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print all about a role, what is wrong first."""
    library = library_for(arguments)
    snapshot = read_account(library)
    answer = role_answer(library, arguments.role)
    if arguments.json:
        print_json(role_shape(library.data(), answer))
    else:
        print_blocks(role_blocks(answer, datetime.now(UTC)))
    narrate_errors(snapshot.errors)
    if not answer.complete:
        narrate("Incomplete: not everything that may use this role was looked at.")
    return ExitCode.DONE
