"""A comparison as rows, in its three views: meaning, unified, side by side."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from itertools import groupby, zip_longest

from ekstui.core.canonical import LinePair, Words
from ekstui.core.text import clean_line
from ekstui.present.styled import Row, Style, Styled, plain, styled, wrap

CONTEXT = 3
"""Equal lines that stay visible on either side of a difference."""

LEAST = 20
"""The fewest cells that a line is broken for."""

_MARKS: dict[str, tuple[str, Style]] = {"added": ("+", "added"), "removed": ("−", "removed"), "changed": ("~", "warn")}


def unified_rows(pairs: Sequence[LinePair], places: Sequence[str], opened: Collection[int], width: int) -> list[Row]:
    """Return both documents as one text with `+` and `−` lines; long equal stretches are folded.

    Above a difference stands where it is.
    """
    rows: list[Row] = []
    room = max(width - 2, LEAST)
    for fold, first, stretch in _stretches(pairs):
        if fold and first not in opened:
            rows.append(_fold(first, len(stretch), 1))
            continue
        for index, place, pair in _placed(first, stretch, places):
            if place:
                rows.append(_place(index, place))
            if pair.kind == "same" and pair.before:
                rows += _lines(index, "  ", "", _words(pair.before, "", ""), room, None)
                continue
            if pair.before is not None:
                rows += _lines((index, "-"), "− ", "removed", _words(pair.before, "removed", "hit"), room, pair)
            if pair.after is not None:
                rows += _lines((index, "+"), "+ ", "added", _words(pair.after, "added", "hit"), room, pair)
    return rows


def side_rows(pairs: Sequence[LinePair], places: Sequence[str], opened: Collection[int], width: int) -> list[Row]:
    """Return both documents beside each other, a pair of lines a row; long equal stretches are folded.

    Lines are broken in both columns alike, and above a difference stands where it is.
    """
    rows: list[Row] = []
    room = max((width - 3) // 2, LEAST)
    for fold, first, stretch in _stretches(pairs):
        if fold and first not in opened:
            rows.append(_fold(first, len(stretch), 3))
            continue
        for index, place, pair in _placed(first, stretch, places):
            if place:
                rows.append(_place(index, place))
            same = pair.kind == "same"
            mark = styled("│", "muted") if same else styled(*_MARKS[pair.kind])
            before = _broken(_words(pair.before, "" if same else "removed", "hit"), room)
            after = _broken(_words(pair.after, "" if same else "added", "hit"), room)
            for part, (left, right) in enumerate(zip_longest(before, after, fillvalue=styled(""))):
                value = None if same or part else pair
                rows.append(Row((index, part) if part else index, (left, mark, right), value, selectable=not part))
    return rows


def _placed(first: int, stretch: Sequence[LinePair], places: Sequence[str]) -> Iterator[tuple[int, str, LinePair]]:
    """Yield pairs with their index, and where they are above the first difference of each place."""
    said = ""
    for index, pair in enumerate(stretch, first):
        place = places[index]
        new = place if pair.kind != "same" and place != said else ""
        said = new or said
        yield index, new, pair


def _place(index: int, place: str) -> Row:
    return Row((index, "place"), (styled(clean_line(place), "accent"),), selectable=False)


def _lines(key: Hashable, sign: str, style: Style, words: Styled, room: int, value: object) -> list[Row]:
    return [
        Row((key, part) if part else key, (((sign if not part else "  ", style), *line),), None if part else value,
            selectable=not part)
        for part, line in enumerate(_broken(words, room))
    ]  # fmt: skip


def _broken(words: Styled, room: int) -> list[Styled]:
    """Return a line in parts that fit, each as far to the right as the line begins."""
    text = plain(words)
    lead = min(len(text) - len(text.lstrip(" ")), room // 3)
    if not words:
        return [words]
    (first, style), *others = words
    return [((" " * lead, ""), *line) for line in wrap(((first.lstrip(" "), style), *others), room - lead)]


def _words(words: Words | None, tone: Style, changed: Style) -> Styled:
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
