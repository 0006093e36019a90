"""Which regions are worth asking for clusters, told by the account itself."""

from ekstui.core.account import AccountSnapshot
from ekstui.core.trust import eks_region, issuer_of, trusts_service


def regions_of_interest(snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return the configured region, those of the OIDC providers' clusters, and those where cluster roles were used."""
    regions = [snapshot.identity.region] if snapshot.identity.region else []
    regions.extend(
        region for arn in snapshot.oidc_providers or () if (region := eks_region(issuer_of(arn))) is not None
    )
    regions.extend(
        role.last_used_region
        for role in snapshot.roles
        if role.last_used_region is not None and trusts_service(role.trust, "eks.amazonaws.com")
    )
    return tuple(dict.fromkeys(regions))
