"""The fourth pane: who carries the shown policy in the account."""

from textual import on
from textual.reactive import reactive

from ekstui.tui.shown import Shown
from ekstui.tui.styled import styled
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.rows import Column, Row, RowList

COLUMNS = (Column("Role", 12, share=3, middle=True), Column("Used by", 10, share=2), Column("Last used", 8))


class AttachedPane(Pane):
    """The roles, users and groups that carry the policy, with the part of EKS that uses them."""

    FILTER_HINT = "a part of a role, cluster or kind of use"

    shown: reactive[Shown | None] = reactive(None)

    def __init__(self) -> None:
        super().__init__(4, "Attached", COLUMNS, id="attached")

    def watch_shown(self) -> None:
        """Show what the last snapshot of the account says about the policy."""
        self.rows.show_message(styled("No account was asked yet.", "muted"), styled("r asks AWS.", "muted"))

    def build_rows(self) -> list[Row]:
        """Return no rows yet."""
        return []

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
