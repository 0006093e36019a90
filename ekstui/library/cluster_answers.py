"""A cluster for the first thirty seconds of an incident: health, roles, access entries and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ekstui.eks.account_snapshot import AccountSnapshot, CallerIdentity, SourceError, Use
from ekstui.eks.cluster import AccessEntry, Cluster, HealthIssue
from ekstui.eks.findings.health import is_about
from ekstui.eks.findings.looking import findings_of
from ekstui.eks.findings.subjects import (
    About,
    AccountContext,
    ClusterInUse,
    EntryInCluster,
    RoleInCluster,
    RoleInUse,
    ServiceAccountInCluster,
    WorkloadInCluster,
)
from ekstui.eks.findings.table import SEVERITIES, Finding, FixPlace, Severity
from ekstui.eks.pod_credentials import Credentials, ExpectedCredentials, credentials_of, expected_of
from ekstui.eks.pods import KubernetesServiceAccount, Workload, workloads
from ekstui.eks.uses import roles_of_cluster
from ekstui.library.cluster_facts import find_cluster, with_cluster
from ekstui.library.library import Library
from ekstui.library.roles import account_context, subjects_of, with_commands
from ekstui.named_tuples import NamedTuple
from ekstui.sources.aws.clusters import read_addon_needs, read_entries

RECENT = timedelta(days=14)
"""How far back a change of an AWS policy is worth showing in an incident."""


class ClusterRole(NamedTuple):
    """A role that the cluster uses."""

    arn: str
    uses: tuple[Use, ...]
    """Its uses in this cluster."""
    subject: RoleInUse | None
    """The role with all its uses; None if it was not read, such as one of another account."""
    findings: tuple[Finding, ...]

    @property
    def name(self) -> str:
        """Its name, without the path."""
        return self.arn.rpartition("/")[2]


class EntryAnswer(NamedTuple):
    """An access entry, and the findings about it."""

    entry: AccessEntry
    findings: tuple[Finding, ...]


class RecentChange(NamedTuple):
    """A policy of the cluster's roles that AWS changed recently."""

    policy: str
    version: int
    created: datetime
    roles: tuple[str, ...]
    """Names of the cluster's roles that have it attached."""


class PodsAnswer(NamedTuple):
    """Pods that were given the same, the credentials that they use, and what is wrong with that."""

    workload: Workload
    credentials: tuple[Credentials, ...]
    expected: ExpectedCredentials | None
    findings: tuple[Finding, ...]


class ServiceAccountAnswer(NamedTuple):
    """A service account and what is wrong with it."""

    service_account: KubernetesServiceAccount
    findings: tuple[Finding, ...]


class ClusterAnswer(NamedTuple):
    """A cluster, and the account and time that it was read from."""

    identity: CallerIdentity
    fetched_at: datetime
    cluster: Cluster
    roles: tuple[ClusterRole, ...]
    recent: tuple[RecentChange, ...]
    """Newest first."""
    roles_complete: bool
    """Whether all roles of the account were read: some belong to the cluster by their trust policies only."""
    complete: bool
    not_looked_at: tuple[str, ...]
    errors: tuple[SourceError, ...]
    entries: tuple[EntryAnswer, ...] = ()
    """The cluster's access entries, those of people first."""
    findings: tuple[Finding, ...] = ()
    """Those about the cluster itself: what EKS reports, and what its authentication mode means for the entries."""
    pods: tuple[PodsAnswer, ...] | None = None
    """By what owns them; None if they were not read."""
    service_accounts: tuple[ServiceAccountAnswer, ...] = ()
    """Those with findings."""
    kubernetes_read_at: datetime | None = None
    """When its Kubernetes was read; None if it was not."""
    not_judged: tuple[str, ...] = ()
    """What could not be read, so that it may have problems that are not found, as phrases.

    Roles of other accounts are not among it: they are never read.
    """

    @property
    def counts(self) -> Mapping[Severity, int | None]:
        """How many findings have each severity; None if none has, but not everything was judged."""
        counts = Counter(finding.severity for _, finding in findings_worst_first(self))
        return {severity: counts[severity] or (None if self.not_judged else 0) for severity in SEVERITIES}


