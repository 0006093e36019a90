"""What a document allows, service by service, in the words of the IAM console's policy summary.

The console's first table is `services_in(document)`, the second the `actions` of a service. Beyond the console, every
level has a count, resources are checked against the action's resource types, and an allowed action shows how far a Deny
of the same document revokes it.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import compress, count
from typing import Any

from ekstui.iam import arn, console
from ekstui.iam.applicability import Denied, EffectiveGrants, can_be_on, is_of_known_type, needs_its_key, supports_key
from ekstui.iam.console import LevelCount
from ekstui.iam.document import Condition, Document, Effect
from ekstui.iam.expansion import (
    MatchedAction,
    MatchingPattern,
    NamedActions,
    StatementMatcher,
    named_actions,
    names_many_services,
)
from ekstui.iam.grants import Grant
from ekstui.iam.reference import LEVELS, UNKNOWN_LEVEL, ActionInfo, reference, reference_version, use_outlines
from ekstui.named_tuples import NamedTuple


class ConditionShare(NamedTuple):
    """How many actions are granted under a condition, not necessarily the same one."""

    whole: int
    """Actions with a condition in every grant."""
    partly: int
    """Actions with a condition in some grants but not in all."""
    total: int

    def words(self, condition: str) -> str:
        """Return the console's words for their condition, with how many have it unless all do: `1 of 28 if …`."""
        count = self.whole + self.partly
        if not count or self.whole == self.total:
            return condition
        numbers = "" if count == self.total else f"{count:,} of {self.total:,}"
        prefix = "some" if self.partly else ""
        text = "with conditions" if condition == console.MULTIPLE else f"if {condition}"
        return f"{': '.join(filter(None, (numbers, prefix)))} {text}"


class ActionSummary(NamedTuple):
    """One effective action of a service."""

    action: str
    """In the reference's spelling, such as `ec2:DescribeSubnets`, or as written if the reference lacks it."""
    level: str
    """The access level under which the console groups it, or `unknown`."""
    levels: tuple[str, ...]
    """All its levels, that one first; some levels of the reference are composite."""
    is_granted: bool | None
    """False if the document matches the action but no resource can apply: `(No access)`. None if that is not known,
    because the reference does not list the resource or a condition key for the action."""
    grants: tuple[Grant, ...]
    """Only those that can apply to the action."""
    patterns: tuple[str, ...]
    """The document's patterns that match the action; a whole `NotAction` list is one."""
    sids: tuple[str, ...]
    denied: Denied | None
    """How far a Deny of the same document revokes it; None if no Deny affects it."""
    resource: str
    """In the console's words: `All resources`, `Multiple`, or the only resource; empty if nothing is granted."""
    condition: str
    """In the console's words: `None`, `Multiple`, or the only condition; empty if nothing is granted."""
    conditions: tuple[Condition, ...]
    """The distinct conditions of its grants."""
    conditioned: ConditionShare
    """For this action alone."""
    warnings: tuple[str, ...]


class ServiceSummary(NamedTuple):
    """A row of the console's table: a service under one effect."""

    service: str
    """The prefix, such as `ec2`."""
    effect: Effect
    recognised: bool
    """Whether the reference has the service; the others come first, as `Uncategorized services`."""
    access: str
    """In the console's words, such as `Full: List Limited: Read, Write`; empty if the access is unknown."""
    levels: Mapping[str, LevelCount]
    """By access level, in the console's order: List, Read, Tagging, Write, Permissions management, then `unknown`."""
    resource: str
    condition: str
    """In the console's words, as for an action; the console names a condition even if only one action has it."""
    conditioned: ConditionShare
    warnings: tuple[str, ...]
    actions: Sequence[ActionSummary]
    """Sorted by level, then by name; computed on first use."""
    characters: int = 0
    """How much the patterns and grants of its actions are, in characters, listed for each action."""


_ORDER = {level: place for place, level in enumerate((*LEVELS, UNKNOWN_LEVEL))}


def services_in(document: Document) -> tuple[ServiceSummary, ...]:
    """Return the document's services in the console's order: uncategorised, explicitly denied, allowed."""
    denies, allows = named_actions(document, "Deny"), named_actions(document, "Allow")
    rows = _rows(document, "Deny", denies, {}) + _rows(document, "Allow", allows, denies)
    rows += _without_actions(document, rows, denies.keys() | allows.keys())
    return tuple(sorted(rows, key=lambda row: (row.recognised, row.recognised and row.effect == "Allow", row.service)))


def services_by_outlines(
    document: Document, outlines: Callable[[str], Mapping[str, Any] | None]
) -> tuple[ServiceSummary, ...]:
    """Return the same by what `outlines` has written of a version, where a document names many services."""
    if names_many_services(document):
        use_outlines(lambda: outlines(reference_version()))
    return services_in(document)


