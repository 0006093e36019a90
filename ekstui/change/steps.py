"""What each version changed and when: the timeline of a policy, and the feed of all policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from ekstui.change.comparison import changed_targets
from ekstui.iam.grants import grants
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from ekstui.change.comparison import ChangeKind
    from ekstui.change.policy import Policy, PolicyFamily
    from ekstui.change.reach import Denies
    from ekstui.iam.document import Document
    from ekstui.iam.grants import Extent, Reach, Target


JUDGEMENT_VERSION = 8
"""Increase it when two documents may be judged differently than before, so that stored judgements are renewed."""


class StepCounts(NamedTuple):
    """What one step changed, as counts of (effect, element, action)."""

    kind: ChangeKind | Literal["new"]
    """`new` if there is nothing to compare with, so that everything is added."""
    reach: Reach | None
    """None if there is nothing to compare with."""
    added: int
    removed: int
    changed: int
    denies: Denies | None = None
    """How its Deny statements changed if the same requests are allowed, as in a policy that only denies."""

    @property
    def words(self) -> str:
        """Whether the step widened or narrowed access, in a word or two; empty if there is nothing to compare with."""
        if self.kind == "none":
            return "no change"
        if self.reach == "same":
            return f"denies {self.denies}" if self.denies else "same access"
        return self.reach or ""


class Step(NamedTuple):
    """A version and how it differs from the known version before it."""

    version: int
    created: datetime | None
    default: bool
    missing_before: tuple[int, ...]
    """Unknown versions right before this one."""
    change: StepCounts | None
    """None for the first known version."""


class FeedStep(NamedTuple):
    """One step from a version of a policy to the next, or its first version."""

    policy: str
    """The policy's name."""
    version: int
    previous: int | None
    """The known version before it; None for the first that is known."""
    created: datetime | None
    change: StepCounts
    family: PolicyFamily = "aws-managed"
    """An EKS access policy has no versions: only its introduction is known."""


def timeline(policy: Policy, documents: Mapping[int, Document]) -> tuple[Step, ...]:
    """Return the policy's versions, oldest first, each compared with the known one before it."""
    steps: list[Step] = []
    previous = 0
    previous_grants: dict[Target, frozenset[Extent]] | None = None
    for info in policy.versions:
        current_grants = grants(documents[info.number])
        steps.append(
            Step(
                version=info.number,
                created=info.created,
                default=info.number == policy.default_version,
                missing_before=tuple(range(previous + 1, info.number)),
                change=None if previous_grants is None else _counts(previous_grants, current_grants),
            )
        )
        previous, previous_grants = info.number, current_grants
    return tuple(steps)


def _counts(before: Mapping[Target, frozenset[Extent]], after: Mapping[Target, frozenset[Extent]]) -> StepCounts:
    from ekstui.change.reach import reach_between

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
    """Return the versions created since a time (None for all), each with the one before it, oldest first."""
    numbers: set[int] = set()
    for index, info in enumerate(policy.versions):
        if _is_since(info.created, since):
            numbers |= {version.number for version in policy.versions[max(index - 1, 0) : index + 1]}
    return tuple(sorted(numbers))


def undated_versions_possibly_since(policy: Policy, since: datetime | None) -> tuple[int, ...]:
    """Return the versions with an unknown time that may have been created since a time, judging by later versions."""
    numbers: list[int] = []
    later: datetime | None = None
    for info in reversed(policy.versions):
        later = info.created or later
        if info.created is None and since is not None and (later is None or later >= since):
            numbers.append(info.number)
    return tuple(reversed(numbers))


def steps_since(policy: Policy, documents: Mapping[int, Document], since: datetime | None) -> Iterable[FeedStep]:
    """Yield a policy's steps since a time, including its first version; `documents` holds those of `numbers_since`."""
    numbers = numbers_since(policy, since)
    reduced_policy = policy._replace(versions=tuple(info for info in policy.versions if info.number in numbers))
    previous = {info.number: before.number for before, info in pairwise(policy.versions)}
    before: int | None = None
    for step in timeline(reduced_policy, documents) if numbers else ():
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


Quarter = int
"""Quarters since the year 0, so that neighbours differ by one."""


def quarter_of(day: datetime) -> Quarter:
    """Return the quarter of a day."""
    return day.year * 4 + (day.month - 1) // 3


def quarter_label(quarter: Quarter) -> str:
    """Return a quarter in four characters, such as `26Q3`."""
    year, place = divmod(quarter, 4)
    return f"{year % 100:02}Q{place + 1}"
