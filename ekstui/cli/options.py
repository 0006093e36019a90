"""Options that several commands share."""

import argparse

from ekstui.errors import InputError
from ekstui.scope import SCOPE_WORDS, SCOPES, Scope

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
