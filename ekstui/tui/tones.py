"""What the tones look like in the theme that the app has.

Component classes would do the same, but Textual looks at every style of the app for each of them, for each widget and
each time: for four lists that was a fifth of the start. These are worked out when they are first painted.
"""

from typing import Any, Final, NamedTuple

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.widget import Widget


class _Look(NamedTuple):
    """Names of the theme's variables; empty for what is behind the text as it is."""

    colour: str = ""
    background: str = ""
    bold: bool = False


_MUTED: Final = _Look("text-muted")
_GOOD: Final = _Look("text-success")
_BAD: Final = _Look("text-error")
LOOKS: Final = {
    "muted": _MUTED, "strong": _Look(bold=True), "accent": _Look("text-accent"), "good": _GOOD, "bad": _BAD,
    "warn": _Look("text-warning"), "added": _GOOD, "removed": _BAD, "hit": _Look("text-warning", "warning-muted", bold=True),
    "cursor": _Look("block-cursor-foreground", "block-cursor-background", bold=True),
    "cursor-blurred": _Look("", "surface-lighten-1"), "header": _Look("text-muted", bold=True),
}  # fmt: skip

_UNDERLINED: Final = ("cursor-blurred", "hit")
"""Parts that must be told from others where there are no colours, as NO_COLOR asks for."""


def rich_style(widget: Widget, name: str) -> Style:
    """Return how a tone, or a part of a list, looks on what is behind this widget."""
    look = LOOKS[name]
    if widget.app.no_color:
        return Style(bold=look.bold or None, reverse=name == "cursor" or None, underline=name in _UNDERLINED or None)
    behind = widget.visual_style
    background = behind.background or Color(0, 0, 0)
    if look.background:
        background += _colour(widget.app, look.background, background)
    colour = _colour(widget.app, look.colour, background) if look.colour else behind.foreground
    return Style(
        color=(background + colour).rich_color if colour else None,
        bgcolor=background.rich_color,
        bold=bool(look.bold or behind.bold) or None,
    )


def _colour(app: App[Any], variable: str, background: Color) -> Color:
    """Return the colour of a variable: `auto 60%` is one that can be read on the background, so strongly."""
    name, _, strength = app.theme_variables[variable].partition(" ")
    alpha = float(strength.rstrip("%")) / 100 if strength else 1.0
    return background.get_contrast_text(alpha) if name == "auto" else Color.parse(name).multiply_alpha(alpha)
