"""The fourth pane: who carries the shown policy in the account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import on
from textual.getters import app
from textual.message import Message
from textual.reactive import reactive

from ekstui.errors import MfaNeededError
from ekstui.present.blocks import Column
from ekstui.present.rows import Row
from ekstui.present.styled import styled
from ekstui.tui.account import AccountView
from ekstui.tui.base import LibraryApp
from ekstui.tui.present.account import attached_note, attached_rows, shortened, stale_rows
from ekstui.tui.present.failure import failure
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.pane import Pane, rows_with
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from ekstui.library import AttachedAnswer

COLUMNS = (Column("Role", 12, share=3, middle=True), Column("Used by", 10, share=2), Column("Last used", 6, right=True))


class AttachmentsLoaded(Message):
    """Who carries a policy is known, by one snapshot of the account."""

    def __init__(self, arn: str, answer: AttachedAnswer) -> None:
        super().__init__()
        self.arn = arn
        self.answer = answer


class AttachedPane(Pane):
    """The roles, users and groups that carry the policy, with the part of EKS that uses them."""

    FILTER_HINT = "a part of a role, cluster or kind of use"

    app = app(LibraryApp)

    shown: reactive[Shown | None] = reactive(None)
    account: reactive[AccountView] = reactive(AccountView())

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(4, "Attached", COLUMNS, id="attached", classes=classes)
        self._answer: AttachedAnswer | None = None

    def watch_shown(self) -> None:
        """Look up who carries the policy."""
        self._answer = None
        self._look_up()

    def watch_account(self, before: AccountView, view: AccountView) -> None:
        """Look again when a new snapshot arrived; say so while AWS is asked or could not be."""
        identity = view.snapshot.identity if view.snapshot else None
        self.set_title(f"{shortened(identity.account)} {identity.profile or ''}".strip() if identity else "")
        if view.snapshot is not before.snapshot or self._answer is None:
            if view.snapshot is None:
                # Nothing of one account is shown under another.
                self._answer = None
            self._look_up()
        elif view.error is not before.error:
            self.show_rows()

    def on_resize(self) -> None:
        """Break the notes for the new width."""
        if self._answer is not None:
            self.show_rows()

    def _look_up(self) -> None:
        shown, view = self.shown, self.account
        if view.snapshot is None:
            self._say_why_not(view)
            return
        if shown is None:
            return
        library, policy = self.app.library, shown.entry.policy
        self.app.background.run(
            self, "attached", lambda job: AttachmentsLoaded(policy.arn, library.attached(policy, lambda: job.cancelled))
        )

    def _say_why_not(self, view: AccountView) -> None:
        self.set_note("")
        if view.error is not None:
            lines = failure(view.error)
            if isinstance(view.error, MfaNeededError):
                lines = (*lines, styled("r asks for the code.", "muted"))
            self.rows.show_message(*lines, styled("Everything else works without the account.", "muted"))
        elif view.asking:
            self.rows.show_message(styled(f"{view.asking} …", "muted"))
        else:
            self.rows.show_message(styled("No account was asked yet.", "muted"), styled("r asks AWS.", "muted"))

    def build_rows(self) -> list[Row]:
        """Return who carries the policy, or those whose row has every word of the filter."""
        if self._answer is None:
            return []
        rows = attached_rows(self._answer, datetime.now(UTC), self.rows.row_width)
        if self.account.error is not None:
            rows = stale_rows(self.account.error, self.rows.row_width) + rows
        return rows_with(self.words, (row for row in rows if row.selectable)) if self.words else rows

    @on(AttachmentsLoaded)
    def _loaded(self, message: AttachmentsLoaded) -> None:
        message.stop()
        snapshot = self.account.snapshot
        if snapshot is None or snapshot.identity.account != message.answer.identity.account:
            return
        if self.shown and message.arn == self.shown.entry.policy.arn:
            self._answer = message.answer
            self.set_note(attached_note(message.answer.attachments))
            self.show_rows()

    @on(RowList.Opened)
    def _open_role(self, event: RowList.Opened) -> None:
        event.stop()
        from ekstui.core.account import RoleAttachment
        from ekstui.tui.screens.role import RoleScreen

        if event.row and isinstance(event.row.value, RoleAttachment):
            role = event.row.value.role
            self.app.push_screen(RoleScreen(role.arn or role.name))
