"""Errors, grants, conditions and ages in words."""

from datetime import datetime

from ekstui.core.document import Condition
from ekstui.core.grants import Grant
from ekstui.core.text import clean_line
from ekstui.errors import EkstuiError
from ekstui.tui.styled import Styled, styled


def failure(error: EkstuiError) -> tuple[Styled, ...]:
    """Return an error as lines: what happened, then what to do."""
    lines: list[Styled] = [(("! ", "bad"), (clean_line(error.message), ""))]
    if error.next_step:
        lines.append(styled(clean_line(error.next_step), "muted"))
    return tuple(lines)


def grant_words(grant: Grant) -> str:
    """Return a grant in words: on what, and under which conditions."""
    where = ", ".join(grant.resources) if grant.resources else "no resource"
    text = where if grant.resource_element == "Resource" else f"everything but {where}"
    if grant.conditions:
        text += " if " + " and ".join(condition_words(condition) for condition in grant.conditions)
    return clean_line(text)


def condition_words(condition: Condition) -> str:
    """Return one line of a condition block in words: `aws:RequestTag/x StringEquals a or b`."""
    return clean_line(f"{condition.key} {condition.operator} {' or '.join(condition.values) or '(nothing)'}")


def age(since: datetime, now: datetime) -> str:
    """Return how long ago something was: `just now`, `3 min ago`, `2 h ago`, `212 d ago`; a later time is `in the future`."""
    seconds = (now - since).total_seconds()
    if seconds < -60:
        return "in the future"
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    return f"{int(seconds // 3600)} h ago" if seconds < 86400 * 2 else f"{int(seconds // 86400)} d ago"
