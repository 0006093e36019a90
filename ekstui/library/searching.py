"""Questions about all policies and their history, answered from the cache's index or, without one, from the documents."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ekstui.core.steps import FeedStep, newest_first, numbers_since, steps_since
from ekstui.core.targets import Candidate, candidate_of, statement_may_match
from ekstui.library.catalog import PolicyReader, parse_stored
from ekstui.scope import Scope, aws_scope
from ekstui.sources.shipped import ShippedPolicies, shipped_in

# The index answers in milliseconds; what reads documents or what controllers publish is imported where it is needed.
if TYPE_CHECKING:
    from ekstui.core.document import Document
    from ekstui.core.policy import PolicyHistory
    from ekstui.library.library import Library


class ChangesFeed(NamedTuple):
    """What AWS changed since a time."""

    complete: bool
    """False if the time is after the last known change, so that nothing can be said."""
    changes: tuple[FeedStep, ...]
    """Newest first."""


def candidates(library: Library, action: str, scope: Scope) -> tuple[Candidate, ...]:
    """Return the policies that may allow an action or a pattern, in the list's order."""
    wanted = action.lower()
    found: tuple[Candidate, ...] = ()
    if (among := aws_scope(scope)) is not None:
        from ekstui.store import index

        indexed = library.cached(lambda: index.candidates(library.store, wanted, among))
        found = library.ask(lambda reader: read_candidates(reader, wanted, among)) if indexed is None else indexed
    for reader in shipped_in(scope):
        found += read_candidates(reader, wanted, scope)
    return found


def changes(library: Library, since: datetime | None = None, scope: Scope = "eks") -> ChangesFeed:
    """Return what AWS changed since a time, newest first, new policies and steps that change nothing included.

    The feed is not complete if the time is after `library.data().newest`.
    """
    steps: list[FeedStep] = []
    complete = True
    if (among := aws_scope(scope)) is not None:
        complete = since is None or since <= library.data().newest
        steps += _steps(library, since, among) if complete else ()
    for reader in shipped_in(scope):
        shipped = _shipped_steps(reader, since)
        complete = complete and shipped is not None
        steps += shipped or ()
    if scope in ("access", "any"):
        from ekstui.library.access_policies import access_steps

        steps += access_steps(since)
    return ChangesFeed(complete, newest_first(steps) if scope not in ("eks", "all") else tuple(steps))


def _steps(library: Library, since: datetime | None, scope: Scope) -> tuple[FeedStep, ...]:
    from ekstui.store.index import feed, judged_by

    indexed = library.cached(lambda: feed(library.store, since, judged_by(), scope))
    return library.ask(lambda reader: read_feed(reader, since, scope)) if indexed is None else indexed


def read_candidates(reader: PolicyReader, action: str, scope: Scope) -> tuple[Candidate, ...]:
    """Return the policies whose documents may allow an action, which is given in lower case."""
    found = (_candidate(history, action) for history in reader.histories(scope))
    return tuple(candidate for candidate in found if candidate is not None)


def read_feed(reader: PolicyReader, since: datetime | None, scope: Scope) -> tuple[FeedStep, ...]:
    """Return the steps since a time, newest first, from the documents."""
    steps: list[FeedStep] = []
    for history in reader.histories(scope):
        numbers = numbers_since(history.policy, since)
        documents = {number: _document(history, number) for number in numbers}
        steps.extend(steps_since(history.policy, documents, since))
    return newest_first(steps)


def _candidate(history: PolicyHistory, action: str) -> Candidate | None:
    default = history.policy.default_version
    if not any(
        statement.effect == "Allow" and statement_may_match(statement, action)
        for statement in _document(history, default).statements
    ):
        return None
    return candidate_of(history.policy, {number: _document(history, number) for number in history.texts}, action)


def _document(history: PolicyHistory, number: int) -> Document:
    return parse_stored(history.policy.name, number, history.texts[number])


def _shipped_steps(reader: ShippedPolicies, since: datetime | None) -> tuple[FeedStep, ...] | None:
    """Return the steps of a family that ships since a time; None if that is after what is known of it."""
    if since is not None and since.date() > reader.until():
        return None

    found: list[FeedStep] = []
    for policy in reader.policies():
        documents = {info.number: reader.document(policy.name, info.number) for info in policy.versions}
        found.extend(steps_since(policy, documents, since))
    return tuple(found)
