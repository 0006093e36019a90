"""Keys in turn: each has done all it does before the next is sent, so that what is typed ahead goes where it is meant.

Textual sends a key to the widget that has the focus at that moment; from there the key climbs up to the app, which
looks for its binding, and what the binding does may be said from widget to widget again before another one has the
focus. Whatever is typed meanwhile would go to the widget that had the focus before.
"""

import time
from collections import deque
from collections.abc import Iterator

from textual.app import App
from textual.dom import DOMNode
from textual.driver import Driver
from textual.events import Event, Key, Paste

ROUNDS = 3
"""How often the way from the focus up to the app is gone before the next key: behind the key, behind what the widget
says because of it (a row was opened), and behind what its owner says because of that (show the action). Each begins
where the focus is by then, and waits for a screen that is still being made."""

PATIENCE = 1.0
"""Seconds after which a key does not wait any more for the one before it."""


class KeysInTurnApp(App[None]):
    """An app that sends a key, or what is pasted, once the one before it has taken effect."""

    def __init__(self, *, driver_class: type[Driver] | None = None, ansi_color: bool | None = None) -> None:
        super().__init__(driver_class=driver_class, ansi_color=ansi_color)
        self._typed: deque[Key | Paste] = deque()
        """What was typed and is not sent yet."""
        self._sent_at: float | None = None
        """When the key was sent that has not taken effect yet, on the monotonic clock."""

    async def on_event(self, event: Event) -> None:
        """Hold a key back while another one is on its way; everything else is Textual's."""
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
            await self._follow(self._way(), self._sent_at)

    def _way(self) -> Iterator[DOMNode]:
        for _ in range(ROUNDS):
            yield from (self.focused or self.screen).ancestors_with_self

    async def _follow(self, way: Iterator[DOMNode], sent_at: float) -> None:
        """Wait behind what every node on the way has before it, one after the other, and then send the next key."""
        for node in way:
            # A node that is gone has nothing before it.
            if node.call_later(self._follow, way, sent_at):
                return
        if self._sent_at == sent_at:
            await self._send_next()
