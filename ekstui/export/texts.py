"""Texts for other tools: a document as JSON, Terraform or CloudFormation.

The JSON is in ASCII, so that it is safe on a terminal without being changed.
"""

import json
import re
from collections.abc import Sequence

from ekstui.errors import InputError
from ekstui.iam.document import serialise_conditions
from ekstui.iam.grants import Grant
from ekstui.iam.text import clean_line


def document_text(document: object) -> str:
    """Return a document as indented JSON."""
    return json.dumps(document, indent=2) + "\n"


def statement_text(actions: Sequence[str], grants: Sequence[Grant]) -> str:
    """Return grants of the actions as statements in JSON; grants with the same conditions share one."""
    statements: list[dict[str, object]] = []
    resources_by_conditions: dict[str, list[str]] = {}
    for grant in grants:
        conditions = serialise_conditions(grant.conditions)
        resources = list(grant.resources)
        if grant.resource_element == "Resource":
            shared_resources = resources_by_conditions.setdefault(json.dumps(conditions, sort_keys=True), resources)
            if shared_resources is not resources:
                shared_resources += [resource for resource in resources if resource not in shared_resources]
                continue
        statement: dict[str, object] = {"Effect": "Allow", "Action": list(actions), grant.resource_element: resources}
        statements.append({**statement, "Condition": conditions} if conditions else statement)
    return json.dumps(statements[0] if len(statements) == 1 else statements, indent=2)


_MOST_CHARACTERS = 6_144
"""IAM's limit for a customer managed policy, without white space ("IAM and STS quotas")."""


def size_of(document: object) -> int:
    """Return a document's characters as IAM counts them: without white space."""
    return len("".join(json.dumps(document, separators=(",", ":"), ensure_ascii=False).split()))


def customer_parts(document: object) -> tuple[object, ...]:
    """Return a document as customer managed policies: itself, or two that together allow the same if it is too long.

    Statements stay whole and in order. A document that cannot be split this way is returned unchanged.
    """
    statements = document.get("Statement") if isinstance(document, dict) else None
    if size_of(document) <= _MOST_CHARACTERS or not isinstance(document, dict) or not isinstance(statements, list):
        return (document,)
    halves = [
        ({**document, "Statement": statements[:index]}, {**document, "Statement": statements[index:]})
        for index in range(1, len(statements))
    ]
    best = min(halves, key=lambda pair: max(map(size_of, pair)), default=None)
    if best is None or max(map(size_of, best)) > _MOST_CHARACTERS:
        return (document,)
    return best


def size_words(document: object) -> str:
    """Return a warning if a document is too large for a customer managed policy; empty if it fits."""
    size = size_of(document)
    if size <= _MOST_CHARACTERS:
        return ""
    text = f"{size:,} characters, but IAM allows {_MOST_CHARACTERS:,} for a customer managed policy"
    return f"{text}: split it in two" if len(customer_parts(document)) > 1 else f"{text}, even if split by statements"


def _named_parts(name: str, document: object) -> list[tuple[str, object]]:
    # The variant of a component has a slash in its name, which IAM does not allow.
    name = name.replace("/", "-")
    parts = customer_parts(document)
    return [(name, document)] if len(parts) == 1 else [(f"{name}-{n}", part) for n, part in enumerate(parts, start=1)]


def terraform_text(name: str, document: object) -> str:
    """Return a document as a Terraform `aws_iam_policy`, or two if it is too long, with the JSON in a heredoc.

    Policy variables such as `${aws:username}` are escaped: `${` would start an expression of Terraform, `%{` a
    directive.
    """
    words = size_words(document)
    head = f"# {words}\n" if words else ""
    return head + "\n".join(_terraform_resource(label, part) for label, part in _named_parts(name, document))


def terraform_literal(text: str) -> str:
    """Return JSON, in which Terraform would start an expression or a directive, as a template for the same JSON."""
    # A sign before an escape would change its meaning, so those are written as JSON's own escapes.
    text = re.sub(r"\$+(?=\$\{)|%+(?=%\{)", lambda match: f"\\u{ord(match[0][0]):04x}" * len(match[0]), text)
    return text.replace("${", "$${").replace("%{", "%%{")


def label_of(name: str) -> str:
    """Return a name as Terraform takes it for a resource."""
    label = re.sub(r"[^\w-]", "_", name)
    return label if label[:1].isalpha() else f"_{label}"


def _terraform_resource(name: str, document: object) -> str:
    body = terraform_literal(json.dumps(document, indent=2))
    return (
        f'resource "aws_iam_policy" "{label_of(name)}" {{\n'
        f"  name   = {terraform_literal(json.dumps(name))}\n"
        f"  policy = <<-POLICY\n" + "".join(f"    {line}\n" for line in body.splitlines()) + "  POLICY\n}\n"
    )


def attachment_terraform(role: str, policy_arn: str) -> str:
    """Return the Terraform `aws_iam_role_policy_attachment` that attaches a policy to a role."""
    label = label_of(f"{role}_{policy_arn.rpartition('/')[2]}")
    return (
        f'resource "aws_iam_role_policy_attachment" "{label}" {{\n'
        f"  role       = {terraform_literal(json.dumps(role))}\n"
        f"  policy_arn = {terraform_literal(json.dumps(policy_arn))}\n}}\n"
    )


def cloudformation_text(name: str, document: object) -> str:
    """Return a document as a CloudFormation template with an `AWS::IAM::ManagedPolicy`, or two if it is too long.

    Raises InputError for a document with a dynamic reference, which cannot be escaped: CloudFormation would replace it
    with a parameter or secret of the account.
    """
    if "{{resolve:" in json.dumps(document):
        raise InputError(
            f"{clean_line(name)} has the text {{{{resolve:, which CloudFormation replaces with a value of the account.",
            "Use the JSON or Terraform instead.",
        )
    resources = {
        "".join(character for character in label if character.isalnum()): {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": label, "PolicyDocument": part},
        }
        for label, part in _named_parts(name, document)
    }
    template: dict[str, object] = {"AWSTemplateFormatVersion": "2010-09-09"}
    if words := size_words(document):
        template["Description"] = words
    return json.dumps({**template, "Resources": resources}, indent=2) + "\n"
