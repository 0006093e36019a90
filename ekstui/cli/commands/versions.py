"""`ekstui versions`: a policy's timeline."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.options import POLICY, add_json
from ekstui.cli.output import print_blocks, print_json
from ekstui.core.where import parse_policy
from ekstui.export.shapes import versions_shape
from ekstui.library.knowledge import knowledge_of
from ekstui.present.changes import timeline_blocks

DESCRIPTION = f"Show a policy's versions and what each changed. {POLICY}"
EXAMPLES = ("ekstui versions AmazonEKSServiceRolePolicy",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("policy", metavar="POLICY")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a version a line, oldest first, with what it changed; numbers that nobody saw are named."""
    library = open_library()
    entry = library.find(parse_policy(arguments.policy).name)
    steps = library.timeline(entry.policy)
    if arguments.json:
        print_json(versions_shape(library.data(), entry, steps))
    else:
        print_blocks(timeline_blocks(entry.policy, steps, knowledge_of(entry.policy)))
    return ExitCode.DONE
