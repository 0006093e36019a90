"""All of the torture in one table: `python -m tests.torture [--short]`.

Each line is a program of its own, bounded in time; what it prints last are its figures. As many run at once as there are
processors, the longest first.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

from tests.support.terminal import ROOT


@dataclass(frozen=True, slots=True)
class Trial:
    """One kind of torture."""

    name: str
    command: tuple[str, ...]
    short: tuple[str, ...]
    """Empty where another trial's short form has it."""
    minutes: float
    """After so many it is broken off."""


def _tests(*words: str) -> tuple[str, ...]:
    return ("-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *words)


TRIALS = (
    *(
        Trial(
            f"the n-th operation fails, {share}",
            ("-m", "tests.torture.nth", "--share", share),
            _tests("tests/torture/test_nth.py") if share == "1/2" else (),
            40,
        )
        for share in ("1/2", "2/2")
    ),
    *(
        Trial(
            f"the network, screens, {share}",
            ("-m", "tests.torture.faults", "--part", "screens", "--share", share),
            _tests("tests/torture/test_faults.py") if share == "1/4" else (),
            40,
        )
        for share in ("1/4", "2/4", "3/4", "4/4")
    ),
    *(
        Trial(
            f"the network, every call, {share}",
            ("-m", "tests.torture.faults", "--part", "calls", "--share", share),
            (),
            40,
        )
        for share in ("1/2", "2/2")
    ),
    Trial("hostile text, commands", ("-m", "tests.torture.hostile"), _tests("tests/torture/test_hostile.py"), 20),
    Trial("hostile text, the app", ("-m", "tests.torture.tour"), _tests("tests/torture/test_tour.py"), 20),
    Trial("archives that lie", ("-m", "tests.torture.archives"), (), 10),
    Trial("fuzzing", ("-m", "tests.torture.fuzz", "--seconds", "10"), _tests("tests/torture/test_targets.py"), 20),
    Trial(
        "killed processes, damaged caches",
        ("-m", "tests.torture.cache_fire", "--kills", "300", "--damaged", "500"),
        ("-m", "tests.torture.cache_fire", "--kills", "8", "--damaged", "25"),
        20,
    ),
    Trial(
        "random pairs of documents",
        ("-m", "tests.change.random_pairs", "50000"),
        ("-m", "tests.change.random_pairs", "2000"),
        20,
    ),
    Trial(
        "hostile documents and messages",
        _tests("tests/torture/test_summary.py", "tests/torture/test_explain.py"),
        _tests("tests/torture/test_summary.py", "tests/torture/test_explain.py"),
        10,
    ),
    Trial(
        "5,000 flips in the files of the cache",
        _tests("tests/library/test_damage.py"),
        _tests("tests/library/test_damage.py"),
        20,
    ),
    Trial(
        "every document and step, every wrong answer",
        _tests(
            "tests/change/test_change.py",
            "tests/change/test_reach.py",
            "tests/change/test_who_can.py",
            "tests/library/test_lookup.py",
            "tests/library/test_threads.py",
            "tests/eks/test_upgrade.py",
            "tests/iam/test_summary_corpus.py",
            "tests/iam/test_action_card.py",
            "tests/iam/test_reference.py",
            "tests/iam/test_wildcard.py",
            "tests/iam/evaluation",
            "tests/iam/conditions",
            "tests/sources/aws/test_answers.py",
            "tests/sources/aws/test_calls.py",
            "tests/sources/test_mirror.py",
            "tests/tui/driver/test_canvas.py",
            "tests/tui/driver/test_same_picture.py",
            "tests/tui/driver/test_terminal_input.py",
        ),
        (),
        20,
    ),
    Trial(
        "the worst documents that IAM accepts",
        ("-m", "tests.torture.worst_documents"),
        _tests("tests/torture/test_worst_documents.py"),
        30,
    ),
    Trial("signals", ("-m", "tests.torture.signals"), ("-m", "tests.torture.signals"), 5),
    Trial("bugs of our own", _tests("tests/tui/test_crash.py"), _tests("tests/tui/test_crash.py"), 5),
)
"""The longest first."""

WHOLE = (
    "archives",
    "killed processes, damaged caches",
    "signals",
    "fuzzing",
    "hostile text, the app",
    "the n-th operation fails",
)
"""Trials whose figures are more than a line."""


def main() -> int:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the short forms, which are part of make test")
    parser.add_argument("--only", metavar="WORD", default="", help="trials whose name has this word")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="how many run at once")
    options = parser.parse_args()
    trials = [trial for trial in TRIALS if options.only in trial.name and (trial.short or not options.short)]
    begun = perf_counter()
    with ThreadPoolExecutor(options.jobs) as pool:
        failure_count = sum(pool.map(lambda trial: _tried(trial, short=options.short), trials))
    load = f"the load was {os.getloadavg()[0]:.1f}"
    print(f"{len(trials)} parts, {failure_count} failed, {(perf_counter() - begun) / 60:.0f} minutes; {load}")
    return 1 if failure_count else 0


def _tried(trial: Trial, *, short: bool) -> bool:
    """Run a trial and print what came of it; return whether it failed."""
    begun = perf_counter()
    environment = {**os.environ, "EKSTUI_TORTURE": "1" if short else os.environ.get("EKSTUI_TORTURE", "3")}
    try:
        ran = subprocess.run(
            (sys.executable, *(trial.short if short else trial.command)),
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=trial.minutes * 60,
        )
        code, output = ran.returncode, ran.stdout + ran.stderr
    except subprocess.TimeoutExpired as error:
        output = (error.output or b"").decode("utf-8", "replace")
        code, output = 1, f"{output}\nbroken off after {trial.minutes} minutes"
    lines = [line for line in output.splitlines() if line.strip(" .")]
    last = lines[-40:] if code or trial.name.startswith(WHOLE) else lines[-3:]
    wrong_lines = [line for line in lines[:-40] if line.startswith("WRONG")] if code else []
    head = f"{'FAILED' if code else 'ok':<7}{trial.name:<40}{perf_counter() - begun:6.0f} s"
    print(head, *(f"         {line[:300]}" for line in (*wrong_lines, *last)), sep="\n", flush=True)
    return bool(code)


if __name__ == "__main__":
    sys.exit(main())
