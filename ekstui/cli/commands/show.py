"""`ekstui show`: what a version of a policy permits."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.options import POLICY, add_json
from ekstui.cli.output import narrate, print_blocks, print_json, print_markdown, print_text
from ekstui.core.document import broken_rules
from ekstui.core.where import parse_policy
from ekstui.errors import InputError
from ekstui.export.documents import cloudformation_text, terraform_text
from ekstui.export.encoding import Shape
from ekstui.export.shapes import one_or_answers, show_shape
from ekstui.library import Library, PolicyEntry
from ekstui.library.knowledge import knowledge, knowledge_of
from ekstui.library.policies import known_version
from ekstui.present.about import about_blocks, notes_blocks
from ekstui.present.permissions import actions_blocks, services_table, version_blocks

DESCRIPTION = f"Show what a policy permits. {POLICY}"
EXAMPLES = ("ekstui show AmazonEKS_CNI_Policy@v5",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("policy", nargs="+", metavar="POLICY[@V]")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--document", action="store_true", help="the policy document itself, as IAM has it")
    forms.add_argument("--markdown", action="store_true", help="what it permits as Markdown")
    forms.add_argument("--terraform", action="store_true", help="the document as an aws_iam_policy of Terraform")
    forms.add_argument("--cloudformation", action="store_true", help="the document as a template of CloudFormation")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the console's table, a service a line, then the actions of each; or the document itself."""
    library = open_library()
    places = [parse_policy(text) for text in arguments.policy]
    entries = [(library.find(place.name), place) for place in places]
    wanted = [(entry, known_version(entry.policy, place.version)) for entry, place in entries]
    for entry, version in wanted:
        for broken in broken_rules(library.document(entry.policy, version)):
            narrate(f"AWS published this version although IAM's grammar does not allow it: {broken.message}")
    if arguments.json and not arguments.document:
        print_json(one_or_answers([_shape(library, entry, version) for entry, version in wanted]))
        return ExitCode.DONE
    if len(wanted) > 1 and (arguments.document or arguments.terraform or arguments.cloudformation):
        raise InputError("A document is printed alone.", "Name one policy.")
    for number, (entry, version) in enumerate(wanted):
        if number:
            print_text()
        _print(library, entry, version, arguments)
    return ExitCode.DONE


def _shape(library: Library, entry: PolicyEntry, version: int) -> Shape:
    known = knowledge_of(entry.policy)
    document, services = library.document_json(entry.policy, version), library.summary(entry.policy, version)
    return show_shape(library.data(), entry, version, document, services, known.services if known else {})


def _print(library: Library, entry: PolicyEntry, version: int, arguments: argparse.Namespace) -> None:
    policy = entry.policy
    if arguments.document:
        print_json(library.document_json(policy, version))
        return
    if arguments.terraform or arguments.cloudformation:
        text = terraform_text if arguments.terraform else cloudformation_text
        print_text(text(policy.name, library.document_json(policy, version)).rstrip("\n"))
        return
    services = library.summary(policy, version)
    head = version_blocks(policy, version)
    if arguments.markdown:
        print_markdown([*head, services_table(services)])
        return
    known = knowledge_of(policy)
    symptoms = knowledge().symptoms_of(policy.name)
    about = about_blocks(entry, known, symptoms, whole=True)
    actions = actions_blocks(services, known.services if known else {})
    print_blocks([*head, *about, services_table(services), *actions, *notes_blocks(known, symptoms)])
