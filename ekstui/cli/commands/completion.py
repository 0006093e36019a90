"""`ekstui completion`: what a shell reads to complete ekstui's words."""

import argparse

from ekstui.cli.completion import shell_code
from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import print_text

DESCRIPTION = "Print what a shell reads to complete commands, options, policies and actions."
EXAMPLES = (
    "source <(ekstui completion bash)    in ~/.bashrc; the same for zsh in ~/.zshrc, after compinit",
    "ekstui completion fish | source     in ~/.config/fish/config.fish",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")


def run(arguments: argparse.Namespace) -> int:
    """Print the shell's code."""
    print_text(shell_code(arguments.shell).rstrip("\n"))
    return ExitCode.DONE
