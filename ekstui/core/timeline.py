"""What each version changed and when: the timeline of a policy, and the feed of all policies, newest first."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise

from ekstui.core.change import changed_targets
from ekstui.core.document import Document
from ekstui.core.grants import Extent, Target, grants
from ekstui.core.policy import Policy
from ekstui.core.reach import reach_between
from ekstui.core.steps import FeedStep as FeedStep
from ekstui.core.steps import Step as Step
from ekstui.core.steps import StepCounts as StepCounts


def timeline(policy: Policy, documents: Mapping[int, Document]) -> tuple[Step, ...]:
    """Return the policy's versions, oldest first, each compared with the known one before it.

    `documents` holds the document of every version, by number.
    """
    steps: list[Step] = []
    previous = 0
    held: dict[Target, frozenset[Extent]] | None = None
    for info in policy.versions:
        gives = grants(documents[info.number])
        steps.append(
            Step(
                version=info.number,
                created=info.created,
                default=info.number == policy.default_version,
                missing_before=tuple(range(previous + 1, info.number)),
                change=None if held is None else _counts(held, gives),
            )
        )
        previous, held = info.number, gives
    return tuple(steps)


def _counts(before: Mapping[Target, frozenset[Extent]], after: Mapping[Target, frozenset[Extent]]) -> StepCounts:
    targets = changed_targets(before, after)
    judgement = reach_between(before, after, thorough=False)
    return StepCounts(
        kind=targets.kind,
        reach=judgement.reach,
        added=len(targets.added),
        removed=len(targets.removed),
        changed=len(targets.changed),
        denies=judgement.denies,
    )


def numbers_since(policy: Policy, since: datetime | None) -> tuple[int, ...]:
    """Return the versions created since a time, each with the one before it, ascending; all versions for None.

    Versions with an unknown time are not included.
    """
    wanted: set[int] = set()
    for index, info in enumerate(policy.versions):
        if _is_since(info.created, since):
            wanted |= {each.number for each in policy.versions[max(index - 1, 0) : index + 1]}
    return tuple(sorted(wanted))


def perhaps_since(policy: Policy, since: datetime | None) -> tuple[int, ...]:
    """Return the versions with an unknown time that may have been created since a time, judging by later versions."""
    perhaps: list[int] = []
    later: datetime | None = None
    for info in reversed(policy.versions):
        later = info.created or later
        if info.created is None and since is not None and (later is None or later >= since):
            perhaps.append(info.number)
    return tuple(reversed(perhaps))


def steps_since(policy: Policy, documents: Mapping[int, Document], since: datetime | None) -> Iterable[FeedStep]:
    """Yield a policy's steps since a time, including its first version; `documents` holds those of `numbers_since`."""
    numbers = numbers_since(policy, since)
    known = policy._replace(versions=tuple(info for info in policy.versions if info.number in numbers))
    previous = {info.number: before.number for before, info in pairwise(policy.versions)}
    before: int | None = None
    for step in timeline(known, documents) if numbers else ():
        if _is_since(step.created, since) and before == previous.get(step.version):
            change = step.change or StepCounts("new", None, len(grants(documents[step.version])), 0, 0)
            yield FeedStep(policy.name, step.version, before, step.created, change, policy.family)
        before = step.version


def newest_first(steps: Iterable[FeedStep]) -> tuple[FeedStep, ...]:
    """Return the steps in feed order: newest first, those with an unknown time last, then by name."""
    by_name = sorted(steps, key=lambda step: (step.policy, -step.version))
    return tuple(sorted(by_name, key=lambda step: step.created.timestamp() if step.created else 0.0, reverse=True))


def _is_since(created: datetime | None, since: datetime | None) -> bool:
    return since is None or (created is not None and created >= since)
