"""Start-up against a blank Textual app in the same run: every round starts each once, and medians are compared."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

from tests.tools.bench.subject import BLANK, EFFECT, EKSTUI, FIRST_KEY, NARROW, PYTHON, WIDE, Subject


@dataclass(frozen=True, slots=True)
class Start:
    """What is started, and how often as long as a blank app it may take."""

    subject: Subject
    first: float | None = None
    """Start to first full paint, or to the end of a command that ends by itself, against a blank app's first paint."""
    settled: float | None = None
    """Start to the last byte, against a blank app's."""
    memory: float | None = None
    effect: float | None = None
    """Start to the effect of a key that was typed at once, against a blank app's first paint."""
    empty_cache: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Medians of one command's starts."""

    start: Start
    first: float
    """Seconds."""
    settled: float
    """Seconds; 0 for a command that ends by itself."""
    processor: float
    """Seconds."""
    memory: int
    """Bytes."""
    bytes: int
    effect: float = 0
    """Seconds until the first key has taken effect; 0 for what takes none."""


EXPLAIN = (
    "explain", "--json", "--action", "ec2:CreateVolume", "--resource", "arn:aws:ec2:eu-west-1::snapshot/snap-1",
    *(word for name in (
        "AmazonEKSClusterPolicy", "AmazonEKS_CNI_Policy", "AmazonEKSWorkerNodePolicy", "AmazonEFSCSIDriverPolicy",
        "AmazonEC2ContainerRegistryReadOnly", "AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy",
        "AWSXrayWriteOnlyAccess", "AmazonEKSNetworkingPolicy", "AmazonEBSCSIDriverPolicy@v2",
    ) for word in ("--policy", name)),
)  # fmt: skip
"""One request held against a role with ten policies."""

STARTS = (
    Start(BLANK),
    Start(NARROW, first=1.4, settled=1.8, memory=1.5, effect=1.6),
    Start(WIDE, first=1.4, settled=1.8, memory=1.5, effect=1.6),
    Start(replace(NARROW, name="ekstui, 80×24, empty cache"), first=2, empty_cache=True),
    Start(Subject("python -c pass", (PYTHON, "-c", "pass"))),
    Start(Subject("ekstui --version", (*EKSTUI, "--version")), first=0.25),
    Start(Subject("ekstui explain, ten policies", (*EKSTUI, *EXPLAIN))),
    Start(Subject("ekstui, input not a terminal", ("sh", "-c", f"{' '.join(EKSTUI)} </dev/null")), first=0.25),
)


def measure(starts: tuple[Start, ...], rounds: int, env: Mapping[str, str]) -> Iterator[Taken]:
    """Yield the medians of each, of so many rounds after one that does not count."""
    runs: dict[str, list[Taken]] = {start.subject.name: [] for start in starts}
    for number in range(rounds + 1):
        for start in starts:
            with tempfile.TemporaryDirectory() as empty_folder:
                measurement = _once(start, {**env, "EKSTUI_CACHE": empty_folder} if start.empty_cache else env)
            if number:
                runs[start.subject.name].append(measurement)
    for start in starts:
        taken_all = runs[start.subject.name]
        yield Taken(
            start,
            median(measurement.first for measurement in taken_all),
            median(measurement.settled for measurement in taken_all),
            median(measurement.processor for measurement in taken_all),
            round(median(measurement.memory for measurement in taken_all)),
            round(median(measurement.bytes for measurement in taken_all)),
            median(measurement.effect for measurement in taken_all),
        )


def _once(start: Start, env: Mapping[str, str]) -> Taken:
    subject = start.subject
    with subject.open(env) as terminal:
        if not subject.ready:
            terminal.process.wait()
            seconds = perf_counter() - terminal.started
            terminal.wait_exit()
            return Taken(start, seconds, 0, 0, 0, 0)
        first = terminal.wait_for(lambda: subject.is_ready(terminal)) - terminal.started
        settled_after = terminal.settle(0.4) - terminal.started
        processor, memory, received_bytes = terminal.cpu_seconds(), terminal.memory(), terminal.received
    return Taken(
        start, first, settled_after, processor, memory, received_bytes, _effect(start, env) if start.effect else 0
    )


def _effect(start: Start, env: Mapping[str, str]) -> float:
    """Return when the key that was typed at once, as the process began, has taken effect."""
    with start.subject.open(env) as terminal:
        terminal.send(FIRST_KEY)
        return terminal.wait_for(EFFECT) - terminal.started
