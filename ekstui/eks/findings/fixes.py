"""What to do about a finding, and about what EKS itself reports: a command that changes nothing else, or a sentence.

Source: EKS API reference, "Issue", "AddonIssue", "ClusterIssue", "FargateProfileIssue"; EKS User Guide, "Troubleshoot
problems with Amazon EKS clusters and nodes", "Cluster health FAQs and error codes", "Update an Amazon EKS add-on".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from ekstui.eks.account_snapshot import Role, Use
from ekstui.eks.cluster import Cluster, HealthIssue
from ekstui.eks.commands import Command, associate_policy, attach_policy, aws, create_entry
from ekstui.eks.findings import Code, Finding
from ekstui.eks.findings.entries import entry_types
from ekstui.eks.findings.role_policies import CLUSTER_TAG, TAG_SESSION
from ekstui.eks.knowledge import Knowledge
from ekstui.iam.document import Condition, Statement, parse_text, serialise, serialise_statement
from ekstui.iam.trust import eks_region, issuer_of
from ekstui.iam.wildcard import is_wild


def trust_commands(role: Role, finding: Finding, knowledge: Knowledge) -> tuple[Command, ...]:
    """Return the command that fixes a finding about a role's trust policy; empty if there is none."""
    if finding.code == "trust-lacks-tag-session":
        needing = {each.principal for each in knowledge.trust if TAG_SESSION in each.actions}
        about = "adds sts:TagSession (replaces the whole trust policy)"
        return _updated(role, lambda held: tuple(_with_tag_session(each, needing) for each in held), about)
    if finding.code == "irsa-wildcard-with-stringequals":
        about = "lets the wildcard match (replaces the whole trust policy)"
        return _updated(role, lambda held: tuple(map(_with_wildcards, held)), about)
    return ()


def cluster_commands(
    finding: Finding, principal: str, role: Role | None, cluster: Cluster, partition: str
) -> tuple[Command, ...]:
    """Return the commands that fix a finding about a principal in a cluster, to be run in this order; empty if none do."""
    match finding.code:
        case "entry-missing":
            kinds = {entry_types(use.kind)[0] for use in finding.uses}
            if len(kinds) != 1:
                return ()
            (kind,) = kinds
            entry = create_entry(cluster.name, cluster.region, principal, kind)
            return (entry, _node_policy(principal, cluster, partition)) if kind == "EC2" else (entry,)
        case "auto-node-policy-missing":
            return (_node_policy(principal, cluster, partition),)
        case "principal-tag-missing" if role is not None and {use.cluster for use in finding.uses} == {cluster.name}:
            tag = f"Key={CLUSTER_TAG},Value={cluster.name}"
            about = "sets the tag that the policy checks, for this cluster alone"
            return (aws(about, "iam", "tag-role", "--role-name", role.name, "--tags", tag),)
        case "irsa-issuer-of-another-cluster" if role is not None and cluster.issuer:
            about = "trusts the issuer of this cluster too (replaces the whole trust policy)"
            return _updated(role, lambda held: (*held, *_for_issuer(held, cluster.issuer or "")), about)
        case "irsa-provider-missing" if issuer := next((each.name for each in finding.uses if each.name), None):
            given = ("--url", f"https://{issuer}", "--client-id-list", "sts.amazonaws.com")
            return (aws("makes IAM accept the cluster's tokens", "iam", "create-open-id-connect-provider", *given),)
        case _:
            return ()


TELLING = frozenset(("trust-lacks-tag-session", "principal-tag-missing", "irsa-wildcard-with-stringequals"))
"""Findings that explain why a role is denied, even where they are not certain enough to be problems."""


def fixing_commands(
    finding: Finding,
    principal: str,
    role: Role | None,
    cluster: Cluster | None,
    knowledge: Knowledge,
    partition: str,
    arns: Mapping[str, str],
) -> tuple[Command, ...]:
    """Return the commands that fix a finding with the narrowest policy; empty if there are none.

    A note about missing actions has one too: whether they are needed depends on what AWS does not show. `arns` are those of
    the policies that findings recommend, by name.
    """
    if finding.severity != "problem" and finding.code != "missing-policy" and finding.code not in TELLING:
        return ()
    if cluster is not None and (found := cluster_commands(finding, principal, role, cluster, partition)):
        return found
    if role is None:
        return ()
    if found := trust_commands(role, finding, knowledge):
        return found
    policy = next((name for name in finding.policies if name in arns), None)
    return () if policy is None else (attach_policy(role.name, arns[policy]),)


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


def _node_policy(principal: str, cluster: Cluster, partition: str) -> Command:
    return associate_policy(cluster.name, cluster.region, principal, "AmazonEKSAutoNodePolicy", partition=partition)


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
) -> tuple[Command, ...]:
    """Return the command that gives a role the revised statements of its trust policy; empty if they are the same."""
    if role.trust is None or (statements := revised(role.trust.statements)) == role.trust.statements:
        return ()
    document = json.dumps(serialise(role.trust._replace(statements=statements)), separators=(",", ":"))
    given = ("--role-name", role.name, "--policy-document", document)
    return (aws(about, "iam", "update-assume-role-policy", *given),)


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
    command: tuple[str, ...] = ()
    """The arguments of the command that shows more, or fixes it; empty if nothing general does."""


_AGAIN = "Create it again under the same name and path, with its trust policy and its policies."

_MEANINGS: dict[tuple[str, str], Meaning] = {
    ("nodegroup", "AccessDenied"): Meaning(
        "The cluster's API server denies EKS or the nodes access; IAM does not. The node role needs its access entry, or "
        "its place in the config map aws-auth, and the cluster role eks:node-manager with its binding has to exist.",
        ("kubectl", "get", "clusterrole/eks:node-manager", "clusterrolebinding/eks:node-manager"),
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
    ),
    ("cluster", "AccessDenied"): Meaning("What EKS does with the cluster role is denied: a policy is missing or denies it."),
    ("cluster", "IamRoleNotFound"): Meaning(f"IAM has no such cluster role. {_AGAIN}"),
    ("cluster", "KmsGrantRevoked"): Meaning("EKS may no longer use the KMS key that encrypts the cluster's secrets."),
    ("cluster", "KmsKeyDisabled"): Meaning(
        "The KMS key that encrypts the cluster's secrets is disabled.", ("aws", "kms", "enable-key", "--key-id", "{resource}")
    ),
    ("cluster", "KmsKeyMarkedForDeletion"): Meaning(
        "The KMS key that encrypts the cluster's secrets will be deleted; then they are lost.",
        ("aws", "kms", "cancel-key-deletion", "--key-id", "{resource}"),
    ),
    ("cluster", "StsRegionalEndpointDisabled"): Meaning(
        "STS is not active in this Region, so nobody gets credentials from it. Activate it in IAM's account settings."
    ),
    ("addon", "AddonPermissionFailure"): Meaning("The add-on has no role, or its role lacks what the add-on needs."),
    ("addon", "AccessDenied"): Meaning(
        "The cluster's API server does not let EKS manage the add-on: the binding eks:addon-cluster-admin has to exist.",
        ("kubectl", "get", "clusterrolebinding/eks:addon-cluster-admin"),
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
    if len(issue.resources) != 1:
        return known._replace(command=())
    return known._replace(command=(*known.command[:-1], issue.resources[0]))


def is_about(issue: HealthIssue, use: Use) -> bool:
    """Return whether a use of a role is by the part of the cluster that a report is about."""
    return use.kind == issue.kind and (issue.kind == "cluster" or use.name == issue.name)
