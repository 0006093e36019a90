"""What EKS and EC2 say about clusters and the roles they use.

A captive portal's page and a cut answer parse to an empty object with status 200, so every list and object is taken
by its key: a missing key is a failed call, never an empty list.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ekstui.core.account import SourceError, SourceName
from ekstui.core.eks import (
    AccessEntry,
    Addon,
    Capability,
    Cluster,
    EksFacts,
    FargateProfile,
    HealthIssue,
    NodeGroup,
    Place,
    may_be_nodes,
)
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.errors import explain, failures
from ekstui.sources.aws.parallel import Cancelled, each, never

PAGE = 100
"""Items a page, the most that EKS gives."""

ClusterPart = NodeGroup | FargateProfile | Addon | AccessEntry | Capability


@dataclass(slots=True)
class Failures:
    """What failed so far, one line for each call and reason in a region, not one for each item."""

    profile: str | None
    found: dict[tuple[str | None, ...], SourceError] = field(default_factory=dict)

    def add(self, error: Exception, source: SourceName, action: str, region: str, subject: str | None = None) -> bool:
        """Keep a failure, unless the thing is merely gone by now; return whether it was kept."""
        told = explain(error, source, action, profile=self.profile, region=region, subject=subject, signed_in=True)
        if told.kind == "absent":
            return False
        self.found.setdefault((action, region, told.kind), told)
        return True


@dataclass(frozen=True, slots=True)
class EksRead:
    """The clusters that were read, and what failed on the way."""

    facts: EksFacts
    errors: tuple[SourceError, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """One kind of thing that a cluster has: how it is listed and described, and where it is kept."""

    source: SourceName
    kept_as: str
    list_action: str
    list_key: str
    describe_action: str
    parameter: str
    answer_key: str
    parse: Callable[[str, Mapping[str, Any] | None], ClusterPart]
    """Takes the name and the description, None where that could not be read."""
    wanted: Callable[[str], bool] = lambda name: bool(name)
    """Whether a listed name is worth a description."""


def read_clusters(
    connection: Connection,
    regions: Iterable[str],
    report: Callable[[EksFacts, int, int], None] | None = None,
    cancelled: Cancelled = never,
    only: str | None = None,
) -> EksRead:
    """Return the clusters of the regions with all but Pod Identity and EC2, or `only` the clusters of that name.

    `report` gets the facts so far, and how many of how many calls of the present stage are done.
    """
    failed = Failures(connection.profile)
    places, whole = _list_clusters(connection, regions, failed, cancelled)
    clusters = {place: Cluster(name=place[1], region=place[0]) for place in places if only in (None, place[1])}
    names = _describe_and_list(connection, clusters, whole, failed, report, cancelled)
    _describe_parts(connection, clusters, names, whole, failed, report, cancelled)
    return EksRead(EksFacts(tuple(clusters.values()), whole), tuple(failed.found.values()))


def _list_clusters(
    connection: Connection, regions: Iterable[str], failed: Failures, cancelled: Cancelled
) -> tuple[list[Place], tuple[str, ...]]:
    """Return the clusters, and the regions whose list came whole."""
    places: list[Place] = []
    whole: list[str] = []
    action = "eks:ListClusters"

    def work(region: str) -> tuple[list[str], Exception | None]:
        return _names(connection, action, "clusters", region)

    for outcome in each(work, tuple(dict.fromkeys(regions)), cancelled):
        names, error = outcome.answer()
        places.extend((outcome.item, name) for name in names)
        if error is None:
            whole.append(outcome.item)
        else:
            failed.add(error, "clusters", action, outcome.item)
    return sorted(places), tuple(sorted(whole))


def _names(
    connection: Connection, action: str, key: str, region: str, **parameters: str
) -> tuple[list[str], Exception | None]:
    """Return the names that a list gave, and what ended it early."""
    names: list[str] = []
    try:
        for page in connection.token_pages(action, region, maxResults=PAGE, **parameters):
            names.extend(entry if isinstance(entry, str) else str(entry["capabilityName"]) for entry in page[key])
    except failures() as error:
        return names, error
    return names, None


def _describe_and_list(
    connection: Connection,
    clusters: dict[Place, Cluster],
    whole: tuple[str, ...],
    failed: Failures,
    report: Callable[[EksFacts, int, int], None] | None,
    cancelled: Cancelled,
) -> dict[tuple[Place, _Part], list[str]]:
    """Describe each cluster and list its parts, all at once; return the parts' names."""
    jobs: list[tuple[Place, _Part | None]] = [(place, part) for place in clusters for part in (None, *_PARTS)]
    names: dict[tuple[Place, _Part], list[str]] = {}
    missed: list[tuple[Place, _Part, Exception]] = []

    def work(job: tuple[Place, _Part | None]) -> Mapping[str, Any] | tuple[list[str], Exception | None]:
        (region, name), part = job
        if part is None:
            answer: Mapping[str, Any] = connection.ask("eks:DescribeCluster", region, name=name)["cluster"]
            return answer
        return _names(connection, part.list_action, part.list_key, region, clusterName=name)

    for done, outcome in enumerate(each(work, jobs, cancelled), start=1):
        place, part = outcome.item
        try:
            answer = outcome.answer()
        except failures() as error:
            if not failed.add(error, "clusters", "eks:DescribeCluster", place[0], place[1]):
                del clusters[place]
            continue
        if isinstance(answer, tuple):
            assert part is not None  # noqa: S101 (only parts are lists)
            listed, error_of_list = answer
            if error_of_list is None:
                names[place, part] = listed
            else:
                missed.append((place, part, error_of_list))
                if listed:
                    names[place, part] = listed
        else:
            clusters[place] = _described(clusters[place], answer)
        if report:
            report(EksFacts(tuple(clusters.values()), whole), done, len(jobs))
    for place, part, cause in missed:
        if place in clusters and not _has_no_entries(clusters[place], part, cause):
            failed.add(cause, part.source, part.list_action, place[0], place[1])
    return {key: value for key, value in names.items() if key[0] in clusters}


