"""Whom a request names, looked up in an account: its principal, policies and session, and the role to assume."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ekstui.denial.answer import Policies
from ekstui.denial.pod_session import PodSession, pod_session
from ekstui.eks.account_snapshot import AccountSnapshot, Group, Role, Use, User
from ekstui.eks.trust import POD_IDENTITY, POD_IDENTITY_SERVICE, trusts_service
from ekstui.eks.uses import Uses
from ekstui.errors import ANOTHER_PROFILE, Advice, NotFoundError
from ekstui.iam import arn
from ekstui.iam.document import Document
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.principals import UNSIGNED, is_assuming
from ekstui.iam.request import Request
from ekstui.library.catalog import PolicyReader, default_versions
from ekstui.library.notation import FileSide, StandardInput
from ekstui.library.principals_can import boundary_of, documents_of
from ekstui.library.principals_can import policies_of as attached_to
from ekstui.library.roles import find_role
from ekstui.named_tuples import NamedTuple
from ekstui.sources.policy_file import document_of, read_document


class PodOfSession(NamedTuple):
    """The service account whose pod a session belongs to."""

    cluster: str
    namespace: str
    service_account: str


class Requester(NamedTuple):
    """A principal's own ARN, its policies, and what is known about its session."""

    arn: str | None
    policies: Policies
    session: PodSession
    role: Role | None
    """None for a user."""


def requester_of(
    principal: str,
    session: str | None,
    snapshot: AccountSnapshot,
    uses_of: Uses,
    reader: PolicyReader,
    pod: PodOfSession | None = None,
) -> Requester:
    """Return a role or user with its policies, by a role's name or an ARN.

    An ARN may be that of a role, user or session; NotFoundError has the nearest names.
    """
    entity = _entity(principal, snapshot)
    entities: list[Role | User | Group] = [entity]
    if isinstance(entity, User):
        entities += [group for group in snapshot.groups if group.name in entity.groups]
    documents = documents_of(entities, snapshot, lambda arns: default_versions(arns, reader))
    identity, names = attached_to(entities, documents)
    boundary, boundary_unread = boundary_of(entity.boundary_arn, documents)
    unread = [f"the policy {name}, whose document could not be read" for name in names]
    if boundary_unread and entity.boundary_arn is not None:
        name = entity.boundary_arn.rpartition("/")[2]
        unread.append(f"the permissions boundary {name}, whose document could not be read")
    uses = uses_of.get(entity.arn or "", ()) if isinstance(entity, Role) else ()
    place = f"{snapshot.identity.partition}:{snapshot.identity.account}"
    session = session or arn.entity_of(principal).session
    pod = pod or pod_of_session(session, uses, snapshot)
    uses_of_pod = [
        use for use in uses if use.kind == "pod-identity" and (use.cluster, use.namespace, use.service_account) == pod
    ]
    pods = pod_session(uses_of_pod if pod else uses, None if pod else session, entity.tags, place)
    is_whole = isinstance(entity, User) or entity.extent == "full"
    return Requester(
        entity.arn,
        Policies(
            identity=identity,
            boundary=boundary,
            session=pods.policies,
            identity_known=is_whole and not unread,
            boundary_known=is_whole and not boundary_unread,
            unread=(*unread, *pods.unread),
            used_by=uses,
        ),
        pods,
        entity if isinstance(entity, Role) else None,
    )


def principal_arn(principal: str, snapshot: AccountSnapshot) -> str:
    """Return the ARN of the role or user that `requester_of` would find; NotFoundError if it is not known."""
    entity = _entity(principal, snapshot)
    if entity.arn is None:
        raise NotFoundError(f"The ARN of {entity.name} is not known: its path could not be read.")
    return entity.arn


