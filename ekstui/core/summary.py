"""What a document permits, service by service, in the words of the IAM console's policy summary.

The console's first table is `services_in(document)`, the second the `actions` of a service.
Beyond the console, every level carries its count, resources are checked against the action's resource types, and an
allowed action says how far a Deny of the same document takes it back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ekstui.core import arn, console
from ekstui.core.applicability import can_be_on, is_of_known_type, needs_its_key, supports_key
from ekstui.core.document import Document, Effect, ResourceElement
from ekstui.core.expansion import NamedActions, Source, named_actions, names_action
from ekstui.core.given import Denied, Given, checked_keys, denied, given_by, is_on_all
from ekstui.core.grants import Grant
from ekstui.core.reference import LEVELS, UNKNOWN_LEVEL, ActionInfo, reference


@dataclass(frozen=True, slots=True)
class LevelCount:
    """How many actions of one access level are given, of those that the reference knows."""

    granted: int
    total: int


@dataclass(frozen=True, slots=True)
class ActionSummary:
    """One effective action of a service."""

    action: str
    """In the reference's spelling, such as `ec2:DescribeSubnets`; as written where the reference lacks it."""
    level: str
    """The access level under which the console groups it, or `unknown`."""
    levels: tuple[str, ...]
    """All of them, that one first: some of the reference's are composite."""
    given: bool
    """False where the document names the action but no resource or condition of it can apply: `(No access)`."""
    grants: tuple[Grant, ...]
    """Only those that can apply to the action."""
    patterns: tuple[str, ...]
    """The patterns of the document that name the action; a whole `NotAction` list is one."""
    sids: tuple[str, ...]
    denied: Denied | None
    """How far a Deny of the same document takes it back; None where no Deny touches it."""
    resource: str
    """The console's word: `All resources`, `Multiple`, or the one resource; empty if nothing is given."""
    condition: str
    """The console's word: `None`, `Multiple`, or the one condition; empty if nothing is given."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """One row of the console's table: a service under one effect."""

    service: str
    """The prefix, such as `ec2`."""
    effect: Effect
    recognised: bool
    """Whether the reference knows the service; the others come first, as `Uncategorized services`."""
    access: str
    """The console's words, such as `Full: List Limited: Read, Write`; empty where the access is unknown."""
    levels: Mapping[str, LevelCount]
    """By access level, in the console's order: List, Read, Tagging, Write, Permissions management, then `unknown`."""
    resource: str
    condition: str
    warnings: tuple[str, ...]
    actions: tuple[ActionSummary, ...]
    """In the order of the levels, then by name."""


def services_in(document: Document) -> tuple[ServiceSummary, ...]:
    """Return the document's services in the console's order: uncategorised, explicitly denied, allowed."""
    denies, allows = named_actions(document, "Deny"), named_actions(document, "Allow")
    deny_reader, allow_reader = _Reader(document, "Deny", {}), _Reader(document, "Allow", denies)
    found = [deny_reader.service(service, named) for service, named in denies.items()]
    found += [allow_reader.service(service, named) for service, named in allows.items()]
    rows = [row for row in found if row is not None]
    rows += _without_actions(document, rows, denies.keys() | allows.keys())
    return tuple(sorted(rows, key=lambda row: (row.recognised, row.recognised and row.effect == "Allow", row.service)))


_ORDER = {level: place for place, level in enumerate((*LEVELS, UNKNOWN_LEVEL))}


class _Read(NamedTuple):
    """An action's summary beside what its service's row needs to know of it."""

    summary: ActionSummary
    info: ActionInfo | None
    given: Given
    how: "_How"


@dataclass(frozen=True, slots=True)
class _Common:
    """What the summaries of actions that are given alike have in common."""

    given: Given
    denied: Denied | None
    resource: str
    condition: str


@dataclass(slots=True)
class _How:
    """How actions are named: by which patterns, and by which Deny statements."""

    statements: tuple[int, ...]
    denying: tuple[int, ...]
    sids: tuple[str, ...]
    patterns: tuple[str, ...]
    specific: bool
    """Whether a pattern names the service, so that what it cannot give is worth a warning."""
    on_all: bool
    """Whether all of these statements hold on the same resources for every action."""
    common: dict[tuple[object, ...], _Common]
    """By what makes a difference between actions that are named alike."""


