"""Since when a policy allows an action as it does now: the versions that dropped a condition or gave more resources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ekstui.core import arn
from ekstui.core.document import Document
from ekstui.core.grants import Extent, Grant, grants_of, normalised_conditions
from ekstui.core.policy import Policy
from ekstui.core.reach.coverage import covers
from ekstui.core.targets import may_speak_of


@dataclass(frozen=True, slots=True)
class Wider:
    """A version since which an action is allowed in more cases than since the start of the run."""

    version: int
    created: datetime | None
    without: tuple[str, ...]
    """The condition keys that it dropped, as the version before spells them; none where it gave something else."""


def widenings(
    policy: Policy, since: int, documents: Mapping[int, Document], action: str, resource: str | None = None
) -> tuple[Wider, ...]:
    """Return the versions after `since` that gave a part of what the default version allows, oldest first.

    `documents` holds the policy's documents from `since` to the default version, by number; one that nobody has is
    left out. With `resource` the question is about that ARN or ARN pattern alone.
    """
    run = [info for info in policy.versions if since <= info.number <= policy.default_version]
    known = [(info, _held(documents[info.number], action, resource)) for info in run if info.number in documents]
    if len(known) < 2:
        return ()
    now = known[-1][1]
    found: dict[int, set[str]] = {}
    created = {info.number: info.created for info, _ in known}
    now = {extent: grant for extent, grant in now.items() if not any(o != extent and covers(o, extent) for o in now)}
    for extent in now:
        first = len(known) - 1
        while first and any(covers(each, extent) for each in known[first - 1][1]):
            first -= 1
        if first:
            dropped = found.setdefault(known[first][0].number, set())
            for before, grant in known[first - 1][1].items():
                if covers(extent, before):
                    kept = {line.key for line in extent.conditions}
                    dropped.update(each.key for each in grant.conditions if each.key.lower() not in kept)
    # A condition is gone only if no other way in which the action is allowed still asks for it.
    needed = {line.key for extent in now for line in extent.conditions}
    return tuple(
        Wider(number, created[number], tuple(sorted(key for key in keys if key.lower() not in needed)))
        for number, keys in sorted(found.items())
    )


def _held(document: Document, action: str, resource: str | None) -> dict[Extent, Grant]:
    """Return where and when a document allows an action, of the resource alone where one is asked for."""
    found: dict[Extent, Grant] = {}
    for statement in document.statements:
        if statement.effect == "Allow" and may_speak_of(statement.action_element, statement.actions, action.lower()):
            for grant in grants_of(statement):
                resources = tuple(sorted(set(grant.resources)))
                if resource is not None and grant.resource_element == "Resource":
                    if arn.overlaps_resource(resources[0], resource) is False:
                        continue
                    if arn.resource_covers(resources[0], resource) is True:
                        resources = (resource,)
                conditions = normalised_conditions(grant.conditions)
                found.setdefault(Extent(grant.resource_element, resources, conditions), grant)
    return found
