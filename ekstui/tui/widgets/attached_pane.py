"""The fourth pane: which roles, users and groups of the account have a policy attached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import on
from textual.reactive import reactive

from ekstui.eks.use_words import use_in_words
from ekstui.errors import MfaNeededError
from ekstui.iam.text import clean_line, counted
from ekstui.library.notation import RoleSide
from ekstui.present.access import principals_in_clusters_blocks
from ekstui.present.rendering import rows
from ekstui.present.styled import Row, Styled, styled
from ekstui.tui import keys
from ekstui.tui.background import Job
from ekstui.tui.messages import AccountView, Open, ShowComparison
from ekstui.tui.widgets.pane import Pane, failure, rows_with, stale_rows
from ekstui.tui.widgets.rows import WHOLE_WIDTH, RowList

if TYPE_CHECKING:
    from ekstui.library.attachments import AttachedAnswer
    from ekstui.library.cluster_access import PrincipalsInClusters


class AttachedPane(Pane):
    """The roles, users and groups that have the policy attached, and what of EKS uses the roles."""

    NUMBER, TITLE = 4, "Attached"
    FILTER_HINT = "part of a role, cluster or kind of use"
    STOP = "role"
    FOOTER = (
        keys.OPEN, keys.COMPARE.here("", "compare with it"), keys.FILTER, keys.COPY, keys.RENEW, keys.ACCOUNT,
        keys.CLUSTERS, keys.WHO_CAN, keys.FIND,
        keys.HELP,
    )  # fmt: skip

    account: reactive[AccountView] = reactive(AccountView())

    def __init__(self) -> None:
        super().__init__(WHOLE_WIDTH)
        self.answer: AttachedAnswer | None = None
        """Who has the shown policy attached; None until that is known."""
        self._entries: PrincipalsInClusters | None = None
        """The access entries that have the shown access policy."""

    def watch_policy_view(self) -> None:
        """Look up who has the policy attached."""
        self.answer = self._entries = None
        self._look_up()

    def watch_account(self, before: AccountView, view: AccountView) -> None:
        """Look up again for a new snapshot; show when a refresh is running or has failed."""
        identity = view.snapshot.identity if view.snapshot else None
        self.set_title(clean_line(identity.profile or identity.account) if identity else "", "last used")
        if view.snapshot is not before.snapshot or self.answer is None:
            if view.snapshot is None:
                # Never show one account's roles under another.
                self.answer = self._entries = None
            self._look_up()
        elif view.error is not before.error:
            self.show_rows()

    def on_resize(self) -> None:
        super().on_resize()
        if self.answer is not None or self._entries is not None:
            self.show_rows()

    def _look_up(self) -> None:
        policy_view, view = self.policy_view, self.account
        self.app.background.cancel("attached")
        if view.snapshot is None:
            self._show_why_not(view)
            return
        if policy_view is None:
            if self.rows.rows:
                self.set_note("")
                self.rows.set_rows(())
            return
        library, policy = self.app.library, policy_view.entry.policy

        # The imports take 40 ms, off the app's thread.
        def look_up_entries(_: Job) -> PrincipalsInClusters:
            from ekstui.library.cluster_access import principals_in_clusters

            return principals_in_clusters(library, {policy.name}, ask=False)

        def look_up(job: Job) -> AttachedAnswer:
            from ekstui.library.attachments import attached

            return attached(library, policy, job.is_cancelled)

        if policy_view.entry.access:
            # In the same group, so that a slow answer about another policy does not replace it.
            self.app.background.run(self, "attached", look_up_entries, self._show_entries)
        else:
            self.app.background.run(self, "attached", look_up, self._show_attached)

    def _show_why_not(self, view: AccountView) -> None:
        self.set_note("")
        if view.error is not None:
            lines = failure(view.error)
            if isinstance(view.error, MfaNeededError):
                lines = (*lines, styled("r asks for the code.", "muted"))
            self.rows.show_message(*lines, styled("Everything else works without the account.", "muted"))
        elif view.asking:
            self.rows.show_message(styled(f"{view.asking} …", "muted"))
        else:
            self.rows.show_message(styled("No account was read yet; a lists the profiles.", "muted"))

    def build_rows(self) -> list[Row]:
        width = self.rows.row_width
        if self._entries is not None:
            self.rows.set_columns(WHOLE_WIDTH)
            return rows_with(self.words, rows(principals_in_clusters_blocks(self._entries), width))
        if self.answer is None:
            return []
        from ekstui.present.attachment_report import attached_rows, pane_columns

        built = attached_rows(self.answer, datetime.now(UTC), width)
        self.rows.set_columns(pane_columns(built, width))
        if self.account.error is not None:
            built = stale_rows(self.account.error, width) + built
        return rows_with(self.words, (row for row in built if row.selectable)) if self.words else built

    def about_row(self, row: Row) -> Styled:
        """Return a role's ARN, how it has the policy and all its uses; or a user or group."""
        from ekstui.eks.account_snapshot import RoleAttachment

        entry = row.value
        if not isinstance(entry, RoleAttachment):
            return super().about_row(row)
        uses = clean_line("; ".join(map(use_in_words, entry.used_by))) or "no use was found"
        boundary = "  as its boundary" if "boundary" in entry.attached_as else ""
        copies = "" if entry.attached_as else f"  {clean_line('; '.join(entry.remarks))}"
        return (
            (clean_line(entry.role.arn or entry.role.name), "strong"),
            (boundary or copies, "warn"),
            (f"  {uses}", ""),
        )

    def footer_keys(self, row: Row | None, *, marks: int) -> Sequence[keys.Key]:
        """Return the keys that work, with or without a row."""
        if row is not None:
            return super().footer_keys(row, marks=marks)
        return (keys.RENEW, keys.ACCOUNT, keys.CLUSTERS, keys.FIND, keys.HELP)

    def _show_attached(self, answer: AttachedAnswer) -> None:
        from ekstui.present.attachment_report import pane_note

        snapshot = self.account.snapshot
        if snapshot is None or snapshot.identity.account != answer.identity.account:
            return
        self.answer = answer
        self.set_note(pane_note(answer))
        self.show_rows()

    def _show_entries(self, answer: PrincipalsInClusters) -> None:
        self._entries = answer
        self.set_note(counted(len(answer.principals), "access entry", "access entries"))
        self.show_rows()

    @on(RowList.Opened)
    def _open_role(self, event: RowList.Opened) -> None:
        event.stop()
        from ekstui.eks.account_snapshot import RoleAttachment
        from ekstui.library.cluster_access import PrincipalInCluster

        value = event.row.value
        if isinstance(value, PrincipalInCluster) and ":role/" in value.principal:
            self.post_message(Open(RoleSide(value.principal)))
        if isinstance(value, RoleAttachment):
            role = value.role
            if self.policy_view and self.policy_view.entry.policy.home:
                # For a controller's policy, the question is what the role lacks.
                self.post_message(ShowComparison(RoleSide(role.name), self.policy_view.place))
                return
            self.post_message(Open(RoleSide(role.arn or role.name)))
