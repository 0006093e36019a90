"""A small app that does to a terminal what apps do: lists, tabs, tables, modals, toasts, themes, wide characters.

`python -m tests.tui.driver.demo`; EKSTUI_DRIVER=plain runs it on Textual's own driver.
"""

import os
import sys
import time
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Header, Input, OptionList, Static, TabbedContent, TabPane

from ekstui.tui.driver import driver_class, repaint
from ekstui.tui.driver.terminal import TerminalDriver

WORDS = ("plain", "ärger", "Ωmega", "漢字の表", "한국어", "e\u0301te\u0301", "a\u0308\u0323x", "│─┐", "█▌▏", "日a本b語")


def _words(count: int, start: int) -> str:
    return " ".join(WORDS[(start * 7 + step * 3) % len(WORDS)] for step in range(count))


READY = "the picture is whole"
"""What stands in the title then."""


class Dialog(ModalScreen[None]):
    """A dialog over whatever there is, its borders cutting wide characters in half."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical { width: 41; height: 9; border: thick $accent; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,m", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(_words(20, 3))


class Demo(App[None]):
    """The app."""

    CSS = """
    #left { width: 2fr; } #right { width: 3fr; }
    #bold { text-style: bold italic underline; color: $warning; } #reverse { text-style: reverse strike; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("m", "dialog", "Dialog"),
        Binding("t", "toast", "Toast"),
        Binding("c", "next_theme", "Theme"),
        Binding("ctrl+l", "repaint", "Repaint", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True),
        Binding("S", "stick", "Stick", show=False),
        Binding("W", "work", "Work", show=False),
        Binding("L", "hold_writer", "Late", show=False),
        Binding("I", "inject", "Inject", show=False),
        Binding("O", "outside", "Outside", show=False),
        Binding("full_stop", "say", "Say", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(driver_class=driver_class())
        # Pictures are compared, and an underline that still moves would make the first one another than the next.
        self.animation_level = "none"
        self.toasts = self.sentences = 0

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal():
            with Vertical(id="left"):
                yield Input(placeholder="filter")
                yield OptionList(*[f"{number:4} {_words(4, number)}" for number in range(300)])
            with Vertical(id="right"), TabbedContent():
                with TabPane("Table"):
                    yield DataTable()
                with TabPane("漢字"):
                    yield Static(_words(60, 1), id="bold")
                    yield Static(_words(30, 2), id="reverse")
        yield Footer()

    def on_mount(self) -> None:
        self.title = "Demo"
        self.query_one(Input).cursor_blink = False
        table = self.query_one(DataTable)
        table.add_columns("name", "words", "number")
        for number in range(100):
            table.add_row(f"row {number}", _words(3, number), str(number * number))
        self.query_one(OptionList).focus()

    def on_ready(self) -> None:
        """Say behind the first picture, among the frames, that it is whole: by a title, which moves nothing."""
        self.call_after_refresh(self.call_after_refresh, self._say_ready)

    def _say_ready(self) -> None:
        assert self._driver is not None
        self._driver.write(f"\x1b]2;{READY}\x07")

    def action_dialog(self) -> None:
        self.push_screen(Dialog())

    def action_toast(self) -> None:
        self.toasts += 1
        self.notify(f"{self.toasts} {_words(4, self.toasts)}", timeout=3600)

    def action_next_theme(self) -> None:
        themes = ("textual-dark", "textual-light", "nord", "gruvbox", "ansi-dark", "ansi-light")
        self.theme = themes[(themes.index(self.theme) + 1) % len(themes)] if self.theme in themes else themes[0]

    def action_repaint(self) -> None:
        repaint(self)

    def action_say(self) -> None:
        self.sentences += 1
        self.sub_title = f"said {self.sentences}"

    def action_stick(self) -> None:
        self._say_at_once("stuck")
        while True:
            # A signal that comes between the word and the sleep is handled after it.
            time.sleep(10)

    def action_outside(self) -> None:
        with self.suspend():
            print("outside", flush=True)

    @work(thread=True)
    def action_work(self) -> None:
        self._say_at_once("works")
        time.sleep(3600)

    def action_hold_writer(self) -> None:
        """Give the writer no more turns, as a busy machine may do for some time."""
        assert isinstance(self._driver, TerminalDriver)
        self._driver._output._write_through = lambda data: time.sleep(3600)  # type: ignore[method-assign]
        self._say_at_once("held")

    def _say_at_once(self, word: str) -> None:
        # Past the loop, which paints no more when it is stuck: a title, which moves nothing on the screen.
        os.write(2, f"\x1b]2;{word}\x07".encode())

    def action_inject(self) -> None:
        hostile = "<\x1b]2;TITLE\x1b\\\x1b[6n\x9b31m\x9d0;C1\x9c\x07\x08\x0e\x7f\r\t\x1bc\u202e\x1b[2J>"
        self.query_one(OptionList).add_option(hostile)
        self.query_one(DataTable).add_row(hostile, hostile, hostile)
        self.query_one(Input).border_title = hostile
        self.query_one("#left").border_title = hostile
        self.sub_title = hostile
        self.notify(hostile, title=hostile, timeout=3600, markup=False)
        self.query_one(OptionList).highlighted = 300


if __name__ == "__main__":
    app = Demo()
    app.run()
    sys.exit(app.return_code or 0)
