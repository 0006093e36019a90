"""The policies that allow an action: by which pattern, on what, since when, and how far their Denies revoke it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from ekstui import spelling
from ekstui.change.candidates import Candidate
from ekstui.change.coverage import extent_covers
from ekstui.change.policy import Policy, VersionInfo
from ekstui.errors import InputError
from ekstui.iam import arn, wildcard
from ekstui.iam.applicability import Denied, arn_patterns, can_be_on, denied, fits_type
from ekstui.iam.document import ActionElement, Document, Statement
from ekstui.iam.grants import Extent, Grant, extent_of, grants_of, statements_on
from ekstui.iam.reference import UNKNOWN_LEVEL, ActionInfo, reference
from ekstui.iam.text import listed
from ekstui.iam.truth import some
from ekstui.named_tuples import NamedTuple


class Wider(NamedTuple):
    """A version that allows an action in more cases than the version before."""

    version: int
    created: datetime | None
    without: tuple[str, ...]
    """The condition keys that it dropped, as the version before spells them; empty if it added something else."""


def widenings(
    policy: Policy, start: int, documents: Mapping[int, Document], action: str, resource: str | None = None
) -> tuple[Wider, ...]:
    """Return the versions after `start` that added a part of what the default version allows, oldest first.

    `documents` are the policy's documents from `start` to the default version, by number, as far as they are known.
    With `resource`, only that ARN or ARN pattern counts.
    """
    run = [info for info in policy.versions if start <= info.number <= policy.default_version]
    grants_by_version = [
        (info, _grants_on(documents[info.number], action, resource)) for info in run if info.number in documents
    ]
    if len(grants_by_version) < 2:
        return ()
    current_grants = grants_by_version[-1][1]
    current_grants = {
        extent: grant
        for extent, grant in current_grants.items()
        if not any(o != extent and extent_covers(o, extent) for o in current_grants)
    }
    dropped_keys: dict[VersionInfo, set[str]] = {}
    for extent in current_grants:
        first = _first_covering([extents for _, extents in grants_by_version], extent)
        if first:
            dropped_keys.setdefault(grants_by_version[first][0], set()).update(
                _keys_dropped(grants_by_version[first - 1][1], extent)
            )
    # A condition is gone only if no other way to allow the action still needs it.
    needed_keys = {line.key for extent in current_grants for line in extent.conditions}
    return tuple(
        Wider(info.number, info.created, tuple(sorted(key for key in keys if key.lower() not in needed_keys)))
        for info, keys in sorted(dropped_keys.items(), key=lambda entry: entry[0].number)
    )


def _first_covering(versions: Sequence[Iterable[Extent]], extent: Extent) -> int:
    """Return where the run begins that ends with the last version and covers an extent throughout."""
    first = len(versions) - 1
    while first and any(extent_covers(candidate, extent) for candidate in versions[first - 1]):
        first -= 1
    return first


def _keys_dropped(before: Mapping[Extent, Grant], extent: Extent) -> set[str]:
    """Return the condition keys, as written, that an extent no longer requires of what it covered before."""
    required_keys = {line.key for line in extent.conditions}
    return {
        condition.key
        for old_extent, grant in before.items()
        if extent_covers(extent, old_extent)
        for condition in grant.conditions
        if condition.key.lower() not in required_keys
    }


def _grants_on(document: Document, action: str, resource: str | None) -> dict[Extent, Grant]:
    """Return the extents of the grants by which a document allows an action, on a resource if one is named."""
    grants_by_extent: dict[Extent, Grant] = {}
    for statement in statements_on(document, action):
        if statement.effect == "Allow":
            for grant in grants_of(statement):
                extent = extent_of(grant)
                if resource is not None and grant.resource_element == "Resource":
                    if arn.overlaps_resource(extent.resources[0], resource) is False:
                        continue
                    if arn.resource_covers(extent.resources[0], resource) is True:
                        extent = extent._replace(resources=(resource,))
                grants_by_extent.setdefault(extent, grant)
    return grants_by_extent


class Since(NamedTuple):
    """The first of the versions that, up to the default version, all allow an action."""

    version: int
    created: datetime | None
    at_latest: bool
    """Whether the version before it is not known, and may allow the action too."""


class Holder(NamedTuple):
    """A policy whose default version allows the action, apart from conditions and Deny statements."""

    policy: Policy
    version: int
    """The default version."""
    since: Since
    pattern: str
    """The most specific pattern that allows it, as written; for `NotAction` the whole list, separated by commas."""
    via: ActionElement
    grants: tuple[Grant, ...]
    """Every grant of the action, as written; if a resource is given, those that can match it."""
    denied: Denied | None
    """How far a Deny of the same policy revokes the grants; None if no Deny affects them."""
    covers: tuple[str, ...]
    """The action's resource types that the policy can match; empty for a pattern or an unknown action."""
    lacks: tuple[str, ...]
    """The action's resource types that it cannot match; those in neither list are undecided."""
    applies: bool
    """False if, according to the reference, the action cannot be used on any of these resources."""
    wider: tuple[Wider, ...] = ()
    """The later versions of the run that added a part of it, if they were looked at."""


