"""A command's usage and options as text, which, unlike argparse's, is the same in every version of Python."""

import argparse
from collections.abc import Sequence


def command_usage(name: str, command: argparse.ArgumentParser) -> str:
    """Return the usage in one line."""
    parts = ["ekstui", name]
    for action in arguments_of(command):
        spelling = action.option_strings[0] if action.option_strings else ""
        value = value_of(action)
        words = f"{spelling} {value}".strip()
        optional = bool(spelling) or action.nargs in ("?", "*")
        parts.append(f"[{words}]" if optional else words)
    return " ".join(parts)


def options_of(command: argparse.ArgumentParser) -> list[tuple[str, str]]:
    """Return each argument and option as it is written, with its help."""
    return [
        (
            " ".join(filter(None, (", ".join(action.option_strings), value_of(action)))),
            (action.help or "") % {"default": action.default},
        )
        for action in arguments_of(command)
        if action.help
    ]


def examples_of(command: argparse.ArgumentParser) -> Sequence[str]:
    """Return the examples from the help, one command each."""
    lines = (command.epilog or "").splitlines()[1:]
    return [line.strip() for line in lines if line.strip()]


def arguments_of(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the command's arguments and options, without --help and hidden ones."""
    return [
        action
        for action in command._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
        and action.help != argparse.SUPPRESS
    ]


def value_of(action: argparse.Action) -> str:
    """Return the name of an option's value, as in the help; "" for a switch."""
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return ""
    if action.metavar is not None:
        return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
