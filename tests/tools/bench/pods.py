"""`python -m tests.tools.bench.pods`: 3,000 pods and 800 service accounts against a bare Python that only parses their JSON.

The processor's time and the peak of memory are those of whole processes, so neither depends much on what else runs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.support.kubernetes import POD_IDENTITY, irsa_variables, of_all_namespaces, pod, service_account

BARE = ("-c", "import sqlite3, json")
PODS, ACCOUNTS = 3_000, 800
MIB = 1024 * 1024
ROLE = "arn:aws:iam::111122223333:role/prod-orders"
PADDING = {"managedFields": [{"manager": "kubelet", "fieldsV1": {f"f:part-{number}": {} for number in range(180)}}]}
"""What the API adds to each object and nobody needs: about 6 kB, as a real pod has."""

LIMITS = {"CPU": 4.0, "memory": 1.0}
"""How many times what the parsing of the same JSON takes, at most, beside a start of ekstui without Kubernetes."""


class Spent(NamedTuple):
    """What a process took: seconds of the processor, and its largest memory in bytes."""

    processor: float
    memory: int


def cluster() -> Iterator[dict[str, object]]:
    """Yield the pods and service accounts of a large cluster: a third with Pod Identity, a third with IRSA, a third with neither."""
    for number in range(PODS):
        variables = (POD_IDENTITY, irsa_variables(ROLE), {})[number % 3]
        pods = pod(
            f"web{number // 4}-6f-{number}", variables, namespace=f"team-{number % 40}", account=f"app-{number % 20}"
        )
        yield {**pods, "metadata": {**pods["metadata"], **PADDING}}
    for number in range(ACCOUNTS):
        role = ROLE if number % 2 else None
        yield service_account(f"app-{number // 40}", role, namespace=f"team-{number % 40}")


def write(path: str) -> None:
    """Write the JSON of the cluster into a file, as kubectl prints it."""
    Path(path).write_text(of_all_namespaces([*cluster()]))


def spent(command: tuple[str, ...], environment: Mapping[str, str]) -> Spent:
    """Run a command to its end and return what it took."""
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}.")
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def main() -> int:
    """Measure and print each command, and return 1 if what the pods add is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.bench.pods", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each command (5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kubernetes.json"
        # By a process of its own: the largest memory of a process counts for those that it starts.
        write = f"from tests.tools.bench.pods import write; write({str(file)!r})"
        subprocess.run((sys.executable, "-c", write), check=True)
        print(f"{PODS:,} pods and {ACCOUNTS:,} service accounts: {file.stat().st_size / 1e6:.1f} MB of JSON")
        environment = dict.fromkeys(("EKSTUI_CACHE", "EKSTUI_STATE"), folder)
        ekstui = (sys.executable, "-m", "ekstui")
        parse = f"import json; json.load(open({str(file)!r}))"
        commands = {
            "bare Python, sqlite3 and json": (sys.executable, *BARE),
            "bare Python that parses it": (sys.executable, "-c", parse),
            "cluster prod": (*ekstui, "cluster", "prod", "--demo", "--json"),
            "cluster prod --kubernetes": (*ekstui, "cluster", "prod", "--demo", "--json", "--kubernetes", str(file)),
        }
        spent(commands["cluster prod"], environment)  # the first command of a fresh home does more
        took = {name: Spent(0.0, 0) for name in commands}
        for name, command in commands.items():
            runs = [spent(command, environment) for _ in range(rounds)]
            took[name] = Spent(median(run.processor for run in runs), int(median(run.memory for run in runs)))
            print(f"{name:<32}{took[name].processor:>8.2f} s CPU{took[name].memory / MIB:>8.0f} MiB")
    bare_time, parsed_time, time_without, whole_time = took.values()
    times = {
        "CPU": (whole_time.processor - time_without.processor) / (parsed_time.processor - bare_time.processor),
        "memory": (whole_time.memory - time_without.memory) / (parsed_time.memory - bare_time.memory),
    }
    for name, value in times.items():
        print(
            f"{name} for the pods: {value:.2f} × that of parsing alone {'≤' if value <= LIMITS[name] else '> !'} {LIMITS[name]}"
        )
    return 1 if any(value > LIMITS[name] for name, value in times.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