def cluster_answer(library: Library, name: str, region: str | None = None, *, ask: bool = True) -> ClusterAnswer:
    """Return a cluster of the newest snapshot; `ask` lets it ask AWS for what the add-ons need.

    Errors as those of `find_cluster`.
    """
    account, now = library.account, datetime.now(UTC)
    snapshot = account.last_snapshot_or_error()
    cluster = find_cluster(name, region, snapshot)
    detail_errors: tuple[SourceError, ...] = ()
    if ask and account.choice.asks_aws:
        cluster, addons_failed = read_addon_needs(account.connection(), cluster)
        cluster, entries_failed = read_entries(account.connection(), cluster)
        detail_errors = (*addons_failed, *entries_failed)
        snapshot = with_cluster(snapshot, cluster)
        account.add_details(snapshot)
    errors = (*snapshot.errors, *detail_errors)
    uses = account.uses(snapshot)
    cluster_uses = roles_of_cluster(cluster, snapshot, uses)
    read_roles = [role for role in snapshot.roles if role.arn in cluster_uses]
    subjects = subjects_of(read_roles, snapshot, uses, library.default_versions)
    by_arn = {subject.role.arn: subject for subject in subjects}
    context = account_context(snapshot, now)
    roles = [
        _role(arn, of_cluster, by_arn.get(arn), cluster, context, library) for arn, of_cluster in cluster_uses.items()
    ]
    explained_issues = {issue for role in roles for finding in role.findings for issue in finding.reported}
    itself = ClusterInUse(
        cluster, cluster_uses, [issue for issue in cluster.all_issues if issue not in explained_issues]
    )
    place = FixPlace(cluster.arn or cluster.name, None, cluster, context)
    return ClusterAnswer(
        identity=snapshot.identity,
        fetched_at=snapshot.fetched_at,
        cluster=cluster,
        roles=tuple(sorted(roles, key=_urgency)),
        recent=_recent(subjects, now),
        roles_complete=snapshot.complete,
        complete=snapshot.complete and not cluster.unread and not errors,
        not_looked_at=(*snapshot.not_looked_at, *(cluster.kubernetes.trouble if cluster.kubernetes else ())),
        errors=errors,
        entries=_entries(cluster, cluster_uses, context, library),
        findings=with_commands(findings_of(itself, context), place, library),
        pods=pods_of(cluster, context, library),
        service_accounts=service_accounts_of(cluster, context, library),
        kubernetes_read_at=cluster.kubernetes.read_at if cluster.kubernetes else None,
        not_judged=tuple(_not_judged(cluster, snapshot, roles, detail_errors)),
    )


def pods_of(cluster: Cluster, context: AccountContext, library: Library) -> tuple[PodsAnswer, ...] | None:
    """Return the pods of a cluster by what owns them; None if they were not read."""
    if cluster.pods is None:
        return None
    return tuple(pods_answer(workload, cluster, context, library) for workload in workloads(cluster.pods))


def pods_answer(workload: Workload, cluster: Cluster, context: AccountContext, library: Library) -> PodsAnswer:
    """Return the credentials that pods use, and what is wrong with that."""
    credentials, expected = credentials_of(workload, cluster), expected_of(workload, cluster)
    findings = findings_of(WorkloadInCluster(workload, cluster, credentials, expected), context)
    place = FixPlace(workload.title, None, cluster, context, workload)
    return PodsAnswer(workload, credentials, expected, with_commands(findings, place, library))


