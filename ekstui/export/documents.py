"""Policy documents as text for other tools: JSON, a statement alone, Terraform, CloudFormation, a patch.

The JSON is in ASCII, so that it is safe on a terminal without being changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ekstui.core.document import Effect, serialise_conditions
from ekstui.core.grants import Grant
from ekstui.core.text import clean_line

if TYPE_CHECKING:
    from ekstui.library import Comparison


def document_text(document: object) -> str:
    """Return a document as indented JSON."""
    return json.dumps(document, indent=2) + "\n"


def statement_text(actions: Sequence[str], grants: Sequence[Grant], effect: Effect = "Allow") -> str:
    """Return grants of the actions as statements in JSON; grants with the same conditions share one."""
    statements: list[dict[str, object]] = []
    for grant in grants:
        conditions = serialise_conditions(grant.conditions)
        alike = next(
            (
                statement
                for statement in statements
                if statement.get("Condition", {}) == conditions
                and grant.resource_element == "Resource"
                and isinstance(statement.get("Resource"), list)
            ),
            None,
        )
        if alike is not None:
            resources = alike["Resource"]
            if isinstance(resources, list):
                resources += [resource for resource in grant.resources if resource not in resources]
            continue
        statement: dict[str, object] = {
            "Effect": effect,
            "Action": list(actions),
            grant.resource_element: list(grant.resources),
        }
        if conditions:
            statement["Condition"] = conditions
        statements.append(statement)
    return json.dumps(statements[0] if len(statements) == 1 else statements, indent=2)


MOST_CHARACTERS = 6_144
"""IAM's limit for a customer managed policy, without white space ("IAM and STS quotas")."""


def size_of(document: object) -> int:
    """Return a document's characters as IAM counts them: without white space."""
    return len("".join(json.dumps(document, separators=(",", ":"), ensure_ascii=False).split()))


def customer_parts(document: object) -> tuple[object, ...]:
    """Return a document as customer managed policies: itself, or two that together allow the same if it is too long.

    Statements stay whole and in order. A document that cannot be split this way is returned unchanged.
    """
    statements = document.get("Statement") if isinstance(document, dict) else None
    if size_of(document) <= MOST_CHARACTERS or not isinstance(document, dict) or not isinstance(statements, list):
        return (document,)
    halves = [
        ({**document, "Statement": statements[:cut]}, {**document, "Statement": statements[cut:]})
        for cut in range(1, len(statements))
    ]
    best = min(halves, key=lambda pair: max(map(size_of, pair)), default=None)
    if best is None or max(map(size_of, best)) > MOST_CHARACTERS:
        return (document,)
    return best


def size_words(document: object) -> str:
    """Return a warning if a document is too large for a customer managed policy; empty if it fits."""
    size = size_of(document)
    if size <= MOST_CHARACTERS:
        return ""
    said = f"{size:,} characters, but IAM allows {MOST_CHARACTERS:,} for a customer managed policy"
    return f"{said}: split it in two" if len(customer_parts(document)) > 1 else f"{said}, even if split by statements"


def _named_parts(name: str, document: object) -> list[tuple[str, object]]:
    # The variant of a component has a slash in its name, which IAM does not allow.
    name = name.replace("/", "-")
    parts = customer_parts(document)
    return [(name, document)] if len(parts) == 1 else [(f"{name}-{n}", part) for n, part in enumerate(parts, start=1)]


def terraform_text(name: str, document: object) -> str:
    """Return a document as a Terraform `aws_iam_policy`, or two if it is too long, with the JSON in a heredoc.

    Policy variables such as `${aws:username}` are escaped: `${` would start a Terraform expression, and `%{` a directive.
    """
    words = size_words(document)
    head = f"# {words}\n" if words else ""
    return head + "\n".join(_terraform_resource(each, part) for each, part in _named_parts(name, document))


def _terraform_resource(name: str, document: object) -> str:
    body = json.dumps(document, indent=2).replace("${", "$${").replace("%{", "%%{")
    label = "".join(character if character.isalnum() or character in "_-" else "_" for character in name)
    return (
        f'resource "aws_iam_policy" "{label}" {{\n'
        f"  name   = {json.dumps(name)}\n"
        f"  policy = <<-POLICY\n" + "".join(f"    {line}\n" for line in body.splitlines()) + "  POLICY\n}\n"
    )


def attachment_terraform(role: str, policy_arn: str) -> str:
    """Return the Terraform `aws_iam_role_policy_attachment` that attaches a policy to a role."""
    words = f"{role}_{policy_arn.rpartition('/')[2]}"
    label = "".join(character if character.isalnum() or character in "_-" else "_" for character in words)
    label = label if label[0].isalpha() else f"_{label}"
    return (
        f'resource "aws_iam_role_policy_attachment" "{label}" {{\n'
        f"  role       = {json.dumps(role)}\n  policy_arn = {json.dumps(policy_arn)}\n}}\n"
    )


def cloudformation_text(name: str, document: object) -> str:
    """Return a document as a CloudFormation template with an `AWS::IAM::ManagedPolicy`, or two if it is too long."""
    resources = {
        "".join(character for character in each if character.isalnum()): {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": each, "PolicyDocument": part},
        }
        for each, part in _named_parts(name, document)
    }
    template: dict[str, object] = {"AWSTemplateFormatVersion": "2010-09-09"}
    if words := size_words(document):
        template["Description"] = words
    return json.dumps({**template, "Resources": resources}, indent=2) + "\n"


def comparison_patch(comparison: Comparison) -> str:
    """Return a unified diff of both documents in canonical JSON."""
    from difflib import unified_diff  # 6 ms with the canonical form, and only for a patch

    from ekstui.core.canonical import canonical_lines

    lines = unified_diff(
        canonical_lines(comparison.before.document),
        canonical_lines(comparison.after.document),
        clean_line(comparison.before.label),
        clean_line(comparison.after.label),
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)
