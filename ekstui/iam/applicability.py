"""What statements grant of an action: the grants that can apply, why none can, and how far a Deny revokes them.

The console only checks that a resource belongs to the action's service. The service authorization reference also lists
the resource types of each action, so an ARN that fits none of them grants nothing.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal

from ekstui.iam import arn, console, wildcard
from ekstui.iam.condition_operators import operator
from ekstui.iam.conditions.known_keys import is_unassigned, lists_key
from ekstui.iam.document import Condition, Statement
from ekstui.iam.grants import Grant, grants_of
from ekstui.iam.policy_variables import literal
from ekstui.iam.reference import ActionInfo, reference
from ekstui.iam.truth import Truth, every, some
from ekstui.named_tuples import NamedTuple

_PLACEHOLDER = re.compile(r"\$\{(\w*)\}")

# Placeholders of the reference whose values never contain a slash, where that matters: without this a bucket's ARN
# would include every object.
_WITHOUT_SLASH = {"BucketName"}

BESIDE_THE_REFERENCE = {
    "application-autoscaling": ("autoscaling",),
    "arc-zonal-shift": ("autoscaling", "eks"),
    "backup": ("ec2",),
    "connect": ("connect-campaigns",),
    "ec2": ("elasticloadbalancing",),
    "redshift": ("redshift-serverless",),
    "ssm": ("eks",),
}
"""Other services on whose resources AWS's policies and guides allow actions, although the reference does not list that:
the EKS Connector has ssm:StartSession on clusters, and a zonal shift moves clusters."""


def applicable_resources(action: ActionInfo | None, statement: Statement) -> tuple[str, ...]:
    """Return the statement's resources that the action can be used on; for `NotResource` all or none.

    For an action that the reference lacks (None) nothing is ruled out. A statement without resources, as in a trust
    policy, applies to all.
    """
    if statement.resource_element is None:
        return ("*",)
    if action is None:
        return statement.resources
    if statement.resource_element == "NotResource":
        return () if leaves_nothing(action, statement.resources) else statement.resources
    if statement.resources == ("*",):
        return statement.resources
    return tuple(resource for resource in statement.resources if can_be_on(action, resource))


def can_be_on(action: ActionInfo, resource: str) -> bool:
    """Return False only if the action can never be used on anything that a resource pattern matches."""
    return fits_action(action, resource) is not False


def fits_action(action: ActionInfo, resource: str) -> Truth:
    """Return whether the action can be used on something that a resource pattern matches; None if not known."""
    if not resource.strip("*") or len(resource) > wildcard.MAX_LENGTH:
        return resource[:1] == "*"
    service = action.name.partition(":")[0]
    types = tuple(use.name for use in action.resource_types)
    if not types and services_of_others(service):
        types = reference().resource_types(service)
    if any(fits_type(service, name, resource) is not False for name in types):
        return True
    is_beside = arn.split_arn(resource).service in BESIDE_THE_REFERENCE.get(service, ())
    return None if is_beside and not lacks_place(resource) else False


@cache
def services_of_others(service: str) -> frozenset[str]:
    """Return the services on whose resources a service such as arc-zonal-shift acts; empty if it has its own."""
    owners = _owners(service)
    return frozenset() if service in owners else owners


@lru_cache(maxsize=16384)
def arn_patterns(service: str, resource_type: str) -> tuple[str, ...]:
    """Return the ARNs of a resource type as patterns; none if the reference does not describe it."""
    kind = reference().resource_type(service, resource_type)
    return tuple(map(arn.open_format, kind.arn_formats)) if kind else ()


def _owners(service: str) -> frozenset[str]:
    patterns = (pattern for name in reference().resource_types(service) for pattern in arn_patterns(service, name))
    return frozenset(arn.split_arn(pattern).service for pattern in patterns)


def is_of_type(resource: str, service: str, name: str) -> bool:
    """Return whether an ARN has the form of a resource type of the service."""
    return any(arn.matches_resource(pattern, literal(resource)) for pattern in arn_patterns(service, name))


@lru_cache(maxsize=65536)
def fits_type(service: str, resource_type: str, resource: str) -> Truth:
    """Return whether a resource pattern matches some ARN of a resource type, for any value of its policy variables.

    None if the reference does not describe the type, or if the pattern is ambiguous (see arn.py).
    """
    kind = reference().resource_type(service, resource_type)
    if kind is None:
        return None
    answers = {_fits_format(arn_format, resource) for arn_format in kind.arn_formats}
    return True if True in answers else None if None in answers else False


def is_of_known_type(service: str, resource: str) -> bool:
    """Return whether a resource pattern may match any resource type of a service that the reference describes."""
    return any(fits_type(service, name, resource) is not False for name in reference().resource_types(service))


@lru_cache(maxsize=16384)
def lacks_place(resource: str) -> bool:
    """Return whether a pattern matches nothing, as it lacks a region or account that all ARNs of its kind have."""
    parts = arn.split_arn(resource)
    if (parts.region and parts.account) or not reference().resource_types(parts.service):
        return False
    with_place = ":".join(parts._replace(region=parts.region or "*", account=parts.account or "*"))
    return not is_of_known_type(parts.service, resource) and is_of_known_type(parts.service, with_place)


def unlisted_keys(action: ActionInfo, conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    """Return the keys, as written, that conditions need and that the reference does not list for the action.

    Only keys of the action's own service and resource tags count: other global keys are available everywhere.
    """
    service = action.name.partition(":")[0] + ":"
    return tuple(
        dict.fromkeys(
            condition.key
            for condition in conditions
            if condition.key.lower().startswith((service, "aws:resourcetag/"))
            and needs_its_key(condition)
            and not supports_key(action, condition.key)
        )
    )


def supports_key(action: ActionInfo, key: str) -> bool:
    """Return whether the reference lists a condition key for an action, or for its service without naming an action."""
    return lists_key(action.name, key) or is_unassigned(key)


def needs_its_key(condition: Condition) -> bool:
    """Return whether a condition certainly fails if the request lacks its key."""
    definition = operator(condition.operator)
    return definition is not None and definition.needs_key(condition.values)


def leaves_nothing(action: ActionInfo, excluded_resources: tuple[str, ...]) -> bool:
    """Return whether a `NotResource` list excludes every resource that the action can be used on."""
    service = action.name.partition(":")[0]
    return _leaves_none_of(service, tuple(use.name for use in action.resource_types), excluded_resources)


@lru_cache(maxsize=16384)
def _leaves_none_of(service: str, types: tuple[str, ...], excluded_resources: tuple[str, ...]) -> bool:
    if any(resource and not resource.strip("*") for resource in excluded_resources):
        return True
    if not types:
        return False
    forms = [arn_patterns(service, name) for name in types]
    return all(
        form and arn.lists_overlap(("NotResource", excluded_resources), ("Resource", form)) is False for form in forms
    )


def _fits_format(arn_format: str, resource: str) -> Truth:
    form = arn.split_arn(arn.open_format(arn_format))
    resource_format = arn.split_arn(arn_format).resource
    without_slash = "/" not in resource_format and set(_PLACEHOLDER.findall(resource_format)) <= _WITHOUT_SLASH

    def fits(reading: arn.Arn) -> bool:
        if without_slash and "/" in arn.open_variables(reading.resource):
            return False
        return (arn.is_plausible(reading) or form.account not in ("*", "?*")) and arn.meet(form, reading)

    meanings = arn.readings(resource)
    if any(map(fits, meanings.certain)):
        return True
    # Names contain no colon, so any colon left in the pattern must be one of the format.
    crossing = (meaning for meaning in meanings.possible if meaning.resource.count(":") <= form.resource.count(":"))
    return None if any(map(fits, crossing)) else False


Denied = Literal["full", "partial", "unknown"]

MAX_COMPARISONS = 20_000
"""The most pairs of an allowed and a denied resource compared for one action; beyond that `denied` is unknown."""

MAX_COMPARISONS_OF_ALL = 150_000
"""The same for all groups of actions in the same situation of one document."""

MAX_CHECKS = 40_000
"""The most resources of one document that are checked against the types of an action, each action and its like once."""


class EffectiveGrants(NamedTuple):
    """What statements of one effect grant of an action."""

    grants: tuple[Grant, ...]
    """Only those that can apply; empty if none can."""
    conditions: tuple[Condition, ...]
    """Their conditions, without keys of the service that the reference does not list beside others that it lists."""
    free: bool
    """Whether one of the grants has no such condition."""
    is_certain: bool
    """False if each grant needs a condition key or a resource that the reference does not list for the action."""
    lacks_resource: bool
    """Nothing is granted, and no statement has a resource that applies to the action."""
    lacks_condition: bool
    """Every statement needs keys of the service, and the reference lists none of them for the action."""
    warnings: tuple[str, ...]
    """In the console's words, where it has some."""
    denied: Denied | None = None
    """How far a Deny of the same document revokes it; None if no Deny affects it."""

    @property
    def is_known(self) -> bool:
        """Whether something is granted, and not only under conditions that may never hold."""
        return self.is_certain and bool(self.grants)


