"""The bases of the app and its screens: what each may ask of the other, and how keys typed ahead are sent."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual.dom import DOMNode
from textual.events import Event, Paste
from textual.events import Key as KeyPress
from textual.geometry import Size
from textual.getters import app
from textual.message_pump import MessagePump
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from ekstui.iam.text import clean_line
from ekstui.library import AccountChoice
from ekstui.present.styled import Row
from ekstui.settings import Settings
from ekstui.tui.background import Background, MfaPrompter
from ekstui.tui.crash import SurvivingApp
from ekstui.tui.driver import driver_class
from ekstui.tui.driver.escape import EscapedKey
from ekstui.tui.keys import RENEWING, HasKeys, Key
from ekstui.tui.messages import AccountView, AskExplain, AskWhoCan, Bookmark
from ekstui.tui.styles import readable

if TYPE_CHECKING:
    from ekstui.library import Library
    from ekstui.library.lookup import Catalogue


FOLLOW_AFTER = 0.12
"""Seconds that the cursor rests on a row before anything follows it, so that a held key repaints only the rows."""


class Debounce:
    """Calls something after a pause, unless it is to call something else before that."""

    def __init__(self, owner: MessagePump, seconds: float = FOLLOW_AFTER) -> None:
        self._owner = owner
        self._seconds = seconds
        self._timer: Timer | None = None

    def call(self, then: Callable[[], object]) -> None:
        """Call this after the pause, and nothing that still waits."""
        self.cancel()
        self._timer = self._owner.set_timer(self._seconds, then)

    def cancel(self) -> None:
        """Call nothing."""
        if self._timer:
            self._timer.stop()


AGES_AFTER = 60
"""Seconds between updates of the ages in the header."""


MIN_SIZE = Size(60, 15)
"""Columns and lines."""


def is_too_small(size: Size) -> bool:
    """Return whether a terminal of this size is too small for the app."""
    return size.width < MIN_SIZE.width or size.height < MIN_SIZE.height


_QUIET = 2
"""Walks without a message before the next key is sent."""

_MOST_WALKS = 1_000
"""Walks after which the next key is sent all the same, in case something else keeps the queues busy.

