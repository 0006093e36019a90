"""The actions that a document matches, expanded over the service authorization reference, and what it grants of each.

Literal actions that the reference lacks always count, because AWS has undocumented actions. Wildcards match them too if
the same effect names them elsewhere in the document.

A policy such as PowerUserAccess matches 22,000 actions at once. What is granted of an action depends only on the
statements that allow or deny it, its resource types and the condition keys it supports, so it is computed once for each
such combination.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ekstui.errors import DocumentError
from ekstui.iam import wildcard
from ekstui.iam.applicability import (
    Comparisons,
    EffectiveGrants,
    check_cost,
    checked_keys,
    given_by,
    is_same_for,
    kind_of_key,
    supports_key,
)
from ekstui.iam.document import Condition, Document, Effect, Statement
from ekstui.iam.grants import action_matches
from ekstui.iam.reference import ActionInfo, action_info, reference
from ekstui.named_tuples import NamedTuple

# Limits on what is read, far above what IAM accepts (10,240 characters). The largest AWS managed policy has 4,500
# action patterns, 390 of them with a wildcard, and 200,000 pairs of an action and a resource or condition.
MAX_PATTERNS = 20_000
"""The most action patterns in one document."""

MAX_WILD_PATTERNS = 4_000
"""The most distinct patterns with a wildcard in one document; each is matched against all actions of its service."""

MAX_BROAD_PATTERNS = 100
"""The most distinct patterns with a wildcard in the service part; each is matched against all known actions."""

MAX_WIDE_STATEMENTS = 400
"""The most statements about actions of every service; IAM's size limit allows half as many."""

MAX_PAIRS = 2_000_000
"""The most pairs of a matched action and a resource or condition of its statement, in one document."""

MAX_CHARACTERS_COMPARED = 100_000_000
"""The most characters in those pairs, since JSON repeats them for every action. AWS's policies have up to 8 million."""


MANY_SERVICES = 20
"""From how many services on it is quicker to read the names of all at once than each service's own file."""


def check_patterns(document: Document) -> None:
    """Raise DocumentError if a document has more action patterns than can be expanded in a few seconds."""
    patterns = [pattern for statement in document.statements for pattern in statement.actions]
    wild = {pattern for pattern in patterns if wildcard.is_wild(pattern)}
    broad = sum(wildcard.is_wild(pattern.partition(":")[0]) for pattern in wild)
    for count, limit, counted_parts in (
        (len(patterns), MAX_PATTERNS, "action patterns"),
        (len(wild), MAX_WILD_PATTERNS, "different patterns with wildcards"),
        (sum(map(_is_wide, document.statements)), MAX_WIDE_STATEMENTS, "statements about actions of every service"),
        (broad, MAX_BROAD_PATTERNS, "patterns with a wildcard for the service"),
    ):
        if count > limit:
            raise DocumentError(f"{count:,} {counted_parts}; ekstui reads up to {limit:,}.", "Statement")


def names_many_services(document: Document) -> bool:
    """Return whether a document may match actions of more services than is quick to read one by one."""
    prefixes = {pattern.partition(":")[0] for statement in document.statements for pattern in statement.actions}
    return len(prefixes) > MANY_SERVICES or any(map(_is_wide, document.statements))


def _is_wide(statement: Statement) -> bool:
    return statement.action_element == "NotAction" or any(
        wildcard.is_wild(pattern.partition(":")[0]) for pattern in statement.actions
    )


class PairCount:
    """The running number of pairs of an action and a resource or condition of its statement."""

    def __init__(self) -> None:
        self._pairs = self._characters = 0

    def add(self, index: int, actions: int, lines: int, characters: int = 0) -> None:
        """Count a statement's actions with its resources and conditions; DocumentError beyond the limits."""
        self._pairs += actions * max(1, lines)
        self._characters += actions * characters
        if self._characters > MAX_CHARACTERS_COMPARED:
            message = (
                f"its resources and conditions, for each action, have more than {MAX_CHARACTERS_COMPARED:,} characters."
            )
            raise DocumentError(message, f"Statement[{index}]")
        if self._pairs > MAX_PAIRS:
            message = f"together the statements name more than {MAX_PAIRS:,} pairs of an action and a resource."
            raise DocumentError(message, f"Statement[{index}]")


