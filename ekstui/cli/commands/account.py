"""`ekstui account` and `ekstui attached`: which account is asked, as whom, and who in it has a policy attached."""

from argparse import Namespace
from datetime import UTC, datetime

from ekstui.cli.parser import ACCOUNT, JSON, POLICY, ExitCode, argument, command
from ekstui.cli.session import library_for, read_account, remark_missing
from ekstui.cli.streams import print_answer
from ekstui.export.shapes import answer_of
from ekstui.library import Library
from ekstui.library.attachments import attached, attached_everywhere
from ekstui.present.account_report import account_blocks
from ekstui.present.attachment_report import attached_blocks, everywhere_blocks


@command(
    "account",
    "show which account is asked and what was read from it",
    "Show which account is asked and as whom, its clusters, and what could not be read.",
    *ACCOUNT,
    *JSON,
    examples=("ekstui account --profile prod", "ekstui account --offline --json"),
    answers=("AccountSnapshot",),
)
def show_account(arguments: Namespace) -> None:
    """Print the account, one row per cluster, and what is missing."""
    library = library_for(arguments)
    snapshot = read_account(library)
    print_answer(
        arguments, lambda: answer_of(library.data(), snapshot), lambda: account_blocks(snapshot, datetime.now(UTC))
    )
    if arguments.json:
        remark_missing(snapshot.errors, snapshot.complete)


@command(
    "attached",
    "show who has a policy attached",
    f"Show the roles, users and groups of the account that have a policy attached. {POLICY}",
    argument("policy", metavar="POLICY"),
    argument("--aggregator", metavar="NAME", help="ask an AWS Config aggregator about all accounts that it covers"),
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui attached AmazonEKSWorkerNodePolicy --profile prod",
        "ekstui attached AmazonEKS_CNI_Policy --offline",
        "ekstui attached AmazonEKSClusterPolicy --aggregator organisation",
    ),
    answers=("AttachedAnswer", "OrganisationAnswer"),
)
def show_attached(arguments: Namespace) -> int:
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
    remark_missing(attachments.errors, attachments.complete, consequence="there may be more")
    return ExitCode.NOTHING if attachments.proven_empty else ExitCode.DONE


def _everywhere(library: Library, arguments: Namespace) -> int:
    answer = attached_everywhere(library, library.find(arguments.policy).policy, arguments.aggregator)
    print_answer(arguments, lambda: answer_of(library.data(), answer), lambda: everywhere_blocks(answer))
    remark_missing(answer.errors)
    return ExitCode.DONE
