"""Policy documents and attachments anywhere in a value, whatever the kind of file."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, cast

from ekstui.change.holes import has_hole, hole, is_hole, with_quotes
from ekstui.errors import DocumentError
from ekstui.iam.document import Document, ObjectWithRepeatedName, broken_rules, parse
from ekstui.sources.written import AttachmentKind, PolicyUse, Written, WrittenAttachment, WrittenPolicy
from ekstui.sources.written.values import line_of, read_json

_POLICY_ARN = re.compile(r"arn:[^:]*:iam::[^:]*:policy/\S+|arn:[^:]*:eks::aws:cluster-access-policy/\S+", re.IGNORECASE)
"""The ARN of a policy, which attaches it wherever it stands outside of a document."""

_ATTACHING: Mapping[str, AttachmentKind] = {
    **dict.fromkeys(
        ("attachpolicyarns", "permissionpolicyarns", "managedpolicyarns", "policyarn", "policyarns", "rolepolicyarns",
         "policyarnref", "policyarnselector", "policyrefs", "wellknownpolicies", "withaddonpolicies"), "policy"
    ),
    **dict.fromkeys(
        ("permissionsboundary", "permissionsboundaryarn", "instancerolepermissionsboundary", "permissionsboundaryref"),
        "boundary"
    ),
    **dict.fromkeys(
        ("attachrolearn", "serviceaccountrolearn", "instancerolearn", "eks.amazonaws.com/role-arn",
         "instanceprofilearn", "targetrolearn", "podexecutionrolearn"), "role"
    ),
}  # fmt: skip
"""What a field of eksctl, ACK, Crossplane or CloudFormation attaches, by its name in lower case without `_`."""

_COMMAND = re.compile(
    r"\baws\s+(?:-\S+\s+)*(?:iam|eks|sso-admin|organizations)\s+(?:attach|put|create|update|add|associate|set)-"
    r"|\beksctl\s+create\s+(?:iam|accessentry|podidentity)"
)
"""A command that gives access, as in a workflow."""


def search(value: object, place: str, *, line: int = 0, attached_to: str = "") -> Iterator[Written]:
    """Yield the policy documents and attachments anywhere in a value, a part of the object `attached_to`."""
    line = line_of(value) or line
    if isinstance(value, str):
        yield from _in_text(value, place, line, attached_to)
    elif isinstance(value, list):
        statements = [statement for entry in value if (statement := _statement_alone(entry)) is not None]
        if statements:
            yield document_in(place, {"Version": "2012-10-17", "Statement": statements}, line)
        for number, entry in enumerate(value):
            if _statement_alone(entry) is None:
                yield from search(entry, f"{place}{_entry_name(entry, number)}", line=line, attached_to=attached_to)
    elif isinstance(value, Mapping):
        if is_document(value):
            yield document_in(place, value, line)
        elif isinstance(value, ObjectWithRepeatedName):
            raise DocumentError(f"{value.name}: two elements have this name")
        elif (statement := _statement_alone(value)) is not None:
            yield document_in(place, {"Version": "2012-10-17", "Statement": [statement]}, line)
        else:
            yield from _in_fields(value, place, line, attached_to)


def _in_fields(value: Mapping[str, Any], place: str, line: int, attached_to: str) -> Iterator[Written]:
    for key, entry in value.items():
        inner = f"{place} › {key}" if place else str(key)
        kind = attached_by(key)
        if kind is not None:
            yield from attachments(inner, kind, entry, line, attached_to or place)
        elif isinstance(entry, bool | int | float) or entry is None:
            continue
        else:
            yield from search(entry, inner, line=line, attached_to=attached_to)


def attached_by(field: object) -> AttachmentKind | None:
    """Return what a field attaches, by its name; None if nothing."""
    return _ATTACHING.get(str(field).lower().replace("_", ""))


def attachments(place: str, kind: AttachmentKind, policies: object, line: int, attached_to: str) -> Iterator[Written]:
    """Yield what a field attaches: an ARN or a name, a list of them, switches by name, or a reference to an object."""
    if isinstance(policies, list):
        for entry in policies:
            yield from attachments(place, kind, entry, line, attached_to)
    elif isinstance(policies, str) and policies:
        document = read_json(policies) if policies.lstrip().startswith("{") else None
        if isinstance(document, Mapping):
            yield document_in(place, document, line)
        else:
            access = "cluster-access-policy/" in policies
            yield WrittenAttachment(place, "access policy" if access else kind, attached_to or place, policies, line)
    elif isinstance(policies, Mapping):
        if is_document(policies):
            yield document_in(place, policies, line)
        elif isinstance(name := policies.get("name"), str):
            yield WrittenAttachment(place, kind, attached_to or place, name, line)
        elif all(isinstance(entry, bool) for entry in policies.values()):
            for name, on in policies.items():
                if on:
                    yield WrittenAttachment(
                        place, kind, attached_to or place, f"{place.rpartition(' › ')[2]} {name}", line
                    )
        elif policies:
            yield WrittenAttachment(place, kind, attached_to or place, json_text(policies), line)


def access_policies(place: str, attached_to: str, policies: list[Any], line: int) -> Iterator[Written]:
    """Yield the EKS access policies of an access entry, each an object with its ARN and scope, or the ARN alone."""
    for policy in policies:
        fields = _lower(policy) or {"policyarn": policy}
        arn, namespaces = str(fields.get("policyarn")), namespaces_of(fields.get("accessscope"))
        yield WrittenAttachment(place, "access policy", attached_to, arn, line, namespaces)


def _lower(value: object) -> dict[str, Any]:
    """Return the fields of an object by their names in lower case, none for anything else."""
    return {str(key).lower(): entry for key, entry in value.items()} if isinstance(value, Mapping) else {}


def namespaces_of(scope: object) -> str:
    """Return the namespaces of an access policy's scope, separated by commas; empty for the whole cluster."""
    fields = _lower(scope)
    return ",".join(map(str, fields.get("namespaces") or ())) if str(fields.get("type")).lower() == "namespace" else ""


