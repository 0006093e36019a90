"""Details that need further calls: EC2 nodes, what add-ons need of IAM, and access entries."""

from collections.abc import Mapping
from typing import Any

from ekstui.cancellation import Cancelled
from ekstui.eks.account_snapshot import SourceError
from ekstui.eks.cluster import (
    AccessEntry,
    Addon,
    AssociatedPolicy,
    Cluster,
    ClusterPlace,
    Ec2Node,
)
from ekstui.sources.aws.answers import MalformedError
from ekstui.sources.aws.cluster_parts import (
    ACCESS_ENTRIES,
    ENTRIES_A_PAGE,
    Failures,
    access_entry,
    with_all,
)
from ekstui.sources.aws.connection import Connection, in_parallel

INSTANCES_A_PAGE = 1000
"""DescribeInstances' maximum."""


def read_nodes(
    connection: Connection, clusters: tuple[Cluster, ...], cancelled: Cancelled, failed: Failures
) -> tuple[Cluster, ...]:
    """Return the clusters, those whose nodes only EC2 knows with their instances."""
    clusters_by_place = {cluster.place: cluster for cluster in clusters}
    asked = (cluster for cluster in clusters if cluster.needs_ec2)
    reading = in_parallel(lambda cluster: _nodes(connection, cluster), asked, cancelled)
    for cluster, nodes in failed.answered(reading, "nodes", "ec2:DescribeInstances", lambda place: place.place):
        clusters_by_place[cluster.place] = cluster._replace(nodes=nodes)
    return tuple(clusters_by_place.values())


Details = tuple[Cluster, tuple[SourceError, ...]]
"""A cluster with details that were asked for it alone, and what failed."""


def read_addon_needs(connection: Connection, cluster: Cluster) -> Details:
    """Return a cluster with what its add-ons need of IAM according to EKS, and what failed."""
    failed = Failures(connection.profile)
    addons = {addon.name: addon for addon in cluster.addons or ()}
    versioned = [addon for addon in addons.values() if addon.version is not None]
    versions, configuration = "eks:DescribeAddonVersions", "eks:DescribeAddonConfiguration"

    def required(addon: Addon) -> bool | None:
        release = {} if cluster.version is None else {"kubernetesVersion": cluster.version}
        return _requires_permissions(connection.ask(versions, cluster.region, addonName=addon.name, **release), addon)

    def recommended(addon: Addon) -> tuple[tuple[str, tuple[str, ...]], ...]:
        asked = {"addonName": addon.name, "addonVersion": str(addon.version)}
        return _recommended(connection.ask(configuration, cluster.region, **asked))

    def place(addon: Addon) -> ClusterPlace:
        return cluster.region, addon.name

    for addon, needed in failed.answered(in_parallel(required, versioned), "addons", versions, place):
        addons[addon.name] = addon._replace(requires_permissions=needed)
    for addon, policies in failed.answered(in_parallel(recommended, versioned), "addons", configuration, place):
        addons[addon.name] = addons[addon.name]._replace(recommended_policies=policies)
    kept = None if cluster.addons is None else tuple(addons.values())
    return cluster._replace(addons=kept), failed.errors


def read_entries(connection: Connection, cluster: Cluster) -> Details:
    """Return a cluster with its access entries described and their access policies, and what failed."""
    failed = Failures(connection.profile)
    entries = {entry.principal_arn: entry for entry in cluster.access_entries or ()}
    describing, listing = "eks:DescribeAccessEntry", "eks:ListAssociatedAccessPolicies"
    named = {"clusterName": cluster.name}

    def describe(principal: str) -> AccessEntry:
        answer = connection.ask(describing, cluster.region, principalArn=principal, **named)["accessEntry"]
        return access_entry(principal, with_all(answer, describing, ACCESS_ENTRIES.always))

    def associated(principal: str) -> tuple[AssociatedPolicy, ...]:
        pages = connection.token_pages(
            listing, cluster.region, maxResults=ENTRIES_A_PAGE, principalArn=principal, **named
        )
        return tuple(_associated_policy(policy) for page in pages for policy in page["associatedAccessPolicies"])

    def place(_: str) -> ClusterPlace:
        return cluster.place

    described = in_parallel(describe, [arn for arn, entry in entries.items() if entry.kind is None])
    entries |= dict(failed.answered(described, "access-entries", describing, place))
    listed = in_parallel(associated, [arn for arn, entry in entries.items() if entry.takes_policies])
    for principal, policies in failed.answered(listed, "access-entries", listing, place):
        entries[principal] = entries[principal]._replace(policies=policies)
    kept = None if cluster.access_entries is None else tuple(entries.values())
    return cluster._replace(access_entries=kept), failed.errors


def _associated_policy(answer: Mapping[str, Any]) -> AssociatedPolicy:
    scope = answer.get("accessScope") or {}
    if scope.get("type") not in ("cluster", "namespace"):
        raise MalformedError("eks:ListAssociatedAccessPolicies")
    names = tuple(str(name) for name in scope.get("namespaces") or ())
    return AssociatedPolicy(str(answer["policyArn"]), names if scope.get("type") == "namespace" else None)


def _nodes(connection: Connection, cluster: Cluster) -> tuple[Ec2Node, ...]:
    """Return the cluster's instances that are in no managed node group, by instance profile and Karpenter pool."""
    counts: dict[tuple[str, str | None], int] = {}
    filters = [
        {"Name": "tag-key", "Values": [f"kubernetes.io/cluster/{cluster.name}"]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    pages = connection.token_pages(
        "ec2:DescribeInstances", cluster.region, "NextToken", Filters=filters, MaxResults=INSTANCES_A_PAGE
    )
    for page in pages:
        for reservation in page["Reservations"]:
            for instance in reservation.get("Instances", ()):
                tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
                profile = (instance.get("IamInstanceProfile") or {}).get("Arn")
                if profile and "eks:nodegroup-name" not in tags:
                    key = (str(profile), tags.get("karpenter.sh/nodepool") or tags.get("karpenter.sh/provisioner-name"))
                    counts[key] = counts.get(key, 0) + 1
    return tuple(Ec2Node(profile, pool, count) for (profile, pool), count in sorted(counts.items(), key=str))


def _requires_permissions(answer: Mapping[str, Any], addon: Addon) -> bool | None:
    versions = (version for entry in answer["addons"] for version in entry.get("addonVersions", ()))
    own = (
        version.get("requiresIamPermissions") for version in versions if version.get("addonVersion") == addon.version
    )
    return next(own, None)


def _recommended(answer: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if "addonName" not in answer:
        raise KeyError("addonName")
    return tuple(
        (str(entry.get("serviceAccount", "")), tuple(entry.get("recommendedManagedPolicies") or ()))
        for entry in answer.get("podIdentityConfiguration") or ()
    )
