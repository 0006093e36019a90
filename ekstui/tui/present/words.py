"""Grants and conditions in words."""

from ekstui.core.document import Condition
from ekstui.core.grants import Grant
from ekstui.core.text import clean_line


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
