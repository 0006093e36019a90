"""Reading the whole account, the most useful first: IAM, then the clusters in EKS, Pod Identity last."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ekstui.core.account_snapshot import AccountSnapshot, CallerIdentity, PolicyCount, SourceError, SourceName
from ekstui.core.eks import EksFacts
from ekstui.core.eks_coverage import regions_of_interest
from ekstui.errors import AccountError
from ekstui.sources.aws.cluster_details import read_nodes, read_pod_identity
from ekstui.sources.aws.cluster_parts import Report, read_clusters
from ekstui.sources.aws.connection import Cancelled, Connection, each, never
from ekstui.sources.aws.failures import as_account_error, explain, failures
from ekstui.sources.aws.iam import Sweep, read_counts, read_identity, read_oidc_providers, read_sweep

Progress = Callable[[str], None]
"""Takes what is known of the account so far, and in a few words what is being read; called in the reading thread."""

ALL_REGIONS = "all"
"""Instead of regions: every region that is enabled in the account."""

_START: tuple[tuple[SourceName, str, Callable[[Connection], Any]], ...] = (
    ("identity", "sts:GetCallerIdentity", read_identity),
    ("counts", "iam:ListPolicies", read_counts),
    ("oidc-providers", "iam:ListOpenIDConnectProviders", read_oidc_providers),
)


def read_account(
    connection: Connection,
    regions: tuple[str, ...] = (),
    progress: Progress | None = None,
    cancelled: Cancelled = never,
) -> AccountSnapshot:
    """Return the account as it is in AWS now; AccountError if not even the caller's identity can be read.

    Clusters are searched for in `regions` or, without any, in those that the account itself points to. Other failures
    are in the snapshot's errors. If cancelled, it returns what it has so far.
    """

    def report(words: str) -> None:
        if progress and not cancelled():
            progress(words)

    snapshot = _start(connection)
    report("roles")
    snapshot = _with_sweep(connection, snapshot, report, cancelled)
    asked, errors = regions_to_ask(connection, snapshot, regions)
    snapshot = replace(snapshot, errors=(*snapshot.errors, *errors))
    report("clusters")
    snapshot = _with_eks(connection, snapshot, asked, report, cancelled)
    return replace(snapshot, not_looked_at=_not_looked_at(snapshot, regions, asked))


def regions_to_ask(
    connection: Connection, snapshot: AccountSnapshot, chosen: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[SourceError, ...]]:
    """Return the regions to search for clusters, and what failed in finding them."""
    if not chosen:
        return regions_of_interest(snapshot), ()
    if ALL_REGIONS not in chosen:
        return chosen, ()
    known = connection.regions_of("eks", snapshot.identity.partition)
    action = "ec2:DescribeRegions"
    try:
        enabled = {str(region["RegionName"]) for region in connection.ask(action)["Regions"]}
    except failures() as error:
        return known, (explain(error, "clusters", action, profile=connection.profile, signed_in=True),)
    return tuple(region for region in known if region in enabled), ()


def _start(connection: Connection) -> AccountSnapshot:
    """Read the caller's identity, the counts of attachments and the OIDC providers in parallel."""
    began = datetime.now(UTC)
    answers: dict[str, Any] = {}
    errors: list[SourceError] = []
    try:
        connection.sign_in()
    except failures() as error:
        raise _unknown_caller(connection, error) from error
    for outcome in each(lambda job: job[2](connection), _START):
        source, action, _ = outcome.item
        try:
            answers[source] = outcome.answer()
        except failures() as error:
            if source == "identity":
                raise _unknown_caller(connection, error) from error
            errors.append(explain(error, source, action, profile=connection.profile, signed_in=True))
    identity: CallerIdentity = answers["identity"]
    counts: dict[str, PolicyCount] | None = answers.get("counts")
    return AccountSnapshot(
        identity=identity,
        fetched_at=began,
        complete=False,
        counts=counts,
        oidc_providers=answers.get("oidc-providers"),
        errors=tuple(errors),
    )


def _unknown_caller(connection: Connection, error: Exception) -> AccountError:
    problem = explain(error, "identity", "sts:GetCallerIdentity", profile=connection.profile)
    if problem.kind == "network" and (likely := connection.likely_region()):
        problem = replace(problem, next_step=f"There is no region {connection.region!r}; did you mean {likely}?")
    return as_account_error(problem, error)


def _with_sweep(
    connection: Connection, snapshot: AccountSnapshot, report: Progress, cancelled: Cancelled
) -> AccountSnapshot:
    def taken(sweep: Sweep) -> AccountSnapshot:
        return replace(
            snapshot,
            complete=sweep.complete,
            roles=sweep.roles,
            users=sweep.users,
            groups=sweep.groups,
            local_policies=sweep.local_policies,
            errors=(*snapshot.errors, *((sweep.error,) if sweep.error else ())),
        )

    return taken(read_sweep(connection, lambda sweep: report(f"roles, page {sweep.pages}"), cancelled))


def _with_eks(
    connection: Connection,
    snapshot: AccountSnapshot,
    regions: Iterable[str],
    report: Progress,
    cancelled: Cancelled,
) -> AccountSnapshot:
    def counting(words: str) -> Report:
        return lambda done, total: report(f"{words}, {done} of {total}")

    read = read_clusters(connection, regions, counting("clusters"), cancelled)
    nodes = read_nodes(connection, read.facts.clusters, cancelled)
    pods = read_pod_identity(connection, nodes.clusters, counting("Pod Identity"), cancelled)
    return replace(
        snapshot,
        eks=EksFacts(pods.clusters, read.facts.regions),
        errors=(*snapshot.errors, *read.errors, *nodes.errors, *pods.errors),
    )


def _not_looked_at(snapshot: AccountSnapshot, chosen: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    notes: list[str] = []
    if ALL_REGIONS not in chosen:
        notes.append(f"clusters in regions other than {', '.join(asked)}" if asked else "clusters: no region is known")
    clusters = snapshot.eks.clusters if snapshot.eks else ()
    by_map = [
        cluster.name for cluster in clusters if cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP")
    ]
    if by_map:
        notes.append(f"the aws-auth ConfigMap inside {', '.join(by_map)}, which may name more roles of nodes")
    if any(not role.service_linked for role in snapshot.roles):
        notes.append("service accounts' annotations inside the clusters, so IRSA is inferred from trust policies")
    return tuple(notes)