def given_by(
    statements: Sequence[Statement],
    action: ActionInfo | None,
    denials: Sequence[Statement] = (),
    comparisons: "Comparisons | None" = None,
    *,
    is_checked: bool = True,
) -> EffectiveGrants:
    """Return what statements that match an action grant of it, on resources of its types alone if `is_checked`."""
    unknown = () if action else (console.UNRECOGNISED_ACTION,)
    if not is_checked:
        unknown = (*unknown, console.UNCHECKED_RESOURCES)
    grants: list[Grant] = []
    conditions: list[Condition] = []
    unlisted_keys_by_statement: list[tuple[str, ...]] = []
    any_condition = free = is_certain = False
    for statement in statements:
        resources = applicable_resources(action if is_checked else None, statement)
        is_listed = _may_be_met(action, statement.conditions)
        any_condition |= is_listed
        if resources:
            grants += grants_of(statement._replace(resources=resources))
            lines = [line for line in statement.conditions if not is_listed or _concerns(action, line)]
            conditions += lines
            free |= not lines
            is_certain |= is_listed and (not is_checked or _is_certainly_on(action, statement, resources))
            unlisted_keys_by_statement.append(() if action is None else unlisted_keys(action, statement.conditions))
    if not grants:
        reason = console.NO_APPLICABLE_RESOURCE
        if action is not None and not any_condition:
            reason = console.NO_RESOURCE_AND_CONDITION
        elif action is not None and not action.takes_resources:
            reason = console.NEEDS_WILDCARD
        return EffectiveGrants((), (), False, True, True, not any_condition, (reason, *unknown))
    hindering = (
        tuple(dict.fromkeys(key for group in unlisted_keys_by_statement for key in group))
        if all(unlisted_keys_by_statement)
        else ()
    )
    words = [console.unsupported_words(hindering)] if hindering else []
    if not is_certain:
        words.append(console.UNLISTED if hindering else console.UNLISTED_RESOURCE)
    if all(grant.resource_element == "Resource" and arn.is_uncertain(*grant.resources) for grant in grants):
        words.append(console.UNCERTAIN_RESOURCE)
    distinct_grants = tuple(dict.fromkeys(grants))
    denial = denied(distinct_grants, denials, action, comparisons)
    return EffectiveGrants(
        distinct_grants,
        tuple(dict.fromkeys(conditions)),
        free,
        is_certain,
        False,
        not any_condition,
        (*words, *unknown),
        denial,
    )


