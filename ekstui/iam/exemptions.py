"""Actions that need no permission."""

from collections.abc import Collection, Mapping

# AWS Security Token Service API Reference, GetCallerIdentity ("No permissions are required", also against a Deny) and
# GetSessionToken ("No permissions are required for users to perform this operation").
_PRINCIPAL_TYPES: Mapping[str, frozenset[str]] = {
    "sts:getcalleridentity": frozenset(),
    "sts:getsessiontoken": frozenset({"User", "Account"}),
}
"""By action, in lower case, the types of principal that need none; empty for all."""


def is_exempt(action: str, principal_types: Collection[str] = ()) -> bool:
    """Return whether an action needs no permission for these types of principals, or (by default) for any."""
    exempt = _PRINCIPAL_TYPES.get(action.lower())
    return exempt is not None and (not exempt or not exempt.isdisjoint(principal_types))
