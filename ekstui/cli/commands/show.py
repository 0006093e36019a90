"""`ekstui show`: what a version of a policy permits."""

import argparse
import sys
from collections.abc import Mapping

from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.options import POLICY, add_account, add_json, add_parameters, parameters
from ekstui.cli.session import open_library
from ekstui.cli.streams import narrate, print_blocks, print_json, print_markdown, print_text
from ekstui.core.document import broken_rules
from ekstui.core.where import PolicyAt, RoleSide, Side, StandardInput, parse_policy, parse_side
from ekstui.errors import InputError
from ekstui.export.documents import cloudformation_text, size_words, terraform_text
from ekstui.export.encoding import Shape
from ekstui.export.shapes import access_policy_shape, document_shape, one_or_answers, show_shape
from ekstui.library import Library, PolicyEntry
from ekstui.library.access_policies import AccessPolicyAnswer, find_access_policy, means_access_policy
from ekstui.library.catalog import knowledge, knowledge_of, version_at
from ekstui.present.access import access_blocks
from ekstui.present.blocks import Block, Heading
from ekstui.present.policy_report import about_blocks, actions_blocks, notes_blocks, services_table, version_blocks

DESCRIPTION = f"Show what a policy permits. {POLICY} A file, - for standard input, and role:NAME (all policies of a role) are taken too."
EXAMPLES = (
    "ekstui show AmazonEKS_CNI_Policy@v5",
    "ekstui show karpenter@v1.14.1 --param ClusterName=prod",
    "ekstui show access:AmazonEKSEditPolicy",
    "ekstui show ./my-policy.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("policy", nargs="+", metavar="POLICY[@V]|FILE|-|role:NAME")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--document", action="store_true", help="the policy document itself, as IAM has it")
    forms.add_argument("--markdown", action="store_true", help="what it permits as Markdown")
    forms.add_argument("--terraform", action="store_true", help="the document as an aws_iam_policy of Terraform")
    forms.add_argument("--cloudformation", action="store_true", help="the document as a template of CloudFormation")
    add_parameters(parser)
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the console's table, a service a line, then the actions of each; or the document itself."""
    if len(arguments.policy) == 1 and not isinstance(side := parse_side(arguments.policy[0]), PolicyAt):
        return _show_document(side, arguments)
    library = open_library()
    values = parameters(arguments)
    asked = [_asked(library, text) for text in arguments.policy]
    wanted = [iam for iam, _ in asked if iam is not None]
    for entry, version in wanted:
        for broken in broken_rules(library.document(entry.policy, version)):
            narrate(f"AWS published this version although IAM's grammar does not allow it: {broken.message}")
    if arguments.json and not arguments.document:
        print_json(one_or_answers([_shape(library, iam, access, values) for iam, access in asked]))
        return ExitCode.DONE
    if not wanted and any(
        form in arguments and getattr(arguments, form) for form in ("document", "terraform", "cloudformation")
    ):
        raise InputError("An EKS access policy has no document.", "Without the option its rules are shown.")
    if len(wanted) > 1 and (arguments.document or arguments.terraform or arguments.cloudformation):
        raise InputError("A document is printed alone.", "Name one policy.")
    for number, (iam, access) in enumerate(asked):
        if number:
            print_text()
        if iam is not None:
            _print(library, *iam, arguments)
        if access is not None and not (arguments.document or arguments.terraform or arguments.cloudformation):
            if iam is not None:
                print_text()
            (print_markdown if arguments.markdown else print_blocks)(access_blocks(access))
    return ExitCode.DONE


def _show_document(side: Side, arguments: argparse.Namespace) -> int:
    """Print what a document that is no policy of AWS's permits: of a file, standard input, or all of a role."""
    from ekstui.core.document import serialise
    from ekstui.core.summary import services_in
    from ekstui.library.comparing import document_of_side

    library = open_library()
    if isinstance(side, RoleSide):
        from ekstui.cli.session import library_for

        library = library_for(arguments)
    text = sys.stdin.read() if isinstance(side, StandardInput) else ""
    document = document_of_side(side, library, text)
    services = services_in(document)
    if arguments.document:
        print_json(serialise(document))
    elif arguments.terraform or arguments.cloudformation:
        form = terraform_text if arguments.terraform else cloudformation_text
        print_text(form("policy", serialise(document)).rstrip("\n"))
    elif arguments.json:
        print_json(document_shape(library.data(), str(side), serialise(document), services))
    else:
        blocks: list[Block] = [Heading(str(side), 1), services_table(services)]
        if arguments.markdown:
            print_markdown(blocks)
        else:
            print_blocks([*blocks, *actions_blocks(services, {})])
    return ExitCode.DONE


def _asked(library: Library, text: str) -> tuple[tuple[PolicyEntry, int] | None, AccessPolicyAnswer | None]:
    """Return the IAM policy and the EKS access policy that a text names; two where both have the name."""
    access = find_access_policy(text)
    if access is not None and means_access_policy(text):
        return None, access
    place = parse_policy(text)
    entry = library.find(place.name)
    return (entry, version_at(entry.policy, place)), access


def _shape(
    library: Library,
    iam: tuple[PolicyEntry, int] | None,
    access: AccessPolicyAnswer | None,
    values: Mapping[str, str],
) -> Shape:
    if iam is None:
        return access_policy_shape(library.data(), access) if access else {}
    entry, version = iam
    known = knowledge_of(entry.policy)
    document = library.document_json(entry.policy, version, values)
    services = library.summary(entry.policy, version, values)
    reasons = known.services if known else {}
    found = show_shape(
        library.data(), entry, version, document, services, reasons, library.parameters(entry.policy, version, values)
    )
    return found | {"access_policy": access_policy_shape(library.data(), access)} if access else found


def _print(library: Library, entry: PolicyEntry, version: int, arguments: argparse.Namespace) -> None:
    policy, values = entry.policy, parameters(arguments)
    if arguments.document or arguments.terraform or arguments.cloudformation:
        document = library.document_json(policy, version, values)
        if words := size_words(document):
            narrate(f"{policy.name} has {words} (--terraform and --cloudformation do).")
        lacking = [name for name, value in library.parameters(policy, version, values).items() if value is None]
        if lacking:
            narrate(f"Left to fill in with --param NAME=VALUE: {', '.join(lacking)}.")
        if arguments.document:
            print_json(document)
        else:
            text = terraform_text if arguments.terraform else cloudformation_text
            print_text(text(policy.name, document).rstrip("\n"))
        return
    services = library.summary(policy, version, values)
    head = version_blocks(policy, version, library.parameters(policy, version, values))
    if arguments.markdown:
        print_markdown([*head, services_table(services)])
        return
    known = knowledge_of(policy)
    symptoms = knowledge().symptoms_of(policy.name)
    about = about_blocks(entry, known, symptoms, whole=True)
    actions = actions_blocks(services, known.services if known else {})
    print_blocks([*head, *about, services_table(services), *actions, *notes_blocks(known, symptoms)])