def _entity(principal: str, snapshot: AccountSnapshot) -> Role | User:
    for user in snapshot.users:
        if user.arn == principal:
            return user
    if not principal.startswith("arn:"):
        return find_role(principal, snapshot)
    if arn.split_arn(principal).account != snapshot.identity.account:
        raise NotFoundError(
            f"{principal} is not in account {snapshot.identity.account}, which is the one that was read.",
            (),
            Advice("Choose the account with --profile.", ANOTHER_PROFILE),
        )
    # A session's ARN has the role's name without its path, then the session's name; which service does not matter.
    kind, *names = arn.split_arn(principal).resource.split("/")
    return find_role(names[0 if kind == "assumed-role" else -1] if names else principal, snapshot)


TrustSource = FileSide | StandardInput
"""Where a trust policy is read from, if not from the account."""


class TargetRole(NamedTuple):
    """A role that is to be assumed."""

    trust: AppliedPolicy | None
    """None if its trust policy is not known."""
    role: Role | None
    """None if the account does not have it, or was not read."""


def target_of(
    request: Request, named: str | None, snapshot: AccountSnapshot | None, source: TrustSource | None, text: str
) -> TargetRole | None:
    """Return the role that a request wants to assume, None if it assumes none.

    It is the `named` one if `is_target` says so; `text` is standard input.
    """
    if not is_assuming(request.action):
        return None
    target = named or next((resource for resource in request.resources if ":role/" in resource), None)
    role = None
    if snapshot is not None and target is not None:
        try:
            role = find_role(_without_session(target), snapshot)
        except NotFoundError:
            if named is not None and source is None:
                raise
    role_arn = role.arn if role is not None else target if target is not None and target.startswith("arn:") else None
    if source is not None:
        return TargetRole(AppliedPolicy(str(source), None, _document(source, text), role_arn), role)
    if role is None or role.trust is None:
        return TargetRole(None, role)
    return TargetRole(AppliedPolicy(f"trust policy of {role.name}", None, role.trust, role_arn), role)


def pod_of_session(session: str | None, uses: Sequence[Use], snapshot: AccountSnapshot) -> PodOfSession | None:
    """Return the service account of the pod that a session of Pod Identity is named after.

    The name is `eks-<cluster>-<pod>-<uuid>`, with long names cut.
    """
    name = re.fullmatch(r"eks-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", session or "")
    if name is None:
        return None
    matches = {
        PodOfSession(cluster.name, pod.namespace, pod.service_account)
        for cluster in snapshot.clusters
        for pod in cluster.pods or ()
        if any(
            (use.kind, use.cluster, use.namespace, use.service_account)
            == ("pod-identity", cluster.name, pod.namespace, pod.service_account)
            for use in uses
        )
        and _names_pod(name[1], cluster.name, pod.name)
    }
    return matches.pop() if len(matches) == 1 else None


def _names_pod(middle: str, cluster: str, pod: str) -> bool:
    """Return whether a session name's middle is of a cluster and pod, each whole or cut to ten characters or more."""
    for length in range(min(10, len(cluster)), len(cluster) + 1):
        head = f"{cluster[:length]}-"
        if middle.startswith(head):
            pod_part = middle[len(head) :]
            if pod_part and pod.startswith(pod_part) and len(pod_part) >= min(5, len(pod)):
                return True
    return False


def is_target(request: Request, named: str, snapshot: AccountSnapshot) -> bool:
    """Return whether the role of an inquiry is the one to be assumed, not the one that assumes it."""
    action = request.action.lower()
    if action in UNSIGNED or not is_assuming(action):
        return action in UNSIGNED
    if request.principal is not None and not request.principal.startswith("arn:"):
        return True  # a service assumes it
    if action != POD_IDENTITY.lower():
        return False
    # The node's role calls EKS Auth, which then assumes the role of the association.

    trust = find_role(_without_session(named), snapshot).trust
    return trusts_service(trust, POD_IDENTITY_SERVICE) or not trusts_service(trust, "ec2.amazonaws.com")


def _without_session(name: str) -> str:
    """Return the name of the role behind a session's ARN, any other name as it is."""
    entity = arn.entity_of(name)
    return entity.name if entity.kind == "session" else name


def _document(source: TrustSource, text: str) -> Document:
    if isinstance(source, StandardInput):
        return document_of(text, str(source), kind="trust")
    return read_document(Path(source.name).expanduser(), kind="trust")
