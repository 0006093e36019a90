"""`ekstui diff`: what differs between two documents."""

import argparse
import sys
from collections.abc import Sequence

from ekstui.cli.account import library_for
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import Tone, print_json, print_text, print_wrapped
from ekstui.core.change import GrantDifference
from ekstui.core.grants import Grant
from ekstui.core.where import StandardInput, parse_sides
from ekstui.export.markdown import comparison_markdown
from ekstui.export.patch import comparison_patch
from ekstui.export.shapes import diff_shape


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict, then what was added, removed and changed, with resources and conditions."""
    library = library_for(arguments)
    before, after = parse_sides([side for side in (arguments.before, arguments.after) if side])
    text = sys.stdin.read() if StandardInput() in (before, after) else ""
    comparison = library.compare(before, after, text)
    if arguments.json:
        print_json(diff_shape(library.data(), comparison))
        return ExitCode.DONE
    if arguments.markdown or arguments.patch:
        text = comparison_markdown if arguments.markdown else comparison_patch
        print_text(text(comparison).rstrip("\n"))
        return ExitCode.DONE
    change = comparison.change
    print_text(f"{comparison.before.label} → {comparison.after.label}", "bold")
    print_wrapped(change.verdict)
    for note in change.notes:
        print_wrapped(f"note: {note}", "  ", "dim")
    parts: tuple[tuple[str, str, Tone, Sequence[GrantDifference]], ...] = (
        ("Added", "+", "green", change.added),
        ("Removed", "−", "red", change.removed),
        ("Changed", "~", "yellow", change.changed),
    )
    for title, mark, tone, differences in parts:
        if differences:
            print_text()
            print_text(f"{title} ({len(differences)})", "bold")
        for difference in differences:
            _print_difference(difference, mark, tone)
    return ExitCode.DONE


def _print_difference(difference: GrantDifference, mark: str, tone: Tone) -> None:
    deny = "deny " if difference.effect == "Deny" else ""
    element = "everything but " if difference.element == "NotAction" else ""
    print_text(f"  {mark} {deny}{element}{', '.join(difference.actions)}", tone)
    if difference.before and difference.after:
        kept = set(difference.before) & set(difference.after)
        _print_grants([grant for grant in difference.before if grant not in kept], "before")
        _print_grants([grant for grant in difference.after if grant not in kept], "after")
    else:
        _print_grants(difference.before or difference.after, "on")


def _print_grants(grants: Sequence[Grant], word: str) -> None:
    for grant in grants:
        resources = ", ".join(grant.resources)
        where = resources if grant.resource_element == "Resource" else f"everything but {resources}"
        print_text(f"      {word:<6} {where}")
        for condition in grant.conditions:
            print_text(f"             if {condition.key} {condition.operator} {' or '.join(condition.values)}")
