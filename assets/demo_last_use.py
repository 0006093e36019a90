"""Made-up reports of IAM on what the roles and policies of the demo were last used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from ekstui.eks.account_snapshot import AccountSnapshot, AttachedPolicy, InlinePolicy
from ekstui.eks.last_accessed import ActionAccess, LastAccessed, ServiceAccess
from ekstui.iam.document import Document
from ekstui.iam.reference import reference

_TRACKED = ("ec2", "iam", "sqs", "elasticfilesystem", "autoscaling")
"""Services of which IAM tracks actions, too."""

_UNUSED = ("ec2messages", "ssmmessages", "autoscaling", "elasticfilesystem", "sqs", "cloudwatch")
"""What nothing in the account uses."""

_SELDOM = ("ssm", "kms", "xray", "elasticloadbalancing")
"""What was used months ago."""

_USED_ACTIONS = (
    "ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:CreateVolume", "ec2:AttachVolume", "ec2:DetachVolume",
    "ec2:CreateTags", "ec2:DescribeNetworkInterfaces", "ec2:AssignPrivateIpAddresses", "ec2:RunInstances", "ec2:CreateFleet",
    "ec2:CreateNetworkInterface", "ec2:DescribeInstanceTypes",
)  # fmt: skip


def reports(snapshot: AccountSnapshot, defaults: Mapping[str, Document]) -> tuple[LastAccessed, ...]:
    """Return a report on each role and on each of its policies; `defaults` are the documents of AWS's policies by ARN."""
    documents = {
        **defaults,
        **{
            local_policy.arn: local_policy.document for local_policy in snapshot.local_policies if local_policy.document
        },
    }
    fetched_at, reports = snapshot.fetched_at, []
    for role in snapshot.roles:
        documents_of_role = [*_documents(role.attached, role.inline, documents)]
        reports.append(_report(role.arn or role.name, documents_of_role, fetched_at, role.last_used, role.arn))
    for arn, document in documents.items():
        uses = [
            (role.last_used, role.arn)
            for role in snapshot.roles
            if role.last_used and any(policy.arn == arn for policy in role.attached)
        ]
        reports.append(_report(arn, [document], fetched_at, *max(uses, default=(None, None))))
    return tuple(reports)


def _documents(
    attached_policies: tuple[AttachedPolicy, ...], inline: tuple[InlinePolicy, ...], documents: Mapping[str, Document]
) -> Iterator[Document]:
    yield from (documents[policy.arn] for policy in attached_policies if policy.arn in documents)
    yield from (policy.document for policy in inline if policy.document is not None)


def _report(
    arn: str, documents: list[Document], fetched_at: datetime, last_used: datetime | None, last_user: str | None
) -> LastAccessed:
    actions = dict.fromkeys(
        action
        for document in documents
        for statement in document.statements
        if statement.effect == "Allow"
        for pattern in statement.actions
        for action in reference().expand(pattern)
    )
    services: dict[str, list[str]] = {}
    for action in actions:
        services.setdefault(action.partition(":")[0], []).append(action)
    return LastAccessed(
        arn,
        fetched_at,
        tuple(
            _service(name, actions_of_service, last_used, last_user)
            for name, actions_of_service in sorted(services.items())
        ),
    )


def _service(name: str, actions: list[str], last_used: datetime | None, last_user: str | None) -> ServiceAccess:
    time = None if name in _UNUSED else last_used
    if time is not None and name in _SELDOM:
        time -= timedelta(days=130)
    region = "eu-central-1" if time else None
    of_actions = (
        ActionAccess(
            action,
            used_at := time if action in _USED_ACTIONS else None,
            last_user if used_at else None,
            region if used_at else None,
        )
        for action in actions
        if name in _TRACKED
    )
    return ServiceAccess(
        name, reference().service_title(name), time, last_user if time else None, region, tuple(of_actions)
    )