def _has_no_entries(cluster: Cluster, part: _Part, cause: Exception) -> bool:
    """Return whether a list failed because the cluster has no access entries, which is nothing to miss.

    EKS refuses to list them where only the aws-auth ConfigMap lets anyone in.
    """
    code = (getattr(cause, "response", None) or {}).get("Error", {}).get("Code")
    refused = code == "InvalidRequestException"
    return part.source == "access-entries" and refused and cluster.authentication_mode in ("CONFIG_MAP", None)


def _describe_parts(
    connection: Connection,
    clusters: dict[Place, Cluster],
    names: dict[tuple[Place, _Part], list[str]],
    whole: tuple[str, ...],
    failed: Failures,
    report: Callable[[EksFacts, int, int], None] | None,
    cancelled: Cancelled,
) -> None:
    """Describe every part that was listed and put it into its cluster."""
    found: dict[tuple[Place, _Part], dict[str, ClusterPart]] = {key: {} for key in names}
    jobs = [(place, part, name) for (place, part), listed in names.items() for name in listed if part.wanted(name)]
    for (place, part), listed in names.items():
        found[place, part] = {name: part.parse(name, None) for name in listed}
        clusters[place] = _with_part(clusters[place], part, found[place, part])

    def work(job: tuple[Place, _Part, str]) -> Mapping[str, Any]:
        (region, cluster), part, name = job
        parameters = {"clusterName": cluster, part.parameter: name}
        answer: Mapping[str, Any] = connection.ask(part.describe_action, region, **parameters)[part.answer_key]
        return answer

    for done, outcome in enumerate(each(work, jobs, cancelled), start=1):
        place, part, name = outcome.item
        parts = found[place, part]
        try:
            parts[name] = part.parse(name, outcome.answer())
        except failures() as error:
            if not failed.add(error, part.source, part.describe_action, place[0], f"{place[1]}/{name}"):
                del parts[name]
        clusters[place] = _with_part(clusters[place], part, parts)
        if report:
            report(EksFacts(tuple(clusters.values()), whole), done, len(jobs))


def _with_part(cluster: Cluster, part: _Part, found: Mapping[str, ClusterPart]) -> Cluster:
    changed: dict[str, Any] = {part.kept_as: tuple(found.values())}
    return replace(cluster, **changed)


def _described(cluster: Cluster, answer: Mapping[str, Any]) -> Cluster:
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


def _issues(kind: str, name: str, answer: Mapping[str, Any]) -> tuple[HealthIssue, ...]:
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


def _nodegroup(name: str, answer: Mapping[str, Any] | None) -> NodeGroup:
    if answer is None:
        return NodeGroup(name, None)
    return NodeGroup(name, answer.get("nodeRole"), _issues("nodegroup", name, answer))


def _fargate_profile(name: str, answer: Mapping[str, Any] | None) -> FargateProfile:
    if answer is None:
        return FargateProfile(name, None)
    return FargateProfile(name, answer.get("podExecutionRoleArn"), _issues("fargate", name, answer))


def _addon(name: str, answer: Mapping[str, Any] | None) -> Addon:
    if answer is None:
        return Addon(name, None, None)
    return Addon(
        name,
        version=answer.get("addonVersion"),
        role_arn=answer.get("serviceAccountRoleArn"),
        association_arns=tuple(answer.get("podIdentityAssociations") or ()),
        issues=_issues("addon", name, answer),
    )


def _access_entry(principal: str, answer: Mapping[str, Any] | None) -> AccessEntry:
    return AccessEntry(principal, None if answer is None else answer.get("type"))


def _capability(name: str, answer: Mapping[str, Any] | None) -> Capability:
    if answer is None:
        return Capability(name, None, None)
    return Capability(name, answer.get("type"), answer.get("roleArn"), _issues("capability", name, answer))


_PARTS = (
    _Part("nodegroups", "nodegroups", "eks:ListNodegroups", "nodegroups", "eks:DescribeNodegroup", "nodegroupName", "nodegroup", _nodegroup),
    _Part("fargate", "fargate_profiles", "eks:ListFargateProfiles", "fargateProfileNames", "eks:DescribeFargateProfile", "fargateProfileName", "fargateProfile", _fargate_profile),
    _Part("addons", "addons", "eks:ListAddons", "addons", "eks:DescribeAddon", "addonName", "addon", _addon),
    _Part("access-entries", "access_entries", "eks:ListAccessEntries", "accessEntries", "eks:DescribeAccessEntry", "principalArn", "accessEntry", _access_entry, may_be_nodes),
    _Part("capabilities", "capabilities", "eks:ListCapabilities", "capabilities", "eks:DescribeCapability", "capabilityName", "capability", _capability),
)  # fmt: skip
