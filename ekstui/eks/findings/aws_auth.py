"""What is wrong with the lines of the ConfigMap aws-auth.

Source: EKS User Guide, "Grant IAM users access to Kubernetes with a ConfigMap" and "Change authentication mode";
aws-iam-authenticator #153 and #268 for paths.
"""

from __future__ import annotations

from collections.abc import Iterator

from ekstui.eks.cluster import Cluster
from ekstui.eks.findings.subjects import AccountContext, ClusterInUse
from ekstui.eks.findings.table import Case, finding
from ekstui.eks.pods import MASTERS, AuthMapping
from ekstui.eks.uses import arn_without_path
from ekstui.iam.text import counted, listed


def _lines(cluster: Cluster) -> tuple[AuthMapping, ...]:
    """Return the lines that count: none where only access entries do."""
    return () if cluster.authentication_mode == "API" else cluster.mappings


def _has_path(mapping: AuthMapping) -> bool:
    return arn_without_path(mapping.principal) != mapping.principal


def _groups(mapping: AuthMapping) -> str:
    return f"groups: {listed(mapping.groups) or 'none'}"


@finding(
    "aws-auth-path",
    "problem",
    "aws-auth has a role's path",
    about="cluster",
    meaning="A line of aws-auth has the ARN of a role with its path, which never matches: the ARN of a session has "
    "none.",
    change="write the ARN without the path, or give the role an access entry instead",
)
def paths(subject: ClusterInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield each line whose role has a path."""
    for mapping in _lines(subject.cluster):
        if _has_path(mapping):
            text = (
                f"The line for {mapping.principal} never matches, since the cluster sees roles without their path: it "
                f"has to be {arn_without_path(mapping.principal)}, or an access entry."
            )
            yield Case(text, (_groups(mapping),))


@finding(
    "aws-auth-duplicate",
    "advice",
    "aws-auth names one role twice",
    about="cluster",
    meaning="Two lines of aws-auth are for the same principal, of which only the last counts; "
    "a problem if they differ.",
    change="keep one line with the groups of both",
)
def duplicates(subject: ClusterInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield each principal with several lines."""
    by_principal: dict[str, list[AuthMapping]] = {}
    for mapping in _lines(subject.cluster):
        by_principal.setdefault(mapping.principal.lower(), []).append(mapping)
    for mappings in by_principal.values():
        if len(mappings) > 1:
            differ = len({(mapping.username, mapping.groups) for mapping in mappings}) > 1
            text = f"{counted(len(mappings), 'line')} are for {mappings[0].principal}; only the last counts."
            yield Case(text, map(_groups, mappings), severity="problem" if differ else None)


@finding(
    "aws-auth-principal-gone",
    "advice",
    "aws-auth names what is deleted",
    about="cluster",
    meaning="IAM no longer has the role or user of a line of aws-auth: whoever makes one of that name is let in.",
)
def gone_mapped_principals(subject: ClusterInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each line whose role or user IAM does not have."""
    if account.principals is None:
        return
    existing = set(map(arn_without_path, account.principals))
    for mapping in _lines(subject.cluster):
        arn = arn_without_path(mapping.principal)
        if mapping.kind != "account" and arn.split(":", 5)[4] == account.account and arn not in existing:
            name = mapping.principal.rpartition("/")[2]
            yield Case(
                f"IAM has no {mapping.kind} {name}: its line lets in whoever makes one of that name.",
                (mapping.principal,),
            )


@finding(
    "aws-auth-admin",
    "note",
    "aws-auth gives system:masters",
    about="cluster",
    meaning="A line of aws-auth gives the group system:masters, which may do everything and which no rule can limit.",
)
def mapped_admins(subject: ClusterInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield the principals that may do everything."""
    masters = [
        mapping.principal for mapping in _lines(subject.cluster) if MASTERS in mapping.groups and not _has_path(mapping)
    ]
    if masters:
        names = listed([arn.rpartition("/")[2] for arn in masters])
        yield Case(f"aws-auth lets {names} do everything in the cluster, through the group {MASTERS}.", masters)


@finding(
    "aws-auth-overridden",
    "note",
    "an access entry overrides aws-auth",
    about="cluster",
    needs=("entries",),
    meaning="A line of aws-auth is for a principal with an access entry, which takes precedence; where only entries "
    "count, no line does.",
)
def overridden(subject: ClusterInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield each line that an access entry overrides, or all where only entries count."""
    cluster = subject.cluster
    if cluster.authentication_mode == "API" and cluster.mappings:
        text = f"None of the {counted(len(cluster.mappings), 'line')} of aws-auth counts: only access entries do."
        yield Case(text, ("authentication mode API",), title="aws-auth has no effect")
    with_entry = {arn_without_path(entry.principal_arn): entry for entry in cluster.access_entries or ()}
    for mapping in _lines(cluster):
        if mapping.principal in with_entry:
            entry = with_entry[mapping.principal]
            lost_groups = sorted({*mapping.groups} - {*entry.groups})
            loses = (
                f" Its groups {listed(lost_groups)} do not count." if lost_groups and entry.kind == "STANDARD" else ""
            )
            name = mapping.principal.rpartition("/")[2]
            yield Case(f"The access entry of {name} overrides its line of aws-auth.{loses}", (mapping.principal,))
