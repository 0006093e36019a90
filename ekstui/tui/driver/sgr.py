"""The attributes of a cell, read from SGR sequences, and the shortest sequence from one set of them to another.

The codes are those of ECMA-48 8.3.117, with the 256 and 24-bit colours of ITU-T T.416 as terminals implement them:
`38;5;n` and `38;2;r;g;b`.
"""

from functools import lru_cache
from typing import Final

from ekstui.named_tuples import NamedTuple

# One code turns off a whole group: 22 bold and faint, 24 both underlines, 25 both blinks.
_OFF: Final = {1: 22, 2: 22, 3: 23, 4: 24, 21: 24, 5: 25, 6: 25, 7: 27, 8: 28, 9: 29, 51: 54, 52: 54, 53: 55}
_OFF_CODES: Final = frozenset(_OFF.values())


class SgrStyle(NamedTuple):
    """The attributes of one cell; an empty colour is the terminal's default."""

    foreground: str = ""
    """SGR parameters of the text colour, such as `31` or `38;2;1;2;3`."""
    background: str = ""
    """SGR parameters of the background colour, such as `41` or `48;5;17`."""
    attributes: frozenset[int] = frozenset()
    """SGR codes that are on: 1 bold, 2 faint, 3 italic, 4 underline, 7 reverse and so on."""


_FOREGROUNDS: Final = {39: "", **{code: str(code) for code in (*range(30, 38), *range(90, 98))}}
_BACKGROUNDS: Final = {49: "", **{code: str(code) for code in (*range(40, 48), *range(100, 108))}}

PLAIN: Final = SgrStyle()
"""The attributes after a reset."""


@lru_cache(maxsize=4096)
def style_after(style: SgrStyle, parameters: str) -> SgrStyle:
    """Return the style after `ESC [ parameters m`; unknown codes change nothing."""
    codes = _codes(parameters)
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            style = PLAIN
        elif code in _OFF:
            style = style._replace(attributes=style.attributes | {code})
        elif code in _OFF_CODES:
            style = style._replace(attributes=frozenset(on for on in style.attributes if _OFF[on] != code))
        elif code in _FOREGROUNDS:
            style = style._replace(foreground=_FOREGROUNDS[code])
        elif code in _BACKGROUNDS:
            style = style._replace(background=_BACKGROUNDS[code])
        elif code in (38, 48):
            colour, at = _long_colour(codes, at)
            if colour:
                colour_parameters = f"{code};{colour}"
                style = (
                    style._replace(foreground=colour_parameters)
                    if code == 38
                    else style._replace(background=colour_parameters)
                )
    return style


def _codes(parameters: str) -> list[int]:
    # No assigned code is longer; int() would reject thousands of digits.
    return [int(part) if part.isdecimal() and len(part) < 6 else 0 for part in parameters.replace(":", ";").split(";")]


def _long_colour(codes: list[int], at: int) -> tuple[str, int]:
    """Return the parameters of the 256 or 24-bit colour at index `at` (empty if invalid), and the index after them."""
    length = {5: 2, 2: 4}.get(codes[at] if at < len(codes) else 0)
    if length is None:
        return "", len(codes)
    parts = codes[at : at + length]
    if len(parts) < length or any(part > 255 for part in parts[1:]):
        return "", at + length
    return ";".join(map(str, parts)), at + length


@lru_cache(maxsize=4096)
def transition(current: SgrStyle, target: SgrStyle) -> str:
    """Return the shortest SGR sequence from `current` to `target`; empty if they are equal."""
    if current == target:
        return ""
    if target == PLAIN:
        return "\x1b[m"
    fresh = "\x1b[" + ";".join(["0", *_changes(PLAIN, target)]) + "m"
    changes = "\x1b[" + ";".join(_changes(current, target)) + "m"
    return min(changes, fresh, key=len)


def _changes(current: SgrStyle, target: SgrStyle) -> list[str]:
    off = {_OFF[code] for code in current.attributes - target.attributes}
    on = {code for code in target.attributes if code not in current.attributes or _OFF[code] in off}
    parts = [str(code) for code in (*sorted(off), *sorted(on))]
    if current.foreground != target.foreground:
        parts.append(target.foreground or "39")
    if current.background != target.background:
        parts.append(target.background or "49")
    return parts
