"""`ekstui review`: what changed in the policy documents of a git repository."""

import argparse
from pathlib import Path

from ekstui.cli.options import add_fail_on, add_json, fails_on, gate, reaches_of
from ekstui.cli.streams import print_answer
from ekstui.export.shapes import review_shape

DESCRIPTION = (
    "Compare the policy documents in a git repository with those of a base commit: in JSON files, Terraform plans "
    "(terraform show -json) and CloudFormation templates. A plan is compared with its own prior state."
)
EXAMPLES = (
    "ekstui review --base origin/main",
    "ekstui review --base HEAD --fail-on widened policies/",
    "ekstui review --markdown plan.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: the whole repository)")
    parser.add_argument(
        "--base", default="HEAD", metavar="REV", help="the commit to compare with (default: %(default)s)"
    )
    parser.add_argument("--markdown", action="store_true", help="print the summary as Markdown, for a pull request")
    add_fail_on(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one row per document with what its change means, and fail the gate if access changed that way."""
    from ekstui.library.reviewing import review
    from ekstui.present.change_lists import review_blocks

    answer = review(Path(), arguments.base, tuple(arguments.paths))
    print_answer(arguments, lambda: review_shape(answer), lambda: review_blocks(answer))
    reaches = [reach for each in answer.documents for reach in reaches_of(each.change)]
    if answer.not_read:
        reaches.append("unknown")
    return gate(fails_on(arguments.fail_on, reaches))
