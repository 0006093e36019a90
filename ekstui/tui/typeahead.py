"""Typeahead: a key is sent only once the previous one has taken full effect, so that it reaches the right widget.

Textual sends a key to the focused widget. The key bubbles up to the app, which runs its binding, and the binding may
post messages from widget to widget before the focus moves. Keys typed in the meantime would go to the old focus.

Two guarantees of Textual tell when a key is done: a node handles its messages one by one, in order, and `call_later`
queues behind those already waiting. So `_follow` walks from the focus up to the app, each time calling itself behind
the node's queue. Two walks in a row that meet no message mean that the key is done: messages sent upwards would be met
on the same walk, and those sent downwards on the next.
"""

import time
from collections import deque

from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.events import Event, Key, Paste

QUIET = 2
"""Walks without a message before the next key is sent."""

PATIENCE = 1.0
"""Seconds that a key waits for the previous one, in case something else keeps the queues busy."""


class TypeaheadApp(App[None]):
    """An app that sends a key or a paste only once the previous one has taken effect."""

    def __init__(self, *, driver_class: type[Driver] | None = None, ansi_color: bool | None = None) -> None:
        super().__init__(driver_class=driver_class, ansi_color=ansi_color)
        self._typed: deque[Key | Paste] = deque()
        """Keys and pastes that are still to be sent."""
        self._sent_at: float | None = None
        """When the current key was sent, on the monotonic clock; None between keys."""

    @property
    def has_keys(self) -> bool:
        """Whether a key is being handled or waiting."""
        return self._sent_at is not None or bool(self._typed)

    async def on_event(self, event: Event) -> None:
        """Queue keys and pastes; everything else goes to Textual at once."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        if self._sent_at is None or time.monotonic() - self._sent_at > PATIENCE:
            await self._send_next()

    async def _send_next(self) -> None:
        self._sent_at = None
        if self._typed:
            self._sent_at = time.monotonic()
            await super().on_event(self._typed.popleft())
            await self._follow(self._path(), self._sent_at, 0, waiting=True)

    def _path(self) -> deque[DOMNode]:
        # Looked up for each walk: the focus may have moved.
        return deque((self.focused or self.screen).ancestors_with_self)

    async def _follow(self, path: deque[DOMNode], sent_at: float, quiet: int, *, waiting: bool) -> None:
        """Continue the walk behind the next node's queue; after enough quiet walks, send the next key."""
        ends = not path
        while path:
            node = path.popleft()
            met = waiting or node.message_queue_size > 0
            # A node that is gone has no queue; go on to the next.
            if node.call_later(self._follow, path, sent_at, quiet, waiting=met):
                return
        if not ends:
            # Even the app takes no more messages: it is closing.
            self._typed.clear()
            return
        quiet = 0 if waiting else quiet + 1
        if self._sent_at != sent_at:
            return
        if quiet < QUIET and time.monotonic() - sent_at < PATIENCE:
            await self._follow(self._path(), sent_at, quiet, waiting=False)
        else:
            await self._send_next()
