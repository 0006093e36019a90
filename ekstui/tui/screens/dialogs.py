"""The dialogs: choose one thing, save a file, enter an MFA code, make a small terminal larger."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Generic, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key as KeyPress
from textual.events import Resize
from textual.geometry import Size
from textual.getters import app, query_one
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from ekstui.files import write_user_file
from ekstui.iam.text import clean, clean_line
from ekstui.present.styled import Column, Row, Style, Styled, styled
from ekstui.tui import keys
from ekstui.tui.base import MIN_SIZE, LibraryApp, is_too_small
from ekstui.tui.keys import Key, keys_as_shown
from ekstui.tui.widgets.bars import BarLine, HeaderBar, RowsLine
from ekstui.tui.widgets.pane import no_match, rows_with
from ekstui.tui.widgets.rows import RowList

_Result = TypeVar("_Result")

_COLUMNS = (Column("", 20), Column("", 10, share=1))


class Dialog(ModalScreen[_Result | None], Generic[_Result]):
    """A box over the screen; escape dismisses it with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "close", priority=True)]
    app = app(LibraryApp)

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog > Vertical { width: 72; max-width: 96%; height: auto; border: round $accent; background: $background; padding: 0 1; }
    Dialog HeaderBar, Dialog BarLine, Dialog BarLine:focus { background: $background; }
    """


def box(title: str, hint: str, *widgets: Widget) -> Vertical:
    """Return a dialog's box with its title, and the keys that work in its bottom border."""
    dialog = Vertical(*widgets)
    dialog.border_title, dialog.border_subtitle = Content(title), Content(hint)
    return dialog


class ListDialog(Dialog[_Result]):
    """A line above rows that stand for what can be chosen."""

    rows = query_one(RowList)
    line = query_one(RowsLine)

    @on(Input.Submitted)
    @on(RowList.Opened)
    def choose(self, event: Message) -> None:
        """Choose the row under the cursor."""
        event.stop()
        self.choose_current()

    def choose_current(self) -> None:
        """Dismiss with what the row under the cursor stands for, if it stands for something."""
        if (row := self.rows.current) is not None:
            self.dismiss(cast("_Result", row.value))


class KeysLine(RowsLine):
    """An input in which keys work, rather than being typed, while it is empty."""

    app = app(LibraryApp)

    def __init__(self, keys: Iterable[Key], press: Callable[[Key], Awaitable[None]], *, placeholder: str) -> None:
        super().__init__(placeholder=placeholder)
        self.keys = keys
        self._press = press

    async def on_key(self, event: KeyPress) -> None:
        """Press the key, unless the user has begun to type."""
        key = None if self.value else self.app.pressed(event, self.keys)
        if key is not None:
            event.prevent_default()
            event.stop()
            await self._press(key)


_LIST_KEYS = (keys.DOWN, keys.UP, keys.FIRST, keys.LAST, keys.FILTER, keys.LEAVE)
_HOW_TO_FILTER = "type to filter; / first for j, k, g, q"


