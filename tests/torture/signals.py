"""What ends the real app, and how soon: `python -m tests.torture.signals` prints seconds and exit codes."""

import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rig.isolation import isolated
from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.support.filled import fill_cache
from tests.support.terminal import Terminal, assert_restored

APP = (sys.executable, "-m", "ekstui", "--offline")

WAITING = (sys.executable, "-m", "tests.torture.waiting")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that happens to the app."""

    happens: Callable[[Terminal], None]
    code: int
    ignoring: Sequence[signal.Signals] = ()


def sends(number: signal.Signals) -> Case:
    """A signal from somebody."""
    return Case(lambda terminal: terminal.signal(number), 128 + number)


def storm(terminal: Terminal) -> None:
    """Change the size two hundred times, some of them impossible, and quit."""
    chance = random.Random(1)
    for _ in range(200):
        terminal.resize(chance.choice((1, 2, 20, 80, 120, 300)), chance.choice((1, 2, 6, 24, 100)))
        terminal.pump(0.002)
    terminal.resize(80, 24)
    terminal.settle(0.5)
    terminal.wait_for("AmazonEKSClusterPolicy")
    terminal.send("q")


def stops(terminal: Terminal) -> None:
    """Stop and continue fifty times, faster than the app can follow, and quit."""
    for _ in range(50):
        terminal.signal(signal.SIGTSTP)
        terminal.pump(0.002)
        terminal.signal(signal.SIGCONT)
        terminal.pump(0.002)
    terminal.settle(0.5)
    terminal.wait_for("AmazonEKSClusterPolicy")
    assert terminal.modes[1049]
    terminal.send("q")


def make_narrow(terminal: Terminal) -> None:
    """Show it in one and in two columns, where it must become quiet, and quit."""
    for columns, rows in ((1, 24), (2, 24), (1, 1), (2, 1)):
        terminal.resize(columns, rows)
        terminal.settle(0.6)
    terminal.send("q")


CASES: dict[str, Case] = {
    "quit": Case(lambda terminal: terminal.send("q"), 0),
    "SIGHUP": sends(signal.SIGHUP),
    "SIGTERM": sends(signal.SIGTERM),
    "SIGINT": sends(signal.SIGINT),
    "SIGQUIT": sends(signal.SIGQUIT),
    "SIGUSR1": sends(signal.SIGUSR1),
    "SIGALRM": sends(signal.SIGALRM),
    "fifty stops and continues, then quit": Case(stops, 0),
    "one and two columns, then quit": Case(make_narrow, 0),
    "the terminal is closed": Case(lambda terminal: terminal.hang_up(), 129),
    "the terminal is closed, SIGHUP ignored": Case(lambda terminal: terminal.hang_up(), 129, (signal.SIGHUP,)),
    "SIGHUP, SIGHUP ignored (nohup)": Case(lambda terminal: terminal.signal(signal.SIGHUP), 129, (signal.SIGHUP,)),
    "two hundred sizes, then quit": Case(storm, 0),
}


def started_terminal(home: Path, ignoring: Sequence[signal.Signals] = ()) -> Terminal:
    """Start the app and wait until it is quiet."""
    terminal = Terminal(APP, env=isolated(home), ignoring=ignoring, forked=True)
    terminal.wait_for("AmazonEKSClusterPolicy")
    terminal.settle(0.6)
    return terminal


def measure_end(home: Path, name: str) -> tuple[int, float]:
    """Let it happen; return the exit code and the seconds until the process was gone, its terminal as it was."""
    case = CASES[name]
    with started_terminal(home, case.ignoring) as terminal:
        case.happens(terminal)
        end = terminal.wait_exit()
        if "closed" not in name:
            assert_restored(terminal)
        return end.code, end.seconds


def hung(rig: Rig, home: Path) -> tuple[int, float]:
    """Quit while calls to AWS hang; return the exit code and the seconds until the process was gone."""
    rig.proxy.add(Effect("hang"), "iam")
    with Terminal(WAITING, env=rig.environment(home), forked=True) as terminal:
        terminal.wait_for(rig.proxy.hangs.is_set)
        terminal.settle(0.5)
        terminal.send("q")
        end = terminal.wait_exit()
        assert_restored(terminal)
        return end.code, end.seconds


def main() -> int:
    """Measure each."""
    failure_count = 0
    with tempfile.TemporaryDirectory() as folder, Rig(50) as rig:
        home = Path(folder)
        fill_cache(home / "cache")
        for name, case in CASES.items():
            code, seconds = measure_end(home, name)
            failure_count += code != case.code
            print(f"{name:<42} exit {code:>3} after {seconds:.2f} s", flush=True)
        code, seconds = hung(rig, home)
        failure_count += code != 0
        print(f"{'quit while a call hangs':<42} exit {code:>3} after {seconds:.2f} s", flush=True)
        print(f"the load was {os.getloadavg()[0]:.1f}")
    return 1 if failure_count else 0


if __name__ == "__main__":
    sys.exit(main())
