"""Details that need further calls: Pod Identity associations, EC2 nodes, what add-ons need of IAM, and access entries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ekstui.core.account_snapshot import SourceError
from ekstui.core.eks import Addon, Cluster, GivenAccess, Node, Place, PodIdentityAssociation
from ekstui.sources.aws.answers import MalformedError
from ekstui.sources.aws.cluster_parts import ACCESS_ENTRIES, PAGE, Failures, Report, access_entry, with_all
from ekstui.sources.aws.connection import Cancelled, Connection, each, never
from ekstui.sources.aws.failures import failures

INSTANCES_A_PAGE = 1000
"""DescribeInstances' maximum."""


@dataclass(frozen=True, slots=True)
class DetailsRead:
    """The clusters with their details, and what failed."""

    clusters: tuple[Cluster, ...]
    errors: tuple[SourceError, ...]


def read_pod_identity(
    connection: Connection,
    clusters: tuple[Cluster, ...],
    report: Report,
    cancelled: Cancelled,
) -> DetailsRead:
    """Return the clusters with their Pod Identity associations.

    The list has no roles, so each association needs a call. `report` gets how many associations are described,
    and of how many. If cancelled, the rest have no role.
    """
    failed = Failures(connection.profile)
    known = {cluster.place: cluster for cluster in clusters}
    for outcome in each(lambda cluster: _associations(connection, cluster), clusters, cancelled):
        cluster = outcome.item
        try:
            known[cluster.place] = replace(cluster, associations=outcome.answer())
        except failures() as error:
            failed.add(error, "pod-identity", "eks:ListPodIdentityAssociations", cluster.region, cluster.name)
    jobs = [(cluster, association) for cluster in known.values() for association in cluster.associations or ()]

    def describe(job: tuple[Cluster, PodIdentityAssociation]) -> PodIdentityAssociation:
        cluster, association = job
        answer = connection.ask(
            "eks:DescribePodIdentityAssociation",
            cluster.region,
            clusterName=cluster.name,
            associationId=association.id,
        )["association"]
        return _described(association, with_all(answer, action, ("associationId", "roleArn")))

    action = "eks:DescribePodIdentityAssociation"
    gone: dict[Place, set[str]] = {}
    for done, outcome_of_one in enumerate(each(describe, jobs, cancelled), start=1):
        cluster, association = outcome_of_one.item
        try:
            known[cluster.place] = _with_association(known[cluster.place], outcome_of_one.answer())
        except failures() as error:
            if not failed.add(error, "pod-identity", action, cluster.region, f"{cluster.name}/{association.id}"):
                gone.setdefault(cluster.place, set()).add(association.id)
        report(done, len(jobs))
    for place, ids in gone.items():
        cluster = known[place]
        kept = tuple(entry for entry in cluster.associations or () if entry.id not in ids)
        if kept:
            known[place] = replace(cluster, associations=kept)
        else:
            failed.doubt("pod-identity", action, cluster.region, f"{len(ids)} associations", cluster.name)
    return DetailsRead(tuple(known.values()), tuple(failed.found.values()))


def read_nodes(connection: Connection, clusters: tuple[Cluster, ...], cancelled: Cancelled = never) -> DetailsRead:
    """Return the clusters, those whose nodes only EC2 knows with their instances."""
    failed = Failures(connection.profile)
    known = {cluster.place: cluster for cluster in clusters}
    asked = tuple(cluster for cluster in clusters if cluster.needs_ec2)
    for outcome in each(lambda cluster: _nodes(connection, cluster), asked, cancelled):
        cluster = outcome.item
        try:
            known[cluster.place] = replace(cluster, nodes=outcome.answer())
        except failures() as error:
            failed.add(error, "nodes", "ec2:DescribeInstances", cluster.region, cluster.name)
    return DetailsRead(tuple(known.values()), tuple(failed.found.values()))