class _Reader:
    """The reading of one document's statements of one effect; what actions have in common is worked out once."""

    def __init__(self, document: Document, effect: Effect, denials: Mapping[str, NamedActions]) -> None:
        self._effect = effect
        self._statements = document.statements
        self._denials = denials
        self._prefixes = [
            {pattern.partition(":")[0].lower() for pattern in entry.actions} for entry in document.statements
        ]
        self._hows: dict[tuple[tuple[Source, ...], tuple[Source, ...]], _How] = {}

    def service(self, service: str, named: NamedActions) -> ServiceSummary | None:
        """Return a service's row; None where only patterns over all services name it and give nothing of it."""
        infos = reference().actions(service)
        start = len(service) + 1
        denied_known = self._denials[service].known if service in self._denials else {}
        on_keys = {
            index: keys for index, entry in enumerate(self._statements) if (keys := checked_keys(entry, service))
        }
        read = [
            self._read(service, name, infos[name[start:].lower()], sources, denied_known.get(name, ()), on_keys)
            for name, sources in named.known.items()
        ]
        for name, sources in named.unknown.items():
            read.append(self._read(service, name, None, sources, self._denying(name), on_keys))
        all_named = Counter(entry.summary.level for entry in read)
        read = [entry for entry in read if entry.summary.given or entry.how.specific]
        unmatched = [_unmatched(pattern, sources, self._sids(sources)) for pattern, sources in named.unmatched.items()]
        if not read and not unmatched:
            return None
        given = [entry for entry in read if entry.summary.given]
        recognised = reference().has_service(service)
        levels = _levels(service, [entry.summary.level for entry in given])
        unknown_only = UNKNOWN_LEVEL in levels and not any(levels[level].granted for level in LEVELS if level in levels)
        summaries = [entry.summary for entry in read] + unmatched
        # An action that may not exist says nothing about the service's cells while others do.
        shown = [entry for entry in given if entry.info] or given
        common = {id(entry.given): entry.given for entry in shown}.values()
        idle = self._idle_resources(service, [entry for entry in read if entry.how.specific])
        # The console shows a resource of the service whose type it does not know, though it gives nothing.
        untyped = [resource for resource in idle if given and _is_untyped(service, resource)]
        resources = [*_resources(entry.grants for entry in common), *(("Resource", (entry,)) for entry in untyped)]
        return ServiceSummary(
            service=service,
            effect=self._effect,
            recognised=recognised,
            access="" if not recognised or unknown_only else console.access_words(levels, all_named),
            levels=levels,
            resource=console.resource_words(resources),
            condition=console.condition_words(line for entry in common for line in entry.conditions) if given else "",
            warnings=self._warnings(service, read, idle),
            actions=tuple(sorted(summaries, key=lambda entry: (_ORDER[entry.level], entry.action.lower()))),
        )

    def _read(
        self,
        service: str,
        name: str,
        info: ActionInfo | None,
        sources: tuple[Source, ...],
        denials: tuple[Source, ...],
        on_keys: Mapping[int, tuple[str, ...]],
    ) -> _Read:
        how = self._how(sources, denials)
        common = self._common(service, info, how, on_keys)
        given = common.given
        summary = ActionSummary(
            action=name,
            level=info.level if info else UNKNOWN_LEVEL,
            levels=info.levels if info else (UNKNOWN_LEVEL,),
            given=bool(given.grants),
            grants=given.grants,
            patterns=how.patterns,
            sids=how.sids,
            denied=common.denied,
            resource=common.resource,
            condition=common.condition,
            warnings=given.warnings if info else (*given.warnings, console.UNRECOGNISED_ACTION),
        )
        return _Read(summary, info, given, how)

    def _how(self, sources: tuple[Source, ...], denials: tuple[Source, ...]) -> _How:
        how = self._hows.get((sources, denials))
        if how is None:
            statements = tuple(dict.fromkeys(source.statement for source in sources))
            denying = tuple(dict.fromkeys(source.statement for source in denials))
            how = _How(
                statements=statements,
                denying=denying,
                sids=self._sids(sources),
                patterns=tuple(dict.fromkeys(source.pattern for source in sources)),
                specific=any(source.specific for source in sources),
                on_all=all(is_on_all(self._statements[index]) for index in (*statements, *denying)),
                common={},
            )
            self._hows[sources, denials] = how
        return how

    def _common(
        self, service: str, info: ActionInfo | None, how: _How, on_keys: Mapping[int, tuple[str, ...]]
    ) -> _Common:
        key: tuple[object, ...] = ()
        if info is None:
            key = (None,)
        elif on_keys or not how.on_all:
            supported = tuple(
                supports_key(info, wanted) for index in how.statements for wanted in on_keys.get(index, ())
            )
            key = (service, tuple(use.name for use in info.resource_types), supported)
        common = how.common.get(key)
        if common is None:
            given = given_by([self._statements[index] for index in how.statements], info)
            common = _Common(
                given=given,
                denied=denied(given.grants, [self._statements[index] for index in how.denying], info),
                resource=console.resource_words(_resources([given.grants])),
                condition=console.condition_words(given.conditions) if given.grants else "",
            )
            how.common[key] = common
        return common

    def _denying(self, literal: str) -> tuple[Source, ...]:
        """Return the Deny statements that name an action which the reference lacks."""
        if self._effect == "Deny":
            return ()
        return tuple(
            Source(index, "", specific=False)
            for index, entry in enumerate(self._statements)
            if entry.effect == "Deny" and names_action(entry, literal)
        )

    def _sids(self, sources: tuple[Source, ...]) -> tuple[str, ...]:
        sids = (self._statements[source.statement].sid for source in sources)
        return tuple(dict.fromkeys(sid for sid in sids if sid))

    def _warnings(self, service: str, read: list[_Read], idle: list[str]) -> tuple[str, ...]:
        if not reference().has_service(service):
            return (console.UNRECOGNISED_SERVICE,)
        warnings = []
        named = [entry for entry in read if entry.how.specific]
        if named and all(entry.given.lacks_resource for entry in named):
            warnings.append(console.NO_RESOURCES_DEFINED)
        elif idle:
            warnings.append(console.RESOURCES_WITHOUT_ACTION)
        elif any(entry.given.lacks_resource for entry in named):
            warnings.append(console.ACTIONS_WITHOUT_RESOURCE)
        if self._idle_condition(service, named):
            warnings.append(console.CONDITIONS_WITHOUT_ACTION)
        elif any(entry.given.lacks_condition for entry in named):
            warnings.append(console.ACTIONS_WITHOUT_CONDITION)
        if any(entry.info is None for entry in read):
            warnings.append(console.UNRECOGNISED_ACTIONS)
        return tuple(warnings)

    def _idle_resources(self, service: str, named: list[_Read]) -> list[str]:
        """Return the resources that a statement gives the service although no action of it there can be used on them."""
        idle = []
        for index, infos in _by_statement(named):
            statement = self._statements[index]
            for resource in statement.resources if statement.resource_element == "Resource" else ():
                owner = arn.split_arn(resource).service.lower()
                stray = not reference().has_service(owner) and "*" not in owner and owner not in self._prefixes[index]
                if (owner == service or stray) and not any(can_be_on(info, resource) for info in infos):
                    idle.append(resource)
        return idle

    def _idle_condition(self, service: str, named: list[_Read]) -> bool:
        """Return whether a statement sets a key of the service that no action given there supports."""
        for index, infos in _by_statement([entry for entry in named if entry.summary.given]):
            for line in self._statements[index].conditions:
                own = line.key.lower().startswith(service + ":") and needs_its_key(line)
                if own and not any(supports_key(info, line.key) for info in infos):
                    return True
        return False


