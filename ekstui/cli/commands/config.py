"""`ekstui config`: the settings that hold, and where each comes from."""

import argparse
from collections.abc import Mapping

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.options import add_json
from ekstui.cli.output import narrate, print_blocks, print_json
from ekstui.config import SETTINGS, Effective
from ekstui.present.store import settings_blocks

DESCRIPTION = "Show the settings that hold, and where each comes from: default, file, environment or command line."
EXAMPLES = (
    "ekstui config",
    "EKSTUI_SCOPE=all ekstui config --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a setting a line: name, value, and whether default, file, environment or command line says so."""
    found: Effective = arguments.settings
    if found.settings.keys:
        from ekstui.tui.keys import unknown_ids  # 85 ms of Textual, and only for those who rebind keys

        unknown = unknown_ids(found.settings.keys)
        found = found._replace(warnings=(*found.warnings, *unknown))
        for warning in unknown:
            narrate(warning)
    if arguments.json:
        print_json(_shape(found))
    else:
        print_blocks(settings_blocks(found))
    return ExitCode.DONE


def _shape(found: Effective) -> dict[str, object]:
    return {
        "path": str(found.path),
        "exists": found.file_found,
        "settings": {
            setting.name: {"value": _plain(getattr(found.settings, setting.name)), "from": found.origins[setting.name]}
            for setting in SETTINGS
        },
        "warnings": list(found.warnings),
    }


def _plain(value: object) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
