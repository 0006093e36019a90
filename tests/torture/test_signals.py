"""The real app under fire: signals, a terminal that goes away, a storm of sizes, a call that hangs."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.terminal import Terminal
from tests.torture.signals import CASES, measured, started
from tests.tui.driver.test_ending import assert_restored


@pytest.mark.slow
def test_the_app_ends_at_once_whatever_happens_to_it(own_home: Path) -> None:
    for name, case in CASES.items():
        code, seconds = measured(own_home, case)
        print(f"{name:<42} exit {code} after {seconds:.2f} s")
        assert code == case.code, name
        assert seconds < 2, name


@pytest.mark.slow
def test_quitting_does_not_wait_for_a_call_that_hangs(rig: Rig, own_home: Path) -> None:
    rig.proxy.add(Effect("hang"), "iam")
    env = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "EKSTUI_"))}
    with Terminal((sys.executable, "-m", "ekstui"), env={**env, "HOME": str(own_home)}) as terminal:
        terminal.wait_for(lambda: any(call == "sts" for call in [one.service for one in rig.proxy.calls]))
        terminal.settle(0.5)
        terminal.send("q")
        end = terminal.wait_exit(10)
        print(f"quit while a call hangs: exit {end.code} after {end.seconds:.2f} s")
        assert end.code == 0
        assert end.seconds < 2  # 1 s on an idle machine
        assert_restored(terminal)


@pytest.mark.slow
def test_stopped_and_continued_it_is_as_it_was(own_home: Path) -> None:
    with started(own_home) as terminal:
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
