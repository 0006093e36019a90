"""An app without a terminal is drawn when a test looks, not twenty times a second for nobody: that is a third of its time."""

from typing import Any

from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App

_update = Compositor.render_update


def _for_a_terminal(compositor: Compositor, full: bool = False, **others: Any) -> Any:
    """Draw what is new if there is a terminal, or all where that is asked for, as pictures do; else it stays to be drawn."""
    return _update(compositor, full, **others) if full or not active_app.get().is_headless else None


def draw(app: App[Any]) -> None:
    """Draw all that the app shows if anything of it has changed since: what cannot be drawn is an error."""
    compositor = app.screen._compositor
    if compositor._dirty_regions:
        # All at once takes less than the parts that many changes leave.
        _update(compositor, full=True, screen_stack=app._background_screens)
        compositor._dirty_regions.clear()


Compositor.render_update = _for_a_terminal  # type: ignore[assignment, method-assign]
