"""What happens on an unexpected error: a sentence where it occurred, or a clean exit.

Textual exits on any error in any handler and prints a traceback with local variables, which may hold account data. The
private names used here are those of version 8.2.8; `tests/tui/test_crash.py` checks each. If a version does not have
one of them, an error ends the app, with a sentence.
"""

import sys
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Final, Protocol, runtime_checkable

from rich.text import Text
from textual import events, messages
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from ekstui import logbook
from ekstui.errors import EkstuiError
from ekstui.iam.text import clean_line
from ekstui.tui.driver import missing

BROKEN: Final = 70
"""The exit code after an internal error: EX_SOFTWARE of sysexits."""

MAX_ERRORS: Final = 10
"""More errors than this within _PERIOD end the app."""

_PERIOD: Final = 10.0
"""Seconds."""

_CALLERS = (
    (MessagePump, "_process_messages_loop"),  # after an idle handler; for messages see `_guarded`
    (MessagePump, "_flush_next_callbacks"),
    (Timer, "_tick"),
    (Screen, "_refresh_layout"),
    (App, "_display"),
)
"""Callers of `_handle_exception` that continue if it returns."""

LACKING = (
    *(name for kind, method in _CALLERS for name in missing(kind, method)),
    *missing(App, "_dispatch_message", "_exception", "_exception_event", "_exit", "_exit_renderables",
             "_handle_exception", "_register_child", "_return_code"),
)  # fmt: skip
"""What surviving an error builds on and this version of Textual does not have."""

_GO_ON = frozenset(getattr(kind, method).__code__ for kind, method in _CALLERS if hasattr(kind, method))

_MUST_WORK = (events.Compose, events.Mount, messages.CloseMessages, messages.Prune)
"""If one of these fails, its widget is in no usable state."""


@runtime_checkable
class _ShowsErrors(Protocol):
    def show_error(self, error: EkstuiError) -> None: ...


class SurvivingApp(App[None]):
    """An app that survives errors in handlers, and prints no traceback for a fatal one."""

    _doomed: BaseException | None = None
    """An error that was raised again because the app cannot survive it."""
    _fatal: BaseException | None = None
    """The error that ends the app."""
    _survived: tuple[float, ...] = ()
    """The times of the latest errors, on the monotonic clock."""

    def _handle_exception(self, error: Exception) -> None:
        if error is not self._doomed and sys._getframe(1).f_code in _GO_ON and self._survive(error, None):
            return
        self.fail_test(error)
        self._return_code = BROKEN
        if self._fatal is None:
            self._fatal = error
            logbook.unexpected(error, "it ends the app")
        self.panic()

    def panic(self, *renderables: Any) -> None:
        """End the app with one sentence."""
        del renderables  # they may hold a traceback
        self._return_code = BROKEN
        if not getattr(self, "_exit_renderables", None):
            super().panic(Text(clean_line(logbook.ending(self._fatal))))

    async def _dispatch_message(self, message: Message) -> None:
        await self._guarded(super()._dispatch_message, self, message)

    def _register_child(self, parent: DOMNode, child: Widget, before: int | None, after: int | None) -> None:
        if not LACKING:
            dispatch = child._dispatch_message

            async def guarded(message: Message) -> None:
                await self._guarded(dispatch, child, message)

            child._dispatch_message = guarded  # type: ignore[method-assign]  # so that Textual's own survive too
        super()._register_child(parent, child, before, after)

    async def _guarded(self, dispatch: Callable[[Message], Awaitable[None]], node: DOMNode, message: Message) -> None:
        """Handle a message; if this raises, the node handles no further messages."""
        try:
            await dispatch(message)
        except Exception as error:  # this module is the boundary
            if isinstance(message, _MUST_WORK) or not self._survive(error, node):
                self._doomed = error
                raise

    def _survive(self, error: Exception, node: DOMNode | None) -> bool:
        """Show the error in its pane or as a toast; False if the app cannot continue."""
        if LACKING or self._exit or not self.is_running or not self.screen_stack:
            return False
        now = monotonic()
        self._survived = (*(moment for moment in self._survived if now - moment < _PERIOD), now)
        if len(self._survived) > MAX_ERRORS:
            return False
        self.fail_test(error)
        words = logbook.unexpected(error, f"in {type(node).__name__}" if node else "in a callback")
        pane = _place(error, node)
        try:
            if pane is not None:
                pane.show_error(words)
                return True
        except Exception as again:  # noqa: BLE001 (fall back to the toast)
            logbook.unexpected(again, "while showing it")
        self.notify(str(words), severity="error")
        return True

    def fail_test(self, error: Exception) -> None:
        """Make a test that runs the app fail."""
        if not LACKING and self.is_headless and self._exception is None:
            self._exception = error
            self._exception_event.set()


def _place(error: BaseException, node: DOMNode | None) -> _ShowsErrors | None:
    """Return the innermost pane in the traceback, or else the node's own pane."""
    pane: _ShowsErrors | None = None
    trace = error.__traceback__
    while trace is not None:
        owner = trace.tb_frame.f_locals.get("self")
        if isinstance(owner, Widget) and owner is not node:
            pane = _pane_of(owner) or pane
        trace = trace.tb_next
    return pane or (_pane_of(node) if node else None)


def _pane_of(node: DOMNode) -> _ShowsErrors | None:
    return next((above for above in node.ancestors_with_self if isinstance(above, _ShowsErrors)), None)
