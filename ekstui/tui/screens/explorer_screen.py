"""The first screen: four panes about one policy."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.events import Resize
from textual.geometry import Size
from textual.timer import Timer

from ekstui.change.policy import next_scope
from ekstui.present.styled import Row, plain
from ekstui.tui import keys
from ekstui.tui.background import Synced, sync, watch_account
from ekstui.tui.base import AGES_AFTER
from ekstui.tui.keys import bindings
from ekstui.tui.messages import (
    AccountUpdated,
    AccountView,
    PaneFailed,
    ShowComparison,
    ShowFound,
    Shown,
    Start,
)
from ekstui.tui.screens.navigation import NavigationScreen
from ekstui.tui.widgets.attached_pane import AttachedPane
from ekstui.tui.widgets.bars import FooterBar, HeaderBar, LineBar, Offer, header, marks_line, offer_of, progress_words
from ekstui.tui.widgets.permissions_pane import PermissionsPane
from ekstui.tui.widgets.policies_pane import PoliciesPane
from ekstui.tui.widgets.versions_pane import VersionsPane

if TYPE_CHECKING:
    from ekstui.change.policy import Scope
    from ekstui.library import Library
    from ekstui.library.catalog import PolicyEntry
    from ekstui.library.library import DataStatus

KEYS_FIRST = 0.02
"""Seconds between checks whether keys typed before the first paint have taken effect."""

ACCOUNT_AFTER = 0.1
"""Seconds after the first paint until the account is read."""

FILL_AFTER = 0.5
"""Seconds after the first paint until the cache is filled, so that it does not compete for the processor."""

NOTHING_TO_RENEW = "The demo makes no AWS calls and saves nothing; start ekstui without --demo to renew the data."

PROGRESS_AFTER = 0.5
"""Seconds between progress updates, for slow connections."""


class ExplorerScreen(NavigationScreen):
    """Four panes: the list chooses a policy, and the others are bound to it."""

    KEYS = (
        keys.OPEN.here(
            "Open the row: a policy's permissions, a service's actions, an action's card, what a version changed, or a role."
        ),
        keys.MARK.here("Mark the policy or version under the cursor: d compares two, t puts up to four side by side."),
        keys.COMPARE.here("Compare the two marked rows; or the row under the cursor with the marked one, or with the version before it."),
        keys.OLDER, keys.NEWER, keys.FILTER, keys.NEXT, keys.PREVIOUS, keys.UNMARK,
        keys.NOTES, keys.TABLE, keys.SCOPE, keys.COPY,
        keys.SAVE.here("Save the shown version as JSON, Markdown, Terraform or CloudFormation."),
        keys.RENEW.here("Refresh the account from AWS and, in the list of policies, the policies too."),
        keys.POLICIES, keys.PERMISSIONS, keys.VERSIONS, keys.ATTACHED, keys.NEXT_PANE, keys.PREVIOUS_PANE, keys.ALONE,
        keys.RESUME,
    )  # fmt: skip
    BINDINGS = bindings(keys.without(KEYS, keys.OPEN))

    def __init__(self, start: Start | None = None, account: AccountView | None = None) -> None:
        super().__init__()
        self._start = start
        self.set_reactive(ExplorerScreen.account, account or AccountView())
        self._cursors: dict[Scope, object] = {}
        """The row that the cursor was on when the user left a scope."""
        self._status: DataStatus | None = None
        self._account_timer: Timer | None = None
        self._fill_timer: Timer | None = None
        self._work = ""
        """The progress of the job that runs, in words; empty if none does."""
        self._progress_at = 0.0
        """When it was last shown, on the monotonic clock."""
        self._started_at: Size | None = Size(0, 0)
        """The size that was laid out last while the app starts; None later."""
        self.offer: Offer | None = None
        """Where the user was when the connection was lost."""

    def compose(self) -> ComposeResult:
        """Yield the bars and the four panes."""
        yield HeaderBar(id="header")
        yield PoliciesPane().data_bind(ExplorerScreen.marks, ExplorerScreen.account)
        yield PermissionsPane().data_bind(ExplorerScreen.shown)
        yield VersionsPane().data_bind(ExplorerScreen.shown, ExplorerScreen.marks)
        yield AttachedPane().data_bind(ExplorerScreen.shown, ExplorerScreen.account)
        yield LineBar(id="progress")
        yield LineBar(id="line")
        yield FooterBar(id="footer")

    def on_mount(self) -> None:
        """Fill the list; everything else waits for the first paint."""
        # Textual's repaint timer first waits 1/60 s: let that happen during the start, not after the first key.
        if repaints := getattr(self, "_update_timer", None):
            repaints.resume()
        self.scope = _scope_of(self._start.shown.entry) if self._start else self.app.settings.scope
        self._load(cursor=self._start.shown.entry.policy.arn if self._start else None)
        self.policies.focus_rows()
        self.show_keys()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Show the first policy, or what the app was opened at; schedule reading the account and filling the cache."""
        from ekstui.library.catalog import PolicyEntry

        if self.app.has_keys:
            # Typed keys first: the background threads would take half the processor.
            self.set_timer(KEYS_FIRST, self._begin)
            return
        self._started_at = None
        # Collecting garbage among these lasting objects would take a sixth of the start.
        gc.freeze()
        gc.enable()
        row = self.policies.rows.current
        if start := self._start:
            self.shown = start.shown
            if start.compare_with is not None:
                before = start.shown._replace(version=start.compare_with)
                self.post_message(ShowComparison(before.place, start.shown.place))
        elif self.shown is None and row and isinstance(row.value, PolicyEntry):
            self.shown = Shown(row.value, row.value.policy.default_version)
        self.policies.mark_changed()
        from ekstui.library.remembered import kept_place

        if not self.app.library.is_demo and (place := kept_place(datetime.now(UTC))):
            self.offer = offer_of(place, self.app.library)
            self._show_header()
        self._fill_timer = self.set_timer(FILL_AFTER, self._fill_cache)
        if self.account.error is None and self._account_timer is None:
            self._account_timer = self.set_timer(ACCOUNT_AFTER, lambda: self.ask_account(ask=False))
        self.set_interval(AGES_AFTER, self._follow_time)
        self.show_line()

    def _follow_time(self) -> None:
        """Show ages as they are now, and read the account again once it is stale, unless that failed before."""
        self._show_header()
        account, choice = self.account, self.app.library.choice
        if account.snapshot is None or account.asking or account.error or (choice and choice.offline):
            return
        if datetime.now(UTC) - account.snapshot.fetched_at >= timedelta(minutes=self.app.settings.stale_after):
            self.ask_account(ask=False)

    def action_resume(self) -> None:
        """Go back to where the user was when the connection was lost."""
        offer = self.offer
        if offer is None:
            self.notify("Nothing to go back to: after a lost connection, b goes back to where you were, for an hour.")
            return
        self._forget_offer()
        self.scope = offer.place.scope
        self._load(cursor=offer.place.policy)
        self.place_anew()
        self.policies.put_filter(offer.place.filter)
        self.marks = offer.marks
        self.go_to(offer.shown)
        if offer.opened:
            self.post_message(ShowFound(offer.opened, row=offer.place.row))

    def _forget_offer(self) -> None:
        from ekstui.library.remembered import forget_place

        self.offer = None
        forget_place()
        self._show_header()

    def _load(self, *, cursor: str | None = None) -> None:
        from ekstui.library.catalog import knowledge

        library = self.app.library
        entries = self._entries(library)
        self._status = library.data()
        groups = knowledge().groups if self.scope == "eks" else ()
        self.policies.set_entries(entries, cursor=cursor, groups=groups)
        self._left_wanted = self.policies.width_wanted
        self._show_header()

    def _entries(self, library: Library) -> tuple[PolicyEntry, ...]:
        """Return the policies of the scope."""
        if self.scope not in ("access", "any"):
            return library.policies(self.scope)
        from ekstui.library.access_policies import access_policy_entries  # 10 ms, only for these scopes

        return (*library.policies(self.scope), *access_policy_entries())

    @on(Resize)
    def _fit(self, event: Resize) -> None:
        """Fit the header and the footer to the width."""
        if event.size == self._started_at:
            # While the app starts, Textual sends the same size three times, and would lay out and paint all each time.
            event.prevent_default()
            return
        if self._started_at is not None:
            self._started_at = event.size
        self._show_header()
        if not self.focused_pane.is_typing:
            self.show_keys()

    def _show_header(self) -> None:
        if self._status is not None:
            now = datetime.now(UTC)
            if self.offer is not None:
                self.header.show(self.offer.line(now, self.app.size.width))
                return
            right = marks_line(self.marks)
            room = self.app.size.width - (len(plain(right)) + 1 if right else 0)
            count, choice = len(self.policies.entries), self.app.choice
            line = header(self._status, count, self.scope, self.account, choice, now, room)
            self.header.show(line, right)

    def watch_marks(self) -> None:
        """Show the marks, and the keys that work on them."""
        if self.is_mounted:
            self._show_header()
            self.show_keys()

    def watch_account(self) -> None:
        """Show the account and its age, and pass it on to the other screens."""
        if self.is_mounted:
            self._show_header()
            self.show_work(f"{self.account.asking} … esc stops" if self.account.asking else self._work)
            for screen in self.app.screen_stack[1:]:
                show: Callable[[AccountView], None] | None = getattr(screen, "show_account", None)
                if show is not None:
                    show(self.account)

    @on(AccountUpdated)
    def _account_updated(self, message: AccountUpdated) -> None:
        message.stop()
        if message.library.choice is self.app.library.choice:
            before = self.account.snapshot
            self.account = message.change(self.account)
            snapshot = self.account.snapshot
            if snapshot is not before:
                self._follow_partition()
            if snapshot is not None and self.offer is not None:
                opened = self.app.library.account.place(snapshot, self.offer.place.at)
                self.offer = self.offer._replace(opened=opened or self.offer.opened)
                self._show_header()

    def _follow_partition(self) -> None:
        """Switch to the policies of the account's partition."""
        snapshot, shown = self.account.snapshot, self.shown
        if snapshot is None:
            return
        library = self.app.library.in_partition(snapshot.identity.partition)
        if library is self.app.library:
            return
        self.app.library = library
        # The marked policies may not exist there.
        self.marks = ()
        entries = self._entries(library)
        names = [entry.policy.name for entry in entries]
        entry = entries[names.index(shown.entry.policy.name) if shown and shown.entry.policy.name in names else 0]
        self._load(cursor=entry.policy.arn)
        self.shown = Shown(entry, entry.policy.default_version)

    def ask_account(self, *, ask: bool) -> None:
        """Show the last snapshot of the account, and refresh it if `ask` is set or it is stale."""
        if self._account_timer:
            self._account_timer.stop()
        self.app.mfa.allowed = ask
        stale_after = timedelta(minutes=self.app.settings.stale_after)
        watch_account(self, self.app.background, self.app.library, stale_after, ask=ask)

    def _fill_cache(self) -> None:
        library = self.app.library

        def fill(cancelled: Event) -> None:
            from ekstui.library.maintenance import fill_and_index

            fill_and_index(library, partial(self._show_progress, cancelled), cancelled.is_set)

        self.app.background.run(self, "fill", fill, self._cache_filled)

    def _show_progress(self, cancelled: Event, doing: str, done: int, total: int) -> None:
        """Show the progress of a job, no more often than a slow connection can bear."""
        now = time.monotonic()
        # Late progress of a replaced job would stay on the screen for good.
        if not cancelled.is_set() and (now - self._progress_at >= PROGRESS_AFTER or done == total):
            self._progress_at = now
            self.call_later(self._say_work, progress_words(doing, done, total))

    def _say_work(self, words: str = "") -> None:
        self._work = words
        self.show_work(words)

    def _cache_filled(self, _: None) -> None:
        self._say_work()
        self._status = self.app.library.data()
        self._show_header()
        for notice in self.app.library.notices():
            self.notify(notice, severity="warning", timeout=10)

    def watch_shown(self) -> None:
        """Clear the ! of a policy once the user has seen its newest version."""
        if self.shown and self.shown.version == self.shown.entry.policy.default_version:
            self.policies.mark_seen(self.shown.entry.policy)

    def go_to(self, shown: Shown) -> None:
        """Show a policy at a version and put the list's cursor on it, in another scope if necessary."""
        if not self.policies.rows.move_to(shown.entry.policy.arn):
            self.policies.clear_filter()
            self._keep_cursor()
            self.scope = _scope_of(shown.entry)
            self._load(cursor=shown.entry.policy.arn)
        if self._following:
            self._following.stop()
        self.shown = shown

    def action_scope(self) -> None:
        """Go to the next scope; the cursor stays on its policy if the scope has it."""
        here = self._keep_cursor()
        self.scope = next_scope(self.scope)
        self._load(cursor=str(here.key) if here else None)
        now, before = self.policies.rows.current, self._cursors.get(self.scope)
        if before is not None and (here is None or now is None or now.key != here.key):
            # This scope does not have the policy: the cursor is where it was here.
            self.policies.rows.move_to(before)
        self.policies.mark_changed()
        self.place_anew()

    def _keep_cursor(self) -> Row | None:
        """Remember the row under the list's cursor for when the user comes back to this scope, and return it."""
        here = self.policies.rows.current
        self._cursors[self.scope] = here.key if here else None
        return here

    def action_refresh_data(self) -> None:
        """Refresh the account from AWS and, from the list of policies, the policies too."""
        if self.app.choice.demo:
            self.notify(NOTHING_TO_RENEW)
            return
        self.ask_account(ask=True)
        if self.pane == "policies":
            self._sync()

    def sync(self) -> None:
        """Update the policies from the first source that can be read."""
        if self.app.choice.demo:
            self.notify(NOTHING_TO_RENEW)
            return
        self._say_work("syncing … esc stops")
        self._sync(lambda sentence: self.app.call_from_thread(self.notify, sentence))

    def _sync(self, remark: Callable[[str], object] | None = None) -> None:
        if self._fill_timer:
            self._fill_timer.stop()  # it would replace the sync
        library = self.app.library
        self.app.background.run(
            self,
            "fill",
            lambda cancelled: sync(library, cancelled, partial(self._show_progress, cancelled), remark),
            self._synced,
        )

    def _synced(self, ended: Synced) -> None:
        self._say_work()
        self._follow_partition()
        self._load()
        self.notify(ended.sentence, severity="error" if ended.failed else "information")

    @on(PaneFailed)
    def _work_failed(self, message: PaneFailed) -> None:
        """Clear the progress of a job that failed unexpectedly."""
        self._say_work()
        if self.account.asking:
            self.account = self.account._replace(asking=None, error=message.error)
        self.notify(str(message.error), severity="error")

    def step_back(self) -> bool:
        """Stop a running task, clear the filter, clear the marks, or go back to the list; False if there is none of these."""
        pane = self.focused_pane
        if self._working:
            self.app.background.cancel("fill", "account")
            self.account = self.account._replace(asking=None)
            self._say_work()
            self.notify("Stopped; r continues.")
        elif pane.filter:
            pane.clear_filter()
        elif self.marks:
            self.marks = ()
        elif self._alone:
            self.action_alone()
        elif self.pane != "policies":
            self.action_pane("policies")
        elif self.offer is not None:
            self._forget_offer()
        else:
            return False
        return True


def _scope_of(entry: PolicyEntry) -> Scope:
    """Return the scope that lists a policy."""
    return "all" if entry.scope == "aws" else entry.scope
