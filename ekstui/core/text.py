"""The one function that makes foreign text safe to show.

Names, descriptions, tags, documents and messages from AWS or a file are data. A terminal would obey the escape
sequences in them, and no Textual widget stops those, so everything foreign passes here before it is shown.
"""

import re
from functools import cache

# C0 except tab and newline, DEL, C1, bidirectional controls, what has no width or looks like a space (Unicode's default
# ignorable characters, but for the selectors that honest emoji end with), line and paragraph separators, interlinear
# annotation, tag characters and lone surrogates.
_UNSAFE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)

TAB_WIDTH = 4
"""Columns that a tab becomes."""


def clean(text: str) -> str:
    """Return `text` with tabs as spaces and every character that could steer a terminal as a visible placeholder.

    Newlines stay. A control character becomes its picture (`␛`), any other a form such as `<U+202E>`.
    """
    if _is_plain(text):
        return text
    return _unsafe().sub(_placeholder, text.replace("\t", " " * TAB_WIDTH))


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line: newlines become a visible `⏎`."""
    return clean(text).replace("\n", "⏎")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


@cache
def _unsafe() -> re.Pattern[str]:
    # 1 ms, and only for the rare text that is not plain.
    return re.compile(_UNSAFE)


def _placeholder(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"
