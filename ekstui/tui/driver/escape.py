"""The escape key with another right after it: terminals send the same bytes for that key with alt."""

from __future__ import annotations

from collections.abc import Collection

from textual.events import Key

ESCAPE = "\x1b"

SHIFT_TAB = "shift+tab"
"""What Textual takes alt and tab for, although terminals send other bytes for shift and tab."""


class EscapedKey(Key):
    """A key that was typed with alt, or within a tenth of a second after the escape key."""

    def __init__(self, key: str, character: str | None, then: Key) -> None:
        """`key` is what it is if it was typed with alt, `then` the key that may have followed escape."""
        super().__init__(key, character)
        self.then = then

    def read(self, bound: Collection[str]) -> tuple[Key, ...]:
        """Return the key if something binds it with alt; otherwise escape and the other key."""
        if self.key in bound and self.key not in (self.then.key, SHIFT_TAB):
            return (Key(self.key, self.character),)
        return Key("escape", ESCAPE), self.then


# Apps that do not ask what it was handle it like any other key.
EscapedKey.handler_name = Key.handler_name
