"""The app: how it starts, the keys that work everywhere, which screen shows what, and how it ends.

Panes and screens post a request (`messages.py`), and the app opens a screen for it; the rest belongs to the screens.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Key as KeyPress
from textual.events import Paste, Resize
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from ekstui import logbook
from ekstui.change.policy import version_label
from ekstui.errors import EkstuiError, InputError
from ekstui.iam.text import clean_line
from ekstui.library import Library
from ekstui.library.catalog import version_at
from ekstui.library.notation import PolicyAt, RoleSide, VersionRange, parse_policy_or_range
from ekstui.library.remembered import RememberedPlace, keep_place
from ekstui.settings import Effective, nearest_words, read_file
from ekstui.tui import keys, screens
from ekstui.tui.background import first_view
from ekstui.tui.base import AppScreen, LibraryApp, is_too_small
from ekstui.tui.crash import LACKING
from ekstui.tui.driver import missing_from_textual, repaint
from ekstui.tui.keys import Key, all_keys, bindings, clashes, declared_keys, keys_as_shown, unknown_ids
from ekstui.tui.messages import (
    AccountView,
    AskExplain,
    AskWhoCan,
    Bookmark,
    MarksChosen,
    MfaAsked,
    Open,
    PaneFailed,
    PolicyView,
    QuestionAnswered,
    ShowAction,
    ShowComparison,
    ShowFound,
    ShowMatrix,
    Start,
    SwitchAccount,
)
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.widgets.pane import plain_failure
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

    from ekstui.eks.pods import PodPlace
    from ekstui.library import AccountChoice
    from ekstui.library.lookup import Thing

SIGNALLED = 128
"""Return codes above this mean that a signal ended the app, as in a shell."""

_RECENT = 10
"""How many recent things the palette offers again."""

RECENT_QUESTIONS = 5
"""How many of them are explanations and other questions."""

_QUESTIONS = ("denial", "action")


class EkstuiApp(LibraryApp):
    """The explorer of AWS managed policies for EKS."""

    TITLE = "ekstui"
    # ekstui has its own palette: Textual's shows a loading indicator, which sends 49 KB a second.
    ENABLE_COMMAND_PALETTE = False
    # Above the details of a row and the footer.
    CSS = "ToastRack { margin-bottom: 4; }"
    KEYS = (
        keys.FIND, keys.HELP, keys.BACK, keys.LEAVE, keys.WHO_CAN, keys.EXPLAIN, keys.CLUSTERS, keys.CHANGES,
        keys.ACCOUNT,
        keys.SYNC, keys.THEME, keys.REPAINT, keys.SUSPEND, keys.QUIT,
    )  # fmt: skip
    # The app's keys do not work in dialogs, except the one that quits: Textual names it when ctrl+c is pressed.
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(keys.without(KEYS, keys.QUIT)),
        Binding(keys.QUIT.keys, keys.QUIT.action, show=False, id=keys.QUIT.id, priority=True),
    ]

    recent: tuple[Thing, ...] = ()
    """What the user found last, newest first."""

    def __init__(
        self,
        library: Library | Callable[[], Library],
        start: Start | None = None,
        effective: Effective | None = None,
        choice: AccountChoice | None = None,
    ) -> None:
        super().__init__(library, effective.settings if effective else None, choice)
        self.settings_warnings = (*(effective.warnings if effective else ()), *unknown_ids(self.settings.keys))
        if self.settings.theme in self.available_themes:  # `run_app` refuses another
            self.theme = self.settings.theme
        self.set_keymap(self.settings.keys)
        # A class attribute has no effect: App.__init__ sets the level from the environment.
        self.animation_level = "none"
        self._start = start

    def get_default_screen(self) -> ExplorerScreen:
        """Return the four panes."""
        return ExplorerScreen(self._start, first_view(self.choice))

    def on_mount(self) -> None:
        """Warn about unknown settings."""
        for warning in self.settings_warnings:
            self.notify(warning, title="Settings", severity="warning")

    def on_unmount(self) -> None:
        self.background.cancel_all()

    @property
    def explorer(self) -> ExplorerScreen:
        """The first screen, with the four panes."""
        return cast("ExplorerScreen", self.screen_stack[0])

    async def go_home(self) -> None:
        """Close every screen except the first."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        self.explorer.forget_before()

    @property
    def keys_here(self) -> tuple[Key, ...]:
        """The keys of the current screen and, on the first one, of the focused pane."""
        return self.usable((*self._keys_of_pane, *declared_keys(self.screen)))

    @property
    def _keys_of_pane(self) -> tuple[Key, ...]:
        return declared_keys(self.explorer.focused_pane) if self.screen is self.explorer else ()

    def action_help(self) -> None:
        symbols = self.screen.SYMBOLS if isinstance(self.screen, AppScreen) else ()
        self.push_screen(screens.help_screen.HelpScreen(self.keys_here, self.usable(self.KEYS), symbols))

    def action_theme(self) -> None:
        screens.theme_screen.choose_theme(self)

    def action_repaint(self) -> None:
        repaint(self)

    async def action_back(self) -> None:
        """Go back one step within the screen, or leave it."""
        has_stepped = isinstance(self.screen, AppScreen) and self.screen.step_back()
        if not has_stepped and len(self.screen_stack) > 1:
            self._uncover()

    async def action_leave(self) -> None:
        if len(self.screen_stack) > 1:
            self._uncover()
        else:
            await self.action_quit()

    def _uncover(self) -> None:
        """Go back to the screen below; panes that cover one also show again what they showed before."""
        if self.screen is self.explorer:
            self.explorer.uncover()
        self.pop_screen()

    def action_find(self, text: str = "") -> None:
        """Open the palette, looking up what was pasted."""
        keys_here = self.keys_here
        commands = [key for key in (*keys_here, *self.usable(self.KEYS)) if key.id not in (keys.FIND.id, keys.OPEN.id)]

        async def act(thing: Thing | None) -> None:
            if thing is None:
                return
            if isinstance(thing.value, Key):
                pane, action = self.explorer.focused_pane, thing.value.action
                of_pane = self.screen is self.explorer and thing.value in declared_keys(pane)
                await self.run_action(action, pane if of_pane else self.screen if thing.value in keys_here else self)
            else:
                if thing.kind != "denial":  # its explanation is remembered, by the action
                    self.remember(thing)
                self.open_found(thing)

        explorer = self.explorer
        current_policy = explorer.policy_view.entry.name if explorer.policy_view and self.screen is explorer else ""
        self.push_screen(
            screens.palette_screen.PaletteScreen(
                commands, self.recent, explorer.account, explorer.marks, text, current_policy
            ),
            act,
        )

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End the app; after a signal or a lost terminal, save where the user is."""
        if return_code > SIGNALLED and not self._exit:
            try:
                # Keep a saved place that the user has not yet gone back to.
                if self.explorer.offer is None:
                    keep(self.screen_stack, self.explorer, self.library)
            except Exception as error:  # noqa: BLE001 (nothing may delay the exit)
                logbook.unexpected(error, "while saving the place")
        super().exit(result, return_code, message)

    def on_key(self, event: KeyPress) -> None:
        """Tell the user when a key that works elsewhere does nothing on this screen."""
        if isinstance(self.screen, ModalScreen) or isinstance(self.focused, Input):
            return
        # Asked first, since all keys are only known once all screens are imported.
        if self.pressed(event, (*self._keys_of_pane, *declared_keys(self.screen), *self.KEYS, *RowList.KEYS)):
            return

        def tell(keys_of_all: Iterable[Key]) -> None:
            if key := self.pressed(event, keys_of_all):
                self.notify(f"{keys_as_shown(event.key)} ({key.label}) does nothing here; ? lists the keys.")

        # The first time, this imports the screens that were not opened yet, 130 ms.
        self.background.run(self, f"key {event.key}", lambda _: all_keys(), tell)

    def on_paste(self, event: Paste) -> None:
        """Look up pasted text that no input takes."""
        if event.text.strip() and not isinstance(self.screen, ModalScreen):
            self.action_find(event.text)

    @on(PaneFailed)
    def _failed(self, message: PaneFailed) -> None:
        self.notify(str(message.error), severity="error")

    def on_resize(self, event: Resize) -> None:
        """Cover the app while the terminal is too small for it."""
        if is_too_small(event.size) and not isinstance(self.screen, screens.dialogs.TooSmallScreen):
            self.push_screen(screens.dialogs.TooSmallScreen())

    # Requests

    @on(AskWhoCan)
    def _ask_who_can(self, message: AskWhoCan) -> None:
        self.push_screen(screens.who_can_screen.WhoCanScreen(message.action, self.explorer.scope))

    @on(AskExplain)
    def _ask_explain(self, message: AskExplain) -> None:
        self.push_screen(screens.explain_screen.ExplainScreen(message.text))

    @on(ShowAction)
    def _show_action(self, message: ShowAction) -> None:
        self.push_screen(screens.card_screens.ActionScreen(message))

    @on(ShowComparison)
    def _show_comparison(self, message: ShowComparison) -> None:
        try:
            self.push_screen(screens.opening.comparison(message.before, message.after))
        except EkstuiError as error:
            self.notify(plain_failure(error), severity="error")

    @on(ShowMatrix)
    def _show_matrix(self, message: ShowMatrix) -> None:
        self.push_screen(screens.matrix_screen.MatrixScreen(message.places))

    def _show_policy(self, policy_view: PolicyView) -> None:
        """Show a policy in the four panes, over the screen from which it was opened."""
        covers = self.screen is not self.explorer
        self.explorer.visit(policy_view, covers=covers)
        if covers:
            # A screen may be on the stack twice: the panes are what one works in, above and below.
            self.push_screen(self.explorer)

    @on(Open)
    def _open(self, message: Open) -> None:
        self.open(message.what)

    def open(self, what: PolicyAt | RoleSide | PodPlace) -> None:
        """Show a policy in the four panes, or a role or pods on a screen of their own."""
        match what:
            case PolicyAt():
                self._show_place(what)
            case RoleSide(role):
                self.push_screen(screens.role_screen.RoleScreen(role))
            case _:
                self.push_screen(screens.pod_screen.PodScreen(what))

    def _show_place(self, place: PolicyAt) -> None:
        try:
            entry = screens.opening.find_entry(place.name, self.library)
        except EkstuiError as error:
            self.notify(plain_failure(error))
            return
        policy = entry.policy
        version = place.version or policy.default_version
        if version in [info.number for info in policy.versions]:
            self._show_policy(PolicyView(entry, version))
        else:
            label = f"{clean_line(policy.name)} {version_label(version)}"
            self.notify(f"{label} is not known yet; `ekstui sync` asks AWS.")

    @on(MarksChosen)
    def _marks_chosen(self, message: MarksChosen) -> None:
        self.explorer.marks = message.marks

    # What was found

    def remember(self, thing: Thing) -> None:
        """Put a thing first among those that are offered again, of which some are questions."""
        things = (thing, *(recent_thing for recent_thing in self.recent if recent_thing != thing))
        questions = [recent_thing for recent_thing in things if recent_thing.kind in _QUESTIONS][:RECENT_QUESTIONS]
        others = [recent_thing for recent_thing in things if recent_thing.kind not in _QUESTIONS][
            : _RECENT - len(questions)
        ]
        self.recent = tuple(
            recent_thing for recent_thing in things if recent_thing in questions or recent_thing in others
        )

    @on(QuestionAnswered)
    def _question_answered(self, message: QuestionAnswered) -> None:
        self.remember(message.question)

    @on(ShowFound)
    async def _show_found(self, message: ShowFound) -> None:
        self.row_to_reach = message.row
        for key in (keys.CHANGES, keys.ACCOUNT):
            if message.text == key.label:
                await self.run_action(key.action)
                return
        snapshot = self.explorer.account.snapshot
        if thing := screens.found_things.find_thing(message.text, message.kind, self.library, snapshot):
            self.open_found(thing)

    def open_found(self, thing: Thing) -> None:
        """Open what the user found, in the four panes or on a screen of its own."""
        try:
            target = screens.found_things.opened_by(thing, self.library, self.explorer.account.snapshot)
        except InputError as error:
            self.notify(plain_failure(error), severity="error")
            return
        match target:
            case PolicyView():
                self._show_policy(target)
            case AppScreen():
                self.push_screen(target)
            case Message():
                self.post_message(target)

    # Keys that work on every screen

    def action_changes(self) -> None:
        if not isinstance(self.screen, screens.changes_screen.ChangesScreen):
            self.push_screen(screens.changes_screen.ChangesScreen(self.explorer.scope))

    def action_sync(self) -> None:
        """Update the policies, whichever screen is shown."""
        self.explorer.sync()

    def action_clusters(self) -> None:
        screens.cluster_screens.choose_cluster(self, self.explorer.account.snapshot)

    # The account

    def action_account(self) -> None:
        """Show the account, where the user can choose another."""
        if not isinstance(self.screen, screens.account_screen.AccountScreen):
            self.push_screen(screens.account_screen.AccountScreen(self.explorer.account))

    @on(SwitchAccount)
    async def _switch_account(self, message: SwitchAccount) -> None:
        if message.choice is not None:
            self.library = self.library.with_account(message.choice)
            # The screens in between are about the previous account.
            await self.go_home()
            self.explorer.account = AccountView()
            self.recent = ()
            await self.push_screen(screens.account_screen.AccountScreen(self.explorer.account))
        self.explorer.ask_account(ask=True)

    @on(MfaAsked)
    def _ask_for_code(self, message: MfaAsked) -> None:
        self.push_screen(screens.dialogs.MfaScreen(message.device), message.answer)


def keep(screens: Sequence[Screen[object]], explorer: ExplorerScreen, library: Library) -> None:
    """Save where the user is, except in the demo; what names the account goes into the account's own file."""
    policy_view = explorer.policy_view
    if library.is_demo or policy_view is None:
        return
    at = datetime.now(UTC).replace(microsecond=0)
    bookmark, row = Bookmark(""), 0
    for screen in screens:
        if isinstance(screen, AppScreen) and screen.bookmark:
            bookmark, row = screen.bookmark, screen.query_one(RowList).cursor or 0
    list_keys = [row.key for row in explorer.policies.rows.rows if row.selectable]
    # A filter that matches nothing may be anything, even the name of a role.
    words = explorer.policies.filter if list_keys else ""
    policy = policy_view.entry.policy
    if (
        not (bookmark.text or words or explorer.marks)
        and list_keys[:1] == [policy.arn]
        and policy_view.version == policy.default_version
    ):
        return  # the app opens there anyway
    keep_place(
        RememberedPlace(
            at,
            explorer.scope,
            policy_view.entry.policy.arn,
            int(policy_view.version),
            words,
            tuple(map(str, explorer.marks)),
            "" if bookmark.of_account else bookmark.text,
            row,
        )
    )
    if bookmark.of_account:
        library.account.keep_place(at, bookmark.text)


