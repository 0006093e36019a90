"""Feeds everything that reads foreign bytes: `python -m tests.torture.fuzz --seconds 60` prints inputs and crashes.

With atheris, where it is installed (`pip install atheris`), inputs are led by what code they reach; without it they are
seeds with pieces cut, doubled and replaced.
"""

import argparse
import importlib.util
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.support.terminal import ROOT

SLOWEST = 60
"""Seconds after which an input counts as a crash: counting what is reached makes code some five times slower."""
MEMORY = 2_000
"""Megabytes beyond which one does."""
LONGEST = 50_000
"""Bytes of an input."""
SCRAPS = [
    b"",
    b"*",
    b"?",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\ud800",
    b"\x00",
    b"\xff",
    b"null",
    b"1e999",
    b"-1",
    b"${",
    b"\n",
]


def run_guided(name: str, seconds: int, seeds: Path) -> None:
    """Let atheris feed one target until the time is over or something breaks; the process ends here."""
    import atheris

    with atheris.instrument_imports(include=["ekstui"]):
        from tests.torture.targets import TARGETS
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds()):
        (seeds / str(number)).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY}", f"-max_len={LONGEST}",
               "-print_final_stats=1", "-close_fd_mask=0", f"-artifact_prefix={seeds.parent}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(seeds)], lambda data: target.survives(data) and None)
    atheris.Fuzz()


def run_unguided(name: str, seconds: int) -> None:
    """Feed one target with changed seeds until the time is over or something breaks."""
    from tests.torture.targets import TARGETS

    target, chance = TARGETS[name], random.Random(name)
    seeds, run_count, until = target.seeds(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        data = changed_data(chance.choice(seeds), chance)
        begun = time.process_time()
        try:
            target.survives(data)
            assert time.process_time() - begun < SLOWEST, "too slow"
        except BaseException:
            print(f"input: {data[:2000]!r}")
            raise
        run_count += 1
    print(f"stat::number_of_executed_units: {run_count}")


def changed_data(data: bytes, chance: random.Random) -> bytes:
    """Return an input with some pieces cut, doubled, flipped or replaced."""
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.choice((0, 1, 2, 20, 200)))
        match chance.randrange(4):
            case 0:
                data = data[:start] + data[end:]
            case 1:
                data = data[:end] + data[start:]
            case 2:
                data = data[:start] + chance.choice(SCRAPS) + data[end:]
            case _ if data:
                place = min(start, len(data) - 1)
                data = data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
    return data[:LONGEST]


def fuzz_target(name: str, seconds: int) -> tuple[int, str]:
    """Feed one target in a process of its own; return how many inputs it got and what broke it, or an empty text."""
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder) / "seeds"
        seeds.mkdir()
        command = [
            sys.executable,
            "-m",
            "tests.torture.fuzz",
            "--seconds",
            str(seconds),
            "--child",
            name,
            "--seeds",
            str(seeds),
        ]
        environment = os.environ | {"TMPDIR": folder, "EKSTUI_CACHE": folder, "HOME": folder}
        try:
            ran = subprocess.run(
                command, cwd=ROOT, env=environment, check=False, capture_output=True, timeout=seconds * 2 + 120
            )
            output, code = (ran.stdout + ran.stderr).decode("utf-8", "replace"), ran.returncode
        except subprocess.TimeoutExpired:
            return 0, "it did not end"
        failures = [
            f"{path.name[:10]} {path.read_bytes()[:2000]!r}\n"
            for path in Path(folder).glob("*-*")
            if path.name.startswith(("crash-", "timeout-", "oom-"))
        ]
    run_counts = re.findall(r"stat::number_of_executed_units:\s+(\d+)", output)
    run_count = int(run_counts[-1]) if run_counts else 0
    if code or failures:
        begun = max(output.find("Uncaught Python exception"), output.find("Traceback"), 0)
        return run_count, "".join(failures[:1]) + output[begun : begun + 1500]
    return run_count, ""


def main() -> int:
    """Feed every target in turn."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", default="", help="targets whose name has this word")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    has_atheris = importlib.util.find_spec("atheris") is not None
    if options.child:
        if has_atheris:
            run_guided(options.child, options.seconds, options.seeds)
        else:
            run_unguided(options.child, options.seconds)
        return 0
    from tests.torture.targets import TARGETS

    crashes = total = 0
    for name in TARGETS:
        if options.only in name:
            run_count, broke = fuzz_target(name, options.seconds)
            total += run_count
            crashes += bool(broke)
            print(f"{name:<32} {run_count:>9,} inputs  {'CRASH' if broke else 'no crash'}", flush=True)
            if broke:
                print(broke, flush=True)
    print(f"{total:,} inputs {'by coverage (atheris)' if has_atheris else 'at random'}, {crashes} crashes")
    return 1 if crashes else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:  # noqa: BLE001 (the parent reads it)
        traceback.print_exc()
        os._exit(1)
