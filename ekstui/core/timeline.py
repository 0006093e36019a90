"""The versions of a policy as a timeline: when each came, and what it changed."""

from collections.abc import Mapping

from ekstui.core.change import changed_targets
from ekstui.core.document import Document
from ekstui.core.grants import Extent, Target, grants
from ekstui.core.policy import Policy
from ekstui.core.reach import reach_between
from ekstui.core.steps import Step as Step
from ekstui.core.steps import StepCounts as StepCounts


def timeline(policy: Policy, documents: Mapping[int, Document]) -> tuple[Step, ...]:
    """Return the policy's versions, oldest first, each compared with the known one before it.

    `documents` holds the document of every version of the policy, by number.
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
