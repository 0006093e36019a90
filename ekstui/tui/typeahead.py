"""Keys in turn: each has done all it does before the next is sent, so that what is typed ahead goes where it is meant.

Textual sends a key to the widget that has the focus at that moment. From there it climbs up to the app, which looks for
its binding, and what the binding does may be said from widget to widget before another one has the focus. What is typed
meanwhile would go to the widget that had the focus before.

Two things that Textual guarantees say when a key has done all: a node handles its messages one by one, in the order in
which they came; and `call_later` comes behind those that are there. So one asks, node by node from the focus up to the
app, to be called behind what waits there. When that was twice nothing, all the path, nothing of the key is left: what a
node said upwards would have been met further up, and what it said downwards the second time.
"""

import time
from collections import deque

from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.events import Event, Key, Paste

QUIET = 2
"""How often nothing waits on the path before the next key is sent."""

PATIENCE = 1.0
"""Seconds after which a key does not wait any more for the one before it: something else may go on for long."""


class TypeaheadApp(App[None]):
    """An app that sends a key, or what is pasted, once the one before it has taken effect."""

    def __init__(self, *, driver_class: type[Driver] | None = None, ansi_color: bool | None = None) -> None:
        super().__init__(driver_class=driver_class, ansi_color=ansi_color)
        self._typed: deque[Key | Paste] = deque()
        """What was typed and is not sent yet."""
        self._sent_at: float | None = None
        """When the key was sent that has not taken effect yet, on the monotonic clock."""

    @property
    def has_keys(self) -> bool:
        """Whether a key is on its path, or waits for its turn."""
        return self._sent_at is not None or bool(self._typed)

    async def on_event(self, event: Event) -> None:
        """Hold a key back while another one is on its path; everything else is Textual's."""
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
        # Each time anew: the focus may be elsewhere by then.
        return deque((self.focused or self.screen).ancestors_with_self)

    async def _follow(self, path: deque[DOMNode], sent_at: float, quiet: int, *, waiting: bool) -> None:
        """Go on behind what the next node has before it; once nothing was met all the path, often enough, send a key."""
        ends = not path
        while path:
            node = path.popleft()
            met = waiting or node.message_queue_size > 0
            # A node that is gone has nothing before it.
            if node.call_later(self._follow, path, sent_at, quiet, waiting=met):
                return
        if not ends:
            # Not even the app takes anything any more: it is ending, and keys mean nothing.
            self._typed.clear()
            return
        quiet = 0 if waiting else quiet + 1
        if self._sent_at != sent_at:
            return
        if quiet < QUIET and time.monotonic() - sent_at < PATIENCE:
            await self._follow(self._path(), sent_at, quiet, waiting=False)
        else:
            await self._send_next()
