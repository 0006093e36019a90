"""An app without a terminal is drawn when a test looks, not twenty times a second for nobody: that is a third of its time.

The rules of its stylesheet are parsed once in a process, which is a twentieth.
"""

from typing import Any

from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_update = Compositor.render_update
_parse_rules = Stylesheet._parse_rules
_rules: dict[object, list[RuleSet]] = {}


def _for_a_terminal(compositor: Compositor, full: bool = False, **options: Any) -> Any:
    """Draw what is new if there is a terminal, or all where that is asked for, as pictures do; else it stays to be drawn."""
    return _update(compositor, full, **options) if full or not active_app.get().is_headless else None


def draw(app: App[Any]) -> None:
    """Draw all that the app shows if anything of it has changed since: what cannot be drawn is an error."""
    compositor = app.screen._compositor
    if compositor._dirty_regions:
        # All at once takes less than the parts that many changes leave.
        _update(compositor, full=True, screen_stack=app._background_screens)
        compositor._dirty_regions.clear()


def _parsed_once(stylesheet: Stylesheet, *source: Any, **others: Any) -> list[RuleSet]:
    """Parse a part of a stylesheet, or return its rules if any app has had it with the same variables, such as colours."""
    key = (source, tuple(others.items()), tuple(stylesheet._variables.items()))
    if key not in _rules:
        _rules[key] = _parse_rules(stylesheet, *source, **others)
    return _rules[key]


Stylesheet._parse_rules = _parsed_once  # type: ignore[assignment, method-assign]
Compositor.render_update = _for_a_terminal  # type: ignore[assignment, method-assign]