class MatchingPattern:
    """What matches an action: one pattern of one statement; one value is shared by all actions that it matches."""

    __slots__ = ("pattern", "specific", "statement")

    def __init__(self, statement: int, pattern: str, *, specific: bool) -> None:
        self.statement = statement
        """Its position in the document, from 0."""
        self.pattern = pattern
        """As written; for `NotAction` the whole list, as `NotAction: iam:*, account:*`."""
        self.specific = specific
        """Whether it names the service, so that an action it cannot grant is worth a warning."""


class NamedActions(NamedTuple):
    """The actions of one service that a document matches under one effect."""

    listed: dict[str, tuple[MatchingPattern, ...]]
    """By the reference's spelling, such as `ec2:DescribeSubnets`."""
    unknown: dict[str, tuple[MatchingPattern, ...]]
    """Literal actions that the reference lacks, as first written."""
    unmatched: dict[str, tuple[MatchingPattern, ...]]
    """Wildcards, as written, that match no known action of this service."""

    def add_known(self, groups: Sequence[tuple[MatchingPattern, tuple[str, ...]]], total: int) -> None:
        """Add the known actions that each pattern matches, out of `total` of the service.

        What matches all of them is put together once, and actions that match the same share a tuple.
        """
        for source, names in groups:
            self.listed.update(dict.fromkeys(names, (source,)))
        if len(self.listed) == sum([len(names) for _, names in groups]):
            return
        # Some are matched more than once.
        self.listed.clear()
        whole_places = [place for place, (_, names) in enumerate(groups) if len(names) == total]
        scattered: defaultdict[str, list[int]] = defaultdict(list)
        for place, (_, names) in enumerate(groups):
            if len(names) != total:
                for name in names:
                    scattered[name].append(place)
        alike: dict[tuple[int, ...], tuple[MatchingPattern, ...]] = {}
        for name in groups[whole_places[0]][1] if whole_places else scattered:
            own_places = tuple(scattered.get(name, ()))
            if own_places not in alike:
                alike[own_places] = tuple(groups[place][0] for place in sorted((*whole_places, *own_places)))
            self.listed[name] = alike[own_places]


def _characters(condition: Condition) -> int:
    return len(condition.operator) + len(condition.key) + sum(map(len, condition.values))


def named_actions(document: Document, effect: Effect) -> dict[str, NamedActions]:
    """Return what statements of one effect match, by service in lower case; DocumentError beyond the limits above."""
    statements = [(index, entry) for index, entry in enumerate(document.statements) if entry.effect == effect]
    if not statements:
        return {}
    check_patterns(document)
    pairs = PairCount()
    services: defaultdict[str, NamedActions] = defaultdict(lambda: NamedActions({}, {}, {}))
    by_service: defaultdict[str, list[tuple[MatchingPattern, tuple[str, ...]]]] = defaultdict(list)
    lines = {index: len(statement.resources) + len(statement.conditions) for index, statement in statements}
    characters = {
        index: sum(map(len, statement.resources)) + sum(map(_characters, statement.conditions))
        for index, statement in statements
    }
    for index, statement in statements:
        for source, service, names in _expanded(index, statement):
            if names:
                # What matches the whole service is looked at once for all of its actions.
                count = 1 if len(names) == reference().action_count(service) else len(names)
                pairs.add(index, count, lines[index], characters[index])
                by_service[service].append((source, names))
            else:
                unmatched_patterns = services[service].unmatched
                unmatched_patterns[source.pattern] = (*unmatched_patterns.get(source.pattern, ()), source)
    for service, groups in by_service.items():
        services[service].add_known(groups, reference().action_count(service))
    literals = LiteralIndex(statements, pairs)
    for literal in literals.unknown():
        service = literal.partition(":")[0].lower()
        sources = literals.sources(literal)
        for index in {source.statement for source in sources}:
            pairs.add(index, 1, lines[index], characters[index])
        services[service].unknown[literal] = sources
    return dict(services)


