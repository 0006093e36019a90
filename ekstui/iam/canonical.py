"""Documents as lines of canonical JSON, and two documents compared line by line.

The order of statements and lists, and a string in place of a list, mean nothing to IAM. Canonical JSON fixes them, so
that a comparison shows only differences that matter.
"""

import json
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, cast

from ekstui.iam.document import Document, serialise
from ekstui.named_tuples import NamedTuple

LineKind = Literal["same", "added", "removed", "changed"]
Words = tuple[tuple[str, bool], ...]
"""The pieces of a line, each with whether it differs from the other side."""

_WORD = re.compile(r"\w+|\s+|[^\w\s]")

_KEY = re.compile(r' *"(\w+)":')

_STATEMENT = 4
"""Spaces before the braces of a statement."""

LIKE = 0.5
"""How similar two lines must be, from 0 to 1, for one to count as the other one changed."""


class LinePair(NamedTuple):
    """One line of a comparison side by side."""

    kind: LineKind
    before: Words | None
    after: Words | None


def canonical_lines(document: Document) -> list[str]:
    """Return the lines of a document as indented JSON with sorted lists and statements."""
    value = serialise(document)
    statements = cast("list[dict[str, object]]", value["Statement"])
    value["Statement"] = sorted((_sorted_lists(entry) for entry in statements), key=_order)
    return json.dumps(value, indent=2, ensure_ascii=False).split("\n")


def canonical_places(document: Document) -> list[str]:
    """Return the place of each canonical line, such as `Statement 7 "AllowX" › Condition`; else empty."""
    statements = cast("list[dict[str, object]]", serialise(document)["Statement"])
    statements_with_numbers = sorted(enumerate(map(_sorted_lists, statements), 1), key=lambda entry: _order(entry[1]))
    names = iter(
        [
            f"Statement {number}" + (f' "{entry["Sid"]}"' if entry.get("Sid") else "")
            for number, entry in statements_with_numbers
        ]
    )
    places: list[str] = []
    statement = element = ""
    for line in canonical_lines(document):
        depth = len(line) - len(line.lstrip(" "))
        if depth == _STATEMENT and line.strip() == "{":
            statement, element = next(names), ""
        elif depth == _STATEMENT + 2 and statement and (key := _KEY.match(line)):
            element = f" › {key[1]}"
        elif depth < _STATEMENT:
            statement = element = ""
        places.append(statement + element)
        if depth == _STATEMENT and line.strip().startswith("}"):
            statement = element = ""
    return places


def places_of(pairs: Sequence[LinePair], before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the place of each pair of lines: in the text after, or in the one before if the line was removed."""
    places: list[str] = []
    old = new = 0
    for pair in pairs:
        places.append(before[old] if pair.after is None else after[new])
        old += pair.before is not None
        new += pair.after is not None
    return places


def line_pairs(before: Sequence[str], after: Sequence[str]) -> list[LinePair]:
    """Return two texts as pairs of lines, with the differing words of changed lines marked."""
    pairs: list[LinePair] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            pairs += [LinePair("same", ((line, False),), ((line, False),)) for line in before[first:last]]
        else:
            pairs += _replaced(before[first:last], after[start:end])
    return pairs


def _replaced(before: Sequence[str], after: Sequence[str]) -> Iterator[LinePair]:
    """Yield the pairs of a replaced block: similar lines side by side, the others alone."""
    for index in range(max(len(before), len(after))):
        old = before[index] if index < len(before) else None
        new = after[index] if index < len(after) else None
        if old is not None and new is not None and (words := _changed_words(old, new)):
            yield LinePair("changed", *words)
            continue
        if old is not None:
            yield LinePair("removed", ((old, False),), None)
        if new is not None:
            yield LinePair("added", None, ((new, False),))


def _changed_words(old: str, new: str) -> tuple[Words, Words] | None:
    """Return both lines with their differing parts marked, or None if they are not similar."""
    old_words, new_words = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, old_words, new_words, autojunk=False)
    if matcher.quick_ratio() < LIKE or matcher.ratio() < LIKE:
        return None
    before: list[tuple[str, bool]] = []
    after: list[tuple[str, bool]] = []
    for tag, first, last, start, end in matcher.get_opcodes():
        if first < last:
            before.append(("".join(old_words[first:last]), tag != "equal"))
        if start < end:
            after.append(("".join(new_words[start:end]), tag != "equal"))
    return tuple(before), tuple(after)


def _sorted_lists(value: object) -> dict[str, object]:
    def deep(entry: object) -> object:
        if isinstance(entry, dict):
            return {key: deep(inner) for key, inner in entry.items()}
        return sorted(entry) if isinstance(entry, list) else entry

    return cast("dict[str, object]", deep(value))


def _order(statement: dict[str, object]) -> tuple[str, str]:
    return str(statement.get("Sid", "")), json.dumps(statement)
