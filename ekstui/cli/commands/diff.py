"""`ekstui diff`: what differs between two documents."""

import argparse
import sys

from ekstui.cli.options import (
    add_account,
    add_exit_code,
    add_fail_on,
    add_json,
    add_parameters,
    fails_on,
    gate,
    parameters,
    reaches_of,
)
from ekstui.cli.session import library_for
from ekstui.cli.streams import print_answer, print_blocks, print_json, print_text
from ekstui.core.notation import StandardInput, parse_sides
from ekstui.errors import InputError
from ekstui.export.shapes import access_diff_shape, diff_shape
from ekstui.export.texts import comparison_patch
from ekstui.library import Library
from ekstui.library.access_policies import access_difference, means_access_policy
from ekstui.library.comparing import compare
from ekstui.present.access import access_difference_blocks
from ekstui.present.comparison import comparison_blocks

DESCRIPTION = "Compare two policy documents, and show whether the second allows more or less."
EXAMPLES = (
    "ekstui diff AmazonEKS_CNI_Policy@v5..v6",
    "ekstui diff AmazonEKS_CNI_Policy ./my-cni.json",
    "ekstui diff role:prod-node AmazonEKSWorkerNodePolicy",
    "ekstui diff karpenter@v1.8.0..v1.14.1",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "before", metavar="A", help="POLICY[@V], an ARN, POLICY@v5..v6, a file, - (standard input), or role:NAME"
    )
    parser.add_argument("after", metavar="B", nargs="?", help="the same; not needed if A names two versions")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--markdown", action="store_true", help="print the difference as Markdown, for an incident channel"
    )
    forms.add_argument("--patch", action="store_true", help="print a unified diff of the documents")
    add_exit_code(parser, "exit with 1 if the documents differ in more than order and grouping")
    add_fail_on(parser)
    add_parameters(parser)
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print both sides, what the difference means and why, then what differs, action by action."""
    library = library_for(arguments)
    if arguments.after and all(map(means_access_policy, (arguments.before, arguments.after))):
        return _access(library, arguments)
    before, after = parse_sides([side for side in (arguments.before, arguments.after) if side])
    text = sys.stdin.read() if StandardInput() in (before, after) else ""
    comparison = compare(library, before, after, text, parameters(arguments))
    if arguments.json:
        print_json(diff_shape(library.data(), comparison))
    elif arguments.patch:
        print_text(comparison_patch(comparison).rstrip("\n"))
    else:
        print_blocks(comparison_blocks(comparison), markdown=arguments.markdown)
    change = comparison.change
    return gate((arguments.exit_code and change.kind != "none") or fails_on(arguments.fail_on, reaches_of(change)))


def _access(library: Library, arguments: argparse.Namespace) -> int:
    """Print how two EKS access policies differ."""
    found = access_difference(arguments.before, arguments.after)
    if arguments.patch:
        raise InputError("EKS access policies have no document to make a patch of.", "Leave out --patch.")
    print_answer(arguments, lambda: access_diff_shape(library.data(), found), lambda: access_difference_blocks(found))
    return gate((arguments.exit_code and found.reach != "same") or fails_on(arguments.fail_on, [found.reach]))
