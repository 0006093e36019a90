"""Why a request was denied: the statements that came nearest, what would allow it, and what was not looked at."""

from ekstui.core.explain.explain import explain
from ekstui.core.explain.explanation import (
    Allower,
    Candidate,
    Explanation,
    NearStatement,
    NewerVersion,
    Policies,
    Since,
)
from ekstui.core.explain.question import Question, asked, parse_context

__all__ = [
    "Allower",
    "Candidate",
    "Explanation",
    "NearStatement",
    "NewerVersion",
    "Policies",
    "Question",
    "Since",
    "asked",
    "explain",
    "parse_context",
]
