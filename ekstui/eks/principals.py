"""Who in an account is allowed to do something: roles, users and groups, by which policies, and what revokes it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from ekstui.change.holders import can_match, types_covered
from ekstui.eks.account_snapshot import CallerIdentity, Use
from ekstui.iam import arn, wildcard
from ekstui.iam.applicability import can_be_on, denied
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.grants import Grant, grants_of, statement_may_match
from ekstui.iam.reference import ActionInfo, reference
from ekstui.iam.text import listed

PrincipalKind = Literal["role", "user", "group"]

NOT_LOOKED_AT = (
    "service control policies", "resource control policies", "session policies",
    "resource policies, such as a bucket's or a key's",
)  # fmt: skip
"""What else decides and is not part of an account snapshot."""


class Subject(NamedTuple):
    """A role, user or group with the policies that apply to it."""

    kind: PrincipalKind
    name: str
    arn: str | None
    policies: tuple[AppliedPolicy, ...]
    """Attached and inline; for a user including those of its groups."""
    unread: tuple[str, ...] = ()
    """Policies whose documents could not be read."""
    boundary: AppliedPolicy | None = None
    boundary_unread: bool = False
    used_by: tuple[Use, ...] = ()
    last_used: datetime | None = None
    service_linked: bool = False


class PrincipalCan(NamedTuple):
    """A principal with a policy that allows the action."""

    subject: Subject
    through: tuple[AppliedPolicy, ...]
    """The policies that allow it."""
    verdict: Literal["allowed", "depends", "taken"]
    """`taken` if a Deny or the boundary revokes it completely."""
    reasons: tuple[str, ...]
    """What it depends on, or what revokes it, as phrases."""


class PrincipalsCan(NamedTuple):
    """Who was allowed to do something in an account at one time."""

    identity: CallerIdentity
    fetched_at: datetime
    complete: bool
    """Whether every role, user and group was read with its policies, so that an empty answer means that nobody can."""
    principals: tuple[PrincipalCan, ...]
    """Sorted by cluster and use, then by name, without those for whom it is revoked."""
    taken: tuple[PrincipalCan, ...]
    not_looked_at: tuple[str, ...]


def principal_can(subject: Subject, action: str, resource: str | None = None) -> PrincipalCan | None:
    """Return how a principal is allowed to do something; None if no policy that was read allows it.

    Service control policies and resource policies are not considered.
    """
    given = {policy: found for policy in subject.policies if (found := _grants(policy, action, resource))}
    if not given:
        return None
    grants = tuple(dict.fromkeys(grant for found in given.values() for grant in found))
    free = [grant for grant in grants if not grant.conditions and _is_whole(grant, action, resource)]
    limits = [*_denied_by(subject.policies, grants, action), *_limited_by(subject.boundary, free, action, resource)]
    for takes_all, reason in limits:
        if takes_all:
            return PrincipalCan(subject, tuple(given), "taken", (reason,))
    if resource is None and (others := _types_besides(free, action)):
        limits.append((False, f"not on every {listed(others, 'or')}"))
    reasons = (*(reason for _, reason in limits), *_open_questions(subject, grants if not free else ()))
    return PrincipalCan(subject, tuple(given), "depends" if reasons else "allowed", reasons)


def _open_questions(subject: Subject, limited: Iterable[Grant]) -> Iterator[str]:
    """Yield what was not read, and what the grants depend on if none is unconditional."""
    if subject.boundary_unread:
        yield "its boundary was not read"
    yield from (f"{name} was not read" for name in subject.unread)
    if limited:
        keys = sorted({condition.key for grant in limited for condition in grant.conditions})
        yield f"if {', '.join(keys)}" if keys else "on some resources"


_Limit = tuple[bool, str]
"""Whether it revokes the action completely, and what does."""


def _denied_by(policies: Iterable[AppliedPolicy], grants: tuple[Grant, ...], action: str) -> Iterator[_Limit]:
    for policy in policies:
        taken = _taken(grants, policy, action)
        if taken == "full":
            yield True, f"denied by {policy.name}"
        elif taken:
            yield False, f"{policy.name} {'may deny it' if taken == 'unknown' else 'denies a part'}"


def _limited_by(
    boundary: AppliedPolicy | None, free: Sequence[Grant], action: str, resource: str | None
) -> Iterator[_Limit]:
    """Yield how a boundary limits an action that `free` allows without conditions."""
    if boundary is None:
        return
    allowed = _grants(boundary, action, resource)
    taken = _taken(allowed, boundary, action)
    if not allowed:
        yield True, f"boundary {boundary.name} does not allow it"
    elif taken == "full":
        yield True, f"denied by boundary {boundary.name}"
    elif taken or not any(_lets_through(each, free, resource) for each in allowed):
        yield False, f"boundary {boundary.name}"


def by_cluster_and_use(found: Iterable[PrincipalCan]) -> tuple[PrincipalCan, ...]:
    """Return principals in order: those that a cluster uses, by cluster, then the others, by kind and name."""

    def order(each: PrincipalCan) -> tuple[object, ...]:
        use = each.subject.used_by[0] if each.subject.used_by else None
        kinds: Sequence[str] = ("role", "user", "group")
        place = (not use.cluster, use.cluster or "", use.kind) if use else (True, "~", "")
        return (*place, each.subject.service_linked, kinds.index(each.subject.kind), each.subject.name.lower())

    return tuple(sorted(found, key=order))


def _grants(policy: AppliedPolicy, action: str, resource: str | None) -> tuple[Grant, ...]:
    return tuple(
        grant
        for statement in policy.document.statements
        if statement.effect == "Allow" and statement_may_match(statement, action)
        for grant in grants_of(statement)
        if resource is None or can_match(grant, resource)
    )


def _taken(grants: tuple[Grant, ...], policy: AppliedPolicy, action: str) -> str | None:
    denies = [
        each for each in policy.document.statements if each.effect == "Deny" and statement_may_match(each, action)
    ]
    if not denies:
        return None
    if wildcard.is_wild(action):
        return "partial"
    return denied(grants, denies, reference().find(action))


def _is_whole(grant: Grant, action: str, resource: str | None) -> bool:
    """Return whether a grant without conditions certainly allows the action, on the resource if one is given."""
    if resource is not None:
        return arn.list_covers(grant[:2], ("Resource", (resource,))) is True
    info = None if wildcard.is_wild(action) else reference().find(action)
    if grant.resource_element == "NotResource":
        return _leaves_some(grant, info)
    # A variable may have no value in the request, and an ARN with missing parts may match nothing.
    plain = (each for each in grant.resources if not (arn.has_variable(each) or arn.is_uncertain(each)))
    return any(info is None or each == "*" or can_be_on(info, each) for each in plain)


def _leaves_some(grant: Grant, info: ActionInfo | None) -> bool:
    """Return whether a `NotResource` certainly leaves something that the action can be used on."""
    # Whatever partition it names, it is the account's own.
    excluded = tuple(re.sub(r"^arn:[^:]*:", "arn:*:", each) for each in grant.resources)
    if any(not each.strip("*") for each in excluded):
        return False
    if info is None or not info.resource_types:
        return True
    return bool(types_covered(info, [grant._replace(resources=excluded)]))


def _types_besides(free: Sequence[Grant], action: str) -> tuple[str, ...]:
    """Return the resource types that requests with an action need too, and that `free` does not match."""
    info = None if wildcard.is_wild(action) or not free else reference().find(action)
    if info is None:
        return ()
    matched = types_covered(info, free)
    return tuple(use.name for use in info.resource_types if use.required and use.name not in matched)


def _lets_through(boundary: Grant, free: Iterable[Grant], resource: str | None) -> bool:
    """Return whether a boundary's grant certainly allows what is allowed unconditionally."""
    if boundary.conditions or boundary.resource_element == "NotResource":
        return False
    wanted = [resource] if resource is not None else [each for grant in free for each in grant.resources]
    return any(arn.resource_covers(here, each) is True for here in boundary.resources for each in wanted)
