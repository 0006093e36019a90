"""AWS Config's queries, run over the accounts that the rig holds.

Only as much of the query language as ekstui's queries use: SELECT of columns, WHERE with =, IN and AND.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from moto.config.responses import ConfigResponse
from moto.core.exceptions import JsonRESTError
from moto.eks.models import eks_backends
from moto.iam.models import IAMBackend, iam_backends
from moto.utilities.utils import get_partition

from tests.rig.iam import Entity, boundary_of
from tests.rig.world import Aggregator, SignedRegion, world

UNSEARCHABLE = ("configuration.assumeRolePolicyDocument", "configuration.roleLastUsed", "supplementaryConfiguration")
"""Columns that a query may select but not ask about."""

_QUERY = re.compile(r"\s*SELECT\s+(?P<columns>.+?)\s+WHERE\s+(?P<conditions>.+?)\s*", re.IGNORECASE | re.DOTALL)
_CONDITION = re.compile(r"(?P<column>[\w.]+)\s*(?:=\s*'(?P<one>[^']*)'|IN\s*\((?P<many>[^)]*)\))", re.IGNORECASE)


class CorrectedConfig(SignedRegion, ConfigResponse):
    """moto's Config, with queries that are run."""

    def select_aggregate_resource_config(self) -> str:
        name = self._get_param("ConfigurationAggregatorName")
        aggregator = world.aggregators.get(name)
        if aggregator is None:
            raise JsonRESTError(
                "NoSuchConfigurationAggregatorException",
                "The configuration aggregator does not exist. Check the configuration aggregator name and try again.",
            )
        return self._answer(aggregator)

    def select_resource_config(self) -> str:
        return self._answer(Aggregator((self.current_account,), (self.region,)))

    def describe_configuration_aggregators(self) -> str:
        names = self._get_param("ConfigurationAggregatorNames") or list(world.aggregators)
        missing = [name for name in names if name not in world.aggregators]
        if missing:
            raise JsonRESTError(
                "NoSuchConfigurationAggregatorException", "The configuration aggregator does not exist."
            )
        aggregators = [
            {
                "ConfigurationAggregatorName": name,
                "ConfigurationAggregatorArn": f"arn:{self.partition}:config:{self.region}:{self.current_account}"
                f":config-aggregator/{name}",
                "AccountAggregationSources": [{"AccountIds": list(world.aggregators[name].accounts)}],
            }
            for name in names
        ]
        return json.dumps({"ConfigurationAggregators": aggregators})

    def describe_configuration_recorder_status(self) -> str:
        status = {"name": "default", "recording": world.recorded, "lastStatus": "SUCCESS"}
        return json.dumps({"ConfigurationRecordersStatus": [status] if world.recorded else []})

    def _answer(self, aggregator: Aggregator) -> str:
        expression = self._get_param("Expression")
        query = _QUERY.fullmatch(expression)
        if len(expression) > 4096 or query is None:
            raise JsonRESTError("InvalidExpressionException", "The syntax of the query is incorrect.")
        columns = [column.strip() for column in query["columns"].split(",")]
        conditions = _conditions(query["conditions"])
        items = _items(aggregator, self.partition) if world.recorded else iter(())
        rows = [
            json.dumps(_selected(item, columns))
            for item in items
            if all(any(v in values for v in _values(item, column)) for column, values in conditions)
        ]
        limit = self._get_param("Limit")
        if limit is not None and not 0 <= int(limit) <= 100:
            raise JsonRESTError("InvalidLimitException", "The specified limit is outside the allowable range.")
        page, token = world.page(rows, self._get_param("NextToken"), int(limit or 25), limit=100)
        answer: dict[str, Any] = {"Results": page, "QueryInfo": {"SelectFields": [{"Name": c} for c in columns]}}
        return json.dumps(answer | ({"NextToken": token} if token else {}))


