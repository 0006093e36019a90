"""Which policies a question is about: the one spelling for commands, settings, screens and the library."""

from typing import Literal, get_args

Scope = Literal["eks", "all", "controllers", "access", "any"]
"""AWS's policies for EKS, all of AWS's, what controllers publish, EKS access policies, or every one of them."""

SCOPES: tuple[Scope, ...] = get_args(Scope)


def iam_scope(scope: Scope) -> Scope:
    """Return which of AWS's policies a scope means."""
    return "all" if scope == "any" else scope


PolicyScope = Literal["eks", "aws", "controllers"]
"""The scope that one policy belongs to."""
