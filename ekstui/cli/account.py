"""The account that a command asks: chosen by its options, read with progress on a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ekstui.cli.output import narrate, narrate_progress
from ekstui.library.choice import AccountChoice

if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot, SourceError
    from ekstui.library import Library


def library_for(arguments: argparse.Namespace) -> Library:
    """Return the library over the account that the options choose."""
    from ekstui.cli.opening import open_library  # 40 ms, which the app spends after its first paint

    asks = sys.stdin.isatty() and sys.stderr.isatty()
    return open_library(account_choice(arguments, _ask_for_code if asks else None))


def account_choice(arguments: argparse.Namespace, mfa_prompt: Callable[[str], str] | None = None) -> AccountChoice:
    """Return the account that the options choose; without a prompt nobody is asked for a code."""
    return AccountChoice(
        profile=arguments.profile,
        regions=tuple(arguments.region or ()),
        offline=arguments.offline or arguments.demo,
        demo=arguments.demo,
        file=Path(arguments.account_file).expanduser() if arguments.account_file else None,
        mfa_prompt=mfa_prompt,
    )


def read_account(library: Library) -> AccountSnapshot:
    """Read the account anew, or take the last snapshot where AWS must not be asked."""
    with narrate_progress() as tell:
        return library.account.refresh(lambda _, words: tell(words))


def narrate_errors(errors: tuple[SourceError, ...]) -> None:
    """Say on stderr what could not be read, each cause once."""
    for text in dict.fromkeys(f"{error.message} {error.next_step}".strip() for error in errors):
        narrate(text)


def _ask_for_code(prompt: str) -> str:
    import getpass

    return getpass.getpass(prompt)
