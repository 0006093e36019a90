"""What a principal of the account carries, as the policies that a request is held against."""

from collections.abc import Iterator
from dataclasses import dataclass

from ekstui.core import arn
from ekstui.core.account import AccountSnapshot, Group, Role, User
from ekstui.core.evaluation import AppliedPolicy
from ekstui.core.explain import Policies
from ekstui.core.explain.sessions import PodSession, pod_session, session_name_of
from ekstui.core.policy import parse_version
from ekstui.core.uses import uses_in
from ekstui.errors import NotFoundError
from ekstui.library.policies import default_versions
from ekstui.library.reader import PolicyReader
from ekstui.library.roles import find_role


@dataclass(frozen=True, slots=True)
class Carried:
    """A principal's own ARN, its policies, and what is known of its session."""

    arn: str | None
    policies: Policies
    session: PodSession
    role: Role | None
    """None for a user."""


def carried_by(principal: str, session: str | None, snapshot: AccountSnapshot, reader: PolicyReader) -> Carried:
    """Return what a role or user carries: `principal` is a role's name, or an ARN, also of a role's session.

    `session` is the name of the session, where it is known. Raises NotFoundError with the nearest names.
    """
    entity = _entity(principal, snapshot)
    carriers: list[Role | User | Group] = [entity]
    if isinstance(entity, User):
        carriers += [group for group in snapshot.groups if group.name in entity.groups]
    managed = _managed(carriers, entity.boundary_arn, snapshot, reader)
    identity: list[AppliedPolicy] = []
    unread: list[str] = []
    for carrier in carriers:
        for name, applied in _carried(carrier, managed):
            if applied is None:
                unread.append(f"the policy {name}, whose document could not be read")
            else:
                identity.append(applied)
    boundary = managed.get(entity.boundary_arn or "")
    if entity.boundary_arn is not None and boundary is None:
        unread.append(f"the permissions boundary {_name(entity.boundary_arn)}, whose document could not be read")
    uses = uses_in(snapshot).get(entity.arn or "", ()) if isinstance(entity, Role) else ()
    place = f"{snapshot.identity.partition}:{snapshot.identity.account}"
    pods = pod_session(uses, session or session_name_of(principal), entity.tags, place)
    known = isinstance(entity, User) or entity.extent == "full"
    return Carried(
        entity.arn,
        Policies(
            identity=tuple(identity),
            boundary=boundary,
            session=pods.policies,
            identity_known=known and not unread,
            boundary_known=known and (boundary is not None or entity.boundary_arn is None),
            unread=(*unread, *pods.unread),
            used_by=uses,
        ),
        pods,
        entity if isinstance(entity, Role) else None,
    )


def principal_arn(principal: str, snapshot: AccountSnapshot) -> str:
    """Return the ARN of the role or user that `carried_by` would find; NotFoundError where it is not known."""
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
    parts = arn.split_arn(principal)
    if parts.account != snapshot.identity.account:
        raise NotFoundError(
            f"{principal} is not of account {snapshot.identity.account}, which is the one that was read.",
            (),
            "Choose the account with --profile.",
        )
    # A session's ARN has the role's name without its path, and the session's name behind it.
    kind, _, rest = parts.resource.partition("/")
    return find_role(rest.partition("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2], snapshot)


def _managed(
    carriers: list[Role | User | Group], boundary_arn: str | None, snapshot: AccountSnapshot, reader: PolicyReader
) -> dict[str, AppliedPolicy]:
    """Return the managed policies whose documents are known, by ARN."""
    arns = {policy.arn for carrier in carriers for policy in carrier.attached} | {boundary_arn or ""}
    managed = {
        policy.arn: AppliedPolicy(policy.name, parse_version(policy.default_version), policy.document, policy.arn)
        for policy in snapshot.local_policies
        if policy.document is not None
    }
    for policy_arn, default in default_versions(arns, reader).items():
        managed[policy_arn] = AppliedPolicy(_name(policy_arn), default.number, default.document, policy_arn)
    return managed


def _carried(
    carrier: Role | User | Group, managed: dict[str, AppliedPolicy]
) -> Iterator[tuple[str, AppliedPolicy | None]]:
    for policy in carrier.attached:
        yield policy.name, managed.get(policy.arn)
    for inline in carrier.inline:
        document = inline.document
        name = f"{inline.name} (inline)"
        yield name, None if document is None else AppliedPolicy(name, None, document)


def _name(policy_arn: str) -> str:
    return policy_arn.rpartition("/")[2]
