"""Answers over all policies and their history: from the cache's index, or from the documents where there is none."""

from datetime import datetime

from ekstui.core.document import Document
from ekstui.core.policy import PolicyHistory
from ekstui.core.published import policy_of
from ekstui.core.steps import FeedStep
from ekstui.core.targets import Candidate, candidate_of, may_match
from ekstui.library.catalog import PolicyReader, parse_stored
from ekstui.scope import Scope
from ekstui.sources.controllers import components, published_until


def read_candidates(reader: PolicyReader, action: str, scope: Scope) -> tuple[Candidate, ...]:
    """Return the policies that may allow an action, in lower case, from their documents."""
    found = (_candidate(history, action) for history in reader.histories(scope))
    return tuple(candidate for candidate in found if candidate is not None)


def read_feed(reader: PolicyReader, since: datetime | None, scope: Scope) -> tuple[FeedStep, ...]:
    """Return the steps since a time, newest first, from the documents."""
    from ekstui.core.timeline import (  # 3 ms, which who-can does without
        newest_first,
        numbers_since,
        steps_since,
    )

    steps: list[FeedStep] = []
    for history in reader.histories(scope):
        numbers = numbers_since(history.policy, since)
        documents = {number: _document(history, number) for number in numbers}
        steps.extend(steps_since(history.policy, documents, since))
    return newest_first(steps)


def _candidate(history: PolicyHistory, action: str) -> Candidate | None:
    default = history.policy.default_version
    if not any(
        statement.effect == "Allow" and may_match(statement.action_element, statement.actions, action)
        for statement in _document(history, default).statements
    ):
        return None
    return candidate_of(history.policy, {number: _document(history, number) for number in history.texts}, action)


def _document(history: PolicyHistory, number: int) -> Document:
    return parse_stored(history.policy.name, number, history.texts[number])


def published_steps(since: datetime | None) -> tuple[FeedStep, ...] | None:
    """Return the steps of what controllers publish since a time; None where that is later than what is known."""
    if since is not None and since.date() > published_until():
        return None
    from ekstui.core.timeline import steps_since  # 3 ms, which who-can does without

    found: list[FeedStep] = []
    for component in components().values():
        if component.is_part:
            continue
        policy = policy_of(component)
        documents = {
            info.number: version.document(version.named({}))
            for info, version in zip(policy.versions, component.versions, strict=True)
        }
        found.extend(steps_since(policy, documents, since))
    return tuple(found)
