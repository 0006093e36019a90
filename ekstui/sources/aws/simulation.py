"""IAM's own simulator for one role (IAM API Reference, SimulatePrincipalPolicy). It only reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.failures import as_account_error, explain, failures

_ACTION = "iam:SimulatePrincipalPolicy"


@dataclass(frozen=True, slots=True)
class SimulatedDecision:
    """The simulator's decision about one action on one resource."""

    action: str
    resource: str
    decision: str
    """`allowed`, `explicitDeny` or `implicitDeny`."""
    missing_context: tuple[str, ...]
    """Condition keys in the policies that the request has no values for."""
    matched: tuple[str, ...]
    """Ids of the policies whose statements matched."""
    allowed_by_organisation: bool | None
    """What service control policies decide; None if IAM does not report it."""
    allowed_by_boundary: bool | None
    """What the permissions boundary decides; None if there is none."""


def simulate(
    connection: Connection,
    role_arn: str,
    actions: tuple[str, ...],
    resources: tuple[str, ...] = (),
    context: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[SimulatedDecision, ...]:
    """Return the simulator's decisions; AccountError if it cannot be asked.

    It knows identity policies, the boundary and the organisation, but no resource policies.
    """
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": "stringList"}
        for key, values in (context or {}).items()
    ]
    parameters: dict[str, Any] = {"PolicySourceArn": role_arn, "ActionNames": list(actions)}
    if resources:
        parameters["ResourceArns"] = list(resources)
    if entries:
        parameters["ContextEntries"] = entries
    try:
        return tuple(
            _decision(result)
            for page in connection.pages(_ACTION, **parameters)
            for result in page["EvaluationResults"]
        )
    except failures() as error:
        problem = explain(error, "simulation", _ACTION, profile=connection.profile, subject=role_arn)
        raise as_account_error(problem, error) from None


def _decision(result: Mapping[str, object]) -> SimulatedDecision:
    missing = result.get("MissingContextValues") or ()
    matched = result.get("MatchedStatements") or ()
    return SimulatedDecision(
        action=str(result["EvalActionName"]),
        resource=str(result.get("EvalResourceName") or "*"),
        decision=str(result["EvalDecision"]),
        missing_context=tuple(str(key) for key in missing) if isinstance(missing, list | tuple) else (),
        matched=tuple(str(entry["SourcePolicyId"]) for entry in matched) if isinstance(matched, list) else (),
        allowed_by_organisation=_flag(result, "OrganizationsDecisionDetail", "AllowedByOrganizations"),
        allowed_by_boundary=_flag(result, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary"),
    )


def _flag(result: Mapping[str, object], detail: str, key: str) -> bool | None:
    found = result.get(detail)
    return bool(found[key]) if isinstance(found, Mapping) and key in found else None
