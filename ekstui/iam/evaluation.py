"""Whether IAM policies allow a request: explicit deny, then allow, else implicit deny, or a verdict for the unknown.

Each layer of policies is decided this way: identity policies, the permissions boundary, session policies, the policy of
the resource, and each level of an organization's policies. `_is_allowed` says which of them must allow the request (IAM
User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access" and "Cross-account policy
evaluation logic"). The context that follows from a request's ARNs is added to the given one.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from ekstui.iam import arn
from ekstui.iam.conditions.predicates import condition_holds
from ekstui.iam.document import Document, Effect, Statement
from ekstui.iam.exemptions import is_exempt
from ekstui.iam.grants import action_matches
from ekstui.iam.policy_variables import (
    VARIABLES_SINCE,
    Context,
    ResolvedValue,
    literal,
    resolved,
    template,
    without_encoding,
)
from ekstui.iam.principals import Caller, PrincipalMatch, caller_of, is_unsigned, named_by
from ekstui.iam.reference import Reference
from ekstui.iam.request import Request, context_of, is_same_account, is_service_linked, keys_of_principal
from ekstui.iam.resource_control import is_resource_controlled
from ekstui.iam.truth import Truth, every, negation, some
from ekstui.named_tuples import NamedTuple

RESOURCE = "resource"
"""Listed among the missing keys if the resource was not given; condition keys always have a colon."""

PRINCIPAL = "principal"
"""The same for the principal, which a trust policy needs."""

IDENTITY = "identity"
"""The same for the identity policies."""


Verdict = Literal["allowed", "explicit-deny", "implicit-deny", "depends"]
Layer = Literal["identity", "boundary", "session", "resource", "service-control", "resource-control", "trust"]

LAYER_WORDS: Mapping[Layer, str] = {
    "identity": "identity policy", "boundary": "permissions boundary", "session": "session policy",
    "resource": "policy of the resource", "service-control": "service control policy",
    "resource-control": "resource control policy", "trust": "trust policy",
}  # fmt: skip
"""What a policy of each layer is called."""

FailurePart = Literal["action", "resource", "condition", "effect", "principal"]


class AppliedPolicy(NamedTuple):
    """A policy that takes part in a decision."""

    name: str
    """The name of a policy or of a file."""
    version: int | None
    """None for a policy without versions."""
    document: Document
    arn: str | None = None
    """None for a policy without one, such as an inline policy or a file."""

    @property
    def owner(self) -> str:
        """`AWS managed`, `customer managed` or `inline`: a policy of the account may have the name of AWS's."""
        if self.arn is None:
            return "inline"
        return "AWS managed" if arn.is_of_aws(self.arn) else "customer managed"


class PolicyLevel(NamedTuple):
    """The policies at one level of an organization: its root, an organizational unit or the account."""

    name: str | None
    """The name of its folder; None for the only level."""
    policies: tuple[AppliedPolicy, ...]
    """Any of them may allow a request."""


class Organization(NamedTuple):
    """The policies of an organization that apply to a request; every level must allow it."""

    service_control: tuple[PolicyLevel, ...] = ()
    """Those of the caller's account."""
    resource_control: tuple[PolicyLevel, ...] = ()
    """Those of the resource's account."""


ResourcePolicies = Mapping[str | None, AppliedPolicy]
"""The policies of a request's resources by ARN; that of None is the policy of whichever resource it is."""

NO_RESOURCE_POLICIES: ResourcePolicies = MappingProxyType({})


class Failure(NamedTuple):
    """A part of a statement that does not match the request, or may not."""

    part: FailurePart
    key: str | None
    """The condition key; None for the other parts."""
    operator: str
    """The condition operator, or the element's name, such as `NotResource`."""
    wanted: tuple[str, ...]
    """What the statement requires, as written."""
    actual: tuple[str, ...] | None
    """What the request has; empty if it lacks the key, None if unknown."""


class StatementResult(NamedTuple):
    """The result of one statement for one resource."""

    layer: Layer
    policy: AppliedPolicy
    position: int
    """The statement's place in its document, from 0."""
    statement: Statement
    matches: Truth
    """Whether the statement matches the request; None if that is not known."""
    failed: tuple[Failure, ...]
    """The parts that do not match, or, if `matches` is None, those that are not known."""
    missing: tuple[str, ...]
    """Keys whose values would decide it."""


class LayerEvaluation(NamedTuple):
    """The decision of one layer, or of one level of it, about one resource of the request."""

    layer: Layer
    level: str | None
    """The name of the organization's level; None for the other layers, and for the only level."""
    verdict: Verdict
    decided_by: StatementResult | None
    """The first statement that denies or allows it, or that may; None if no statement does."""


