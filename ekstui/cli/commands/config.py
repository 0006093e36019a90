"""`ekstui config`: the settings that hold, and where each comes from."""

import argparse
from collections.abc import Mapping

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import Cell, Tone, narrate, print_json, print_table, print_text
from ekstui.config import SETTINGS, Effective


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
        return ExitCode.DONE
    print_text(f"{found.path}{'' if found.file_found else ' (no such file)'}", "bold")
    rows: list[tuple[Cell, ...]] = []
    for setting in SETTINGS:
        origin = found.origins[setting.name]
        tone: Tone = "dim" if origin == "default" else ""
        rows.append((setting.name, _words(getattr(found.settings, setting.name)), (origin, tone)))
    print_table(rows, ("SETTING", "VALUE", "FROM"))
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


def _words(value: object) -> str:
    match value:
        case None | ():
            return "—"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(map(str, value))
        case Mapping():
            return "; ".join(f"{name} = {keys}" for name, keys in value.items()) or "—"
    return str(value)