def _rows(
    document: Document,
    effect: Effect,
    actions_by_service: Mapping[str, NamedActions],
    denials: Mapping[str, NamedActions],
) -> list[ServiceSummary]:
    reader = StatementMatcher(document, effect, denials)
    rows = (
        _row(document, effect, service, reader.service(service, actions), actions.unmatched)
        for service, actions in actions_by_service.items()
    )
    return [row for row in rows if row is not None]


def _row(
    document: Document,
    effect: Effect,
    service: str,
    matched_actions: list[MatchedAction],
    unmatched: Mapping[str, tuple[MatchingPattern, ...]],
) -> ServiceSummary | None:
    """Return a service's row; None if only patterns over all services match it and they grant nothing."""
    count_by_level = Counter([_level(entry) for entry in matched_actions])
    granted_by_level, granted_actions = count_by_level, matched_actions
    if not all(situation.is_known for situation in _situations(matched_actions)):
        granted_actions = [entry for entry in matched_actions if entry.effective.is_known]
        granted_by_level = Counter([_level(entry) for entry in granted_actions])
        matched_actions = [entry for entry in matched_actions if entry.effective.is_known or entry.specific]
    if not matched_actions and not unmatched:
        return None
    levels = _levels(service, granted_by_level)
    # An action that may not exist does not affect the service's cells if there are others.
    entries = [entry for entry in granted_actions if entry.info] or granted_actions
    specific = [entry for entry in matched_actions if entry.specific]
    idle = resources_without_effect(document, service, specific)
    # The console shows resources of the service with an unknown type, although they grant nothing.
    cells = _cells(
        [entry.effective for entry in entries], [resource for resource in idle if _is_untyped(service, resource)]
    )
    return ServiceSummary(
        service=service,
        effect=effect,
        recognised=reference().has_service(service),
        access=_access(service, levels, count_by_level),
        levels=levels,
        resource=cells.resource,
        condition=cells.condition,
        conditioned=cells.conditioned,
        warnings=service_warnings(document, service, matched_actions, specific, idle),
        actions=_Actions(lambda: _actions(document, matched_actions, unmatched)),
        characters=_characters_of(matched_actions),
    )


def _situations(matched_actions: Iterable[MatchedAction]) -> Collection[EffectiveGrants]:
    """Return what is granted of these actions, once what hundreds may share."""
    return {id(entry.effective): entry.effective for entry in matched_actions}.values()


MAX_LISTED = 10_000_000
"""The most characters of all actions' grants and patterns that are listed; AWS's policies have up to 8 million."""


def too_large_to_list(rows: Sequence[ServiceSummary]) -> str | None:
    """Return that a document has too many actions, with too many grants, to list them all; None if not."""
    if sum(row.characters for row in rows) <= MAX_LISTED:
        return None
    actions = sum(count.granted for row in rows for count in row.levels.values())
    return f"too large to list whole: {actions:,} actions of {len({row.service for row in rows}):,} services"


def _characters_of(matched_actions: Sequence[MatchedAction]) -> int:
    # Many share their grants or patterns.
    situations = {id(entry.effective): entry.effective for entry in matched_actions}
    grants = {key: _characters_granted(effective) for key, effective in situations.items()}
    sources = {id(entry.sources): entry.sources for entry in matched_actions}
    patterns = {key: sum([len(source.pattern) for source in alike]) for key, alike in sources.items()}
    return sum([grants[id(entry.effective)] + patterns[id(entry.sources)] for entry in matched_actions])


def _characters_granted(effective: EffectiveGrants) -> int:
    return sum(
        sum(map(len, grant.resources)) + sum(len(line.key) + sum(map(len, line.values)) for line in grant.conditions)
        for grant in effective.grants
    )


