"""`ekstui list`: the policies of a scope."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.output import print_json, print_table
from ekstui.core.policy import version_label
from ekstui.export.shapes import list_shape


def run(arguments: argparse.Namespace) -> int:
    """Print a policy a line: name, default version, when it was updated, and what it is."""
    library = open_library()
    entries = library.policies(arguments.scope)
    if arguments.json:
        print_json(list_shape(library.data(), entries))
        return ExitCode.DONE
    print_table(
        [
            (
                entry.policy.name,
                version_label(entry.policy.default_version),
                f"{entry.policy.updated:%Y-%m-%d}" if entry.policy.updated else "date unknown",
                entry.policy.kind,
                (f"superseded by {entry.superseded_by}" if entry.superseded_by else "", "yellow"),
            )
            for entry in entries
        ],
        ("POLICY", "DEFAULT", "UPDATED", "KIND", ""),
    )
    return ExitCode.DONE