class ResourceEvaluation(NamedTuple):
    """The decision about one resource of the request."""

    resource: str | None
    """None if not given."""
    verdict: Verdict
    decided_by: Layer | None
    """The layer that denied the request; None if it is not denied."""
    statements: tuple[StatementResult, ...]
    missing: tuple[str, ...]
    """Keys whose values would decide it, in statement order; empty unless the verdict is `depends`."""
    layers: tuple[LayerEvaluation, ...]
    """The layers that were evaluated, in the order in which IAM evaluates them."""


class Evaluation(NamedTuple):
    """The decision about a whole request: it is allowed only if every resource is."""

    verdict: Verdict
    resources: tuple[ResourceEvaluation, ...]
    """One or more, in the request's order."""
    missing: tuple[str, ...]

    @property
    def decisive(self) -> ResourceEvaluation:
        """The first resource with the verdict of the request."""
        return next(entry for entry in self.resources if entry.verdict == self.verdict)


Exemption = Literal["action", "root"]
"""Why no identity policy takes part: the action needs no permission, or the account's root user asks."""


def exemption_of(action: str, principal: str | None) -> Exemption | None:
    """Return why a request is allowed whatever identity policies say; None if it is not.

    Root user: IAM User Guide, "How AWS enforcement code logic evaluates requests".
    """
    types = keys_of_principal(principal or "").get("aws:principaltype", ())
    if is_exempt(action, types):
        return "action"
    return "root" if types == ("Account",) else None


STRONGEST_FIRST: tuple[Verdict, ...] = ("explicit-deny", "implicit-deny", "depends", "allowed")
"""The verdicts in the order in which one decides over the others."""

DENIALS = STRONGEST_FIRST[:2]


def evaluate(
    request: Request,
    identity: Sequence[AppliedPolicy] | None,
    boundary: AppliedPolicy | None = None,
    session: Sequence[AppliedPolicy] = (),
    reference: Reference | None = None,
    organization: Organization = Organization(),  # noqa: B008 - immutable
    resource_policies: ResourcePolicies = NO_RESOURCE_POLICIES,
) -> Evaluation:
    """Return what IAM decides about `request` by these policies alone.

    A boundary, session policies and an organization's policies grant nothing; they must allow the request as well. A
    resource whose policy is not given counts as if its policy left the request to the caller's own policies. `identity`
    is None if the identity policies are unknown. A resource that was not given stays unknown. It is called `*` if
    `reference` lists no resource types for the action, although IAM evaluates some of those actions on an ARN
    (iam:ListInstanceProfiles on `instance-profile/`).
    """
    parts = [_Part("resource-control", *level) for level in organization.resource_control]
    parts += [_Part("service-control", *level) for level in organization.service_control]
    exemption = exemption_of(request.action, request.principal)
    caller_parts: list[_Part] = []
    if exemption is None:
        caller_parts.append(_Part("identity", None, identity))
        if boundary is not None:
            caller_parts.append(_Part("boundary", None, (boundary,)))
        if session:
            caller_parts.append(_Part("session", None, session))
    elif exemption == "action":
        parts, resource_policies = [], NO_RESOURCE_POLICIES
    action = None if reference is None else reference.find(request.action)
    resources: tuple[str | None, ...] = request.resources or (None,)
    evaluations = tuple(
        _evaluate_resource(
            request,
            resource,
            [*parts, *_with_policy_of(resource, caller_parts, resource_policies, request)],
            context_of(request, resource),
        )
        for resource in resources
    )
    if not request.resources and action is not None and not action.takes_resources:
        evaluations = tuple(entry._replace(resource="*") for entry in evaluations)
    verdict = next(verdict for verdict in STRONGEST_FIRST if any(entry.verdict == verdict for entry in evaluations))
    missing_keys = _in_order(key for entry in evaluations for key in entry.missing) if verdict == "depends" else ()
    return Evaluation(verdict, evaluations, missing_keys)


class _Part(NamedTuple):
    """A layer, or one level of an organization's policies."""

    layer: Layer
    level: str | None
    policies: Sequence[AppliedPolicy] | None
    """None if unknown."""

    @property
    def is_of_organization(self) -> bool:
        return self.layer in ("service-control", "resource-control")


