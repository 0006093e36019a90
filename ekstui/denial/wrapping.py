"""What terminals and tools do to a text: frames, colours, wrapped lines, and what is put before each line."""

import html
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter, or_
from os.path import commonprefix

from ekstui.denial.patterns import compiled_later
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple

_COLOUR = compiled_later(r"(?:[\x1b␛]|\^\[|ESC|\\u001b|\\x1b|\\033)\[[\d;]*[mK]")
"""Colour codes in logs, raw, made visible, or copied from a pager."""

_ENTITY = compiled_later(r"&(?:quot|apos|amp|lt|gt|nbsp|#\d{1,4}|#[xX][\da-fA-F]{1,4});")
"""What HTML has in place of quotation marks and the like; a URL may have a name that only looks like one."""

_LINE_START = compiled_later(r"^[ \t]*(?:(?:[│|>╷╵][ \t]?){1,3})?")
"""Bars of Terraform and Rust, quotation marks of mail, tabs of kubectl; what is after the space of a bar is text."""

_BARS = "│┃║▏▕▐▌"
_BAR = compiled_later(f"[{_BARS}]")
_ASCII_TOO = compiled_later(f"[{_BARS}|]")

_EDGE = compiled_later(r"\s*(?:[┌┏╔╭├┣╠└┗╚╰].*[─━═┄┈╌]{2}.*|[─━═┄┈╌]{3,}.*|\+[-=+]{2,}\+|\|[-=+]{3,}\||-{8,})\s*")
"""A line of the frame itself, which may contain a title."""

_MOST_COLUMNS = 9
"""The most panes side by side; a line with more bars has none."""

_SHORTEST_WRAP = 20
"""The narrowest terminal, in characters, whose wrapped lines are joined for their width alone."""
_NEARBY = 6
"""How many lines before and after may be of the same message."""
_LONGEST_PREFIX = 160
"""The longest text that a tool puts before each line."""
_SHORTEST_PREFIX = 4
_ALIKE = 8
"""How many characters two lines of a log have alike at their beginning, apart from the digits."""

_BROKEN_WORD = compiled_later(r"(?:^|[\s\"'`=(])arn:aws[a-z-]*:(?:\S*/|(?:[^\s:]*:){0,3})$|\w-$")
"""The end of a line at a hyphen, or in an ARN at a slash or before its last part."""
_BROKEN_AGAIN = compiled_later(r"\S+[/:-]$")
"""A whole line of such an ARN."""
_LONGEST_ARN = 2_000
"""How much of the end of a line may be an ARN, in characters."""

_WORDS = compiled_later(r"\S+(?: \S+)*")
_DIGIT = compiled_later(r"\d")
_PREFIX_END = compiled_later(r"[\s|>\])}:]")
_OF_DENIAL = compiled_later(r"arn:aws[a-z-]*:(?:iam|sts):|authorized to perform|cannot \S+ resource")
"""What no tool puts before each line: two lines that have it in common are two denials that begin alike."""
_LIKE_ACTION = compiled_later(r"(?<![\w:/.-])([a-z][a-z0-9-]{1,40}):[A-Z][A-Za-z0-9]+")


def without_colours(text: str) -> str:
    """Return a text without colour codes."""
    return _COLOUR.sub("", text)


def without_entities(text: str) -> str:
    """Return a text with the characters that entities of HTML stand for."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def unframed(text: str) -> str:
    """Return a text without colour codes and frames, with panes that were side by side one after the other."""
    text = without_colours(text)
    if not _ASCII_TOO.search(text):
        return text
    lines = text.split("\n")
    frame_flags = [*map(_may_be_framed, lines)]
    # A selection of panes side by side may begin in the right one, and end in the left one.
    for end, inner in ((0, 1), (-1, -2)):
        if len(lines) > 2 and not frame_flags[end] and sum(bool(cell.strip()) for cell in _BAR.split(lines[inner])) > 1:
            frame_flags[end] = True
    groups = groupby(zip(frame_flags, lines, strict=True), key=itemgetter(0))
    blocks = ((is_framed, "\n".join(line for _, line in group)) for is_framed, group in groups)
    return "\n".join(_unframed(block) if is_framed else block for is_framed, block in blocks)


def _may_be_framed(line: str) -> bool:
    text = line.strip()
    return _is_between_bars(text) or text.startswith("+-") or bool(_BAR.search(line)) or bool(_EDGE.fullmatch(line))


def _is_between_bars(line: str) -> bool:
    return line != "|" and line.startswith("|") and line.endswith("|")


def _unframed(text: str) -> str:
    rows = _rows(text)
    rows_by_columns = Counter(len(row) for row in rows if any(map(str.strip, row)) or row[1:])
    count = max(rows_by_columns, key=lambda columns: (rows_by_columns[columns], columns), default=1)
    if not 2 <= count <= _MOST_COLUMNS:
        return text
    # A selection may start and end within a line, which then lacks a bar on that side.
    rows = [_without_bars_of_text(row, count) for row in rows]
    padding = [[""] * (count - len(row)) for row in rows]
    full_rows = [row + cells for row, cells in zip(rows, padding, strict=True)]
    full_rows[0] = padding[0] + rows[0]
    columns = [_without_margin([row[place] for row in full_rows]) for place in range(count)]
    return "\n".join("\n".join(column) for column in columns if any(cell.strip() for cell in column))


def _rows(text: str) -> list[list[str]]:
    """Return what is between the bars of each line but edges; `|` is a bar only where it is around every line."""
    lines = [line.rstrip("\r") for line in text.split("\n") if not _EDGE.fullmatch(line)]
    texts = [line.strip() for line in lines if line.strip()]
    bar = _ASCII_TOO if all(map(_is_between_bars, texts)) and len(texts) > 1 else _BAR
    return [bar.split(line) for line in lines]


def _without_bars_of_text(row: list[str], count: int) -> list[str]:
    """Return a row in at most so many cells: more bars are of its text, such as the one after a container's name."""
    return row if len(row) <= count else [*row[: count - 2], "|".join(row[count - 2 : -1]), row[-1]]


