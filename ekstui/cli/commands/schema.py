"""`ekstui schema`: the schema of the commands' JSON."""

import json
from argparse import Namespace

from ekstui import files
from ekstui.cli.parser import command, flag
from ekstui.cli.streams import print_text
from ekstui.errors import DataError


@command(
    "schema",
    "print the JSON Schema of the answers",
    "Print the JSON Schema of the answers; each command's is under $defs.",
    flag("--json", "accepted, as by every command with an answer; the schema is JSON anyway"),
    examples=("ekstui schema > ekstui.schema.json",),
)
def print_schema(arguments: Namespace) -> None:  # noqa: ARG001 - every command takes them
    """Print the bundled schema."""
    try:
        text = files.asset("schema.json").read_text(encoding="utf-8")
        json.loads(text)
    except (OSError, ValueError) as error:
        raise DataError(f"schema.json cannot be read: {error}.", "Install ekstui again.") from None
    print_text(text.rstrip("\n"))
