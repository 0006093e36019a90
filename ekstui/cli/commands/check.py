"""`ekstui check`: which pinned policies have changed."""

import argparse

from ekstui.cli.options import add_exit_code, add_fail_on, add_json, fails_on, gate, reaches_of
from ekstui.cli.session import narrate_age, open_library
from ekstui.cli.streams import narrate, print_answer
from ekstui.export.shapes import check_shape

DESCRIPTION = "Show which policies of ekstui.lock have changed since they were pinned, and what that means."
EXAMPLES = ("ekstui check", "ekstui check --fail-on widened")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_exit_code(parser, "exit with 1 if any policy has changed")
    add_fail_on(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one row per policy that has changed."""
    from ekstui.library.reviewing import moved_since, read_lock
    from ekstui.present.change_lists import moved_blocks

    library = open_library()
    pins = read_lock()
    moved = moved_since(library, pins)
    print_answer(arguments, lambda: check_shape(moved), lambda: moved_blocks(moved, len(pins)))
    newest = library.data().newest
    narrate(f"Known until {newest:%Y-%m-%d}.")
    narrate_age(newest)
    reaches = [reach for each in moved for reach in reaches_of(each.change)]
    return gate((arguments.exit_code and bool(moved)) or fails_on(arguments.fail_on, reaches))
