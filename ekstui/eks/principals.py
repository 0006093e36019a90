"""Who in an account is allowed to do something: roles, users and groups, by which policies, and what revokes it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from heapq import heappop, heappush
from itertools import chain
from typing import Literal

from ekstui.change.coverage import are_disjoint, extent_covers
from ekstui.change.holders import can_match, matches_all, types_covered
from ekstui.eks.account_snapshot import CallerIdentity, Use
from ekstui.iam import arn, wildcard
from ekstui.iam.applicability import applicable_resources, can_be_on, leaves_nothing
from ekstui.iam.document import Document, Statement
from ekstui.iam.evaluation import LAYER_WORDS, AppliedPolicy, Layer, exemption_of, for_principal
from ekstui.iam.grants import Grant, extent_of, grants_of, statements_on
from ekstui.iam.policy_variables import Context, template, variables_of
from ekstui.iam.reference import ActionInfo, reference
from ekstui.iam.request import Request, context_of
from ekstui.iam.text import listed
from ekstui.iam.truth import some
from ekstui.named_tuples import NamedTuple

PrincipalKind = Literal["role", "user", "group"]

MAX_COMPARISONS = 1_500
"""The most pairs of resources, of grants and of limits on them, to compare, so that no account takes minutes."""

MAX_DECIDED = 24
"""The most statements of a policy on one action of which it is decided for each principal whether they apply to it."""

MAX_WORK = 20_000
"""The most resources and condition values, in statements on the action, of all principals that are decided.

Those of an account of 5,000 roles are fewer. Those of the principals with the most are not looked at.
"""

TOO_LARGE = "too large to decide"

_TAG = "aws:PrincipalTag/"

_UNREAD_LAYERS: tuple[Layer, ...] = ("service-control", "resource-control", "session")

NOT_LOOKED_AT: Mapping[Layer, str] = {
    **{layer: LAYER_WORDS[layer].replace("policy", "policies") for layer in _UNREAD_LAYERS},
    "resource": "resource policies, such as a bucket's or a key's",
}
"""What else decides and is not part of an account snapshot."""


class Ceiling(NamedTuple):
    """Policies that grant nothing, and without whose Allow nothing is allowed."""

    name: str
    """Such as `boundary Limit` or `service control policy of Workloads`."""
    policies: tuple[AppliedPolicy, ...]
    only_denies: bool = False
    """Whether only their Deny statements count."""


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
    """None means no activity in the period that IAM tracks or, for a role that was not read, unknown."""
    was_read: bool = True
    """Whether more is known of it than its name."""
    service_linked: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    """Only those that no session can have otherwise."""
    above: tuple[Ceiling, ...] = ()
    """What limits whatever grants it something."""
    needed: Ceiling | None = None
    """The policy of the resource, where it must allow what the principal's own policies do."""
    named: tuple[AppliedPolicy, ...] = ()
    """What the policy of a resource of the same account grants to the principal itself."""
    limits_named: bool = False
    """Whether the boundary limits that, as it does for a role."""
    is_too_large: bool = False
    """Whether its policies are more than is decided; only the names of those that may allow the action are there."""


class PrincipalCan(NamedTuple):
    """A principal with a policy that allows the action."""

    subject: Subject
    through: tuple[AppliedPolicy, ...]
    """The policies that allow it; none if it needs no permission."""
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
    notes: tuple[str, ...] = ()
    """Sentences on which of the given layers apply."""


def within_work(subjects: Iterable[Subject], action: str) -> list[Subject]:
    """Return principals with what their policies say about an action.

    Those with the most of it, and of equals the last, are returned as too large.

    Principals whose statements are equal count once, since they are decided once. The documents are let go one by one.
    """
    principals: list[Subject] = []
    alike: dict[int, list[int]] = {}
    largest: list[tuple[int, int, int]] = []
    too_large: set[int] = set()
    on_action: dict[str, AppliedPolicy] = {}
    work = 0
    for subject in subjects:
        principal = _on_action(subject, action, on_action)
        boundary = None if principal.boundary is None else principal.boundary.document
        statements = hash((boundary, *(policy.document for policy in principal.policies)))
        if statements not in alike:
            alike[statements] = []
            size = _work(principal, action)
            heappush(largest, (-size, -len(principals), statements))
            work += size
        alike[statements].append(len(principals))
        principals.append(_undecided(principal) if statements in too_large else principal)
        while work > MAX_WORK and len(alike) - len(too_large) > 1:
            size, _, key = heappop(largest)
            work += size
            too_large.add(key)
            for place in alike[key]:
                principals[place] = _undecided(principals[place])
    return principals


