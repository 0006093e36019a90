"""Which policies a question is about: the one spelling for commands, settings, screens and the library."""

from typing import Literal, get_args

Scope = Literal["eks", "all", "controllers", "access", "any"]
"""AWS's policies for EKS, all of AWS's, what controllers publish, EKS access policies, or every one of them."""

SCOPES: tuple[Scope, ...] = get_args(Scope)


SCOPE_WORDS: dict[Scope, str] = {
    "eks": "EKS policies",
    "all": "all AWS managed policies",
    "controllers": "what controllers publish",
    "access": "EKS access policies",
    "any": "policies of every family",
}
"""What the policies of each scope are called."""


def next_scope(scope: Scope, *, of_iam: bool = False) -> Scope:
    """Return the next scope for the app's key; with `of_iam`, only those that have IAM policies."""
    order = [each for each in SCOPES if each != "access" or not of_iam]
    return order[(order.index(scope) + 1) % len(order)] if scope in order else order[0]


def aws_scope(scope: Scope) -> Scope | None:
    """Return the scope of the AWS managed policies in a scope; None if it has none."""
    return "all" if scope == "any" else scope if scope in ("eks", "all") else None


PolicyScope = Scope | Literal["aws"]
"""The scope that one policy belongs to; `aws` for those of AWS that are not of the EKS family."""
