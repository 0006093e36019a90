"""A comparison as rows, in its three views: meaning, unified, side by side."""

from collections.abc import Collection, Sequence
from itertools import groupby

from ekstui.core.canonical import LinePair, Words
from ekstui.core.text import clean_line
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, styled

CONTEXT = 3
"""Equal lines that stay visible on either side of a difference."""

_MARKS: dict[str, tuple[str, Tone]] = {"added": ("+", "added"), "removed": ("−", "removed"), "changed": ("~", "warn")}


def unified_rows(pairs: Sequence[LinePair], opened: Collection[int]) -> list[Row]:
    """Return both documents as one text with `+` and `−` lines; long equal stretches are folded."""
    rows: list[Row] = []
    for fold, first, stretch in _stretches(pairs):
        if fold and first not in opened:
            rows.append(_fold(first, len(stretch), 1))
            continue
        for index, pair in enumerate(stretch, first):
            if pair.kind == "same" and pair.before:
                rows.append(Row(index, ((("  ", ""), *_words(pair.before, "", "")),)))
                continue
            if pair.before is not None:
                rows.append(Row((index, "-"), ((("− ", "removed"), *_words(pair.before, "removed", "hit")),), pair))
            if pair.after is not None:
                rows.append(Row((index, "+"), ((("+ ", "added"), *_words(pair.after, "added", "hit")),), pair))
    return rows


def side_rows(pairs: Sequence[LinePair], opened: Collection[int]) -> list[Row]:
    """Return both documents beside each other, a pair of lines a row; long equal stretches are folded."""
    rows: list[Row] = []
    for fold, first, stretch in _stretches(pairs):
        if fold and first not in opened:
            rows.append(_fold(first, len(stretch), 3))
            continue
        for index, pair in enumerate(stretch, first):
            mark = styled("│", "muted") if pair.kind == "same" else styled(*_MARKS[pair.kind])
            before = _words(pair.before, "" if pair.kind == "same" else "removed", "hit") if pair.before else styled("")
            after = _words(pair.after, "" if pair.kind == "same" else "added", "hit") if pair.after else styled("")
            rows.append(Row(index, (before, mark, after), None if pair.kind == "same" else pair))
    return rows


def _words(words: Words | None, tone: Tone, changed: Tone) -> Styled:
    return tuple((clean_line(text), changed if differs else tone) for text, differs in words or ())


def _stretches(pairs: Sequence[LinePair]) -> list[tuple[bool, int, Sequence[LinePair]]]:
    """Return the pairs in stretches: whether one may be folded, the index of its first pair, and its pairs."""
    near = {
        around
        for index, pair in enumerate(pairs)
        if pair.kind != "same"
        for around in range(index - CONTEXT, index + CONTEXT + 1)
    }
    stretches: list[tuple[bool, int, Sequence[LinePair]]] = []
    for far, group in groupby(range(len(pairs)), key=lambda index: index not in near):
        indexes = list(group)
        stretches.append((far and len(indexes) > 1, indexes[0], pairs[indexes[0] : indexes[-1] + 1]))
    return stretches


def _fold(first: int, length: int, columns: int) -> Row:
    words = styled(f"⋯ {length} equal lines, enter unfolds", "muted")
    return Row(("fold", first), (words,) if columns == 1 else (words, styled(""), styled("")), first)
