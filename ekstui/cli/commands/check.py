"""`ekstui check`: which pinned policies moved."""

import argparse

from ekstui.cli.exit_codes import add_exit_code, add_fail_on, fails_on, gate
from ekstui.cli.library import open_library
from ekstui.cli.options import add_json
from ekstui.cli.output import narrate, print_blocks, print_json
from ekstui.core.policy import version_label

DESCRIPTION = "Say which policies of ekstui.lock moved since they were pinned, and what that means."
EXAMPLES = ("ekstui check", "ekstui check --fail-on widened")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_exit_code(parser, "exit with 1 if any policy moved")
    add_fail_on(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a policy that moved a row."""
    from ekstui.library.pins import moved_since, read_lock
    from ekstui.present.review import moved_blocks

    library = open_library()
    pins = read_lock()
    moved = moved_since(library, pins)
    if arguments.json:
        print_json(
            {
                "moved": [
                    {
                        "policy": each.pin.name,
                        "from": version_label(each.pin.version),
                        "to": version_label(each.version) if each.version else None,
                        "kind": each.change.kind if each.change else None,
                        "reach": each.change.reach if each.change else "unknown",
                    }
                    for each in moved
                ],
                "complete": all(each.change is not None for each in moved),
            }
        )
    else:
        print_blocks(moved_blocks(moved, len(pins)))
    narrate(f"Known until {library.data().newest:%Y-%m-%d}.")
    reaches = ["unknown" if each.change is None else each.change.reach for each in moved]
    return gate((arguments.exit_code and bool(moved)) or fails_on(arguments.fail_on, reaches))
