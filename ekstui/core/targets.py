"""Which versions of a policy match which actions, for an index that answers without the documents."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ekstui.core import wildcard
from ekstui.core.document import ActionElement, Document, Effect, Statement
from ekstui.core.policy import Policy


class TargetUse(NamedTuple):
    """One effect on one action pattern, and the versions of a policy that have it."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """As written: one pattern for `Action`; the whole list for `NotAction`."""
    versions: tuple[int, ...]
    """Ascending."""
    statements: tuple[int, ...]
    """The positions of the default version's statements that have it; empty if that version no longer has it."""

    @property
    def service(self) -> str:
        """The prefix in lower case, or `*` if it may match several services."""
        prefix, colon, _ = self.actions[0].lower().partition(":")
        literal = self.element == "Action" and colon and not re.search(r"[*?]", prefix)
        return prefix if literal else "*"


def target_uses(documents: Mapping[int, Document], default: int) -> tuple[TargetUse, ...]:
    """Return every target in a policy's documents, which are given by version number."""
    versions: dict[tuple[Effect, ActionElement, tuple[str, ...]], list[int]] = {}
    statements: dict[tuple[Effect, ActionElement, tuple[str, ...]], list[int]] = {}
    for number in sorted(documents):
        for place, statement in enumerate(documents[number].statements):
            element = statement.action_element
            lists = [(action,) for action in statement.actions] if element == "Action" else [statement.actions]
            for actions in lists:
                target = (statement.effect, element, actions)
                known = versions.setdefault(target, [])
                if known[-1:] != [number]:
                    known.append(number)
                if number == default:
                    places = statements.setdefault(target, [])
                    if places[-1:] != [place]:
                        places.append(place)
    return tuple(
        TargetUse(*target, versions=tuple(numbers), statements=tuple(statements.get(target, ())))
        for target, numbers in versions.items()
    )


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
    document: Document
    """The default version, reduced to the statements and patterns that may match the action, sorted."""
    allowing: tuple[int, ...]
    """The versions with an Allow for the action, whatever its conditions and any Deny; ascending."""


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
    allowing = tuple(
        number
        for number, document in sorted(documents.items())
        if any(
            statement.effect == "Allow" and statement_may_match(statement, action) for statement in document.statements
        )
    )
    if policy.default_version not in allowing:
        return None
    document = documents[policy.default_version]
    statements = tuple(
        _cut(statement, action) for statement in document.statements if statement_may_match(statement, action)
    )
    return Candidate(policy, document._replace(statements=statements), allowing)


def statement_may_match(statement: Statement, action: str) -> bool:
    """Return whether a statement matches an action, or some action under a pattern, whatever its case."""
    return may_match(statement.action_element, statement.actions, action.lower())


def _cut(statement: Statement, action: str) -> Statement:
    if statement.action_element == "NotAction":
        return statement
    kept = tuple(sorted({pattern for pattern in statement.actions if may_match("Action", (pattern,), action)}))
    return statement._replace(actions=kept)
