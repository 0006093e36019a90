"""`ekstui diff`: what differs between two documents."""

import argparse
import sys

from ekstui.cli.account import library_for
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import print_blocks, print_json, print_markdown, print_text
from ekstui.core.where import StandardInput, parse_sides
from ekstui.export.patch import comparison_patch
from ekstui.export.shapes import diff_shape
from ekstui.present.comparison import comparison_blocks


def run(arguments: argparse.Namespace) -> int:
    """Print both sides, what the difference means and why, then per action only what differs."""
    library = library_for(arguments)
    before, after = parse_sides([side for side in (arguments.before, arguments.after) if side])
    text = sys.stdin.read() if StandardInput() in (before, after) else ""
    comparison = library.compare(before, after, text)
    if arguments.json:
        print_json(diff_shape(library.data(), comparison))
        return ExitCode.DONE
    if arguments.patch:
        print_text(comparison_patch(comparison).rstrip("\n"))
    elif arguments.markdown:
        print_markdown(comparison_blocks(comparison))
    else:
        print_blocks(comparison_blocks(comparison))
    return ExitCode.DONE
