"""Which policies allow an action: the index or the documents give the candidates, the core the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ekstui.core import wildcard
from ekstui.core.reference import reference
from ekstui.core.targets import Candidate
from ekstui.core.who_can import WhoCan, parse_action, who_can
from ekstui.errors import InputError
from ekstui.library.policies import refuse_access_policy

if TYPE_CHECKING:
    from ekstui.core.knowledge import Knowledge
    from ekstui.library.library import Library
    from ekstui.scope import Scope


def who_can_answer(
    library: Library, action: str, resource: str | None, knowledge: Callable[[], Knowledge], scope: Scope
) -> WhoCan:
    """Return who can do an action (see `Library.who_can`)."""
    if ":" not in action:
        refuse_access_policy(action.strip(), knowledge())
    wanted = parse_action(action)
    if resource is not None and resource != "*" and len(resource.split(":", 5)) < 6:
        raise InputError(f"{resource!r} is no ARN.", "An ARN has the form arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE.")
    known = wildcard.is_wild(wanted) or reference().find(wanted) is not None
    candidates = library.candidates(wanted, scope)
    everywhere = library.candidates(wanted, "all") if scope == "eks" and not known else candidates
    if known or _is_named(wanted, everywhere):
        return who_can(wanted, candidates, resource)
    # Of an action that nobody names, each policy that covers it counts, whatever the scope.
    answer = who_can(wanted, candidates, resource)
    return replace(answer if answer.holders else who_can(wanted, everywhere, resource), is_named=False)


def _is_named(action: str, candidates: tuple[Candidate, ...]) -> bool:
    """Return whether some document has the action itself, not only a pattern that matches it."""
    return any(
        pattern.lower() == action.lower()
        for candidate in candidates
        for statement in candidate.document.statements
        for pattern in statement.actions
    )