def _is_certainly_on(action: ActionInfo | None, statement: Statement, resources: tuple[str, ...]) -> bool:
    if action is None or statement.resource_element != "Resource":
        return True
    return any(fits_action(action, resource) for resource in resources)


def is_same_for(statement: Statement, service: str) -> bool:
    """Return whether a statement's resources are all of other services, so alike for every action of a service."""
    if statement.resource_element is None:
        return True
    services = _services_named(statement.resources)
    # What a service's actions are used on takes a while to find, and most statements name nothing but `*`.
    return services is not None and (not services or services.isdisjoint(_services_used(service)))


@lru_cache(maxsize=4096)
def _services_named(resources: tuple[str, ...]) -> frozenset[str] | None:
    """Return the services of resource patterns but `*`; None if one may be of any."""
    named_services = set()
    for resource in resources:
        if not resource.strip("*") and resource:
            continue
        meanings = arn.readings(resource)
        services = {meaning.service for meaning in (*meanings.certain, *meanings.possible)}
        if not services or any(wildcard.is_wild(service) or "$" in service for service in services):
            return None
        named_services |= services
    return frozenset(named_services)


@lru_cache(maxsize=4096)
def check_cost(resources: tuple[str, ...]) -> int:
    """Return how much work it is to check resources against a type: each reading of a pattern, and variables."""
    costs = (
        sum(map(len, arn.readings(resource))) * (4 if arn.has_variable(resource) else 1)
        for resource in resources
        if resource != "*"
    )
    return sum(costs)


