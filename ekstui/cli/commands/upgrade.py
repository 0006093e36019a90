"""`ekstui upgrade`: the permissions that a cluster's controllers need before an upgrade, and no longer need after it."""

import argparse
from collections.abc import Sequence

from ekstui.cli.options import ExitCode, add_account, add_json, add_parameters, parameters
from ekstui.cli.session import library_for, narrate_errors, read_account
from ekstui.cli.streams import narrate, print_blocks, print_json, print_text
from ekstui.core.document import serialise_statement
from ekstui.errors import InputError
from ekstui.export.encoding import shape
from ekstui.export.texts import terraform_text
from ekstui.library.upgrading import UpgradeAnswer, upgrade
from ekstui.present.cluster_report import nothing_words, upgrade_blocks

DESCRIPTION = (
    "Show which permissions the roles of a cluster's controllers need before an upgrade, and which they can lose after it. "
    "Without --to, it covers every component that has a role, at its newest known release."
)
EXAMPLES = (
    "ekstui upgrade prod --to karpenter=v1.14.1 --to vpc-cni=v1.23.0",
    "ekstui upgrade prod --from karpenter=v1.8.0 --to karpenter=v1.14.1 --terraform",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", metavar="CLUSTER")
    parser.add_argument(
        "--to", action="append", default=[], metavar="COMPONENT=RELEASE", help="the release to upgrade to; repeatable"
    )
    parser.add_argument(
        "--from", dest="since", action="append", default=[], metavar="COMPONENT=RELEASE",
        help="the release that runs now, if neither an add-on nor the role's policy shows it; repeatable",
    )  # fmt: skip
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--markdown", action="store_true", help="print the checklist as Markdown")
    forms.add_argument(
        "--terraform", action="store_true", help="print what is missing as Terraform aws_iam_policy resources"
    )
    forms.add_argument("--document", action="store_true", help="print what is missing as policy documents")
    add_parameters(parser)
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print, for each component, its role, what to add before, what to remove after, and what is not known.

    Return 1 if a named component cannot be judged, or without names none can.
    """
    library = library_for(arguments)
    snapshot = read_account(library)
    answer = upgrade(library, arguments.name, _pairs(arguments.to), _pairs(arguments.since), parameters(arguments))
    if arguments.json:
        print_json(shape(answer))
    elif arguments.terraform or arguments.document:
        _print_missing(answer, terraform=arguments.terraform)
    else:
        print_blocks(upgrade_blocks(answer), markdown=arguments.markdown)
    narrate_errors(snapshot.errors)
    if not answer.components:
        narrate(nothing_words(answer))
        return ExitCode.NOTHING
    known = [each.is_judged or bool(each.before) for each in answer.components]
    is_answered = all(known) if arguments.to or arguments.since else any(known)
    return ExitCode.DONE if is_answered else ExitCode.NOTHING


def _print_missing(answer: UpgradeAnswer, *, terraform: bool) -> None:
    documents = {
        f"{each.component.replace('/', '-')}-{each.after_release}": {
            "Version": "2012-10-17",
            "Statement": [serialise_statement(statement) for statement in each.before],
        }
        for each in answer.components
        if each.before
    }
    if not terraform:
        print_json(documents if len(documents) != 1 else next(iter(documents.values())))
        return
    for name, document in documents.items():
        print_text(terraform_text(name, document).rstrip("\n"))


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, release = text.partition("=")
        if not (name and equals and release):
            raise InputError(f"{text!r} is not COMPONENT=RELEASE.", "For example: karpenter=v1.14.1.")
        found[name] = release
    return found
