"""The app: it owns the library and the background, and shows the screens; behaviour belongs to those."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key as KeyPress
from textual.events import Paste, Resize
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from ekstui import logbook
from ekstui.core.text import clean_line
from ekstui.errors import InputError
from ekstui.settings import Effective, Settings, nearest_words
from ekstui.tui import keys
from ekstui.tui.account import AccountChanged, AccountView, MfaAsked, SwitchAccount
from ekstui.tui.background import Job
from ekstui.tui.base import LibraryApp, is_too_small
from ekstui.tui.driver import repaint
from ekstui.tui.keys import KEYS, Key, bindings, declared, spelled, unknown_ids
from ekstui.tui.messages import AskExplain, AskWhoCan, PaneFailed, ShowAction
from ekstui.tui.screens.explorer import ExplorerScreen
from ekstui.tui.shown import Shown, Start
from ekstui.tui.widgets.pane import plain_failure
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ekstui.core.account import AccountSnapshot
    from ekstui.core.eks import Cluster
    from ekstui.core.lookup import Catalogue, Thing
    from ekstui.core.where import Side
    from ekstui.library import ClusterAnswer, DataStatus, Library
    from ekstui.tui.screens.chooser import ChooserScreen
    from ekstui.tui.shown import Marks

# The screens that the explorer does not lead to at once are imported when they are shown: together they take 110 ms
# of the start.

SIGNALLED = 128
"""A return code above this tells of a signal, as in a shell."""

RECENT = 8
"""How many of the things that were found last are offered again."""


class ClustersJudged(Message):
    """What is wrong in each cluster is known, for the table of them."""

    def __init__(self, chooser: ChooserScreen[Cluster], answers: Sequence[ClusterAnswer] | None) -> None:
        super().__init__()
        self.chooser = chooser
        self.answers = answers


class EkstuiApp(LibraryApp):
    """The explorer of AWS managed policies for EKS."""

    TITLE = "ekstui"
    # The palette is our own: Textual's shows a loading indicator, which sends 49 KB a second.
    ENABLE_COMMAND_PALETTE = False
    KEYS = (
        keys.FIND, keys.HELP, keys.BACK, keys.LEAVE, keys.WHO_CAN, keys.EXPLAIN, keys.CLUSTERS, keys.CHANGES, keys.ACCOUNT,
        keys.REPAINT, keys.SUSPEND, keys.QUIT,
    )  # fmt: skip
    # Keys of the app do not reach it from a dialogue; the one that quits does, as Textual says when ctrl+c is pressed.
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(keys.but(KEYS, keys.QUIT)),
        Binding(keys.QUIT.keys, keys.QUIT.action, show=False, id=keys.QUIT.id, priority=True),
    ]

    def __init__(
        self,
        library: Library | Callable[[], Library],
        start: Start | None = None,
        effective: Effective | None = None,
        account: AccountView | None = None,
    ) -> None:
        super().__init__(library, effective.settings if effective else None)
        self.settings_warnings = (*(effective.warnings if effective else ()), *adopt(self, self.settings))
        # A class attribute has no effect: App.__init__ sets the level from the environment.
        self.animation_level = "none"
        self._start = start
        self._account = account or AccountView()
        self._recent: tuple[Thing, ...] = ()
        """What was found last, newest first."""
        self._catalogue: tuple[Library, AccountSnapshot | None, DataStatus, Catalogue] | None = None

    def get_default_screen(self) -> ExplorerScreen:
        """Return the screen that everything starts from."""
        return ExplorerScreen(self._start, self._account)

    def on_mount(self) -> None:
        """Say what the settings have that the app does not know."""
        for warning in self.settings_warnings:
            self.notify(clean_line(warning), title="Settings", severity="warning", markup=False)

    def on_unmount(self) -> None:
        """Tell the work in the background that nobody waits any more."""
        self.background.cancel_all()

    @property
    def keys_here(self) -> tuple[Key, ...]:
        """The keys of the screen that is shown."""
        return declared(self.screen)

    def action_help(self) -> None:
        """Show how to find the usual answers, and the keys for where the user is."""
        from ekstui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.keys_here, self.KEYS))

    def action_repaint(self) -> None:
        """Paint the whole screen again."""
        repaint(self)

    async def action_back(self) -> None:
        """Go back one step: what the screen can undo, else off the screen."""
        step_back: Callable[[], bool] = getattr(self.screen, "step_back", lambda: False)
        if not step_back() and len(self.screen_stack) > 1:
            self.pop_screen()

    async def action_leave(self) -> None:
        """Leave the screen; the first one is the whole app."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            await self.action_quit()

    def action_find(self, pasted: str = "") -> None:
        """Let the user type or paste what to do or where to go."""
        from ekstui.tui.screens.palette import PaletteScreen

        here = self.keys_here
        commands = [key for key in (*here, *self.KEYS) if key.id not in (keys.FIND.id, keys.OPEN.id)]

        async def act(chosen: Thing | None) -> None:
            if chosen is None:
                return
            if isinstance(chosen.value, Key):
                await self.run_action(chosen.value.action, self.screen if chosen.value in here else self)
            else:
                self._recent = (chosen, *(each for each in self._recent if each != chosen))[:RECENT]
                self._open_found(chosen)

        explorer = self._explorer
        self.push_screen(PaletteScreen(commands, self._recent, explorer.account, explorer.marks, pasted), act)

    def _open_found(self, thing: Thing) -> None:
        from ekstui.core.lookup import Pasted, Sides
        from ekstui.tui.found import screen_of, shown_of

        if shown := shown_of(thing):
            self.go_to(shown)
        elif isinstance(thing.value, Sides):
            self._compare(thing.value)
        elif isinstance(thing.value, Pasted):
            self.post_message(AskExplain(thing.value.text))
        elif screen := screen_of(thing, self._explorer.account.snapshot, self._explorer.scope):
            self.push_screen(screen)

    def open_text(self, text: str) -> None:
        """Open what a text finds first, as if it had been typed where anything is found."""
        from ekstui.library.find_anything import catalogue

        for key in (keys.CHANGES, keys.ACCOUNT):
            if text == key.label:
                getattr(self, f"action_{key.action}")()
                return
        if found := catalogue(self.library, self._explorer.account.snapshot).find(text, 1):
            self._open_found(found[0])

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End the app; after a signal or with the terminal gone, keep where the user is."""
        if return_code > SIGNALLED and not self._exit:
            from ekstui.tui.returning import keep

            try:
                # An offer that was not taken yet stays as it is.
                if self._explorer.offer is None:
                    keep(list(self.screen_stack), self._explorer, self.library)
            except Exception as error:  # noqa: BLE001 (nothing may hold up the end)
                logbook.unexpected(error, "while the place was kept")
        super().exit(result, return_code, message)

    def on_key(self, event: KeyPress) -> None:
        """Say so where a key that has a meaning elsewhere does nothing on this screen."""
        if isinstance(self.screen, ModalScreen) or isinstance(self.focused, Input):
            return
        wanted = next((key for key in keys.KEYS if event.key in self.keys_of(key).split(",")), None)
        here = (*self.keys_here, *self.KEYS, *RowList.KEYS)
        if wanted is not None and wanted.id not in {key.id for key in here}:
            self.notify(f"{spelled(event.key)} ({wanted.label}) does nothing here; ? lists the keys.", markup=False)

    def on_paste(self, event: Paste) -> None:
        """Look up what is pasted where nothing takes it."""
        if event.text.strip() and not isinstance(self.screen, ModalScreen):
            self.action_find(event.text)

    def catalogue_of(self, library: Library, snapshot: AccountSnapshot | None) -> Catalogue | None:
        """Return all that can be found, where that was read before of the same policies and the same account."""
        known = self._catalogue
        same = known is not None and known[0] is library and known[1] is snapshot and known[2] == library.data()
        return known[3] if known is not None and same else None

    def keep_catalogue(self, library: Library, snapshot: AccountSnapshot | None, known: Catalogue) -> None:
        """Keep all that can be found for the next time."""
        self._catalogue = (library, snapshot, library.data(), known)

    def mark(self, marks: Marks) -> None:
        """Mark these policies and versions."""
        self._explorer.marks = marks

    def action_who_can(self) -> None:
        """Show who can do the action under the cursor of the screen, or let the user type one."""
        self._on_screen("action_who_can", AskWhoCan())

    def action_explain(self) -> None:
        """Explain a request for the action under the cursor of the screen, or let the user paste a message."""
        self._on_screen("action_explain", AskExplain())

    def _on_screen(self, action: str, otherwise: Message) -> None:
        own: Callable[[], None] | None = getattr(self.screen, action, None)
        if own is not None:
            own()
        else:
            self.post_message(otherwise)

    def action_changes(self) -> None:
        """Show what AWS changed across the policies."""
        from ekstui.tui.screens.changes import ChangesScreen

        if not isinstance(self.screen, ChangesScreen):
            self.push_screen(ChangesScreen(self._explorer.scope))

    def action_clusters(self) -> None:
        """Let the user choose one of the account's clusters, and show it."""
        from ekstui.library.cluster_answers import clusters as judged
        from ekstui.present.cluster import CLUSTER_COLUMNS, cluster_cells
        from ekstui.tui.screens.chooser import ChooserScreen
        from ekstui.tui.screens.cluster import ClusterScreen

        snapshot = self._explorer.account.snapshot
        clusters = snapshot.eks.clusters if snapshot and snapshot.eks else ()
        if not clusters:
            known = "No cluster of this account is known; a shows what was asked." if snapshot else (
                "No account was asked yet; a lists the profiles, and r asks AWS."
            )  # fmt: skip
            self.notify(known, markup=False)
            return

        def show(cluster: Cluster | None) -> None:
            if cluster is not None:
                self.push_screen(ClusterScreen(cluster.name, cluster.region))

        chooser = ChooserScreen("Clusters", [(cluster_cells(each), each) for each in clusters], CLUSTER_COLUMNS)
        self.push_screen(chooser, show)
        library = self.library

        def judge(_: Job) -> ClustersJudged:
            try:
                return ClustersJudged(chooser, judged(library))
            except BaseException:
                self.post_message(ClustersJudged(chooser, None))
                raise

        self.background.run(self, "clusters", judge)

    @on(PaneFailed)
    def _failed(self, message: PaneFailed) -> None:
        self.notify(clean_line(str(message.error)), severity="error", markup=False)

    @on(ClustersJudged)
    def _clusters_judged(self, message: ClustersJudged) -> None:
        from ekstui.present.cluster import cluster_cells

        # It may have been left by then: what was mounted once stays so.
        if message.chooser not in self.screen_stack:
            return
        if message.answers is not None:
            rows = [(cluster_cells(answer.cluster, answer), answer.cluster) for answer in message.answers]
        else:
            rows = [(cluster_cells(each, waiting=False), each) for _, each in message.chooser.choices]
        message.chooser.set_choices(rows)

    def _compare(self, sides: Sequence[str]) -> None:
        from ekstui.core.where import StandardInput, parse_sides

        try:
            before, after = parse_sides(sides)
            if StandardInput() in (before, after):
                raise InputError("Standard input belongs to the app.", "Name a file.")
        except InputError as error:
            self.notify(plain_failure(error), severity="error", markup=False)
        else:
            self.compare_sides(before, after)

    def compare_sides(self, before: Side, after: Side) -> None:
        """Show what differs between two sides."""
        from ekstui.tui.screens.compare import CompareScreen

        self.push_screen(CompareScreen(before, after))

    def on_resize(self, event: Resize) -> None:
        """Say so where there is no room for the app."""
        if is_too_small(event.size):
            from ekstui.tui.screens.too_small import TooSmallScreen

            if not isinstance(self.screen, TooSmallScreen):
                self.push_screen(TooSmallScreen())

    def go_to(self, shown: Shown) -> None:
        """Go back to the explorer and show a policy at a version there, once the caller is done."""
        # A screen that waited for its own end would wait for ever.
        self.call_later(self._go_to, shown)

    async def _go_to(self, shown: Shown) -> None:
        await self._go_home()
        if isinstance(self.screen, ExplorerScreen):
            self.screen.go_to(shown)

    @on(AskWhoCan)
    def _ask_who_can(self, message: AskWhoCan) -> None:
        from ekstui.tui.screens.who_can import WhoCanScreen

        self.push_screen(WhoCanScreen(message.action, self._explorer.scope))

    @on(AskExplain)
    def _ask_explain(self, message: AskExplain) -> None:
        from ekstui.tui.screens.explain import ExplainScreen

        self.push_screen(ExplainScreen(message.text))

    @on(ShowAction)
    def _show_action(self, message: ShowAction) -> None:
        from ekstui.tui.screens.action import ActionScreen

        self.push_screen(ActionScreen(message))

    def action_account(self) -> None:
        """Show the account, and let the user choose another."""
        from ekstui.tui.screens.account import AccountScreen

        if not isinstance(self.screen, AccountScreen):
            self.push_screen(AccountScreen(self._explorer.account))

    @property
    def _explorer(self) -> ExplorerScreen:
        return cast("ExplorerScreen", self.screen_stack[0])

    @on(SwitchAccount)
    async def _switch_account(self, message: SwitchAccount) -> None:
        if message.choice is not None:
            self.library = self.library.with_account(message.choice)
            from ekstui.tui.screens.account import AccountScreen

            self._explorer.forget_account()
            self._recent = ()
            # Whatever stands on the screens in between is about the account before.
            await self._go_home()
            await self.push_screen(AccountScreen(self._explorer.account))
        self._explorer.ask_account(ask=True)

    async def _go_home(self) -> None:
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    @on(AccountChanged)
    def _account_changed(self, message: AccountChanged) -> None:
        for screen in self.screen_stack[1:]:
            follow: Callable[[AccountView], None] | None = getattr(screen, "follow", None)
            if follow is not None:
                follow(message.view)

    @on(MfaAsked)
    def _ask_for_code(self, message: MfaAsked) -> None:
        from ekstui.tui.screens.mfa import MfaScreen

        self.push_screen(MfaScreen(message.device), message.answer)


def adopt(app: App[None], settings: Settings) -> tuple[str, ...]:
    """Give the app its theme and keys; return what of them it does not know, a sentence each."""
    return (*_theme(app, settings.theme), *_keys(app, settings))


def _theme(app: App[None], name: str) -> Iterable[str]:
    if name in app.available_themes:
        app.theme = name
        return ()
    return (f"There is no theme {name}{nearest_words(name, app.available_themes)}.",)


def _keys(app: App[None], settings: Settings) -> Iterable[str]:
    known = {key.id for key in KEYS}
    app.set_keymap({name: keys for name, keys in settings.keys.items() if name in known})
    return unknown_ids(settings.keys)
