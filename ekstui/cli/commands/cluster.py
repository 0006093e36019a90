"""`ekstui cluster`: a cluster's health and roles, and policies that are missing, superseded or too broad."""

import argparse
from datetime import UTC, datetime

from ekstui.cli.options import add_account, add_json, gate
from ekstui.cli.session import library_for, narrate_errors, read_account
from ekstui.cli.streams import narrate, print_answer
from ekstui.export.shapes import answer_of
from ekstui.library.cluster_answers import cluster_answer, worst_first
from ekstui.present.blocks import incomplete_words
from ekstui.present.cluster_report import cluster_blocks

DESCRIPTION = (
    "Show a cluster's health, its roles and their policies, and which policies are missing, superseded or too broad."
)
EXAMPLES = (
    "ekstui cluster prod --region eu-central-1",
    "ekstui cluster prod --markdown",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--markdown", action="store_true", help="print the report as Markdown, for an incident channel")
    parser.add_argument(
        "--fail-on",
        choices=("problem", "advice"),
        help="exit with 1 if there is a problem (with `advice`, also for advice), if EKS reports one, or if not everything was read",
    )
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what EKS reports, what AWS changed recently, then each role with its findings."""
    library = library_for(arguments)
    read_account(library)
    answer = cluster_answer(library, arguments.name)
    data = library.data()
    print_answer(
        arguments, lambda: answer_of(data, answer), lambda: cluster_blocks(answer, data.newest, datetime.now(UTC))
    )
    narrate_errors(answer.errors)
    if not answer.complete:
        narrate(incomplete_words("everything about this cluster"))
    if arguments.fail_on is None:
        return gate(False)
    failing = ("problem",) if arguments.fail_on == "problem" else ("problem", "advice")
    found = bool(answer.cluster.all_issues) or any(finding.severity in failing for _, finding in worst_first(answer))
    return gate(found or not answer.complete or bool(answer.not_judged))
