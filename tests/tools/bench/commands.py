"""`python -m tests.tools.bench.commands`: whole commands against a bare Python, and the first fill against the corpus alone.

The cache is as the first commands of a fresh home leave it, and what they took stands in the table too.

Every round runs each once; the processor's time is compared as well, since it hardly depends on what else runs.
"""

import json
import lzma
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from ekstui import files
from ekstui.library.cache_file import cache_info
from ekstui.library.maintenance import fill_cache
from tests.support.filled import library_on

BARE = ("-c", "import sqlite3, json")


def completion_command(line: str) -> tuple[str, ...]:
    """Return how a shell asks for the words that fit at a line's end."""
    request = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_COMP_WORDBREAKS": " ",
        "_ARGCOMPLETE_STDOUT_FILENAME": os.devnull, "COMP_LINE": line, "COMP_POINT": str(len(line)),
    }  # fmt: skip
    return "-c", f"import os; os.environ.update({request!r}); from ekstui.cli import main; main([])"


COMMANDS: Mapping[str, tuple[str, ...]] = {
    "bare Python, sqlite3 and json": BARE,
    "list": ("-m", "ekstui", "list"),
    "list --scope all": ("-m", "ekstui", "list", "--scope", "all"),
    "show AmazonEKS_CNI_Policy": ("-m", "ekstui", "show", "AmazonEKS_CNI_Policy"),
    "show ReadOnlyAccess": ("-m", "ekstui", "show", "ReadOnlyAccess"),
    "diff AmazonEKS_CNI_Policy@v5..v6": ("-m", "ekstui", "diff", "AmazonEKS_CNI_Policy@v5..v6"),
    "who-can ec2:CreateVolume": ("-m", "ekstui", "who-can", "ec2:CreateVolume"),
    "explain --action ec2:CreateVolume": (
        "-m",
        "ekstui",
        "explain",
        "--action",
        "ec2:CreateVolume",
        "--policy",
        "AmazonEBSCSIDriverPolicy@v2",
    ),
    "changes since 2010 --scope all": ("-m", "ekstui", "changes", "--since", "2010-01-01", "--scope", "all", "--json"),
    "completing ekstui di": completion_command("ekstui di"),
    "completing ekstui show AmazonEKS_": completion_command("ekstui show AmazonEKS_"),
    "completing ekstui cluster": completion_command("ekstui cluster "),
}


@dataclass(frozen=True, slots=True)
class Spent:
    """Medians over the rounds, in seconds."""

    wall: float
    processor: float


def run(command: tuple[str, ...], environment: Mapping[str, str]) -> Spent:
    """Run one command and return what it took."""
    began = perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return Spent(perf_counter() - began, usage.ru_utime + usage.ru_stime)


def measure(rounds: int, environment: Mapping[str, str]) -> Iterator[tuple[str, Spent]]:
    """Yield each command's medians; the rounds are interleaved, so that the machine's load meets all alike."""
    times: dict[str, list[Spent]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(run(command, environment))
    for name, spent in times.items():
        yield (
            name,
            Spent(median(sample.wall for sample in spent), median(sample.processor for sample in spent)),
        )


def fill_and_alone(rounds: int) -> tuple[float, float, int]:
    """Return the processor's seconds for a first fill and for reading the corpus alone, and the cache's bytes."""
    fills, times_alone = [], []
    size = 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            library = library_on(Path(folder))
            fills.append(_processor(partial(fill_cache, library)))
            size = cache_info(library).size
        times_alone.append(_processor(_read_alone))
    return median(fills), median(times_alone), size


def _processor(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def _read_alone() -> None:
    with lzma.open(files.assets() / "corpus.jsonl.xz") as lines:
        for line in lines:
            json.loads(line)


def main(rounds: int = 9) -> int:
    """Print both tables; return 1 if the first fill takes more than three times the corpus alone."""
    with tempfile.TemporaryDirectory() as folder:
        library = library_on(Path(folder))
        environment = os.environ | {"EKSTUI_CACHE": folder, "EKSTUI_STATE": folder, "EKSTUI_CONFIG": f"{folder}/none"}
        # With it every command would compile all of its modules, which no installed one does.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        print(f"{'command':<42}{'ms':>8}{'CPU ms':>10}{'× bare CPU':>12}")
        for name in ("who-can ec2:CreateVolume", "changes since 2010 --scope all"):
            spent = run(COMMANDS[name], environment)
            print(f"{f'{name}, first':<42}{spent.wall * 1000:>8.0f}{spent.processor * 1000:>10.0f}")
        bare_time: Spent | None = None
        for name, spent in measure(rounds, environment):
            bare_time = bare_time or spent
            ratio = spent.processor / bare_time.processor
            print(f"{name:<42}{spent.wall * 1000:>8.0f}{spent.processor * 1000:>10.0f}{ratio:>12.1f}")
        print(f"{'the cache with its index':<42}{cache_info(library).size / 1e6:>8.1f} MB")
    times_filled, times_alone, size = fill_and_alone(3)
    ratio = times_filled / times_alone
    print(
        f"first fill {times_filled:.2f} s, the corpus alone {times_alone:.2f} s: {ratio:.2f} ≤ 3; {size / 1e6:.1f} MB"
    )
    return 1 if ratio > 3 else 0


if __name__ == "__main__":
    sys.exit(main())