def _is_untyped(service: str, resource: str) -> bool:
    return arn.split_arn(resource).service.lower() == service and not is_of_known_type(service, resource)


def _by_statement(read: list[_Read]) -> Iterable[tuple[int, list[ActionInfo]]]:
    """Return the known actions that each statement names, by the statement's place."""
    found: dict[int, list[ActionInfo]] = {}
    for entry in read:
        if entry.info is not None:
            for index in entry.how.statements:
                found.setdefault(index, []).append(entry.info)
    return found.items()


def _levels(service: str, given: list[str]) -> dict[str, LevelCount]:
    granted = Counter(given)
    totals = reference().level_totals(service)
    levels = {level: LevelCount(granted[level], totals[level]) for level in LEVELS if level in totals}
    if granted[UNKNOWN_LEVEL]:
        levels[UNKNOWN_LEVEL] = LevelCount(granted[UNKNOWN_LEVEL], 0)
    return levels


def _resources(groups: Iterable[tuple[Grant, ...]]) -> Iterator[tuple[ResourceElement, tuple[str, ...]]]:
    for grants in groups:
        for grant in grants:
            yield grant.resource_element, grant.resources


def _unmatched(pattern: str, sources: tuple[Source, ...], sids: tuple[str, ...]) -> ActionSummary:
    """Return the row of a wildcard that matches no known action."""
    return ActionSummary(
        action=pattern,
        level=UNKNOWN_LEVEL,
        levels=(UNKNOWN_LEVEL,),
        given=False,
        grants=(),
        patterns=tuple(dict.fromkeys(source.pattern for source in sources)),
        sids=sids,
        denied=None,
        resource="",
        condition="",
        warnings=(console.UNMATCHED_PATTERN,),
    )


def _without_actions(document: Document, rows: list[ServiceSummary], mentioned: set[str]) -> Iterator[ServiceSummary]:
    """Yield a row for each known service of which the document names resources but no action, unless others use them."""
    named: dict[tuple[Effect, str], list[str]] = {}
    for statement in document.statements:
        for resource in statement.resources if statement.resource_element == "Resource" else ():
            service = arn.split_arn(resource).service.lower()
            if service not in mentioned and reference().has_service(service):
                named.setdefault((statement.effect, service), []).append(resource)
    used = {
        resource
        for row in rows
        if named
        for action in row.actions
        for grant in action.grants
        for resource in grant.resources
    }
    for (effect, service), resources in named.items():
        if used.isdisjoint(resources):
            yield ServiceSummary(
                service=service,
                effect=effect,
                recognised=True,
                access=console.NO_ACTIONS,
                levels=_levels(service, []),
                resource=console.resource_words(("Resource", (resource,)) for resource in resources),
                condition="",
                warnings=(),
                actions=(),
            )