class _Actions(Sequence[ActionSummary]):
    """A service's actions, laid out when they are first looked at; equal to any sequence of the same ones."""

    def __init__(self, make: Callable[[], tuple[ActionSummary, ...]]) -> None:
        self._make = make

    @cached_property
    def _entries(self) -> tuple[ActionSummary, ...]:
        return self._make()

    def __getitem__(self, index: Any) -> Any:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[ActionSummary]:
        return iter(self._entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._entries == tuple(other)


class _RowTexts(NamedTuple):
    """What the rows of a service and of an action say of their grants."""

    resource: str
    condition: str
    conditioned: ConditionShare


def _cells(situations: Sequence[EffectiveGrants], untyped_resources: Iterable[str] = ()) -> _RowTexts:
    """Return the cells of actions that are all granted, or that are none."""
    granting = {id(situation): situation for situation in situations if situation.grants}
    if not granting:
        return _RowTexts("", "", ConditionShare(0, 0, 0))
    shares = {key: (not situation.free, situation.free) for key, situation in granting.items() if situation.conditions}
    alike = Counter(map(id, situations)) if shares else {}
    fully, partly = (sum(alike[key] for key, share in shares.items() if share[place]) for place in (0, 1))
    resources = [
        *((grant.resource_element, grant.resources) for situation in granting.values() for grant in situation.grants),
        *(("Resource", (resource,)) for resource in untyped_resources),
    ]
    return _RowTexts(
        console.resource_words(resources),
        console.condition_words(line for situation in granting.values() for line in situation.conditions),
        ConditionShare(fully, partly, len(situations)),
    )


def _access(service: str, levels: Mapping[str, LevelCount], count_by_level: Mapping[str, int]) -> str:
    """Return the access cell; empty if everything granted is unknown to the reference."""
    is_granted = any(count.granted for level, count in levels.items() if level != UNKNOWN_LEVEL)
    if not reference().has_service(service) or (UNKNOWN_LEVEL in levels and not is_granted):
        return ""
    return console.access_words(levels, count_by_level)


def _actions(
    document: Document, matched_actions: list[MatchedAction], unmatched: Mapping[str, tuple[MatchingPattern, ...]]
) -> tuple[ActionSummary, ...]:
    unknown = EffectiveGrants((), (), False, True, False, False, (console.UNMATCHED_PATTERN,))
    matched_actions = [
        *matched_actions,
        *(MatchedAction(pattern, None, sources, (), unknown) for pattern, sources in unmatched.items()),
    ]
    # Hundreds of actions may be in the same situation.
    cells = {id(situation): _cells([situation]) for situation in _situations(matched_actions)}
    patterns_and_sids = {
        sources: _patterns_and_sids(document, sources) for sources in {entry.sources for entry in matched_actions}
    }
    summaries = [
        _action(entry, *patterns_and_sids[entry.sources], cells[id(entry.effective)]) for entry in matched_actions
    ]
    return tuple(sorted(summaries, key=lambda entry: (_ORDER[entry.level], entry.action.lower())))


def _action(action: MatchedAction, patterns: tuple[str, ...], sids: tuple[str, ...], cells: _RowTexts) -> ActionSummary:
    info, situation = action.info, action.effective
    # By position, since names would take half as long again, and a policy may have 22,000.
    return ActionSummary(
        action.name,
        info.level if info else UNKNOWN_LEVEL,
        info.levels if info else (UNKNOWN_LEVEL,),
        situation.is_known or (None if situation.grants else False),
        situation.grants,
        patterns,
        sids,
        situation.denied,
        cells.resource,
        cells.condition,
        situation.conditions,
        cells.conditioned,
        situation.warnings,
    )


def _level(action: MatchedAction) -> str:
    return action.info.level if action.info else UNKNOWN_LEVEL


def _patterns_and_sids(
    document: Document, sources: tuple[MatchingPattern, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if len(sources) == 1:  # as most are
        sid = document.statements[sources[0].statement].sid
        return (sources[0].pattern,), (sid,) if sid else ()
    sids = (document.statements[source.statement].sid for source in sources)
    return tuple(dict.fromkeys(source.pattern for source in sources)), tuple(dict.fromkeys(filter(None, sids)))


def _is_untyped(service: str, resource: str) -> bool:
    return arn.split_arn(resource).service.lower() == service and not is_of_known_type(service, resource)


def _levels(service: str, granted_by_level: Mapping[str, int]) -> dict[str, LevelCount]:
    totals = reference().level_totals(service)
    levels = {level: LevelCount(granted_by_level.get(level, 0), totals[level]) for level in LEVELS if level in totals}
    if granted_by_level.get(UNKNOWN_LEVEL):
        levels[UNKNOWN_LEVEL] = LevelCount(granted_by_level[UNKNOWN_LEVEL], 0)
    return levels


def _without_actions(
    document: Document, rows: list[ServiceSummary], services_with_actions: set[str]
) -> Iterator[ServiceSummary]:
    """Yield a row for each service that is named in resources only, unless actions of others apply to it."""
    resources_by_service: dict[tuple[Effect, str], list[str]] = {}
    for statement in document.statements:
        for resource in statement.resources if statement.resource_element == "Resource" else ():
            service = arn.split_arn(resource).service.lower()
            if service not in services_with_actions and reference().has_service(service):
                resources_by_service.setdefault((statement.effect, service), []).append(resource)
    used_resources = {
        resource
        for row in rows
        if resources_by_service
        for action in row.actions
        for grant in action.grants
        for resource in grant.resources
    }
    for (effect, service), resources in resources_by_service.items():
        if used_resources.isdisjoint(resources):
            yield ServiceSummary(
                service=service,
                effect=effect,
                recognised=True,
                access=console.NO_ACTIONS,
                levels=_levels(service, {}),
                resource=console.resource_words(("Resource", (resource,)) for resource in resources),
                condition="",
                conditioned=ConditionShare(0, 0, 0),
                warnings=(),
                actions=(),
            )


def service_warnings(
    document: Document,
    service: str,
    matched_actions: Sequence[MatchedAction],
    specific: Sequence[MatchedAction],
    idle: Sequence[str],
) -> tuple[str, ...]:
    """Return the warnings on a service's row.

    `specific` are the actions that patterns with the service's name match, `idle` its resources that no action can be
    used on. Of the two warnings about resources, and of the two about conditions, the console shows only one.
    """
    if not reference().has_service(service):
        return (console.UNRECOGNISED_SERVICE,)
    warnings = []
    situations, specific_situations = _situations(matched_actions), _situations(specific)
    if specific and all(situation.lacks_resource for situation in specific_situations):
        warnings.append(console.NO_RESOURCES_DEFINED)
    elif idle:
        warnings.append(console.RESOURCES_WITHOUT_ACTION)
    elif any(situation.lacks_resource for situation in specific_situations):
        warnings.append(console.ACTIONS_WITHOUT_RESOURCE)
    if _has_idle_condition(document, service, specific):
        warnings.append(console.CONDITIONS_WITHOUT_ACTION)
    elif any(situation.lacks_condition for situation in specific_situations):
        warnings.append(console.ACTIONS_WITHOUT_CONDITION)
    if any(entry.info is None for entry in matched_actions):
        warnings.append(console.UNRECOGNISED_ACTIONS)
    if any(console.UNCHECKED_RESOURCES in situation.warnings for situation in situations):
        warnings.append(console.UNCHECKED_RESOURCES)
    return tuple(warnings)


def resources_without_effect(document: Document, service: str, specific: Sequence[MatchedAction]) -> list[str]:
    """Return the resources of a service that no action of the same statement can be used on.

    A resource of a service that the reference lacks counts for every service of its statement.
    """
    idle = []
    lists_resources = (
        entry.resource_element == "Resource" and entry.resources != ("*",) for entry in document.statements
    )
    for index, infos in _by_statement(specific, {*compress(count(), lists_resources)}).items():
        statement = document.statements[index]
        prefixes = {pattern.partition(":")[0].lower() for pattern in statement.actions}
        for resource in statement.resources:
            owner = arn.split_arn(resource).service.lower()
            stray = not reference().has_service(owner) and "*" not in owner and owner not in prefixes
            if (owner == service or stray) and not any(can_be_on(info, resource) for info in infos):
                idle.append(resource)
    return idle


def _has_idle_condition(document: Document, service: str, specific: Sequence[MatchedAction]) -> bool:
    """Return whether a statement needs a key of the service that no action granted there supports."""
    granted_actions = (entry for entry in specific if entry.effective.is_known)
    has_conditions = (bool(statement.conditions) for statement in document.statements)
    for index, infos in _by_statement(granted_actions, {*compress(count(), has_conditions)}).items():
        for line in document.statements[index].conditions:
            is_key_of_service = line.key.lower().startswith(service + ":") and needs_its_key(line)
            if is_key_of_service and not any(supports_key(info, line.key) for info in infos):
                return True
    return False


def _by_statement(matched_actions: Iterable[MatchedAction], among: Collection[int]) -> dict[int, list[ActionInfo]]:
    """Return the known actions that each of these statements matches, by the statement's position."""
    actions: dict[int, list[ActionInfo]] = {}
    for entry in matched_actions if among else ():
        if entry.info is not None:
            for index in entry.statements:
                if index in among:
                    actions.setdefault(index, []).append(entry.info)
    return actions


class Remaining(NamedTuple):
    """Services and actions that a document does not allow, including those that it denies."""

    services: tuple[str, ...]
    """Services of which it allows nothing, sorted."""
    actions: Mapping[str, tuple[ActionInfo, ...]]
    """The other actions of each service of which it allows some, but not all."""


def remaining(document: Document) -> Remaining:
    """Return what the document does not allow; an action whose resources or conditions cannot apply is not allowed."""
    allowed_actions: dict[str, set[str]] = {}
    for row in services_in(document):
        if row.effect == "Allow":
            allowed_actions.setdefault(row.service, set()).update(
                entry.action for entry in row.actions if entry.is_granted
            )
    services = []
    actions = {}
    for service in reference().services():
        if not allowed_actions.get(service):
            services.append(service)
            continue
        other_actions = tuple(
            info for info in reference().actions(service).values() if info.name not in allowed_actions[service]
        )
        if other_actions:
            actions[service] = other_actions
    return Remaining(tuple(services), actions)
