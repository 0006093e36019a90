"""`python -m tests.again`: run every test several times, idle and beside busy processes, and say what fell how often.

A test that passes only where the machine has time for it decides nothing. The last lines are a table of the runs and of
the tests that fell; the exit code is 1 if any did, or if a run had no test. What pytest said in each run is kept in
build/again. Interrupted, it prints the table of the runs that were whole.
"""

import argparse
import contextlib
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "again"

BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
"""What a busy process does; it ends with this one, however that ends."""


class Run(NamedTuple):
    """What came of one run of the tests."""

    busy: int
    """How many processes worked beside it."""
    passed: int
    fallen: tuple[str, ...]
    """The tests that failed or could not be set up or taken down."""
    seconds: float
    """By the clock."""
    processor: float
    """Seconds of processor time of the tests and all that they started."""

    @property
    def is_green(self) -> bool:
        """Whether tests were run and all of them passed."""
        return bool(self.passed) and not self.fallen


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep `count` processes at work."""
    # In sessions of their own, so that ctrl+c reaches this process, which ends them.
    working = [subprocess.Popen([sys.executable, "-c", BUSY], start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for process in working:
            process.kill()
            process.wait()


def run_tests(busy: int, arguments: Sequence[str], log: Path) -> Run:
    """Run the tests once, niced and in two workers, beside `busy` processes; what pytest says goes to the file `log`."""
    with tempfile.TemporaryDirectory() as folder, busy_processes(busy):
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-q", f"--junitxml={results}"]
        begun, before = perf_counter(), _processor()
        with log.open("w") as output:
            # Lower priority than the busy processes, as a stranger's machine may do it.
            subprocess.run(["nice", *command, *arguments], cwd=ROOT, stdout=output, stderr=output, check=False)
        passed_count, fallen = _results(results)
        return Run(busy, passed_count, fallen, perf_counter() - begun, _processor() - before)


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _results(file: Path) -> tuple[int, tuple[str, ...]]:
    """Return how many tests passed, and which did not; without a file, none passed."""
    if not file.exists():
        return 0, ()
    passed_count, fallen = 0, dict[str, None]()
    for case in ElementTree.parse(file).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            fallen[name] = None
        elif case.find("skipped") is None:
            passed_count += 1
    return passed_count, tuple(fallen)


def table(runs: Sequence[Run]) -> str:
    """Return the runs, a line each, and then each test that fell with how often it did, idle and busy."""
    lines = [f"{'busy':>4} {'passed':>7} {'fell':>5} {'wall s':>7} {'cpu s':>7}"]
    lines += [
        f"{run.busy:>4} {run.passed:>7,} {len(run.fallen):>5} {run.seconds:>7.0f} {run.processor:>7.0f}" for run in runs
    ]
    idle = Counter(name for run in runs if not run.busy for name in run.fallen)
    busy = Counter(name for run in runs if run.busy for name in run.fallen)
    if idle or busy:
        lines += ["", f"{'idle':>4} {'busy':>4}  fell"]
        lines += [f"{idle[name]:>4} {busy[name]:>4}  {name}" for name, _ in (idle + busy).most_common()]
    lines += ["", f"{sum(run.is_green for run in runs)} of {len(runs)} runs were green"]
    return "\n".join(lines)


def main() -> int:
    """Run what is asked for, print the table, and return 1 if not every run was green."""
    parser = argparse.ArgumentParser(prog="python -m tests.again", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how often idle, and how often busy (default 5)")
    parser.add_argument("--busy", type=int, default=8, help="how many busy processes (default 8)")
    parser.add_argument("--only", choices=("idle", "busy"), help="only these runs")
    parser.add_argument("arguments", nargs="*", help="of pytest, such as files of tests, after `--`")
    options = parser.parse_args()
    kinds = {"idle": (0,), "busy": (options.busy,)}.get(options.only, (0, options.busy))
    KEPT.mkdir(parents=True, exist_ok=True)
    # Also where it was started with SIGINT ignored, as a shell does in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    runs: list[Run] = []
    try:
        for busy in (kind for kind in kinds for _ in range(options.times)):
            runs.append(run_tests(busy, options.arguments, KEPT / f"{len(runs) + 1}.txt"))
            # All so far, since a machine may be taken away before the end.
            print(f"{table(runs)}\n", flush=True)
    except KeyboardInterrupt:
        print(f"{table(runs)}; run {len(runs) + 1} was interrupted")
        return 128 + signal.SIGINT
    return 0 if all(run.is_green for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
