"""Makes input safe for Textual's parser: invalid bytes, legacy mouse reports, key releases, pastes.

In Textual 8.2.8 (`_xterm_parser.py`, `drivers/linux_driver.py`), the input thread dies of invalid UTF-8, of key releases
in the kitty protocol, and of pixel mouse reports without a pixel size; escape sequences in a paste are read as keys.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from typing import Final

from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.keys import Keys
from textual.message import Message

# Button, column and row, each a byte 32 above its value; beyond column 95 it is not ASCII, and maybe not UTF-8.
# The patterns are compiled on first use: 4 ms, after the first paint.
_OLD_MOUSE: Final = rb"(?s)\x1b\[M([\x20-\xff])([\x20-\xff])([\x20-\xff])"
_OLD_MOUSE_BEGUN: Final = rb"(?s)\x1b\[M[\x20-\xff]{0,2}\Z"

# code:shifted:base ; modifiers:event ; text
_KITTY_KEY: Final = r"\x1b\[(\d*)(?::[\d:]*)?(?:;(\d*)(?::(\d*))?)?((?:;[\d:]*)?)([u~ABCDEFHPQRS])"
_RELEASED: Final = "3"

_PASTE: Final = "\x1b[200~"
_PASTED: Final = "\x1b[201~"
_ESCAPE_SHOWN: Final = "\u241b"


class Decoder:
    """Decodes bytes from the terminal: invalid UTF-8 becomes U+FFFD, legacy mouse reports become SGR ones."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._held = b""

    def feed(self, data: bytes) -> str:
        """Return the text of `data`; an incomplete character or mouse report at its end is held back."""
        data = self._held + data
        if b"\x1b[M" not in data:
            self._held = b""
            return self._decode(data)
        data = re.sub(_OLD_MOUSE, _as_sgr_report, data)
        begun = re.search(_OLD_MOUSE_BEGUN, data)
        self._held = begun[0] if begun else b""
        return self._decode(data[: begun.start()] if begun else data)

    def idle(self) -> str:
        """Return what was held back, since nothing more has followed."""
        held, self._held = self._held, b""
        return self._decode(held)


def _as_sgr_report(match: re.Match[bytes]) -> bytes:
    button, column, row = (match[part][0] - 32 for part in (1, 2, 3))
    released = button & 0b1000011 == 3
    return b"\x1b[<%d;%d;%d%c" % (button & ~3 if released else button, column, row, b"m" if released else b"M")


class Pastes:
    """Keeps escape sequences in a paste, such as a coloured log, from being read as keys, by replacing ESC with ␛."""

    def __init__(self) -> None:
        self._pasting = False
        self._passed = ""
        """The end of the previous text, which may be part of the start marker."""
        self._held = ""
        """The end of the pasted text, which may be part of the end marker."""

    def escape(self, data: str) -> str:
        """Return `data` with ESC replaced inside pastes."""
        escaped: list[str] = []
        while data:
            if self._pasting:
                text, end, data = (self._held + data).partition(_PASTED)
                held = 0 if end else max(size for size in range(len(_PASTED)) if text.endswith(_PASTED[:size]))
                text, self._held = text[: len(text) - held], text[len(text) - held :]
                escaped += text.replace("\x1b", _ESCAPE_SHOWN), end
                self._pasting = not end
            else:
                text, start, data = (self._passed + data).partition(_PASTE)
                escaped.append((text + start)[len(self._passed) :])
                self._passed = "" if start else text[1 - len(_PASTE) :]
                self._pasting = bool(start)
        return "".join(escaped)


class Parser(XTermParser):
    """Textual's parser (8.2.8), without the sequences that would end the input thread."""

    def __init__(self, debug: bool = False) -> None:
        self._pastes = Pastes()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Return the messages in `data`; empty data is not the end of input, which the reader detects."""
        escaped = self._pastes.escape(data)
        return super().feed(escaped) if escaped else ()

    def parse_mouse_code(self, code: str) -> Message | None:
        """Return the mouse event in `code`; None if the terminal reported an empty size."""
        try:
            return super().parse_mouse_code(code)
        except ArithmeticError:
            return None

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterator[Key]:
        if ":" in sequence and (kitty := re.fullmatch(_KITTY_KEY, sequence)):
            code, modifiers, event, text, final = kitty.groups("")
            if event == _RELEASED:
                yield Key(Keys.Ignore, sequence)
                return
            sequence = f"\x1b[{code};{modifiers}{text}{final}"
        try:
            yield from super()._sequence_to_key_events(sequence, alt)
        except (ValueError, OverflowError):  # the number is not a character
            yield Key(Keys.Ignore, sequence)