def _entry_name(entry: object, number: int) -> str:
    """Return what an entry of a list is called: by its own name, so that others may come before it."""
    if isinstance(entry, Mapping):
        meta = entry.get("metadata")
        fields = meta if isinstance(meta, Mapping) else entry
        names = [
            fields[key]
            for key in ("namespace", "name", "serviceAccountName", "principalARN", "policyARN")
            if isinstance(fields.get(key), str)
        ]
        if names:
            return f"[{'/'.join(names)}]"
    return f"[{number}]"


def _in_text(text: str, place: str, line: int, attached_to: str) -> Iterator[Written]:
    if _POLICY_ARN.fullmatch(text.strip()):
        access = "cluster-access-policy/" in text
        owner = attached_to or re.sub(r"(?:\[[^\]]*\])+$", "", place)
        yield WrittenAttachment(place, "access policy" if access else "policy", owner, text.strip(), line)
    elif _COMMAND.search(text):
        yield WrittenPolicy(place, None, "it is a command that changes access", text, line=line)
    elif seems_to_hold(text):
        value = read_json(text)
        value = read_json(with_quotes(text)) if value is None and has_hole(text) else value
        if isinstance(value, Mapping) and "Statement" in value:
            yield document_in(place, value, line)
        else:
            yield WrittenPolicy(place, None, "it is text that seems to have a policy document", text, line=line)


def is_document(value: Mapping[str, Any]) -> bool:
    """Return whether an object is a policy document, as far as its shape says."""
    if "Statement" not in value:
        return False
    statements = value["Statement"]
    entries = statements if isinstance(statements, list) else [statements]
    return any(
        (isinstance(entry, Mapping) and "Effect" in entry) or (isinstance(entry, str) and has_hole(entry))
        for entry in entries
    )


_ELEMENTS = {
    "sid": "Sid", "effect": "Effect", "action": "Action", "actions": "Action", "notaction": "NotAction",
    "notactions": "NotAction", "resource": "Resource", "resources": "Resource", "notresource": "NotResource",
    "notresources": "NotResource", "principal": "Principal", "principals": "Principal",
    "notprincipal": "NotPrincipal", "notprincipals": "NotPrincipal", "condition": "Condition", "conditions": "Condition",
}  # fmt: skip
"""The elements of a statement by how Terraform's modules, and charts, spell them, in lower case without `_`."""


