"""AWS Config's aggregator: one query over every account of an organisation.

Columns: the awslabs/aws-config-resource-schema repository, AWS::IAM::Role and AWS::EKS::*; the query language: AWS
Config Developer Guide, "Query components". A match on one element of a list returns the whole resource, rows repeat
for each region that records IAM, and a list of one element may arrive as an object; this module handles all three.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ekstui.change.policy import parse_time
from ekstui.eks.account_snapshot import AttachedAs, EntityKind, RecordedAttachment, SourceError, Use, UseKind
from ekstui.errors import InputError, NotFoundError
from ekstui.named_tuples import NamedTuple
from ekstui.sources.aws.connection import Connection, in_parallel
from ekstui.sources.aws.failures import code_of, failures, source_error_of

_PAGE = 100
"""Rows per page, Config's maximum."""

_ACTION = "config:SelectAggregateResourceConfig"

_COLUMNS = (
    "accountId, awsRegion, resourceName, arn, configuration.path, configuration.attachedManagedPolicies, "
    "configuration.permissionsBoundary, configurationItemCaptureTime"
)
_RECORDED = "configurationItemStatus IN ('OK', 'ResourceDiscovered')"

_POLICY_ARN = re.compile(r"arn:[a-z-]+:iam::(?:aws|\d{12}):policy/[\w+=,.@/-]+", re.ASCII)
"""An ARN that is safe in a query, since no quote in it can end the string."""

_KINDS: dict[str, EntityKind] = {"AWS::IAM::Role": "role", "AWS::IAM::User": "user", "AWS::IAM::Group": "group"}


class _UseColumns(NamedTuple):
    """A kind of use, its type of resource, and the keys of its configuration."""

    kind: UseKind
    resource_type: str
    role: str
    cluster: str
    name: str


_USES = (
    _UseColumns("cluster", "AWS::EKS::Cluster", "RoleArn", "Name", "Name"),
    _UseColumns("fargate", "AWS::EKS::FargateProfile", "PodExecutionRoleArn", "ClusterName", "FargateProfileName"),
    _UseColumns("addon", "AWS::EKS::Addon", "ServiceAccountRoleArn", "ClusterName", "AddonName"),
)


def read_attachments(
    connection: Connection, aggregator: str, policy_arn: str
) -> tuple[tuple[RecordedAttachment, ...], tuple[SourceError, ...]]:
    """Return who has the policy attached in all accounts of the aggregator, and what failed.

    NotFoundError if there is no such aggregator.
    """
    if not _POLICY_ARN.fullmatch(policy_arn):
        raise InputError(f"{policy_arn} is not a policy's ARN.")
    attachments: dict[tuple[str, str], RecordedAttachment] = {}
    uses: dict[str, list[Use]] = {}
    errors: dict[str, SourceError] = {}

    def rows(query: tuple[str | _UseColumns, str]) -> list[Mapping[str, Any]]:
        return list(_rows(connection, aggregator, query[1]))

    for (principal_type, _), answer in in_parallel(rows, _queries(policy_arn)):
        try:
            page = answer.result()
        except failures() as error:
            if code_of(error) == "NoSuchConfigurationAggregatorException":
                raise _unknown(connection, aggregator) from None
            problem = source_error_of(
                error, "config", _ACTION, profile=connection.profile, subject=aggregator, signed_in=True
            )
            errors.setdefault(problem.kind, problem)
            continue
        for row in page:
            if isinstance(principal_type, _UseColumns):
                _add_use(uses, principal_type, row)
            else:
                _add_attachment(attachments, _KINDS[principal_type], policy_arn, row)
    entities = (attachment._replace(used_by=tuple(uses.get(attachment.arn, ()))) for attachment in attachments.values())
    return tuple(sorted(entities, key=lambda attachment: (attachment.account, attachment.name.lower()))), tuple(
        errors.values()
    )


def _queries(policy_arn: str) -> Iterator[tuple[str | _UseColumns, str]]:
    """Yield the queries for a policy's attachments, each with its resource type, and those for uses of roles."""
    permissions = f"configuration.attachedManagedPolicies.policyArn = '{policy_arn}'"
    boundary = f"configuration.permissionsBoundary.permissionsBoundaryArn = '{policy_arn}'"
    conditions = [(kind, permissions) for kind in _KINDS]
    conditions += [("AWS::IAM::Role", boundary), ("AWS::IAM::User", boundary)]
    for kind, condition in conditions:
        yield kind, f"SELECT {_COLUMNS} WHERE resourceType = '{kind}' AND {condition} AND {_RECORDED}"
    for use in _USES:
        columns = ", ".join(f"configuration.{key}" for key in dict.fromkeys(use[2:]))
        yield (
            use,
            f"SELECT accountId, awsRegion, resourceName, {columns} WHERE resourceType = '{use.resource_type}'",
        )


def _rows(connection: Connection, aggregator: str, query: str) -> Iterator[Mapping[str, Any]]:
    pages = connection.token_pages(
        _ACTION, None, "NextToken", Expression=query, ConfigurationAggregatorName=aggregator, Limit=_PAGE
    )
    yield from (json.loads(text) for page in pages for text in page["Results"])


def _add_attachment(
    attachments: dict[tuple[str, str], RecordedAttachment], kind: EntityKind, policy_arn: str, row: Mapping[str, Any]
) -> None:
    configuration = row.get("configuration") or {}
    boundary = configuration.get("permissionsBoundary") or {}
    attached_as: list[AttachedAs] = []
    if any(policy.get("policyArn") == policy_arn for policy in _listed(configuration.get("attachedManagedPolicies"))):
        attached_as.append("permissions")
    if boundary.get("permissionsBoundaryArn") == policy_arn:
        attached_as.append("boundary")
    if not attached_as:
        return
    capture_time = row.get("configurationItemCaptureTime")
    attachments[str(row["accountId"]), str(row["arn"])] = RecordedAttachment(
        kind,
        account=str(row["accountId"]),
        name=str(row["resourceName"]),
        arn=str(row["arn"]),
        path=str(configuration.get("path") or "/"),
        attached_as=tuple(attached_as),
        recorded_at=parse_time(capture_time) if isinstance(capture_time, str) else None,
    )


def _add_use(uses: dict[str, list[Use]], columns: _UseColumns, row: Mapping[str, Any]) -> None:
    configuration = row.get("configuration") or {}
    role = configuration.get(columns.role)
    if isinstance(role, str):
        cluster = configuration.get(columns.cluster) or row.get("resourceName")
        name = None if columns.kind == "cluster" else configuration.get(columns.name)
        use = Use(columns.kind, "confirmed", cluster, row.get("awsRegion"), name, remark="as AWS Config recorded it")
        if use not in uses.setdefault(role, []):
            uses[role].append(use)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Mapping) else []


def _unknown(connection: Connection, aggregator: str) -> NotFoundError:
    try:
        pages = connection.token_pages("config:DescribeConfigurationAggregators", None, "NextToken")
        entries = (entry for page in pages for entry in page["ConfigurationAggregators"])
        names = tuple(entry["ConfigurationAggregatorName"] for entry in entries)
    except failures():
        names = ()
    hint = f"Known: {', '.join(names)}." if names else "An aggregator is in one region: give it with --region."
    return NotFoundError(f"AWS Config has no aggregator {aggregator!r} in {connection.region}.", names, hint)
