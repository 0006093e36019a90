"""What changed in the policies since a time, from the cache's index or, without one, from the documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from ekstui.change.policy import Scope, aws_scope
from ekstui.change.steps import FeedStep, newest_first, numbers_since, steps_since
from ekstui.files import digest_of
from ekstui.library.access_policies import access_steps
from ekstui.library.catalog import PolicyReader, document_of
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple
from ekstui.sources.shipped import PublishedPolicies, shipped_in
from ekstui.store.index import ShippedSteps, feed, judging_version, shipped_steps, steps_of_rows


class ChangesFeed(NamedTuple):
    """What AWS changed since a time."""

    complete: bool
    """False if the time is after the last known change, so that nothing can be said."""
    changes: tuple[FeedStep, ...]
    """Newest first."""


def changes_feed(library: Library, since: datetime | None = None, scope: Scope = "eks") -> ChangesFeed:
    """Return what AWS changed since a time, newest first; incomplete if that is after the last known change."""
    steps: list[FeedStep] = []
    complete = True
    if (among := aws_scope(scope)) is not None:
        complete = since is None or since <= library.data().newest
        steps += _steps(library, since, among) if complete else ()
    for reader in shipped_in(scope):
        family_steps = _shipped_steps(reader, since)
        complete = complete and family_steps is not None
        steps += family_steps or ()
    if scope in ("access", "any"):
        steps += access_steps(since)
    return ChangesFeed(complete, newest_first(steps) if scope not in ("eks", "all") else tuple(steps))


def steps_of_attached(steps: Iterable[FeedStep], names: Collection[str]) -> list[FeedStep]:
    """Return the steps of attached IAM policies, by name; a policy of another family may have the name of one."""
    return [step for step in steps if step.family == "aws-managed" and step.policy in names]


def _steps(library: Library, since: datetime | None, scope: Scope) -> tuple[FeedStep, ...]:
    steps_of_index = library.cached(lambda: feed(library.store, since, judging_version(), scope))
    if steps_of_index is not None:
        return steps_of_index
    steps_of_corpus = shipped_steps(library.corpus.steps(), judging_version())
    return library.ask(lambda reader: read_feed(reader, steps_of_corpus, since, scope))


def read_feed(
    reader: PolicyReader, shipped: ShippedSteps, since: datetime | None, scope: Scope
) -> tuple[FeedStep, ...]:
    """Return the steps since a time, newest first: as they ship, or from the documents where these are others."""
    steps: list[FeedStep] = []
    for history in reader.histories(scope):
        policy, texts = history.policy, history.texts
        if not (numbers := numbers_since(policy, since)):
            continue
        rows = shipped(policy.name, {number: digest_of(text) for number, text in texts.items()})
        if rows is None:
            steps.extend(steps_since(policy, {number: document_of(history, number) for number in numbers}, since))
        else:
            steps.extend(steps_of_rows(policy, rows, since))
    return newest_first(steps)


def _shipped_steps(reader: PublishedPolicies, since: datetime | None) -> tuple[FeedStep, ...] | None:
    """Return the steps of a family that ships since a time; None if that is after what is known of it."""
    if since is not None and since.date() > reader.until():
        return None

    steps: list[FeedStep] = []
    for policy in reader.policies():
        documents = {info.number: reader.document(policy.name, info.number) for info in policy.versions}
        steps.extend(steps_since(policy, documents, since))
    return tuple(steps)
