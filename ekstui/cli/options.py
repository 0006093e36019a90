"""What the commands share: their options, the exit codes that scripts rely on, and the gates.

A gate is an option that turns an answer into exit code 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from ekstui.core.policy import SCOPE_WORDS, SCOPES, Scope
from ekstui.errors import InputError

if TYPE_CHECKING:
    from ekstui.core.change import Change
    from ekstui.core.grants import Reach
    from ekstui.core.reach import Denies

POLICY = "POLICY is a name, a unique part of one, or an ARN; @v5 picks a version."
"""How to name a policy, for descriptions."""


def add_scope(parser: argparse.ArgumentParser, default: Scope | None = None) -> None:
    """Add the scope; without a default the settings decide."""
    words = "; ".join(f"{scope}: {words}" for scope, words in SCOPE_WORDS.items())
    parser.add_argument(
        "--scope", choices=SCOPES, default=default, help=f"which policies (default: {default or 'eks'}); {words}"
    )


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add values for the parameters of a controller's policy."""
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="fill in a parameter of a controller's policy, such as ClusterName=prod",
    )


def parameters(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the given values; InputError for one that is not NAME=VALUE."""
    pairs = [text.partition("=") for text in arguments.param]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise InputError(f"{name + equals!r} is not NAME=VALUE.", "For example: --param ClusterName=prod.")
    return {name: value for name, _, value in pairs}


def add_theme(parser: argparse.ArgumentParser) -> None:
    """Add the app's theme."""
    parser.add_argument("--theme", metavar="NAME", help="a Textual theme, such as textual-light or ansi-dark")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the forms of the answer for programs."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument(
        "-o", "--output", choices=("json", "yaml", "table", "names"), help="the output format (default: table)"
    )


def add_manners(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes; only the main help shows it."""
    hidden = argparse.SUPPRESS
    parser.add_argument("-q", "--quiet", action="store_true", help=hidden)
    parser.add_argument("-v", "--verbose", action="store_true", help=hidden)
    parser.add_argument("--debug", action="store_true", help=hidden)
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help=hidden)


def add_account(parser: argparse.ArgumentParser, *, hidden: bool = False) -> None:
    """Add the choice of account; hidden where no account is asked, but accepted, so that an alias can always pass it."""

    def words(text: str) -> str:
        return argparse.SUPPRESS if hidden else text

    parser.add_argument("--profile", metavar="NAME", help=words("the AWS profile to use"))
    parser.add_argument(
        "--region", action="append", default=[], metavar="REGION", help=words("an AWS region, or all; repeatable")
    )
    parser.add_argument(
        "--offline",
        action=argparse.BooleanOptionalAction,
        help=words("answer from the last snapshot instead of asking AWS"),
    )
    parser.add_argument(
        "--demo", action="store_true", help=words("use a made-up account; AWS is not asked and nothing is written")
    )
    parser.add_argument(
        "--account-file",
        metavar="FILE",
        help=words("read the account from the output of `aws iam get-account-authorization-details`"),
    )


class ExitCode(IntEnum):
    """How the process ended; 128 + n means by signal n."""

    DONE = 0
    NOTHING = 1
    """Nothing was found: an unknown policy or version, no match for who-can, attached or changes proven empty."""
    USAGE = 2
    """A wrong option, or input that cannot be read."""
    NO_ACCOUNT = 3
    """The account could not be asked at all, or there is no snapshot for --offline."""
    NO_DATA = 4
    """Neither the corpus nor the cache can be read."""
    BROKEN = 70
    """A bug in ekstui (EX_SOFTWARE of sysexits)."""
    NO_OUTPUT = 74
    """Standard output cannot be written (EX_IOERR of sysexits)."""
    INTERRUPTED = 130
    """Ended by SIGINT."""


Direction = Literal["widened", "narrowed", "any"]

_FAILS: dict[Direction, frozenset[Reach]] = {
    "widened": frozenset({"widened", "mixed", "unknown"}),
    "narrowed": frozenset({"narrowed", "mixed", "unknown"}),
    "any": frozenset({"widened", "narrowed", "mixed", "unknown"}),
}
"""The reaches that fail each gate; an unknown reach fails all of them, since it may be the change to stop."""


def add_fail_on(parser: argparse.ArgumentParser) -> None:
    """Add the gate on how access changed."""
    parser.add_argument(
        "--fail-on",
        choices=tuple(_FAILS),
        help="exit with 1 if access was widened, narrowed, or either (any), or if that cannot be decided",
    )


def add_exit_code(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add the gate on whether the answer is a good one."""
    parser.add_argument("--exit-code", action="store_true", help=help_text)


def gate(fails: bool) -> int:
    """Return a gate's exit code."""
    return ExitCode.NOTHING if fails else ExitCode.DONE


_DENIED: dict[Denies, Reach] = {"less": "widened", "more": "narrowed", "otherwise": "unknown"}


def reaches_of(change: Change | None) -> Iterator[Reach]:
    """Yield what a change may mean for whoever has other policies too; None is a change that cannot be judged.

    A Deny that is gone widens what those policies allow, and a new one narrows it.
    """
    yield "unknown" if change is None else change.reach
    if change is not None and change.denied is not None:
        yield _DENIED[change.denied]


def fails_on(direction: Direction | None, reaches: Iterable[Reach]) -> bool:
    """Return whether any of the reaches fails the gate; without a gate none does."""
    return direction is not None and any(reach in _FAILS[direction] for reach in reaches)
