"""Whether IAM policies allow a request: statements, conditions and variables, with what is not known kept apart."""

from ekstui.core.evaluation.evaluate import evaluate
from ekstui.core.evaluation.request import PRINCIPAL, RESOURCE, Request
from ekstui.core.evaluation.verdict import (
    AppliedPolicy,
    Evaluation,
    Failure,
    Layer,
    Part,
    ResourceEvaluation,
    StatementResult,
    Verdict,
)

__all__ = [
    "PRINCIPAL",
    "RESOURCE",
    "AppliedPolicy",
    "Evaluation",
    "Failure",
    "Layer",
    "Part",
    "Request",
    "ResourceEvaluation",
    "StatementResult",
    "Verdict",
    "evaluate",
]
