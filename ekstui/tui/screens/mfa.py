"""Asks for an MFA code over whatever is on the screen."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from ekstui.present.styled import styled
from ekstui.tui.widgets.bars import HeaderBar
from ekstui.tui.widgets.line import Line


class MfaScreen(ModalScreen[str | None]):
    """Dismisses with the code, or with None; what is typed is not shown."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "close", priority=True)]
    DEFAULT_CSS = """
    MfaScreen { align: center middle; }
    MfaScreen > Vertical { width: 72; max-width: 96%; height: auto; border: round $accent; background: $surface; padding: 0 1; }
    MfaScreen HeaderBar { background: $surface; }
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def compose(self) -> ComposeResult:
        """Yield the device's name and the line for the code."""
        with Vertical() as box:
            box.border_title = Content("MFA code")
            box.border_subtitle = Content("enter sends it to AWS · esc closes")
            yield HeaderBar()
            line = Line(placeholder="six digits")
            line.password = True
            yield line

    def on_mount(self) -> None:
        """Let the user type."""
        self.query_one(HeaderBar).show(styled(self._device, "muted"))
        self.set_focus(self.query_one(Line), scroll_visible=False)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if code := event.value.strip():
            self.dismiss(code)