def _statement_alone(value: object) -> dict[str, Any] | None:
    """Return a statement that is in no document, as IAM spells it; None for anything else."""
    if not isinstance(value, Mapping) or isinstance(value, ObjectWithRepeatedName):
        return None
    if "Effect" in value and ("Action" in value or "NotAction" in value):
        return dict(value)
    elements = {_ELEMENTS.get(_element_key(key)): entry for key, entry in value.items()}
    actions = elements.get("Action", elements.get("NotAction"))
    # Without an effect, which Terraform lets one leave out, only the spelling in the plural is that of a statement.
    is_plural = any(_element_key(key) in ("actions", "notactions") for key in value)
    is_statement = elements.get("Effect") in ("Allow", "Deny") or (
        is_plural and not {"Effect", "Resource", "NotResource"}.isdisjoint(elements)
    )
    return terraform_statement(value) if isinstance(actions, list | str) and is_statement else None


def _element_key(key: object) -> str:
    return str(key).lower().replace("_", "")


def terraform_statement(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a statement of Terraform's `aws_iam_policy_document`, or one in a similar spelling, as IAM spells it."""
    statement: dict[str, Any] = {"Effect": "Allow"}
    for key, value in fields.items():
        element = _ELEMENTS.get(_element_key(key))
        if element is None or value in (None, []):
            continue
        if element in ("Principal", "NotPrincipal"):
            value = _principals(_entries(value)) if _is_of_blocks(value, "type") else value
        elif element == "Condition":
            value = _conditions(_entries(value)) if _is_of_blocks(value, "test") else value
        statement[element] = value
    return statement


def _is_of_blocks(value: object, key: str) -> bool:
    """Return whether a value is a block of Terraform with this key, or several, in a list or by name."""
    entries = value if isinstance(value, list) else [value]
    if isinstance(value, Mapping) and key not in value:
        entries = list(value.values())
    return all(isinstance(entry, Mapping) and key in entry for entry in entries)


def _conditions(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[Any]]]:
    conditions: dict[str, dict[str, list[Any]]] = {}
    for entry in entries:
        values = entry.get("values", [])
        keys = conditions.setdefault(str(entry.get("test")), {})
        keys.setdefault(str(entry.get("variable")), []).extend(values if isinstance(values, list) else [values])
    return conditions