class ChooserScreen(ListDialog[_Result]):
    """A list to choose from; typing filters it."""

    DEFAULT_CSS = """
    ChooserScreen > Vertical { width: 76; max-height: 80%; padding: 0; }
    ChooserScreen.-wide > Vertical { width: 110; }
    ChooserScreen RowList { height: auto; }
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[tuple[Sequence[Styled], _Result]],
        columns: Sequence[Column] = _COLUMNS,
        opening_key: Key | None = None,
    ) -> None:
        """`opening_key` is the key that opened the list; pressed once more, it chooses the row under the cursor."""
        super().__init__()
        self.opening_key = opening_key
        self._title = title
        self.choices = choices
        self._columns = columns
        self.set_class(len(columns) > len(_COLUMNS), "-wide")

    def compose(self) -> ComposeResult:
        choose = f"enter or {keys_as_shown(self.app.keys_of(self.opening_key))}" if self.opening_key else "enter"
        rows = RowList(self._columns, header=any(column.title for column in self._columns))
        line = KeysLine((*_LIST_KEYS, *filter(None, [self.opening_key])), self._press, placeholder=_HOW_TO_FILTER)
        yield box(self._title, f"{choose} chooses · esc closes", line, rows)

    def on_mount(self) -> None:
        self.set_focus(self.line, scroll_visible=False)
        self.rows.styles.height = len(self.choices) + any(column.title for column in self._columns)
        self._show("")

    async def _press(self, key: Key) -> None:
        if key.id == keys.FILTER.id:
            self.query_one(KeysLine).keys = ()
        elif key.id == keys.LEAVE.id:
            self.dismiss(None)
        elif key is self.opening_key:
            self.choose_current()
        else:
            await self.line.action_rows(key.action)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    def set_choices(self, choices: Sequence[tuple[Sequence[Styled], _Result]]) -> None:
        """Replace the choices; the cursor stays on its row."""
        self.choices = choices
        cursor = self.rows.current
        self._show(self.line.value)
        if cursor is not None:
            self.rows.move_to(cursor.key)

    def _show(self, text: str) -> None:
        words = text.casefold().split()
        rows = rows_with(words, (Row(index, tuple(cells), value) for index, (cells, value) in enumerate(self.choices)))
        if rows:
            self.rows.set_rows(rows, cursor=rows[0].key)
        else:
            self.rows.show_message(no_match(text, "")[0])


def choice_cells(label: str, about: str) -> tuple[Styled, Styled]:
    """Return the cells of a choice: its label and a description."""
    return styled(clean_line(label)), styled(clean_line(about), "muted")


class SaveScreen(Dialog[str]):
    """Writes a text to a file and dismisses with a sentence that says where."""

    def __init__(self, name: str, text: str, *, private: bool = True) -> None:
        super().__init__()
        self._private = private
        """Whether only the user may read the file, since it may name resources of the account."""
        self._proposed = name
        self._text = text
        self._confirmed: Path | None = None

    def compose(self) -> ComposeResult:
        line = BarLine(self._proposed, placeholder="name of the file")
        yield box("Save to a file", "enter saves · esc closes", line, HeaderBar())

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
                self._say(f"{path} exists. Press enter again to overwrite it, or change the name.", "warn")
                return
            write_user_file(path, clean(self._text).encode(), over=self._confirmed is not None, private=self._private)
        except (OSError, RuntimeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self._say(f"{event.value.strip()}: {reason}.", "bad")
            return
        self.dismiss(f"Wrote {path}.")

    def _say(self, sentence: str, style: Style) -> None:
        self.query_one(HeaderBar).show(styled(clean_line(sentence), style))


class MfaScreen(Dialog[str]):
    """Asks for an MFA code and dismisses with it; the code is not shown."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def compose(self) -> ComposeResult:
        line = BarLine(placeholder="six digits")
        line.password = True
        yield box("MFA code", "enter sends it to AWS · esc closes", HeaderBar(), line)

    def on_mount(self) -> None:
        self.query_one(HeaderBar).show(styled(self._device, "muted"))
        self.set_focus(self.query_one(BarLine), scroll_visible=False)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if code := event.value.strip():
            self.dismiss(code)


class TooSmallScreen(ModalScreen[None]):
    """Covers the app while the terminal is too small; it closes by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys.LEAVE.keys, "app.quit", id=keys.LEAVE.id),
        Binding(keys.QUIT.keys, "app.quit", id=keys.QUIT.id),
    ]
    # In two columns, a scrollbar would come and go for ever.
    # When the app starts too small, the default colours are not known yet.
    DEFAULT_CSS = """
    TooSmallScreen { align: center middle; background: $background; overflow: hidden; }
    TooSmallScreen Static { color: $foreground; width: auto; max-width: 100%; height: auto; text-align: center; }
    """

    app = app(LibraryApp)

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def on_resize(self, event: Resize) -> None:
        """Show the new size, or close."""
        self._fit(event.size)

    def on_screen_resume(self) -> None:
        """Show the size, or close if the terminal grew while another screen was on top."""
        self._fit(self.size or self.app.size)

    def _fit(self, size: Size) -> None:
        if is_too_small(size):
            self.query_one(Static).update(
                f"ekstui needs {MIN_SIZE.width} columns and {MIN_SIZE.height} lines.\nThis terminal has {size.width} "
                f"and {size.height}.\n{keys_as_shown(self.app.keys_of(keys.LEAVE))} quits."
            )
        elif self.is_current:
            self.dismiss()
