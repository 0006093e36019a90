"""`ekstui versions`: a policy's timeline."""

import argparse

from ekstui.cli.options import POLICY, ExitCode, add_json
from ekstui.cli.session import open_library
from ekstui.cli.streams import print_blocks, print_json, print_text
from ekstui.core.notation import parse_policy
from ekstui.export.shapes import one_or_answers, versions_shape
from ekstui.library.catalog import knowledge_of
from ekstui.present.change_lists import timeline_blocks

DESCRIPTION = f"List a policy's versions, their dates, and what each changed. {POLICY}"
EXAMPLES = ("ekstui versions AmazonEKSServiceRolePolicy",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("policy", nargs="+", metavar="POLICY")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one line per version, oldest first, with what it changed, and which numbers are missing."""
    library = open_library()
    entries = [library.find(parse_policy(policy).name) for policy in arguments.policy]
    timelines = [(entry, library.timeline(entry.policy)) for entry in entries]
    if arguments.json:
        print_json(one_or_answers([versions_shape(library.data(), entry, steps) for entry, steps in timelines]))
        return ExitCode.DONE
    for number, (entry, steps) in enumerate(timelines):
        if number:
            print_text()
        print_blocks(timeline_blocks(entry.policy, steps, knowledge_of(entry.policy)))
    return ExitCode.DONE
