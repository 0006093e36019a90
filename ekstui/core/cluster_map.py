"""A cluster's roles by how they are used, and where roles may hide that nobody looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ekstui.core.account import Use, UseKind
from ekstui.core.eks import Cluster
from ekstui.core.unseen import AWS_AUTH, DESCRIPTION

Way = UseKind | Literal["issuer"]
"""How a cluster uses a role; `issuer`: the role trusts the cluster's issuer, but no service account can assume it."""

WAY_WORDS: dict[Way, str] = {
    "cluster": "cluster role",
    "nodegroup": "node groups",
    "self-managed-node": "self-managed nodes",
    "karpenter-node": "Karpenter nodes",
    "auto-mode-node": "Auto Mode nodes",
    "hybrid-node": "hybrid nodes",
    "hyperpod-node": "HyperPod nodes",
    "fargate": "Fargate profiles",
    "addon": "add-ons",
    "pod-identity": "Pod Identity",
    "pod-identity-target": "Pod Identity targets",
    "irsa": "IRSA",
    "issuer": "trust in the cluster's issuer that no service account fits",
    "capability": "capabilities",
}
"""In the order in which they are shown."""

ROLES = "the account's roles"
"""What was not read where the list of roles is not whole."""

_SOURCES: dict[Way, tuple[str, ...]] = {
    "cluster": (DESCRIPTION,),
    "nodegroup": ("node groups",),
    "self-managed-node": ("access entries", "EC2 instances", AWS_AUTH, ROLES),
    "karpenter-node": ("access entries", "EC2 instances", AWS_AUTH, ROLES),
    "auto-mode-node": (DESCRIPTION, "access entries"),
    "hybrid-node": ("access entries", AWS_AUTH),
    "hyperpod-node": ("access entries",),
    "fargate": ("Fargate profiles",),
    "addon": ("add-ons", "Pod Identity"),
    "pod-identity": ("Pod Identity",),
    "pod-identity-target": ("Pod Identity",),
    "irsa": (DESCRIPTION, ROLES),
    "issuer": (DESCRIPTION, ROLES),
    "capability": ("capabilities",),
}
"""What tells of each way, in the words of `Cluster.unread`."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The roles that a cluster uses in one way."""

    way: Way
    roles: tuple[tuple[str, tuple[Use, ...]], ...]
    """By name: each role's ARN, with its uses of this way."""
    unread: tuple[str, ...]
    """What was not read and may tell of more roles; with none of these, no roles means that there are none."""
    looked_at: bool
    """Whether anything that tells of this way was read."""


def branches(cluster: Cluster, roles: Mapping[str, Sequence[Use]], *, roles_complete: bool) -> tuple[Branch, ...]:
    """Return a branch for every way in which a cluster can use roles; a role that is used in two ways is in both.

    `roles` holds the uses in this cluster by ARN; `roles_complete` says whether all roles of the account were read.
    """
    # A cluster that was not described says no more than that of itself; its parts may have been read all the same.
    unread = {*cluster.unread, *replace(cluster, described=True).unread, *(() if roles_complete else (ROLES,))}
    if cluster.authentication_mode != "API":
        # EC2 tells of the nodes that run, but nobody outside the cluster whom else the map lets join.
        unread.add(AWS_AUTH)
    found: dict[Way, dict[str, tuple[Use, ...]]] = {way: {} for way in WAY_WORDS}
    for arn, uses in sorted(roles.items(), key=lambda role: (role[0].rpartition("/")[2].casefold(), role[0])):
        for use in uses:
            found[use.kind][arn] = (*found[use.kind].get(arn, ()), use)
        if not uses:
            found["issuer"][arn] = ()
    return tuple(
        Branch(
            way,
            tuple(each.items()),
            tuple(part for part in _SOURCES[way] if part in unread),
            bool(set(_SOURCES[way]) - unread),
        )
        for way, each in found.items()
    )
