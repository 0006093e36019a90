"""A difference of two documents as a patch."""

from difflib import unified_diff

from ekstui.iam.canonical import canonical_lines
from ekstui.iam.text import clean_line
from ekstui.library.comparing import Comparison


def comparison_patch(comparison: Comparison) -> str:
    """Return a unified diff of both documents in canonical JSON."""
    lines = unified_diff(
        canonical_lines(comparison.before.document),
        canonical_lines(comparison.after.document),
        clean_line(comparison.before.label),
        clean_line(comparison.after.label),
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)
