"""`ekstui pin`: record which versions policies are at today."""

import argparse

from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.options import POLICY
from ekstui.cli.session import open_library
from ekstui.cli.streams import narrate

DESCRIPTION = f"Pin policies in ekstui.lock, with the checksum of each document, for ekstui check. {POLICY}"
EXAMPLES = ("ekstui pin AmazonEKSClusterPolicy AmazonEKS_CNI_Policy", "ekstui pin AmazonEBSCSIDriverPolicy@v14")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("policies", nargs="+", metavar="POLICY[@V]")


def run(arguments: argparse.Namespace) -> int:
    """Write these policies to the lock, beside those that it has."""
    from ekstui.library.pins import LOCK, pin, read_lock, write_lock

    pins = pin(open_library(), arguments.policies)
    kept = {each.name: each for each in (read_lock() if LOCK.exists() else ())}
    write_lock(sorted({**kept, **{each.name: each for each in pins}}.values(), key=lambda each: each.name))
    narrate(f"Pinned {len(pins)} in {LOCK}.")
    return ExitCode.DONE