def read_addon_needs(connection: Connection, cluster: Cluster, cancelled: Cancelled = never) -> DetailsRead:
    """Return a cluster with what its add-ons need of IAM according to EKS."""
    failed = Failures(connection.profile)
    addons = {addon.name: addon for addon in cluster.addons or ()}
    jobs = [
        (addon, action)
        for addon in addons.values()
        if addon.version is not None
        for action in ("eks:DescribeAddonVersions", "eks:DescribeAddonConfiguration")
    ]

    def work(job: tuple[Addon, str]) -> Mapping[str, Any]:
        addon, action = job
        parameters = {"addonName": addon.name}
        if action == "eks:DescribeAddonConfiguration":
            parameters["addonVersion"] = str(addon.version)
        elif cluster.version is not None:
            parameters["kubernetesVersion"] = cluster.version
        return connection.ask(action, cluster.region, **parameters)

    for outcome in each(work, jobs, cancelled):
        addon, action = outcome.item
        try:
            answer = outcome.answer()
            if action == "eks:DescribeAddonVersions":
                required = _requires_permissions(answer, addon)
                addons[addon.name] = replace(addons[addon.name], requires_permissions=required)
            else:
                addons[addon.name] = replace(addons[addon.name], recommended_policies=_recommended(answer))
        except failures() as error:
            failed.add(error, "addons", action, cluster.region, addon.name)
    kept = None if cluster.addons is None else tuple(addons.values())
    return DetailsRead((replace(cluster, addons=kept),), tuple(failed.found.values()))


def read_entries(connection: Connection, cluster: Cluster, cancelled: Cancelled = never) -> DetailsRead:
    """Return a cluster with its access entries described and their access policies."""
    failed = Failures(connection.profile)
    entries = {entry.principal_arn: entry for entry in cluster.access_entries or ()}

    def describe(principal: str) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = connection.ask(
            "eks:DescribeAccessEntry", cluster.region, clusterName=cluster.name, principalArn=principal
        )["accessEntry"]
        return with_all(answer, ACCESS_ENTRIES.describe_action, ACCESS_ENTRIES.always)

    def given(principal: str) -> tuple[GivenAccess, ...]:
        action, parameters = (
            "eks:ListAssociatedAccessPolicies",
            {"clusterName": cluster.name, "principalArn": principal},
        )
        return tuple(
            _given(each)
            for page in connection.token_pages(action, cluster.region, maxResults=PAGE, **parameters)
            for each in page["associatedAccessPolicies"]
        )

    for outcome in each(describe, [arn for arn, entry in entries.items() if entry.kind is None], cancelled):
        try:
            entries[outcome.item] = access_entry(outcome.item, outcome.answer())
        except failures() as error:
            failed.add(error, "access-entries", "eks:DescribeAccessEntry", cluster.region, cluster.name)
    for listed in each(given, [arn for arn, entry in entries.items() if entry.takes_policies], cancelled):
        try:
            entries[listed.item] = replace(entries[listed.item], policies=listed.answer())
        except failures() as error:
            failed.add(error, "access-entries", "eks:ListAssociatedAccessPolicies", cluster.region, cluster.name)
    kept = None if cluster.access_entries is None else tuple(entries.values())
    return DetailsRead((replace(cluster, access_entries=kept),), tuple(failed.found.values()))


def _given(answer: Mapping[str, Any]) -> GivenAccess:
    scope = answer.get("accessScope") or {}
    if scope.get("type") not in ("cluster", "namespace"):
        raise MalformedError("eks:ListAssociatedAccessPolicies")
    names = tuple(str(name) for name in scope.get("namespaces") or ())
    return GivenAccess(str(answer["policyArn"]), names if scope.get("type") == "namespace" else None)


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
        for page in connection.token_pages(action, cluster.region, clusterName=cluster.name, maxResults=PAGE)
        for entry in page["associations"]
    )


def _described(association: PodIdentityAssociation, answer: Mapping[str, Any]) -> PodIdentityAssociation:
    return replace(
        association,
        role_arn=answer.get("roleArn"),
        target_role_arn=answer.get("targetRoleArn"),
        session_policy=answer.get("policy"),
        session_tags=not answer.get("disableSessionTags", False),
        owner_arn=answer.get("ownerArn", association.owner_arn),
    )


def _with_association(cluster: Cluster, described: PodIdentityAssociation) -> Cluster:
    entries = (described if entry.id == described.id else entry for entry in cluster.associations or ())
    return replace(cluster, associations=tuple(entries))


def _nodes(connection: Connection, cluster: Cluster) -> tuple[Node, ...]:
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
    return tuple(Node(profile, pool, count) for (profile, pool), count in sorted(counts.items(), key=str))


def _requires_permissions(answer: Mapping[str, Any], addon: Addon) -> bool | None:
    versions = [version for entry in answer["addons"] for version in entry.get("addonVersions", ())]
    for version in versions:
        if version.get("addonVersion") == addon.version:
            required: bool | None = version.get("requiresIamPermissions")
            return required
    return None


def _recommended(answer: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if "addonName" not in answer:
        raise KeyError("addonName")
    return tuple(
        (str(entry.get("serviceAccount", "")), tuple(entry.get("recommendedManagedPolicies") or ()))
        for entry in answer.get("podIdentityConfiguration") or ()
    )