def run_app(start_text: str | None, effective: Effective, account: AccountChoice) -> int:
    """Run the app, opened at `start_text` if given, and return the exit code.

    Raises NotFoundError for an unknown policy or version, and InputError for an unknown theme or a key with two
    meanings, before the screen changes.
    """
    if os.environ.get("NO_COLOR") == "":
        # By convention an empty NO_COLOR has no effect; Textual would drop the colours.
        del os.environ["NO_COLOR"]
    # Libraries must not log, or print a thread's traceback, over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = _log_thread

    if missing_names := (*missing_from_textual(), *LACKING):
        sys.stderr.write(
            f"ekstui: this Textual lacks {', '.join(missing_names)}: its own driver draws, and an error ends the app.\n"
        )
    app = EkstuiApp(
        lambda: Library.open(account._replace(mfa_prompt=app.mfa)),
        where_to_start(start_text, Library.open(account)) if start_text else None,
        effective,
        account,
    )
    theme = effective.settings.theme
    if theme not in app.available_themes:
        suggestion = nearest_words(theme, app.available_themes)
        raise InputError(
            f"{effective.origins['theme']}: there is no theme {theme}{suggestion}.",
            "ekstui config edit opens the settings.",
        )
    for name, reason in clashes(effective.settings.keys).items():
        file = read_file(effective.path)
        place = file.place(f"keys.{name}") if file else str(effective.path)
        raise InputError(f"{place}: {name}: {reason}.", "Give one of the two another key: ekstui config edit.")
    app.run(mouse=effective.settings.mouse)
    # run() returns normally after a crash; the app has the code.
    return app.return_code or 0


def where_to_start(text: str, library: Library) -> Start:
    """Return where `POLICY`, `POLICY@v5` or `POLICY@v5..v6` leads; raises NotFoundError if it is unknown."""
    place = parse_policy_or_range(text)
    entry = library.find(place.name)
    if isinstance(place, VersionRange):
        before, after = (version_at(entry.policy, side) for side in (place.before, place.after))
        return Start(PolicyView(entry, after), before)
    return Start(PolicyView(entry, version_at(entry.policy, place)))


def _log_thread(hook_arguments: threading.ExceptHookArgs) -> None:
    if hook_arguments.exc_value is not None:
        logbook.unexpected(
            hook_arguments.exc_value,
            f"it ended the thread {hook_arguments.thread.name if hook_arguments.thread else ''}",
        )
