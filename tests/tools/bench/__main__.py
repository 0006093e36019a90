"""`python -m tests.tools.bench`: how quick, how big and how quiet the app is, against a blank Textual app in the same run."""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.tools.bench.lists import measure as measure_lists
from tests.tools.bench.sent_bytes import NARROW, WIDE, sent_bytes
from tests.tools.bench.starts import STARTS, Taken, measure
from tests.tools.bench.subject import warm
from tests.tools.bench.traffic import TIMES

MIB = 1024 * 1024


def main() -> int:
    """Measure, print, and return 1 if a figure that hardly varies is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="starts of each command (9)")
    parser.add_argument("--only", choices=["starts", "bytes", "times", "lists"], help="one table")
    options = parser.parse_args()
    over = False
    with tempfile.TemporaryDirectory() as cache:
        env = {"EKSTUI_CACHE": cache, "EKSTUI_STATE": cache, "EKSTUI_CONFIG": f"{cache}/config.toml"}
        warm(Path(cache))
        print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; times need it idle\n")
        if options.only in (None, "starts"):
            _print_starts(list(measure(STARTS, options.rounds, env)))
        if options.only in (None, "bytes"):
            print(f"\n{'bytes':<56}{'size':>8}{'':>10}{'limit':>10}")
            os.environ.update(env)
            for columns, rows in (NARROW, WIDE):
                for figure in sent_bytes((columns, rows)):
                    over |= figure.bytes > figure.limit
                    _print_row(figure.name, f"{columns}×{rows}", figure.bytes, "B", figure.limit)
        if options.only in (None, "times"):
            print(f"\n{'times':<56}{'size':>8}{'':>10}{'limit':>10}")
            for row in TIMES:
                _print_row(row.name, f"{row.subject.columns}×{row.subject.rows}", row.value(env), "ms", row.limit)
        if options.only in (None, "lists"):
            _print_lists(env, options.rounds)
    return 1 if over else 0


def _print_lists(env: Mapping[str, str], rounds: int) -> None:
    print(f"\n{'1,600 rows, 80×24':<24}{'first ms':>10}{'bytes':>9}{'move B':>9}{'page B':>9}{'page ms':>9}")
    for row in measure_lists(rounds, env):
        print(
            f"{row.kind:<24}{row.first * 1000:>10.0f}{row.bytes:>9,}{row.move:>9,.0f}{row.page:>9,.0f}"
            f"{row.seconds * 1000:>9.0f}"
        )


def _print_starts(measurements: list[Taken]) -> None:
    blank = measurements[0]
    print(
        f"{'start':<32}{'first ms':>10}{'× blank':>16}{'settled ms':>12}{'× blank':>16}{'CPU s':>7}{'MiB':>6}{'× blank':>14}{'bytes':>9}{'key ms':>8}{'× blank':>14}"
    )
    for measurement in measurements:
        start = measurement.start
        line = f"{start.subject.name:<32}{measurement.first * 1000:>10.0f}{_times(measurement.first / blank.first, start.first):>16}"
        if measurement.settled:
            line += (
                f"{measurement.settled * 1000:>12.0f}{_times(measurement.settled / blank.settled, start.settled):>16}"
            )
            line += f"{measurement.processor:>7.2f}{measurement.memory / MIB:>6.0f}"
            line += f"{_times(measurement.memory / blank.memory, start.memory):>14}{measurement.bytes:>9,}"
        if measurement.effect:
            line += f"{measurement.effect * 1000:>8.0f}{_times(measurement.effect / blank.first, start.effect):>14}"
        print(line)


def _times(value: float, limit: float | None) -> str:
    return f"{value:.2f}" if limit is None else f"{value:.2f} {'≤' if value <= limit else '> !'} {limit}"


def _print_row(name: str, size: str, value: float, unit: str, limit: float | None) -> None:
    mark = "" if limit is None else f"{'≤' if value <= limit else '> !'} {limit:,.0f}"
    print(f"{name:<56}{size:>8}{value:>8,.0f} {unit:<2}{mark:>9}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
