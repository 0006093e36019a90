"""`ekstui clusters`: the account's clusters and their problems."""

import argparse

from ekstui.cli.options import ExitCode, add_account, add_json
from ekstui.cli.session import library_for, narrate_errors, read_account
from ekstui.cli.streams import narrate, print_blocks, print_json
from ekstui.export.shapes import clusters_shape
from ekstui.library.cluster_answers import clusters
from ekstui.present.blocks import incomplete_words
from ekstui.present.cluster_report import clusters_blocks

DESCRIPTION = (
    "List the account's clusters, each with its version and mode, the number of problems, and what EKS reports."
)
EXAMPLES = ("ekstui clusters --profile prod", "ekstui clusters --region all --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print one row per cluster; return 1 if there is certainly none."""
    library = library_for(arguments)
    snapshot = read_account(library)
    answers = clusters(library)
    if arguments.json:
        print_json(clusters_shape(library.data(), snapshot, answers))
        narrate_errors(snapshot.errors)
    else:
        print_blocks(clusters_blocks(snapshot, answers))
    if not snapshot.complete:
        narrate(incomplete_words("every role and cluster", "there may be more problems"))
    known = snapshot.eks is not None and not any(each.source == "clusters" for each in snapshot.errors)
    return ExitCode.NOTHING if known and not answers else ExitCode.DONE
