"""A look at an account takes no more calls than planned, however many roles it has."""

import pytest

from ekstui.library import Library
from tests.bench.calls import PLAN, measure
from tests.rig.rig import Rig


@pytest.mark.parametrize(
    "size", [300, pytest.param(1000, marks=pytest.mark.slow), pytest.param(5000, marks=pytest.mark.slow)]
)
def test_calls_stay_within_the_plan(rig: Rig, size: int) -> None:
    rig.reset(size)
    made, plan = measure(rig, Library.open()), PLAN[size]
    assert made.roles <= plan.roles
    assert made.uses <= plan.uses
    assert made.everything <= plan.everything