def _conditions(text: str) -> list[tuple[str, set[str]]]:
    conditions = []
    for part in re.split(r"\s+AND\s+", text, flags=re.IGNORECASE):
        condition = _CONDITION.fullmatch(part.strip())
        if condition is None:
            raise JsonRESTError("InvalidExpressionException", f"The syntax of the query is incorrect near {part!r}.")
        if condition["column"].startswith(UNSEARCHABLE):
            raise JsonRESTError("InvalidExpressionException", f"{condition['column']} cannot be used in a condition.")
        values = {condition["one"]} if condition["many"] is None else set(re.findall(r"'([^']*)'", condition["many"]))
        conditions.append((condition["column"], values))
    return conditions


def _values(item: Any, column: str) -> list[Any]:
    """Return every value at a dotted path; a list on the way stands for each of its members, as in Config."""
    values = [item]
    for name in column.split("."):
        members = [m for value in values for m in (value if isinstance(value, list) else [value])]
        values = [m[name] for m in members if isinstance(m, dict) and name in m]
    return values


def _selected(item: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in columns:
        source: Any = item
        target = row
        *parents, last = column.split(".")
        for name in parents:
            source = source.get(name, {})
            target = target.setdefault(name, {})
        if last in source:
            target[last] = source[last]
    return row


def _items(aggregator: Aggregator, partition: str) -> Iterator[dict[str, Any]]:
    for account in aggregator.accounts:
        # IAM is recorded in every region that records global types, so its rows come once for each.
        for region in aggregator.regions:
            yield from _iam_items(iam_backends[account][partition], region)
            if get_partition(region) == partition:
                yield from _eks_items(account, region)


def _item(kind: str, account: str, region: str, name: str, arn: str, configuration: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "accountId": account,
        "awsRegion": region,
        "resourceName": name,
        "arn": arn,
        "configurationItemCaptureTime": "2026-11-01T00:00:00.000Z",
        "configurationItemStatus": "OK",
        "configuration": configuration,
    }


def _iam_items(backend: IAMBackend, region: str) -> Iterator[dict[str, Any]]:
    entities_by_kind: list[tuple[str, Entity]] = [("AWS::IAM::Role", role) for role in backend.roles.values()]
    entities_by_kind += [("AWS::IAM::User", user) for user in backend.users.values()]
    entities_by_kind += [("AWS::IAM::Group", group) for group in backend.groups.values()]
    for kind, entity in entities_by_kind:
        configuration: dict[str, Any] = {"path": entity.path, "arn": entity.arn}
        configuration["attachedManagedPolicies"] = [
            {"policyArn": policy.arn, "policyName": policy.name} for policy in entity.managed_policies.values()
        ]
        if boundary := boundary_of(entity):
            configuration["permissionsBoundary"] = {
                "permissionsBoundaryArn": boundary,
                "permissionsBoundaryType": "Policy",
            }
        trust = getattr(entity, "assume_role_policy_document", None)
        if trust is not None:
            configuration |= {"assumeRolePolicyDocument": quote(trust, safe=""), "instanceProfileList": []}
        item = _item(kind, backend.account_id, region, entity.name, entity.arn, configuration)
        tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in getattr(entity, "tags", None) or []]
        yield item | {"resourceId": entity.id, "awsRegion": "global", "tags": tags}


def _eks_items(account: str, region: str) -> Iterator[dict[str, Any]]:
    for cluster in eks_backends[account][region].clusters.values():
        issuer = cluster.identity["oidc"]["issuer"]
        yield _item(
            "AWS::EKS::Cluster",
            account,
            region,
            cluster.name,
            cluster.arn,
            {"Name": cluster.name, "RoleArn": cluster.role_arn, "OpenIdConnectIssuerUrl": issuer},
        )
        for name, profile in cluster.fargate_profiles.items():
            yield _item(
                "AWS::EKS::FargateProfile",
                account,
                region,
                name,
                profile.fargate_profile_arn,
                {
                    "ClusterName": cluster.name,
                    "FargateProfileName": name,
                    "PodExecutionRoleArn": profile.pod_execution_role_arn,
                },
            )
        for name, addon in getattr(cluster, "addons", {}).items():
            yield _item(
                "AWS::EKS::Addon",
                account,
                region,
                name,
                addon["addonArn"],
                {
                    "ClusterName": cluster.name,
                    "AddonName": name,
                    "ServiceAccountRoleArn": addon.get("serviceAccountRoleArn"),
                },
            )
