"""IAM's JSON as short as a test wants to write it: statements, documents of them, and the same parsed."""

from collections.abc import Sequence
from typing import Any

from ekstui.iam.document import Document, parse

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


def parsed(*statements: Statement, version: str = VERSION) -> Document:
    """A document of these statements, parsed."""
    return parse(document(*statements, version=version))


def allowing(*actions: str, resource: str | Sequence[str] = "*") -> dict[str, Any]:
    """A document that allows these actions and nothing else, as JSON."""
    return document(allow(actions[0] if len(actions) == 1 else actions, resource))


def trust(
    principal: object, action: object = "sts:AssumeRole", condition: object = None, **elements: Any
) -> dict[str, Any]:
    """A trust policy as JSON: `principal` may do `action` with the role, if `condition` holds."""
    conditions = {} if condition is None else {"Condition": condition}
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **conditions, **elements})


def _json(value: str | Sequence[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)
