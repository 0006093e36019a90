"""How much the tests try: a sample that is the same each time, or with EKSTUI_TORTURE all of it, as in `make torture`."""

import os
import random
from collections.abc import Sequence
from itertools import product
from typing import TypeVar

EFFORT = int(os.environ.get("EKSTUI_TORTURE", "1"))
"""How many times as much as `make test` does is tried."""

SEED = 20261201

Item = TypeVar("Item")
Other = TypeVar("Other")


def sample(items: Sequence[Item], size: int) -> list[Item]:
    """Return `size` of the items in their order, always the same ones; all of them in torture."""
    if EFFORT > 1 or size >= len(items):
        return list(items)
    indices = random.Random(SEED).sample(range(len(items)), size)
    return [items[number] for number in sorted(indices)]


def examples(count: int, *, in_torture: int) -> int:
    """Return how many examples Hypothesis makes up: `count`, the same each time; in torture `in_torture`, times the effort."""
    return in_torture * EFFORT if EFFORT > 1 else count


def pairs(items: Sequence[Item], others: Sequence[Other]) -> list[tuple[Item, Other]]:
    """Return so many pairs that each item and each other is in one; every pair in torture."""
    if EFFORT > 1:
        return list(product(items, others))
    return [(items[n % len(items)], others[n % len(others)]) for n in range(max(len(items), len(others)))]
