"""`ekstui used`: what a role or a policy was last used for, and the policy without what was not."""

from argparse import Namespace
from datetime import UTC, datetime

from ekstui.cli.parser import ACCOUNT, JSON, argument, command, flag
from ekstui.cli.session import library_for, read_account
from ekstui.cli.streams import print_answer, print_json, remark, remark_progress
from ekstui.export.shapes import answer_of
from ekstui.iam.document import serialise
from ekstui.library.last_used import used_answer
from ekstui.present.last_used import less_remarks, used_blocks


@command(
    "used",
    "show what a role or a policy was last used for",
    "Show what a role or a policy was last used for, by service, and by action where IAM tracks it. IAM makes a report "
    "for that, which takes some seconds; it is kept for four hours, and --offline shows the last one.",
    argument("what", metavar="role:NAME|POLICY"),
    argument(
        "--days", type=int, default=90, metavar="N", help="count as used what was used in the last N days (default: 90)"
    ),
    flag("--less", "print the policy, or all policies of the role as one, without what provably was not used"),
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui used role:prod-node --profile prod",
        "ekstui used AmazonEKSClusterPolicy --days 30",
        "ekstui used role:prod-orders --less > orders.json",
    ),
    answers=("UsedAnswer",),
)
def used(arguments: Namespace) -> None:
    """Print a row per service, or the narrower document."""
    library = library_for(arguments)
    if library.account.last_snapshot() is None:
        read_account(library, refresh=False)
    with remark_progress() as report:
        answer = used_answer(library, arguments.what, arguments.days, less=arguments.less, progress=report)
    narrower = answer.less
    if narrower is None or arguments.json:
        print_answer(
            arguments, lambda: answer_of(library.data(), answer), lambda: used_blocks(answer, datetime.now(UTC))
        )
    elif narrower.document is not None:
        print_json(serialise(narrower.document))
    for text in less_remarks(answer, narrower) if narrower is not None else ():
        remark(text)