def _entries(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list, of an object by name, or the one that the value is itself."""
    by_name = isinstance(value, Mapping) and "type" not in value and "test" not in value
    entries = value if isinstance(value, list) else value.values() if by_name else [value]
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _principals(entries: Iterable[Mapping[str, Any]]) -> object:
    principals: dict[str, list[Any]] = {}
    for entry in entries:
        identifiers = entry.get("identifiers", [])
        principals.setdefault(str(entry.get("type")), []).extend(
            identifiers if isinstance(identifiers, list) else [identifiers]
        )
    return "*" if principals.get("*") == ["*"] and len(principals) == 1 else principals


def seems_to_hold(value: object) -> bool:
    """Return whether a value may have, or become, a policy document."""
    names = ("Statement", "PolicyDocument", "Policies", "Fn::Transform")

    def seems(part: object) -> bool:
        if isinstance(part, str):
            return ("Statement" in part and "Effect" in part) or "AWS::IAM::" in part
        return isinstance(part, Mapping) and any(name in part for name in names)

    return anywhere(seems, value)


def anywhere(test: Callable[[object], bool], value: object) -> bool:
    """Return whether a test holds for a JSON value, or for one inside it."""
    values = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return test(value) or any(map(partial(anywhere, test), values))


def document_in(place: str, value: object, line: int = 0) -> WrittenPolicy:
    """Return the policy document that a value is, or is the text of; what is not known in it is a hole."""
    line = line_of(value) or line
    if isinstance(value, str):
        text, value = value, read_json(value)
        if value is None and has_hole(text):
            value = read_json(with_quotes(text))
        if is_hole(text.strip()):
            value = {"Statement": [text.strip()]}
        if value is None:
            return WrittenPolicy(place, None, "it is not JSON", text, line=line)
    try:
        text = json_text(value)
        document = parse(_with_unknown(value, is_trust=_is_trust(place)))
        use = _use(document, place)
        for violation in _broken(document, use):
            raise violation
    except (TypeError, ValueError, RecursionError):
        return WrittenPolicy(place, None, "it is not JSON", repr(value), line=line)
    except DocumentError as error:
        return WrittenPolicy(place, None, error.message.rstrip("."), text, line=line)
    return WrittenPolicy(place, document, line=line, use=use)


def _is_trust(place: str) -> bool:
    """Return whether the name of a field says that it has a trust policy."""
    return place.lower().replace("_", "").endswith(("assumerolepolicydocument", "assumerolepolicy"))


def _use(document: Document, place: str) -> PolicyUse:
    """Return what a document is for: if all statements have principals, who may assume a role or use a resource."""
    if _is_trust(place):
        return "trust"
    if not document.statements or any(statement.principal_element is None for statement in document.statements):
        return "identity"
    return "resource" if any(statement.resource_element for statement in document.statements) else "trust"


def _broken(document: Document, use: PolicyUse) -> Iterator[DocumentError]:
    def without_holes(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple("*" if has_hole(text) else text for text in texts)

    statements = tuple(
        statement._replace(
            actions=without_holes(statement.actions),
            resources=without_holes(statement.resources),
            principal_element=None if use == "resource" else statement.principal_element,
            conditions=tuple(line for line in statement.conditions if not has_hole(line.operator)),
        )
        for statement in document.statements
    )
    plain_document = document._replace(statements=statements)
    return broken_rules(plain_document, "trust" if use == "trust" else "identity")


def _with_unknown(value: object, *, is_trust: bool) -> object:
    """Return a document in which what is not known has the shape that IAM wants, so that it can be parsed."""
    if not isinstance(value, Mapping) or isinstance(value, ObjectWithRepeatedName):
        return value
    statements = value.get("Statement")
    entries = statements if isinstance(statements, list) else [statements]
    known_fields = {key: entry for key, entry in value.items() if not has_hole(str(key))}
    version = known_fields.get("Version")
    if isinstance(version, str) and has_hole(version):
        known_fields["Version"] = "2012-10-17"
    if isinstance(known_fields.get("Id"), str) and has_hole(str(known_fields["Id"])):
        del known_fields["Id"]
    if "Statement" not in value:
        return value
    shaped_statements = [_statement(entry) for entry in entries]
    readable_entries = [entry for entry in entries if isinstance(entry, Mapping) and not _is_unknown(entry)]
    if is_trust or any("Principal" in entry or "NotPrincipal" in entry for entry in readable_entries):
        has_resources = any("Resource" in entry or "NotResource" in entry for entry in readable_entries)
        for number, entry in enumerate(entries):
            if not isinstance(entry, Mapping) or _is_unknown(entry):
                fields = cast("dict[str, Any]", shaped_statements[number])
                shaped_statements[number] = {
                    "Effect": "Allow",
                    "Principal": {"AWS": fields["Action"]},
                    "Action": fields["Action"],
                    **({"Resource": fields["Resource"]} if has_resources else {}),
                }
    return {**known_fields, "Statement": shaped_statements}


def _is_unknown(statement: Mapping[str, Any]) -> bool:
    """Return whether so little of a statement is known that all of it is a hole."""
    return any(has_hole(str(key)) for key in statement) or has_hole(str(statement.get("Effect", "")))


def _statement(value: object) -> object:
    if isinstance(value, str) and has_hole(value):
        return {"Effect": "Allow", "Action": [value], "Resource": [value]}
    if not isinstance(value, Mapping) or isinstance(value, ObjectWithRepeatedName):
        return value
    if _is_unknown(value):
        return _statement(hole(json_text(value)[:60]))
    fields = dict(value)
    for key in ("Action", "NotAction", "Resource", "NotResource"):
        if isinstance(entries := fields.get(key), list) and None in entries:
            fields[key] = [entry for entry in entries if entry is not None] or [hole(f"{key} that is null")]
    for key in ("Principal", "NotPrincipal"):
        if isinstance(fields.get(key), str) and has_hole(fields[key]):
            fields[key] = {"AWS": [fields[key]]}
    if isinstance(fields.get("Condition"), str) and has_hole(fields["Condition"]):
        fields["Condition"] = {"StringEquals": {fields["Condition"]: "true"}}
    elif isinstance(fields.get("Condition"), Mapping) and not isinstance(fields["Condition"], ObjectWithRepeatedName):
        fields["Condition"] = {
            operator: {hole(json_text(keys)[:60]): "true"} if isinstance(keys, str) and has_hole(keys) else keys
            for operator, keys in cast("Mapping[str, Any]", fields["Condition"]).items()
        }
    if isinstance(fields.get("Sid"), str) and has_hole(fields["Sid"]):
        del fields["Sid"]
    return fields


def json_text(value: object) -> str:
    """Return a value as text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, default=str)
