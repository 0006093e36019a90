"""The real app under fire: signals, a terminal that goes away, a storm of sizes, a call that hangs."""

import signal
from pathlib import Path

import pytest

from tests.rig.rig import Rig
from tests.support.terminal import assert_restored
from tests.torture.signals import CASES, hung, measure_end, started_terminal

pytestmark = pytest.mark.usefixtures("own_filled_cache")

SHORT = (
    "SIGHUP",
    "SIGALRM",
    "fifty stops and continues, then quit",
    "the terminal is closed, SIGHUP ignored",
    "two hundred sizes, then quit",
)
"""The ends that the tests of the driver do not see with an app of their own, and one of a kind of the others."""


@pytest.mark.slow
def test_the_app_ends_at_once_whatever_happens_to_it(own_home: Path) -> None:
    for name in SHORT:
        case = CASES[name]
        code, seconds = measure_end(own_home, name)
        print(f"{name:<42} exit {code} after {seconds:.2f} s")
        assert code == case.code, name


@pytest.mark.slow
def test_quitting_does_not_wait_for_a_call_that_hangs(rig: Rig, own_home: Path) -> None:
    code, seconds = hung(rig, own_home)
    print(f"quit while a call hangs: exit {code} after {seconds:.2f} s")
    assert code == 0


@pytest.mark.slow
def test_stopped_and_continued_it_is_as_it_was(own_home: Path) -> None:
    with started_terminal(own_home) as terminal:
        terminal.signal(signal.SIGTSTP)
        terminal.wait_for(lambda: terminal.state() == "T")
        terminal.settle(0.1)
        assert_restored(terminal)
        terminal.screen.reset()
        terminal.signal(signal.SIGCONT)
        terminal.wait_for("AmazonEKSClusterPolicy")
        terminal.settle(0.4)
        terminal.send("q")
        assert terminal.wait_exit().code == 0
        assert_restored(terminal)