class WhoCan(NamedTuple):
    """The policies that allow an action, or some action under a pattern."""

    action: str
    """In the reference's spelling if it has the action."""
    level: str
    """Its access level; `unknown` for a pattern, or if the reference lacks it."""
    holders: tuple[Holder, ...]
    is_named: bool = True
    """False for an action that neither the reference nor any policy names; only wildcards may allow it."""


def parse_action(text: str) -> str:
    """Return an action or pattern that a user typed, in the reference's spelling; InputError for anything else."""
    action = text.strip()
    service, colon, name = action.partition(":")
    if action == "*":
        return action
    if not colon or not service or not name or len(action) > 256 or any(character.isspace() for character in action):
        nearest = _actions_named(action) if not colon else ()
        hint = (
            f"Did you mean {listed(nearest, 'or')}?"
            if nearest
            else "Write SERVICE:ACTION, such as ec2:DescribeSubnets."
        )
        raise InputError(f"{text!r} is not an action: an action has a service before a colon.", hint)
    info = reference().find(action)
    return info.name if info else action


def holders_of(
    action: str,
    candidates: Iterable[Candidate],
    resource: str | None = None,
    *,
    types: bool = True,
    history: bool = False,
) -> WhoCan:
    """Return which of the candidates allow an action or pattern, in the order given.

    With `resource`, an ARN or ARN pattern, only those with a grant that can match it are returned. Without `types`,
    `covers` and `lacks` are left empty, which saves most of the time; without `history`, `wider` is.
    """
    info = reference().find(action)
    holders = (holder_of(candidate, action, resource, types=types, history=history) for candidate in candidates)
    return WhoCan(
        action=info.name if info else action,
        level=info.level if info else UNKNOWN_LEVEL,
        holders=tuple(holder for holder in holders if holder is not None),
    )


def holder_of(
    candidate: Candidate, action: str, resource: str | None = None, *, types: bool = True, history: bool = False
) -> Holder | None:
    """Return how a policy allows an action or pattern (see `holders_of`); None if it does not."""
    statements = statements_on(candidate.document, action)
    allows = [statement for statement in statements if statement.effect == "Allow"]
    everywhere = tuple(dict.fromkeys(grant for statement in allows for grant in grants_of(statement)))
    grants = everywhere if resource is None else tuple(grant for grant in everywhere if can_match(grant, resource))
    if not grants:
        return None
    info = reference().find(action)
    via, pattern = _most_specific(allows, action)
    # A policy matches the types of all its grants, whatever resource the question is about.
    covers_types, lacks_types = _types(info, everywhere) if types and info else ((), ())
    policy = candidate.policy
    since = first_of_run(policy, candidate.allowing.__contains__)
    # A controller's policy still has its parameters in the keys of its conditions, which must not be printed.
    is_compared = history and not policy.home
    return Holder(
        policy=policy,
        version=policy.default_version,
        since=since,
        pattern=pattern,
        via=via,
        grants=grants,
        denied=_denied(grants, [statement for statement in statements if statement.effect == "Deny"], action),
        covers=covers_types,
        lacks=lacks_types,
        applies=info is None or any(_applies(info, grant) for grant in grants),
        wider=widenings(policy, since.version, candidate.documents, action, resource) if is_compared else (),
    )


