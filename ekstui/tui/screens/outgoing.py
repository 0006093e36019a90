"""Copying and exporting from any screen: choose what, then where it goes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from ekstui import paths
from ekstui.core.text import clean, clean_line
from ekstui.errors import EkstuiError
from ekstui.files import write_named
from ekstui.present.styled import Style, styled
from ekstui.tui.copying import Copyable, Export
from ekstui.tui.screens.chooser import ChooserScreen, labelled
from ekstui.tui.widgets.bars import HeaderBar
from ekstui.tui.widgets.line import Line
from ekstui.tui.widgets.pane import plain_failure

TMUX_PATIENCE = 2.0
"""Seconds that tmux is given to take the text."""


def send_to_terminal(app: App[None], text: str) -> str:
    """Send text to the terminal's clipboard and return what was done, in a sentence."""
    safe = clean(text)
    app.copy_to_clipboard(safe)
    size = f"{len(safe):,} character{'' if len(safe) == 1 else 's'}"
    if paths.is_served():
        return f"Sent {size} to the browser. If it does not take them, e saves a file."
    if os.environ.get("TMUX") and shutil.which("tmux") and _load_tmux_buffer(safe):
        return f"Sent {size} to the terminal and to tmux's buffer."
    return f"Sent {size} to the terminal. If it does not take them, e writes a file."


def _load_tmux_buffer(text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],  # noqa: S607
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TMUX_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class SaveScreen(ModalScreen[str | None]):
    """Dismisses with a sentence about the file that was written, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "close", priority=True)]
    DEFAULT_CSS = """
    SaveScreen { align: center middle; }
    SaveScreen > Vertical { width: 72; max-width: 96%; height: auto; border: round $accent; background: $surface; padding: 0 1; }
    SaveScreen HeaderBar { background: $surface; }
    """

    def __init__(self, name: str, text: str, *, private: bool = True) -> None:
        super().__init__()
        self._private = private
        """Whether only the user may read the file: it may tell of an account."""
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
        try:
            path = Path(event.value.strip()).expanduser()
            if path.exists() and self._confirmed != path:
                self._confirmed = path
                self._say(f"{path} exists. Enter again writes over it; another name keeps it.", "warn")
                return
            write_named(path, clean(self._text).encode(), over=self._confirmed is not None, private=self._private)
        except (OSError, RuntimeError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            self._say(f"{event.value.strip()}: {why}.", "bad")
            return
        self.dismiss(f"Wrote {path}.")

    def _say(self, sentence: str, style: Style) -> None:
        self.query_one(HeaderBar).show(styled(clean_line(sentence), style))


def offer_copies(screen: Screen[Any], copies: Sequence[Copyable]) -> None:
    """Let the user choose what to send to the terminal's clipboard."""

    def send(chosen: Copyable | None) -> None:
        if chosen is not None:
            _report(screen, lambda: send_to_terminal(screen.app, chosen.text()))

    if len(copies) == 1:
        send(copies[0])
        return
    screen.app.push_screen(ChooserScreen("Copy", [(labelled(copy.label, copy.about), copy) for copy in copies]), send)


def offer_exports(screen: Screen[Any], exports: Sequence[Export]) -> None:
    """Let the user choose a form, then a file."""

    def save(chosen: Export | None) -> None:
        if chosen is None:
            return

        def write() -> None:
            if paths.is_served():
                file = StringIO(clean(chosen.content.text()))
                screen.app.deliver_text(file, save_filename=chosen.file_name, open_method="download")
                return
            screen.app.push_screen(SaveScreen(chosen.file_name, chosen.content.text(), private=chosen.private), said)

        _report(screen, write)

    def said(sentence: str | None) -> None:
        if sentence:
            screen.notify(clean_line(sentence), markup=False)

    screen.app.push_screen(
        ChooserScreen("Export", [(labelled(export.label, export.file_name), export) for export in exports]), save
    )


def _report(screen: Screen[Any], act: Callable[[], str | None]) -> None:
    try:
        sentence = act()
    except EkstuiError as error:
        screen.notify(plain_failure(error), severity="error", markup=False)
    else:
        if sentence:
            screen.notify(sentence, markup=False)
