"""`ekstui show`: what a policy permits."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping

from ekstui.cli.parser import ACCOUNT, JSON, PARAMETERS, POLICY, argument, command, flag, one_of, parameters
from ekstui.cli.session import library_for, open_library
from ekstui.cli.streams import print_blocks, print_json, print_reports, print_shape, print_text, remark
from ekstui.eks.kubernetes import AccessPolicyRules
from ekstui.errors import InputError
from ekstui.export.encoding import Shape
from ekstui.export.shapes import answer_of, document_shape, one_or_answers, show_shape
from ekstui.export.texts import cloudformation_text, size_words, terraform_text
from ekstui.iam.document import broken_rules, serialise
from ekstui.iam.summary import services_in
from ekstui.library import Library
from ekstui.library.access_policies import find_access_policy, means_access_policy
from ekstui.library.catalog import PolicyEntry, knowledge, knowledge_of, version_at
from ekstui.library.notation import PolicyAt, RoleSide, Side, StandardInput, parse_policy, parse_side
from ekstui.present.access import access_blocks
from ekstui.present.blocks import Block, Heading
from ekstui.present.permissions import actions_blocks, services_blocks, services_table
from ekstui.present.policy_report import about_blocks, broken_words, document_remarks, notes_blocks, version_blocks


@command(
    "show",
    "show what a policy permits",
    f"Show what a policy permits. {POLICY} It may also be a file, - (standard input), or role:NAME for all policies of "
    "a role.",
    argument("policy", nargs="+", metavar="POLICY[@V]|FILE|-|role:NAME"),
    one_of(
        flag("--document", "print the policy document itself"),
        flag("--terraform", "print the document as a Terraform aws_iam_policy"),
        flag("--cloudformation", "print the document as a CloudFormation template"),
    ),
    PARAMETERS,
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui show AmazonEKS_CNI_Policy@v5",
        "ekstui show karpenter@v1.14.1 --param ClusterName=prod",
        "ekstui show access:AmazonEKSEditPolicy",
        "ekstui show ./my-policy.json",
    ),
)
def show(arguments: Namespace) -> None:
    """Print the console's table, one line per service, then the actions of each; or the document itself."""
    if len(arguments.policy) == 1:
        side = parse_side(arguments.policy[0])
        if not isinstance(side, PolicyAt) or library_for(arguments).own_arn(side.name) is not None:
            _show_document(side, arguments)
            return
    library = open_library(arguments)
    policies = [_policy_named(library, text) for text in arguments.policy]
    iam_policies = [iam for iam, _ in policies if iam is not None]
    for entry, version in iam_policies:
        for broken_rule in broken_rules(library.document(entry.policy, version)):
            remark(broken_words(broken_rule))
    if arguments.json and not arguments.document:
        values = parameters(arguments)
        print_shape(one_or_answers([_shape(library, iam, access, values) for iam, access in policies]))
    elif _asks_for_document(arguments):
        if not iam_policies:
            raise InputError("An EKS access policy has no document.", "Leave out the option to see its rules.")
        if len(iam_policies) > 1:
            raise InputError("Only one document can be printed.", "Name one policy.")
        _print_document(library, *iam_policies[0], arguments)
    else:
        print_reports(_reports(library, policies, arguments))


def _asks_for_document(arguments: Namespace) -> bool:
    return bool(arguments.document or arguments.terraform or arguments.cloudformation)


def _show_document(side: Side, arguments: Namespace) -> None:
    """Print what a file, standard input, a policy of the account's own, or all policies of a role permit."""
    from ekstui.library.comparing import document_of_side

    text = sys.stdin.read() if isinstance(side, StandardInput) else ""
    library = library_for(arguments) if isinstance(side, RoleSide | PolicyAt) else open_library(arguments)
    document = document_of_side(side, library, text)
    services = services_in(document)
    if _asks_for_document(arguments):
        _print_form("policy", serialise(document), arguments)
    elif arguments.json:
        print_shape(document_shape(library.data(), str(side), serialise(document), services))
    else:
        permission_blocks = (
            services_blocks(services)
            if arguments.markdown
            else [services_table(services), *actions_blocks(services, {})]
        )
        print_blocks([Heading(str(side), 1), *permission_blocks])


_NamedPolicy = tuple[tuple[PolicyEntry, int] | None, AccessPolicyRules | None]
"""An IAM policy with its version, an EKS access policy, or both where they share a name."""


def _policy_named(library: Library, text: str) -> _NamedPolicy:
    """Return the IAM policy and the EKS access policy that a text names."""
    access = find_access_policy(text)
    if access is not None and means_access_policy(text):
        return None, access
    place = parse_policy(text)
    entry = library.find(place.name)
    return (entry, version_at(entry.policy, place)), access


def _shape(
    library: Library, iam: tuple[PolicyEntry, int] | None, access: AccessPolicyRules | None, values: Mapping[str, str]
) -> Shape:
    if iam is None:
        return answer_of(library.data(), access, "AccessPolicyRules.shown") if access else {}
    entry, version = iam
    notes = knowledge_of(entry.policy)
    document = library.document_json(entry.policy, version, values)
    services = library.summary(entry.policy, version, values)
    reasons = notes.services if notes else {}
    fields = show_shape(
        library.data(), entry, version, document, services, reasons, library.parameters(entry.policy, version, values)
    )
    return (
        fields | {"access_policy": answer_of(library.data(), access, "AccessPolicyRules.shown")} if access else fields
    )


def _print_document(library: Library, entry: PolicyEntry, version: int, arguments: Namespace) -> None:
    policy, values = entry.policy, parameters(arguments)
    document = library.document_json(policy, version, values)
    for text in document_remarks(policy.name, size_words(document), library.parameters(policy, version, values)):
        remark(text)
    _print_form(policy.name, document, arguments)


def _print_form(name: str, document: object, arguments: Namespace) -> None:
    if arguments.document:
        print_json(document)
    else:
        text = terraform_text if arguments.terraform else cloudformation_text
        print_text(text(name, document).rstrip("\n"))


def _reports(library: Library, policies: Iterable[_NamedPolicy], arguments: Namespace) -> Iterator[list[Block]]:
    for iam, access in policies:
        if iam is not None:
            yield _report(library, *iam, arguments)
        if access is not None:
            yield access_blocks(access)


def _report(library: Library, entry: PolicyEntry, version: int, arguments: Namespace) -> list[Block]:
    policy, values = entry.policy, parameters(arguments)
    services = library.summary(policy, version, values)
    head = version_blocks(policy, version, library.parameters(policy, version, values))
    if arguments.markdown:
        return [*head, *services_blocks(services)]
    notes = knowledge_of(policy)
    symptoms = knowledge().symptoms_of(policy.name)
    about = about_blocks(entry, notes, symptoms, in_full=True)
    permission_blocks = [services_table(services), *actions_blocks(services, notes.services if notes else {})]
    return [*head, *about, *permission_blocks, *notes_blocks(notes, symptoms)]
