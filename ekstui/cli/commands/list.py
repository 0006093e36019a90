"""`ekstui list`: the policies of a scope."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.options import add_json, add_scope
from ekstui.cli.output import print_blocks, print_json
from ekstui.present.policies import policies_blocks

DESCRIPTION = "List the policies."
EXAMPLES = ("ekstui list --scope all --json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_scope(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a policy a line: name, default version, when it was updated, and what it is."""
    library = open_library()
    entries = library.policies(arguments.scope)
    if arguments.json:
        from ekstui.export.shapes import list_shape  # 4 ms with what encodes documents, which a list has none of

        print_json(list_shape(library.data(), entries))
    else:
        print_blocks(policies_blocks(entries))
    return ExitCode.DONE
