"""What opens a list, a policy or a comparison: EKS access policies are listed, found and compared on their own."""

from ekstui.change.policy import Scope
from ekstui.library import Library
from ekstui.library.access_policies import access_policy_entries, access_policy_entry, means_access_policy
from ekstui.library.catalog import PolicyEntry
from ekstui.library.notation import PolicyAt, Side
from ekstui.tui import screens
from ekstui.tui.base import AppScreen


def find_entry(name: str, library: Library) -> PolicyEntry:
    """Return the policy of a name or ARN, or the access policy of `access:NAME`; NotFoundError for an unknown one."""
    return access_policy_entry(name) if name.startswith("access:") else library.find(name)


def entries_in(scope: Scope, library: Library) -> tuple[PolicyEntry, ...]:
    """Return the policies of a scope that has the EKS access policies, these last."""
    return (*library.policies(scope), *access_policy_entries())


def comparison(before: Side, after: Side) -> AppScreen:
    """Return the screen that compares two sides; NotFoundError for an access policy that cannot be compared."""
    if any(isinstance(side, PolicyAt) and means_access_policy(side.name) for side in (before, after)):
        return screens.card_screens.access_comparison(str(before), str(after))
    return screens.compare_screen.CompareScreen(before, after)
