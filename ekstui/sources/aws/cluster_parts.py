"""What a cluster has: how each kind of thing is listed and described, and the values that come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ekstui.core.account import SourceName
from ekstui.core.eks import (
    AccessEntry,
    Addon,
    Capability,
    Cluster,
    FargateProfile,
    HealthIssue,
    NodeGroup,
    may_be_nodes,
)

ClusterPart = NodeGroup | FargateProfile | Addon | AccessEntry | Capability

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing that a cluster has: how it is listed and described, and where it is kept."""

    source: SourceName
    kept_as: str
    list_action: str
    list_key: str
    describe_action: str
    parameter: str
    answer_key: str
    parse: Callable[[str, Answer | None], ClusterPart]
    """Takes the name and the description, None where that could not be read."""
    wanted: Callable[[str], bool] = lambda name: bool(name)
    """Whether a listed name is worth a description."""


def with_part(cluster: Cluster, part: Part, found: Mapping[str, ClusterPart]) -> Cluster:
    changed: dict[str, Any] = {part.kept_as: tuple(found.values())}
    return replace(cluster, **changed)


def described(cluster: Cluster, answer: Answer) -> Cluster:
    compute = answer.get("computeConfig") or {}
    network = answer.get("kubernetesNetworkConfig") or {}
    issuer = ((answer.get("identity") or {}).get("oidc") or {}).get("issuer")
    return replace(
        cluster,
        arn=answer.get("arn"),
        role_arn=answer.get("roleArn"),
        issuer=issuer.removeprefix("https://") if issuer else None,
        version=answer.get("version"),
        created=answer.get("createdAt"),
        authentication_mode=(answer.get("accessConfig") or {}).get("authenticationMode"),
        auto_mode=bool(compute.get("enabled")),
        auto_mode_node_role_arn=compute.get("nodeRoleArn"),
        outpost=bool(answer.get("outpostConfig")),
        ip_family=network.get("ipFamily"),
        tags=tuple((answer.get("tags") or {}).items()),
        described=True,
        issues=_issues("cluster", cluster.name, answer),
    )


def _issues(kind: str, name: str, answer: Answer) -> tuple[HealthIssue, ...]:
    return tuple(
        HealthIssue(
            kind,
            name,
            str(issue.get("code", "")),
            str(issue.get("message", "")),
            tuple(str(resource) for resource in issue.get("resourceIds") or ()),
        )
        for issue in (answer.get("health") or {}).get("issues") or ()
    )


def _nodegroup(name: str, answer: Answer | None) -> NodeGroup:
    if answer is None:
        return NodeGroup(name, None)
    return NodeGroup(name, answer.get("nodeRole"), _issues("nodegroup", name, answer))


def _fargate_profile(name: str, answer: Answer | None) -> FargateProfile:
    if answer is None:
        return FargateProfile(name, None)
    return FargateProfile(name, answer.get("podExecutionRoleArn"), _issues("fargate", name, answer))


def _addon(name: str, answer: Answer | None) -> Addon:
    if answer is None:
        return Addon(name, None, None)
    return Addon(
        name,
        version=answer.get("addonVersion"),
        role_arn=answer.get("serviceAccountRoleArn"),
        association_arns=tuple(answer.get("podIdentityAssociations") or ()),
        issues=_issues("addon", name, answer),
    )


def access_entry(principal: str, answer: Answer | None) -> AccessEntry:
    if answer is None:
        return AccessEntry(principal, None)
    return AccessEntry(
        principal, answer.get("type"), answer.get("username"), tuple(answer.get("kubernetesGroups") or ())
    )


def _capability(name: str, answer: Answer | None) -> Capability:
    if answer is None:
        return Capability(name, None, None)
    return Capability(name, answer.get("type"), answer.get("roleArn"), _issues("capability", name, answer))


NODEGROUPS = Part(
    "nodegroups", "nodegroups",
    "eks:ListNodegroups", "nodegroups", "eks:DescribeNodegroup", "nodegroupName", "nodegroup", _nodegroup,
)  # fmt: skip
FARGATE_PROFILES = Part(
    "fargate", "fargate_profiles",
    "eks:ListFargateProfiles", "fargateProfileNames", "eks:DescribeFargateProfile", "fargateProfileName",
    "fargateProfile", _fargate_profile,
)  # fmt: skip
ADDONS = Part("addons", "addons", "eks:ListAddons", "addons", "eks:DescribeAddon", "addonName", "addon", _addon)
CAPABILITIES = Part(
    "capabilities", "capabilities",
    "eks:ListCapabilities", "capabilities", "eks:DescribeCapability", "capabilityName", "capability", _capability,
)  # fmt: skip
ACCESS_ENTRIES = Part(
    "access-entries", "access_entries",
    "eks:ListAccessEntries", "accessEntries", "eks:DescribeAccessEntry", "principalArn", "accessEntry", access_entry,
    may_be_nodes,
)  # fmt: skip
