"""`ekstui completion`: what a shell needs to complete words: commands, options, and the names of policies, actions, clusters, profiles.

The shell runs ekstui with `_ARGCOMPLETE` set, and argcomplete answers from the parser; nothing of this is imported
otherwise.
"""

import argparse
import configparser
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import argcomplete
from argcomplete.completers import FilesCompleter, SuppressCompleter
from argcomplete.shell_integration import shellcode

from ekstui.cli.commands import TITLES
from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.output import print_text
from ekstui.cli.parser import commands_of
from ekstui.core.policy import version_label
from ekstui.core.reference import reference
from ekstui.errors import EkstuiError
from ekstui.library import Library

DESCRIPTION = "Print the code that a shell needs to complete commands, options, policies and actions."
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


class Completer(Protocol):
    """What argcomplete asks for the words that begin with a prefix."""

    def __call__(self, prefix: str, **_: object) -> Iterable[str]:
        """Return words; argcomplete keeps those that begin with the prefix."""


def command_in(line: str) -> str:
    """Return the command that a half-typed line names, "" where it names none yet; the word being typed is none."""
    typed = line.split()[1:] if line.endswith(" ") else line.split()[1:-1]
    return next((word for word in typed if word in TITLES), "")


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end the process."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            # What names no command is a policy to open.
            _attach(action, _policies)
    for command in commands_of(parser).values():
        for action in command._actions:
            if action.dest in _COMPLETERS:
                _attach(action, _COMPLETERS[action.dest])
    argcomplete.autocomplete(parser, always_complete_options=False, default_completer=SuppressCompleter())


def shell_code(shell: str) -> str:
    """Return what a shell reads to complete ekstui's words."""
    code: str = shellcode(["ekstui"], shell=shell)
    return code


def _attach(action: argparse.Action, completer: Completer) -> None:
    action.completer = _quiet(completer)  # type: ignore[attr-defined]


def _quiet(completer: Completer) -> Completer:
    """Return a completer that knows nothing where ekstui has an error to tell: a half-typed line is no place for it."""

    def quietly(prefix: str, **_: object) -> Iterable[str]:
        try:
            return tuple(completer(prefix=prefix))
        except EkstuiError:
            return ()

    return quietly


def _policies(prefix: str, **_: object) -> Iterable[str]:
    library = Library.open()
    name, at, _version = prefix.partition("@")
    if at:
        return [f"{name}@{version_label(info.number)}" for info in library.find(name).policy.versions]
    return [entry.policy.name for entry in library.policies("all")]


def _sides(prefix: str, **_: object) -> Iterable[str]:
    return [*_policies(prefix), *_files(prefix)]


def _files(prefix: str, **_: object) -> Iterable[str]:
    found: Iterable[str] = FilesCompleter()(prefix)
    return found


def _actions(prefix: str, **_: object) -> Iterable[str]:
    service, colon, _name = prefix.partition(":")
    known = reference()
    if colon:
        return [action.name for action in known.actions(service).values()]
    return [f"{name}:" for name in known.services()]


def _clusters(**_: object) -> Iterable[str]:
    snapshot = Library.open().account.last()
    return [cluster.name for cluster in snapshot.eks.clusters] if snapshot and snapshot.eks else ()


def _roles(**_: object) -> Iterable[str]:
    snapshot = Library.open().account.last()
    return [role.name for role in snapshot.roles] if snapshot else ()


def _profiles(**_: object) -> Iterable[str]:
    path = Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return ()
    return [name.removeprefix("profile ") for name in parser.sections() if name.startswith(("profile ", "default"))]


_COMPLETERS: dict[str, Callable[..., Iterable[str]]] = {
    "policy": _sides,
    "where": _policies,
    "before": _sides,
    "after": _sides,
    "boundary": _sides,
    "session_policy": _files,
    "trust": _files,
    "account_file": _files,
    "source": _files,
    "action": _actions,
    "name": _clusters,
    "role": _roles,
    "profile": _profiles,
}
"""By the name of the option's or argument's value."""
