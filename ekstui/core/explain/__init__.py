"""Why a request was denied: the statements that came nearest, what would allow it, and what was not looked at."""

from ekstui.core.explain.answer import (
    Allower,
    Candidate,
    Explanation,
    NearStatement,
    NewerVersion,
    Policies,
    Since,
)
from ekstui.core.explain.question import Asked, Question, asked, parse_context
from ekstui.core.explain.why import explain, explain_symptom

__all__ = [
    "Allower",
    "Asked",
    "Candidate",
    "Explanation",
    "NearStatement",
    "NewerVersion",
    "Policies",
    "Question",
    "Since",
    "asked",
    "explain",
    "explain_symptom",
    "parse_context",
]
