"""AWS CLI commands that a person may run. ekstui only shows them, and changes no account."""

import re
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from ekstui.iam.arn import entity_of

ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}")
"""How IAM names roles and users."""


class Command(NamedTuple):
    """A command to be run by somebody with the permission."""

    text: str
    about: str
    """What it does, as half a sentence."""


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
    entity = entity_of(username)
    if not ROLE_NAME.fullmatch(entity.name):
        return None
    if entity.kind != "session":
        return shlex.quote(username)
    return f'"$(aws iam get-role --role-name {shlex.quote(entity.name)} --query Role.Arn --output text)"'


def _at(region: str | None) -> str:
    return f" --region {shlex.quote(region)}" if region else ""
