"""The account's answers as JSON: attachments, a cluster, uses and errors."""

from ekstui.core.account import RoleAttachment, SourceError, Use
from ekstui.core.eks import HealthIssue
from ekstui.core.findings import Finding
from ekstui.core.organisation import OrganisationAnswer
from ekstui.core.policy import format_time, version_label
from ekstui.core.trust import trust_word
from ekstui.export.shapes import Shape, data_shape
from ekstui.library import AttachedAnswer, ClusterAnswer, ClusterRole, DataStatus


def attached_shape(data: DataStatus, answer: AttachedAnswer) -> Shape:
    """Return the answer of `attached`."""
    attachments, account = answer.attachments, answer.identity.account
    return {
        "data": data_shape(data),
        "policy": attachments.policy_arn.rpartition("/")[2],
        "arn": attachments.policy_arn,
        "account": account,
        "partition": answer.identity.partition,
        "fetched_at": format_time(answer.fetched_at),
        "complete": answer.complete,
        "roles": [_role(entry, account) for entry in attachments.roles],
        "users": [
            {"name": entry.user.name, "arn": entry.user.arn, "path": entry.user.path, "as": list(entry.carried_as)}
            for entry in attachments.users
        ],
        "groups": [{"name": group.name, "arn": group.arn, "path": group.path} for group in attachments.groups],
        "not_looked_at": list(attachments.not_looked_at),
        "errors": [error_shape(error) for error in attachments.errors],
    }


def organisation_shape(data: DataStatus, answer: OrganisationAnswer) -> Shape:
    """Return the answer of `attached --aggregator`: roles, users and groups of any account."""

    def carriers(kind: str) -> list[Shape]:
        return [
            {
                "account": carrier.account,
                "name": carrier.name,
                "arn": carrier.arn,
                "path": carrier.path,
                "as": list(carrier.carried_as),
                "recorded_at": format_time(carrier.recorded_at),
                "used_by": [use_shape(use) for use in carrier.used_by],
            }
            for carrier in answer.carriers
            if carrier.kind == kind
        ]

    return {
        "data": data_shape(data),
        "policy": answer.policy_arn.rpartition("/")[2],
        "arn": answer.policy_arn,
        "aggregator": answer.aggregator,
        "account": answer.identity.account,
        "partition": answer.identity.partition,
        "complete": answer.complete,
        "roles": carriers("role"),
        "users": carriers("user"),
        "groups": carriers("group"),
        "not_looked_at": list(answer.not_looked_at),
        "errors": [error_shape(error) for error in answer.errors],
    }


def _role(entry: RoleAttachment, account: str) -> Shape:
    role = entry.role
    return {
        "name": role.name,
        "arn": role.arn,
        "path": role.path,
        "service_linked": role.service_linked,
        "trust": trust_word(role.trust, account),
        "last_used": format_time(role.last_used),
        "last_used_region": role.last_used_region,
        "as": list(entry.carried_as),
        "used_by": [use_shape(use) for use in entry.used_by],
        "remarks": list(entry.remarks),
    }


def use_shape(use: Use) -> Shape:
    """Return one use of a role."""
    return {
        "kind": use.kind,
        "cluster": use.cluster,
        "region": use.region,
        "name": use.name,
        "namespace": use.namespace,
        "service_account": use.service_account,
        "certainty": use.certainty,
    }


def error_shape(error: SourceError) -> Shape:
    """Return what could not be read, and what to do about it."""
    return {
        "source": error.source,
        "action": error.action,
        "kind": error.kind,
        "region": error.region,
        "message": error.message,
        "next_step": error.next_step,
    }


def cluster_shape(data: DataStatus, answer: ClusterAnswer) -> Shape:
    """Return the answer of `cluster`."""
    return {
        "data": data_shape(data),
        "cluster": answer.cluster.name,
        "region": answer.cluster.region,
        "account": answer.identity.account,
        "partition": answer.identity.partition,
        "fetched_at": format_time(answer.fetched_at),
        "complete": answer.complete,
        "health": [_issue(issue) for issue in answer.cluster.all_issues],
        "recent_changes": [
            {
                "policy": change.policy,
                "version": version_label(change.version),
                "created": format_time(change.created),
                "roles": list(change.roles),
            }
            for change in answer.recent
        ],
        "roles": [_cluster_role(role) for role in answer.roles],
        "not_looked_at": list(answer.not_looked_at),
        "errors": [error_shape(error) for error in answer.errors],
    }


def _issue(issue: HealthIssue) -> Shape:
    return {
        "kind": issue.kind,
        "name": issue.name,
        "code": issue.code,
        "message": issue.message,
        "resources": list(issue.resources),
    }


def _cluster_role(role: ClusterRole) -> Shape:
    carried = role.subject.policies if role.subject else ()
    return {
        "arn": role.arn,
        "uses": [use_shape(use) for use in role.uses],
        "policies": [
            {
                "name": policy.name,
                "arn": policy.arn,
                "version": None if policy.version is None else version_label(policy.version),
            }
            for policy in carried
        ],
        "findings": [finding_shape(finding) for finding in role.findings],
    }


def finding_shape(finding: Finding) -> Shape:
    """Return one finding with its evidence."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "text": finding.text,
        "evidence": list(finding.evidence),
    }
