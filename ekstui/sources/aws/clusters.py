"""Clusters, what belongs to them and the roles that they use, as EKS tells, and their nodes as EC2 does."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, TypeVar

from ekstui.eks.account_snapshot import SourceError, SourceName
from ekstui.eks.cluster import (
    AccessEntry,
    Addon,
    AssociatedPolicy,
    Capability,
    Cluster,
    ClusterPlace,
    Ec2Node,
    EksFacts,
    FargateProfile,
    HealthIssue,
    NodeGroup,
    PodIdentityAssociation,
    may_be_nodes,
)
from ekstui.errors import ASK_AGAIN
from ekstui.named_tuples import NamedTuple
from ekstui.sources.aws.answers import MalformedError, is_arn
from ekstui.sources.aws.connection import Connection, in_parallel
from ekstui.sources.aws.failures import code_of, failures, source_error_of
from ekstui.waiting import Cancelled, Progress

ClusterPart = NodeGroup | FargateProfile | Addon | AccessEntry | Capability | PodIdentityAssociation

_Reply = Mapping[str, Any]


class Part(NamedTuple):
    """One kind of part of a cluster: how it is listed and described, and the field of Cluster that has it."""

    source: SourceName
    kept_as: str
    list_action: str
    list_key: str
    describe_action: str
    parameter: str
    answer_key: str
    always: tuple[str, ...]
    """What EKS returns of each, though its model does not say so: an answer without it is not one about the part."""
    parse: Callable[[Any, _Reply], ClusterPart]
    """Takes the entry of the list and the description, which is empty if it could not be read."""
    named: Callable[[Any], str] = str
    """Returns the name in an entry of the list, which mostly is one; MalformedError or KeyError if it has none."""


def with_all(answer: _Reply, action: str, names: tuple[str, ...]) -> _Reply:
    """Return an answer; MalformedError if something is missing that there always is."""
    if not all(answer.get(name) for name in names):
        raise MalformedError(action)
    return answer


def described(cluster: Cluster, answer: _Reply) -> Cluster:
    """Return a cluster with what DescribeCluster returned."""
    compute = answer.get("computeConfig") or {}
    network = answer.get("kubernetesNetworkConfig") or {}
    issuer = ((answer.get("identity") or {}).get("oidc") or {}).get("issuer")
    return cluster._replace(
        arn=answer.get("arn"),
        role_arn=answer.get("roleArn"),
        issuer=issuer.removeprefix("https://") if issuer else None,
        endpoint=answer.get("endpoint"),
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


def _issues(kind: str, name: str, answer: _Reply) -> tuple[HealthIssue, ...] | None:
    """Return what EKS reports; None if it says nothing, since without problems it sends an empty list."""
    issues = (answer.get("health") or {}).get("issues")
    if issues is None:
        return None
    return tuple(
        HealthIssue(
            kind,
            name,
            str(issue.get("code", "")),
            str(issue.get("message", "")),
            tuple(str(resource) for resource in issue.get("resourceIds") or ()),
        )
        for issue in issues
    )


def _addon(name: str, answer: _Reply) -> Addon:
    return Addon(
        name,
        version=answer.get("addonVersion"),
        role_arn=answer.get("serviceAccountRoleArn"),
        association_arns=tuple(answer.get("podIdentityAssociations") or ()),
        issues=_issues("addon", name, answer),
    )


def _capability(entry: _Reply, answer: _Reply) -> Capability:
    name = str(entry["capabilityName"])
    return Capability(name, answer.get("type"), answer.get("roleArn"), _issues("capability", name, answer))


def access_entry(principal: str, answer: _Reply) -> AccessEntry:
    """Return a principal's access entry, without its details if there is no description."""
    return AccessEntry(
        principal, answer.get("type"), answer.get("username"), tuple(answer.get("kubernetesGroups") or ())
    )


def _association(entry: _Reply, answer: _Reply) -> PodIdentityAssociation:
    return PodIdentityAssociation(
        id=str(entry["associationId"]),
        namespace=str(entry["namespace"]),
        service_account=str(entry["serviceAccount"]),
        role_arn=answer.get("roleArn"),
        target_role_arn=answer.get("targetRoleArn"),
        session_policy=answer.get("policy"),
        session_tags=not answer.get("disableSessionTags", False),
        owner_arn=answer.get("ownerArn", entry.get("ownerArn")),
        created=answer.get("createdAt"),
    )


