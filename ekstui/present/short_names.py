"""Names cut to a width by what tells them from the others of their list.

A name is cut in words. Those that most names of the list have go first, and what was made at random, such as the end of
the names that CloudFormation and IAM Identity Center give; `…` stands for what is gone.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ekstui.present.styled import Styled, cells, cut_end, cut_middle, plain, styled

_WORD = (
    "[^A-Za-z0-9]*(?:(?P<random>(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])(?:[A-Z0-9]{8,}|[a-z0-9]{8,})(?![A-Za-z0-9]))"
    "|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|$)"
)
"""A word with what stands before it; capitals begin one. Compiled where the first name has to be cut."""

_GAP = "…"
_BETWEEN = f"-_/. {_GAP}"
"""What stands between words, and says nothing beside a gap."""


class ShortNames:
    """The names of a list, each shown otherwise than those shown before it, if there is a way."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = dict.fromkeys(names)
        self._counts: Counter[str] | None = None
        """In how many names each word is; counted once a name has to be cut."""
        self._shown: dict[tuple[str, int], str] = {}
        self._taken: dict[tuple[str, int], str] = {}
        """The name behind each that is shown, by it and its room."""

    def fitted(self, name: str, room: int) -> str:
        """Return a name in at most `room` cells."""
        if cells(name) <= room:
            return name
        if (name, room) not in self._shown:
            if self._counts is None:
                self._counts = _counts(self._names)
            short_name = _cut(name, room, self._counts)
            if (neighbour := self._taken.get((short_name, room), name)) != name:
                short_name = _cut(name, room, self._counts, neighbour)
            self._shown[name, room] = short_name
            self._taken[short_name, room] = name
        return self._shown[name, room]

    def fitted_cell(self, cell: Styled, room: int) -> Styled:
        """Return a cell in at most `room` cells, of which its longest piece is the name."""
        if cells(plain(cell)) <= room:
            return cell
        index = max(range(len(cell)), key=lambda index: len(cell[index][0]))
        name, style = cell[index]
        remaining = room - cells(plain((*cell[:index], *cell[index + 1 :])))
        if remaining < room // 2:
            return cut_end(cell, room)
        return (*cell[:index], (self.fitted(name, remaining), style), *cell[index + 1 :])


def names_in(column: Iterable[Styled]) -> ShortNames:
    """Return the names of a column: the longest piece of each cell."""
    return ShortNames(max((text for text, _ in cell), key=len) for cell in column if cell)


def _words(name: str) -> list[tuple[str, bool]]:
    return [(match[0], bool(match["random"])) for match in re.finditer(_WORD, name) if match[0]]


def _bare(word: str) -> str:
    return word.strip(_BETWEEN).casefold()


def _counts(names: Iterable[str]) -> Counter[str]:
    return Counter(word for name in names for word in {_bare(word) for word, _ in _words(name)})


def _cut(name: str, room: int, counts: Counter[str], neighbour: str | None = None) -> str:
    """Return the words of a name that tell most, as many as fit; from one other name above all, if given."""
    words = _words(name)
    shared_words = {_bare(text) for text, _ in _words(neighbour)} if neighbour else set()
    # The two may differ only in what was made at random.
    common = [
        (_bare(text) in shared_words, is_random and neighbour is None, counts[_bare(text)]) for text, is_random in words
    ]
    are_kept = [True] * len(words)
    order: list[int] = []
    while cells(_joined(words, are_kept)) > room:
        kept_places = [place for place, is_kept in enumerate(are_kept) if is_kept]
        if len(kept_places) < 2:
            return plain(cut_end(cut_middle(styled(name), room), room))

        def is_within(place: int) -> bool:
            return 0 < place < len(are_kept) - 1 and are_kept[place - 1] and are_kept[place + 1]

        # Of words that tell as little, those at an end or beside a gap, so that there are few gaps; the last one first.
        order.append(max(kept_places, key=lambda place: (common[place], not is_within(place), place)))
        are_kept[order[-1]] = False
    for place in reversed(order):
        are_kept[place] = True
        are_kept[place] = cells(_joined(words, are_kept)) <= room
    return _joined(words, are_kept)


def _joined(words: Sequence[tuple[str, bool]], are_kept: Sequence[bool]) -> str:
    short = ""
    for (text, _), is_kept in zip(words, are_kept, strict=True):
        if is_kept:
            short += text.lstrip(_BETWEEN) if short.endswith(_GAP) else text
        elif not short.endswith(_GAP):
            short += _GAP
    return short
