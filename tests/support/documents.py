"""IAM's JSON as short as a test wants to write it: statements, documents of them, and the same parsed."""

from collections.abc import Mapping, Sequence
from typing import Any

from ekstui.iam.document import Document, parse
from ekstui.iam.evaluation import AppliedPolicy
from tests.support.brute_force import as_list

Statement = dict[str, Any]

VERSION = "2012-10-17"


def allow(action: str | Sequence[str], resource: str | Sequence[str] = "*", **elements: Any) -> Statement:
    """A statement that allows an action, or several; `elements` are further ones, such as `Condition`."""
    return {"Effect": "Allow", "Action": _json(action), "Resource": _json(resource), **elements}


def deny(action: str | Sequence[str], resource: str | Sequence[str] = "*", **elements: Any) -> Statement:
    """The same statement, but it denies."""
    return {**allow(action, resource, **elements), "Effect": "Deny"}


def document(*statements: Statement, version: str = VERSION) -> dict[str, Any]:
    """A document of these statements, as JSON."""
    return {"Version": version, "Statement": list(statements)}


def document_of(*statements: Statement, version: str = VERSION) -> Document:
    """A document of these statements, parsed."""
    return parse(document(*statements, version=version))


def allow_statement(*actions: str, resource: str | Sequence[str] = "*") -> dict[str, Any]:
    """A document that allows these actions and nothing else, as JSON."""
    return document(allow(actions, resource))


def actions_in(document: Mapping[str, Any]) -> list[str]:
    """The actions of a document in JSON, as its statements name them, in their order."""
    return [action for statement in document["Statement"] for action in as_list(statement["Action"])]


def trust(
    principal: object, action: object = "sts:AssumeRole", condition: object = None, **elements: Any
) -> dict[str, Any]:
    """A trust policy as JSON: `principal`, a service by its name or any in IAM's JSON, may do `action` with the role.

    `condition` is the block of conditions, if there is one; `elements` are further elements of the statement.
    """
    principal_element = {"Service": principal} if isinstance(principal, str) and principal != "*" else principal
    actions = list(action) if isinstance(action, tuple) else action
    conditions = {"Condition": condition} if condition else {}
    return document({"Effect": "Allow", "Principal": principal_element, "Action": actions, **conditions, **elements})


def trust_document(principal: object, action: object = "sts:AssumeRole", condition: object = None) -> Document:
    """A trust policy as `trust` writes it, parsed."""
    return parse(trust(principal, action, condition))


def applied_policy(name: str, *statements: Statement, version: str = VERSION) -> AppliedPolicy:
    """A policy of these statements, for an evaluation; what a statement leaves out of it is to allow everything."""
    return AppliedPolicy(name, None, document_of(*map(_whole, statements), version=version))


def _whole(statement: Statement) -> Statement:
    """A statement with each element that IAM requires."""
    action = {} if "NotAction" in statement else {"Action": "*"}
    resource = {} if "NotResource" in statement else {"Resource": "*"}
    return {"Effect": "Allow", **action, **resource, **statement}


def _json(value: str | Sequence[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)
