"""What the terminal sends, made safe for Textual's parser: bad bytes, old mouse reports, key releases, pastes.

Read from Textual 8.2.8 (`_xterm_parser.py`, `drivers/linux_driver.py`): there a byte that is no UTF-8 ends the input
thread, as does the release of a key in the kitty protocol, and a mouse report with pixels but no pixel size. What
follows an escape character in a pasted text is taken for keys.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from typing import Final

from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.keys import Keys
from textual.message import Message

# Button, column and row, each a byte 32 above its value, columns past 95 being no ASCII and so perhaps no UTF-8.
# The patterns are compiled where they are met first: together that takes 4 ms, which the first paint can do without.
_OLD_MOUSE: Final = rb"(?s)\x1b\[M([\x20-\xff])([\x20-\xff])([\x20-\xff])"
_OLD_MOUSE_BEGUN: Final = rb"(?s)\x1b\[M[\x20-\xff]{0,2}\Z"

# code:shifted:base ; modifiers:event ; text
_KITTY_KEY: Final = r"\x1b\[(\d*)(?::[\d:]*)?(?:;(\d*)(?::(\d*))?)?((?:;[\d:]*)?)([u~ABCDEFHPQRS])"
_RELEASED: Final = "3"

_PASTE: Final = "\x1b[200~"
_PASTED: Final = "\x1b[201~"
_ESCAPE_SHOWN: Final = "\u241b"


class Decoder:
    """Turns bytes from the terminal into text: a byte that is no UTF-8 becomes U+FFFD, an old mouse report a new one."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._held = b""

    def feed(self, data: bytes) -> str:
        """Return the text of `data`, except an old mouse report or character at its end that is not complete."""
        data = self._held + data
        if b"\x1b[M" not in data:
            self._held = b""
            return self._decode(data)
        data = re.sub(_OLD_MOUSE, _as_sgr_report, data)
        begun = re.search(_OLD_MOUSE_BEGUN, data)
        self._held = begun[0] if begun else b""
        return self._decode(data[: begun.start()] if begun else data)

    def idle(self) -> str:
        """Return what was held back, now that nothing has followed it for a while."""
        held, self._held = self._held, b""
        return self._decode(held)


def _as_sgr_report(match: re.Match[bytes]) -> bytes:
    button, column, row = (match[part][0] - 32 for part in (1, 2, 3))
    released = button & 0b1000011 == 3
    return b"\x1b[<%d;%d;%d%c" % (button & ~3 if released else button, column, row, b"m" if released else b"M")


class Pastes:
    """Keeps a pasted text, such as a coloured log, from being taken for keys: its escape characters become pictures."""

    def __init__(self) -> None:
        self._pasting = False
        self._passed = ""
        """The end of what was let through, in which a paste may have begun."""
        self._held = ""
        """The end of what was pasted, which may be the beginning of its end."""

    def tame(self, data: str) -> str:
        """Return `data`, in which no escape character is part of a paste except the one that ends it."""
        tamed: list[str] = []
        while data:
            if self._pasting:
                text, end, data = (self._held + data).partition(_PASTED)
                held = 0 if end else max(size for size in range(len(_PASTED)) if text.endswith(_PASTED[:size]))
                text, self._held = text[: len(text) - held], text[len(text) - held :]
                tamed += text.replace("\x1b", _ESCAPE_SHOWN), end
                self._pasting = not end
            else:
                text, start, data = (self._passed + data).partition(_PASTE)
                tamed.append((text + start)[len(self._passed) :])
                self._passed = "" if start else text[1 - len(_PASTE) :]
                self._pasting = bool(start)
        return "".join(tamed)


class Parser(XTermParser):
    """Textual's parser, which lets through no sequence that would stop it (three of its methods, read in 8.2.8)."""

    def __init__(self, debug: bool = False) -> None:
        self._pastes = Pastes()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Return the messages in `data`; the end of the input is for the reader to notice, so nothing means nothing."""
        tamed = self._pastes.tame(data)
        return super().feed(tamed) if tamed else ()

    def parse_mouse_code(self, code: str) -> Message | None:
        """Return the mouse event in `code`, or None where the terminal gave a size of nothing."""
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
        except (ValueError, OverflowError):  # a number that is no character
            yield Key(Keys.Ignore, sequence)