def _on_action(subject: Subject, action: str, managed_policies: dict[str, AppliedPolicy]) -> Subject:
    """Return a principal with its policies' statements that match an action; `managed_policies`: those done already."""

    def narrow(policy: AppliedPolicy) -> AppliedPolicy:
        return policy._replace(document=policy.document._replace(statements=statements_on(policy.document, action)))

    policies: list[AppliedPolicy] = []
    for policy in subject.policies:
        if policy.arn is None:
            policies.append(narrow(policy))
        else:
            if policy.arn not in managed_policies:
                managed_policies[policy.arn] = narrow(policy)
            policies.append(managed_policies[policy.arn])
    return subject._replace(policies=tuple(policy for policy in policies if policy.document.statements))


def _work(principal: Subject, action: str) -> int:
    """Return the work of deciding for a principal: its resources and condition values, and the pairs compared."""
    ceilings = [*principal.above, *([principal.needed] if principal.needed else [])]
    limiting_policies = [policy for ceiling in ceilings for policy in ceiling.policies]
    limiting_policies += [] if principal.boundary is None else [principal.boundary]
    sizes = {"Allow": 0, "Deny": 0}
    for policy in (*principal.policies, *principal.named):
        for statement in policy.document.statements:
            sizes[statement.effect] += _size(statement)
    limits = sizes["Deny"] + sum(
        _size(statement) for policy in limiting_policies for statement in _matching(policy.document, action)
    )
    pairs = sizes["Allow"] * limits
    return sizes["Allow"] + limits + (pairs if pairs <= MAX_COMPARISONS else 0)


def _undecided(subject: Subject) -> Subject:
    """Return a principal as too large, without documents, but with the policies' names that may allow the action."""
    return subject._replace(
        policies=tuple(
            policy._replace(document=Document(None, None, ()))
            for policy in (*subject.policies, *subject.named)
            if subject.is_too_large or any(statement.effect == "Allow" for statement in policy.document.statements)
        ),
        named=(),
        is_too_large=True,
    )


def principal_can(subject: Subject, action: str, resource: str | None = None) -> PrincipalCan | None:
    """Return how a principal is allowed to do something; None if no policy that was read allows it.

    Conditions on who asks are decided, and what the policies allow on resources that the action is never used on does
    not count.
    """
    # No policy takes part in an action that needs no permission.
    if subject.kind != "group" and exemption_of(action, subject.arn) is not None:
        return PrincipalCan(subject, (), "allowed", ())
    if subject.is_too_large:
        reasons = (TOO_LARGE, *_open_questions(subject, ()))
        return PrincipalCan(subject, subject.policies, "depends", reasons) if subject.policies else None
    boundary = () if subject.boundary is None else (Ceiling(f"boundary {subject.boundary.name}", (subject.boundary,)),)
    required_ceilings = () if subject.needed is None else (subject.needed,)
    ways = [_by(subject, subject.policies, (*boundary, *required_ceilings, *subject.above), action, resource)]
    if subject.named:
        limits = boundary if subject.limits_named else ()
        ways.append(_by(subject, subject.named, (*limits, *subject.above), action, resource))
    order = ("allowed", "depends", "taken")
    return min(filter(None, ways), key=lambda way: order.index(way.verdict), default=None)


