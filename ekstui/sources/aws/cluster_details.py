"""Details that need further calls: Pod Identity associations, EC2 nodes, what add-ons need of IAM, and access entries."""

from collections.abc import Mapping
from operator import attrgetter
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
    PodIdentityAssociation,
)
from ekstui.sources.aws.answers import MalformedError
from ekstui.sources.aws.cluster_parts import (
    ACCESS_ENTRIES,
    ENTRIES_A_PAGE,
    CountProgress,
    Failures,
    access_entry,
    with_all,
)
from ekstui.sources.aws.connection import Connection, in_parallel
from ekstui.sources.aws.failures import failures

INSTANCES_A_PAGE = 1000
"""DescribeInstances' maximum."""


def read_pod_identity(
    connection: Connection, clusters: tuple[Cluster, ...], report: CountProgress, cancelled: Cancelled, failed: Failures
) -> tuple[Cluster, ...]:
    """Return the clusters with their Pod Identity associations.

    The list has no roles, so each association needs a call. `report` gets how many associations are described,
    and of how many. If cancelled, the rest have no role.
    """
    clusters_by_place = {cluster.place: cluster for cluster in clusters}
    action = "eks:ListPodIdentityAssociations"
    listing = in_parallel(lambda cluster: _associations(connection, cluster), clusters, cancelled)
    for cluster, associations in failed.answered(listing, "pod-identity", action, attrgetter("place")):
        clusters_by_place[cluster.place] = cluster._replace(associations=associations)
    by_id = {
        place: {entry.id: entry for entry in cluster.associations or ()} for place, cluster in clusters_by_place.items()
    }
    jobs = [(place, association) for place, listed in by_id.items() for association in listed.values()]
    action = "eks:DescribePodIdentityAssociation"

    def describe(job: tuple[ClusterPlace, PodIdentityAssociation]) -> PodIdentityAssociation:
        (region, cluster), association = job
        answer = connection.ask(action, region, clusterName=cluster, associationId=association.id)
        return _described(association, with_all(answer["association"], action, ("associationId", "roleArn")))

    gone: dict[ClusterPlace, set[str]] = {place: set() for place in by_id}
    for done, ((place, association), answer) in enumerate(in_parallel(describe, jobs, cancelled), start=1):
        try:
            by_id[place][association.id] = answer.result()
        except failures() as error:
            if not failed.add(error, "pod-identity", action, place[0], f"{place[1]}/{association.id}"):
                gone[place].add(association.id)
        report(done, len(jobs))
    for place, listed in by_id.items():
        if listed:
            kept = failed.without(listed, gone[place], "pod-identity", action, place, "associations")
            clusters_by_place[place] = clusters_by_place[place]._replace(associations=kept)
    return tuple(clusters_by_place.values())


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


def _associations(connection: Connection, cluster: Cluster) -> tuple[PodIdentityAssociation, ...]:
    action = "eks:ListPodIdentityAssociations"
    return tuple(
        PodIdentityAssociation(
            id=str(entry["associationId"]),
            namespace=str(entry["namespace"]),
            service_account=str(entry["serviceAccount"]),
            role_arn=None,
            owner_arn=entry.get("ownerArn"),
        )
        for page in connection.token_pages(action, cluster.region, clusterName=cluster.name, maxResults=ENTRIES_A_PAGE)
        for entry in page["associations"]
    )


def _described(association: PodIdentityAssociation, answer: Mapping[str, Any]) -> PodIdentityAssociation:
    return association._replace(
        role_arn=answer.get("roleArn"),
        target_role_arn=answer.get("targetRoleArn"),
        session_policy=answer.get("policy"),
        session_tags=not answer.get("disableSessionTags", False),
        owner_arn=answer.get("ownerArn", association.owner_arn),
        created=answer.get("createdAt"),
    )


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
