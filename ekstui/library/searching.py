"""Which policies allow an action, answered from the cache's index or else from the documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ekstui.change.candidates import Candidate, candidate_of
from ekstui.change.holders import Holder, WhoCan, holders_of, parse_action
from ekstui.change.policy import PolicyHistory, Scope, aws_scope
from ekstui.eks.published import readable_text
from ekstui.errors import InputError
from ekstui.iam import wildcard
from ekstui.iam.grants import statement_may_match
from ekstui.iam.reference import reference
from ekstui.library.catalog import document_of, refuse_access_policy
from ekstui.library.library import Library
from ekstui.sources.shipped import shipped_in
from ekstui.store import index


def _candidates(library: Library, action: str, scope: Scope) -> tuple[Candidate, ...]:
    lower_action = action.lower()
    candidates_read: tuple[Candidate, ...] = ()
    if (among := aws_scope(scope)) is not None:
        candidates_of_index = library.cached(lambda: index.candidates(library.store, lower_action, among))
        candidates_read = (
            library.ask(lambda reader: read_candidates(reader.histories(among), lower_action))
            if candidates_of_index is None
            else candidates_of_index
        )
    for reader in shipped_in(scope):
        candidates_read += read_candidates(reader.histories(), lower_action)
    return candidates_read


def read_candidates(histories: Iterable[PolicyHistory], action: str) -> tuple[Candidate, ...]:
    """Return the policies whose documents may allow an action, which is given in lower case."""
    candidates_read = (_candidate(history, action) for history in histories)
    return tuple(candidate for candidate in candidates_read if candidate is not None)


def _candidate(history: PolicyHistory, action: str) -> Candidate | None:
    default = history.policy.default_version
    if not any(
        statement.effect == "Allow" and statement_may_match(statement, action)
        for statement in document_of(history, default).statements
    ):
        return None
    return candidate_of(history.policy, {number: document_of(history, number) for number in history.texts}, action)


def is_kubernetes(text: str) -> bool:
    """Return whether a question of who can is about a request to Kubernetes."""
    return text.lower().startswith("k8s:")


def who_can_answer(
    library: Library,
    action: str,
    resource: str | None = None,
    scope: Scope = "eks",
    *,
    types: bool = True,
    history: bool = False,
) -> WhoCan:
    """Return which policies allow an action or pattern by default.

    Those of every scope if nothing names the action and none allows it.
    """
    if ":" not in action:
        refuse_access_policy(action.strip())
    action_pattern = parse_action(action)
    if resource is not None and resource != "*" and len(resource.split(":", 5)) < 6:
        raise InputError(f"{resource!r} is not an ARN.", "An ARN has the form arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE.")
    is_known = bool(reference().expand(action_pattern))
    among = _candidates(library, action_pattern, scope)
    everywhere = _candidates(library, action_pattern, "all") if scope == "eks" and not is_known else among
    is_named = is_known or any(
        pattern.lower() == action_pattern.lower()
        for candidate in everywhere
        for statement in candidate.document.statements
        for pattern in statement.actions
    )
    history = history and not wildcard.is_wild(action_pattern)
    answer = holders_of(action_pattern, among, resource, types=types, history=history)
    if not is_named:
        # No document names the action, so every policy with a pattern that matches it counts, whatever the scope.
        answer = (
            answer if answer.holders else holders_of(action_pattern, everywhere, resource, types=types, history=history)
        )
        answer = answer._replace(is_named=False)
    holders_of_families = tuple(_with_named_parameters(holder) for holder in answer.holders if holder.policy.home)
    return answer._replace(
        holders=(*(holder for holder in answer.holders if not holder.policy.home), *holders_of_families)
    )


def allowed_in(library: Library, scope: Scope) -> Callable[[str], bool]:
    """Return a test whether a policy of a scope has an Allow for an action or a pattern of it.

    It reads all documents of the scope.
    """
    patterns = {
        pattern.lower()
        for entry in library.policies(scope)
        for statement in library.document(entry.policy).statements
        if statement.effect == "Allow" and statement.action_element == "Action"
        for pattern in statement.actions
    }
    parts = (re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in sorted(patterns - {"*"}))
    any_pattern = re.compile("|".join(parts))
    return lambda action: any_pattern.fullmatch(action.lower()) is not None


def _with_named_parameters(holder: Holder) -> Holder:
    """Return a holder with its controller's parameters written as `<ClusterName>`."""
    return holder._replace(
        grants=tuple(
            grant._replace(
                resources=tuple(map(readable_text, grant.resources)),
                conditions=tuple(
                    line._replace(key=readable_text(line.key), values=tuple(map(readable_text, line.values)))
                    for line in grant.conditions
                ),
            )
            for grant in holder.grants
        ),
    )
