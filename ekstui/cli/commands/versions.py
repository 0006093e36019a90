"""`ekstui versions`: a policy's timeline."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.output import Cell, print_json, print_table, print_text, print_wrapped
from ekstui.core.policy import version_label
from ekstui.core.steps import StepCounts
from ekstui.core.where import parse_policy
from ekstui.export.shapes import versions_shape


def run(arguments: argparse.Namespace) -> int:
    """Print a version a line, oldest first, with what it changed; numbers that nobody saw are named."""
    library = open_library()
    entry = library.find(parse_policy(arguments.policy).name)
    steps = library.timeline(entry.policy)
    knowledge = library.knowledge(entry.policy)
    if arguments.json:
        print_json(versions_shape(library.data(), entry, steps))
        return ExitCode.DONE
    print_text(f"{entry.policy.name}: {len(steps)} known versions", "bold")
    rows: list[tuple[Cell, ...]] = []
    for step in steps:
        if step.missing_before:
            first, last = version_label(step.missing_before[0]), version_label(step.missing_before[-1])
            rows.append(((first if first == last else f"{first}–{last}", "dim"), ("not seen by anyone", "dim")))
        day = f"{step.created:%Y-%m-%d %H:%M} UTC" if step.created else "date unknown"
        rows.append(
            (version_label(step.version), day, change_words(step.change), ("default" if step.default else "", "green"))
        )
    print_table(rows)
    for update in knowledge.updates if knowledge else ():
        print_text()
        print_wrapped(f"{version_label(update.version)}: {update.text}")
        if update.disagreement:
            print_wrapped(f"But: {update.disagreement}", indent="  ", tone="dim")
    return ExitCode.DONE


def change_words(counts: StepCounts | None) -> str:
    """Return what a step changed in words: `widened, +1 −0 ~2`, `no change`, `first known version`."""
    if counts is None:
        return "first known version"
    if counts.kind == "none":
        return "no change"
    reach = "same access" if counts.reach == "same" else f"{counts.reach}"
    if counts.reach == "unknown":
        reach = "reach unknown"
    return f"{reach}, +{counts.added} −{counts.removed} ~{counts.changed}"