class LiteralIndex:
    """What statements match of single actions, mainly unknown ones: by name, by wildcard, by exception."""

    def __init__(self, statements: Iterable[tuple[int, Statement]], pairs: PairCount) -> None:
        self._pairs = pairs
        self._written: dict[str, str] = {}
        self._exact: defaultdict[str, list[MatchingPattern]] = defaultdict(list)
        self._wild: defaultdict[str, list[tuple[str, MatchingPattern]]] = defaultdict(list)
        """By service, or `*` for any, with the pattern in lower case."""
        self._exceptions: list[tuple[MatchingPattern, Statement]] = []
        for index, statement in statements:
            if statement.action_element == "NotAction":
                self._exceptions.append((MatchingPattern(index, _not_action(statement), specific=False), statement))
                continue
            for pattern in statement.actions:
                self._add(index, pattern)

    def _add(self, index: int, pattern: str) -> None:
        lower = pattern.lower()
        service, colon, name = lower.partition(":")
        if wildcard.is_wild(service) and (colon or not pattern.strip("*")):
            self._wild["*"].append((lower, MatchingPattern(index, pattern, specific=False)))
        elif wildcard.is_wild(name):
            self._wild[service].append((lower, MatchingPattern(index, pattern, specific=True)))
        elif colon and service and name:
            self._written.setdefault(lower, pattern)
            self._exact[lower].append(MatchingPattern(index, pattern, specific=True))

    def unknown(self) -> tuple[str, ...]:
        """Return the literal actions that the reference lacks, as first written."""
        expand = reference().expand_by_service
        return tuple([literal for lower, literal in self._written.items() if not expand(lower)])

    def sources(self, action: str) -> tuple[MatchingPattern, ...]:
        """Return everything that matches one action, in document order."""
        lower = action.lower()
        candidates = [*self._wild.get(lower.partition(":")[0], ()), *self._wild.get("*", ())]
        comparisons = len(candidates) + sum(len(statement.actions) for _, statement in self._exceptions)
        self._pairs.add(0, comparisons, 1)
        sources = [*self._exact.get(lower, ())]
        sources += [source for pattern, source in candidates if wildcard.matches(pattern, lower)]
        sources += [source for source, statement in self._exceptions if action_matches(statement, action)]
        return tuple(sorted(sources, key=lambda source: source.statement))


def _expanded(index: int, statement: Statement) -> Iterator[tuple[MatchingPattern, str, tuple[str, ...]]]:
    """Yield the known actions that each pattern of a statement matches, one service at a time.

    A wildcard in a service that matches no known action yields no names.
    """
    if statement.action_element == "NotAction":
        source = MatchingPattern(index, _not_action(statement), specific=False)
        for service, names in _all_but(statement.actions):
            yield source, service, names
        return
    for pattern in statement.actions:
        service_pattern = pattern.partition(":")[0]
        source = MatchingPattern(index, pattern, specific=not wildcard.is_wild(service_pattern))
        services = reference().expand_by_service(pattern)
        for service, names in services:
            yield source, service, names
        if not services and source.specific and wildcard.is_wild(pattern):
            yield source, service_pattern.lower(), ()


