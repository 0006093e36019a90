"""IAM's wildcards: `*` matches any run of characters, `?` exactly one, everything else itself, including `[`.

A pattern with `?`, or a pair of patterns, is matched as a set of positions in the bits of one integer, so the time
depends on the product of the lengths over the word size and not on the number of `*`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from ekstui.named_tuples import NamedTuple

MAX_LENGTH = 8192
"""The longest pattern that is matched, in characters; IAM accepts no document that could contain a longer one."""

MAX_COVER_STATES = 20_000
"""How many sets of positions `covers` visits before it gives up and returns False."""

_RUN = re.compile(r"[*?]{2,}")


def is_wild(pattern: str) -> bool:
    """Return whether a pattern contains a wildcard."""
    return "*" in pattern or "?" in pattern


def matches(pattern: str, text: str) -> bool:
    """Return whether all of `text` matches `pattern`, case-sensitively. A pattern beyond MAX_LENGTH matches nothing."""
    if len(pattern) > MAX_LENGTH:
        return False
    if "?" in pattern:
        automaton = _automaton(pattern)
        return automaton.piece in text and _run(automaton, text)
    if "*" not in pattern:
        return pattern == text
    if not text.startswith(pattern[: pattern.index("*")]):
        return False
    head, *middle, tail = pattern.split("*")
    end = len(text) - len(tail)
    start = len(head)
    if start > end or not text.endswith(tail):
        return False
    for piece in middle:
        if piece:
            position = text.find(piece, start, end)
            if position < 0:
                return False
            start = position + len(piece)
    return True


def covers(general: str, special: str) -> bool:
    """Return True only if every text that matches the pattern `special` matches the pattern `general`.

    Also returns False for a pair that is too long or too complex to decide.
    """
    if len(general) > MAX_LENGTH or len(special) > MAX_LENGTH:
        return False
    if general == special:
        return True
    if not is_wild(special):
        return matches(general, special)
    # Whatever `special` has before its first and after its last wildcard, all that it matches begins and ends with:
    # quicker, and rules out nearly everything.
    if not (_head(special).startswith(_head(general)) and _tail(special).endswith(_tail(general))):
        return False
    if _canonical(general) == "*":
        return True
    automaton = _automaton(general)
    text = _canonical(special)
    # For a wildcard of `special`, the worst case is a character that `general` does not contain: if that is accepted,
    # so is any other. A `*` stands for runs of any length, so every length is followed.
    pending = [(0, automaton.start)]
    visited_states = set(pending)
    while pending:
        index, positions = pending.pop()
        if index == len(text):
            if not positions & automaton.accept:
                return False
            continue
        next_states = _following(automaton, text[index], index, positions)
        if len(visited_states) > MAX_COVER_STATES or not all(after for _, after in next_states):
            return False
        pending += next_states - visited_states
        visited_states |= next_states
    return True


def _following(automaton: "_Automaton", character: str, index: int, positions: int) -> set[tuple[int, int]]:
    """Return the places in a pattern and the positions that may follow its character at `index`."""
    if character == "*":
        return {(index + 1, positions), (index, automaton.step_unnamed(positions))}
    if character == "?":
        return {(index + 1, automaton.step_unnamed(positions))}
    return {(index + 1, automaton.step(positions, character))}


def overlaps(a: str, b: str) -> bool:
    """Return whether some text matches both patterns; a pattern beyond MAX_LENGTH matches nothing."""
    if len(a) > MAX_LENGTH or len(b) > MAX_LENGTH:
        return False
    if not is_wild(a):
        return matches(b, a)
    if not is_wild(b):
        return matches(a, b)
    # Quicker, and rules out nearly everything.
    if not (_agree(_head(a), _head(b)) and _agree(_tail(a)[::-1], _tail(b)[::-1])):
        return False
    automaton = _automaton(a)
    positions = automaton.start
    for character in _canonical(b):
        if character == "*":
            lowest = positions & -positions
            positions = automaton.everywhere & ~(lowest - 1)
        elif character == "?":
            positions = automaton.step_any(positions)
        else:
            positions = automaton.step(positions, character)
        if not positions:
            return False
    return bool(positions & automaton.accept)


class _Automaton(NamedTuple):
    """A pattern as bits: bit n of a set of positions means that the first n characters of the pattern have matched."""

    named: Mapping[str, int]
    """By character, the positions before that character in the pattern."""
    one: int
    """The positions before a `?`."""
    run: int
    """The positions before a `*`."""
    accept: int
    everywhere: int
    piece: str
    """The longest run of the pattern between its wildcards: a text without it cannot match, which is quick to see."""

    @property
    def start(self) -> int:
        return self._past_runs(1)

    def step(self, positions: int, character: str) -> int:
        """Return the positions that are possible after one more character."""
        ready = positions & (self.named.get(character, 0) | self.one)
        return self._past_runs(ready << 1 | positions & self.run)

    def step_unnamed(self, positions: int) -> int:
        """Return the positions that are possible after a character that the pattern does not contain."""
        return self._past_runs((positions & self.one) << 1 | positions & self.run)

    def step_any(self, positions: int) -> int:
        """Return the positions that are possible after some character of one's choice."""
        return self._past_runs((positions & ~self.run & ~self.accept) << 1 | positions & self.run)

    def _past_runs(self, positions: int) -> int:
        # A canonical pattern never has two `*` in a row, so one shift is enough.
        return positions | (positions & self.run) << 1


@lru_cache(maxsize=4096)
def _automaton(pattern: str) -> _Automaton:
    characters = _canonical(pattern)
    positions_of_character: dict[str, int] = {}
    one = run = 0
    for index, character in enumerate(characters):
        if character == "?":
            one |= 1 << index
        elif character == "*":
            run |= 1 << index
        else:
            positions_of_character[character] = positions_of_character.get(character, 0) | 1 << index
    accept = 1 << len(characters)
    piece = max(pattern.replace("?", "*").split("*"), key=len)
    return _Automaton(positions_of_character, one, run, accept, accept * 2 - 1, piece)


def _run(automaton: _Automaton, text: str) -> bool:
    positions = automaton.start
    for character in text:
        positions = automaton.step(positions, character)
        if not positions:
            return False
    return bool(positions & automaton.accept)


def _head(pattern: str) -> str:
    """Return what a pattern has before its first wildcard."""
    return pattern.partition("*")[0].partition("?")[0]


def _agree(prefix_a: str, prefix_b: str) -> bool:
    """Return whether one of two texts begins with the other."""
    return prefix_a.startswith(prefix_b) or prefix_b.startswith(prefix_a)


def _tail(pattern: str) -> str:
    """Return what a pattern has after its last wildcard."""
    return pattern.rpartition("*")[2].rpartition("?")[2]


def _canonical(pattern: str) -> str:
    """Return the pattern with each run of wildcards as its `?` followed by at most one `*`."""
    return _RUN.sub(lambda match: "?" * match[0].count("?") + "*" * ("*" in match[0]), pattern)
