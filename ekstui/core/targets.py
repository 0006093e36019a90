"""Which versions of a policy match which actions, for an index that answers without the documents."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ekstui.core import wildcard
from ekstui.core.document import ActionElement, Document, Effect, Statement
from ekstui.core.policy import Policy


class TargetUse(NamedTuple):
    """One effect on one action pattern, and where a policy's versions have it."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """As written: one pattern for `Action`; the whole list for `NotAction`."""
    versions: Mapping[int, tuple[int, ...]]
    """The versions that have it, ascending, by the place of their frame; one value for all that are alike."""


def service_of(element: ActionElement, actions: Sequence[str]) -> str:
    """Return a target's prefix in lower case, or `*` if it may match several services."""
    if element == "NotAction":
        return "*"
    prefix, colon, _ = actions[0].lower().partition(":")
    return prefix if colon and not wildcard.is_wild(prefix) else "*"


class Targets(NamedTuple):
    """Which versions of a policy match which actions."""

    frames: tuple[Statement, ...]
    """The statements without their actions: the default version's in their order, then those of other versions."""
    uses: tuple[TargetUse, ...]


def targets_of(documents: Mapping[int, Document], default: int) -> Targets:
    """Return every target in a policy's documents, which are given by version number.

    Statements that are one object in several documents are looked at once.
    """
    frames: dict[tuple[Statement, int], int] = {}
    split: dict[int, tuple[Statement, frozenset[Any]]] = {}

    def by_place(document: Document) -> dict[int, frozenset[Any]]:
        found: dict[int, frozenset[Any]] = {}
        alike: Counter[Statement] = Counter()
        for statement in document.statements:
            if id(statement) not in split:
                listed = statement.actions if statement.action_element == "Action" else (statement.actions,)
                split[id(statement)] = statement._replace(actions=()), frozenset(listed)
            frame, actions = split[id(statement)]
            found[frames.setdefault((frame, alike[frame]), len(frames))] = actions
            alike[frame] += 1
        return found

    by_place(documents[default])
    numbers = sorted(documents)
    placed = [by_place(documents[number]) for number in numbers]
    listed = tuple(frame for frame, _ in frames)
    return Targets(listed, tuple(_uses(listed, numbers, placed)))


def _uses(
    frames: Sequence[Statement], numbers: Sequence[int], placed: Sequence[Mapping[int, frozenset[Any]]]
) -> Iterator[TargetUse]:
    """Yield the targets of versions that have these actions in these frames.

    A version differs little from the one before, so only what changes is looked at.
    """
    none: frozenset[Any] = frozenset()
    since: list[dict[Any, int]] = [{} for _ in frames]
    spans: dict[tuple[Effect, ActionElement], dict[Any, list[tuple[int, int, int]]]] = {}
    before: Mapping[int, frozenset[Any]] = {}
    for position, now in enumerate((*placed, {})):
        for place in before.keys() | now.keys():
            held, holds = before.get(place, none), now.get(place, none)
            if held is holds:
                continue
            found = spans.setdefault((frames[place].effect, frames[place].action_element), {})
            starts = since[place]
            for action in held - holds:
                found.setdefault(action, []).append((place, starts.pop(action), position))
            starts.update(dict.fromkeys(holds - held, position))
        before = now
    shared: dict[tuple[tuple[int, int, int], ...], dict[int, tuple[int, ...]]] = {}
    for (effect, element), found in spans.items():
        for action, listed in found.items():
            key = tuple(listed)
            versions = shared.get(key)
            if versions is None:
                versions = shared[key] = {}
                for place, start, end in key:
                    versions[place] = (*versions.get(place, ()), *numbers[start:end])
            yield TargetUse(effect, element, (action,) if element == "Action" else action, versions)


def written_numbers(numbers: Iterable[int]) -> str:
    """Return ascending numbers as ranges: `1-4,6`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def read_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in such ranges; ValueError for any other text."""
    numbers: list[int] = []
    for run in text.split(",") if text else ():
        first, dash, last = run.partition("-")
        numbers.extend(range(int(first), int(last if dash else first) + 1))
    return tuple(numbers)


class Candidate(NamedTuple):
    """A policy whose default version may allow an action, reduced to what concerns that action."""

    policy: Policy
    allowing: tuple[int, ...]
    """The versions with an Allow for the action, whatever its conditions and any Deny; ascending."""
    documents: Mapping[int, Document]
    """By version, reduced to the statements and patterns that may match the action, sorted.

    Those of `allowing`; of a pattern, at least the default version."""

    @property
    def document(self) -> Document:
        """The default version, reduced."""
        return self.documents[self.policy.default_version]


def may_match(element: ActionElement, actions: Iterable[str], action: str) -> bool:
    """Return whether a target may match an action, or some action under a pattern, given in lower case."""
    lowered = map(str.lower, actions)
    if element == "Action":
        return any(wildcard.overlaps(pattern, action) for pattern in lowered)
    # Some lists have thousands of names, few of them with wildcards.
    return not any(
        pattern == action or (wildcard.is_wild(pattern) and wildcard.covers(pattern, action)) for pattern in lowered
    )


def candidate_of(policy: Policy, documents: Mapping[int, Document], action: str) -> Candidate | None:
    """Return a policy as a candidate for an action or pattern in lower case; None if its default version does not allow it."""
    documents = {number: _reduced(document, action) for number, document in sorted(documents.items())}
    allowing = tuple(
        number
        for number, document in documents.items()
        if any(statement.effect == "Allow" for statement in document.statements)
    )
    return Candidate(policy, allowing, documents) if policy.default_version in allowing else None


def _reduced(document: Document, action: str) -> Document:
    kept = tuple(_cut(statement, action) for statement in document.statements if statement_may_match(statement, action))
    return document._replace(statements=kept)


def statement_may_match(statement: Statement, action: str) -> bool:
    """Return whether a statement matches an action, or some action under a pattern, whatever its case."""
    return may_match(statement.action_element, statement.actions, action.lower())


def _cut(statement: Statement, action: str) -> Statement:
    if statement.action_element == "NotAction":
        return statement
    kept = tuple(sorted({pattern for pattern in statement.actions if may_match("Action", (pattern,), action)}))
    return statement._replace(actions=kept)
