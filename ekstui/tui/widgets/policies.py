"""The first pane: the policies of the scope."""

from collections.abc import Sequence

from textual import on
from textual.reactive import reactive

from ekstui.core.account import in_partition
from ekstui.core.where import PolicyAt
from ekstui.library import PolicyEntry
from ekstui.tui.account import AccountView
from ekstui.tui.messages import PolicyHighlighted
from ekstui.tui.present.policies import policy_row
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.rows import Column, Row, RowList

MARK = Column("", 1)
NAME = Column("Policy", 8, share=1, middle=True)
CARRIERS = Column("", 3, right=True)
VERSION = Column("", 4, right=True)


class PoliciesPane(Pane):
    """The policy list; it says which policy the cursor is on."""

    FILTER_HINT = "a part of a name or of what a policy is for"

    marks: reactive[tuple[PolicyAt, ...]] = reactive((), init=False)
    account: reactive[AccountView] = reactive(AccountView(), init=False)
    changed: reactive[frozenset[str]] = reactive(frozenset[str](), init=False)
    """The ARNs of the policies that changed since the user last looked at them."""

    def __init__(self) -> None:
        super().__init__(1, "Policies", (MARK, NAME, VERSION), id="policies")
        self._entries: Sequence[PolicyEntry] = ()

    def set_entries(self, entries: Sequence[PolicyEntry], *, cursor: str | None = None) -> None:
        """Show these policies; the cursor goes to the ARN `cursor`, if given."""
        self._entries = entries
        self.rows.set_rows(self.build_rows(), cursor=cursor)

    @property
    def count(self) -> int:
        """How many policies the scope has."""
        return len(self._entries)

    def watch_marks(self) -> None:
        """Show the marks."""
        self.show_rows()

    def watch_changed(self) -> None:
        """Show which policies changed."""
        self.show_rows()

    def build_rows(self) -> list[Row]:
        """Return a row for each policy whose name or purpose has every word of the filter."""
        words = self._filter.casefold().split()
        chosen = [
            entry
            for entry in self._entries
            if all(word in entry.policy.name.casefold() or word in (entry.purpose or "").casefold() for word in words)
        ]
        self.set_note(f"{len(chosen)} of {len(self._entries)}" if words else "")
        marked = {mark.name for mark in self.marks}
        return [
            policy_row(
                entry,
                marked=entry.policy.name in marked,
                changed=entry.policy.arn in self.changed,
                carriers=self._carriers(entry.policy.arn),
            )
            for entry in chosen
        ]

    def watch_account(self, before: AccountView, view: AccountView) -> None:
        """Show how many entities carry each policy once that is known."""
        if view.snapshot is not before.snapshot:
            counted = view.snapshot is not None and view.snapshot.counts is not None
            self.rows.set_columns((MARK, NAME, CARRIERS, VERSION) if counted else (MARK, NAME, VERSION))
            self.show_rows()

    def _carriers(self, arn: str) -> int | None:
        """Return how many roles, users and groups carry a policy as permissions; None where nobody counted."""
        snapshot = self.account.snapshot
        if snapshot is None or snapshot.counts is None:
            return None
        count = snapshot.counts.get(in_partition(arn, snapshot.identity.partition))
        return count.attachments if count else 0

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        entry = event.row.value if event.row else None
        self.post_message(PolicyHighlighted(entry if isinstance(entry, PolicyEntry) else None))
