"""Compare ekstui's verdicts with those of the npm package @cloud-copilot/iam-simulate; see README.md.

python -m tests.tools.compare_simulator.compare [--requests 5000] [--seed 1] [--figures FILE]
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ekstui.iam.document import Document, Statement, parse_text
from ekstui.iam.evaluation import AppliedPolicy, evaluate
from ekstui.iam.grants import action_matches
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from ekstui.sources.corpus import Corpus
from tests.tools.compare_simulator.layers import LayeredCase, evaluated, layered_cases, layered_kind, layered_line
from tests.tools.compare_simulator.operators import operator_cases
from tests.tools.compare_simulator.requests import ALWAYS, ROLE, Case, as_line, cases, library_of_documents

PACKAGE = "@cloud-copilot/iam-simulate"
HERE = Path(__file__).resolve().parent

_THEIR_WORDS = {"Allowed": "allowed", "ExplicitlyDenied": "explicit-deny", "ImplicitlyDenied": "implicit-deny"}


_LIST_KEYS = frozenset({"events:source", "events:detail-type"})
"""Keys that the reference lists as lists and that AWS's own policies compare without a set operator."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A request on which the two do not agree."""

    case: Case
    ours: str
    theirs: str
    kind: str


def install(folder: Path) -> str:
    """Install the package into a folder and return its version."""
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", PACKAGE], cwd=folder, check=True)
    (folder / "simulate.mjs").write_bytes((HERE / "simulate.mjs").read_bytes())
    version: str = json.loads((folder / "node_modules" / PACKAGE / "package.json").read_text())["version"]
    return version


def simulate(folder: Path, lines: Iterable[str]) -> dict[int, dict[str, Any]]:
    """Return what the package answers, by the request's id."""
    process = subprocess.run(
        ["node", "simulate.mjs"], cwd=folder, input="\n".join(lines), capture_output=True, text=True, check=True
    )
    answers = (json.loads(line) for line in process.stdout.splitlines())
    return {answer["id"]: answer for answer in answers}


def our_verdict(case: Case, ignored_keys: Iterable[str], documents: Mapping[str, Document]) -> str:
    """Return ekstui's verdict on a request whose context is complete, but for the keys that the other side ignores."""
    left_out = {key.lower() for key in ignored_keys}
    keys = {
        key.lower()
        for label in (*case.identity, *((case.boundary,) if case.boundary else ()))
        for key in condition_keys(documents[label])
    }
    context = {key: values for key, values in case.context.items() if key.lower() not in left_out}
    context_keys = {key.lower() for key in context}
    request = Request(case.action, (case.resource,), ROLE, context, frozenset(keys - context_keys))
    identity = [AppliedPolicy(label, None, documents[label]) for label in case.identity]
    boundary = AppliedPolicy(case.boundary, None, documents[case.boundary]) if case.boundary else None
    return evaluate(request, identity, boundary).verdict


def condition_keys(document: Document) -> Iterable[str]:
    """Yield the keys that a document's conditions and variables ask for."""
    for statement in document.statements:
        for condition in statement.conditions:
            yield condition.key
        for value in (*statement.resources, *(value for line in statement.conditions for value in line.values)):
            for piece in value.split("${")[1:]:
                yield piece.partition("}")[0].partition(",")[0].strip()


def their_verdict(answer: Mapping[str, Any]) -> str:
    """Return the other side's verdict by identity policies and boundary, in ekstui's words."""
    layers = [answer["identity"], *([answer["boundary"]] if answer.get("boundary") else [])]
    if "ExplicitlyDenied" in layers:
        return "explicit-deny"
    return "allowed" if all(layer == "Allowed" for layer in layers) else "implicit-deny"


def kind_of(case: Case, ours: str, theirs: str, documents: Mapping[str, Document]) -> str:
    """Return the class of a difference, by what can be seen of it."""
    statements = [
        statement
        for label in (*case.identity, *((case.boundary,) if case.boundary else ()))
        for statement in documents[label].statements
        if action_matches(statement, case.action)
    ]
    peculiarities = sorted({kind for statement in statements for kind in _peculiarities(statement, case)})
    return " + ".join(peculiarities) or f"nothing peculiar: {ours} / {theirs}"


def _peculiarities(statement: Statement, case: Case) -> Iterable[str]:
    """Yield what a statement has that README.md explains a difference by."""
    context = {key.lower(): values for key, values in case.context.items()}
    if any(_has_wild_type(pattern) for pattern in statement.resources):
        yield "wildcard in the resource type"
    for condition in statement.conditions:
        values = context.get(condition.key.lower(), ())
        family = condition.operator.rpartition(":")[2].removesuffix("IfExists")
        if len(values) > 1 and not condition.operator.startswith("For"):
            yield "several values without a set operator"
        if condition.key.lower() in _LIST_KEYS and not condition.operator.startswith("For"):
            yield "key of a list without a set operator"
        for value in condition.values:
            if "${*}" in value:
                yield "literal ${*}"
            names = [piece.partition("}")[0] for piece in value.split("${")[1:]]
            if any("," not in name and name != "*" and name.lower() not in context for name in names):
                yield "variable that cannot be resolved"
            if any("," in name for name in names):
                yield "default of a variable"
        for value in (*condition.values, *values):
            if family.startswith("Date") and value.isdigit():
                yield "date of four digits" if len(value) == 4 else "seconds of the epoch"
            if family.endswith("IpAddress") and value.endswith("/0"):
                yield "network of every address"
            if family.endswith("IpAddress") and ":" in value:
                yield "IPv6"
            if family.startswith("Arn") and value == "*":
                yield "ARN operator with a bare star"
            if family.startswith("Numeric") and value == "ten":
                yield "number that is none"
            if value == "":
                yield "empty string"


