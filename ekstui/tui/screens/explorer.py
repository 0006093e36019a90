"""The screen that everything starts from: the four panes and the policy they are about."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from textual import on
from textual.app import ComposeResult
from textual.timer import Timer

from ekstui.core.text import clean_line
from ekstui.store import opening as kept
from ekstui.tui.account import AccountChanged, AccountTold, AccountView, watch_account
from ekstui.tui.background import Job
from ekstui.tui.keys import Where, bindings
from ekstui.tui.messages import CacheFilled, FillProgressed, PolicyHighlighted, Synced, VersionChosen
from ekstui.tui.opening import opening_of, picture_of
from ekstui.tui.present.account import account_line
from ekstui.tui.screens.ways import WaysScreen
from ekstui.tui.shown import Shown, Start
from ekstui.tui.signs import BARS, can_show
from ekstui.tui.syncing import sync
from ekstui.tui.widgets.attached import AttachedPane
from ekstui.tui.widgets.bars import FooterBar, HeaderBar
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.permissions import PermissionsPane
from ekstui.tui.widgets.policies import PoliciesPane
from ekstui.tui.widgets.versions import VersionsPane

# What reads and judges policies is imported where it is used: the first paint does without (see `opening.py`).
if TYPE_CHECKING:
    from ekstui.library import DataStatus
    from ekstui.present.styled import Styled

FOLLOW_AFTER = 0.12
"""Seconds that the cursor rests on a policy before the panes follow, so that a held key does not repaint them."""


BEGIN_AFTER = 0.02
"""Seconds from an opening that is kept until the policies are read, so that it is painted by then."""

ACCOUNT_AFTER = 0.1
"""Seconds from then until the account is looked at."""

FILL_AFTER = 0.5
"""Seconds before the cache is looked after, so that the first paint does not share the processor with it."""


class ExplorerScreen(WaysScreen):
    """The four panes; the list says which policy, and the others are bound to it."""

    BINDINGS = bindings("explorer")
    PLACES: tuple[Where, ...] = ("explorer",)
    """The parts of the key table that hold here."""

    def __init__(self, start: Start | None = None, width: int = 0, account: AccountView | None = None) -> None:
        super().__init__(width)
        self._start = start
        self._first_view = account or AccountView()
        self.set_reactive(ExplorerScreen.account, self._first_view)
        self.scope = "all" if start and start.shown.entry.scope != "eks" else "eks"
        self._following: Timer | None = None
        self._filling = ""
        self._begun: bool | None = None
        """None until the panes are there."""
        self._used = False
        """Whether a key was pressed."""
        self._made_from = self._began_in = ""
        self._status: DataStatus | None = None
        self._looking: Timer | None = None
        self._caring: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the bars and the four panes, each bound to the policy shown."""
        yield HeaderBar()
        yield FooterBar()
        yield PoliciesPane().data_bind(ExplorerScreen.marks, ExplorerScreen.account)
        yield PermissionsPane(classes="detail -on").data_bind(ExplorerScreen.shown)
        yield VersionsPane(classes="detail").data_bind(ExplorerScreen.shown, ExplorerScreen.marks)
        yield AttachedPane(classes="detail").data_bind(ExplorerScreen.shown, ExplorerScreen.account)

    def on_mount(self) -> None:
        """Show the opening that was kept, and begin; without one begin at once."""
        if not self._start:
            self.scope = self.app.settings.scope
        self._begun = False
        self._made_from = self.basis()
        self.show_keys()
        self.policies.focus_rows()
        if self._start is None and self._show_opening():
            self.set_timer(BEGIN_AFTER, self._begin)
        else:
            self._begin()

    def _show_opening(self) -> bool:
        opening = opening_of(kept.read_opening(self.app.size, self._made_from))
        if opening is None:
            return False
        self.header.show(opening.header)
        for name, picture in opening.panes.items():
            self.query_one(f"#{name}", Pane).show_picture(picture)
        return True

    def basis(self) -> str:
        """Return what the first screen is made from."""
        return kept.basis(self.scope, can_show(BARS), self._first_view.error is None)

    def hear(self) -> None:
        """Let the first key find the policies and not a picture of them."""
        self._used = True
        if self._begun is False:
            self._begin()

    def _begin(self) -> None:
        """Fill the list and show the first policy."""
        if self._begun:
            return
        from ekstui.library import PolicyEntry

        self._begun = True
        gc.enable()
        self._load(cursor=self._start.shown.entry.policy.arn if self._start else None)
        self._began_in = self._status.partition if self._status else ""
        self._caring = self.set_timer(FILL_AFTER, self._fill_cache)
        if self.account.error is None:
            self._looking = self.set_timer(ACCOUNT_AFTER, lambda: self.ask_account(ask=False))
        first = self.policies.rows.current
        if self._start:
            self._open(self._start)
        elif first and isinstance(first.value, PolicyEntry):
            self.shown = Shown(first.value, first.value.policy.default_version)

    def _open(self, start: Start) -> None:
        self.shown = start.shown
        if start.compare_with is not None:
            self.compare(Shown(start.shown.entry, start.compare_with).place, start.shown.place)

    def _load(self, *, cursor: str | None = None) -> None:
        library = self.app.library
        entries = library.policies(self.scope)
        self._status = library.data()
        self.policies.set_entries(entries, cursor=cursor)
        policies = [entry.policy for entry in entries]
        self.policies.changed = library.looked.changed_since(policies, self._status.newest)
        self._show_header()

    def _show_header(self) -> None:
        if self._status is not None:
            self.header.show(self._header(self._status, self.account))

    def _header(self, status: DataStatus, account: AccountView) -> Styled:
        from ekstui.tui.present.policies import header

        return header(status, self.policies.count, self.scope, account_line(account, datetime.now(UTC)), self._filling)

    def watch_account(self) -> None:
        """Show whose account it is, and how old what is known of it is."""
        if self.is_mounted:
            self._show_header()
            self.post_message(AccountChanged(self.account))

    @on(AccountTold)
    def _account_told(self, message: AccountTold) -> None:
        message.stop()
        if message.library.choice is self.app.library.choice:
            before = self.account.snapshot
            self.account = message.change(self.account)
            if self.account.snapshot is not before:
                self._follow_partition()

    def _follow_partition(self) -> None:
        """List the policies of the account's own partition, where they are known."""
        snapshot, shown = self.account.snapshot, self.shown
        if snapshot is None:
            return
        library = self.app.library.in_partition(snapshot.identity.partition)
        if library is self.app.library:
            return
        self.app.library = library
        # What was marked may not exist there.
        self.marks = ()
        entries = library.policies(self.scope)
        names = [entry.policy.name for entry in entries]
        entry = entries[names.index(shown.entry.policy.name) if shown and shown.entry.policy.name in names else 0]
        self._load(cursor=entry.policy.arn)
        self._show(Shown(entry, entry.policy.default_version))

    def ask_account(self, *, ask: bool) -> None:
        """Show the last snapshot of the account, and ask AWS if that is wanted or it is stale."""
        if self._looking:
            self._looking.stop()
        self.app.mfa.welcome = ask
        stale_after = timedelta(minutes=self.app.settings.stale_after)
        watch_account(self, self.app.background, self.app.library, stale_after, ask=ask)

    def forget_account(self) -> None:
        """Show nothing of the account any more, since another one is asked."""
        self.account = AccountView()

    def opening(self) -> object | None:
        """Return the first screen as it stands, None where it is not there yet, or another by now."""
        panes = (self.policies, self.permissions, self.versions)
        if self._used or self._start or self._status is None or not all(pane.rows.rows for pane in panes):
            return None
        if self._status.partition != self._began_in:
            # The next start does not know the account's partition either when it begins.
            return None
        return picture_of(self._header(self._status, self._first_view), panes)

    def _fill_cache(self) -> None:
        library, size, made_from = self.app.library, self.app.size, self._made_from
        opening = self.opening()

        def fill(job: Job) -> CacheFilled:
            def cancelled() -> bool:
                return job.cancelled

            if library.fill(lambda stored, total: self._tell("caching", stored, total), cancelled):
                library.index(lambda done, total: self._tell("indexing", done, total), cancelled, gently=True)
            if opening is not None and self.basis() == made_from:
                kept.write_opening(size, made_from, opening)
            return CacheFilled()

        self.app.background.run(self, "fill", fill)

    def _tell(self, doing: str, done: int, total: int) -> None:
        self.post_message(FillProgressed(doing, done, total))

    @on(FillProgressed)
    def _fill_progressed(self, message: FillProgressed) -> None:
        self._filling = f" · {message.doing} {message.done:,} of {message.total:,}"
        self._show_header()

    @on(CacheFilled)
    def _cache_filled(self) -> None:
        self._filling = ""
        self._status = self.app.library.data()
        self._show_header()
        for notice in self.app.library.notices():
            self.notify(clean_line(notice), severity="warning", markup=False, timeout=10)

    @on(PolicyHighlighted)
    def _follow(self, message: PolicyHighlighted) -> None:
        """Let the panes follow the list after a short rest of the cursor."""
        message.stop()
        if self._following:
            self._following.stop()
        entry = message.entry
        if entry is not None and (self.shown is None or entry.policy.arn != self.shown.entry.policy.arn):
            self._following = self.set_timer(
                FOLLOW_AFTER, lambda: self._show(Shown(entry, entry.policy.default_version))
            )

    def watch_shown(self) -> None:
        """Take the mark from a policy whose change the user sees."""
        if self.shown and self.shown.version == self.shown.entry.policy.default_version:
            arn = self.shown.entry.policy.arn
            if arn in self.policies.changed:
                self.app.library.look_at(self.shown.entry.policy)
                self.policies.changed -= {arn}

    def _show(self, shown: Shown) -> None:
        self.shown = shown

    @on(VersionChosen)
    def _choose_version(self, message: VersionChosen) -> None:
        message.stop()
        if self.shown:
            self.shown = Shown(self.shown.entry, message.version)

    def go_to(self, shown: Shown) -> None:
        """Show a policy at a version, with the cursor of the list on it; the scope widens if need be."""
        if not self.policies.rows.move_to(shown.entry.policy.arn):
            self.policies.clear_filter()
            self.scope = "eks" if shown.entry.scope == "eks" else "all"
            self._load(cursor=shown.entry.policy.arn)
        if self._following:
            self._following.stop()
        self.shown = shown

    def action_scope(self) -> None:
        """Switch between the policies of EKS and all of them; the cursor stays with its policy."""
        self.scope = "all" if self.scope == "eks" else "eks"
        self._load()

    def action_older(self) -> None:
        """Show the known version before the shown one."""
        self._step(-1)

    def action_newer(self) -> None:
        """Show the known version after the shown one."""
        self._step(1)

    def _step(self, step: int) -> None:
        self.catch_up()
        if self.shown is None:
            return
        numbers = [info.number for info in self.shown.entry.policy.versions]
        index = numbers.index(self.shown.version) + step
        if 0 <= index < len(numbers):
            self.shown = Shown(self.shown.entry, numbers[index])
        else:
            self.notify(
                f"{self.shown.entry.policy.name} has no {'older' if step < 0 else 'newer'} version that is known.",
                markup=False,
            )

    def action_refresh_data(self) -> None:
        """Ask AWS again: for the account, and from the list for the policies too."""
        self.ask_account(ask=True)
        if self.pane == "policies":
            if self._caring:
                self._caring.stop()  # it would take the place of what the user asked for
            library = self.app.library
            self.app.background.run(self, "fill", lambda job: sync(library, job, self._tell))

    @on(Synced)
    def _synced(self, message: Synced) -> None:
        self._filling = ""
        self._follow_partition()
        self._load()
        severity: Literal["error", "information"] = "error" if message.failed else "information"
        self.notify(clean_line(message.sentence), severity=severity, markup=False)
