"""`make mutate`: put small faults into what policies mean, library and store, one at a time, and say how many the tests catch.

The faults are those of cosmic-ray. Each is tried on a copy of the checkout, against the tests that run the line it is
in, quickest first. A fault that no test notices in the time given counts as missed, as does one in a line no test runs.
"""

import argparse
import ast
import contextlib
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cosmic_ray import plugins
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, TestOutcome
from coverage import CoverageData

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "mutate"
PACKAGES = ("ekstui/iam", "ekstui/change", "ekstui/eks", "ekstui/denial", "ekstui/library", "ekstui/store")
TESTS = (
    "tests/iam",
    "tests/change",
    "tests/eks",
    "tests/denial",
    "tests/library",
    "tests/store",
    "tests/sources",
    "tests/present",
    "tests/cli",
    "tests/test_settings.py",
    "tests/tui",
)
SECONDS = 120.0
"""How long the tests of one fault may take."""

OPERATORS = re.compile(
    r"""core/( AddNot | NumberReplacer | ZeroIterationForLoop | ReplaceUnaryOperator_Delete_\w+
    | Replace(AndWithOr | OrWithAnd | TrueWithFalse | FalseWithTrue | BreakWithContinue | ContinueWithBreak)
    | ReplaceComparisonOperator_(Eq_NotEq | NotEq_Eq | Is_IsNot | IsNot_Is
        | Lt_LtE | Lt_GtE | LtE_Lt | LtE_Gt | Gt_GtE | Gt_LtE | GtE_Gt | GtE_Lt)
    | ReplaceBinaryOperator_(Add_Sub | Sub_Add | Mul_Div | Div_Mul | FloorDiv_Mul | BitOr_BitAnd | BitAnd_BitOr) )""",
    re.VERBOSE,
)
"""The operators that are tried: of a comparison its opposite and its neighbour, of arithmetic its inverse, as mutmut does.

The others of cosmic-ray are no mistakes that are made, such as an order between words or a shift for a sum, and half of
what survives of them changes nothing.
"""


class Tests(NamedTuple):
    """Which tests run a line, and how long each takes."""

    by_line: dict[tuple[str, int], frozenset[str]]
    seconds: dict[str, float]

    def of(self, spec: MutationSpec) -> list[str]:
        """Return the tests to try a fault with, quickest first, as many as fit the time."""
        path = str(spec.module_path)
        lines = range(spec.start_pos[0], spec.end_pos[0] + 1)
        covering_tests = {test for line in lines for test in self.by_line.get((path, line), ())}
        if not covering_tests and any((path, line) in self.by_line for line in lines):
            # Run when the module is imported: any test of the module may notice.
            covering_tests = {test for (file, _), tests in self.by_line.items() if file == path for test in tests}
        chosen_tests, spent = [], 0.0
        for test in sorted(covering_tests, key=lambda candidate: self.seconds.get(candidate, 1.0)):
            spent += self.seconds.get(test, 1.0)
            if spent > SECONDS / 3:
                break
            chosen_tests.append(test)
        return chosen_tests


