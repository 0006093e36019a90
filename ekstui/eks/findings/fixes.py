"""What to do about a finding, and about what EKS itself reports: a command that changes nothing else, or a sentence.

Source: EKS API reference, "Issue", "AddonIssue", "ClusterIssue", "FargateProfileIssue"; EKS User Guide, "Troubleshoot
problems with Amazon EKS clusters and nodes", "Cluster health FAQs and error codes", "Update an Amazon EKS add-on".
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Collection
from typing import NamedTuple

from ekstui.eks.account_snapshot import Role, Use
from ekstui.eks.cluster import Cluster, HealthIssue
from ekstui.eks.commands import Command, associate_policy, create_entry
from ekstui.eks.findings import Code, Finding
from ekstui.eks.findings.entries import entry_types
from ekstui.eks.findings.role_policies import CLUSTER_TAG, TAG_SESSION
from ekstui.eks.knowledge import Knowledge
from ekstui.iam.document import Condition, Statement, parse_text, serialise, serialise_statement
from ekstui.iam.trust import eks_region, issuer_of
from ekstui.iam.wildcard import is_wild


def trust_command(role: Role, finding: Finding, knowledge: Knowledge) -> Command | None:
    """Return the command that fixes a finding about a role's trust policy; None if there is none."""
    if finding.code == "trust-lacks-tag-session":
        needing = {each.principal for each in knowledge.trust if TAG_SESSION in each.actions}
        return _updated(
            role, lambda held: tuple(_with_tag_session(each, needing) for each in held), "lets the session be tagged"
        )
    if finding.code == "irsa-wildcard-with-stringequals":
        return _updated(role, lambda held: tuple(map(_with_wildcards, held)), "lets the wildcard match")
    return None


def cluster_command(
    finding: Finding, principal: str, role: Role | None, cluster: Cluster, partition: str
) -> Command | None:
    """Return the command that fixes a finding about a principal in a cluster; None if there is none."""
    quoted = shlex.quote(principal)
    match finding.code:
        case "entry-missing":
            kinds = {entry_types(use.kind)[0] for use in finding.uses}
            if len(kinds) != 1:
                return None
            (kind,) = kinds
            entry = create_entry(cluster.name, cluster.region, quoted)
            command = Command(f"{entry.text} --type {kind}", f"lets its nodes into {cluster.name}")
            return _and_node_policy(command, quoted, cluster, partition) if kind == "EC2" else command
        case "auto-node-policy-missing":
            return _and_node_policy(None, quoted, cluster, partition)
        case "principal-tag-missing" if role is not None and {use.cluster for use in finding.uses} == {cluster.name}:
            text = (
                f"aws iam tag-role --role-name {shlex.quote(role.name)} --tags Key={CLUSTER_TAG},Value={cluster.name}"
            )
            return Command(text, "sets the tag that the policy checks, for this cluster alone")
        case "irsa-issuer-of-another-cluster" if role is not None and cluster.issuer:
            return _updated(
                role,
                lambda held: (*held, *_for_issuer(held, cluster.issuer or "")),
                "trusts the issuer of this cluster too",
            )
        case "irsa-provider-missing" if issuer := next((each.name for each in finding.uses if each.name), None):
            url = shlex.quote(f"https://{issuer}")
            text = f"aws iam create-open-id-connect-provider --url {url} --client-id-list sts.amazonaws.com"
            return Command(text, "makes IAM accept the cluster's tokens")
        case _:
            return None


