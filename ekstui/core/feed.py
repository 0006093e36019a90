"""What AWS changed, across policies: the steps between versions as one feed, newest first."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from ekstui.core.document import Document
from ekstui.core.policy import Policy
from ekstui.core.steps import FeedStep as FeedStep
from ekstui.core.timeline import timeline


def numbers_since(policy: Policy, since: datetime | None) -> tuple[int, ...]:
    """Return the versions made since a time and the one before each, ascending; all of them for None.

    A version of unknown time belongs to no time.
    """
    infos = policy.versions
    wanted: set[int] = set()
    for before, info in pairwise(infos):
        if since is None or (info.created is not None and info.created >= since):
            wanted |= {before.number, info.number}
    return tuple(sorted(wanted))


def steps_since(policy: Policy, documents: Mapping[int, Document], since: datetime | None) -> Iterable[FeedStep]:
    """Yield a policy's steps since a time; `documents` holds at least those of `numbers_since`."""
    numbers = numbers_since(policy, since)
    known = replace(policy, versions=tuple(info for info in policy.versions if info.number in numbers))
    previous = {info.number: before.number for before, info in pairwise(policy.versions)}
    steps = timeline(known, documents) if numbers else ()
    for before, step in pairwise(steps):
        fresh = since is None or (step.created is not None and step.created >= since)
        if step.change is not None and fresh and before.version == previous[step.version]:
            yield FeedStep(policy.name, step.version, before.version, step.created, step.change)


def newest_first(steps: Iterable[FeedStep]) -> tuple[FeedStep, ...]:
    """Return the steps as the feed lists them: newest first, those of unknown time last, then by name."""
    by_name = sorted(steps, key=lambda step: (step.policy, -step.version))
    return tuple(sorted(by_name, key=lambda step: step.created.timestamp() if step.created else 0.0, reverse=True))
