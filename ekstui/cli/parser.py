"""The command line's parser; each command adds its arguments in its own module."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import NoReturn

from ekstui.cli.commands import TITLES
from ekstui.cli.options import add_account, add_manners
from ekstui.core.text import clean_line
from ekstui.errors import InputError

COMMANDS = tuple(TITLES)

VALUE_OPTIONS = (
    "--scope", "--profile", "--region", "--account-file", "--theme", "--since", "--resource", "--action", "--principal",
    "--context", "--absent", "--policy", "--role", "--boundary", "--session-policy", "--aggregator", "--from",
    "--trust", "--to", "--param", "--cluster", "--account", "--host", "--port", "--public-url", "--color", "--output", "-o", "--base", "--fail-on", "--format",
)  # fmt: skip
"""Options that take a value, which is never taken for a command."""

_EXAMPLES = (
    ("ekstui", "open the app"),
    ("ekstui AmazonEKSClusterPolicy@v8", "open the app at this version"),
    ("ekstui show AmazonEKS_CNI_Policy", "show what a policy permits"),
    ("ekstui diff AmazonEKSLoadBalancingPolicy@v5..v6", "show what changed"),
)


_MANNERS = """

Options of every command:
  -q, --quiet                  print only the answer and errors
  -v, --verbose                log to stderr; --debug logs more
  --color auto|always|never    when to use colours (default: auto); see also NO_COLOR and FORCE_COLOR

Which account is asked, where one is:
  --profile, --region          of the AWS CLI; --offline asks nobody and answers from the last snapshot
  --demo                       a made-up account, to try everything without AWS

  ekstui help COMMAND          show the help of a command"""


_MORE = "\nekstui --help has the options of every command: -q, -v, --debug and --color.\n"


def command_module(name: str) -> ModuleType:
    """Import and return a command's module."""
    return importlib.import_module(f"ekstui.cli.commands.{name.replace('-', '_')}")


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, of `only` one, or, for "", of their names alone (for the help)."""
    parser = _Parser(
        prog="ekstui",
        description="Explore the AWS managed IAM policies for Amazon EKS: what they permit, what AWS changed, and where your account uses them.",
        epilog=_examples(f"{command:<48} {title}" for command, title in _EXAMPLES) + _MANNERS,
        formatter_class=_Help,
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version of ekstui and of its data")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, title in TITLES.items():
        if only in (None, name):
            module = command_module(name)
            command = commands.add_parser(
                name,
                help=title,
                description=module.DESCRIPTION,
                epilog=_examples(module.EXAMPLES),
                formatter_class=_Help,
            )
            module.add_arguments(command)
            add_manners(command)
            if "--profile" not in command._option_string_actions:
                add_account(command, hidden=True)
        elif not only:
            commands.add_parser(name, help=title)
    return parser


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return each command's parser by name, in the order of the help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word that a misspelled one may mean."""
    from difflib import get_close_matches  # 3 ms, and only for a mistake

    return next(iter(get_close_matches(word, list(words), 1, 0.7)), None)


def _examples(lines: Iterable[str]) -> str:
    return "Examples:\n" + "\n".join(f"  {line}" for line in lines)


class _Help(argparse.HelpFormatter):
    """Wraps descriptions, but leaves examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("Examples:\n") else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence and a next step."""

    def format_help(self) -> str:
        """Return the help; that of a command says where the options of every command are."""
        return super().format_help() + (_MORE if " " in self.prog else "")

    def error(self, message: str) -> NoReturn:
        """Raise InputError with what is wrong, what may be meant, and where the help is."""
        meant = ""
        if unknown := re.match(r"unrecognized arguments: (-\S+)", message):
            known = [
                option for parser in (self, *commands_of(self).values()) for option in parser._option_string_actions
            ]
            near = nearest(unknown[1].partition("=")[0], known)
            meant = f" Did you mean {near}?" if near else ""
        raise InputError(f"{clean_line(message)}.", f"{meant} See {self.prog} --help.".lstrip())


class _Version(argparse.Action):
    """Prints the versions of ekstui, its data and the reference."""

    def __call__(self, *_: object) -> None:
        from ekstui.cli import print_version

        sys.exit(print_version())