def service_accounts_of(
    cluster: Cluster, context: AccountContext, library: Library
) -> tuple[ServiceAccountAnswer, ...]:
    """Return the service accounts of a cluster with which something is wrong."""
    facts = cluster.kubernetes
    answers = []
    for account in (facts.service_accounts or ()) if facts else ():
        place = FixPlace(f"{account.namespace}/{account.name}", None, cluster, context, service_account=account)
        findings = findings_of(ServiceAccountInCluster(account, cluster), context)
        if findings:
            answers.append(ServiceAccountAnswer(account, with_commands(findings, place, library)))
    return tuple(answers)


def _role(
    arn: str,
    uses: tuple[Use, ...],
    subject: RoleInUse | None,
    cluster: Cluster,
    context: AccountContext,
    library: Library,
) -> ClusterRole:
    """Return a role of the cluster with what is wrong with it there, and the commands that fix that."""
    findings_there = findings_of(RoleInCluster(arn, uses, cluster, subject is not None), context)
    everywhere = findings_of(subject, context) if subject else ()
    findings = (*findings_there, *(finding for finding in everywhere if _concerns(finding, cluster)))
    all_findings = [_with_reports(cluster.all_issues, finding) for finding in findings]
    place = FixPlace(arn, subject.role if subject else None, cluster, context)
    return ClusterRole(arn, uses, subject, with_commands(all_findings, place, library))


def _with_reports(issues: Sequence[HealthIssue], finding: Finding) -> Finding:
    """Return a finding that says, if it is a problem, which reports of EKS it explains."""
    explained_issues = tuple(issue for issue in issues if any(is_about(issue, use) for use in finding.uses))
    if finding.severity != "problem" or not explained_issues:
        return finding
    reports = (f"EKS reports {issue.code} for {issue.kind} {issue.name}: {issue.message}" for issue in explained_issues)
    return replace(finding, evidence=(*reports, *finding.evidence), reported=explained_issues)


def _not_judged(
    cluster: Cluster, snapshot: AccountSnapshot, roles: Sequence[ClusterRole], errors: Sequence[SourceError]
) -> Iterator[str]:
    """Yield what could not be read; `errors` are of the questions about this cluster alone."""
    roles_of_account = [role for role in roles if role.arn.split(":", 5)[4:5] == [snapshot.identity.account]]
    missing_parts = [
        role for role in roles_of_account if not (role.subject.known_whole if role.subject else snapshot.complete)
    ]
    if missing_parts:
        yield (f"{len(missing_parts)} of" if len(missing_parts) < len(roles) else "all") + f" its {len(roles)} roles"
    elif not snapshot.complete:
        yield "roles that only their trust policies connect with it"
    partly = [
        role
        for role in roles_of_account
        if role not in missing_parts and any(finding.undecided for finding in role.findings)
    ]
    if partly:
        yield f"policies of {', '.join(sorted(role.arn.rpartition('/')[2] for role in partly))}"
    yield from cluster.unread
    failed_sources = {error.source for error in errors}
    yield from (
        unjudged_part
        for source, part, unjudged_part in _DETAILS
        if source in failed_sources and part not in cluster.unread
    )


_DETAILS = (
    ("addons", "add-ons", "what its add-ons need"),
    ("access-entries", "access entries", "policies of its access entries"),
)
"""The details asked for one cluster: their source, the part of the cluster, and what is lost without."""


def _concerns(finding: Finding, cluster: Cluster) -> bool:
    """Return whether a finding is about the role itself, or about one of its uses in the cluster."""
    are_there = ((use.cluster, use.region or cluster.region) == (cluster.name, cluster.region) for use in finding.uses)
    return not finding.uses or any(are_there)


def _entries(
    cluster: Cluster, uses: Mapping[str, tuple[Use, ...]], context: AccountContext, library: Library
) -> tuple[EntryAnswer, ...]:
    def answer(entry: AccessEntry) -> EntryAnswer:
        place = FixPlace(entry.principal_arn, None, cluster, context)
        subject = EntryInCluster(entry, cluster, uses.get(entry.principal_arn, ()))
        return EntryAnswer(entry, with_commands(findings_of(subject, context), place, library))

    people_first = sorted(
        cluster.access_entries or (), key=lambda entry: (entry.kind not in (None, "STANDARD"), entry.principal_arn)
    )
    return tuple(map(answer, people_first))


