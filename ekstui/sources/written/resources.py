"""The access that a resource of Terraform gives, by the values of its attributes: in a plan, or as it is written.

Source: the reference of Terraform's AWS provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ekstui.named_tuples import NamedTuple
from ekstui.sources.written import AttachmentKind, Written, WrittenAttachment
from ekstui.sources.written.search import document_in, namespaces_of, search


class _Attaching(NamedTuple):
    """Which attributes of a resource attach a policy."""

    policy: str
    """The attribute with the policies: an ARN or a name, or a list of them."""
    attached_to: tuple[str, ...]
    """The attributes of which any names who gets it; empty if the resource itself does."""
    kind: AttachmentKind = "policy"


_ATTACHING: Mapping[str, tuple[_Attaching, ...]] = {
    "aws_iam_role_policy_attachment": (_Attaching("policy_arn", ("role",)),),
    "aws_iam_user_policy_attachment": (_Attaching("policy_arn", ("user",)),),
    "aws_iam_group_policy_attachment": (_Attaching("policy_arn", ("group",)),),
    "aws_iam_policy_attachment": (_Attaching("policy_arn", ("roles", "users", "groups")),),
    "aws_iam_role_policy_attachments_exclusive": (_Attaching("policy_arns", ("role_name",)),),
    "aws_iam_user_policy_attachments_exclusive": (_Attaching("policy_arns", ("user_name",)),),
    "aws_iam_group_policy_attachments_exclusive": (_Attaching("policy_arns", ("group_name",)),),
    "aws_iam_role": (_Attaching("managed_policy_arns", ()), _Attaching("permissions_boundary", (), "boundary")),
    "aws_iam_user": (_Attaching("permissions_boundary", (), "boundary"),),
    "aws_iam_user_group_membership": (_Attaching("groups", ("user",), "role"),),
    "aws_iam_group_membership": (_Attaching("group", ("users",), "role"),),
    "aws_iam_instance_profile": (_Attaching("role", (), "role"),),
    "aws_ssoadmin_managed_policy_attachment": (_Attaching("managed_policy_arn", ("permission_set_arn",)),),
    "aws_eks_access_policy_association": (_Attaching("policy_arn", ("principal_arn",), "access policy"),),
    "aws_eks_pod_identity_association": (
        _Attaching("role_arn", ("namespace", "service_account"), "role"), _Attaching("target_role_arn", (), "role"),
    ),
    "aws_eks_addon": (_Attaching("service_account_role_arn", (), "role"),),
    "aws_eks_access_entry": (_Attaching("kubernetes_groups", ("principal_arn",), "role"),),
    "awscc_iam_role": (_Attaching("managed_policy_arns", ()), _Attaching("permissions_boundary", (), "boundary")),
    "awscc_iam_user": (_Attaching("managed_policy_arns", ()), _Attaching("permissions_boundary", (), "boundary")),
    "awscc_iam_group": (_Attaching("managed_policy_arns", ()),),
}  # fmt: skip
"""What attaches, by the type of a resource."""

_INLINE = ("aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
"""Resources whose document belongs to a role, user or group."""


def gives_access(kind: str) -> bool:
    """Return whether resources of a type attach something."""
    return kind in _ATTACHING


def of_resource(address: str, kind: str, attributes: Mapping[str, Any], line: int = 0) -> Iterator[Written]:
    """Yield the documents and attachments of a resource, by its type and attributes.

    A block is an object or a list of objects.
    """
    attaching = _ATTACHING.get(kind, ())
    name = next((str(attributes[key]) for key in ("name", "name_prefix") if isinstance(attributes.get(key), str)), "")
    attached_to = next(
        (str(attributes[key]) for key in ("role", "user", "group") if isinstance(attributes.get(key), str)), ""
    )
    for attachment in attaching:
        yield from _attachments(address, attachment, attributes, line)
    if kind == "aws_lambda_permission":
        yield permission(address, {key.replace("_", ""): value for key, value in attributes.items()}, line)
        return
    attached_keys = {attachment.policy for attachment in attaching}
    for key, value in attributes.items():
        if key in attached_keys or value is None:
            continue
        if key == "policy" and isinstance(value, str | dict):
            yield document_in(address, value, line)._replace(
                name=name, attached_to=attached_to if kind in _INLINE else ""
            )
        elif key == "inline_policy" and isinstance(value, list | dict) and "Statement" not in value:
            yield from _inline(address, value if isinstance(value, list) else [value], line)
        elif key == "inline_policy":
            yield document_in(address, value, line)
        elif key in ("assume_role_policy", "assume_role_policy_document") and value:
            yield document_in(f"{address} › {key}", value, line)._replace(name=name)
        else:
            yield from search({key: value}, address, line=line, attached_to=address)


def permission(place: str, fields: Mapping[str, Any], line: int) -> Written:
    """Return what a permission of Lambda adds to its function's policy, by its fields in lower case."""
    principal = str(fields.get("principal", "*"))
    principal_element: object = {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal}
    conditions = {
        operator: {name: fields[key]}
        for key, operator, name in (
            ("sourcearn", "ArnLike", "aws:SourceArn"), ("sourceaccount", "StringEquals", "aws:SourceAccount"),
            ("principalorgid", "ForAnyValue:StringEquals", "aws:PrincipalOrgID"),
        )
        if fields.get(key)
    }  # fmt: skip
    statement = {
        "Effect": "Allow", "Principal": "*" if principal == "*" else principal_element, "Action": fields.get("action", "lambda:*"),
        "Resource": "*", "Condition": conditions,
    }  # fmt: skip
    return document_in(
        f"{place} ({fields.get('functionname', '')})", {"Version": "2012-10-17", "Statement": [statement]}, line
    )


def _inline(address: str, policies: list[Any], line: int) -> Iterator[Written]:
    for number, inline in enumerate(policies):
        fields = inline if isinstance(inline, Mapping) else {"policy": inline}
        if fields.get("policy") is not None:
            policy = document_in(f"{address} › {fields.get('name') or f'[{number}]'}", fields["policy"], line)
            yield policy._replace(attached_to=address)


def _attachments(address: str, attaching: _Attaching, attributes: Mapping[str, Any], line: int) -> Iterator[Written]:
    policies = attributes.get(attaching.policy)
    if policies is None:
        return
    entity_values = [attributes[name] for name in attaching.attached_to if attributes.get(name)]
    entities = [address]
    if entity_values and any(isinstance(entry, list) for entry in entity_values):
        entities = [
            str(entity) for entry in entity_values for entity in (entry if isinstance(entry, list) else [entry])
        ]
    elif entity_values:
        entities = ["/".join(map(str, entity_values))]
    scopes = attributes.get("access_scope")
    scope_entries = scopes if isinstance(scopes, list) else [scopes]
    namespaces = namespaces_of(next((entry for entry in scope_entries if isinstance(entry, Mapping)), None))
    for policy in policies if isinstance(policies, list) else [policies]:
        for entity in entities:
            yield WrittenAttachment(address, attaching.kind, entity, str(policy), line, namespaces)
