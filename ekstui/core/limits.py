"""How much of a document is read: bounds on time and memory, far above what IAM itself accepts.

IAM takes policies of up to 10,240 characters. The largest of those that AWS manages have 4,500 action patterns, 390
of them with a wildcard, and 200,000 pairs of an action and a resource or condition.
"""

from ekstui.core import wildcard
from ekstui.core.document import Document
from ekstui.errors import DocumentError

MAX_PATTERNS = 20_000
"""The most action patterns in one document."""

MAX_WILD_PATTERNS = 4_000
"""The most different patterns with a wildcard in one document; each is tried on all actions of its service."""

MAX_BROAD_PATTERNS = 100
"""The most different patterns with a wildcard in the service part; each is tried on all known actions."""

MAX_PAIRS = 2_000_000
"""The most pairs of a named action and a resource or condition line of its statement, in one document."""

MAX_CHARACTERS = 100_000_000
"""The most characters in those lines, each counted for every action: JSON repeats them. AWS's own have up to 8 million."""


def check_patterns(document: Document) -> None:
    """Raise DocumentError if a document has more action patterns than are expanded in a few seconds."""
    count = sum(len(statement.actions) for statement in document.statements)
    if count > MAX_PATTERNS:
        raise DocumentError(f"{count:,} action patterns; ekstui reads up to {MAX_PATTERNS:,}.", "Statement")
    wild = {pattern for statement in document.statements for pattern in statement.actions if wildcard.is_wild(pattern)}
    if len(wild) > MAX_WILD_PATTERNS:
        message = f"{len(wild):,} different patterns with wildcards; ekstui reads up to {MAX_WILD_PATTERNS:,}."
        raise DocumentError(message, "Statement")
    broad = sum(wildcard.is_wild(pattern.partition(":")[0]) for pattern in wild)
    if broad > MAX_BROAD_PATTERNS:
        message = f"{broad:,} patterns with a wildcard for the service; ekstui reads up to {MAX_BROAD_PATTERNS:,}."
        raise DocumentError(message, "Statement")


class PairCount:
    """The running number of pairs of an action and what its statement says of it."""

    def __init__(self) -> None:
        self._pairs = self._characters = 0

    def add(self, index: int, actions: int, lines: int, characters: int = 0) -> None:
        """Count a statement's actions with its resources and condition lines; DocumentError beyond the limits."""
        self._pairs += actions * max(1, lines)
        self._characters += actions * characters
        if self._characters > MAX_CHARACTERS:
            message = f"its resources and conditions, for each action, have more than {MAX_CHARACTERS:,} characters."
            raise DocumentError(message, f"Statement[{index}]")
        if self._pairs > MAX_PAIRS:
            message = f"together the statements name more than {MAX_PAIRS:,} pairs of an action and a resource."
            raise DocumentError(message, f"Statement[{index}]")
