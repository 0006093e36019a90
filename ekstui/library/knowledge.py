"""What ekstui knows about EKS policies, read once, and the list's entries that carry it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ekstui import paths
from ekstui.errors import DataError
from ekstui.library.values import PolicyEntry

if TYPE_CHECKING:
    from ekstui.core.knowledge import Knowledge, PolicyKnowledge
    from ekstui.core.policy import Policy


@cache
def knowledge() -> Knowledge:
    """Return what `eks.toml` says, from its compiled form; DataError where it cannot be read."""
    from ekstui.core.knowledge import parse_knowledge  # 5 ms, which who-can and changes do without

    try:
        text = (paths.assets() / "eks.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"eks.json cannot be read: {error}.", "Install ekstui again.") from None
    return parse_knowledge(text)


def knowledge_of(policy: Policy) -> PolicyKnowledge | None:
    """Return what ekstui knows about a policy beyond its documents; None outside the EKS family."""
    # A policy of an account may have the very name.
    return knowledge().policies.get(policy.name) if policy.id.kind == "aws-managed" else None


def component_entry(policy: Policy) -> PolicyEntry:
    """Return what a controller publishes as the list shows it."""
    from ekstui.sources.published import components

    component = components()[policy.name]
    return PolicyEntry(policy, "controllers", component.title, component=component)


def entry_of(policy: Policy) -> PolicyEntry:
    """Return a policy as the list shows it."""
    known = knowledge_of(policy)
    if known is None:
        return PolicyEntry(policy, "aws")
    return PolicyEntry(
        policy,
        "eks",
        known.purpose,
        known.superseded_by[0] if known.superseded_by else None,
        also_access_policy=known.access_policy,
    )
