"""An error in words."""

from ekstui.core.text import clean_line
from ekstui.errors import EkstuiError
from ekstui.present.styled import Styled, styled


def failure(error: EkstuiError) -> tuple[Styled, ...]:
    """Return an error as lines: what happened, then what to do."""
    lines: list[Styled] = [(("! ", "bad"), (clean_line(error.message), ""))]
    if error.next_step:
        lines.append(styled(clean_line(error.next_step), "muted"))
    return tuple(lines)
