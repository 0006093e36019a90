"""What an evaluation found: the verdict, and what became of each statement."""

from dataclasses import dataclass
from typing import Literal

from ekstui.core.conditions.truth import Truth
from ekstui.core.document import Document, Statement

Verdict = Literal["allowed", "explicit-deny", "implicit-deny", "depends"]
Layer = Literal["identity", "boundary", "session", "trust"]
Part = Literal["action", "resource", "condition", "effect", "principal"]


@dataclass(frozen=True, slots=True)
class AppliedPolicy:
    """A policy that takes part in a decision."""

    name: str
    """A policy's name, a role's inline policy, or a file."""
    version: int | None
    """None for a policy without versions."""
    document: Document
    arn: str | None = None
    """None for a policy without one, such as an inline policy or a file."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of a statement that does not fit the request, or may not."""

    part: Part
    key: str | None
    """The condition key; None for the other parts."""
    operator: str
    """The condition operator, or the element's name, such as `NotResource`."""
    wanted: tuple[str, ...]
    """What the statement asks for, as written."""
    given: tuple[str, ...] | None
    """What the request has: empty if it lacks the key, None if that is not known."""


@dataclass(frozen=True, slots=True)
class StatementResult:
    """What became of one statement for one resource."""

    layer: Layer
    policy: AppliedPolicy
    index: int
    """The statement's place in its document, from 0."""
    statement: Statement
    matches: Truth
    """Whether the statement speaks about the request; None where that is not known."""
    failed: tuple[Failure, ...]
    """The parts that do not match; where `matches` is None, those that are not known."""
    missing: tuple[str, ...]
    """The keys that would decide it."""


@dataclass(frozen=True, slots=True)
class ResourceEvaluation:
    """The decision about one resource of the request."""

    resource: str | None
    """None where it was not told."""
    verdict: Verdict
    decided_by: Layer | None
    """The layer that denied, for a verdict of denial; None else."""
    statements: tuple[StatementResult, ...]
    missing: tuple[str, ...]
    """The keys that would decide, in the order of the statements; empty unless the verdict is `depends`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The decision about a whole request: it is allowed only if every resource is."""

    verdict: Verdict
    resources: tuple[ResourceEvaluation, ...]
    """One or more, in the request's order."""
    missing: tuple[str, ...]

    @property
    def decisive(self) -> ResourceEvaluation:
        """The first resource whose verdict is that of the request."""
        return next(entry for entry in self.resources if entry.verdict == self.verdict)
