"""Whether a change lets more or fewer requests through: the requests allowed, Allow minus Deny, on either side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ekstui.core.grants import Extent, Target

Reach = Literal["same", "widened", "narrowed", "mixed", "unknown"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is proven about the requests that two documents allow."""

    reach: Reach
    verdict: str
    """One sentence for a reader, such as `widened: 1 action added (ec2:DescribeSubnets)`."""
    notes: tuple[str, ...]
    """Why reach is unknown, or what to keep in mind."""
    reference: str
    """The version of the service authorization reference that was asked."""


def reach_between(before: Mapping[Target, frozenset[Extent]], after: Mapping[Target, frozenset[Extent]]) -> Judgement:
    """Return whether the requests allowed became more or fewer, as far as it is proven."""
    if before == after:
        return Judgement("same", "no change: the same grants", (), "")
    return Judgement("unknown", "unknown: not compared", (), "")
