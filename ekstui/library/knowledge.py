"""What ekstui knows about EKS policies, read once, and the list's entries that carry it."""

from functools import cache

from ekstui import paths
from ekstui.core.knowledge import Knowledge, parse_knowledge
from ekstui.core.policy import Policy
from ekstui.errors import DataError
from ekstui.library.values import PolicyEntry


@cache
def knowledge() -> Knowledge:
    """Return what `eks.toml` says, from its compiled form; DataError where it cannot be read."""
    try:
        text = (paths.assets() / "eks.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"eks.json cannot be read: {error}.", "Install ekstui again.") from None
    return parse_knowledge(text)


def entry_of(policy: Policy) -> PolicyEntry:
    """Return a policy as the list shows it."""
    known = knowledge().policies.get(policy.name)
    if known is None:
        return PolicyEntry(policy, "aws")
    return PolicyEntry(
        policy, "eks", known.purpose, known.superseded_by[0] if known.superseded_by else None, known.access_policy
    )
