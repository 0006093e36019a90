"""Options that several commands have."""

import argparse

from ekstui.errors import InputError
from ekstui.scope import SCOPE_WORDS, SCOPES, Scope

POLICY = "POLICY is an exact name, a unique part of one, or an ARN; @v5 picks a version."
"""How a policy is named, for descriptions."""


def add_scope(parser: argparse.ArgumentParser, default: Scope | None = None) -> None:
    """Declare which policies are meant; without a default the settings say so."""
    words = ", ".join(f"{scope}: {words}" for scope, words in SCOPE_WORDS.items())
    parser.add_argument("--scope", choices=SCOPES, default=default, help=f"{words} (default: {default or 'eks'})")


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Declare values for what a controller's policy leaves to the user."""
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="fill in a parameter of a controller's policy, such as ClusterName=prod",
    )


def parameters(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the values that were given; InputError for one that is none."""
    pairs = [text.partition("=") for text in arguments.param]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise InputError(f"{name + equals!r} is not NAME=VALUE.", "For example: --param ClusterName=prod.")
    return {name: value for name, _, value in pairs}


def add_theme(parser: argparse.ArgumentParser) -> None:
    """Declare the app's theme."""
    parser.add_argument("--theme", metavar="NAME", help="a theme of Textual, such as textual-light or ansi-dark")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare the answer in forms for programs."""
    parser.add_argument("--json", action="store_true", help="print print print one JSON object instead of text")
    parser.add_argument(
        "-o", "--output", choices=("json", "yaml", "table", "names"), help="the form of the answer (default: table)"
    )


def add_manners(parser: argparse.ArgumentParser) -> None:
    """Declare what every command takes; it stands in the help of ekstui, not in that of each command."""
    hidden = argparse.SUPPRESS
    parser.add_argument("-q", "--quiet", action="store_true", help=hidden)
    parser.add_argument("-v", "--verbose", action="store_true", help=hidden)
    parser.add_argument("--debug", action="store_true", help=hidden)
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help=hidden)


def add_account(parser: argparse.ArgumentParser, *, hidden: bool = False) -> None:
    """Declare how the account is chosen; hidden where no account is asked, since an alias may give it to every command."""

    def words(text: str) -> str:
        return argparse.SUPPRESS if hidden else text

    parser.add_argument("--profile", metavar="NAME", help=words("the AWS profile to ask with"))
    parser.add_argument(
        "--region", action="append", default=[], metavar="REGION", help=words("a region, or all; repeatable")
    )
    parser.add_argument(
        "--offline",
        action=argparse.BooleanOptionalAction,
        help=words("answer from the last snapshot, without asking AWS"),
    )
    parser.add_argument(
        "--demo", action="store_true", help=words("use a made-up account: nothing is asked, nothing written")
    )
    parser.add_argument(
        "--account-file",
        metavar="FILE",
        help=words("read the output of `aws iam get-account-authorization-details` instead of asking AWS"),
    )
