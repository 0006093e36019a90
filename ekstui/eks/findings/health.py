"""What EKS itself reports about a cluster, its node groups, add-ons, Fargate profiles and capabilities."""

from __future__ import annotations

from collections.abc import Iterator

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Cluster, HealthIssue
from ekstui.eks.commands import Command, aws
from ekstui.eks.findings.subjects import AccountContext, ClusterInUse
from ekstui.eks.findings.table import TITLE_WIDTH, Case, Finding, FixPlace, finding
from ekstui.eks.knowledge import Knowledge, ReportMeaning

_PARTS = {"nodegroup": "node group", "fargate": "Fargate profile", "addon": "add-on"}
"""What the parts of a cluster are called, where their kind is not a word."""


_SHOWN_BY = {
    "cluster": ("describe-cluster", "--name", "cluster.health"),
    "nodegroup": ("describe-nodegroup", "--nodegroup-name", "nodegroup.health"),
    "fargate": ("describe-fargate-profile", "--fargate-profile-name", "fargateProfile.health"),
    "addon": ("describe-addon", "--addon-name", "addon.health"),
    "capability": ("describe-capability", "--capability-name", "capability.health"),
}
"""The command of the AWS CLI that shows what EKS knows about each part, its option for the name, and what to query."""


def _fix(finding: Finding, place: FixPlace) -> tuple[Command, ...]:
    cluster = place.cluster
    return (
        ()
        if cluster is None
        else tuple(_next_step(issue, cluster, place.account.knowledge) for issue in finding.reported)
    )


def _next_step(issue: HealthIssue, cluster: Cluster, knowledge: Knowledge) -> Command:
    """Return what shows more about a report, or fixes it."""
    meaning = meaning_of(issue, knowledge)
    if meaning is not None and meaning.command:
        arguments = tuple(cluster.name if part == "{cluster}" else part for part in meaning.command)
        return Command(arguments + (("--region", cluster.region) if arguments[0] == "aws" else ()), meaning.about)
    call, option, query = _SHOWN_BY.get(issue.kind, _SHOWN_BY["cluster"])
    of_cluster = () if call == "describe-cluster" else ("--cluster-name", cluster.name)
    name = cluster.name if call == "describe-cluster" else issue.name
    return aws("shows what EKS knows", "eks", call, *of_cluster, option, name, "--query", query, region=cluster.region)


@finding(
    "eks-reports",
    "problem",
    "EKS reports an error",
    about="cluster",
    meaning="EKS itself reports a problem that no other finding explains.",
    change="see what EKS knows about it",
    fix=_fix,
    fixed_by="to look further",
)
def unexplained_issues(subject: ClusterInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each problem that EKS reports and no finding about a role explains."""
    for issue in subject.unexplained:
        part = _PARTS.get(issue.kind, issue.kind)
        meaning = meaning_of(issue, account.knowledge)
        text = (meaning.text if meaning else "ekstui knows no more about it than EKS says.") + _about_entry(
            issue, subject
        )
        yield Case(
            f"EKS reports {issue.code} for {part} {issue.name}: {issue.message.rstrip('.')}. {text}",
            (f"reported by EKS for {part} {issue.name}", *(f"resource {resource}" for resource in issue.resources)),
            title=_title(issue),
            reported=(issue,),
        )


def _title(issue: HealthIssue) -> str:
    title = f"EKS reports {issue.code}"
    full_title = title if issue.kind == "cluster" else f"{title} for {issue.name}"
    return full_title if len(full_title) <= TITLE_WIDTH else title


def _about_entry(issue: HealthIssue, subject: ClusterInUse) -> str:
    """Return what the access entry of the part's role has to do with a denial by the cluster; may be empty."""
    if issue.code != "AccessDenied" or issue.kind not in ("nodegroup", "fargate"):
        return ""
    cluster = subject.cluster
    binding = (
        " Then the cluster role eks:node-manager and its binding have to exist." if issue.kind == "nodegroup" else ""
    )
    role = next((arn for arn, uses in subject.uses.items() if any(is_about(issue, use) for use in uses)), None)
    if role is None or not cluster.knows_entries:
        return f" The role needs its access entry, or its place in the config map aws-auth.{binding}"
    name = role.rpartition("/")[2]
    entry = next((candidate for candidate in cluster.access_entries or () if candidate.principal_arn == role), None)
    if entry is None:
        return f" {name} has no access entry, so it needs its place in the config map aws-auth.{binding}"
    sentence = f" The access entry of {name} is there ({entry.kind or 'of a type that was not read'})"
    return sentence + (
        ", so look at the cluster role eks:node-manager and its binding."
        if binding
        else "; its type or its groups may be wrong."
    )


def meaning_of(issue: HealthIssue, knowledge: Knowledge) -> ReportMeaning | None:
    """Return what a report means, with a command about its one resource, if it has one; None if that is not known."""
    meaning = knowledge.reports.get((issue.kind, issue.code))
    if meaning is None or "{resource}" not in meaning.command:
        return meaning
    if len(issue.resources) != 1:
        return meaning._replace(command=())
    return meaning._replace(command=(*meaning.command[:-1], issue.resources[0]))


def general_command(issue: HealthIssue, knowledge: Knowledge) -> tuple[str, ...]:
    """Return the command for a report that needs no cluster to be named; empty if that of the finding does."""
    meaning = meaning_of(issue, knowledge)
    return () if meaning is None or "{cluster}" in meaning.command else meaning.command


def is_about(issue: HealthIssue, use: Use) -> bool:
    """Return whether a use of a role is by the part of the cluster that a report is about."""
    return use.kind == issue.kind and (issue.kind == "cluster" or use.name == issue.name)
