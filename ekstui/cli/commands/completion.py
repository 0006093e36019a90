"""`ekstui completion`: what a shell reads to complete ekstui's words."""

import argparse

from ekstui.cli.completion import shell_code
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import print_text


def run(arguments: argparse.Namespace) -> int:
    """Print the shell's code."""
    print_text(shell_code(arguments.shell).rstrip("\n"))
    return ExitCode.DONE
