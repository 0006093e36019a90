"""To which services AWS Organizations applies resource control policies."""

from ekstui.iam.reference import services_with_resource_control

# AWS Organizations User Guide, "Resources and entities not restricted by RCPs".
_NEVER = frozenset({"kms:retiregrant"})


def is_resource_controlled(action: str) -> bool | None:
    """Return whether resource control policies apply to an action's resources; None if its service is unlisted."""
    if action.lower() in _NEVER:
        return False
    return True if action.partition(":")[0].lower() in services_with_resource_control() else None
