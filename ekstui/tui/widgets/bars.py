"""The lines at the top and the foot: what the data rests on, what is under the cursor, and the nearest keys."""

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.getters import app
from textual.widgets import Static

from ekstui.present.styled import Style, Styled, cells, plain
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key, spelled

TWO_LINES = 24
"""Rows from which the line about the row under the cursor has a second one."""

_THEME_STYLES: dict[Style, str] = {
    "muted": "$text-muted", "strong": "bold", "accent": "$text-accent", "good": "$text-success", "bad": "$text-error",
    "warn": "$text-warning", "added": "$text-success", "removed": "$text-error", "hit": "reverse",
}  # fmt: skip


def content(line: Styled) -> Content:
    """Return a line as Textual's Content; tones become styles of the theme."""
    return Content.assemble(*((text, _THEME_STYLES.get(tone, "")) for text, tone in line))


class HeaderBar(Static):
    """One line that says how much is shown, until when it is known, and whose account it is."""

    DEFAULT_CSS = "HeaderBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    def show(self, line: Styled, right: Styled = ()) -> None:
        """Show this line, and another at the right edge, which comes first where there is not room for both."""
        words = content(line)
        if right:
            end = content(right)
            room = max(self.size.width - end.cell_length - 1, 0)
            words = Content.assemble(words.truncate(room, ellipsis=True, pad=True), " ", end)
        self.update(words)


class LineBar(Static):
    """What is under the cursor, whole; or what is being done."""

    DEFAULT_CSS = "LineBar { padding: 0 1; text-wrap: wrap; }"

    def show(self, line: Styled) -> None:
        """Show this line, in as many rows as there are."""
        self.update(content(line))

    def show_words(self, text: str) -> None:
        """Show these words."""
        self.update(content(((text, "accent"),)))


class FooterBar(Static):
    """One line with the keys that do something here; a click on one does it."""

    DEFAULT_CSS = "FooterBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    app = app(LibraryApp)

    _keys: Sequence[Key] = ()
    """What was to be shown."""
    _shown: Sequence[Key] = ()
    """What there was room for."""

    def show_keys(self, keys: Sequence[Key]) -> None:
        """Show these keys with their labels; where there is not room for all, those before the last two are left out."""
        if tuple(keys) == self._keys:
            return
        self._keys = tuple(keys)
        self._fit()

    def on_resize(self) -> None:
        """Show as many keys as there is room for by now."""
        if self._keys:
            self._fit()

    def _fit(self) -> None:
        width = self.app.size.width
        shown = list(self._keys)
        while len(shown) > 2 and sum(map(cells, map(self._words, shown))) > width:
            del shown[-3]
        self._shown = shown
        self.update(content(tuple(piece for key in shown for piece in self._pieces(key))))

    def _words(self, key: Key) -> str:
        return plain(self._pieces(key))

    def _pieces(self, key: Key) -> Styled:
        return ((" " + spelled(self.app.keys_of(key)).split(" ")[0], "accent"), (f" {key.label} ", ""))

    def show_words(self, text: str) -> None:
        """Show words in place of the keys."""
        self._keys = self._shown = ()
        self.update(content(((f" {text}", "muted"),)))

    def on_click(self, event: Click) -> None:
        """Do what the key that was clicked does."""
        end = 0
        for key in self._shown:
            end += cells(self._words(key))
            if event.x < end:
                self.app.simulate_key(self.app.keys_of(key).split(",")[0])
                return
