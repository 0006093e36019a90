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
    documents = {**defaults, **{own.arn: own.document for own in snapshot.local_policies if own.document}}
    at, made = snapshot.fetched_at, []
    for role in snapshot.roles:
        held = [*_documents(role.attached, role.inline, documents)]
        made.append(_report(role.arn or role.name, held, at, role.last_used, role.arn))
    for arn, document in documents.items():
        uses = [
            (role.last_used, role.arn)
            for role in snapshot.roles
            if role.last_used and any(policy.arn == arn for policy in role.attached)
        ]
        made.append(_report(arn, [document], at, *max(uses, default=(None, None))))
    return tuple(made)


def _documents(
    attached: tuple[AttachedPolicy, ...], inline: tuple[InlinePolicy, ...], documents: Mapping[str, Document]
) -> Iterator[Document]:
    yield from (documents[policy.arn] for policy in attached if policy.arn in documents)
    yield from (policy.document for policy in inline if policy.document is not None)


def _report(
    arn: str, documents: list[Document], at: datetime, last_used: datetime | None, by: str | None
) -> LastAccessed:
    actions = dict.fromkeys(
        full
        for document in documents
        for statement in document.statements
        if statement.effect == "Allow"
        for pattern in statement.actions
        for full in reference().expand(pattern)
    )
    services: dict[str, list[str]] = {}
    for full in actions:
        services.setdefault(full.partition(":")[0], []).append(full)
    return LastAccessed(arn, at, tuple(_service(name, own, last_used, by) for name, own in sorted(services.items())))


def _service(name: str, actions: list[str], last_used: datetime | None, by: str | None) -> ServiceAccess:
    when = None if name in _UNUSED else last_used
    if when is not None and name in _SELDOM:
        when -= timedelta(days=130)
    where = "eu-central-1" if when else None
    of_actions = (
        ActionAccess(
            full, used := when if full in _USED_ACTIONS else None, by if used else None, where if used else None
        )
        for full in actions
        if name in _TRACKED
    )
    return ServiceAccess(name, reference().service_title(name), when, by if when else None, where, tuple(of_actions))
