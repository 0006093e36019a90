"""Which action the value of a row is about."""

from ekstui.change.differences import ActionDifference
from ekstui.iam.reference import ActionInfo
from ekstui.iam.summary import ActionSummary
from ekstui.iam.wildcard import is_wild


def action_of(value: object) -> str:
    """Return the action or pattern that a row's value is about, or an empty string."""
    match value:
        case ActionSummary(action=action):
            return action
        case ActionInfo(name=action):
            return action
        case ActionDifference(element="Action", actions=(action,)):
            return action
        case _:
            return ""


def one_action_of(value: object) -> str:
    """Return the action that a row's value is about; empty for a pattern, which no request can name."""
    action = action_of(value)
    return "" if is_wild(action) else action
