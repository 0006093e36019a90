"""`ekstui pin`: records the versions that policies are at."""

import argparse

from ekstui.cli.options import POLICY, ExitCode
from ekstui.cli.session import open_library
from ekstui.cli.streams import narrate
from ekstui.core.text import counted

DESCRIPTION = (
    f"Record the versions of policies, and checksums of their documents, in ekstui.lock for ekstui check. {POLICY}"
)
EXAMPLES = ("ekstui pin AmazonEKSClusterPolicy AmazonEKS_CNI_Policy", "ekstui pin AmazonEBSCSIDriverPolicy@v14")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("policies", nargs="+", metavar="POLICY[@V]")


def run(arguments: argparse.Namespace) -> int:
    """Add the policies to ekstui.lock, or update them there."""
    from ekstui.library.reviewing import LOCK, pin, read_lock, write_lock

    pins = pin(open_library(), arguments.policies)
    kept = {each.name: each for each in (read_lock() if LOCK.exists() else ())}
    write_lock(sorted({**kept, **{each.name: each for each in pins}}.values(), key=lambda each: each.name))
    narrate(f"Pinned {counted(len(pins), 'policy', 'policies')} in {LOCK}.")
    return ExitCode.DONE
