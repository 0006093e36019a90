"""What moved of the policies that are pinned, and what changed in a repository's policy documents."""

from __future__ import annotations

from collections.abc import Sequence

from ekstui.core.policy import version_label
from ekstui.library.pins import Moved
from ekstui.library.reviewing import Review, ReviewedDocument
from ekstui.present.blocks import Block, Column, Heading, Line, Sentence, Span, Table, TableRow, code, note, reach_style


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


def review_blocks(review: Review) -> list[Block]:
    """Return the answer in a sentence, then a document a row, what widens access first."""
    blocks: list[Block] = [Heading("IAM policies in this change", 1), Sentence(_sum(review))]
    if review.documents:
        order = {"widened": 0, "mixed": 1, None: 2, "unknown": 3, "narrowed": 4, "same": 5}
        documents = sorted(review.documents, key=lambda each: (order[_reach(each)], each.path, each.place))
        blocks.append(
            Table(
                (Column("Document", 20, shrink=1), Column("", 8), Column("Meaning", 20)),
                [_row(each) for each in documents],
            )
        )
    return [*blocks, *(note(f"Not read: {reason}.") for reason in review.not_read)]


def _sum(review: Review) -> str:
    reaches = [_reach(each) for each in review.documents]
    if not reaches:
        return "No policy document changes what it allows." if not review.not_read else "No policy document was judged."
    words = [
        f"{reaches.count(reach)} {said}"
        for reach, said in (
            ("widened", "widened"), ("mixed", "widened and narrowed"), ("narrowed", "narrowed"),
            ("same", "with the same access"), ("unknown", "not decided"), (None, "not judged"),
        )
        if reach in reaches
    ]  # fmt: skip
    noun = "policy document changes" if len(reaches) == 1 else "policy documents change"
    return f"{len(reaches)} {noun}: {', '.join(words)}."


def _row(each: ReviewedDocument) -> TableRow:
    where: Line = code(f"{each.path} › {each.place}" if each.place else each.path)
    if each.change is None:
        return TableRow((where, each.state, Span(f"not judged: {each.reason}", "warn")))
    return TableRow((where, each.state, Span(each.change.verdict, reach_style(each.change.reach))))


def _reach(each: ReviewedDocument) -> str | None:
    return None if each.change is None else each.change.reach