def _association_id(entry: _Reply) -> str:
    always = ("associationId", "namespace", "serviceAccount")
    return str(with_all(entry, "eks:ListPodIdentityAssociations", always)["associationId"])


def _arn(text: str) -> str:
    if not is_arn(text):
        raise MalformedError(text)  # to the model it is a string
    return text


NODEGROUPS = Part(
    "nodegroups", "nodegroups",
    "eks:ListNodegroups", "nodegroups", "eks:DescribeNodegroup", "nodegroupName", "nodegroup",
    ("nodegroupName", "nodeRole"),
    lambda name, answer: NodeGroup(name, answer.get("nodeRole"), _issues("nodegroup", name, answer)),
)  # fmt: skip
FARGATE_PROFILES = Part(
    "fargate", "fargate_profiles",
    "eks:ListFargateProfiles", "fargateProfileNames", "eks:DescribeFargateProfile", "fargateProfileName",
    "fargateProfile", ("fargateProfileName", "podExecutionRoleArn"),
    lambda name, answer: FargateProfile(name, answer.get("podExecutionRoleArn"), _issues("fargate", name, answer)),
)  # fmt: skip
ADDONS = Part(
    "addons", "addons",
    "eks:ListAddons", "addons", "eks:DescribeAddon", "addonName", "addon", ("addonName", "addonVersion"), _addon,
)  # fmt: skip
CAPABILITIES = Part(
    "capabilities", "capabilities",
    "eks:ListCapabilities", "capabilities", "eks:DescribeCapability", "capabilityName", "capability",
    ("capabilityName", "type", "roleArn"),
    _capability, itemgetter("capabilityName"),
)  # fmt: skip
ACCESS_ENTRIES = Part(
    "access-entries", "access_entries",
    "eks:ListAccessEntries", "accessEntries", "eks:DescribeAccessEntry", "principalArn", "accessEntry",
    ("principalArn", "type"), access_entry, _arn,
)  # fmt: skip
ASSOCIATIONS = Part(
    "pod-identity", "associations",
    "eks:ListPodIdentityAssociations", "associations", "eks:DescribePodIdentityAssociation", "associationId",
    "association", ("associationId", "roleArn"), _association,
    _association_id,
)  # fmt: skip


ENTRIES_A_PAGE = 100
"""Items per page, EKS's maximum."""


_Item = TypeVar("_Item")
_Value = TypeVar("_Value")


@dataclass(slots=True)
class Failures:
    """What failed so far: one error for each action and reason in a region, not for each item."""

    profile: str | None
    by_reason: dict[tuple[str | None, ...], SourceError] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[SourceError, ...]:
        """What failed, in the order in which it did."""
        return tuple(self.by_reason.values())

    def answered(
        self,
        answers: Iterator[tuple[_Item, Future[_Value]]],
        source: SourceName,
        action: str,
        place: Callable[[_Item], ClusterPlace],
    ) -> Iterator[tuple[_Item, _Value]]:
        """Yield the items of parallel calls that have an answer, with it; the others are recorded with their places."""
        for item, answer in answers:
            try:
                yield item, answer.result()
            except failures() as error:
                self.add(error, source, action, *place(item))

    def add(self, error: Exception, source: SourceName, action: str, region: str, subject: str | None = None) -> bool:
        """Record a failure, unless what was listed no longer exists; return whether it was recorded."""
        problem = source_error_of(
            error, source, action, profile=self.profile, region=region, subject=subject, signed_in=True
        )
        if problem.kind == "absent" and ":Describe" in action:
            return False
        self.by_reason.setdefault((action, region, problem.kind), problem)
        return True

    def without(
        self,
        parts: Mapping[str, _Value],
        absent_names: set[str],
        source: SourceName,
        action: str,
        place: ClusterPlace,
        what: str,
    ) -> tuple[_Value, ...]:
        """Return the listed items that still exist; if none does, record that and return the list unchanged."""
        if absent_names and absent_names.issuperset(parts):
            self.doubt(source, action, place[0], f"{len(absent_names)} {what}", place[1])
            return tuple(parts.values())
        return tuple(part for name, part in parts.items() if name not in absent_names)

    def doubt(self, source: SourceName, action: str, region: str, part: str, subject: str | None = None) -> None:
        """Record that everything that was listed is said not to exist, which does not prove that it is gone."""
        self.by_reason[action, region, subject] = SourceError(
            source, action, "incomplete", f"EKS lists {part} and says of each that it does not exist.",
            ASK_AGAIN, region=region, subject=subject,
        )  # fmt: skip


