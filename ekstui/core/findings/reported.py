"""What EKS's own reports about the parts of a cluster mean, and where to look further.

Source: EKS API reference, "Issue", "AddonIssue", "ClusterIssue", "FargateProfileIssue"; EKS User Guide, "Troubleshoot
problems with Amazon EKS clusters and nodes", "Cluster health FAQs and error codes", "Update an Amazon EKS add-on".
"""

import shlex
from typing import NamedTuple

from ekstui.core.account_snapshot import Use
from ekstui.core.eks import HealthIssue


class Meaning(NamedTuple):
    """What a report means."""

    text: str
    command: str = ""
    """What shows more, or fixes it; empty if nothing general does."""


_AGAIN = "Create it again under the same name and path, with its trust policy and its policies."

_MEANINGS: dict[tuple[str, str], Meaning] = {
    ("nodegroup", "AccessDenied"): Meaning(
        "The cluster's API server denies EKS or the nodes access; IAM does not. The node role needs its access entry, or "
        "its place in the config map aws-auth, and the cluster role eks:node-manager with its binding has to exist.",
        "kubectl get clusterrole/eks:node-manager clusterrolebinding/eks:node-manager",
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
        "aws autoscaling describe-scaling-activities --auto-scaling-group-name {resource}",
    ),
    ("cluster", "AccessDenied"): Meaning("What EKS does with the cluster role is denied: a policy is missing or denies it."),
    ("cluster", "IamRoleNotFound"): Meaning(f"IAM has no such cluster role. {_AGAIN}"),
    ("cluster", "KmsGrantRevoked"): Meaning("EKS may no longer use the KMS key that encrypts the cluster's secrets."),
    ("cluster", "KmsKeyDisabled"): Meaning(
        "The KMS key that encrypts the cluster's secrets is disabled.", "aws kms enable-key --key-id {resource}"
    ),
    ("cluster", "KmsKeyMarkedForDeletion"): Meaning(
        "The KMS key that encrypts the cluster's secrets will be deleted; then they are lost.",
        "aws kms cancel-key-deletion --key-id {resource}",
    ),
    ("cluster", "StsRegionalEndpointDisabled"): Meaning(
        "STS is not active in this Region, so nobody gets credentials from it. Activate it in IAM's account settings."
    ),
    ("addon", "AddonPermissionFailure"): Meaning("The add-on has no role, or its role lacks what the add-on needs."),
    ("addon", "AccessDenied"): Meaning(
        "The cluster's API server does not let EKS manage the add-on: the binding eks:addon-cluster-admin has to exist.",
        "kubectl get clusterrolebinding/eks:addon-cluster-admin",
    ),
    ("fargate", "AccessDenied"): Meaning(
        "The cluster's API server denies the pods' nodes access: the pod execution role needs its access entry, or its "
        "place in the config map aws-auth."
    ),
    ("capability", "AccessDenied"): Meaning(
        "What the capability does is denied: by IAM for its role, or in the cluster by the role's access entry."
    ),
}  # fmt: skip


def meaning_of(issue: HealthIssue) -> Meaning:
    """Return what a report means; an empty text if that is not known."""
    known = _MEANINGS.get((issue.kind, issue.code), Meaning(""))
    if "{resource}" not in known.command:
        return known
    named = shlex.quote(issue.resources[0]) if len(issue.resources) == 1 else ""
    return known._replace(command=known.command.format(resource=named) if named else "")


def is_about(issue: HealthIssue, use: Use) -> bool:
    """Return whether a use of a role is by the part of the cluster that a report is about."""
    return use.kind == issue.kind and (issue.kind == "cluster" or use.name == issue.name)
