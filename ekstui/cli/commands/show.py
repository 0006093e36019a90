"""`ekstui show`: what a version of a policy permits."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.options import POLICY, add_json
from ekstui.cli.output import narrate, print_blocks, print_json, print_markdown, print_text
from ekstui.core.document import broken_rules
from ekstui.core.where import parse_policy
from ekstui.export.documents import cloudformation_text, terraform_text
from ekstui.export.shapes import show_shape
from ekstui.library.knowledge import knowledge, knowledge_of
from ekstui.library.policies import known_version
from ekstui.present.about import about_blocks, notes_blocks
from ekstui.present.permissions import actions_blocks, services_table, version_blocks

DESCRIPTION = f"Show what a policy permits. {POLICY}"
EXAMPLES = ("ekstui show AmazonEKS_CNI_Policy@v5",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("policy", metavar="POLICY[@V]")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--document", action="store_true", help="the policy document itself, as IAM has it")
    forms.add_argument("--markdown", action="store_true", help="what it permits as Markdown")
    forms.add_argument("--terraform", action="store_true", help="the document as an aws_iam_policy of Terraform")
    forms.add_argument("--cloudformation", action="store_true", help="the document as a template of CloudFormation")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the console's table, a service a line, then the actions of each; or the document itself."""
    library = open_library()
    wanted = parse_policy(arguments.policy)
    entry = library.find(wanted.name)
    version = known_version(entry.policy, wanted.version)
    for broken in broken_rules(library.document(entry.policy, version)):
        narrate(f"AWS published this version although IAM's grammar does not allow it: {broken.message}")
    if arguments.document:
        print_json(library.document_json(entry.policy, version))
        return ExitCode.DONE
    if arguments.terraform or arguments.cloudformation:
        text = terraform_text if arguments.terraform else cloudformation_text
        print_text(text(entry.policy.name, library.document_json(entry.policy, version)).rstrip("\n"))
        return ExitCode.DONE
    services = library.summary(entry.policy, version)
    head = version_blocks(entry.policy, version)
    if arguments.markdown:
        print_markdown([*head, services_table(services)])
        return ExitCode.DONE
    known = knowledge_of(entry.policy)
    reasons = known.services if known else {}
    if arguments.json:
        document = library.document_json(entry.policy, version)
        print_json(show_shape(library.data(), entry, version, document, services, reasons))
        return ExitCode.DONE
    symptoms = knowledge().symptoms_of(entry.policy.name)
    about = about_blocks(entry, known, symptoms, whole=True)
    actions = actions_blocks(services, reasons)
    print_blocks([*head, *about, services_table(services), *actions, *notes_blocks(known, symptoms)])
    return ExitCode.DONE