def _without_margin(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column without the space next to the frame that all of them have."""
    inner = [cell for cell in cells if cell.strip()]
    if len(inner) > 2:
        inner = inner[1:-1]
    margin = int(all(cell.startswith(" ") for cell in inner))
    right = int(all(cell.endswith(" ") for cell in inner))
    return [cell[margin : len(cell) - right] if cell.endswith(" ") else cell[margin:] for cell in cells]


def unescaped(text: str) -> str:
    """Return a text without colour codes, HTML entities, and JSON escapes, however often it was quoted."""
    plain_text = without_entities(without_colours(text))
    if "\\" in plain_text:
        plain_text = re.sub(r"\\{1,16}n", "\n", plain_text)
        plain_text = re.sub(r"\\{1,16}t", " ", plain_text)
        plain_text = re.sub(r'\\{1,16}(?=["\'])', "", plain_text)
    return plain_text.replace("\r", "")


class JoinedText(NamedTuple):
    """A text on one line, with single spaces, that knows where each character was."""

    text: str
    starts: tuple[int, ...]
    """Where each piece begins in the text."""
    origins: tuple[int, ...]
    """Where it began before the lines were joined."""

    def origin(self, index: int) -> int:
        """Return where a character was before the lines were joined."""
        piece = bisect_right(self.starts, index) - 1
        return self.origins[piece] + index - self.starts[piece]

    def place(self, origin: int) -> int:
        """Return where a character is, or what follows it if it was left out."""
        piece = bisect_right(self.origins, origin) - 1
        end = self.starts[piece + 1] if piece + 1 < len(self.starts) else len(self.text)
        return min(self.starts[piece] + origin - self.origins[piece], end)


class _Line(NamedTuple):
    origin: int
    text: str


def joined_lines(text: str) -> Iterator[JoinedText]:
    """Yield the possible forms of a text on one line, the likeliest first.

    A terminal that wraps at its edge splits words, and a tool may put a time or a name before each line. A text may
    contain messages of several kinds, so none of the forms need fit all of it.
    """
    # Of lines without text, of which a log may have a million, none matters but that there is one.
    lines = [
        line
        for line, after in pairwise([*_lines(text), _Line(len(text), "x")])
        if line.text.strip() or after.text.strip()
    ]
    if len(lines) == 1:
        yield _join([_without_start(lines[0])], [])
        return
    plain_lines = [_without_start(line) for line in lines]
    are_full = [_is_full(lines, index) for index in range(len(lines) - 1)]
    readings: set[str] = set()
    unprefixed_lines = _without_prefixes(lines)
    forms = [
        (plain_lines, [is_full and not _begins_alike(lines, index) for index, is_full in enumerate(are_full)]),
        (plain_lines, [False] * len(are_full)),
        (lines, [True] * len(are_full)),
        (plain_lines, [True] * len(are_full)),
    ]
    if unprefixed_lines != lines:
        forms += [
            (unprefixed_lines, are_full),
            (unprefixed_lines, [False] * len(are_full)),
            (unprefixed_lines, [True] * len(are_full)),
        ]
    # A tool that wraps at words breaks a long one where a name in it ends, whatever the length of the line is then.
    for pieces in (plain_lines, unprefixed_lines):
        are_broken = _broken_words(pieces)
        if any(are_broken):
            trimmed_lines = _trimmed(pieces, are_broken)
            forms += [(trimmed_lines, are_broken), (trimmed_lines, [*map(or_, are_broken, are_full)])]
    for pieces, glue_flags in forms:
        form = _join(pieces, glue_flags)
        if form.text not in readings:
            readings.add(form.text)
            yield form


def _lines(text: str) -> Iterator[_Line]:
    origin = 0
    for line in text.split("\n"):
        yield _Line(origin, line)
        origin += len(line) + 1


def _without_start(line: _Line) -> _Line:
    begin = _LINE_START.match(line.text)
    length = begin.end() if begin else 0
    return _Line(line.origin + length, line.text[length:])


def _is_full(lines: Sequence[_Line], index: int) -> bool:
    """Return whether a line is as long as one nearby and no shorter than the next, as wrapped words make it."""
    lengths = [_length(line.text) for line in lines[max(0, index - _NEARBY) : index + _NEARBY + 1]]
    length = _length(lines[index].text)
    return length >= _SHORTEST_WRAP and lengths.count(length) > 1 and _length(lines[index + 1].text) <= length


def _length(line: str) -> int:
    """Return how long a line is, without what fills it up to a frame."""
    return len(line.rstrip()) if line.endswith("  ") else len(line)


def _begins_alike(lines: Sequence[_Line], index: int) -> bool:
    """Return whether the next line begins like this one, as those of a log do."""
    beginning, next_beginning = (_DIGIT.sub("0", line.text[:_ALIKE]) for line in lines[index : index + 2])
    return beginning == next_beginning


def _broken_words(lines: Sequence[_Line]) -> list[bool]:
    """Return for each line whether its last word goes on in the next, as an ARN does after a slash."""
    are_broken: list[bool] = []
    for line in lines[:-1]:
        text = line.text.strip()[-_LONGEST_ARN:]
        goes_on = bool(are_broken) and are_broken[-1] and _BROKEN_AGAIN.fullmatch(text) is not None
        are_broken.append(goes_on or _BROKEN_WORD.search(text) is not None)
    return are_broken


def _trimmed(lines: Sequence[_Line], are_broken: Sequence[bool]) -> list[_Line]:
    """Return the lines without the spaces where a word was broken, such as those that indent what goes on."""
    trimmed_lines: list[_Line] = []
    for line, goes_on, is_rest in zip(lines, (*are_broken, False), (False, *are_broken), strict=True):
        text = line.text.rstrip() if goes_on else line.text
        indent = len(text) - len(text.lstrip()) if is_rest else 0
        trimmed_lines.append(_Line(line.origin + indent, text[indent:]))
    return trimmed_lines


def _without_prefixes(lines: Sequence[_Line]) -> list[_Line]:
    """Return the lines without what each has in common with the previous one at its beginning, apart from digits."""
    heads = [_DIGIT.sub("0", line.text[:_LONGEST_PREFIX]) for line in lines]
    plain_lines = [_without_start(lines[0])]
    for previous, head, line in zip(heads, heads[1:], lines[1:], strict=False):
        length = len(commonprefix((previous, head)))  # noqa: RUF071 (texts, not paths)
        length = min([length, *_places_of_actions(line.text[:length])])
        while length and not _PREFIX_END.match(head[length - 1]):
            length -= 1
        is_prefix = length >= _SHORTEST_PREFIX and not _OF_DENIAL.search(line.text[:length])
        plain_lines.append(_Line(line.origin + length, line.text[length:]) if is_prefix else _without_start(line))
    return plain_lines


def _places_of_actions(text: str) -> Iterator[int]:
    """Yield where a text names actions: two lines of one message may begin with its action."""
    for word in _LIKE_ACTION.finditer(text):
        if reference().has_service(word[1]):
            yield word.start()


def _join(lines: Sequence[_Line], glue_flags: Sequence[bool]) -> JoinedText:
    """Join lines by spaces, or by nothing after those that are glued to the next."""
    parts: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    length = 0
    space = False
    for index, line in enumerate(lines):
        end = 0
        for words in _WORDS.finditer(line.text):
            if (space or words.start() > end) and parts:
                parts.append(" ")
                length += 1
            starts.append(length)
            origins.append(line.origin + words.start())
            parts.append(words[0])
            length += len(words[0])
            end, space = words.end(), False
        is_glued = index < len(glue_flags) and glue_flags[index]
        space = space or not is_glued or end < len(line.text)
    return JoinedText("".join(parts), tuple(starts), tuple(origins))


def unwrapped(text: str) -> tuple[str, ...]:
    """Return the possible forms of a text on one line, with single spaces, the likeliest first."""
    return tuple(form.text for form in joined_lines(unescaped(unframed(text))))