def _by(
    subject: Subject, granting: Sequence[AppliedPolicy], ceilings: Sequence[Ceiling], action: str, resource: str | None
) -> PrincipalCan | None:
    """Return how some policies allow a principal something under ceilings; None if they do not."""
    context = _context(subject, action, resource)
    grants_by_policy: dict[AppliedPolicy, tuple[Grant, ...]] = {}
    limits: list[_Limit] = []
    for policy in dict.fromkeys((*subject.policies, *granting)):
        policy_grants, policy_denies = _effects(policy, action, resource, context)
        limits += [_Limit(policy.name, None, (deny,)) for deny in policy_denies]
        if policy_grants and policy in granting:
            grants_by_policy[policy] = policy_grants
    if not grants_by_policy:
        return None
    grants = tuple(dict.fromkeys(grant for grants_of_policy in grants_by_policy.values() for grant in grants_of_policy))
    for ceiling in ceilings:
        effects = [_effects(policy, action, resource, context) for policy in ceiling.policies]
        ceiling_grants = None if ceiling.only_denies else tuple(grant for allows, _ in effects for grant in allows)
        limits.append(_Limit(ceiling.name, ceiling_grants, tuple(deny for _, denies in effects for deny in denies)))
    through = tuple(grants_by_policy)
    remaining = _within_limits(grants, tuple(limits), action, resource)
    if remaining.taken_by is not None:
        return PrincipalCan(subject, through, "taken", (remaining.taken_by,))
    reasons = (*remaining.reasons, *_open_questions(subject, remaining.limited))
    return PrincipalCan(subject, through, "depends" if reasons else "allowed", tuple(dict.fromkeys(reasons)))


class _Remaining(NamedTuple):
    """What limits leave of grants."""

    taken_by: str | None
    """What revokes all of it; None if something is left."""
    reasons: tuple[str, ...] = ()
    """What it depends on, apart from the principal itself."""
    limited: tuple[Grant, ...] = ()
    """The grants left, if none of them is unconditional."""


# Roles of one account share most of their policies.
@lru_cache(maxsize=1024)
def _within_limits(
    grants: tuple[Grant, ...], limits: tuple["_Limit", ...], action: str, resource: str | None
) -> _Remaining:
    """Return what limits leave of grants; if these are too many to be compared, any limit may revoke them."""
    is_too_large = _comparisons(grants, limits) > MAX_COMPARISONS
    denies = [] if is_too_large else [deny for limit in limits for deny in limit.denies]
    undenied_grants = [grant for grant in grants if not any(_refuses(deny, grant) for deny in denies)]
    within = (
        undenied_grants
        if is_too_large
        else [grant for grant in undenied_grants if all(limit.may_allow(grant) for limit in limits)]
    )
    if not within:
        return _Remaining(_what_takes(grants, undenied_grants, limits))
    free = [grant for grant in within if not grant.conditions and _is_whole(grant, action, resource)]
    reasons: dict[str, None] = {}
    for limit in limits:
        if is_too_large:
            reasons[f"{limit.name} may deny it" if limit.allowed is None else limit.name] = None
        elif limit.part_denied not in reasons and (limiting := _in_part(limit, free or within, resource, action)):
            reasons[limiting] = None
    if resource is None and (other_types := _types_besides(tuple(free), action)):
        reasons[f"not on every {listed(other_types, 'or')}"] = None
    return _Remaining(None, tuple(reasons), () if free else tuple(within))


def _comparisons(grants: Sequence[Grant], limits: "Sequence[_Limit]") -> int:
    """Return how much is compared to see what limits leave of grants."""
    limiting = [deny.grant for limit in limits for deny in limit.denies]
    limiting += [grant for limit in limits for grant in limit.allowed or ()]
    return sum(map(_size, grants)) * sum(map(_size, limiting))


