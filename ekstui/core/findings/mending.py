"""The command that corrects a role's trust policy, and leaves all else in it as it is."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Collection

from ekstui.core.account_snapshot import Role
from ekstui.core.document import Condition, Statement, serialise
from ekstui.core.explain.commands import Command
from ekstui.core.findings.finding import Finding
from ekstui.core.knowledge import Knowledge

TAG_SESSION = "sts:TagSession"


def trust_command(role: Role, finding: Finding, knowledge: Knowledge) -> Command | None:
    """Return the command that fixes what a finding says of a role's trust policy; None where none is known."""
    if finding.code == "trust-lacks-tag-session":
        needing = {each.principal for each in knowledge.trust if TAG_SESSION in each.actions}
        return _updated(role, lambda each: _with_tag_session(each, needing), "lets the session be tagged")
    if finding.code == "irsa-wildcard-with-stringequals":
        return _updated(role, _with_wildcards, "lets the wildcard match")
    return None


def _updated(role: Role, mend: Callable[[Statement], Statement], about: str) -> Command | None:
    if role.trust is None:
        return None
    statements = tuple(map(mend, role.trust.statements))
    if statements == role.trust.statements:
        return None
    document = json.dumps(serialise(role.trust._replace(statements=statements)), separators=(",", ":"))
    return Command(
        f"aws iam update-assume-role-policy --role-name {shlex.quote(role.name)} "
        f"--policy-document {shlex.quote(document)}",
        about,
    )


def _with_tag_session(statement: Statement, services: Collection[str]) -> Statement:
    """Return a statement that lets one of the services assume the role, with the right to tag the session."""
    actions = {action.lower() for action in statement.actions}
    is_meant = (
        statement.effect == "Allow"
        and statement.action_element == "Action"
        and statement.principal_element == "Principal"
        and "sts:assumerole" in actions
        and TAG_SESSION.lower() not in actions
        and any(
            principal.kind == "Service" and any(value.removesuffix(".cn") in services for value in principal.values)
            for principal in statement.principals
        )
    )
    return statement._replace(actions=(*statement.actions, TAG_SESSION)) if is_meant else statement


def _with_wildcards(statement: Statement) -> Statement:
    """Return a statement whose subjects with a wildcard stand under an operator that knows wildcards."""
    if statement.effect != "Allow" or not any(each.kind == "Federated" for each in statement.principals):
        return statement
    liked = tuple(map(_liked, statement.conditions))
    # Two conditions of one key under one operator would be one in JSON, with the values of the last.
    kept = len({(each.operator.lower(), each.key.lower()) for each in liked}) == len(liked)
    return statement._replace(conditions=liked) if kept else statement


def _liked(condition: Condition) -> Condition:
    is_literal = re.fullmatch(r"(?:forany\w+:|forall\w+:)?stringequals(?:ifexists)?", condition.operator.lower())
    if not is_literal or not condition.key.lower().endswith(":sub") or not any(map(_has_wildcard, condition.values)):
        return condition
    return condition._replace(operator=re.sub("(?i)stringequals", "StringLike", condition.operator))


def _has_wildcard(value: str) -> bool:
    return "*" in value or "?" in value
