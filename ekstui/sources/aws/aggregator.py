"""AWS Config's aggregator: one query over every account of an organisation.

Columns: the awslabs/aws-config-resource-schema repository, AWS::IAM::Role and AWS::EKS::*; the query language: AWS
Config Developer Guide, "Query components". A match on one element of a list returns the whole resource, rows repeat
for each region that records IAM, and a list of one element may arrive as an object; this module handles all three.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ekstui.core.account_snapshot import AttachedAs, EntityKind, RecordedAttachment, SourceError, Use, UseKind
from ekstui.core.policy import parse_time
from ekstui.errors import InputError, NotFoundError
from ekstui.sources.aws.connection import Cancelled, Connection, each, never
from ekstui.sources.aws.failures import explain, failures

PAGE = 100
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

_USES: tuple[tuple[UseKind, str, str, str, str], ...] = (
    ("cluster", "AWS::EKS::Cluster", "RoleArn", "Name", "Name"),
    ("fargate", "AWS::EKS::FargateProfile", "PodExecutionRoleArn", "ClusterName", "FargateProfileName"),
    ("addon", "AWS::EKS::Addon", "ServiceAccountRoleArn", "ClusterName", "AddonName"),
)
"""Kind of use, resource type, and the configuration keys of the role, the cluster and the name."""


@dataclass(frozen=True, slots=True)
class ConfigRead:
    """Config's answer, and what failed."""

    attachments: tuple[RecordedAttachment, ...]
    errors: tuple[SourceError, ...]


def read_attachments(
    connection: Connection, aggregator: str, policy_arn: str, cancelled: Cancelled = never
) -> ConfigRead:
    """Return who has the policy attached in all accounts of the aggregator; NotFoundError if there is no such aggregator."""
    if not _POLICY_ARN.fullmatch(policy_arn):
        raise InputError(f"{policy_arn} is not a policy's ARN.")
    attachments: dict[tuple[str, str], RecordedAttachment] = {}
    uses: dict[str, list[Use]] = {}
    errors: dict[str, SourceError] = {}
    queries = {**_attachment_queries(policy_arn), **_use_queries()}

    def rows(name: str) -> list[Mapping[str, Any]]:
        return list(_rows(connection, aggregator, queries[name]))

    for outcome in each(rows, queries, cancelled):
        try:
            answer = outcome.answer()
        except failures() as error:
            if _no_such_aggregator(error):
                raise _unknown(connection, aggregator) from None
            problem = explain(error, "config", _ACTION, profile=connection.profile, subject=aggregator, signed_in=True)
            errors.setdefault(problem.kind, problem)
            continue
        for row in answer:
            if outcome.item.startswith("use "):
                _add_use(uses, outcome.item.removeprefix("use "), row)
            else:
                _add_attachment(attachments, _KINDS[outcome.item.split()[0]], policy_arn, row)
    found = (replace(each, used_by=tuple(uses.get(each.arn, ()))) for each in attachments.values())
    return ConfigRead(tuple(sorted(found, key=lambda each: (each.account, each.name.lower()))), tuple(errors.values()))


def read_aggregators(connection: Connection) -> tuple[str, ...]:
    """Return the names of the aggregators in the configured region; raises what a call raises."""
    pages = connection.token_pages("config:DescribeConfigurationAggregators", None, "NextToken")
    return tuple(
        str(entry["ConfigurationAggregatorName"]) for page in pages for entry in page["ConfigurationAggregators"]
    )


def _attachment_queries(policy_arn: str) -> dict[str, str]:
    """Return the queries for a policy's attachments, by names that begin with the resource type."""
    attached = f"configuration.attachedManagedPolicies.policyArn = '{policy_arn}'"
    boundary = f"configuration.permissionsBoundary.permissionsBoundaryArn = '{policy_arn}'"
    conditions = [(kind, attached) for kind in _KINDS]
    conditions += [("AWS::IAM::Role", boundary), ("AWS::IAM::User", boundary)]
    return {
        f"{kind} {number}": f"SELECT {_COLUMNS} WHERE resourceType = '{kind}' AND {condition} AND {_RECORDED}"
        for number, (kind, condition) in enumerate(conditions)
    }


def _use_queries() -> dict[str, str]:
    return {
        f"use {kind}": f"SELECT accountId, awsRegion, resourceName, "
        f"{', '.join(f'configuration.{key}' for key in dict.fromkeys((role, cluster, name)))} "
        f"WHERE resourceType = '{resource_type}'"
        for kind, resource_type, role, cluster, name in _USES
    }


def _rows(connection: Connection, aggregator: str, query: str) -> Iterator[Mapping[str, Any]]:
    pages = connection.token_pages(
        _ACTION, None, "NextToken", Expression=query, ConfigurationAggregatorName=aggregator, Limit=PAGE
    )
    for page in pages:
        for text in page["Results"]:
            row: Mapping[str, Any] = json.loads(text)
            yield row


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
    captured = row.get("configurationItemCaptureTime")
    attachments[str(row["accountId"]), str(row["arn"])] = RecordedAttachment(
        kind,
        account=str(row["accountId"]),
        name=str(row["resourceName"]),
        arn=str(row["arn"]),
        path=str(configuration.get("path") or "/"),
        attached_as=tuple(attached_as),
        recorded_at=parse_time(captured) if isinstance(captured, str) else None,
    )


def _add_use(uses: dict[str, list[Use]], kind: str, row: Mapping[str, Any]) -> None:
    configuration = row.get("configuration") or {}
    for known, _, role_key, cluster_key, name_key in _USES:
        role = configuration.get(role_key)
        if known == kind and isinstance(role, str):
            cluster = configuration.get(cluster_key) or row.get("resourceName")
            name = None if known == "cluster" else configuration.get(name_key)
            use = Use(known, "confirmed", cluster, row.get("awsRegion"), name, remark="as AWS Config recorded it")
            if use not in uses.setdefault(role, []):
                uses[role].append(use)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Mapping) else []


def _no_such_aggregator(error: Exception) -> bool:
    code = str((getattr(error, "response", None) or {}).get("Error", {}).get("Code", ""))
    return code == "NoSuchConfigurationAggregatorException"


def _unknown(connection: Connection, aggregator: str) -> NotFoundError:
    try:
        names = read_aggregators(connection)
    except failures():
        names = ()
    hint = f"Known: {', '.join(names)}." if names else "An aggregator is in one region: give it with --region."
    return NotFoundError(f"AWS Config has no aggregator {aggregator!r} in {connection.region}.", names, hint)