def _has_wild_type(pattern: str) -> bool:
    parts = pattern.split(":", 5)
    head = re.split("[:/]", parts[5], maxsplit=1)[0] if len(parts) == 6 else ""
    return "*" in head and parts[5] != "*"


def compared(
    cases_asked: Sequence[Case], answers: Mapping[int, Mapping[str, Any]], documents: Mapping[str, Document]
) -> tuple[dict[str, Any], list[Difference]]:
    """Return the figures of a set of requests, and the differences."""
    refusals: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    ignored_count = 0
    differences: list[Difference] = []
    for case in cases_asked:
        answer = answers[case.id]
        if "refused" in answer:
            refusals[re.sub("key .* not", "key … not", answer["refused"])[:80]] += 1
            continue
        ignored_count += bool(answer["ignored"])
        ours = our_verdict(case, answer["ignored"], documents)
        theirs = their_verdict(answer)
        verdicts[theirs] += 1
        if ours != theirs:
            differences.append(Difference(case, ours, theirs, kind_of(case, ours, theirs, documents)))
    count = sum(verdicts.values())
    figures = {
        "requests": len(cases_asked),
        "refused_by_the_package": dict(refusals.most_common()),
        "compared": count,
        "agreed": count - len(differences),
        "verdicts": dict(verdicts.most_common()),
        "with_context_keys_that_the_package_ignores": ignored_count,
        "policies": len({label for case in cases_asked for label in (*case.identity, case.boundary) if label}),
        "differences": dict(Counter(difference.kind for difference in differences).most_common()),
    }
    return figures, differences


def compared_layers(
    cases_of_layers: Sequence[LayeredCase], answers: Mapping[int, Mapping[str, Any]]
) -> tuple[dict[str, Any], list[tuple[LayeredCase, str]]]:
    """Return the figures of requests under every layer, and the differences with their kinds."""
    refusals: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    differences: list[tuple[LayeredCase, str]] = []
    for case in cases_of_layers:
        answer = answers[case.id]
        if "refused" in answer:
            refusals[answer["refused"][:80]] += 1
            continue
        ours, theirs = evaluated(case).verdict, _THEIR_WORDS[answer["overall"]]
        verdicts[theirs] += 1
        if ours != theirs:
            differences.append((case, layered_kind(case, ours, theirs)))
    count = sum(verdicts.values())
    figures = {
        "requests": len(cases_of_layers),
        "refused_by_the_package": dict(refusals.most_common()),
        "compared": count,
        "agreed": count - len(differences),
        "verdicts": dict(verdicts.most_common()),
        "differences": dict(Counter(kind for _, kind in differences).most_common()),
    }
    return figures, differences


def main() -> int:
    """Run the comparison and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000, help="over AWS's policies")
    parser.add_argument("--operators", type=int, default=2000, help="over made-up policies with every operator")
    parser.add_argument("--layers", type=int, default=3000, help="under every layer of policies")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--figures", type=Path, help="a file to write the figures to")
    parser.add_argument("--show", type=int, default=3, help="differences of each kind to print")
    arguments = parser.parse_args()
    corpus = Corpus.bundled()
    texts, family = library_of_documents(corpus)
    request_cases = list(cases(texts, family, arguments.requests, arguments.seed))
    operator_case_list = list(operator_cases(arguments.operators, arguments.seed, len(request_cases)))
    texts.update({case.identity[0]: text for case, text in operator_case_list})
    operators = [case for case, _ in operator_case_list]
    labels = {
        label for case in (*request_cases, *operators) for label in (*case.identity, case.boundary) if label is not None
    }
    documents = {label: parse_text(texts[label]) for label in labels}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        version = install(folder)
        answers = simulate(folder, (as_line(case, texts) for case in (*request_cases, *operators)))
        under_layers = list(layered_cases(arguments.layers, arguments.seed))
        of_layers = simulate(folder, map(layered_line, under_layers))
    figures: dict[str, Any] = {
        "package": f"{PACKAGE} {version}",
        "reference": reference().version,
        "corpus": corpus.manifest().label,
        "seed": arguments.seed,
    }
    differences: list[Difference] = []
    for title, part in (("aws_policies", request_cases), ("every_operator", operators)):
        figures[title], part_differences = compared(part, answers, documents)
        differences += part_differences
    figures["every_layer"], layer_differences = compared_layers(under_layers, of_layers)
    sys.stdout.write(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    if arguments.figures:
        arguments.figures.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    counts: Counter[str] = Counter()
    for layered_case, kind in layer_differences:
        counts[kind] += 1
        if counts[kind] <= arguments.show:
            sys.stderr.write(f"{kind}\n  {layered_line(layered_case)}\n")
    for difference in differences:
        counts[difference.kind] += 1
        if counts[difference.kind] <= arguments.show:
            case = difference.case
            context = {key: values for key, values in case.context.items() if key not in ALWAYS}
            sys.stderr.write(
                f"{difference.kind}\n  {case.action} on {case.resource}: {case.identity} {case.boundary}\n"
            )
            sys.stderr.write(f"  {context}\n")
            if case.identity[0].startswith("operators"):
                sys.stderr.write(f"  {texts[case.identity[0]].decode()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
