"""`ekstui config`: the settings in effect, and where each comes from."""

import os
import shlex
import subprocess
from argparse import Namespace
from pathlib import Path

from ekstui.cli.parser import JSON, ExitCode, argument, command
from ekstui.cli.session import refuse_in_demo
from ekstui.cli.streams import print_answer, print_text, remark
from ekstui.errors import InputError
from ekstui.export.encoding import shape
from ekstui.files import create_file
from ekstui.present.cache_report import settings_blocks
from ekstui.settings import Effective, effective, empty_settings_file


@command(
    "config",
    "show the settings in effect",
    "Show the settings in effect and where each comes from: default, file, environment or command line.",
    argument(
        "what",
        nargs="?",
        choices=("show", "path", "edit"),
        default="show",
        metavar="show|path|edit",
        help="show the settings (the default), print the path of their file, or open it in $VISUAL or $EDITOR",
    ),
    *JSON,
    examples=("ekstui config", "ekstui config path", "EKSTUI_SCOPE=all ekstui config --json"),
)
def show_settings(arguments: Namespace) -> int:
    """Print one line per setting: its name, its value, and where the value comes from."""
    effective: Effective = arguments.settings
    if arguments.what == "path":
        print_text(str(effective.path))
        return ExitCode.DONE
    if arguments.what == "edit":
        refuse_in_demo(arguments)
        return _edit(effective.path)
    if effective.settings.keys:
        from ekstui.tui.keys import clashes, unknown_ids

        unknown = unknown_ids(effective.settings.keys)
        unknown += tuple(f"keys.{name}: {reason}." for name, reason in clashes(effective.settings.keys).items())
        effective = effective._replace(warnings=(*effective.warnings, *unknown))
        for warning in unknown:
            remark(warning)
    print_answer(arguments, lambda: shape(effective), lambda: settings_blocks(effective))
    return ExitCode.DONE


def _edit(path: Path) -> int:
    """Open the file in the user's editor, as a commented one if there is none, and check what was saved."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise InputError("No editor is set.", f"Set EDITOR, or edit {path}.")
    try:
        if not path.exists() or not path.stat().st_size:
            create_file(path, empty_settings_file().encode())
        code = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode  # noqa: S603 - the user's own
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be edited with {editor}: {error}.") from None
    if code:
        remark(f"{editor} ended with {code}.")
        return ExitCode.USAGE
    warnings = effective(path, {}).warnings
    for warning in warnings:
        remark(warning)
    remark(f"The rest of {path} is valid." if warnings else f"{path} is valid.")
    return ExitCode.DONE
