"""What statements give of one action: the grants that can apply to it, or why none can."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from ekstui.core import arn, console
from ekstui.core.applicability import applicable_resources, needs_its_key, supports_key, unsupported_keys
from ekstui.core.document import Condition, Statement
from ekstui.core.grants import Grant
from ekstui.core.reference import ActionInfo

Denied = Literal["full", "partial", "unknown"]

MAX_COMPARISONS = 20_000
"""How many pairs of an allowed and a denied resource are compared for one action; beyond it `denied` is unknown."""


class Given(NamedTuple):
    """What statements of one effect give of an action, before any Deny."""

    grants: tuple[Grant, ...]
    """Only those that can apply; empty where nothing is given."""
    conditions: tuple[Condition, ...]
    """The lines of their condition blocks, without the keys of the service that the action lacks."""
    lacks_resource: bool
    """Nothing is given, and no statement has a resource for the action."""
    lacks_condition: bool
    """Nothing is given, and no statement has a condition that the action supports."""
    warnings: tuple[str, ...]
    """The console's."""


def given_by(statements: Sequence[Statement], action: ActionInfo | None) -> Given:
    """Return what statements that name an action give of it; an action that the reference lacks (None) is all given."""
    grants: list[Grant] = []
    conditions: list[Condition] = []
    unsupported: list[tuple[str, ...]] = []
    any_resource = any_condition = False
    for statement in statements:
        resources = applicable_resources(action, statement)
        can_be_met = action is None or _can_be_met(action, statement.conditions)
        any_resource |= bool(resources)
        any_condition |= can_be_met
        keys = () if action is None else unsupported_keys(action, statement.conditions)
        if resources and can_be_met:
            grants += _grants(statement, resources)
            conditions += [line for line in statement.conditions if action is None or _concerns(action, line)]
            unsupported.append(keys)
    if grants:
        hindering = _union(unsupported) if all(unsupported) else ()
        words = [console.unsupported_words(hindering)] if hindering else []
        if all(grant.resource_element == "Resource" and arn.is_uncertain(*grant.resources) for grant in grants):
            words.append(console.UNCERTAIN_RESOURCE)
        return Given(_distinct(grants), tuple(dict.fromkeys(conditions)), False, False, tuple(words))
    lacks_condition = not any_condition or any_resource
    return Given(
        (), (), not any_resource, lacks_condition, (_why_not(action, statements, any_resource, lacks_condition),)
    )


def is_on_all(statement: Statement) -> bool:
    """Return whether a statement's resources are the same for every action, because they are all or not stated."""
    return statement.resource_element is None or (
        statement.resource_element == "Resource" and statement.resources == ("*",)
    )


def checked_keys(statement: Statement, service: str) -> tuple[str, ...]:
    """Return the condition keys of a statement that only some actions of a service may support."""
    return tuple(
        line.key for line in statement.conditions if line.key.lower().startswith((service + ":", "aws:resourcetag/"))
    )


def denied(grants: Sequence[Grant], denials: Sequence[Statement], action: ActionInfo | None) -> Denied | None:
    """Return how far statements that deny an action take its grants back; None if they touch none of them.

    `full` needs one Deny for each grant that covers its resources under no further condition.
    """
    reaching = [(statement, applicable_resources(action, statement)) for statement in denials]
    reaching = [(statement, resources) for statement, resources in reaching if resources]
    if not reaching or not grants:
        return None
    if len(grants) * sum(len(on) for _, on in reaching) > MAX_COMPARISONS:
        return "unknown"
    covered = [_strongest(_covered(grant, statement, on) for statement, on in reaching) for grant in grants]
    if all(answer is True for answer in covered):
        return "full"
    if all(answer is not False for answer in covered):
        return "unknown"
    touched = _strongest(_touched(grant, statement, on) for grant in grants for statement, on in reaching)
    return None if touched is False else "partial" if touched else "unknown"


def _grants(statement: Statement, resources: tuple[str, ...]) -> list[Grant]:
    if statement.resource_element == "NotResource":
        return [Grant("NotResource", resources, statement.conditions)]
    return [Grant("Resource", (resource,), statement.conditions) for resource in resources]


def _distinct(grants: list[Grant]) -> tuple[Grant, ...]:
    return tuple(dict.fromkeys(grants))


def _union(groups: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for group in groups for key in group))


def _own(action: ActionInfo, condition: Condition) -> bool:
    return condition.key.lower().startswith(action.name.partition(":")[0] + ":")


def _can_be_met(action: ActionInfo, conditions: tuple[Condition, ...]) -> bool:
    """Return False where conditions on the service's own keys are set and the action supports none of them.

    That is the console's rule; one unsupported key among supported ones is a warning only.
    """
    needed = [line.key for line in conditions if _own(action, line) and needs_its_key(line)]
    return not needed or any(supports_key(action, key) for key in needed)


def _concerns(action: ActionInfo, condition: Condition) -> bool:
    return not _own(action, condition) or supports_key(action, condition.key)


def _why_not(
    action: ActionInfo | None, statements: Sequence[Statement], any_resource: bool, lacks_condition: bool
) -> str:
    if action is None:
        return console.NO_APPLICABLE_RESOURCE
    if any_resource:
        return console.unsupported_words(_union([unsupported_keys(action, entry.conditions) for entry in statements]))
    if lacks_condition:
        return console.NO_RESOURCE_AND_CONDITION
    return console.NO_APPLICABLE_RESOURCE if action.resource_types else console.NEEDS_WILDCARD


def _covered(grant: Grant, denial: Statement, on: tuple[str, ...]) -> bool | None:
    """Return whether a Deny takes the whole grant back; None where a policy variable decides."""
    if not set(denial.conditions) <= set(grant.conditions):
        return False
    if grant.resource_element == "NotResource":
        if denial.resource_element == "NotResource":
            return _all(_strongest(arn.resource_covers(kept, left) for kept in grant.resources) for left in on)
        return "*" in on
    if denial.resource_element == "NotResource":
        return _all(_not(arn.overlaps_resource(resource, kept)) for resource in grant.resources for kept in on)
    return _strongest(arn.resource_covers(entry, resource) for resource in grant.resources for entry in on)


def _touched(grant: Grant, denial: Statement, on: tuple[str, ...]) -> bool | None:
    """Return whether a Deny takes anything of the grant back; None where a policy variable decides."""
    if grant.resource_element == "NotResource" and denial.resource_element == "NotResource":
        return True
    if grant.resource_element == "NotResource":
        return _strongest(_all(_not(arn.resource_covers(kept, entry)) for kept in grant.resources) for entry in on)
    if denial.resource_element == "NotResource":
        return _strongest(_all(_not(arn.resource_covers(kept, entry)) for kept in on) for entry in grant.resources)
    return _strongest(arn.overlaps_resource(resource, entry) for resource in grant.resources for entry in on)


def _strongest(answers: Iterable[bool | None]) -> bool | None:
    """Return whether any of the answers is yes; None if none is and one is not known."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown |= answer is None
    return None if unknown else False


def _all(answers: Iterable[bool | None]) -> bool | None:
    """Return whether all of the answers are True: False if one is, else None if one is not known."""
    return _not(_strongest(_not(answer) for answer in answers))


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer
