"""The first screen: four panes about one policy, and how they follow the cursor."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.events import DescendantFocus, Resize
from textual.geometry import Size
from textual.getters import query_one
from textual.layout import Layout
from textual.reactive import reactive
from textual.timer import Timer

from ekstui.change.policy import Scope, next_scope
from ekstui.iam.wildcard import is_wild
from ekstui.library.catalog import PolicyEntry, knowledge
from ekstui.library.remembered import forget_place, kept_place
from ekstui.named_tuples import NamedTuple
from ekstui.present.styled import Row, plain, styled
from ekstui.tui import keys, screens
from ekstui.tui.background import Job, SyncEnd, sync_and_index, watch_account
from ekstui.tui.base import AGES_AFTER, AppScreen, Debounce
from ekstui.tui.keys import Key, bindings
from ekstui.tui.messages import (
    AccountUpdated,
    AccountView,
    AskExplain,
    Marks,
    PaneFailed,
    PolicyView,
    RowReached,
    ShowComparison,
    ShowFound,
    ShowMatrix,
    Start,
    sides_to_compare,
    with_mark,
)
from ekstui.tui.screens.panes_layout import PANES, PaneId, PanesLayout
from ekstui.tui.widgets.attached_pane import AttachedPane
from ekstui.tui.widgets.bars import FilterLine, FooterBar, HeaderBar, LineBar
from ekstui.tui.widgets.explorer_header import Offer, header, marks_line, offer_of, progress_words
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.permissions_pane import PermissionsPane
from ekstui.tui.widgets.policies_pane import PoliciesPane
from ekstui.tui.widgets.versions_pane import VersionsPane

if TYPE_CHECKING:
    from ekstui.library import Library
    from ekstui.library.library import DataStatus
    from ekstui.library.notation import PolicyAt

_NEXT_PANE = Key("pane.next", "tab", "next_pane(1)", "next pane", "Go to the next pane.")

KEYS_FIRST = 0.02
"""Seconds between checks whether keys typed before the first paint have taken effect."""

ACCOUNT_AFTER = 0.1
"""Seconds after the first paint until the account is read."""

FILL_AFTER = 0.5
"""Seconds after the first paint until the cache is filled, so that it does not compete for the processor."""

_DEMO_RENEWS_NOTHING = "The demo makes no AWS calls and saves nothing; start ekstui without --demo to renew the data."
_OFFLINE = "Offline, ekstui does not ask AWS; start it without --offline to renew the data."

PROGRESS_AFTER = 0.5
"""Seconds between progress updates, for slow connections."""


class Before(NamedTuple):
    """What the panes showed before the user opened a policy from elsewhere."""

    scope: Scope
    policy_view: PolicyView | None
    marks: Marks
    pane: PaneId
    alone: bool
    filters: dict[PaneId, str]
    rows: dict[PaneId, object]
    """The key of the row under each pane's cursor."""
    opened: str
    """The ARN of the policy that was opened."""
    covers: bool
    """Whether it was opened from another screen, which is still there under the panes."""


class ExplorerScreen(AppScreen):
    """Four panes: the list chooses a policy, and the others are bound to it.

    With what is shown and marked, and the keys that act on it.
    """

    KEYS = (
        keys.OPEN.here(
            "Open the row: a policy's permissions, a service's actions, an action's card, what a version changed, or a "
            "role."
        ),
        keys.MARK.here("Mark the policy or version under the cursor: d compares two, t puts up to four side by side."),
        keys.COMPARE.here(
            "Compare the two marked rows; or the row under the cursor with the marked one, or with the version before "
            "it; or a role with the shown policy."
        ),
        keys.OLDER,
        keys.NEWER,
        keys.FILTER,
        keys.NEXT,
        keys.PREVIOUS,
        keys.UNMARK,
        keys.NOTES,
        keys.TABLE,
        keys.SCOPE,
        keys.COPY,
        keys.SAVE.here("Save the shown version as JSON, Markdown, Terraform or CloudFormation."),
        keys.RENEW.here("Refresh the account from AWS and, in the list of policies, the policies too."),
        keys.POLICIES,
        keys.PERMISSIONS,
        keys.VERSIONS,
        keys.ATTACHED,
        _NEXT_PANE,
        Key("pane.previous", "shift+tab", "next_pane(-1)", "previous pane", "Go to the previous pane."),
        Key("alone", "z", "alone", "alone", "Maximize this pane, or restore it."),
        Key(
            "resume",
            "b",
            "resume",
            "back there",
            "Go back to where you were when the connection was lost, for up to an hour.",
        ),
    )
    BINDINGS = bindings(keys.without(KEYS, keys.OPEN))

    SYMBOLS = (
        ("●", "shown, ○ the others"),
        ("▲ ▼ ◆ ○", "wider, narrower, both, same"),
        ("A B", "marked"),
        ("!", "new since you last looked, or a warning"),
        ("dim", "superseded, or inferred"),
        ("▎6/224", "allowed of all"),
        ("+1 −0 ~2", "added, removed, changed"),
        ("≥ ≤", "at least, at most: not all was read"),
    )
    """The signs of the panes and what they mean."""

    BLANK = True
    """Bars and panes cover the whole screen."""

    header = query_one("#header", HeaderBar)
    line = query_one("#line", LineBar)
    progress = query_one("#progress", LineBar)
    footer = query_one(FooterBar)
    policies = query_one(PoliciesPane)
    permissions = query_one(PermissionsPane)
    versions = query_one(VersionsPane)
    attached = query_one(AttachedPane)

    policy_view: reactive[PolicyView | None] = reactive(None, init=False)
    account: reactive[AccountView] = reactive(AccountView())
    marks: reactive[Marks] = reactive(())
    scope: Scope

    def __init__(self, start: Start | None = None, account: AccountView | None = None) -> None:
        super().__init__()
        self.panes = PanesLayout()
        self._following = Debounce(self)
        self._describing = Debounce(self)
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
        self._notes_from: PaneId = "policies"
        """The pane from which the notes were opened."""
        self._before: list[Before] = []
        """What esc goes back to, the last one first to be gone back to."""

    def compose(self) -> ComposeResult:
        yield HeaderBar(id="header")
        yield PoliciesPane().data_bind(ExplorerScreen.marks, ExplorerScreen.account)
        yield PermissionsPane().data_bind(ExplorerScreen.policy_view)
        yield VersionsPane().data_bind(ExplorerScreen.policy_view, ExplorerScreen.marks)
        yield AttachedPane().data_bind(ExplorerScreen.policy_view, ExplorerScreen.account)
        yield LineBar(id="progress")
        yield LineBar(id="line")
        yield FooterBar(id="footer")

    def on_mount(self) -> None:
        """Fill the list; everything else waits for the first paint."""
        # Textual's repaint timer first waits 1/60 s: let that happen during the start, not after the first key.
        if repaints := getattr(self, "_update_timer", None):
            repaints.resume()
        self.scope = _scope_of(self._start.policy_view.entry) if self._start else self.app.settings.scope
        self._load(cursor=self._start.policy_view.entry.policy.arn if self._start else None)
        self.policies.focus_rows()
        self.show_keys()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Show the first policy, or what the app was opened at; schedule reading the account and filling the cache."""
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
            self.policy_view = start.policy_view
            if start.compare_with is not None:
                before = start.policy_view._replace(version=start.compare_with)
                self.post_message(ShowComparison(before.place, start.policy_view.place))
        elif self.policy_view is None and row and isinstance(row.value, PolicyEntry):
            self.policy_view = PolicyView(row.value, row.value.policy.default_version)
        self.policies.mark_changed()
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
        self.go_to(offer.policy_view)
        if offer.opened:
            self.post_message(ShowFound(offer.opened, row=offer.place.row))

    def _forget_offer(self) -> None:
        self.offer = None
        forget_place()
        self._show_header()

    def _load(self, *, cursor: str | None = None) -> None:
        library = self.app.library
        entries = self._entries(library)
        self._status = library.data()
        groups = knowledge().groups if self.scope == "eks" else ()
        self.policies.set_entries(entries, cursor=cursor, groups=groups)
        self.panes.left_wanted = self.policies.width_wanted
        self._show_header()

    def _entries(self, library: Library) -> tuple[PolicyEntry, ...]:
        with_access = self.scope in ("access", "any")
        return screens.opening.entries_in(self.scope, library) if with_access else library.policies(self.scope)

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
            marks = marks_line(self.marks)
            room = self.app.size.width - (len(plain(marks)) + 1 if marks else 0)
            count, choice = len(self.policies.entries), self.app.choice
            line = header(self._status, count, self.scope, self.account, choice, now, room)
            self.header.show(line, marks)

    def watch_marks(self) -> None:
        """Show the marks, and the keys that work on them."""
        if self.is_mounted:
            self._show_header()
            self.show_keys()

    def watch_account(self) -> None:
        """Show the account and its age, and pass it on to the other screens."""
        if self.is_mounted and self.app.is_running:
            self._show_header()
            self.show_work(f"{self.account.asking} … esc stops" if self.account.asking else self._work)
            for screen in self.app.screen_stack[1:]:
                if isinstance(screen, AppScreen):
                    screen.show_account(self.account)

    @on(AccountUpdated)
    def _account_updated(self, message: AccountUpdated) -> None:
        message.stop()
        if message.library.choice is self.app.library.choice:
            snapshot_before = self.account.snapshot
            self.account = message.change(self.account)
            snapshot = self.account.snapshot
            if snapshot is not snapshot_before:
                # It lasts; among a million objects of an account, looking for garbage would hold the keys for 150 ms.
                gc.freeze()
                self._follow_partition()
            if snapshot is not None and self.offer is not None:
                open_text = self.app.library.account.place(snapshot, self.offer.place.at)
                self.offer = self.offer._replace(opened=open_text or self.offer.opened)
                self._show_header()

    def _follow_partition(self) -> None:
        """Switch to the policies of the account's partition."""
        snapshot, policy_view = self.account.snapshot, self.policy_view
        if snapshot is None:
            return
        library = self.app.library.in_partition(snapshot.identity.partition)
        if library is self.app.library:
            return
        self.app.library = library
        # The marked policies may not exist there.
        self.marks = ()
        self.forget_before()
        entries = self._entries(library)
        names = [entry.policy.name for entry in entries]
        entry = entries[
            names.index(policy_view.entry.policy.name) if policy_view and policy_view.entry.policy.name in names else 0
        ]
        self._load(cursor=entry.policy.arn)
        self.policy_view = PolicyView(entry, entry.policy.default_version)

    def ask_account(self, *, ask: bool) -> None:
        """Show the last snapshot of the account, and refresh it if `ask` is set or it is stale."""
        if self._account_timer:
            self._account_timer.stop()
        self.app.mfa.allowed = ask
        stale_after = timedelta(minutes=self.app.settings.stale_after)
        watch_account(self, self.app.background, self.app.library, stale_after, ask=ask)

    def _fill_cache(self) -> None:
        library = self.app.library

        def fill(job: Job) -> None:
            from ekstui.library.maintenance import fill_and_index

            fill_and_index(library, partial(self._show_progress, job), job.is_cancelled)

        self.app.background.run(self, "fill", fill, self._cache_filled)

    def _show_progress(self, job: Job, task: str, done: int, total: int) -> None:
        """Show the progress of a job, no more often than a slow connection can bear."""
        now = time.monotonic()
        if now - self._progress_at >= PROGRESS_AFTER or done == total:
            self._progress_at = now
            job.tell(self._say_work, progress_words(task, done, total))

    def _say_work(self, words: str = "") -> None:
        self._work = words
        self.show_work(words)

    def _cache_filled(self, _: None) -> None:
        self._say_work()
        self._status = self.app.library.data()
        self._show_header()
        for notice in self.app.library.notices():
            self.notify(notice, severity="warning", timeout=10)

    def watch_policy_view(self) -> None:
        """Clear the ! of a policy once the user has seen its newest version."""
        if self.policy_view and self.policy_view.version == self.policy_view.entry.policy.default_version:
            self.policies.mark_seen(self.policy_view.entry.policy)

    def go_to(self, policy_view: PolicyView) -> None:
        """Show a policy at a version and put the list's cursor on it, in another scope if necessary."""
        if not self.policies.rows.move_to(policy_view.entry.policy.arn):
            self.policies.clear_filter()
            self._keep_cursor()
            self.scope = _scope_of(policy_view.entry)
            self._load(cursor=policy_view.entry.policy.arn)
        self._following.cancel()
        self.policy_view = policy_view

    def visit(self, policy_view: PolicyView, *, covers: bool) -> None:
        """Show a policy like `go_to`, and let esc go back here; `covers` says that another screen is below."""
        self.catch_up()
        if covers or policy_view != self.policy_view:
            panes = {pane: self.query_one(f"#{pane}", Pane) for pane in PANES}
            self._before.append(
                Before(
                    self.scope,
                    self.policy_view,
                    self.marks,
                    self.pane,
                    self.panes.is_alone,
                    {name: pane.filter for name, pane in panes.items()},
                    {name: pane.rows.key for name, pane in panes.items()},
                    policy_view.entry.policy.arn,
                    covers,
                )
            )
        self.go_to(policy_view)

    def forget_before(self) -> None:
        """Forget what esc would go back to."""
        self._before.clear()

    def uncover(self) -> None:
        """Show again what was shown before the user opened a policy from the screen below."""
        while self._before:
            before = self._before.pop()
            if before.covers:
                self._show_before(before)
                return

    def _go_back(self) -> bool:
        """Go back to the policy from which the user jumped, unless they have moved on since."""
        while self._before and not self._before[-1].covers:
            before = self._before.pop()
            if self.policy_view and self.policy_view.entry.policy.arn == before.opened:
                self._show_before(before)
                return True
        return False

    def _show_before(self, before: Before) -> None:
        self._following.cancel()
        if before.scope != self.scope:
            self.scope = before.scope
            self._load(cursor=before.policy_view.entry.policy.arn if before.policy_view else None)
            self.place_anew()
        for name, text in before.filters.items():
            pane = self.query_one(f"#{name}", Pane)
            if text != pane.filter:
                pane.put_filter(text)
            pane.reach(before.rows.get(name), later=name != "policies" and before.policy_view != self.policy_view)
        self.marks, self.panes.is_alone = before.marks, before.alone
        self.policy_view = before.policy_view
        self.place_anew()
        self._note(before.pane)
        self.focused_pane.focus_rows()

    def action_scope(self) -> None:
        """Go to the next scope; the cursor stays on its policy if the scope has it."""
        current = self._keep_cursor()
        self.scope = next_scope(self.scope)
        self._load(cursor=str(current.key) if current else None)
        new_current, cursor_of_scope = self.policies.rows.current, self._cursors.get(self.scope)
        if cursor_of_scope is not None and (current is None or new_current is None or new_current.key != current.key):
            # This scope does not have the policy: the cursor is where it was here.
            self.policies.rows.move_to(cursor_of_scope)
        self.policies.mark_changed()
        self.place_anew()

    def _keep_cursor(self) -> Row | None:
        """Remember the row under the list's cursor for when the user comes back to this scope, and return it."""
        current = self.policies.rows.current
        self._cursors[self.scope] = current.key if current else None
        return current

    def action_refresh_data(self) -> None:
        if self._is_asking_refused():
            return
        self.ask_account(ask=True)
        if self.pane == "policies":
            self._sync()

    def _is_asking_refused(self) -> bool:
        """Say why AWS may not be asked, if it may not."""
        choice = self.app.choice
        if choice.demo or choice.offline:
            self.notify(_DEMO_RENEWS_NOTHING if choice.demo else _OFFLINE)
        return choice.demo or choice.offline

    def sync(self) -> None:
        """Update the policies from the first source that can be read."""
        if self._is_asking_refused():
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
            lambda job: sync_and_index(library, job, partial(self._show_progress, job), remark),
            self._synced,
        )

    def _synced(self, ended: SyncEnd) -> None:
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
        """Stop a running task, clear the filter or the marks, or go back.

        Back is to the list or to the policy before; False if there is none of these.
        """
        pane, before = self.focused_pane, self._before[-1] if self._before else None
        if self.panes.is_working:
            self.app.background.cancel("fill", "account")
            self.account = self.account._replace(asking=None)
            self._say_work()
            self.notify("Stopped; r continues.")
        elif pane.filter and not (before and pane.filter == before.filters[self.pane]):
            pane.clear_filter()
        elif self.marks and not (before and self.marks == before.marks):
            self.marks = ()
        elif self.panes.is_alone and not (before and before.alone):
            self.action_alone()
        elif self.permissions.has_notes:
            self._close_notes()
        elif self.permissions.leave_view():
            pass
        elif self.pane != (home := before.pane if before else "policies"):
            self.action_pane(home)
        elif self._go_back():
            pass
        elif self.offer is not None and not self._before:
            self._forget_offer()
        else:
            return False
        return True

    @property
    def layout(self) -> Layout:
        """The layout of the panes."""
        return self.panes

    @property
    def pane(self) -> PaneId:
        """The focused pane."""
        return self.panes.pane

    def place_anew(self) -> None:
        """Lay the panes out again, which only a child can request."""
        self.footer.refresh(layout=True)

    @property
    def row(self) -> Row | None:
        return self.focused_pane.rows.current

    @property
    def focused_pane(self) -> Pane:
        """The focused pane."""
        return self.query_one(f"#{self.pane}", Pane)

    @on(DescendantFocus)
    def _note_pane(self, event: DescendantFocus) -> None:
        """Remember which pane has the focus, however it got it."""
        for node in event.widget.ancestors_with_self:
            if isinstance(node, Pane) and node.id in PANES:
                self._note(node.id)
                if isinstance(event.widget, FilterLine):
                    self.footer.show_words(node.FILTER_HINT)
                else:
                    self.show_line()

    def show_keys(self) -> None:
        """Show the keys that work on the row under the cursor, the most useful first."""
        first, *others = self.focused_pane.footer_keys(self.row, marks=len(self.marks))
        # Where one pane fills the screen, nothing else says that there are others.
        panes = (_NEXT_PANE.here("", "pane"),) if self.panes.is_single(self.app.size.width) else ()
        self.footer.show_keys((first, *panes, *others))

    def show_line(self) -> None:
        """Show the details of the row under the cursor, and the keys that work on it."""
        row = self.row
        self.line.show(self.focused_pane.about_row(row) if row else ())
        if not self.focused_pane.is_typing:
            self.show_keys()

    @on(RowReached)
    def _describe(self) -> None:
        """Update the details once the cursor rests."""
        self._describing.call(self.show_line)

    def _note(self, pane: PaneId) -> None:
        if pane != self.pane:
            self.panes.pane = pane
            self.place_anew()

    def action_pane(self, pane: PaneId) -> None:
        """Go to a pane of the policy under the cursor."""
        self.catch_up()
        self._note(pane)
        self.focused_pane.focus_rows()

    def action_next_pane(self, step: int) -> None:
        self.action_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def action_alone(self) -> None:
        self.panes.is_alone = not self.panes.is_alone
        self.place_anew()

    async def action_filter(self) -> None:
        await self.focused_pane.open_filter()

    def show_work(self, words: str) -> None:
        """Show the progress line with these words; hide it if there are none."""
        if bool(words) != self.panes.is_working:
            self.panes.is_working = bool(words)
            self.place_anew()
        self.progress.show(styled(words, "accent"))

    def catch_up(self) -> None:
        """Show the policy under the list's cursor now, without waiting for the cursor to rest."""
        row, policy_view = self.policies.rows.current, self.policy_view
        if row is None or not isinstance(row.value, PolicyEntry):
            if self.policies.filter:
                # Nothing may be done to a policy that the filter hides.
                self.policy_view = None
            return
        if policy_view is None or row.value.policy.arn != policy_view.entry.policy.arn:
            self.policy_view = PolicyView(row.value, row.value.policy.default_version)

    @on(RowReached)
    def _follow(self, message: RowReached) -> None:
        """Show the policy under the list's cursor, or the version that the user moved to, once the cursor rests."""
        row, policy_view = message.row, self.policy_view
        if message.pane == "policies":
            if row and policy_view and row.key == policy_view.entry.policy.arn:
                # The rows were set anew, as for a mark: a version that the cursor just reached is to be shown.
                return
            then = self.catch_up
        elif message.pane == "versions" and row and policy_view and self.versions.rows.has_focus:
            then = self._catch_up_with_version
        else:
            return
        self._following.call(then)

    def _catch_up_with_version(self) -> None:
        """Show the version under the cursor, which may have moved on since its rest ended."""
        row, policy_view = self.versions.rows.current, self.policy_view
        if row and policy_view:
            version = next((step.version for step in self.versions.steps if step is row.value), policy_view.version)
            self.policy_view = policy_view._replace(version=version)

    def action_mark(self) -> None:
        place = self.place
        if place is None:
            self.notify("Only policies and versions can be marked; 1 and 3 go to them.")
            return
        self.marks = with_mark(self.marks, place)

    def action_unmark(self) -> None:
        if not self.marks:
            self.notify("Nothing is marked; space marks a policy or a version.")
        self.marks = ()

    @property
    def place(self) -> PolicyAt | None:
        """The policy or version under the cursor of the focused pane."""
        row = self.row
        if row is not None and isinstance(row.value, PolicyEntry):
            return PolicyView(row.value, row.value.policy.default_version).place
        if (step := self.versions.step_of(row)) and self.policy_view:
            return PolicyView(self.policy_view.entry, step.version).place
        return None

    def action_diff(self) -> None:
        """Compare the two marks, or the row under the cursor with the mark or with the version before it."""
        self.catch_up()
        if self.policy_view is None:
            self.notify("No policy is shown; esc clears the filter of the list.")
            return
        row, shown = self.row, self.policy_view
        if self.pane == "attached":
            self._compare_role(row, shown)
            return
        if step := self.versions.step_of(row):
            shown = PolicyView(shown.entry, step.version)
        elif self.marks and self.pane == "policies":
            # A row of the list stands for the version in force, which may differ from the shown one.
            shown = PolicyView(shown.entry, shown.entry.policy.default_version)
        sides = sides_to_compare(self.marks, shown)
        if sides is None and shown.entry.access:
            self.notify("An access policy has one version; mark two of them with space, and d compares them.")
        elif sides is None:
            self.notify(f"{shown.place} is the first known version; mark another one with space.")
        else:
            self.post_message(ShowComparison(*sides))

    def _compare_role(self, row: Row | None, policy_view: PolicyView) -> None:
        role = self.attached.role_to_compare(row)
        if role is None:
            self.notify("Only a role can be compared with the policy; 3 goes to its versions.")
            return
        self.post_message(ShowComparison(role, policy_view.place))

    def action_copy(self) -> None:
        """Let the user choose what to copy from the row under the cursor."""
        # The command to sign in is what the user wants most.
        copies = screens.copying.copies_of_advice(self.account.error) if self.pane == "attached" else []
        if row := self.row:
            copies += screens.copying.copyables(row, self.policy_view, self.app.library)
        if copies:
            screens.copying.offer_copies(self, copies)
        else:
            self.notify("There is nothing under the cursor to copy.")

    def action_export(self) -> None:
        """Let the user save the shown version to a file."""
        self.catch_up()
        if self.policy_view:
            screens.copying.offer_exports(
                self, screens.copying.version_exports(self.policy_view, self.app.library, self.account.snapshot)
            )

    def action_notes(self) -> None:
        """Show all notes on the policy in the pane of the permissions, or close them again."""
        self.catch_up()
        if self.permissions.has_notes:
            self._close_notes()
            return
        self._notes_from = self.pane
        self.action_pane("permissions")
        self.permissions.show_about()

    def _close_notes(self) -> None:
        """Close the notes and go back to the pane from which they were opened."""
        self.permissions.show_about()
        self.action_pane(self._notes_from)

    def action_walk(self, step: int) -> None:
        """Show the known version before or after this one."""
        self.catch_up()
        if self.policy_view is None:
            return
        numbers = [info.number for info in self.policy_view.entry.policy.versions]
        index = numbers.index(self.policy_view.version) + step
        if 0 <= index < len(numbers):
            self.policy_view = PolicyView(self.policy_view.entry, numbers[index])
        else:
            self.notify(
                f"{self.policy_view.entry.policy.name} has no {'older' if step < 0 else 'newer'} known version."
            )

    def action_next(self, step: int) -> None:
        """Go to the next or previous stop of the focused pane, such as a policy that changed."""
        pane = self.focused_pane
        if not pane.to_next(step):
            self.notify(f"No {'next' if step > 0 else 'previous'} {pane.STOP} here.")

    def action_matrix(self) -> None:
        """Show services by access level for the marks, or for the shown version."""
        self.catch_up()
        places = self.marks if len(self.marks) > 1 else (self.policy_view.place,) if self.policy_view else ()
        if any(place.name.startswith("access:") for place in places):
            self.notify("Access policies have no services of AWS; d compares two of them.")
        elif places:
            self.post_message(ShowMatrix(places))

    def action_explain(self) -> None:
        """Explain a request for the action under the cursor, or let the user paste a message."""
        self.catch_up()
        action = "" if is_wild(self.action_of_row) else self.action_of_row  # no request can name a pattern
        against = f"policy:{self.policy_view.place}" if self.policy_view and not self.policy_view.entry.access else ""
        self.post_message(AskExplain(f"{against} {action}" if action else ""))


def _scope_of(entry: PolicyEntry) -> Scope:
    return "all" if entry.scope == "aws" else entry.scope
