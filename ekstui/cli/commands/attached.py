"""`ekstui attached`: who has a policy attached."""

import argparse
from datetime import UTC, datetime

from ekstui.cli.options import POLICY, ExitCode, add_account, add_json
from ekstui.cli.session import library_for, narrate_errors, read_account
from ekstui.cli.streams import narrate, print_answer
from ekstui.export.shapes import answer_of
from ekstui.library import Library
from ekstui.library.attachments import attached, attached_everywhere
from ekstui.present.account_report import attached_blocks, everywhere_blocks
from ekstui.present.blocks import incomplete_words

DESCRIPTION = f"Show the roles, users and groups of the account that have a policy attached. {POLICY}"
EXAMPLES = (
    "ekstui attached AmazonEKSWorkerNodePolicy --profile prod",
    "ekstui attached AmazonEKS_CNI_Policy --offline",
    "ekstui attached AmazonEKSClusterPolicy --aggregator organisation",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("policy", metavar="POLICY")
    parser.add_argument(
        "--aggregator", metavar="NAME", help="ask an AWS Config aggregator about all accounts that it covers"
    )
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line per role, user or group: what uses it and when it was last used; then what was not looked at."""
    library = library_for(arguments)
    if arguments.aggregator:
        return _everywhere(library, arguments)
    if not arguments.policy.startswith("arn:"):
        library.find(arguments.policy)
    read_account(library)
    answer = attached(library, arguments.policy)
    attachments = answer.attachments
    print_answer(
        arguments, lambda: answer_of(library.data(), answer), lambda: attached_blocks(answer, datetime.now(UTC))
    )
    narrate_errors(attachments.errors)
    if not attachments.complete:
        narrate(incomplete_words(so="there may be more"))
    return ExitCode.NOTHING if attachments.proven_empty else ExitCode.DONE


def _everywhere(library: Library, arguments: argparse.Namespace) -> int:
    """Print one line per role, user or group of any account."""
    answer = attached_everywhere(library, library.find(arguments.policy).policy, arguments.aggregator)
    print_answer(arguments, lambda: answer_of(library.data(), answer), lambda: everywhere_blocks(answer))
    narrate_errors(answer.errors)
    return ExitCode.DONE