def _size(grant: Grant | Statement) -> int:
    """Return the resources of a grant or statement, or more if it has conditions, which take longer to compare."""
    if not grant.conditions:
        return len(grant.resources)
    values = sum(len(line.values) for line in grant.conditions)
    return len(grant.resources) * (1 + len(grant.conditions) + values // 4)


def _context(subject: Subject, action: str, resource: str | None) -> Context:
    """Return what is known of every request that a principal makes."""
    is_concrete = resource is not None and not wildcard.is_wild(resource)
    tags = {f"{_TAG}{key}": (value,) for key, value in subject.tags}
    # A session may have tags beside those of its role.
    absent = frozenset({f"{_TAG}*"}) if subject.kind == "user" else frozenset[str]()
    principal = subject.arn if subject.kind != "group" else None
    return context_of(Request(action, (), principal, tags, absent), resource if is_concrete else None)


def _open_questions(subject: Subject, limited_grants: Iterable[Grant]) -> Iterator[str]:
    """Yield what was not read, and what the grants depend on if none is unconditional."""
    if subject.boundary_unread:
        yield "its boundary was not read"
    yield from (f"{name} was not read" for name in subject.unread)
    if limited_grants:
        keys = sorted({condition.key for grant in limited_grants for condition in grant.conditions})
        yield f"if {', '.join(keys)}" if keys else "on some resources"


class _Deny(NamedTuple):
    """What a statement denies of the action."""

    grant: Grant
    is_whole: bool
    """Whether it denies the whole pattern of actions that was asked about."""


class _Limit(NamedTuple):
    """What may revoke what policies grant."""

    name: str
    allowed: tuple[Grant, ...] | None
    """What a ceiling allows; None for what only denies."""
    denies: tuple[_Deny, ...]

    @property
    def part_denied(self) -> str:
        """That it certainly denies a part."""
        return f"{self.name} denies a part"

    def may_allow(self, grant: Grant) -> bool:
        """Return whether it leaves a part of a grant."""
        return self.allowed is None or any(not _are_apart(grant, allowed_grant) for allowed_grant in self.allowed)


def _effects(
    policy: AppliedPolicy, action: str, resource: str | None, context: Context
) -> tuple[tuple[Grant, ...], tuple[_Deny, ...]]:
    """Return what a policy allows and denies of an action for a principal."""
    statements = _matching(policy.document, action)
    if not all(map(_is_for_anybody, statements)):
        is_too_large = len(statements) > MAX_DECIDED
        facts = () if is_too_large else tuple((key, context.values(key)) for key in _keys_named(statements))
        statements = _for_principal(policy.document._replace(statements=statements), facts)
    return _effects_of(statements, action, resource)


# Roles of one account share most of their policies.
_matching = lru_cache(maxsize=4096)(statements_on)


@lru_cache(maxsize=4096)
def _keys_named(statements: tuple[Statement, ...]) -> tuple[str, ...]:
    """Return the keys of conditions and policy variables, on which alone it depends for whom statements apply."""
    lines = [condition for statement in statements for condition in statement.conditions]
    texts = chain(
        (value for line in lines for value in line.values),
        (resource for statement in statements for resource in statement.resources),
    )
    variables = (variable.key for text in texts if "${" in text for variable in variables_of(template(text)))
    return tuple(dict.fromkeys(chain((line.key for line in lines), variables)))


@lru_cache(maxsize=4096)
def _for_principal(document: Document, facts: tuple[tuple[str, tuple[str, ...] | None], ...]) -> tuple[Statement, ...]:
    """Return what remains of a document for a principal, given what is known of each key that it names."""
    context = Context({key: values for key, values in facts if values is not None}, frozenset())
    return for_principal(document, context).statements


def _is_for_anybody(statement: Statement) -> bool:
    """Return whether a statement applies whoever asks, so that it is not looked at for each principal."""
    return not statement.conditions and not any("${" in resource for resource in statement.resources)


@lru_cache(maxsize=4096)
def _effects_of(
    statements: tuple[Statement, ...], action: str, resource: str | None
) -> tuple[tuple[Grant, ...], tuple[_Deny, ...]]:
    is_pattern = wildcard.is_wild(action)
    allows: dict[Grant, None] = {}
    denies: list[_Deny] = []
    for statement in statements:
        grants = _grants_on(statement, action, resource)
        if statement.effect == "Allow":
            allows.update(dict.fromkeys(grants))
        elif grants:
            is_whole = not is_pattern or matches_all(statement, action)
            denies += [_Deny(grant, is_whole) for grant in grants]
    return tuple(allows), tuple(denies)


@lru_cache(maxsize=65536)
def _grants_on(statement: Statement, action: str, resource: str | None) -> tuple[Grant, ...]:
    """Return what a statement allows or denies of an action where that is used, on a resource if one is given."""
    info = reference().find(action)
    if statement.resource_element == "NotResource" and resource is None:
        return grants_of(statement) if _leaves_some(statement.resources, info) else ()
    applicable = applicable_resources(info, statement)
    grants = grants_of(statement._replace(resources=applicable)) if applicable else ()
    return tuple(_at(grant, resource) for grant in grants if resource is None or can_match(grant, resource))


def _at(grant: Grant, resource: str | None) -> Grant:
    """Return what a grant allows on a resource, if it certainly matches it."""
    if resource is None or arn.list_covers(grant[:2], ("Resource", (resource,))) is not True:
        return grant
    return grant._replace(resource_element="Resource", resources=(resource,))


def _refuses(deny: _Deny, grant: Grant) -> bool:
    return deny.is_whole and extent_covers(extent_of(deny.grant), extent_of(grant))


def _are_apart(grant_a: Grant, grant_b: Grant) -> bool:
    return are_disjoint(extent_of(grant_a), extent_of(grant_b))


def _what_takes(grants: Sequence[Grant], undenied_grants: Sequence[Grant], limits: Sequence[_Limit]) -> str:
    """Return what revokes all grants."""
    if undenied_grants:
        ceilings = [limit for limit in limits if limit.allowed is not None]
        blocking_limits = (limit for limit in ceilings if not any(map(limit.may_allow, undenied_grants)))
        return f"{next(blocking_limits, ceilings[-1]).name} does not allow it"
    names = [limit.name for limit in limits if any(_refuses(deny, grant) for deny in limit.denies for grant in grants)]
    return f"denied by {' and '.join(dict.fromkeys(names))}"


def _in_part(limit: _Limit, grants: Sequence[Grant], resource: str | None, action: str) -> str | None:
    """Return how a policy may revoke a part of what grants allow; None if it does not."""
    info = reference().find(action)
    is_touched = some(
        arn.lists_overlap(grant[:2], deny.grant[:2])
        for deny in limit.denies
        for grant in grants
        if not _are_apart(grant, deny.grant)
    )
    if limit.allowed is None:
        has_free_grant = any(all(_are_apart(grant, deny.grant) for deny in limit.denies) for grant in grants if info)
        if has_free_grant or is_touched is False:
            return None
        return limit.part_denied if is_touched else f"{limit.name} may deny it"
    if is_touched is not False or not any(_lets_through(allowing, grants, resource) for allowing in limit.allowed):
        return limit.name
    return None


def by_cluster_and_use(answers: Iterable[PrincipalCan]) -> tuple[PrincipalCan, ...]:
    """Return principals in order: those that a cluster uses, by cluster, then the others, by kind and name."""

    def order(answer: PrincipalCan) -> tuple[object, ...]:
        use = answer.subject.used_by[0] if answer.subject.used_by else None
        kinds: Sequence[str] = ("role", "user", "group")
        place = (not use.cluster, use.cluster or "", use.kind) if use else (True, "~", "")
        return (*place, answer.subject.service_linked, kinds.index(answer.subject.kind), answer.subject.name.lower())

    return tuple(sorted(answers, key=order))


@lru_cache(maxsize=65536)
def _is_whole(grant: Grant, action: str, resource: str | None) -> bool:
    """Return whether a grant without conditions certainly allows the action, on the resource if one is given."""
    if resource is not None:
        return arn.list_covers(grant[:2], ("Resource", (resource,))) is True
    info = reference().find(action)
    if grant.resource_element == "NotResource":
        return True
    # A variable may have no value in the request, and an ARN with missing parts may match nothing.
    certain_patterns = (
        pattern for pattern in grant.resources if not (arn.has_variable(pattern) or arn.is_uncertain(pattern))
    )
    return any(info is None or pattern == "*" or can_be_on(info, pattern) for pattern in certain_patterns)


def _leaves_some(excluded_patterns: tuple[str, ...], info: ActionInfo | None) -> bool:
    """Return False if a `NotResource` leaves nothing that the action can be used on."""
    # Whatever partition it names, it is the account's own.
    patterns = tuple(re.sub(r"^arn:[^:]*:", "arn:*:", pattern) for pattern in excluded_patterns)
    return all(pattern.strip("*") for pattern in patterns) and not (info and leaves_nothing(info, patterns))


@lru_cache(maxsize=1024)
def _types_besides(free: tuple[Grant, ...], action: str) -> tuple[str, ...]:
    """Return the resource types that requests with an action need too, and that `free` does not match."""
    info = reference().find(action) if free else None
    if info is None:
        return ()
    covered_types = types_covered(info, free)
    return tuple(use.name for use in info.resource_types if use.required and use.name not in covered_types)


def _lets_through(boundary: Grant, free: Iterable[Grant], resource: str | None) -> bool:
    """Return whether a boundary's grant certainly allows what is allowed unconditionally."""
    if boundary.conditions or boundary.resource_element == "NotResource":
        return False
    targets = [resource] if resource is not None else [pattern for grant in free for pattern in grant.resources]
    return any(
        arn.resource_covers(boundary_pattern, pattern) is True
        for boundary_pattern in boundary.resources
        for pattern in targets
    )
