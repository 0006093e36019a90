"""`python -m tests.tools.bench.calls`: how many calls a look at an account takes, against the least that AWS's limits allow."""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ekstui.library import Library
from tests.rig.rig import Rig

SIZES = (300, 1000, 5000)


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls made until a moment, all of them from the start."""

    roles: int
    """When every role is known with its trust, boundary and last use."""
    uses: int
    """When EKS has confirmed what it knows without Pod Identity."""
    everything: int
    """When every Pod Identity association is described too."""


PLAN = {300: Calls(4, 46, 141), 1000: Calls(5, 49, 297), 5000: Calls(9, 61, 1142)}
"""What each size may take: pages of a thousand roles, a hundred clusters' parts, a call for each thing to describe."""


def measure(rig: Rig, library: Library) -> Calls:
    """Return the calls of one refresh over a proxy that counts from now."""
    rig.proxy.clear()
    at_roles: list[int] = []

    def progress(words: str) -> None:
        if words == "clusters":
            at_roles.append(sum(rig.proxy.counts().values()))

    snapshot = library.account.refresh(progress)
    assert snapshot.errors == (), snapshot.errors
    counts = rig.proxy.counts()
    pods = counts["eks:ListPodIdentityAssociations"] + counts["eks:DescribePodIdentityAssociation"]
    total = sum(counts.values())
    return Calls(at_roles[0], total - pods, total)


def main() -> int:
    """Print the calls for each size, and return 1 if any is beyond the plan."""
    over = False
    print(f"{'roles':>6}{'roles known':>14}{'uses known':>14}{'everything':>14}{'seconds':>10}   calls ≤ plan")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as home, Rig(size) as rig:
            os.environ.update(rig.environment(Path(home)))
            began = time.perf_counter()
            measured, plan = measure(rig, Library.open()), PLAN[size]
            pairs = ((measured.roles, plan.roles), (measured.uses, plan.uses), (measured.everything, plan.everything))
            over |= any(calls > limit for calls, limit in pairs)
            cells = "".join(
                f"{f'{calls} ≤ {limit}' if calls <= limit else f'{calls} > {limit}!':>14}" for calls, limit in pairs
            )
            print(f"{size:>6}{cells}{time.perf_counter() - began:>10.1f}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
