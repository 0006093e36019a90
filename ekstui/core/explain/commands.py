"""AWS CLI commands that apply a remedy. ekstui only shows them and never changes an account."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from ekstui.core.arn import split_arn
from ekstui.core.document import Document, Statement, serialise

_BY_EKS_OR_SSO = ("AWSReservedSSO_", "AWSServiceRoleFor")
"""Prefixes of the names of roles that IAM Identity Center or a service owns, and that users cannot change."""


class Command(NamedTuple):
    """A command to be run by somebody with the permission."""

    text: str
    about: str
    """What it does, as half a sentence."""


def policy_document(statement: Statement) -> Document:
    """Return a policy document with one statement, as IAM accepts it."""
    return Document("2012-10-17", None, (statement,))


def attach_policy(principal: str | None, policy_arn: str) -> Command | None:
    """Return the command that attaches a policy to a principal; None if it cannot be changed, or is neither role nor user."""
    entity = _entity(principal)
    if entity is None:
        return None
    kind, name = entity
    text = f"aws iam attach-{kind}-policy --{kind}-name {shlex.quote(name)} --policy-arn {shlex.quote(policy_arn)}"
    return Command(text, f"attaches {policy_arn.rpartition('/')[2]} to {name}")


def put_policy(principal: str | None, statement: Statement) -> Command | None:
    """Return the command that adds a statement to a principal as an inline policy; None as for `attach_policy`."""
    entity = _entity(principal)
    if entity is None:
        return None
    kind, name = entity
    document = json.dumps(serialise(policy_document(statement)), separators=(",", ":"))
    called = re.sub(r"[^\w+=,.@-]", "-", f"allow-{'-'.join(statement.actions)}")[:128]
    text = (
        f"aws iam put-{kind}-policy --{kind}-name {shlex.quote(name)} --policy-name {called} "
        f"--policy-document {shlex.quote(document)}"
    )
    return Command(text, f"gives {name} the statement alone")


def create_entry(cluster: str, region: str | None, principal: str) -> Command:
    """Return the command that creates an access entry for a role or user; `principal` is its ARN, quoted for a shell."""
    text = f"aws eks create-access-entry --cluster-name {shlex.quote(cluster)} --principal-arn {principal}{_at(region)}"
    return Command(text, f"lets the principal into {cluster}")


def update_kubeconfig(cluster: str, region: str | None) -> Command:
    """Return the command that makes kubectl use a cluster with the shell's credentials."""
    text = f"aws eks update-kubeconfig --name {shlex.quote(cluster)}{_at(region)}"
    return Command(text, "makes kubectl ask as that principal")


def associate_policy(
    cluster: str,
    region: str | None,
    principal: str,
    policy: str,
    namespaces: Iterable[str] = (),
    partition: str = "aws",
) -> Command:
    """Return the command that gives a principal, quoted for a shell, an access policy: in namespaces, or everywhere if none."""
    names = ",".join(namespaces)
    scope = f"type=namespace,namespaces={names}" if names else "type=cluster"
    text = (
        f"aws eks associate-access-policy --cluster-name {shlex.quote(cluster)} --principal-arn {principal} --policy-arn "
        f"arn:{partition}:eks::aws:cluster-access-policy/{policy} --access-scope {shlex.quote(scope)}{_at(region)}"
    )
    return Command(text, f"gives it {policy} in {names or 'the whole cluster'}")


def iam_principal(username: str) -> str | None:
    """Return the ARN of the role or user behind a session, in shell syntax; None for any other name.

    A session's ARN lacks the path of its role, so the shell has to ask IAM for it.
    """
    entity = _entity(username, own_only=False)
    if entity is None:
        return None
    kind, name = entity
    if username.startswith("arn:") and ":iam:" in username:
        return shlex.quote(username)
    return f'"$(aws iam get-{kind} --{kind}-name {shlex.quote(name)} --query {kind.title()}.Arn --output text)"'


def _entity(principal: str | None, *, own_only: bool = True) -> tuple[str, str] | None:
    """Return `role` or `user` and the name."""
    if principal is None or not principal.startswith("arn:"):
        return None
    parts = split_arn(principal)
    kind, _, rest = parts.resource.partition("/")
    if (parts.service, kind) == ("sts", "assumed-role"):
        kind, name = "role", rest.partition("/")[0]
    else:
        name = rest.rpartition("/")[2]
    if kind not in ("role", "user") or not name or not re.fullmatch(r"[\w+=,.@-]{1,64}", name):
        return None
    return None if own_only and name.startswith(_BY_EKS_OR_SSO) else (kind, name)


def _at(region: str | None) -> str:
    return f" --region {shlex.quote(region)}" if region else ""
