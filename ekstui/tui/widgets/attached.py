"""The fourth pane: who carries the shown policy in the account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import on
from textual.getters import app
from textual.message import Message
from textual.reactive import reactive

from ekstui.core.text import clean_line
from ekstui.errors import MfaNeededError
from ekstui.present.styled import Column, Row, Styled, plain, styled
from ekstui.tui import keys
from ekstui.tui.account import AccountView
from ekstui.tui.background import Job
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key
from ekstui.tui.present.account import attached_note, attached_rows, attachment_line, stale_rows
from ekstui.tui.present.failure import failure
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.pane import Pane, rows_with
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from ekstui.library import AttachedAnswer

COLUMNS = (Column("", 12, share=3, middle=True), Column("", 10, share=2), Column("", 6, right=True))


def columns_of(rows: Sequence[Row], width: int) -> tuple[Column, ...]:
    """Return the columns as wide as the names and uses need; of both the name matters more."""
    _, used, last = COLUMNS
    names, uses = ([len(plain(row.cells[at])) for row in rows if len(row.cells) == 3] for at in (0, 1))
    room = max(width - last.width - 2, 2 * used.width)
    name = min(max(names, default=12), room - min(max(uses, default=used.width), used.width + room // 4))
    return (Column("", name, middle=True), Column("", used.width, share=1), last)


class AttachmentsLoaded(Message):
    """Who carries a policy is known, by one snapshot of the account."""

    def __init__(self, arn: str, answer: AttachedAnswer) -> None:
        super().__init__()
        self.arn = arn
        self.answer = answer


class AttachedPane(Pane):
    """The roles, users and groups that carry the policy, with the part of EKS that uses them."""

    FILTER_HINT = "a part of a role, cluster or kind of use"
    NOTEWORTHY = "role"
    FOOTER = (
        keys.OPEN, keys.FILTER, keys.COPY, keys.NOTES, keys.RENEW, keys.ACCOUNT, keys.CLUSTERS, keys.WHO_CAN, keys.FIND,
        keys.HELP,
    )  # fmt: skip

    app = app(LibraryApp)

    shown: reactive[Shown | None] = reactive(None)
    account: reactive[AccountView] = reactive(AccountView())

    def __init__(self) -> None:
        super().__init__(4, "Attached", COLUMNS, id="attached")
        self._answer: AttachedAnswer | None = None

    def watch_shown(self) -> None:
        """Look up who carries the policy."""
        self._answer = None
        self._look_up()

    def watch_account(self, before: AccountView, view: AccountView) -> None:
        """Look again when a new snapshot arrived; say so while AWS is asked or could not be."""
        identity = view.snapshot.identity if view.snapshot else None
        self.set_title(clean_line(identity.profile or identity.account) if identity else "", "last used")
        if view.snapshot is not before.snapshot or self._answer is None:
            if view.snapshot is None:
                # Nothing of one account is shown under another.
                self._answer = None
            self._look_up()
        elif view.error is not before.error:
            self.show_rows()

    def on_resize(self) -> None:
        """Break the notes for the new width."""
        super().on_resize()
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

        def look_up(job: Job) -> AttachmentsLoaded:
            from ekstui.library.attachments import attached  # 40 ms with AWS's side, which no paint waits for

            return AttachmentsLoaded(policy.arn, attached(library, policy, lambda: job.cancelled))

        self.app.background.run(self, "attached", look_up)

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
            self.rows.show_message(
                styled("No account was asked yet.", "muted"), styled("r asks AWS; a lists the profiles.", "muted")
            )

    def build_rows(self) -> list[Row]:
        """Return who carries the policy, or those whose row has every word of the filter."""
        if self._answer is None:
            return []
        width = self.rows.row_width
        rows = attached_rows(self._answer, datetime.now(UTC), width)
        self.rows.set_columns(columns_of(rows, width))
        if self.account.error is not None:
            rows = stale_rows(self.account.error, width) + rows
        return rows_with(self.words, (row for row in rows if row.selectable)) if self.words else rows

    def about_row(self, row: Row) -> Styled:
        """Return a role's ARN and all that uses it, or a user or group."""
        return attachment_line(row.value) or super().about_row(row)

    def footer_keys(self, row: Row | None, *, marks: int) -> Sequence[Key]:
        """Return the keys that do something, also where there is no role."""
        if row is not None:
            return super().footer_keys(row, marks=marks)
        return (keys.RENEW, keys.ACCOUNT, keys.CLUSTERS, keys.FIND, keys.HELP)

    @on(AttachmentsLoaded)
    def _loaded(self, message: AttachmentsLoaded) -> None:
        message.stop()
        snapshot = self.account.snapshot
        if snapshot is None or snapshot.identity.account != message.answer.identity.account:
            return
        if self.shown and message.arn == self.shown.entry.policy.arn:
            self._answer = message.answer
            unseen = len(message.answer.attachments.not_looked_at)
            more = f" · {unseen} not looked at: i" if unseen else ""
            self.set_note(attached_note(message.answer.attachments) + more)
            self.show_rows()

    @on(RowList.Opened)
    def _open_role(self, event: RowList.Opened) -> None:
        event.stop()
        from ekstui.core.account import RoleAttachment
        from ekstui.tui.screens.role import RoleScreen

        if event.row and isinstance(event.row.value, RoleAttachment):
            role = event.row.value.role
            self.app.push_screen(RoleScreen(role.arn or role.name))
