"""`ekstui schema`: the schema of what the commands print as JSON."""

import argparse

from ekstui import paths
from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.streams import print_text
from ekstui.errors import DataError

DESCRIPTION = "Print the JSON Schema of the answers: $defs has one for each command."
EXAMPLES = ("ekstui schema > ekstui.schema.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes: nothing."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command is given them
    """Print the schema as it ships."""
    try:
        text = (paths.assets() / "schema.json").read_text(encoding="utf-8")
    except OSError:
        raise DataError("The schema is not there.", "Install ekstui again.") from None
    print_text(text.rstrip("\n"))
    return ExitCode.DONE
