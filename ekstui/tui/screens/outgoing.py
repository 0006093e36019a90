"""Copying and exporting from any screen: choose what, then where it goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from textual.screen import Screen

from ekstui import paths
from ekstui.core.text import clean, clean_line
from ekstui.errors import EkstuiError
from ekstui.tui.clipboard import send_to_terminal
from ekstui.tui.copying import Copyable
from ekstui.tui.screens.chooser import ChooserScreen, labelled
from ekstui.tui.screens.save import SaveScreen


@dataclass(frozen=True, slots=True)
class Export:
    """One form in which what is shown can be written to a file."""

    label: str
    file_name: str
    content: Copyable


def offer_copies(screen: Screen[Any], copies: Sequence[Copyable]) -> None:
    """Let the user choose what to send to the terminal's clipboard."""

    def send(chosen: Copyable | None) -> None:
        if chosen is not None:
            _report(screen, lambda: send_to_terminal(screen.app, chosen.text()))

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
            screen.app.push_screen(SaveScreen(chosen.file_name, chosen.content.text()), said)

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
        screen.notify(clean_line(str(error)), severity="error", markup=False)
    else:
        if sentence:
            screen.notify(sentence, markup=False)