_IN_WORDS: dict[Code, str] = {
    "missing-policy": "allow these actions in one of its policies",
    "trust-lacks-principal": "add that to its trust policy, and keep the statements that it has",
    "trust-lacks-tag-session": "allow sts:TagSession in that statement of its trust policy",
    "irsa-wildcard-with-stringequals": "write StringLike instead of StringEquals for the subject in its trust policy",
    "irsa-issuer-of-another-cluster": "add a statement for the issuer of this cluster to its trust policy",
    "irsa-provider-missing": "create an OIDC provider for this issuer in IAM, or remove it from the trust policy",
    "principal-tag-missing": f"set the tag {CLUSTER_TAG} on the role or its sessions, or use AmazonEBSCSIDriverPolicyV2",
    "role-not-found": "create the role again under this name and path, or give EKS another one",
    "entry-missing": "create an access entry for the role, of the type of its nodes",
    "entry-of-wrong-type": "delete the entry and create one of that type: the type of an entry cannot be changed",
    "auto-node-policy-missing": "associate AmazonEKSAutoNodePolicy with the entry",
}


def change_in_words(finding: Finding) -> str:
    """Return what to change about a problem without a command; empty if its text says so."""
    return _IN_WORDS.get(finding.code, "") if finding.severity == "problem" else ""


def _and_node_policy(before: Command | None, principal: str, cluster: Cluster, partition: str) -> Command:
    given = associate_policy(cluster.name, cluster.region, principal, "AmazonEKSAutoNodePolicy", partition=partition)
    return given if before is None else Command(f"{before.text} && {given.text}", before.about)


def _for_issuer(statements: tuple[Statement, ...], issuer: str) -> tuple[Statement, ...]:
    """Return a copy of the first statement about another issuer, for this one; nothing if there is none."""
    for statement in statements:
        for principal in statement.principals:
            known = [issuer_of(value) for value in principal.values] if principal.kind == "Federated" else []
            if statement.effect == "Allow" and len(known) == 1 and eks_region(known[0]):
                copied = json.dumps(serialise_statement(statement)).replace(known[0], issuer)
                return parse_text(f'{{"Statement": [{copied}]}}').statements
    return ()


def _updated(
    role: Role, revised: Callable[[tuple[Statement, ...]], tuple[Statement, ...]], about: str
) -> Command | None:
    """Return the command that gives a role the revised statements of its trust policy; None if they are the same."""
    if role.trust is None or (statements := revised(role.trust.statements)) == role.trust.statements:
        return None
    document = json.dumps(serialise(role.trust._replace(statements=statements)), separators=(",", ":"))
    return Command(
        f"aws iam update-assume-role-policy --role-name {shlex.quote(role.name)} "
        f"--policy-document {shlex.quote(document)}",
        about,
    )


def _with_tag_session(statement: Statement, services: Collection[str]) -> Statement:
    """Return a statement that allows one of the services to assume the role and tag the session."""
    actions = {action.lower() for action in statement.actions}
    is_meant = (
        statement.effect == "Allow"
        and statement.action_element == "Action"
        and statement.principal_element == "Principal"
        and "sts:assumerole" in actions
        and TAG_SESSION.lower() not in actions
        and any(
            principal.kind == "Service" and any(value.removesuffix(".cn") in services for value in principal.values)
            for principal in statement.principals
        )
    )
    return statement._replace(actions=(*statement.actions, TAG_SESSION)) if is_meant else statement


def _with_wildcards(statement: Statement) -> Statement:
    """Return a statement whose subjects with a wildcard are under an operator that supports wildcards."""
    if statement.effect != "Allow" or not any(each.kind == "Federated" for each in statement.principals):
        return statement
    liked = tuple(map(_liked, statement.conditions))
    # In JSON, two conditions with the same operator and key would be one, with the values of the last.
    kept = len({(each.operator.lower(), each.key.lower()) for each in liked}) == len(liked)
    return statement._replace(conditions=liked) if kept else statement


def _liked(condition: Condition) -> Condition:
    is_literal = re.fullmatch(r"(?:forany\w+:|forall\w+:)?stringequals(?:ifexists)?", condition.operator.lower())
    if not is_literal or not condition.key.lower().endswith(":sub") or not any(map(is_wild, condition.values)):
        return condition
    return condition._replace(operator=re.sub("(?i)stringequals", "StringLike", condition.operator))


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