def read_clusters(
    connection: Connection, regions: Iterable[str], report: Progress, cancelled: Cancelled, problems: Failures
) -> EksFacts:
    """Return the clusters of the regions, without Pod Identity associations and EC2 nodes."""
    reading = _Reading(connection, report, cancelled, problems)
    reading.list_clusters(regions)
    reading.describe_clusters_and_list((NODEGROUPS, FARGATE_PROFILES, ADDONS, CAPABILITIES))
    # Only the description tells whether a cluster has access entries.
    reading.list_parts(
        ACCESS_ENTRIES,
        [place for place, cluster in reading.clusters.items() if cluster.authentication_mode != "CONFIG_MAP"],
    )
    reading.describe_parts()
    return EksFacts(tuple(reading.clusters.values()), tuple(sorted(reading.whole)))


def read_pod_identity(
    connection: Connection, clusters: tuple[Cluster, ...], report: Progress, cancelled: Cancelled, problems: Failures
) -> tuple[Cluster, ...]:
    """Return the clusters with their Pod Identity associations; if cancelled, the rest have no role."""
    reading = _Reading(connection, report, cancelled, problems, {cluster.place: cluster for cluster in clusters})
    reading.list_parts(ASSOCIATIONS, reading.clusters)
    reading.describe_parts()
    return tuple(reading.clusters.values())


Listed = tuple[dict[str, Any], Exception | None]
"""The entries of a list by name, and the error that ended it early."""


