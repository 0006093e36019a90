"""The resources of one action as the console's third table."""

from dataclasses import dataclass

from ekstui.core import console
from ekstui.core.summary import ActionSummary


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A resource on which an action is given or denied."""

    resource: str
    """The pattern as written, `All resources`, or `All resources except …`."""
    region: str
    """The region as written, or `All regions`."""
    account: str
    """The account as written, `All accounts` or `This account`."""
    condition: str
    """`None`, the one condition, or `Multiple`."""


def resources_of(action: ActionSummary, account: str | None = None) -> tuple[ResourceRow, ...]:
    """Return the rows of an action, in the document's order; `account` is the caller's own, if it is known."""
    rows: list[ResourceRow] = []
    for grant in action.grants:
        condition = console.condition_words(grant.conditions)
        if grant.resource_element == "NotResource":
            excepted = f"{console.ALL_RESOURCES} except {', '.join(grant.resources)}"
            rows.append(ResourceRow(excepted, console.ALL_REGIONS, console.ALL_ACCOUNTS, condition))
            continue
        for resource in grant.resources:
            shown = console.ALL_RESOURCES if resource == "*" else resource
            region, owner = console.region_words(resource), console.account_words(resource, account)
            rows.append(ResourceRow(shown, region, owner, condition))
    return tuple(rows)
