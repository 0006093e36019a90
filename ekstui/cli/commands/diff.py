"""`ekstui diff`: what differs between two documents."""

import sys
from argparse import Namespace

from ekstui.cli.gates import FAIL_ON, fails_on, gate, reaches_of
from ekstui.cli.parser import ACCOUNT, JSON, PARAMETERS, argument, command, flag, one_of, parameters
from ekstui.cli.session import library_for
from ekstui.cli.streams import print_answer, print_blocks, print_shape, print_text
from ekstui.errors import InputError
from ekstui.export.patch import comparison_patch
from ekstui.export.shapes import answer_of
from ekstui.library import Library
from ekstui.library.access_policies import access_difference, find_access_policy, means_access_policy
from ekstui.library.comparing import compare
from ekstui.library.notation import StandardInput, parse_sides
from ekstui.present.access import access_difference_blocks
from ekstui.present.comparison import comparison_blocks


@command(
    "diff",
    "compare two documents",
    "Compare two policy documents, and show whether the second allows more or less.",
    argument("before", metavar="A", help="POLICY[@V], an ARN, POLICY@v5..v6, a file, - (standard input), or role:NAME"),
    argument("after", metavar="B", nargs="?", help="the same; not needed if A names two versions"),
    one_of(
        flag("--patch", "print a unified diff of the documents"),
        flag("--full", "of two policies, also explain each difference in a sentence"),
    ),
    flag("--exit-code", "exit with 1 if the documents differ in more than order and grouping"),
    FAIL_ON,
    PARAMETERS,
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui diff AmazonEKS_CNI_Policy@v5..v6",
        "ekstui diff AmazonEKS_CNI_Policy ./my-cni.json",
        "ekstui diff role:prod-node AmazonEKSWorkerNodePolicy",
        "ekstui diff karpenter@v1.8.0..v1.14.1",
    ),
    answers=("Comparison", "AccessDifference"),
)
def show_difference(arguments: Namespace) -> int:
    """Print both sides, what the difference means and why, then what differs, action by action."""
    if _are_access_policies(arguments.before, arguments.after):
        return _access(library_for(arguments), arguments)
    before, after = parse_sides([side for side in (arguments.before, arguments.after) if side])
    text = sys.stdin.read() if StandardInput() in (before, after) else ""
    library = library_for(arguments)
    comparison = compare(library, before, after, text, parameters(arguments))
    if arguments.json:
        print_shape(answer_of(library.data(), comparison))
    elif arguments.patch:
        print_text(comparison_patch(comparison).rstrip("\n"))
    else:
        print_blocks(comparison_blocks(comparison, full=arguments.full))
    change = comparison.change
    return gate((arguments.exit_code and change.kind != "none") or fails_on(arguments.fail_on, reaches_of(change)))


def _are_access_policies(before: str, after: str | None) -> bool:
    """Return whether both sides are EKS access policies; a name that IAM has too is one beside another of them.

    Raises InputError if only one is: the other kind of policy allows nothing that could be compared.
    """
    sides = [side.partition("@")[0] for side in (before, after or "") if side]
    surely = [side for side in sides if means_access_policy(side)]
    if not surely:
        return False
    if len(sides) < len((before, after)) or any("@" in side for side in (before, after or "")):
        raise InputError(
            f"{surely[0]} is an EKS access policy, and those have no versions.",
            "Compare it with another access policy: ekstui list --scope access.",
        )
    if not all(map(find_access_policy, sides)):
        raise InputError(
            f"{surely[0]} is an EKS access policy: it allows requests in Kubernetes, the other side calls to AWS.",
            "Compare it with another access policy: ekstui list --scope access.",
        )
    return True


def _access(library: Library, arguments: Namespace) -> int:
    difference = access_difference(arguments.before, arguments.after)
    if arguments.patch:
        raise InputError("EKS access policies have no document to make a patch of.", "Leave out --patch.")
    print_answer(arguments, lambda: answer_of(library.data(), difference), lambda: access_difference_blocks(difference))
    return gate((arguments.exit_code and difference.reach != "same") or fails_on(arguments.fail_on, [difference.reach]))