@dataclass(slots=True)
class _Reading:
    """The clusters as read so far."""

    connection: Connection
    report: Progress
    cancelled: Cancelled
    failed: Failures
    clusters: dict[ClusterPlace, Cluster] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    """Regions whose list of clusters is complete."""
    entries: dict[tuple[ClusterPlace, Part], dict[str, Any]] = field(default_factory=dict)
    """What the lists have of each cluster's parts, by name, where a list had any."""

    def list_clusters(self, regions: Iterable[str]) -> None:
        """Find the clusters of the regions."""
        action = "eks:ListClusters"
        answers = in_parallel(
            lambda region: self._entries(action, "clusters", str, region), dict.fromkeys(regions), self.cancelled
        )
        places: list[ClusterPlace] = []
        for region, answer in answers:
            entries, error = answer.result()
            places.extend((region, name) for name in entries)
            if error is None:
                self.whole.append(region)
            else:
                self.failed.add(error, "clusters", action, region)
        self.clusters = {place: Cluster(name=place[1], region=place[0]) for place in sorted(places)}

    def describe_clusters_and_list(self, parts: tuple[Part, ...]) -> None:
        """Describe the clusters and list their parts, all at once."""

        def work(job: tuple[ClusterPlace, Part | None]) -> Mapping[str, Any] | Listed:
            (region, name), part = job
            if part is None:
                answer: Mapping[str, Any] = self.connection.ask("eks:DescribeCluster", region, name=name)["cluster"]
                return with_all(answer, "eks:DescribeCluster", ("name", "arn"))
            return self._entries_of(part, (region, name))

        jobs: list[tuple[ClusterPlace, Part | None]] = [
            (place, part) for place in self.clusters for part in (None, *parts)
        ]
        list_failures: list[tuple[ClusterPlace, Part, Exception]] = []
        absent_places: set[ClusterPlace] = set()
        for done, ((place, part), outcome) in enumerate(in_parallel(work, jobs, self.cancelled), start=1):
            try:
                answer = outcome.result()
            except failures() as error:
                if not self.failed.add(error, "clusters", "eks:DescribeCluster", *place):
                    absent_places.add(place)
                continue
            if part is None and not isinstance(answer, tuple):
                self.clusters[place] = described(self.clusters[place], answer)
            elif part is not None and isinstance(answer, tuple) and (cause := self._listed(place, part, answer)):
                list_failures.append((place, part, cause))
            self.report(done, len(jobs))
        self._forget(absent_places)
        # Only now is it known which clusters are gone; that their parts cannot be listed is not reported.
        for place, part, cause in list_failures:
            if place in self.clusters:
                self.failed.add(cause, part.source, part.list_action, *place)

    def _forget(self, absent_places: set[ClusterPlace]) -> None:
        """Forget clusters that were deleted after they were listed, unless that would be all of a region."""
        for region in sorted({region for region, _ in absent_places}):
            places = {place for place in self.clusters if place[0] == region}
            if absent_places >= places:
                absent_places = absent_places - places
                self.failed.doubt("clusters", "eks:DescribeCluster", region, f"{len(places)} clusters")
        self.clusters = {place: cluster for place, cluster in self.clusters.items() if place not in absent_places}

    def list_parts(self, part: Part, places: Iterable[ClusterPlace]) -> None:
        """List the parts of one kind of some clusters."""
        answers = in_parallel(lambda place: self._entries_of(part, place), places, self.cancelled)
        for place, answer in answers:
            cause = self._listed(place, part, answer.result())
            # A cluster that could not be described may use the ConfigMap only; EKS then refuses to list entries.
            if cause and (self.clusters[place].described or code_of(cause) != "InvalidRequestException"):
                self.failed.add(cause, part.source, part.list_action, *place)

    def describe_parts(self) -> None:
        """Describe everything that was listed."""
        cluster_parts: dict[tuple[ClusterPlace, Part], dict[str, ClusterPart]] = {
            (place, part): {name: part.parse(entry, {}) for name, entry in entries.items()}
            for (place, part), entries in self.entries.items()
            if place in self.clusters
        }

        def work(job: tuple[ClusterPlace, Part, str]) -> ClusterPart:
            (region, cluster), part, name = job
            parameters = {"clusterName": cluster, part.parameter: name}
            answer: _Reply = self.connection.ask(part.describe_action, region, **parameters)[part.answer_key]
            entry = self.entries[job[0], part][name]
            return part.parse(entry, with_all(answer, part.describe_action, part.always))

        absent_names: dict[tuple[ClusterPlace, Part], set[str]] = {}
        jobs = [
            (place, part, name)
            for (place, part), parts in cluster_parts.items()
            for name in parts
            if name and (part is not ACCESS_ENTRIES or may_be_nodes(name))
        ]
        for done, ((place, part, name), answer) in enumerate(in_parallel(work, jobs, self.cancelled), start=1):
            try:
                cluster_parts[place, part][name] = answer.result()
            except failures() as error:
                if not self.failed.add(error, part.source, part.describe_action, place[0], f"{place[1]}/{name}"):
                    absent_names.setdefault((place, part), set()).add(name)
            self.report(done, len(jobs))
        for (place, part), parts in cluster_parts.items():
            names = absent_names.get((place, part), set())
            existing_parts: Any = self.failed.without(
                parts, names, part.source, part.describe_action, place, part.list_key
            )
            self.clusters[place] = self.clusters[place]._replace(**{part.kept_as: existing_parts})

    def _listed(self, place: ClusterPlace, part: Part, answer: Listed) -> Exception | None:
        """Keep the entries of a list; return the error that ended it, if any."""
        entries, error = answer
        # Of associations a part alone would tell of a pod without one what is not so.
        if error is None or (entries and part is not ASSOCIATIONS):
            self.entries[place, part] = entries
        if error is not None:
            cluster = self.clusters[place]
            self.clusters[place] = cluster._replace(cut_short=(*cluster.cut_short, part.kept_as))
        return error

    def _entries_of(self, part: Part, place: ClusterPlace) -> Listed:
        return self._entries(part.list_action, part.list_key, part.named, place[0], clusterName=place[1])

    def _entries(self, action: str, key: str, name_of: Callable[[Any], str], region: str, **parameters: str) -> Listed:
        entries: dict[str, Any] = {}
        try:
            for page in self.connection.token_pages(action, region, maxResults=ENTRIES_A_PAGE, **parameters):
                entries |= {name_of(entry): entry for entry in page[key]}
        except failures() as error:
            return entries, error
        return entries, None


INSTANCES_A_PAGE = 1000
"""DescribeInstances' maximum."""


