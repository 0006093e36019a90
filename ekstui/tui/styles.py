"""How styles such as `muted` look in a theme, with enough contrast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.widget import Widget

from ekstui.named_tuples import NamedTuple

# How styles such as `muted` look in the current theme. Component classes would do the same, but Textual matches each of
# them against every rule of the app, for every widget: a fifth of the start for four lists.


class _Look(NamedTuple):
    """Names of theme variables; empty means the widget's own colour."""

    colour: str = ""
    background: str = ""
    bold: bool = False

    @property
    def content_style(self) -> str:
        """The look as Textual's Content takes it; a background of its own becomes reversed colours."""
        colour = f"${self.colour}" if self.colour else ""
        return "reverse" if self.background else " ".join(filter(None, ("bold" if self.bold else "", colour)))


_MUTED: Final = _Look("text-muted")
_GOOD: Final = _Look("text-success")
_BAD: Final = _Look("text-error")
LOOKS: Final = {
    "muted": _MUTED, "strong": _Look(bold=True), "accent": _Look("text-accent"), "good": _GOOD, "bad": _BAD,
    "warn": _Look("text-warning"), "added": _GOOD, "removed": _BAD,
    "hit": _Look("text-warning", "warning-muted", bold=True),
    "cursor": _Look("block-cursor-foreground", "block-cursor-background", bold=True),
    "cursor-blurred": _Look("", "surface-lighten-1"), "header": _Look("text-muted", bold=True),
    "key": _Look("text-accent", bold=True),
}  # fmt: skip

_UNDERLINED: Final = ("cursor-blurred", "hit")
"""Styles that are underlined when NO_COLOR is set."""


LEAST_CONTRAST: Final = 4.5
"""The contrast that WCAG 2.1 requires between text and background at level AA."""

_TEXTS: Final = ("foreground", "text-accent", "text-success", "text-error", "text-warning", "text-primary")
_BEHIND: Final = ("background", "surface", "panel")


def readable(variables: Mapping[str, str]) -> dict[str, str]:
    """Return a theme's variables with text colours changed as little as needed for enough contrast."""
    changed_variables = {"text-muted": "auto 70%"}
    grounds = [Color.parse(variables[name]) for name in _BEHIND]
    for name in _TEXTS:
        if variables[name].startswith(("auto", "ansi")) or any(ground.ansi is not None for ground in grounds):
            continue
        colour = Color.parse(variables[name])
        for ground in grounds:
            colour = with_contrast(colour, ground)
        changed_variables[name] = colour.hex
    if grounds[0].ansi is not None:
        return dict(variables)
    return {**variables, **changed_variables}


def with_contrast(colour: Color, ground: Color) -> Color:
    """Return the colour, blended towards black or white until it contrasts enough with the background."""
    if colour.ansi is not None or ground.ansi is not None:
        return colour
    light, dark = Color(255, 255, 255), Color(0, 0, 0)
    towards = light if contrast(light, ground) > contrast(dark, ground) else dark
    for step in range(21):
        blend = colour.blend(towards, step / 20)
        if contrast(blend, ground) >= LEAST_CONTRAST:
            return blend
    return towards


def contrast(colour_a: Color, colour_b: Color) -> float:
    """Return the contrast ratio of WCAG 2.1: 1 for equal colours, 21 for black and white."""
    darker, lighter = sorted((_luminance(colour_a), _luminance(colour_b)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.r / 255, colour.g / 255, colour.b / 255)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rich_style(widget: Widget, name: str) -> Style:
    """Return a style, or the look of a part of a list, on this widget's background."""
    look = LOOKS[name]
    if widget.app.no_color:
        return Style(bold=look.bold or None, reverse=name == "cursor" or None, underline=name in _UNDERLINED or None)
    widget_style = widget.visual_style
    background = widget_style.background or Color(0, 0, 0)
    if look.background:
        background += _colour(widget.app, look.background, background)
    colour = _colour(widget.app, look.colour, background) if look.colour else widget_style.foreground
    return Style(
        color=with_contrast(background + colour, background).rich_color if colour else None,
        bgcolor=background.rich_color,
        bold=bool(look.bold or widget_style.bold) or None,
        # ANSI themes have no shade between a list's background and its cursor.
        underline=(name == "cursor-blurred" and background.ansi is not None) or None,
    )


def _colour(app: App[Any], variable: str, background: Color) -> Color:
    """Return the colour of a theme variable; `auto 60%` is black or white, whichever contrasts, at that opacity."""
    name, _, strength = app.theme_variables[variable].partition(" ")
    alpha = float(strength.rstrip("%")) / 100 if strength else 1.0
    return background.get_contrast_text(alpha) if name == "auto" else Color.parse(name).multiply_alpha(alpha)