def first_of_run(policy: Policy, allows: Callable[[int], bool]) -> Since:
    """Return the start of the run of versions that allow something and end at the default version.

    `allows` is called from the newest version back. Unknown versions do not break the run.
    """
    first = policy.default_version
    earlier_versions = [info for info in policy.versions if info.number < policy.default_version]
    for info in reversed(earlier_versions):
        if not allows(info.number):
            break
        first = info.number
    numbers = {info.number for info in earlier_versions}
    created = next((info.created for info in policy.versions if info.number == first), None)
    return Since(first, created, at_latest=first > 1 and first - 1 not in numbers)


def can_match(grant: Grant, resource: str) -> bool:
    """Return False only if a grant can never apply to an ARN, or to anything that an ARN pattern matches."""
    return arn.lists_overlap(grant[:2], ("Resource", (resource,))) is not False


def types_covered(info: ActionInfo, grants: Sequence[Grant]) -> tuple[str, ...]:
    """Return the action's resource types that the grants may match, in the reference's order."""
    return _types(info, grants)[0]


def _types(info: ActionInfo, grants: Sequence[Grant]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the action's resource types that the grants may match, and those that they cannot match."""
    service = info.name.partition(":")[0]
    applies = {
        use.name: some(_covers_type(service, use.name, grant) for grant in grants) for use in info.resource_types
    }
    return tuple(name for name in applies if applies[name]), tuple(name for name in applies if applies[name] is False)


def nearest_actions(action: str) -> tuple[str, ...]:
    """Return the five names most similar to an unknown action, best first.

    These are actions of that name in any service, and actions of the services with the most similar names.
    """
    service, _, name = action.lower().partition(":")
    is_listed = reference().has_service(service)
    services = (service,) if is_listed else spelling.nearest(service, reference().services(), 3)
    actions = (name_of_service for candidate in services for name_of_service in reference().names(candidate).values())
    similar_actions = spelling.nearest(action, actions, 5, 0.75)
    # The same name in another service is closer than a similar name.
    names = dict.fromkeys((*_actions_named(name)[:3], *similar_actions))
    return tuple(names)[:5]


def _actions_named(name: str) -> tuple[str, ...]:
    """Return the reference's actions of that name in any service, ignoring case; at most five."""
    names = (reference().names(service).get(name.lower()) for service in reference().services())
    return tuple(action for action in names if action is not None)[:5]


def _denied(grants: tuple[Grant, ...], denies: list[Statement], action: str) -> Denied | None:
    if not wildcard.is_wild(action):
        return denied(grants, denies, reference().find(action))
    # A Deny on some actions of a pattern revokes a part of it, however much of these it revokes.
    denial = denied(grants, [statement for statement in denies if matches_all(statement, action)], None)
    if denial == "full" or not denies:
        return denial
    part = denied(grants, denies, None)
    return "partial" if part == "full" else part


def matches_all(statement: Statement, pattern: str) -> bool:
    """Return whether a statement certainly matches every action under a pattern."""
    patterns = (action.lower() for action in statement.actions)
    if statement.action_element == "Action":
        return any(wildcard.covers(listed_pattern, pattern.lower()) for listed_pattern in patterns)
    return not any(wildcard.overlaps(listed_pattern, pattern.lower()) for listed_pattern in patterns)


def _most_specific(allows: list[Statement], action: str) -> tuple[ActionElement, str]:
    """Return the most specific pattern: `Action` before `NotAction`, names before wildcards, then the longest."""
    patterns = [
        pattern
        for statement in allows
        if statement.action_element == "Action"
        for pattern in statement.actions
        if wildcard.overlaps(pattern.lower(), action.lower())
    ]
    if patterns:
        return "Action", max(
            patterns, key=lambda pattern: (not wildcard.is_wild(pattern), len(pattern.replace("*", "")))
        )
    return "NotAction", ", ".join(allows[0].actions)


def _covers_type(service: str, resource_type: str, grant: Grant) -> bool | None:
    if grant.resource_element == "Resource":
        return some(fits_type(service, resource_type, resource) for resource in grant.resources)
    patterns = arn_patterns(service, resource_type)
    return not patterns or arn.lists_overlap(grant[:2], ("Resource", patterns)) is not False


def _applies(info: ActionInfo, grant: Grant) -> bool:
    return grant.resource_element == "NotResource" or any(can_be_on(info, resource) for resource in grant.resources)
