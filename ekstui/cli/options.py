"""Options that several commands have."""

import argparse

from ekstui.scope import SCOPES

POLICY = "POLICY is an exact name, a unique part of one, or an ARN; @v5 picks a version."
"""How a policy is named, for descriptions."""


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Declare which policies are meant."""
    parser.add_argument("--scope", choices=SCOPES, help="the policies of EKS, or all (default: eks)")


def add_theme(parser: argparse.ArgumentParser) -> None:
    """Declare the app's theme."""
    parser.add_argument("--theme", metavar="NAME", help="a theme of Textual, such as textual-light or ansi-dark")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare the answer as JSON."""
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def add_account(parser: argparse.ArgumentParser, *, hidden: bool = False) -> None:
    """Declare how the account is chosen; hidden where no account is asked, since an alias may give it to every command."""

    def words(text: str) -> str:
        return argparse.SUPPRESS if hidden else text

    parser.add_argument("--profile", metavar="NAME", help=words("the profile of AWS's configuration to ask with"))
    parser.add_argument(
        "--region", action="append", default=[], metavar="REGION", help=words("a region, or all; repeatable")
    )
    parser.add_argument(
        "--offline",
        action=argparse.BooleanOptionalAction,
        help=words("answer from the last snapshot, without asking AWS"),
    )
    parser.add_argument(
        "--demo", action="store_true", help=words("a made-up account: nothing is asked and nothing written")
    )
    parser.add_argument(
        "--account-file",
        metavar="FILE",
        help=words("read the output of `aws iam get-account-authorization-details` instead of asking AWS"),
    )
