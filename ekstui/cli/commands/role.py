"""`ekstui role`: a role's problems, who may assume it, and what it may do."""

import argparse
from datetime import UTC, datetime

from ekstui.cli.options import ExitCode, add_account, add_json
from ekstui.cli.session import library_for, narrate_errors, read_account
from ekstui.cli.streams import narrate, print_answer
from ekstui.export.shapes import answer_of
from ekstui.library.roles import role_answer
from ekstui.present.blocks import incomplete_words
from ekstui.present.role_report import role_blocks

DESCRIPTION = (
    "Show a role's problems, who may assume it, what all its policies together allow, what uses it, and its policies. "
    "NAME is a role's name or ARN."
)
EXAMPLES = (
    "ekstui role prod-node --profile prod",
    "ekstui role prod-node --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("role", metavar="NAME")
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print all about a role, problems first."""
    library = library_for(arguments)
    snapshot = read_account(library)
    answer = role_answer(library, arguments.role)
    print_answer(arguments, lambda: answer_of(library.data(), answer), lambda: role_blocks(answer, datetime.now(UTC)))
    narrate_errors(snapshot.errors)
    if not answer.complete:
        narrate(incomplete_words("everything that may use this role"))
    return ExitCode.DONE
