"""The line at the top, which says what the data rests on, and the line at the foot, which names the nearest keys."""

from collections.abc import Sequence

from textual.content import Content
from textual.getters import app
from textual.widgets import Static

from ekstui.present.styled import Styled, Tone
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key, spelled

_THEME_STYLES: dict[Tone, str] = {
    "muted": "$text-muted", "strong": "bold", "accent": "$text-accent", "good": "$text-success", "bad": "$text-error",
    "warn": "$text-warning", "added": "$text-success", "removed": "$text-error", "hit": "reverse",
}  # fmt: skip


def content(line: Styled) -> Content:
    """Return a line as Textual's Content; tones become styles of the theme."""
    return Content.assemble(*((text, _THEME_STYLES.get(tone, "")) for text, tone in line))


class HeaderBar(Static):
    """One line that says how much is shown, until when it is known, and whose account it is."""

    DEFAULT_CSS = "HeaderBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    def show(self, line: Styled) -> None:
        """Show this line."""
        self.update(content(line))


class FooterBar(Static):
    """One line with the keys that matter here."""

    DEFAULT_CSS = "FooterBar { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }"

    app = app(LibraryApp)

    def show_keys(self, keys: Sequence[Key]) -> None:
        """Show these keys with their labels."""
        parts: list[tuple[str, Tone]] = []
        for key in keys:
            parts += [(" " + spelled(self.app.keys_of(key)).split(" ")[0], "accent"), (f" {key.label} ", "")]
        self.update(content(tuple(parts)))

    def show_words(self, text: str) -> None:
        """Show words in place of the keys."""
        self.update(content(((f" {text}", "muted"),)))
