"""The settings that hold for a command: what its options leave open comes from the environment and the file."""

import argparse
import os

from ekstui import paths
from ekstui.cli.output import narrate
from ekstui.config import Effective, effective

_OPTIONS = {
    "theme": "theme",
    "scope": "scope",
    "profile": "profile",
    "region": "regions",
    "offline": "offline",
    "mouse": "mouse",
}
"""The setting of each option that has one, by the name of the option's value."""


def apply_settings(arguments: argparse.Namespace) -> Effective:
    """Fill in what the options leave open, and say on stderr what the file has that ekstui does not know.

    InputError names the place of a value that cannot be.
    """
    given = {
        setting: tuple(value) if isinstance(value, list) else value
        for option, setting in _OPTIONS.items()
        if (value := getattr(arguments, option, None)) not in (None, [])
    }
    found = effective(paths.config_file(), os.environ, given)
    for option, setting in _OPTIONS.items():
        if hasattr(arguments, option):
            setattr(arguments, option, getattr(found.settings, setting))
    for warning in found.warnings:
        narrate(warning)
    return found
