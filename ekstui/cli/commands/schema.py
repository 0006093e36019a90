"""`ekstui schema`: the schema of the commands' JSON."""

import argparse

from ekstui import files
from ekstui.cli.options import ExitCode
from ekstui.cli.streams import print_text
from ekstui.errors import DataError

DESCRIPTION = "Print the JSON Schema of the answers; each command's is under $defs."
EXAMPLES = ("ekstui schema > ekstui.schema.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no arguments."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes them
    """Print the bundled schema."""
    try:
        text = (files.assets() / "schema.json").read_text(encoding="utf-8")
    except OSError:
        raise DataError("The schema is missing.", "Reinstall ekstui.") from None
    print_text(text.rstrip("\n"))
    return ExitCode.DONE
