"""Text for people: foreign text made safe to show, and lists and counts in words.

Names, descriptions, tags, documents and messages from AWS or a file are data. A terminal would obey the escape
sequences in them, and no Textual widget stops those, so all foreign text is cleaned here before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

# C0 except tab and newline, DEL, C1, bidirectional controls, characters without width or that look like a space
# (Unicode's default ignorable characters, except the selectors that emoji end with), line and paragraph separators,
# interlinear annotation, tag characters and lone surrogates.
_UNSAFE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)

TAB_WIDTH = 4
"""How many spaces replace a tab."""


def clean(text: str) -> str:
    """Return `text` with spaces for tabs and a visible placeholder for every character that could control a terminal.

    Newlines are kept. A control character becomes its picture (`␛`), any other becomes `<U+202E>` or the like.
    """
    if is_plain(text):
        return text
    return _unsafe().sub(_placeholder, text.replace("\t", " " * TAB_WIDTH))


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line: newlines become `⏎`."""
    return text if is_plain(text) else clean(text).replace("\n", "⏎")


def is_plain(text: str) -> bool:
    """Return whether each character of a text is printable ASCII, so that nothing is to be cleaned."""
    return text.isascii() and text.isprintable()


@cache
def _unsafe() -> re.Pattern[str]:
    # Compiling takes 1 ms and is needed only for the rare text that is not plain.
    return re.compile(_UNSAFE)


def _placeholder(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def begins_word(name: str, original: str, word: str) -> bool:
    """Return whether a typed word starts a word of the name, at its start, a capital letter, or after punctuation."""
    index = name.find(word)
    while index >= 0:
        # In EKSLoadBalancing the L starts a word, because lower-case letters follow.
        capital = original[index : index + 1].isupper()
        if index == 0 or not name[index - 1].isalnum():
            return True
        if capital and (not original[index - 1].isupper() or original[index + 1 : index + 2].islower()):
            return True
        index = name.find(word, index + 1)
    return False


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def first_of(words: Sequence[str], limit: int) -> str:
    """Return the first words of what may be a long list: `a, b and 3 more`."""
    ending = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(words[:limit]) + ending


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 role`, `1,200 roles`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
