"""What Kubernetes forbade, of the answers to a text."""

from ekstui.denial.access_entries import ForbiddenExplanation
from ekstui.denial.question import Question
from ekstui.errors import InputError
from ekstui.library import Library
from ekstui.library.explaining import Inquiry, explain_all


def forbidden_answers(
    library: Library, text: str, cluster: str | None = None, principal: str | None = None
) -> tuple[ForbiddenExplanation, ...]:
    """Why Kubernetes forbade what a text says; empty if the text says nothing of it."""
    try:
        answers = explain_all(library, Inquiry(Question(message=text, principal=principal), cluster=cluster))
    except InputError:
        return ()
    return tuple(answer for answer in answers if isinstance(answer, ForbiddenExplanation))
