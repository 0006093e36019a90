"""A comparison as rows, in its three views: meaning, unified, side by side."""

from collections.abc import Collection, Sequence
from itertools import groupby

from ekstui.core.canonical import LinePair, Words
from ekstui.core.change import Change, GrantDifference
from ekstui.core.grants import Grant
from ekstui.core.reference import reference
from ekstui.core.text import clean_line
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, styled
from ekstui.present.wrapping import wrap
from ekstui.tui.present.permissions import LEVEL_TONES
from ekstui.tui.present.versions import REACH_TONES
from ekstui.tui.present.words import grant_words

CONTEXT = 3
"""Equal lines that stay visible on either side of a difference."""

_MARKS: dict[str, tuple[str, Tone]] = {"added": ("+", "added"), "removed": ("−", "removed"), "changed": ("~", "warn")}


def verdict(change: Change) -> Styled:
    """Return what the change means in one line."""
    return ((clean_line(change.verdict), REACH_TONES[change.reach]),)


def counts(change: Change) -> str:
    """Return how many differences there are, as `+1 −0 ~2`."""
    return f"+{len(change.added)} −{len(change.removed)} ~{len(change.changed)}"


def meaning_rows(change: Change, width: int) -> list[Row]:
    """Return the differences by service: what was added, removed or changed, on what, and under which conditions."""
    rows: list[Row] = [
        Row(("note", index), (line,), selectable=False)
        for index, note in enumerate(change.notes)
        for line in wrap((("note: ", "muted"), (clean_line(note), "muted")), width)
    ]
    entries = [
        (_service(difference), kind, difference)
        for kind, differences in (("changed", change.changed), ("added", change.added), ("removed", change.removed))
        for difference in differences
    ]
    for service, group in groupby(sorted(entries, key=lambda entry: entry[0]), key=lambda entry: entry[0]):
        if rows:
            rows.append(Row(("space", service), (styled(""),), selectable=False))
        rows.append(Row(("service", service), (styled(service, "strong"),), selectable=False))
        for _, kind, difference in group:
            rows += _difference(kind, difference, width)
    return rows


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


def _service(difference: GrantDifference) -> str:
    if difference.element == "NotAction":
        return "everything but"
    return difference.actions[0].partition(":")[0].casefold()


def _difference(kind: str, difference: GrantDifference, width: int) -> list[Row]:
    sign, tone = _MARKS[kind]
    deny: Styled = (("deny ", "bad"),) if difference.effect == "Deny" else ()
    names = ", ".join(difference.actions)
    element: Styled = (("everything but ", "warn"),) if difference.element == "NotAction" else ()
    head: Styled = ((f"  {sign} ", tone), *deny, *element, (clean_line(names), tone), *_level(difference))
    key = (kind, difference.effect, difference.element, difference.actions)
    lines = wrap(head, width)
    rows = [Row(key, (lines[0],), difference)]
    rows += [
        Row((key, "head", index), ((("      ", ""), *line),), selectable=False) for index, line in enumerate(lines[1:])
    ]
    kept = set(difference.before) & set(difference.after)
    for sign, side_tone, grants in (("−", "removed", difference.before), ("+", "added", difference.after)):
        for grant in grants:
            if grant not in kept:
                shown = sign if kind == "changed" else " "
                rows += _grant_lines(key, grant, shown, side_tone if kind == "changed" else "muted", width)
    return rows


def _grant_lines(key: object, grant: Grant, sign: str, tone: str, width: int) -> list[Row]:
    text = wrap(((f"{sign} on {grant_words(grant)}", _as_tone(tone)),), max(width - 6, 20))
    return [
        Row((key, sign, grant, index), ((("      ", ""), *line),), selectable=False) for index, line in enumerate(text)
    ]


def _as_tone(name: str) -> Tone:
    return "removed" if name == "removed" else "added" if name == "added" else "muted"


def _level(difference: GrantDifference) -> Styled:
    """Return the access level of one action, or how many actions a pattern stands for."""
    if difference.element == "NotAction" or len(difference.actions) != 1:
        return ()
    (name,) = difference.actions
    known = reference()
    if action := known.find(name):
        return (("  " + " + ".join(action.levels), LEVEL_TONES.get(action.level, "muted")),)
    count = len(known.expand(name))
    return ((f"  {count} actions" if count else "  not in the reference", "muted"),)


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
