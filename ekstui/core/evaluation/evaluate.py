"""The decision: explicit deny, then allow, else implicit deny, in identity policies, boundary and session alike."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ekstui.core import arn, wildcard
from ekstui.core.conditions.context import Context
from ekstui.core.conditions.predicates import condition_holds
from ekstui.core.conditions.truth import Truth, every, negation, some
from ekstui.core.conditions.variables import VARIABLES_SINCE, Resolved, literal, resolve
from ekstui.core.document import Statement
from ekstui.core.evaluation.inference import context_of
from ekstui.core.evaluation.request import RESOURCE, Request
from ekstui.core.evaluation.verdict import (
    AppliedPolicy,
    Evaluation,
    Failure,
    Layer,
    ResourceEvaluation,
    StatementResult,
    Verdict,
)
from ekstui.core.reference import Reference

_STRONGEST_FIRST: tuple[Verdict, ...] = ("explicit-deny", "implicit-deny", "depends", "allowed")


def evaluate(
    request: Request,
    identity: Sequence[AppliedPolicy],
    boundary: AppliedPolicy | None = None,
    session: Sequence[AppliedPolicy] = (),
    reference: Reference | None = None,
) -> Evaluation:
    """Return what IAM decides about `request` by these policies alone.

    A boundary and session policies grant nothing; they must allow as well. A resource that was not given stays unknown;
    it is called `*` where `reference` gives the action none, though IAM asks some of those about an ARN all the same
    (iam:ListInstanceProfiles about `instance-profile/`).
    """
    layers: list[tuple[Layer, Sequence[AppliedPolicy]]] = [("identity", identity)]
    if boundary is not None:
        layers.append(("boundary", (boundary,)))
    if session:
        layers.append(("session", session))
    action = None if reference is None else reference.find(request.action)
    resources: tuple[str | None, ...] = request.resources or (None,)
    evaluations = tuple(
        _evaluate_resource(request, resource, layers, context_of(request, resource)) for resource in resources
    )
    if not request.resources and action is not None and not action.resource_types:
        evaluations = tuple(replace(entry, resource="*") for entry in evaluations)
    verdict = next(verdict for verdict in _STRONGEST_FIRST if any(entry.verdict == verdict for entry in evaluations))
    missing = _in_order(key for entry in evaluations for key in entry.missing) if verdict == "depends" else ()
    return Evaluation(verdict, evaluations, missing)


def _evaluate_resource(
    request: Request,
    resource: str | None,
    layers: Iterable[tuple[Layer, Sequence[AppliedPolicy]]],
    context: Context,
) -> ResourceEvaluation:
    results: list[StatementResult] = []
    denied: Truth = False
    allowed: Truth = True
    denying: Layer | None = None
    not_allowing: Layer | None = None
    for layer, policies in layers:
        found = [
            _statement_result(request, resource, context, layer, policy, index, statement)
            for policy in policies
            for index, statement in enumerate(policy.document.statements)
        ]
        results.extend(found)
        layer_denies = some(result.matches for result in found if result.statement.effect == "Deny")
        layer_allows = some(result.matches for result in found if result.statement.effect == "Allow")
        if layer_denies and denying is None:
            denying = layer
        if layer_allows is False and not_allowing is None:
            not_allowing = layer
        denied = some((denied, layer_denies))
        allowed = every((allowed, layer_allows))
    if denied:
        return ResourceEvaluation(resource, "explicit-deny", denying, tuple(results), ())
    if allowed is False:
        return ResourceEvaluation(resource, "implicit-deny", not_allowing, tuple(results), ())
    if allowed and denied is False:
        return ResourceEvaluation(resource, "allowed", None, tuple(results), ())
    missing = _in_order(key for result in results for key in result.missing)
    return ResourceEvaluation(resource, "depends", None, tuple(results), missing)


def _statement_result(
    request: Request,
    resource: str | None,
    context: Context,
    layer: Layer,
    policy: AppliedPolicy,
    index: int,
    statement: Statement,
) -> StatementResult:
    has_variables = policy.document.version == VARIABLES_SINCE
    verdicts: list[Truth] = []
    failures: list[tuple[Truth, Failure]] = []
    missing: list[str] = []

    def judge(holds: Truth, failure: Failure, keys: Iterable[str] = ()) -> None:
        verdicts.append(holds)
        if holds is not True:
            failures.append((holds, failure))
        if holds is None:
            missing.extend(keys)

    judge(
        action_matches(statement, request.action),
        Failure("action", None, statement.action_element, statement.actions, (request.action,)),
    )
    if statement.resource_element is None:
        # IAM accepts no identity policy without one; a trust policy speaks of its own role.
        judge(False, Failure("resource", None, "Resource", (), None))
    else:
        wanted = [resolve(entry, context, has_variables=has_variables) for entry in statement.resources]
        listed = [_resource_listed(entry, resource) for entry in wanted]
        holds = some(listed)
        undecided = [entry for entry, found in zip(wanted, listed, strict=True) if found is None]
        judge(
            holds if statement.resource_element == "Resource" else negation(holds),
            Failure(
                "resource",
                None,
                statement.resource_element,
                statement.resources,
                None if resource is None else (resource,),
            ),
            [RESOURCE] if resource is None else [key for entry in undecided for key in entry.unknown_keys],
        )
    for condition in statement.conditions:
        result = condition_holds(condition, context, has_variables=has_variables)
        judge(
            result.holds,
            Failure("condition", condition.key, condition.operator, condition.values, context.values(condition.key)),
            result.missing,
        )
    matches = every(verdicts)
    return StatementResult(
        layer=layer,
        policy=policy,
        index=index,
        statement=statement,
        matches=matches,
        failed=tuple(failure for holds, failure in failures if holds is matches),
        missing=_in_order(missing) if matches is None else (),
    )


def action_matches(statement: Statement, action: str) -> bool:
    """Return whether the statement's Action or NotAction speaks about `action`."""
    name = action.lower()
    listed = any(wildcard.matches(pattern.lower(), name) for pattern in statement.actions)
    return listed == (statement.action_element == "Action")


def _resource_listed(wanted: Resolved, resource: str | None) -> Truth:
    if not wanted.resolvable:
        return False
    pattern = wanted.pattern()
    if pattern == "*":
        return None if wanted.unknown_keys else True
    if resource is None:
        return None
    possible = arn.matches_resource(pattern, literal(resource))
    return None if possible and wanted.unknown_keys else possible


def _in_order(keys: Iterable[str]) -> tuple[str, ...]:
    """Return keys without repetition; names that differ in case only are one key."""
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(key.lower(), key)
    return tuple(first.values())