def _with_policy_of(
    resource: str | None, caller_parts: Sequence[_Part], policies: ResourcePolicies, request: Request
) -> Sequence[_Part]:
    """Return the caller's layers with the resource's if its policy is known; that alone if nobody signed."""
    policy = policies.get(resource) or policies.get(None)
    if policy is None:
        return caller_parts
    return (_Part("resource", None, (policy,)), *(caller_parts if may_have_policies(request) else ()))


def may_have_policies(request: Request) -> bool:
    """Return whether the caller may be a user or role, which has its own and its account's service control policies."""
    return not is_unsigned(request) and caller_of(request).has_policies


class _Result(NamedTuple):
    """The result of a layer, or of one level of it."""

    part: _Part
    statements: Sequence[StatementResult]
    denied: Truth
    allowed: Truth
    besides: tuple[str, ...] = ()
    """What would decide it besides the keys that its statements miss."""
    directly: Truth = False
    """Whether the policy of the resource names a caller whom no implicit deny limits: a user, a session, or anybody."""
    to_role: Truth = False
    """Whether it names the caller's role, which a boundary and session policies limit."""

    @property
    def evaluation(self) -> LayerEvaluation:
        verdict = verdict_by(self.denied, self.allowed)
        return LayerEvaluation(self.part.layer, self.part.level, verdict, _deciding(self.statements, verdict))

    @property
    def missing(self) -> tuple[str, ...]:
        return (*(key for result in self.statements for key in result.missing), *self.besides)


def _evaluate_resource(
    request: Request, resource: str | None, parts: Sequence[_Part], context: Context
) -> ResourceEvaluation:
    service_linked = is_service_linked(request.principal, context)
    has_boundary = any(part.layer == "boundary" for part in parts)
    results = [
        _evaluate_policy_of_resource(request, resource, part, context, has_boundary=has_boundary)
        if part.layer == "resource"
        else _evaluate_part(request, resource, part, context, service_linked)
        for part in parts
        if not (service_linked and part.is_of_organization)
    ]
    layers = tuple(result.evaluation for result in results)
    # The principal's own policies come first, since they are what can be changed.
    own_first = sorted(results, key=lambda result: result.part.is_of_organization)
    statements = tuple(statement for result in own_first for statement in result.statements)
    evaluation = ResourceEvaluation(resource, "depends", None, statements, (), layers)
    denying = next((layer for layer in layers if layer.verdict == "explicit-deny"), None)
    if denying is not None:
        return evaluation._replace(verdict="explicit-deny", decided_by=denying.layer)
    same_account = is_same_account(context, resource)
    is_allowed, needed_results = _is_allowed(request, resource, results, same_account)
    if is_allowed is False:
        failed_layer = next((result.part.layer for result in needed_results if result.allowed is False), None)
        return evaluation._replace(verdict="implicit-deny", decided_by=failed_layer)
    if is_allowed and all(result.denied is False for result in results):
        return evaluation._replace(verdict="allowed")
    missing_keys = [key for result in own_first for key in result.missing]
    if is_allowed is None and same_account is None and any(layer.layer == "resource" for layer in layers):
        missing_keys.append("aws:ResourceAccount")
    return evaluation._replace(missing=_in_order(missing_keys))


def _is_allowed(
    request: Request, resource: str | None, results: Sequence[_Result], same_account: Truth
) -> tuple[Truth, Sequence[_Result]]:
    """Return whether enough layers allow a request that none denies, and which it needs, the most final first."""
    by_layer = {result.part.layer: result for result in results}
    organization_results = [result for result in results if result.part.is_of_organization]
    caller_results = [by_layer[layer] for layer in ("identity", "boundary", "session") if layer in by_layer]
    is_above = every(result.allowed for result in organization_results)
    by_own = every(result.allowed for result in caller_results)
    of_resource = by_layer.get("resource")
    if of_resource is None:
        return every((is_above, by_own)), (*organization_results, *caller_results)
    if not may_have_policies(request):
        return every((is_above, of_resource.allowed)), (*organization_results, of_resource)
    by_both = every((of_resource.allowed, by_own))
    within_limits = every(result.allowed for result in caller_results if result.part.layer != "identity")
    is_needed = needs_policy_of_resource(resource)
    within_account = some(
        (of_resource.directly, every((of_resource.to_role, within_limits)), by_both if is_needed else by_own)
    )
    if same_account is None:
        is_granted = by_both if by_both is within_account else None
    else:
        is_granted = within_account if same_account else by_both
    needed_results = [
        result for result in caller_results if not (of_resource.to_role and result.part.layer == "identity")
    ]
    if is_needed or same_account is False:
        needed_results.insert(0, of_resource)
    return every((is_above, is_granted)), (*organization_results, *needed_results)


