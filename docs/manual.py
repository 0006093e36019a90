"""Makes the manual page, ekstui.1, from the parser."""

import argparse

from docs.words import command_usage, examples_of, options_of
from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.parser import commands_of


def man_page(parser: argparse.ArgumentParser) -> str:
    """Return the page in man's macros."""
    lines = [
        '.TH EKSTUI 1 "" "ekstui" "User Commands"',
        ".SH NAME",
        "ekstui \\- explore the AWS managed IAM policies for Amazon EKS",
        ".SH SYNOPSIS",
        ".B ekstui",
        _text("[WHERE]"),
        ".br",
        ".B ekstui",
        _text("COMMAND ..."),
        ".SH DESCRIPTION",
        _text(parser.description or ""),
        ".PP",
        "If the first word is not a command, the app opens at it.",
        ".SH COMMANDS",
    ]
    for name, command in commands_of(parser).items():
        lines += [f".SS {_text(command_usage(name, command))}", _text(command.description or "")]
        for spelling, words in options_of(command):
            lines += [".TP", f".B {_text(spelling)}", _text(words)]
        lines += [".PP", "For example:", ".PP", ".nf", *map(_text, examples_of(command)), ".fi"]
    lines += [".SH EXIT STATUS"]
    for code in ExitCode:
        lines += [".TP", f".B {int(code)}", _text(code.name.lower().replace("_", " "))]
    lines += [
        ".SH FILES",
        ".TP",
        ".I ~/.config/ekstui/config.toml",
        "The settings; ekstui config shows where they are and which are in effect.",
        ".TP",
        ".I ~/.cache/ekstui",
        "The policies, and a file for each account that was read, which only its owner can read.",
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Return text escaped for man."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("–", "\\(en")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