def clusters(library: Library) -> tuple[ClusterAnswer, ...]:
    """Return all clusters of the newest snapshot, judged by that alone; AccountError if there is no snapshot."""
    snapshot = library.account.last_snapshot_or_error()
    return tuple(cluster_answer(library, cluster.name, cluster.region, ask=False) for cluster in snapshot.clusters)


class ClusterSubject(NamedTuple):
    """What a finding of a cluster is about."""

    about: About
    arn: str
    """An ARN or, of pods and service accounts, what they are called, such as `shop/deployment/web`."""
    role: ClusterRole | None = None
    """The role of the cluster that it is, also if it is the principal of an access entry."""
    pods: int = 0
    """How many pods it is about, by themselves or by their service account."""

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return self.arn.rpartition("/")[2] if self.arn.startswith("arn:") else self.arn


def findings_worst_first(answer: ClusterAnswer) -> list[tuple[ClusterSubject, Finding]]:
    """Return all findings of a cluster, each with what it is about, problems first, then advice, then notes."""
    findings = [(ClusterSubject("cluster", answer.cluster.arn or answer.cluster.name), answer.findings)]
    findings += [(ClusterSubject("role in a cluster", role.arn, role), role.findings) for role in answer.roles]
    pods_of_accounts: Counter[str] = Counter()
    for pods in answer.pods or ():
        count = len(pods.workload.pods)
        pods_of_accounts[pods.workload.account] += count
        findings.append((ClusterSubject("pods", pods.workload.title, pods=count), pods.findings))
    for account, of_account in answer.service_accounts:
        count = pods_of_accounts[f"{account.namespace}/{account.name}"]
        name = f"{account.namespace}/sa/{account.name}"
        findings.append((ClusterSubject("service account", name, pods=count), of_account))
    roles = {role.arn: role for role in answer.roles}
    for entry in answer.entries:
        arn = entry.entry.principal_arn
        findings.append((ClusterSubject("access entry", arn, roles.get(arn)), entry.findings))
    pairs = [(subject, finding) for subject, about_it in findings for finding in about_it]
    return sorted(pairs, key=lambda pair: SEVERITIES.index(pair[1].severity))


class CommonCause(NamedTuple):
    """What is wrong with a cluster, or for the same reason with one or several of its roles or access entries."""

    severity: Severity
    code: str
    title: str
    cases: tuple[tuple[ClusterSubject, Finding], ...]


def causes(answer: ClusterAnswer) -> list[CommonCause]:
    """Return the findings about the cluster, its roles and access entries by cause, the most severe first."""
    cases: dict[tuple[Severity, str, str], list[tuple[ClusterSubject, Finding]]] = {}
    for subject, finding in findings_worst_first(answer):
        cases.setdefault((finding.severity, finding.code, finding.title), []).append((subject, finding))
    return [CommonCause(*cause, tuple(alike)) for cause, alike in cases.items()]


def _recent(subjects: tuple[RoleInUse, ...], now: datetime) -> tuple[RecentChange, ...]:
    roles: dict[tuple[str, int, datetime], list[str]] = {}
    for subject in subjects:
        for policy in subject.policies:
            if policy.version and policy.created is not None and now - policy.created <= RECENT:
                roles.setdefault((policy.name, policy.version, policy.created), []).append(subject.role.name)
    changes = (RecentChange(*change, tuple(sorted(names))) for change, names in roles.items())
    return tuple(sorted(changes, key=lambda change: change.created, reverse=True))


def _urgency(role: ClusterRole) -> tuple[int, str]:
    worst = min((SEVERITIES.index(finding.severity) for finding in role.findings), default=len(SEVERITIES))
    return worst, role.arn.rpartition("/")[2].lower()
