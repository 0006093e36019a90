"""Which statements of a document speak of one action, and through which of their patterns."""

from dataclasses import dataclass

from ekstui.core.document import Document, Statement
from ekstui.core.targets import may_speak_of


@dataclass(frozen=True, slots=True)
class SpeakingStatement:
    """A statement that holds for an action, its resources and conditions set aside."""

    index: int
    """Its place in the document, from 0."""
    statement: Statement
    patterns: tuple[str, ...]
    """The patterns that match the action, as written; the whole list for `NotAction`."""

    @property
    def label(self) -> str:
        """Its Sid, or its place counted from 1."""
        return self.statement.sid or f"statement {self.index + 1}"


def speaking_of(document: Document, action: str) -> tuple[SpeakingStatement, ...]:
    """Return the statements that speak of an action, in the document's order."""
    return tuple(
        SpeakingStatement(
            index,
            statement,
            tuple(pattern for pattern in statement.actions if may_speak_of("Action", (pattern,), action.lower()))
            if statement.action_element == "Action"
            else statement.actions,
        )
        for index, statement in enumerate(document.statements)
        if may_speak_of(statement.action_element, statement.actions, action.lower())
    )