def _all_but(patterns: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    excluded_names: set[str] = set()
    services_with_exclusions: set[str] = set()
    for pattern in dict.fromkeys(patterns):
        for service, names in reference().expand_by_service(pattern):
            services_with_exclusions.add(service)
            excluded_names.update(names)
    for service, names in reference().expand_by_service("*"):
        remaining_names = (
            tuple(name for name in names if name not in excluded_names)
            if service in services_with_exclusions
            else names
        )
        if remaining_names:
            yield service, remaining_names


def _not_action(statement: Statement) -> str:
    return "NotAction: " + ", ".join(statement.actions)


class MatchedAction(NamedTuple):
    """One action that a document matches, and what the document grants of it."""

    name: str
    info: ActionInfo | None
    """None if the reference lacks the action."""
    sources: tuple[MatchingPattern, ...]
    statements: tuple[int, ...]
    """The positions of the statements that match it."""
    effective: EffectiveGrants
    """One value for all actions in the same situation."""

    @property
    def specific(self) -> bool:
        """Whether a pattern names the service, so that what it cannot grant is worth a warning."""
        # Usually there is one.
        return self.sources[0].specific or any(source.specific for source in self.sources[1:])


class _Group:
    """The actions that the same statements match and the same statements deny."""

    def __init__(self, statements: tuple[int, ...], denying: tuple[int, ...]) -> None:
        self.statements = statements
        self.denying = denying
        self.by_service: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {}
        """The statements that may apply to different resources for actions of a service, and the keys to check."""
        self.effective: dict[object, EffectiveGrants] = {}
        """By whatever else makes a difference."""


_NO_SOURCES: tuple[MatchingPattern, ...] = ()


class StatementMatcher:
    """Reads one document's statements of one effect."""

    def __init__(self, document: Document, effect: Effect, denials: Mapping[str, NamedActions]) -> None:
        self._statements = document.statements
        self._denials = denials
        denying = [
            (index, entry)
            for index, entry in enumerate(document.statements)
            if entry.effect == "Deny" and effect == "Allow"
        ]
        self._literal_denials = LiteralIndex(denying, PairCount())
        self._groups: dict[tuple[tuple[int, ...], ...], _Group] = {}
        self._alone: dict[int, _Group] = {}
        """By the only statement."""
        self._by_sources: dict[
            tuple[int, int], tuple[_Group, tuple[MatchingPattern, ...], tuple[MatchingPattern, ...]]
        ] = {}
        """By the identities of two tuples, which are kept so that these are not reused."""
        self._comparisons = Comparisons()

    def service(self, service: str, named_actions: NamedActions) -> list[MatchedAction]:
        """Return the actions of a service that the document matches, in the reference's order, unknown ones last."""
        denied_known = self._denials[service].listed if service in self._denials else {}
        matched_actions = [
            self._read(service, name, action_info(name), sources, denied_known.get(name, _NO_SOURCES))
            for name, sources in named_actions.listed.items()
        ]
        for name, sources in named_actions.unknown.items():
            matched_actions.append(self._read(service, name, None, sources, self._literal_denials.sources(name)))
        return matched_actions

    def _read(
        self,
        service: str,
        name: str,
        info: ActionInfo | None,
        sources: tuple[MatchingPattern, ...],
        denied_by: tuple[MatchingPattern, ...],
    ) -> MatchedAction:
        group = self._group(sources, denied_by)
        key: object = None
        unlike: tuple[int, ...] = ()
        if info is not None:
            unlike, keys = group.by_service.get(service) or self._on_service(group, service)
            support = tuple([supports_key(info, key_name) for key_name in keys]) if keys else ()
            signature = (service, tuple(use.name for use in info.resource_types)) if unlike else info.takes_resources
            key = (signature, support)
        effective = group.effective.get(key)
        if effective is None:
            effective = group.effective[key] = self._effective(group, info, unlike, key)
        return MatchedAction(name, info, sources, group.statements, effective)

    def _effective(
        self, group: _Group, info: ActionInfo | None, unlike: tuple[int, ...], key: object
    ) -> EffectiveGrants:
        """Return what a group's statements grant of an action; the `unlike` are checked as far as the limit goes."""
        statements = [self._statements[place] for place in group.statements]
        denials = [self._statements[place] for place in group.denying]
        if self._comparisons.check(sum(check_cost(self._statements[place].resources) for place in unlike)):
            return given_by(statements, info, denials, self._comparisons)
        unchecked_key = ("unchecked", key[1] if isinstance(key, tuple) else ())
        if unchecked_key not in group.effective:
            group.effective[unchecked_key] = given_by(statements, info, denials, self._comparisons, is_checked=False)
        return group.effective[unchecked_key]

    def _group(self, sources: tuple[MatchingPattern, ...], denied_by: tuple[MatchingPattern, ...]) -> _Group:
        if len(sources) == 1 and not denied_by:  # as most are
            index = sources[0].statement
            return self._alone.get(index) or self._alone.setdefault(index, self._group_of((index,), ()))
        ids = id(sources), id(denied_by)
        entry = self._by_sources.get(ids)
        if entry is None:
            group = self._group_of(_places(sources), _places(denied_by))
            entry = self._by_sources[ids] = group, sources, denied_by
        return entry[0]

    def _group_of(self, *places: tuple[int, ...]) -> _Group:
        return self._groups.get(places) or self._groups.setdefault(places, _Group(*places))

    def _on_service(self, group: _Group, service: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the statements whose resources may differ for a service's actions, and the keys to check."""
        places = (*group.statements, *group.denying)
        unlike = tuple(place for place in places if not is_same_for(self._statements[place], service))
        keys = (key for place in group.statements for key in checked_keys(self._statements[place], service))
        checks = group.by_service[service] = unlike, tuple(dict.fromkeys(map(kind_of_key, keys)))
        return checks


def _places(sources: tuple[MatchingPattern, ...]) -> tuple[int, ...]:
    if len(sources) == 1:
        return (sources[0].statement,)
    return tuple(dict.fromkeys(source.statement for source in sources))