def needs_policy_of_resource(resource: str | None) -> bool:
    """Return whether the policy of a resource must allow requests of its own account too.

    AWS KMS Developer Guide, "Key policies in AWS KMS"; a role's trust policy, the other exception, is decided apart.
    """
    parts = arn.split_arn(resource or "")
    return parts.service == "kms" and parts.resource.startswith("key/")


def _evaluate_policy_of_resource(
    request: Request, resource: str | None, part: _Part, context: Context, *, has_boundary: bool
) -> _Result:
    """Return the result of the policy of the resource, and how it grants what it allows.

    IAM User Guide, "AWS JSON policy elements: Principal" and "Permissions boundaries for IAM entities".
    """
    caller = caller_of(request)
    statements: list[StatementResult] = []
    matches_by_grant: dict[str, list[Truth]] = {"directly": [], "to_role": [], "to_account": []}
    for policy in part.policies or ():
        for index, statement in enumerate(policy.document.statements):
            # A policy of ECR names no resource: it is about its own.
            on_own = statement._replace(resource_element=statement.resource_element or "Resource")
            on_own = on_own if statement.resources else on_own._replace(resources=("*",))
            result = _statement_result(request, resource, context, "resource", policy, index, on_own)
            is_caught = has_boundary and statement.effect == "Deny" and statement.principal_element == "NotPrincipal"
            principal_matches = [
                # In a policy of a resource, unlike in a trust policy, `*` is everybody, also who did not sign.
                entry._replace(is_caller=True) if entry.value == "*" else entry
                for entry in named_by(statement, caller)
            ]
            # A Deny of all but some always denies callers with a boundary, whomever it excepts.
            is_named = True if is_caught else some(entry.is_caller for entry in principal_matches)
            statements.append(_of_caller(result, statement, principal_matches, is_named, request))
            if statement.effect == "Allow":
                for entry in principal_matches:
                    matches_by_grant[_how_granted(entry, caller)].append(every((result.matches, entry.is_caller)))
    denied, allowed = any_matches(statements, "Deny"), any_matches(statements, "Allow")
    return _Result(
        part, statements, denied, allowed, (), some(matches_by_grant["directly"]), some(matches_by_grant["to_role"])
    )


def _how_granted(principal: PrincipalMatch, caller: Caller) -> Literal["directly", "to_role", "to_account"]:
    if principal.named_as == "account":
        return "to_account"
    is_of_role = principal.kind == "AWS" and arn.entity_of(principal.value).kind == "role" and caller.has_policies
    return "to_role" if is_of_role else "directly"


def _of_caller(
    result: StatementResult,
    statement: Statement,
    principal_matches: Sequence[PrincipalMatch],
    is_named: Truth,
    request: Request,
) -> StatementResult:
    """Return the result of a statement that names its callers, by whether it names this one."""
    matches = every((result.matches, is_named))
    failures = result.failed if result.matches is matches else ()
    missing_keys = result.missing if matches is None else ()
    if is_named is matches and is_named is not True:
        principals = tuple(entry.value for entry in principal_matches)
        caller_arns = None if request.principal is None else (request.principal,)
        element = statement.principal_element or "Principal"
        failures = (Failure("principal", None, element, principals, caller_arns), *failures)
    if is_named is None and matches is None:
        missing_keys = (PRINCIPAL, *missing_keys)
    return result._replace(statement=statement, matches=matches, failed=failures, missing=missing_keys)


def _evaluate_part(
    request: Request, resource: str | None, part: _Part, context: Context, service_linked: Truth
) -> _Result:
    if part.policies is None:
        return _Result(part, (), None, None, (IDENTITY,))
    statements = [
        _statement_result(request, resource, context, part.layer, policy, index, statement)
        for policy in part.policies
        for index, statement in enumerate(policy.document.statements)
    ]
    denied, allowed = any_matches(statements, "Deny"), any_matches(statements, "Allow")
    if part.layer == "resource-control":
        # RCPFullAWSAccess is attached at every level and cannot be detached: only a Deny counts.
        allowed = True
        denied = every((denied, is_resource_controlled(request.action)))
    if part.is_of_organization and service_linked is None:
        return _Result(part, statements, denied and None, allowed or None, ("aws:PrincipalArn",))
    return _Result(part, statements, denied, allowed)


def verdict_by(denied: Truth, allowed: Truth) -> Verdict:
    """Return the verdict of policies by whether a Deny and an Allow of theirs match."""
    if denied:
        return "explicit-deny"
    if allowed is False:
        return "implicit-deny"
    return "allowed" if allowed and denied is False else "depends"