def read_nodes(
    connection: Connection, clusters: tuple[Cluster, ...], cancelled: Cancelled, problems: Failures
) -> tuple[Cluster, ...]:
    """Return the clusters, those whose nodes only EC2 knows with their instances."""
    clusters_by_place = {cluster.place: cluster for cluster in clusters}
    ec2_clusters = (cluster for cluster in clusters if cluster.needs_ec2)
    answers = in_parallel(lambda cluster: _nodes(connection, cluster), ec2_clusters, cancelled)
    for cluster, nodes in problems.answered(answers, "nodes", "ec2:DescribeInstances", lambda place: place.place):
        clusters_by_place[cluster.place] = cluster._replace(nodes=nodes)
    return tuple(clusters_by_place.values())


Details = tuple[Cluster, tuple[SourceError, ...]]
"""A cluster with details that were asked for it alone, and what failed."""


def read_addon_needs(connection: Connection, cluster: Cluster) -> Details:
    """Return a cluster with what its add-ons need of IAM according to EKS, and what failed."""
    problems = Failures(connection.profile)
    addons = {addon.name: addon for addon in cluster.addons or ()}
    versioned_addons = [addon for addon in addons.values() if addon.version is not None]
    versions, configuration = "eks:DescribeAddonVersions", "eks:DescribeAddonConfiguration"

    def required(addon: Addon) -> bool | None:
        release = {} if cluster.version is None else {"kubernetesVersion": cluster.version}
        return _requires_permissions(connection.ask(versions, cluster.region, addonName=addon.name, **release), addon)

    def recommended(addon: Addon) -> tuple[tuple[str, tuple[str, ...]], ...]:
        parameters = {"addonName": addon.name, "addonVersion": str(addon.version)}
        return _recommended(connection.ask(configuration, cluster.region, **parameters))

    def place(addon: Addon) -> ClusterPlace:
        return cluster.region, addon.name

    for addon, need in problems.answered(in_parallel(required, versioned_addons), "addons", versions, place):
        addons[addon.name] = addon._replace(requires_permissions=need)
    for addon, policies in problems.answered(
        in_parallel(recommended, versioned_addons), "addons", configuration, place
    ):
        addons[addon.name] = addons[addon.name]._replace(recommended_policies=policies)
    all_addons = None if cluster.addons is None else tuple(addons.values())
    return cluster._replace(addons=all_addons), problems.errors


def read_entries(connection: Connection, cluster: Cluster) -> Details:
    """Return a cluster with its access entries described and their access policies, and what failed."""
    problems = Failures(connection.profile)
    entries = {entry.principal_arn: entry for entry in cluster.access_entries or ()}
    describe_action, list_action = "eks:DescribeAccessEntry", "eks:ListAssociatedAccessPolicies"
    parameters = {"clusterName": cluster.name}

    def describe(principal: str) -> AccessEntry:
        answer = connection.ask(describe_action, cluster.region, principalArn=principal, **parameters)["accessEntry"]
        return access_entry(principal, with_all(answer, describe_action, ACCESS_ENTRIES.always))

    def associated(principal: str) -> tuple[AssociatedPolicy, ...]:
        pages = connection.token_pages(
            list_action, cluster.region, maxResults=ENTRIES_A_PAGE, principalArn=principal, **parameters
        )
        return tuple(_associated_policy(policy) for page in pages for policy in page["associatedAccessPolicies"])

    def place(_: str) -> ClusterPlace:
        return cluster.place

    descriptions = in_parallel(describe, [arn for arn, entry in entries.items() if entry.kind is None])
    entries |= dict(problems.answered(descriptions, "access-entries", describe_action, place))
    policy_lists = in_parallel(associated, [arn for arn, entry in entries.items() if entry.takes_policies])
    for principal, policies in problems.answered(policy_lists, "access-entries", list_action, place):
        entries[principal] = entries[principal]._replace(policies=policies)
    all_entries = None if cluster.access_entries is None else tuple(entries.values())
    return cluster._replace(access_entries=all_entries), problems.errors


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
    requirements = (
        version.get("requiresIamPermissions") for version in versions if version.get("addonVersion") == addon.version
    )
    return next(requirements, None)


def _recommended(answer: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if "addonName" not in answer:
        raise KeyError("addonName")
    return tuple(
        (str(entry.get("serviceAccount", "")), tuple(entry.get("recommendedManagedPolicies") or ()))
        for entry in answer.get("podIdentityConfiguration") or ()
    )
