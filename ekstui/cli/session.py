"""What a command works with: the library, over the account that its options choose."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ekstui.cli.streams import form, progress_line, remark, remark_progress
from ekstui.errors import AccountError, DataError, InputError
from ekstui.library import AccountChoice, Library
from ekstui.library.account_choice import LIMITED
from ekstui.present.ages import age_in_words
from ekstui.present.blocks import age_remark, incomplete_words

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import AccountSnapshot, SourceError

_open_libraries: list[Library] = []
"""The libraries whose notices are to be printed."""


def refuse_in_demo(arguments: Namespace) -> None:
    """Raise InputError for a command that works on what is kept, in the demo."""
    if arguments.demo:
        raise InputError("The demo reads and writes nothing of yours.", "Leave out --demo.")


def open_library(arguments: Namespace) -> Library:
    """Open the library for a command that needs no account."""
    return _open(AccountChoice(offline=True, demo=True) if arguments.demo else None)


def _open(account: AccountChoice | None) -> Library:
    library = Library.open(account)
    _open_libraries.append(library)
    progress_line.say_if_slow(_work(library))
    return library


def _work(library: Library) -> str:
    """Return what a command does that takes long."""
    is_first = not library.is_demo and not library.store.file.path.exists()
    return "first use: reading the policies that ekstui comes with" if is_first else f"ekstui {form.command} is at work"


def remark_notices() -> None:
    """Print what was wrong with the cache; the answer was given all the same."""
    while _open_libraries:
        for notice in _open_libraries.pop().notices():
            remark(notice)


def age_of_policies(*, demo: bool) -> str | None:
    """Return how old the policies are, if they are old: what is newer than they are is missing from every answer."""
    try:
        known_until = open_library(Namespace(demo=demo)).data().newest
    except DataError:
        return None
    return age_remark(known_until, datetime.now(UTC), renewable=not demo)


def remark_age(library: Library, known_until: datetime) -> None:
    """Print how old the policies are, if they are old."""
    if text := age_remark(known_until, datetime.now(UTC), renewable=not library.is_demo):
        remark(text)


def library_for(arguments: Namespace) -> Library:
    """Open the library over the account that the options choose."""
    if arguments.demo and "regions" in arguments.set_by_option:
        remark("--demo is one account in all of its regions: --region does not change it.")
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    return _open(account_choice(arguments, _ask_for_code if asks else None))


def account_choice(arguments: Namespace, mfa_prompt: Callable[[str], str] | None = None) -> AccountChoice:
    """Return the account that the options choose; without a prompt no MFA code is asked for."""
    return AccountChoice(
        profile=arguments.profile,
        regions=tuple(arguments.regions or ()),
        offline=arguments.offline or arguments.demo,
        demo=arguments.demo,
        file=Path(arguments.account_file).expanduser() if arguments.account_file else None,
        mfa_prompt=mfa_prompt,
        layers=arguments.settings.settings.layers,
    )


def read_account(library: Library, *, refresh: bool = True) -> AccountSnapshot:
    """Return the account, read from AWS unless that is not allowed or, without `refresh`, a recent snapshot exists."""
    with remark_progress() as report:
        read_snapshot = library.account.refresh if refresh else library.account.fresh_snapshot
        try:
            return read_snapshot(lambda words: report(f"{words}; ctrl+c ends" if words == LIMITED else words))
        except AccountError as error:
            error.next_step = error.next_step.replace(", then refresh.", ", then try again.")
            last_snapshot = None if library.account.choice.offline else library.account.last_snapshot()
            if last_snapshot is not None:
                age = age_in_words(last_snapshot.fetched_at, datetime.now(UTC))
                error.next_step = f"{error.next_step} --offline answers from what was read {age}.".strip()
            raise


def could_read_account(library: Library, *, refresh: bool = True) -> bool:
    """Try to read the account; only remark on an error, since the answer is useful without the account too."""
    try:
        read_account(library, refresh=refresh)
    except AccountError as error:
        remark(error)
        return False
    return True


def remark_missing(
    errors: Iterable[SourceError],
    complete: bool = True,
    expected_parts: str = "every role, user and group",
    consequence: str = "",
) -> None:
    """Print on stderr what could not be read, each cause once, and what it means for an answer that is not complete."""
    for text in dict.fromkeys(f"{error.message} {error.next_step}".strip() for error in errors):
        remark(text)
    if not complete:
        remark(incomplete_words(expected_parts, consequence))


def _ask_for_code(prompt: str) -> str:
    progress_line.end()
    return getpass.getpass(prompt)