def _deciding(results: Sequence[StatementResult], verdict: Verdict) -> StatementResult | None:
    """Return the statement by which a layer has its verdict: the first that denies or allows, or that may."""
    if verdict == "implicit-deny":
        return None
    if verdict == "depends":
        return next((result for result in results if result.matches is None), None)
    effect = "Deny" if verdict == "explicit-deny" else "Allow"
    return next((result for result in results if result.matches and result.statement.effect == effect), None)


def any_matches(results: Iterable[StatementResult], effect: Effect) -> Truth:
    """Return whether a statement with an effect matches."""
    return some(result.matches for result in results if result.statement.effect == effect)


def statement_results(request: Request, policy: AppliedPolicy, layer: Layer) -> tuple[StatementResult, ...]:
    """Return the result of each statement of one policy, for the first resource of the request."""
    resource = next(iter(request.resources), None)
    context = context_of(request, resource)
    return tuple(
        _statement_result(request, resource, context, layer, policy, index, statement)
        for index, statement in enumerate(policy.document.statements)
    )


def for_principal(document: Document, context: Context) -> Document:
    """Return what remains of a document for requests with a context: without statements that cannot apply to them.

    Conditions that hold are gone, and policy variables in resources have their values, as far as those are known.
    """
    has_variables = document.version == VARIABLES_SINCE
    statements = (_statement_for(statement, context, has_variables=has_variables) for statement in document.statements)
    return document._replace(statements=tuple(statement for statement in statements if statement is not None))


def _statement_for(statement: Statement, context: Context, *, has_variables: bool) -> Statement | None:
    open_conditions = []
    for condition in statement.conditions:
        holds = condition_holds(condition, context, has_variables=has_variables).holds
        if holds is False:
            return None
        if holds is None:
            open_conditions.append(condition)
    resources = statement.resources
    if has_variables and any("${" in resource for resource in resources):
        readings = [(resource, resolved(template(resource), context)) for resource in resources]
        resources = tuple(_filled(text, reading) for text, reading in readings if reading.resolvable)
        if not resources and statement.resource_element == "Resource":
            return None
        if not resources:
            return statement._replace(resource_element="Resource", resources=("*",), conditions=tuple(open_conditions))
    return statement._replace(resources=resources, conditions=tuple(open_conditions))


def _filled(text: str, reading: ResolvedValue) -> str:
    """Return a resource with the values of its variables, or as it is if they are not known or would be wildcards."""
    return text if reading.unknown_keys or without_encoding(reading.encoded) != reading.encoded else reading.encoded


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
    missing_keys: list[str] = []

    def judge(holds: Truth, failure: Failure, keys: Iterable[str] = ()) -> None:
        verdicts.append(holds)
        if holds is not True:
            failures.append((holds, failure))
        if holds is None:
            missing_keys.extend(keys)

    judge(
        action_matches(statement, request.action),
        Failure("action", None, statement.action_element, statement.actions, (request.action,)),
    )
    if statement.resource_element is None:
        # IAM rejects identity policies without a resource; a trust policy applies to its own role.
        judge(False, Failure("resource", None, "Resource", (), None))
    else:
        patterns = [resolved(template(entry, has_variables=has_variables), context) for entry in statement.resources]
        resource_matches = [_resource_listed(entry, resource) for entry in patterns]
        holds = some(resource_matches)
        undecided_patterns = [entry for entry, match in zip(patterns, resource_matches, strict=True) if match is None]
        judge(
            holds if statement.resource_element == "Resource" else negation(holds),
            Failure(
                "resource",
                None,
                statement.resource_element,
                statement.resources,
                None if resource is None else (resource,),
            ),
            [RESOURCE] if resource is None else [key for entry in undecided_patterns for key in entry.unknown_keys],
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
        position=index,
        statement=statement,
        matches=matches,
        failed=tuple(failure for holds, failure in failures if holds is matches),
        missing=_in_order(missing_keys) if matches is None else (),
    )


def _resource_listed(resolved_pattern: ResolvedValue, resource: str | None) -> Truth:
    if not resolved_pattern.resolvable:
        return False
    pattern = resolved_pattern.pattern()
    if pattern == "*":
        return None if resolved_pattern.unknown_keys else True
    if resource is None:
        return None
    possible = arn.matches_resource(pattern, literal(resource))
    return None if possible and resolved_pattern.unknown_keys else possible


def _in_order(keys: Iterable[str]) -> tuple[str, ...]:
    """Return keys without duplicates, ignoring case."""
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(key.lower(), key)
    return tuple(first.values())
