"""The widgets of one line: header, details of the row under the cursor, progress, footer with its keys, and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Paste
from textual.getters import app
from textual.widget import Widget
from textual.widgets import Input, Static

from ekstui.iam.text import clean
from ekstui.present.styled import Styled, cells, cut_end, plain, wrap
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key, keys_as_shown
from ekstui.tui.styles import LOOKS
from ekstui.tui.widgets.rows import RowList

TWO_LINES = 24
"""Screen height from which the details take two lines."""

_THEME_STYLES = {name: look.content_style for name, look in LOOKS.items()}


def content(line: Styled) -> Content:
    """Return a line as Content, with the theme's styles."""
    return Content.assemble(*((text, _THEME_STYLES.get(style, "")) for text, style in line))


def fitted(line: Styled, width: int, height: int) -> Styled:
    """Return a line wrapped to some rows, with an ellipsis where it does not fit; as it is before the sizes are known."""
    if not (width > 0 and height > 0):
        return line
    lines = wrap(line, width)
    if len(lines) > height:
        lines[height - 1 :] = [cut_end((*lines[height - 1], (" ", ""), *lines[height]), width)]
    return tuple(piece for row in lines for piece in (*row, ("\n", "")))[:-1]


class HeaderBar(Static):
    """One line at the top of a screen."""

    DEFAULT_CSS = "HeaderBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    def show(self, line: Styled, end_line: Styled = ()) -> None:
        """Show a line, and another one right-aligned, which takes precedence if there is no room for both."""
        words = content(line)
        if end_line:
            end = content(end_line)
            room = max(self.size.width - end.cell_length - 1, 0)
            words = Content.assemble(words.truncate(room, ellipsis=True, pad=True), " ", end)
        height = self.styles.height
        self.update(words, layout=height is not None and height.is_auto)


class LineBar(Static):
    """The details of the row under the cursor, or the progress of a task."""

    DEFAULT_CSS = "LineBar { padding: 0 1; text-wrap: wrap; }"

    _line: Styled = ()

    def show(self, line: Styled) -> None:
        """Show a line, wrapped, with an ellipsis where it does not fit."""
        self._line = line
        self.update(content(fitted(line, *self.size)), layout=False)

    def on_resize(self) -> None:
        self.show(self._line)


class FooterBar(Static):
    """One line with the keys that work here; each can be clicked."""

    DEFAULT_CSS = "FooterBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    app = app(LibraryApp)

    _keys: Sequence[Key] = ()
    _shown: Sequence[tuple[Key, Styled]] = ()
    """Those that fit, with what is shown of them."""

    def show_keys(self, keys: Sequence[Key]) -> None:
        """Show keys with their labels; where these do not all fit, the last ones before the last two have none."""
        keys = self.app.usable(keys)
        if keys == self._keys:
            return
        self._keys = keys
        self._fit()

    def on_resize(self) -> None:
        if self._keys:
            self._fit()

    def _fit(self) -> None:
        *other_keys, find, help_ = self._keys
        self._shown = [(key, self._pieces(key, f" {key.label} ")) for key in self._keys]
        for labelled_count in reversed(range(len(other_keys))):
            if sum(cells(plain(words)) for _, words in self._shown) <= self.app.size.width:
                break
            self._shown = [
                *((key, self._pieces(key, f" {key.label} ")) for key in other_keys[:labelled_count]),
                *(
                    (key, self._pieces(key, " " if key is other_keys[-1] else ""))
                    for key in other_keys[labelled_count:]
                ),
                *((key, self._pieces(key, f" {key.label.partition(' ')[0]} ")) for key in (find, help_)),
            ]
        self.update(content(tuple(piece for _, words in self._shown for piece in words)), layout=False)

    def _pieces(self, key: Key, label: str) -> Styled:
        return ((" ", ""), (keys_as_shown(self.app.keys_of(key)).split(" ")[0], "key"), (label, ""))

    def show_words(self, text: str) -> None:
        """Show a text instead of keys."""
        self._keys = self._shown = ()
        self.update(content(((f" {text}", "muted"),)), layout=False)

    def on_click(self, event: Click) -> None:
        """Press the key that was clicked."""
        end = 0
        for key, words in self._shown:
            end += cells(plain(words))
            if event.x < end:
                self.app.simulate_key(self.app.keys_of(key).split(",")[0])
                return


class BarLine(Input):
    """An input whose cursor does not blink, since each blink is sent to the terminal."""

    DEFAULT_CSS = """
    BarLine, BarLine:focus { border: none; height: 1; padding: 0; background: $surface; }
    """

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, select_on_focus=False)
        self.cursor_blink = False

    def on_paste(self, event: Paste) -> None:
        """Insert the pasted text, cleaned."""
        event.prevent_default()
        event.stop()
        self.replace(self.pasted(event.text), *self.selection)

    def pasted(self, text: str) -> str:
        """Return what to insert of a pasted text: its first line."""
        return next(iter(clean(text.strip()).splitlines()), "")


class RowsLine(BarLine):
    """An input above the screen's rows; up, down and page keys move in the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "rows('move(1)')", show=False),
        Binding("up", "rows('move(-1)')", show=False),
        Binding("pagedown", "rows('page(1)')", show=False),
        Binding("pageup", "rows('page(-1)')", show=False),
    ]

    async def action_rows(self, action: str) -> None:
        """Move in the rows; the input keeps the focus."""
        await self.screen.query_one(RowList).run_action(action)


class FilterLine(BarLine):
    """The input of a filter or search, hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "leave", show=False),
        Binding("escape", "clear", show=False),
    ]

    def __init__(self, *, placeholder: str = "type to filter") -> None:
        super().__init__(placeholder=placeholder)
        self.display = False

    def open(self) -> None:
        """Show and focus the empty input at once, for keys typed ahead."""
        self.value = ""
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)

    def close(self) -> None:
        """Clear and hide the input."""
        self.value = ""
        self.display = False

    def action_leave(self) -> None:
        """Go back to the rows and keep the text; without one, hide the input."""
        if isinstance(self.parent, Widget):
            self.parent.query_one(RowList).focus()
        if not self.value.strip():
            self.close()

    def action_clear(self) -> None:
        """Clear the text and go back to the rows."""
        self.value = ""
        self.action_leave()