def main() -> int:
    """Draw the sample, try each fault, print the rate, and return 1 if it is under the limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.mutate", description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="how many faults (400)")
    parser.add_argument("--seed", type=int, default=0, help="which faults (0)")
    parser.add_argument("--only", default="", metavar="PATH", help="faults in files whose path begins so")
    parser.add_argument("--keep-coverage", action="store_true", help="use the coverage of the last run")
    parser.add_argument("--at-least", type=float, default=85.0, metavar="PERCENT", help="the limit (85)")
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHONPATH"] = ""
    copies = [_copy(BUILD / f"copy{number}") for number in range(os.cpu_count() or 1)]
    tests = _measured(copies[0], again=not options.keep_coverage)
    faults = [fault for fault in _faults(copies[0]) if str(fault.module_path).startswith(options.only)]
    random.Random(options.seed).shuffle(faults)
    sample = list(islice((fault for fault in faults if _is_fault(copies[0], fault)), options.sample))
    print(f"{len(sample)} of {len(faults)} faults, seed {options.seed}", flush=True)
    work: multiprocessing.Queue[str] = multiprocessing.Queue()
    for copy in copies:
        work.put(str(copy))
    caught, missed_mutations = 0, []
    with multiprocessing.Pool(len(copies), _enter_copy, (work,)) as pool:
        jobs = ((spec, tests.of(spec)) for spec in sample)
        for number, (spec, is_killed, diff) in enumerate(pool.imap_unordered(_try, jobs), 1):
            caught += is_killed
            if not is_killed:
                missed_mutations.append(f"{spec.module_path}:{spec.start_pos[0]} {spec.operator_name}\n{diff}\n")
                (BUILD / "missed.diff").write_text("\n".join(missed_mutations), encoding="utf-8")
            print(f"\r{number} tried, {number - caught} missed", end="", file=sys.stderr, flush=True)
    rate = 100 * caught / max(len(sample), 1)
    print(f"\n{caught} of {len(sample)} caught: {rate:.1f} %. What was missed: {BUILD / 'missed.diff'}")
    return 0 if rate >= options.at_least else 1


def _copy(target: Path) -> Path:
    """Copy what git tracks to `target`, which becomes the same as the checkout."""
    shutil.rmtree(target, ignore_errors=True)
    paths = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, paths.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


def _measured(copy: Path, *, again: bool) -> Tests:
    """Run the tests once with coverage by test, unless the last run's is kept, and read what each ran and took."""
    data, log = BUILD / "coverage.sqlite", BUILD / "durations.txt"
    if again or not data.exists():
        print("measuring which test runs which line", flush=True)
        sources = [f"--cov={package}" for package in PACKAGES]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "tests.tools.uncached", "-n", str(os.cpu_count() or 1), "--dist", "worksteal", *TESTS,
             *sources, "--cov-context=test", "--cov-report=", "--durations=0", "--durations-min=0.0"],
            cwd=copy, env=_environment(copy) | {"COVERAGE_FILE": str(data)}, capture_output=True, text=True,
        )  # fmt: skip
        log.write_text(ran.stdout, encoding="utf-8")
        if not data.exists():
            raise SystemExit(f"the tests could not be run:\n{ran.stdout[-3000:]}{ran.stderr[-1000:]}")
    log_text = log.read_text("utf-8")
    # A test that fails without any fault, such as one that a busy machine is too slow for, says nothing.
    failed_tests = set(re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", log_text, re.MULTILINE))
    seconds: dict[str, float] = defaultdict(float)
    for took, test in re.findall(r"^([\d.]+)s (?:setup|call|teardown) +(.+)$", log_text, re.MULTILINE):
        seconds[test] += float(took)
    coverage = CoverageData(str(data))
    coverage.read()
    by_line = {}
    for file in coverage.measured_files():
        path = os.path.relpath(file, copy)
        for line, contexts in coverage.contexts_by_lineno(file).items():
            by_line[path, line] = (
                frozenset(context.rpartition("|")[0] for context in contexts if context) - failed_tests
            )
    return Tests(by_line, dict(seconds))


def _faults(copy: Path) -> list[MutationSpec]:
    """Return every fault of the operators in the packages, those in annotations and decorators left out."""
    paths = sorted(path.relative_to(copy) for package in PACKAGES for path in (copy / package).rglob("*.py"))
    annotations = {str(path): _annotated((copy / path).read_text("utf-8")) for path in paths}
    session = WorkDB(BUILD / "session.sqlite", WorkDB.Mode.create)
    with contextlib.chdir(copy), contextlib.closing(session):
        init(paths, session, {})
        specs = [item.mutations[0] for item in session.work_items]
    specs.sort(key=lambda mutation: (str(mutation.module_path), mutation.operator_name, mutation.occurrence))
    return [
        spec
        for spec in specs
        if OPERATORS.fullmatch(spec.operator_name)
        and not any(first <= spec.start_pos < last for first, last in annotations[str(spec.module_path)])
    ]


def _is_fault(copy: Path, spec: MutationSpec) -> bool:
    """Whether a fault leaves Python and changes what it does: cosmic-ray takes the `*` between parameters for an operator."""
    source = (copy / spec.module_path).read_text("utf-8")
    try:
        tree = ast.parse(mutate_code(source, plugins.get_operator(spec.operator_name)(), spec.occurrence) or "")
    except SyntaxError:
        return False
    return _positional_only(tree) == _positional_only(ast.parse(source))


def _positional_only(tree: ast.AST) -> int:
    return sum(len(node.posonlyargs) for node in ast.walk(tree) if isinstance(node, ast.arguments))


def _annotated(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where annotations, names of types and decorators stand, as (line, column) from and to."""

    def types(node: ast.AST) -> Iterator[ast.expr | None]:
        if isinstance(node, ast.AnnAssign | ast.arg):
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.returns
            yield from node.decorator_list
        elif isinstance(node, ast.ClassDef):
            yield from node.decorator_list
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"isinstance", "cast"}:
            yield from node.args

    return [
        ((annotation.lineno, annotation.col_offset), (annotation.end_lineno or 0, annotation.end_col_offset or 0))
        for node in ast.walk(ast.parse(source))
        for annotation in types(node)
        if annotation is not None
    ]


def _environment(copy: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(copy)}


def _enter_copy(work: "multiprocessing.Queue[str]") -> None:
    copy = Path(work.get())
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)


def _try(job: tuple[MutationSpec, list[str]]) -> tuple[MutationSpec, bool, str]:
    """Put one fault into this process's copy, run the tests, take it out, and return whether one of them failed."""
    spec, tests = job
    if not tests:
        return spec, False, "no test runs this line"
    Path("chosen.txt").write_text("\n".join(tests), encoding="utf-8")
    command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider -p no:randomly @chosen.txt"
    began = time.monotonic()
    result = mutate_and_test([spec], command, SECONDS)
    took = time.monotonic() - began
    return spec, result.test_outcome != TestOutcome.SURVIVED, f"{len(tests)} tests, {took:.0f} s\n{result.diff}"


if __name__ == "__main__":
    raise SystemExit(main())
