"""What a document permits, service by service, in the words of the IAM console's policy summary.

The console's first table is `services_in(document)`, the second the `actions` of a service.
Beyond the console, every level carries its count, resources are checked against the action's resource types, and an
allowed action says how far a Deny of the same document takes it back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ekstui.core import arn, console
from ekstui.core.applicability import can_be_on, needs_its_key, supports_key
from ekstui.core.document import Document, Effect, ResourceElement
from ekstui.core.expansion import NamedActions, Source, named_actions, names_action
from ekstui.core.given import Denied, Given, denied, given_by, is_plain
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
    rows: list[ServiceSummary] = []
    mentioned: set[str] = set()
    for effect in ("Deny", "Allow"):
        reader = _Reader(document, effect)
        for service, named in named_actions(document, effect).items():
            mentioned.add(service)
            row = reader.service(service, named)
            if row is not None:
                rows.append(row)
    rows += _without_actions(document, rows, mentioned)
    return tuple(sorted(rows, key=lambda row: (row.recognised, row.recognised and row.effect == "Allow", row.service)))


@dataclass(frozen=True, slots=True)
class _Read:
    """An action's summary beside what its service's row needs to know of it."""

    summary: ActionSummary
    info: ActionInfo | None
    given: Given
    sources: tuple[Source, ...]

    @property
    def specific(self) -> bool:
        return any(source.specific for source in self.sources)


class _Reader:
    """The reading of one document's statements of one effect, which shares what actions have in common."""

    def __init__(self, document: Document, effect: Effect) -> None:
        self._statements = document.statements
        self._effect = effect
        self._denials = [entry for entry in document.statements if entry.effect == "Deny" and effect == "Allow"]
        self._plain = [is_plain(entry) for entry in document.statements]
        self._shared: dict[tuple[Source, ...], tuple[Given, tuple[str, ...], tuple[str, ...], str, str]] = {}

    def service(self, service: str, named: NamedActions) -> ServiceSummary | None:
        """Return a service's row; None where only patterns over all services name it and give nothing of it."""
        infos = reference().actions(service)
        start = len(service) + 1
        read = [self._action(name, infos[name[start:].lower()], sources) for name, sources in named.known.items()]
        read += [self._action(name, None, sources) for name, sources in named.unknown.items()]
        read = [entry for entry in read if entry.summary.given or entry.specific]
        unmatched = [_unmatched(pattern, sources, self._sids(sources)) for pattern, sources in named.unmatched.items()]
        if not read and not unmatched:
            return None
        given = [entry for entry in read if entry.summary.given]
        recognised = reference().has_service(service)
        levels = _levels(service, [entry.summary.level for entry in given])
        unknown_only = UNKNOWN_LEVEL in levels and not any(levels[level].granted for level in LEVELS if level in levels)
        order = {level: place for place, level in enumerate((*LEVELS, UNKNOWN_LEVEL))}
        summaries = [entry.summary for entry in read] + unmatched
        return ServiceSummary(
            service=service,
            effect=self._effect,
            recognised=recognised,
            access="" if not recognised or unknown_only else console.access_words(levels),
            levels=levels,
            resource=console.resource_words(_resources(entry.given.grants for entry in given)),
            condition=console.condition_words(line for entry in given for line in entry.given.conditions),
            warnings=self._warnings(service, recognised, read),
            actions=tuple(sorted(summaries, key=lambda entry: (order[entry.level], entry.action.lower()))),
        )

    def _action(self, name: str, info: ActionInfo | None, sources: tuple[Source, ...]) -> _Read:
        given, sids, patterns, resource, condition = self._common(info, sources)
        taken = None
        if self._denials and given.grants:
            denials = [entry for entry in self._denials if names_action(entry, name)]
            taken = denied(given.grants, denials, info) if denials else None
        summary = ActionSummary(
            action=name,
            level=info.level if info else UNKNOWN_LEVEL,
            levels=info.levels if info else (UNKNOWN_LEVEL,),
            given=bool(given.grants),
            grants=given.grants,
            patterns=patterns,
            sids=sids,
            denied=taken,
            resource=resource,
            condition=condition,
            warnings=given.warnings if info else (*given.warnings, console.UNRECOGNISED_ACTION),
        )
        return _Read(summary, info, given, sources)

    def _common(
        self, info: ActionInfo | None, sources: tuple[Source, ...]
    ) -> tuple[Given, tuple[str, ...], tuple[str, ...], str, str]:
        """Return what is given, the Sids, the patterns and the two cells; shared where the action makes no difference."""
        found = self._shared.get(sources)
        if found is not None:
            return found
        indices = tuple(dict.fromkeys(source.statement for source in sources))
        given = given_by([self._statements[index] for index in indices], info)
        found = (
            given,
            self._sids(sources),
            tuple(dict.fromkeys(source.pattern for source in sources)),
            console.resource_words(_resources([given.grants])),
            console.condition_words(given.conditions) if given.grants else "",
        )
        if all(self._plain[index] for index in indices):
            self._shared[sources] = found
        return found

    def _sids(self, sources: tuple[Source, ...]) -> tuple[str, ...]:
        sids = (self._statements[source.statement].sid for source in sources)
        return tuple(dict.fromkeys(sid for sid in sids if sid))

    def _warnings(self, service: str, recognised: bool, read: list[_Read]) -> tuple[str, ...]:
        if not recognised:
            return (console.UNRECOGNISED_SERVICE,)
        warnings = []
        named = [entry for entry in read if entry.specific]
        if named and all(entry.given.lacks_resource for entry in named):
            warnings.append(console.NO_RESOURCES_DEFINED)
        elif self._idle_resource(service, named):
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

    def _idle_resource(self, service: str, named: list[_Read]) -> bool:
        """Return whether a statement gives the service a resource that no action of it there can be used on."""
        for index, infos in _by_statement(named):
            statement = self._statements[index]
            if statement.resource_element != "Resource":
                continue
            prefixes = {pattern.partition(":")[0].lower() for pattern in statement.actions}
            for resource in statement.resources:
                owner = arn.split_arn(resource).service.lower()
                stray = not reference().has_service(owner) and "*" not in owner and owner not in prefixes
                if (owner == service or stray) and not any(can_be_on(info, resource) for info in infos):
                    return True
        return False

    def _idle_condition(self, service: str, named: list[_Read]) -> bool:
        """Return whether a statement sets a key of the service that no action given there supports."""
        for index, infos in _by_statement([entry for entry in named if entry.summary.given]):
            for line in self._statements[index].conditions:
                own = line.key.lower().startswith(service + ":") and needs_its_key(line)
                if own and not any(supports_key(info, line.key) for info in infos):
                    return True
        return False


def _by_statement(read: list[_Read]) -> Iterable[tuple[int, list[ActionInfo]]]:
    """Return the known actions that each statement names, by the statement's place."""
    found: dict[int, list[ActionInfo]] = {}
    for entry in read:
        for index in {source.statement for source in entry.sources if source.specific}:
            if entry.info is not None:
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
    seen: set[int] = set()
    for grants in groups:
        if id(grants) not in seen:
            seen.add(id(grants))
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
                condition=console.NO_CONDITION,
                warnings=(),
                actions=(),
            )
