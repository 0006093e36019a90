"""Which pinned policies moved."""

from collections.abc import Sequence

from ekstui.core.policy import version_label
from ekstui.library.pins import Moved
from ekstui.present.blocks import Block, Column, Sentence, Span, Table, TableRow, code, reach_style


def moved_blocks(moved: Sequence[Moved], pinned: int) -> list[Block]:
    """Return the answer in a sentence, then a policy a row."""
    nouns = "policy" if pinned == 1 else "policies"
    if not moved:
        return [Sentence(f"None of {pinned} pinned {nouns} moved.")]
    rows = [
        TableRow(
            (
                code(each.pin.name),
                version_label(each.pin.version),
                version_label(each.version) if each.version else "gone",
                Span(each.change.verdict, reach_style(each.change.reach)) if each.change else Span(each.reason, "warn"),
            )
        )
        for each in moved
    ]
    return [
        Sentence(f"{len(moved)} of {pinned} pinned {nouns} moved."),
        Table(
            (Column("Policy", 16, shrink=2), Column("Pinned", 6), Column("Now", 5), Column("Meaning", 20, shrink=1)),
            rows,
        ),
    ]
