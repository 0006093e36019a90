"""Asks for a file's name and writes text to it, never over an existing file without asking."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from ekstui.core.text import clean, clean_line
from ekstui.present.styled import styled
from ekstui.tui.widgets.bars import HeaderBar
from ekstui.tui.widgets.line import Line


class SaveScreen(ModalScreen[str | None]):
    """Dismisses with a sentence about the file that was written, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "close", priority=True)]
    DEFAULT_CSS = """
    SaveScreen { align: center middle; }
    SaveScreen > Vertical { width: 72; max-width: 96%; height: auto; border: round $accent; background: $surface; padding: 0 1; }
    SaveScreen HeaderBar { background: $surface; }
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._proposed = name
        self._text = text
        self._confirmed: Path | None = None

    def compose(self) -> ComposeResult:
        """Yield the line for the name, and one for what is wrong with it."""
        with Vertical() as box:
            box.border_title = Content("Write to a file")
            box.border_subtitle = Content("enter writes · esc closes")
            yield Line(self._proposed, placeholder="name of the file")
            yield HeaderBar()

    def on_mount(self) -> None:
        """Let the user change the name."""
        self.query_one(Line).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._confirmed = None
        self.query_one(HeaderBar).show(styled(""))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value.strip():
            return
        path = Path(event.value.strip()).expanduser()
        if path.exists() and self._confirmed != path:
            self._confirmed = path
            self.query_one(HeaderBar).show(
                styled(clean_line(f"{path} exists. Enter again writes over it; another name keeps it."), "warn")
            )
            return
        try:
            # "x" closes the gap between looking and writing.
            with path.open("w" if self._confirmed else "x", encoding="utf-8") as file:
                file.write(clean(self._text))
        except OSError as error:
            self.query_one(HeaderBar).show(styled(clean_line(f"{path}: {error.strerror or error}."), "bad"))
            return
        self.dismiss(f"Wrote {path}.")
