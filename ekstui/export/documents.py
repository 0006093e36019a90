"""Policy documents as text for other tools: JSON, a statement alone, Terraform, CloudFormation.

The JSON is in ASCII, so that nothing in it has to be changed to be safe on a terminal.
"""

import json
from collections.abc import Sequence

from ekstui.core.document import Effect, serialise_conditions
from ekstui.core.grants import Grant


def document_text(document: object) -> str:
    """Return a document as indented JSON."""
    return json.dumps(document, indent=2) + "\n"


def statement_text(actions: Sequence[str], grants: Sequence[Grant], effect: Effect = "Allow") -> str:
    """Return the grants of some actions as statements in JSON, those with the same conditions together."""
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


def terraform_text(name: str, document: object) -> str:
    """Return a document as a Terraform `aws_iam_policy` resource, the JSON in a heredoc.

    Policy variables such as `${aws:username}` are escaped: `${` would begin a Terraform expression, and `%{` a directive.
    """
    body = json.dumps(document, indent=2).replace("${", "$${").replace("%{", "%%{")
    label = "".join(character if character.isalnum() or character in "_-" else "_" for character in name)
    return (
        f'resource "aws_iam_policy" "{label}" {{\n'
        f"  name   = {json.dumps(name)}\n"
        f"  policy = <<-POLICY\n" + "".join(f"    {line}\n" for line in body.splitlines()) + "  POLICY\n}\n"
    )


def cloudformation_text(name: str, document: object) -> str:
    """Return a document as a CloudFormation template with one `AWS::IAM::ManagedPolicy`."""
    label = "".join(character for character in name if character.isalnum())
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            label: {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"ManagedPolicyName": name, "PolicyDocument": document},
            }
        },
    }
    return json.dumps(template, indent=2) + "\n"