Not seconds, in which a busy machine may not even have opened the screen that the next key is meant for.
"""

_PATIENCE = 10.0
"""Seconds after which a new key is sent though no walk has ended, in case a node is stuck."""


class LibraryApp(SurvivingApp):
    """An app with a library, and a background to ask it in, that sends a key or a paste only once the last took effect.

    Textual sends a key to the focused widget. The key bubbles up to the app, which runs its binding, and the binding
    may post messages from widget to widget before the focus moves. Keys typed in the meantime would go to the old
    focus.

    Two guarantees of Textual tell when a key is done: a node handles its messages one by one, in order, and
    `call_later` queues behind those already waiting. So `_follow` walks from the focus up to the app, each time calling
    itself behind the node's queue. Two walks in a row that meet no message mean that the key is done: messages sent
    upwards would be met on the same walk, and those sent downwards on the next.
    """

    def __init__(
        self,
        library: Library | Callable[[], Library],
        settings: Settings | None = None,
        choice: AccountChoice | None = None,
    ) -> None:
        # With NO_COLOR alone, Textual still sends greys.
        super().__init__(driver_class=driver_class(), ansi_color=True if os.environ.get("NO_COLOR") else None)
        self._typed: deque[KeyPress | Paste] = deque()
        """Keys and pastes that are still to be sent."""
        self._sent_at: float | None = None
        """When the current key was sent, on the monotonic clock; None between keys."""
        self._library = library
        self._choice = choice
        self.started_with = self.choice
        """The account that the app was started with."""
        self.settings = settings or Settings()
        self.background = Background()
        self.mfa = MfaPrompter(self)
        self._toasts_of: Screen[Any] | None = None
        """The screen that the last toast was shown on."""
        self.row_to_reach = 0
        """The row for the cursor of the report that opens next: where it was when the connection was lost."""
        self.catalogue: tuple[object, Catalogue] | None = None
        """The palette's catalogue, and before it what it was made from: library, snapshot, state of the data."""

    def on_mount(self) -> None:
        """Take the toasts away when the user goes to another screen."""
        self.screen_change_signal.subscribe(self, lambda _: self._drop_toasts())

    @property
    def _screen_below_dialogs(self) -> Screen[Any] | None:
        """The top screen that is no dialog."""
        return next((screen for screen in reversed(self.screen_stack) if not screen.is_modal), None)

    def _drop_toasts(self) -> None:
        if self._toasts_of is not None and self._toasts_of is not self._screen_below_dialogs:
            self._toasts_of = None
            self.clear_notifications()

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, with text colours that contrast enough."""
        self.theme_variables = readable(super().get_css_variables())
        return self.theme_variables

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - it may be AWS's text, which is never markup
    ) -> None:
        """Show a sentence as a toast, cleaned; it goes when the user goes to another screen."""
        self._toasts_of = self._screen_below_dialogs
        super().notify(clean_line(message), title=title, severity=severity, timeout=timeout, markup=False)

    @property
    def library(self) -> Library:
        """The library, opened on first use."""
        if callable(self._library):
            self._library = self._library()
        return self._library

    @library.setter
    def library(self, library: Library) -> None:
        self._library = library

    @property
    def choice(self) -> AccountChoice:
        """The account to ask, known before the library is opened."""
        account_choice = self._choice if callable(self._library) else self._library.choice
        return account_choice or AccountChoice()

    def usable(self, keys: Iterable[Key]) -> tuple[Key, ...]:
        """Return the keys without those that renew where nothing can be renewed, in the demo and offline."""
        renews = not (self.choice.demo or self.choice.offline)
        return tuple(key for key in keys if renews or key.id not in RENEWING)

    def keys_of(self, key: Key) -> str:
        """Return the key's bindings, as the user has them."""
        return self.settings.keys.get(key.id, key.keys)

    def pressed(self, event: KeyPress, keys: Iterable[Key]) -> Key | None:
        """Return which of these keys was pressed; None if none was."""
        return next((key for key in keys if event.key in self.keys_of(key).split(",")), None)

    @property
    def has_keys(self) -> bool:
        """Whether a key is being handled or waiting."""
        return self._sent_at is not None or bool(self._typed)

    async def on_event(self, event: Event) -> None:
        """Queue keys and pastes; everything else goes to Textual at once."""
        if not isinstance(event, KeyPress | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        if self._sent_at is None or time.monotonic() - self._sent_at > _PATIENCE:
            await self._send_next()

    async def _send_next(self) -> None:
        self._sent_at = None
        if self._typed:
            self._sent_at = time.monotonic()
            event = self._typed.popleft()
            if isinstance(event, EscapedKey):
                event, *others = event.read(self._effective_bindings())
                self._typed.extendleft(others)
            await super().on_event(event)
            await self._follow(self._path(), self._sent_at, 0, 0, waiting=True)

    def _effective_bindings(self) -> set[str]:
        """Return the keys that do something here; at an end of an input, those that move on by a word do nothing."""
        bound_names = set(self.active_bindings)
        if isinstance(line := self.focused, Input):
            ends = {"ctrl+left": 0, "ctrl+right": len(line.value)}
            bound_names -= {key for key, end in ends.items() if line.cursor_position == end}
        return bound_names

    def _path(self) -> deque[DOMNode]:
        # Looked up for each walk: the focus may have moved.
        return deque((self.focused or self.screen).ancestors_with_self)

    async def _follow(self, path: deque[DOMNode], sent_at: float, walks: int, quiet: int, *, waiting: bool) -> None:
        """Continue the walk behind the next node's queue; after enough quiet walks, send the next key."""
        ends = not path
        while path:
            node = path.popleft()
            has_messages = waiting or node.message_queue_size > 0
            # A node that is gone has no queue; go on to the next.
            if node.call_later(self._follow, path, sent_at, walks, quiet, waiting=has_messages):
                return
        if not ends:
            # Even the app takes no more messages: it is closing.
            self._typed.clear()
            return
        quiet = 0 if waiting else quiet + 1
        if self._sent_at != sent_at:
            return
        if quiet < _QUIET and walks < _MOST_WALKS:
            await self._follow(self._path(), sent_at, walks + 1, quiet, waiting=False)
        else:
            await self._send_next()


class AppScreen(HasKeys, Screen[None]):
    """A screen that is no dialog: what the app asks of each."""

    SYMBOLS: Sequence[tuple[str, str]] = ()
    """Its signs and what they mean, for the help."""

    app = app(LibraryApp)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        raise NotImplementedError

    @property
    def bookmark(self) -> Bookmark | None:
        """What to type into the palette to get here again; None if nothing does."""
        return None

    def step_back(self) -> bool:
        """Go back one step within the screen; False if there is none."""
        return False

    def show_account(self, view: AccountView) -> None:
        """Show what became known of the account, if the screen is about it."""

    @property
    def action_of_row(self) -> str:
        """The action or pattern that the row under the cursor is about; empty if there is none."""
        from ekstui.tui.row_actions import action_of

        return action_of(self.row.value) if self.row else ""

    def action_who_can(self) -> None:
        self.post_message(AskWhoCan(self.action_of_row))

    def action_explain(self) -> None:
        self.post_message(AskExplain())
