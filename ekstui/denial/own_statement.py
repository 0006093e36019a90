"""The statement that allows a denied request and little else.

It is on what lasts, not on the one network interface or listener rule of a message; and if the caller's own component
has a policy, what that says about the action stays: its resources and its conditions.
"""

import re
from collections.abc import Iterable, Sequence

from ekstui.denial.answer import refused_tags
from ekstui.denial.parameters import KMS_KEY_ID, PLACEHOLDER, of_place
from ekstui.denial.purpose import CandidatePolicy
from ekstui.denial.remedies import evaluated_by, gives_by_wildcard
from ekstui.eks.commands import variable
from ekstui.iam.arn import has_variable, matches_resource, split_arn
from ekstui.iam.document import Condition, Statement
from ekstui.iam.evaluation import Evaluation, StatementResult
from ekstui.iam.reference import ActionInfo, reference
from ekstui.iam.request import Request

_SECRET_END = re.compile(r"-[A-Za-z0-9]{6}$")

REDACTED = re.compile(r"\*{2,}|[xX]{3,}|#{3,}|REDACTED|TRUNCATED|<[^<>]*>|\.{3}|…", re.IGNORECASE)
"""What people write in place of what they do not show."""

_SHORT_LIVED: dict[str, tuple[str, ...]] = {
    "ec2": ("network-interface",),
    "elasticloadbalancing": ("listener", "listener-rule", "targetgroup", "loadbalancer"),
}
"""Types of resources that controllers make and remove all day."""


def smallest_statement(
    request: Request,
    evaluation: Evaluation | None,
    nearest: Sequence[StatementResult],
    name: str | None,
    models: Iterable[CandidatePolicy] = (),
) -> Statement:
    """Return the statement that allows only this action on the resources that are not allowed yet.

    `name` is the resource as the message names it, if that is not a whole ARN. `models` are policies made for what the
    caller runs, best first. Where the nearest statement refuses tags, the remedy has the conditions of it that the
    request meets, so that it allows the tags and no more otherwise.
    """
    if evaluation is None:
        resources = request.resources
    else:
        entries = [entry for entry in evaluation.resources if entry.verdict != "allowed"]
        resources = tuple(entry.resource for entry in entries if entry.resource is not None)
    if not resources:
        pattern = None if name is None else _pattern_of_name(name, request)
        resources = ("*",) if pattern is None else (pattern,)
    conditions = _conditions_met(nearest)
    model = _model(request, resources[0], models) if len(resources) == 1 and not conditions else None
    if model is not None:
        conditions = model.conditions
    patterns = () if model is None else model.resources
    return Statement(
        sid=None,
        effect="Allow",
        action_element="Action",
        actions=(request.action,),
        resource_element="Resource",
        resources=tuple(dict.fromkeys(_lasting(resource, patterns) for resource in resources)),
        conditions=conditions,
    )


def as_shown(resource: str, principal: str | None) -> str:
    """Return an ARN with what a message does not show: the caller's account, or variables of the shell."""
    if not resource.startswith("arn:"):
        return REDACTED.sub(lambda _: variable("NAME"), resource)
    parts, caller = split_arn(resource), split_arn(principal or "")
    account, region = parts.account, parts.region
    if account and not re.fullmatch(r"\d{12}|aws", account):
        account = caller.account if re.fullmatch(r"\d{12}", caller.account) else variable("ACCOUNT")
    if region and not re.fullmatch(r"[a-z]{2}(?:-[a-z]+)+-\d", region):
        region = variable("REGION")
    resource_part = REDACTED.sub(lambda _: variable("NAME"), parts.resource)
    return ":".join((parts.arn, parts.partition, parts.service, region, account, resource_part))


def _model(request: Request, resource: str, models: Iterable[CandidatePolicy]) -> Statement | None:
    """Return the narrowest statement of a policy that allows the request, or may, with only what matches."""
    resource_request = request if resource == "*" else request._replace(resources=(resource,))
    results = [
        result
        for candidate in models
        for result in evaluated_by(resource_request, candidate).decisive.statements
        if result.matches is not False
        and result.statement.effect == "Allow"
        and result.statement.resource_element == "Resource"
        and not gives_by_wildcard(result.statement, request.action)
    ]
    # The first of the most certain ones: models come best first.
    best = min(results, key=lambda result: (result.matches is None, len(result.missing)), default=None)
    if best is None:
        return None
    patterns = [pattern for pattern in best.statement.resources if matches_resource(pattern, resource) is not False]
    return best.statement._replace(resources=tuple(patterns))


def _lasting(resource: str, patterns: Sequence[str]) -> str:
    """Return a statement's resource: the narrowest pattern, with Region and account, or what lasts of the ARN."""
    pattern = max(
        (candidate for candidate in patterns if candidate != "*" and not has_variable(candidate)), key=len, default=None
    )
    if not resource.startswith("arn:"):
        return resource
    parts = split_arn(resource)
    if pattern is not None:
        pattern_parts = split_arn(pattern)
        region = parts.region if pattern_parts.region == "*" else pattern_parts.region
        account = parts.account if pattern_parts.account == "*" else pattern_parts.account
        return ":".join((parts.arn, parts.partition, pattern_parts.service, region, account, pattern_parts.resource))
    kind, _, identifier = parts.resource.partition("/")
    if identifier and kind in _SHORT_LIVED.get(parts.service, ()):
        return ":".join((*parts[:5], f"{kind}/*"))
    return resource


def _conditions_met(nearest: Sequence[StatementResult]) -> tuple[Condition, ...]:
    """Return the conditions that the request meets of the nearest statement, if that refuses it for its tags."""
    if not nearest or not any(map(refused_tags, nearest[0].failed)):
        return ()
    failed_conditions = {(failure.operator, failure.key) for failure in nearest[0].failed}
    return tuple(line for line in nearest[0].statement.conditions if (line.operator, line.key) not in failed_conditions)


def _pattern_of_name(name: str, request: Request) -> str | None:
    """Return the ARN pattern, in the principal's account, of what a message names; None if it may be of any type."""
    info, caller = reference().find(request.action), split_arn(request.principal or "")
    if info is None or not caller.account.isdigit() or REDACTED.search(name):
        return None
    if name.startswith("arn:"):
        return f"{name}-??????"
    service = info.name.partition(":")[0]
    form = of_place(_only_arn_format(info, service), (caller.partition, "*", caller.account))
    if len(PLACEHOLDER.findall(form)) != 1 or (service == "kms" and not KMS_KEY_ID.fullmatch(name)):
        return None
    end = "-??????" if service == "secretsmanager" and not _SECRET_END.search(name) else ""
    return PLACEHOLDER.sub(lambda _: f"{name.lstrip('/')}{end}", form)


def _only_arn_format(info: ActionInfo, service: str) -> str:
    """Return the ARN format of the one resource type that an action needs, or may have; empty if there are several."""
    uses = [use for use in info.resource_types if use.required] or info.resource_types
    kinds = [reference().resource_type(service, use.name) for use in uses]
    forms = {form for kind in kinds if kind is not None for form in kind.arn_formats}
    return forms.pop() if len(kinds) == len(forms) == 1 else ""