@cache
def _services_used(service: str) -> frozenset[str]:
    """Return the services, as named in ARNs, on whose resources the actions of a service may be used."""
    services = _owners(service)
    if any(map(wildcard.is_wild, services)):
        services = frozenset(reference().services())
    return services.union(BESIDE_THE_REFERENCE.get(service, ()))


def kind_of_key(key: str) -> str:
    """Return a condition key for all that are supported alike: one tag of resources stands for every one."""
    lower = key.lower()
    return "aws:resourcetag/key" if lower.startswith("aws:resourcetag/") and lower != "aws:resourcetag/" else lower


class Comparisons:
    """How many more resources of one document are compared with others and with the types of actions."""

    def __init__(self, limit: int = MAX_COMPARISONS_OF_ALL) -> None:
        self._remaining = limit
        self._checks = MAX_CHECKS

    def check(self, count: int) -> bool:
        """Count resources that are checked against the types of an action; return whether they may be."""
        self._checks -= count
        return self._checks >= 0

    def spend(self, count: int) -> bool:
        """Count comparisons; return whether they may be made."""
        if count > min(self._remaining, MAX_COMPARISONS):
            return False
        self._remaining -= count
        return True


def checked_keys(statement: Statement, service: str) -> tuple[str, ...]:
    """Return the condition keys of a statement that only some actions of a service may support."""
    return tuple(
        line.key for line in statement.conditions if line.key.lower().startswith((service + ":", "aws:resourcetag/"))
    )


def denied(
    grants: Sequence[Grant],
    denials: Sequence[Statement],
    action: ActionInfo | None,
    comparisons: "Comparisons | None" = None,
) -> Denied | None:
    """Return how far statements that deny an action revoke its grants; None if they affect none of them.

    `full` means that each grant is covered by one Deny that adds no condition.
    """
    reaching = [
        (frozenset(statement.conditions), (statement.resource_element or "Resource", on))
        for statement in denials
        if (on := applicable_resources(action, statement))
    ]
    if not reaching or not grants:
        return None
    if not (comparisons or Comparisons()).spend(
        sum(len(grant.resources) for grant in grants) * sum(len(on) for _, (_, on) in reaching)
    ):
        return "unknown"
    covers = every(
        some(lines.issubset(grant.conditions) and _list_covers(on, grant[:2]) for lines, on in reaching)
        for grant in grants
    )
    if covers is not False:
        return "full" if covers else "unknown"
    overlapping = some(_lists_overlap(grant[:2], on) for grant in grants for _, on in reaching)
    extents: dict[Truth, Denied | None] = {True: "partial", False: None, None: "unknown"}
    return extents[overlapping]


_list_covers = lru_cache(maxsize=65536)(arn.list_covers)
_lists_overlap = lru_cache(maxsize=65536)(arn.lists_overlap)


def _own(action: ActionInfo, condition: Condition) -> bool:
    return condition.key.lower().startswith(action.name.partition(":")[0] + ":")


def _may_be_met(action: ActionInfo | None, conditions: tuple[Condition, ...]) -> bool:
    """Return False if conditions need the service's own keys and the reference lists none of them for the action."""
    own_keys = [line for line in conditions if action and _own(action, line) and needs_its_key(line)]
    return not own_keys or any(_concerns(action, line) for line in own_keys)


def _concerns(action: ActionInfo | None, condition: Condition) -> bool:
    return action is None or not _own(action, condition) or supports_key(action, condition.key)
