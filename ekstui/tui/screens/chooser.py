"""A small list to choose one thing from, over whatever is on the screen."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from ekstui.core.text import clean_line
from ekstui.present.blocks import Column
from ekstui.present.rows import Row
from ekstui.present.styled import styled
from ekstui.tui.widgets.rows import RowList

Choice = TypeVar("Choice")


class ChooserScreen(ModalScreen[Choice | None], Generic[Choice]):
    """Dismisses with the value that was chosen, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "close")]
    DEFAULT_CSS = """
    ChooserScreen { align: center middle; }
    ChooserScreen > Vertical { width: 72; max-width: 96%; height: auto; max-height: 80%; border: round $accent; background: $surface; }
    ChooserScreen RowList { height: auto; }
    """

    def __init__(self, title: str, choices: Sequence[tuple[str, str, Choice]]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Yield the choices: a label each, and what it is."""
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content("enter chooses · esc closes")
            yield RowList((Column("", 20), Column("", 10, share=1)))

    def on_mount(self) -> None:
        """Fill the list; it is as high as it is long."""
        rows = self.query_one(RowList)
        rows.styles.height = len(self._choices)
        rows.set_rows(
            [
                Row(index, (styled(clean_line(label)), styled(clean_line(about), "muted")), index)
                for index, (label, about, _) in enumerate(self._choices)
            ]
        )
        rows.focus()

    @on(RowList.Opened)
    def _chosen(self, event: RowList.Opened) -> None:
        event.stop()
        if event.row:
            self.dismiss(self._choices[cast("int", event.row.value)][2])
