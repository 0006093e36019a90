"""The role that a request wants to assume, and its trust policy: from a file, or from the account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ekstui.core import arn
from ekstui.core.document import Document
from ekstui.core.evaluation import AppliedPolicy, Request
from ekstui.core.explain.trust import POD_IDENTITY, UNSIGNED, is_assuming
from ekstui.core.where import FileSide, StandardInput
from ekstui.errors import NotFoundError
from ekstui.sources.policy_file import document_of, read_document

if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot, Role

TrustSource = FileSide | StandardInput
"""Where a trust policy is read from, if not from the account."""


class Target(NamedTuple):
    """A role that is to be assumed."""

    trust: AppliedPolicy | None
    """None where its trust policy is not known."""
    role: Role | None
    """None where the account does not have it, or was not read."""


def target_of(
    request: Request, named: str | None, snapshot: AccountSnapshot | None, source: TrustSource | None, text: str
) -> Target | None:
    """Return the role that a request wants to assume, or None for a request that assumes none.

    `named` is a role of the account that is meant, where `is_target` says that it is the one to be assumed; `text` is
    what stands on standard input. NotFoundError for a role that is named and not there.
    """
    if not is_assuming(request.action):
        return None
    wanted = named or next((each for each in request.resources if ":role/" in each), None)
    role = None
    if snapshot is not None and wanted is not None:
        # What is known of an account takes as long to import as all else here, 60 ms.
        from ekstui.library.roles import find_role

        try:
            role = find_role(_without_session(wanted), snapshot)
        except NotFoundError:
            if named is not None and source is None:
                raise
    role_arn = role.arn if role is not None else wanted if wanted is not None and wanted.startswith("arn:") else None
    if source is not None:
        return Target(AppliedPolicy(str(source), None, _document(source, text), role_arn), role)
    if role is None or role.trust is None:
        return Target(None, role)
    return Target(AppliedPolicy(f"trust policy of {role.name}", None, role.trust, role_arn), role)


def is_target(request: Request, named: str, snapshot: AccountSnapshot) -> bool:
    """Return whether a role that a user names is the one to be assumed, rather than the one that assumes it."""
    action = request.action.lower()
    if action in UNSIGNED or not is_assuming(action):
        return action in UNSIGNED
    if request.principal is not None and not request.principal.startswith("arn:"):
        return True  # a service assumes it
    if action != POD_IDENTITY.lower():
        return False
    # The node's role calls EKS Auth, which then assumes the role of the association.
    from ekstui.core.trust import POD_IDENTITY_SERVICE, trusts_service
    from ekstui.library.roles import find_role

    trust = find_role(_without_session(named), snapshot).trust
    return trusts_service(trust, POD_IDENTITY_SERVICE) or not trusts_service(trust, "ec2.amazonaws.com")


def _without_session(name: str) -> str:
    """Return the name of the role behind a session's ARN, any other name as it is."""
    parts = arn.split_arn(name) if name.startswith("arn:") else None
    if parts is None or not parts.resource.startswith("assumed-role/"):
        return name
    return parts.resource.split("/")[1]


def _document(source: TrustSource, text: str) -> Document:
    if isinstance(source, StandardInput):
        return document_of(text, str(source), trust=True)
    return read_document(Path(source.path).expanduser(), trust=True)
