"""A look at an account takes no more calls than planned, however many roles it has."""

import pytest

from ekstui.library import Library
from tests.rig.rig import Rig
from tests.support.effort import EFFORT
from tests.tools.bench.calls import PLAN, measure


@pytest.mark.parametrize("size", [300, 1000, *([5000] if EFFORT > 1 else [])])
def test_calls_stay_within_the_plan(rig: Rig, size: int) -> None:
    rig.reset(size)
    calls, plan = measure(rig, Library.open()), PLAN[size]
    assert calls.roles <= plan.roles
    assert calls.uses <= plan.uses
    assert calls.everything <= plan.everything
