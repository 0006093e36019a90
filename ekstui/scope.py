"""Which policies a question is about: the one spelling for commands, settings, screens and the library."""

from typing import Literal, get_args

Scope = Literal["eks", "all"]
"""The EKS policies, or every policy that is known."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

PolicyScope = Literal["eks", "aws"]
"""The scope that one policy belongs to."""
