"""Policies reduced to what concerns one action, as the index keeps them."""

from collections.abc import Mapping

from ekstui.change.policy import Policy
from ekstui.iam.document import Document, Statement
from ekstui.iam.grants import may_match, statements_on
from ekstui.named_tuples import NamedTuple


class Candidate(NamedTuple):
    """A policy whose default version may allow an action, reduced to what concerns that action."""

    policy: Policy
    allowing: tuple[int, ...]
    """The versions with an Allow for the action, whatever its conditions and any Deny; ascending."""
    documents: Mapping[int, Document]
    """By version, reduced to the statements and patterns that may match the action, sorted.

    Those of `allowing`; of a pattern, at least the default version."""

    @property
    def document(self) -> Document:
        """The default version, reduced."""
        return self.documents[self.policy.default_version]


def candidate_of(policy: Policy, documents: Mapping[int, Document], action: str) -> Candidate | None:
    """Return a policy as a candidate for an action in lower case; None if its default version does not allow it."""
    documents = {number: _reduced(document, action) for number, document in sorted(documents.items())}
    allowing = tuple(
        number
        for number, document in documents.items()
        if any(statement.effect == "Allow" for statement in document.statements)
    )
    return Candidate(policy, allowing, documents) if policy.default_version in allowing else None


def _reduced(document: Document, action: str) -> Document:
    return document._replace(statements=tuple(_cut(statement, action) for statement in statements_on(document, action)))


def _cut(statement: Statement, action: str) -> Statement:
    if statement.action_element == "NotAction":
        return statement
    patterns = tuple(sorted({pattern for pattern in statement.actions if may_match("Action", (pattern,), action)}))
    return statement._replace(actions=patterns)
