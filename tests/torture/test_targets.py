"""Everything that reads foreign bytes, in its short form; `python -m tests.torture.fuzz` feeds it for as long as one likes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.effort import EFFORT
from tests.torture.fuzz import changed_data
from tests.torture.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_only_errors_of_our_own_come_out(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()
    assert any(target.survives(seed) for seed in seeds)

    @settings(max_examples=15 * EFFORT, deadline=None)
    @given(st.one_of(st.binary(max_size=60), st.integers().map(lambda seed: _damaged(seeds, seed))))
    def fed(data: bytes) -> None:
        target.survives(data)

    fed()


def _damaged(seeds: list[bytes], seed: int) -> bytes:
    chance = random.Random(seed)
    return changed_data(chance.choice(seeds), chance)
