"""What EKS itself reports about a cluster, its node groups, add-ons, Fargate profiles and capabilities.

Source: EKS API reference, "Issue", "AddonIssue", "ClusterIssue", "FargateProfileIssue"; EKS User Guide, "Troubleshoot
problems with Amazon EKS clusters and nodes", "Cluster health FAQs and error codes", "Update an Amazon EKS add-on".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Cluster, HealthIssue
from ekstui.eks.commands import Command, aws
from ekstui.eks.findings.subjects import AccountContext, ClusterInUse, knows_entries
from ekstui.eks.findings.table import TITLE_WIDTH, Case, Finding, FixPlace, finding

_PARTS = {"nodegroup": "node group", "fargate": "Fargate profile", "addon": "add-on"}
"""What the parts of a cluster are called, where their kind is not a word."""


class Meaning(NamedTuple):
    """What a report means."""

    text: str
    command: tuple[str, ...] = ()
    """The arguments of the command that shows more, or fixes it; empty for the one that shows what EKS knows."""
    about: str = "shows more"
    """What the command does, as half a sentence."""


_AGAIN = "Create it again under the same name and path, with its trust policy and its policies."
_UNKNOWN = Meaning("ekstui knows no more about it than EKS says.")

_MEANINGS: dict[tuple[str, str], Meaning] = {
    ("nodegroup", "AccessDenied"): Meaning(
        "The cluster's API server denies EKS or the nodes access; IAM does not.",
        ("kubectl", "get", "clusterrole/eks:node-manager", "clusterrolebinding/eks:node-manager"),
        "shows whether they exist",
    ),
    ("nodegroup", "NodeCreationFailure"): Meaning(
        "Instances start and do not join: the node role lacks a policy or its access entry, or they do not reach the "
        "cluster's endpoint."
    ),
    ("nodegroup", "IamNodeRoleNotFound"): Meaning(f"IAM has no such node role. {_AGAIN}"),
    ("nodegroup", "IamInstanceProfileNotFound"): Meaning(
        "IAM has no such instance profile. Create it again under the same name, with the node role."
    ),
    ("nodegroup", "AsgInstanceLaunchFailures"): Meaning(
        "The Auto Scaling group starts no instances. Its activities say why: capacity, a quota, or a KMS key that the "
        "service-linked role of Auto Scaling may not use.",
        ("aws", "autoscaling", "describe-scaling-activities", "--auto-scaling-group-name", "{resource}"),
        "shows its activities",
    ),
    ("cluster", "AccessDenied"): Meaning("What EKS does with the cluster role is denied: a policy is missing or denies it."),
    ("cluster", "IamRoleNotFound"): Meaning(f"IAM has no such cluster role. {_AGAIN}"),
    ("cluster", "KmsGrantRevoked"): Meaning(
        "EKS may no longer use the KMS key that encrypts the cluster's secrets, so the secrets cannot be read.",
        ("aws", "eks", "describe-cluster", "--name", "{cluster}", "--query", "cluster.encryptionConfig"),
        "shows the key, whose grants have to be restored",
    ),
    ("cluster", "KmsKeyDisabled"): Meaning(
        "The KMS key that encrypts the cluster's secrets is disabled.", ("aws", "kms", "enable-key", "--key-id", "{resource}"),
        "enables it again",
    ),
    ("cluster", "KmsKeyMarkedForDeletion"): Meaning(
        "The KMS key that encrypts the cluster's secrets will be deleted; then they are lost.",
        ("aws", "kms", "cancel-key-deletion", "--key-id", "{resource}"),
        "keeps it",
    ),
    ("cluster", "StsRegionalEndpointDisabled"): Meaning(
        "STS is not active in this Region, so nobody gets credentials from it. Activate it in IAM's account settings."
    ),
    ("addon", "AddonPermissionFailure"): Meaning("The add-on has no role, or its role lacks what the add-on needs."),
    ("addon", "AccessDenied"): Meaning(
        "The cluster's API server does not let EKS manage the add-on: the binding eks:addon-cluster-admin has to exist.",
        ("kubectl", "get", "clusterrolebinding/eks:addon-cluster-admin"),
        "shows whether it exists",
    ),
    ("fargate", "AccessDenied"): Meaning("The cluster's API server denies the pods' nodes access; IAM does not."),
    ("capability", "AccessDenied"): Meaning(
        "What the capability does is denied: by IAM for its role, or in the cluster by the role's access entry."
    ),
}  # fmt: skip


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
    return () if cluster is None else tuple(_next_step(issue, cluster) for issue in finding.reported)


def _next_step(issue: HealthIssue, cluster: Cluster) -> Command:
    """Return what shows more about a report, or fixes it."""
    meaning = meaning_of(issue)
    if meaning.command:
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
def unexplained_issues(subject: ClusterInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield each problem that EKS reports and no finding about a role explains."""
    for issue in subject.unexplained:
        part = _PARTS.get(issue.kind, issue.kind)
        text = (meaning_of(issue).text or _UNKNOWN.text) + _about_entry(issue, subject)
        yield Case(
            f"EKS reports {issue.code} for {part} {issue.name}: {issue.message.rstrip('.')}. {text}",
            (f"reported by EKS for {part} {issue.name}", *(f"resource {resource}" for resource in issue.resources)),
            title=_title(issue),
            reported=(issue,),
        )


def _title(issue: HealthIssue) -> str:
    title = f"EKS reports {issue.code}"
    whole = title if issue.kind == "cluster" else f"{title} for {issue.name}"
    return whole if len(whole) <= TITLE_WIDTH else title


def _about_entry(issue: HealthIssue, subject: ClusterInUse) -> str:
    """Return what the access entry of the part's role has to do with a denial by the cluster; empty for another report."""
    if issue.code != "AccessDenied" or issue.kind not in ("nodegroup", "fargate"):
        return ""
    cluster = subject.cluster
    binding = (
        " Then the cluster role eks:node-manager and its binding have to exist." if issue.kind == "nodegroup" else ""
    )
    role = next((arn for arn, uses in subject.uses.items() if any(is_about(issue, use) for use in uses)), None)
    if role is None or not knows_entries(cluster):
        return f" The role needs its access entry, or its place in the config map aws-auth.{binding}"
    name = role.rpartition("/")[2]
    entry = next((candidate for candidate in cluster.access_entries or () if candidate.principal_arn == role), None)
    if entry is None:
        return f" {name} has no access entry, so it needs its place in the config map aws-auth.{binding}"
    there = f" The access entry of {name} is there ({entry.kind or 'of a type that was not read'})"
    return there + (
        ", so look at the cluster role eks:node-manager and its binding."
        if binding
        else "; its type or its groups may be wrong."
    )


def meaning_of(issue: HealthIssue) -> Meaning:
    """Return what a report means; an empty text if that is not known."""
    meaning = _MEANINGS.get((issue.kind, issue.code), Meaning(""))
    if "{resource}" not in meaning.command:
        return meaning
    if len(issue.resources) != 1:
        return meaning._replace(command=())
    return meaning._replace(command=(*meaning.command[:-1], issue.resources[0]))


def general_command(issue: HealthIssue) -> tuple[str, ...]:
    """Return the command for a report that needs no cluster to be named; empty if that of the finding does."""
    command = meaning_of(issue).command
    return () if "{cluster}" in command else command


def is_about(issue: HealthIssue, use: Use) -> bool:
    """Return whether a use of a role is by the part of the cluster that a report is about."""
    return use.kind == issue.kind and (issue.kind == "cluster" or use.name == issue.name)
