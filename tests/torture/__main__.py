"""All of the torture in one table: `python -m tests.torture [--short]` (about half an hour; short: four).

Each line is a program of its own, bounded in time; what it prints last are its figures.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from time import perf_counter

from tests.terminal import ROOT


@dataclass(frozen=True, slots=True)
class Trial:
    """One kind of torture."""

    name: str
    command: tuple[str, ...]
    short: tuple[str, ...]
    minutes: float
    """After so many it is broken off."""


def _tests(*words: str) -> tuple[str, ...]:
    return ("-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *words)


TRIALS = (
    Trial("hostile text, commands", ("-m", "tests.torture.hostile"), _tests("tests/torture/test_hostile.py"), 15),
    Trial("hostile text, the app", ("-m", "tests.torture.tour"), _tests("tests/torture/test_tour.py"), 8),
    Trial(
        "hostile documents and messages",
        _tests("tests/torture/test_summary.py", "tests/torture/test_explain.py", "--hypothesis-show-statistics"),
        _tests("tests/torture/test_summary.py", "tests/torture/test_explain.py"),
        10,
    ),
    Trial(
        "fuzzing",
        ("-m", "tests.torture.fuzz", "--seconds", "10"),
        _tests("tests/torture/test_targets.py"),
        20,
    ),
    Trial(
        "random pairs of documents",
        ("-m", "tests.core.random_pairs", "50000"),
        ("-m", "tests.core.random_pairs", "2000"),
        60,
    ),
    Trial(
        "the cache",
        ("-m", "tests.torture.cache_fire", "--kills", "300", "--damaged", "500"),
        ("-m", "tests.torture.cache_fire", "--kills", "8", "--damaged", "25"),
        20,
    ),
    Trial("the n-th operation fails", ("-m", "tests.torture.nth"), _tests("tests/torture/test_nth.py"), 30),
    Trial(
        "5,000 flips in the files of the cache",
        _tests("tests/library/test_damage.py"),
        _tests("tests/library/test_damage.py"),
        20,
    ),
    Trial("the network", ("-m", "tests.torture.faults", "--minutes", "6"), _tests("tests/torture/test_faults.py"), 10),
    Trial("signals", ("-m", "tests.torture.signals"), ("-m", "tests.torture.signals"), 5),
    Trial("bugs of our own", _tests("tests/tui/test_crash.py"), _tests("tests/tui/test_crash.py"), 5),
)


def main() -> int:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the short forms, which are part of make test")
    parser.add_argument("--only", metavar="WORD", default="", help="trials whose name has this word")
    given = parser.parse_args()
    failed = 0
    for trial in TRIALS:
        if given.only not in trial.name:
            continue
        begun = perf_counter()
        words = trial.short if given.short else trial.command
        environment = {**os.environ, "EKSTUI_TORTURE": "1" if given.short else os.environ.get("EKSTUI_TORTURE", "3")}
        try:
            ran = subprocess.run(
                (sys.executable, *words),
                cwd=ROOT,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
                timeout=trial.minutes * 60,
            )
            code, said = ran.returncode, ran.stdout + ran.stderr
        except subprocess.TimeoutExpired as error:
            code, said = 1, f"{error.output or ''}\nbroken off after {trial.minutes} minutes"
        failed += bool(code)
        print(f"{'FAILED' if code else 'ok':<7}{trial.name:<34}{perf_counter() - begun:6.0f} s", flush=True)
        lines = [line for line in said.splitlines() if line.strip(" .")]
        for line in (
            lines[-30:]
            if code or trial.name in ("the cache", "signals", "fuzzing", "hostile text, the app")
            else lines[-3:]
        ):
            print(f"         {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
