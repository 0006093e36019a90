"""Why a request was denied, as IAM's guide has one find out: who asked for what, which policies count, what decides.

Source: IAM User Guide, "Troubleshoot access denied error messages" and "Policy evaluation logic".
"""

from collections.abc import Iterator, Sequence

from ekstui.change.holders import nearest_actions
from ekstui.denial import deciding, fixing
from ekstui.denial.answer import Explanation, Policies, refused_tags
from ekstui.denial.assuming import TRUST_UNSEEN
from ekstui.denial.message import Denial
from ekstui.denial.own_statement import smallest_statement
from ekstui.denial.owners import checks_of_owner, whom_to_ask
from ekstui.denial.purpose import (
    UNKNOWN_PURPOSE,
    CandidatePolicy,
    Purpose,
    components_in,
    controllers_calling,
    is_call_of_node,
    notes_on_node_role,
    purpose_of_components,
)
from ekstui.denial.remedies import allowers, newer_version
from ekstui.eks.knowledge import Knowledge, Symptom
from ekstui.iam.arn import split_arn
from ekstui.iam.evaluation import DENIALS, STRONGEST_FIRST, Evaluation, StatementResult, Verdict, exemption_of
from ekstui.iam.principals import is_assuming, is_unsigned
from ekstui.iam.reference import reference
from ekstui.iam.request import Request

ON_NODE_ROLE = "node-role-instead-of-own"
"""The symptom that a pod calls with the role of its node."""

TAGS_REFUSED = "auto-mode-tags"
"""The symptom that a policy refuses a launch for its tags."""

_RESOURCE_POLICIES = {
    "kms": "the key policy and grants of the KMS key",
    "s3": "the bucket policy",
    "ecr": "the repository policy",
    "sqs": "the queue policy",
    "sns": "the topic policy",
    "secretsmanager": "the resource policy of the secret",
    "lambda": "the resource policy of the function",
    "elasticfilesystem": "the file system policy",
    "sts": TRUST_UNSEEN,
    "eks-auth": TRUST_UNSEEN,
}


def explain(
    request: Request,
    policies: Policies,
    candidates: Sequence[CandidatePolicy],
    *,
    knowledge: Knowledge,
    denial: Denial | None = None,
    purpose: Purpose = UNKNOWN_PURPOSE,
    text: str = "",
) -> Explanation:
    """Return why `request` is denied, or that it is not.

    `policies` are the caller's. `candidates` are policies that may allow the action, including attached ones. `denial`
    is the message that the request came from; its reason decides whether a remedy can be offered. `purpose` is what the
    caller is for, and `text` the whole message, which may name a controller.
    """
    decision = deciding.decide(request, policies, denial)
    nearest = deciding.nearest_statements(decision.statements, decision.verdict, request.action)
    is_of_node = is_call_of_node(request.action, candidates, knowledge, purpose)
    of_pods = purpose.is_of_nodes and not is_of_node and decision.verdict != "allowed"
    controllers = controllers_calling(request.action, candidates, knowledge) if of_pods else ()
    has_remedy = (
        decision.verdict in ("implicit-deny", "depends")
        and not _is_open_elsewhere(decision)
        and not decision.is_decided_outside_identity_policies
        and not is_unsigned(request)
        # What a controller lacks because it has no role of its own, no pod on the node should get.
        and not controllers
        and not fixing.assumes_itself(request)
        and not (not request.resources and denial is not None and denial.is_resource_cut_off)
        # An action that nothing knows and that the message names once may be cut off.
        and (decision.cause is not None or _is_real(request.action, candidates))
    )
    explanation = Explanation(
        verdict=decision.verdict,
        action=request.action,
        resource=_resource(request, decision),
        resource_name=None if denial is None or request.resources else denial.resource_name,
        principal=request.principal,
        cause=decision.cause,
        nearest=nearest,
        missing_context=decision.missing,
        tag_keys_of_new_resource=decision.tag_keys_of_new_resource,
        not_looked_at=_not_looked_at(request, policies, decision),
        hints=knowledge.dependents(request.action),
        also_authorised_on=deciding.other_resource_types(request),
        used_by=policies.used_by,
        notes=(
            *_unknown_action(request.action),
            *deciding.notes_on_tags_of_new_resource(request, decision.tag_keys_of_new_resource),
            *notes_on_node_role(request, purpose, controllers, of_node=is_of_node),
            *deciding.notes_on_refused_tags(nearest),
            *_on_caller(request, is_helped=has_remedy),
            *deciding.notes_on_decision(request, policies, decision, denial),
        ),
        encoded=None if denial is None else denial.encoded,
        must_allow_too=(
            _resource_policy_needed(request) if decision.verdict == "allowed" and not policies.resource else None
        ),
        judged=decision.is_judged,
        layers=decision.layers,
        denied=denial is not None,
        symptoms=tuple(_symptoms(nearest, request, knowledge, is_misplaced=bool(controllers))),
    )
    in_force = {policy.arn for policy in policies.identity}
    case = fixing.FixCase(
        request=request,
        policies=policies,
        statements=decision.statements,
        offered=(),
        candidates=[candidate for candidate in candidates if candidate.policy.arn not in in_force],
        statement=None,
        component=next(iter(components_in(text)), None),
        text=text,
    )
    if has_remedy:
        return _with_remedies(explanation, case, decision.evaluation, candidates, purpose, of_pods=of_pods)
    may_be_misplaced = of_pods and not decision.is_decided_outside_identity_policies
    component = _calling(controllers, purpose, text) if may_be_misplaced else None
    return _with_next_steps(explanation, case, component, knowledge)


def _with_remedies(
    explanation: Explanation,
    case: fixing.FixCase,
    evaluation: Evaluation | None,
    candidates: Sequence[CandidatePolicy],
    purpose: Purpose,
    *,
    of_pods: bool,
) -> Explanation:
    """Return an explanation with what allows the request.

    `candidates` include the policies in force, since a newer version of one may help.
    """
    request = case.request
    offers, more_count = allowers(request, case.candidates, purpose)
    own_ranks = {allower.policy: index for index, allower in enumerate(offers) if allower.fit == "own"}
    # What the caller's policies allow under a condition, no statement with the same condition helps.
    is_open = explanation.verdict == "depends"
    models = [candidate for candidate in case.candidates if candidate.policy.name in own_ranks and not is_open]
    models.sort(key=lambda candidate: own_ranks[candidate.policy.name])
    statement = smallest_statement(request, evaluation, explanation.nearest, explanation.resource_name, models)
    case = case._replace(offered=offers, statement=statement)
    if (limit := fixing.limited_by(case)) is not None:
        note = f"An Allow in an identity policy is not enough: the {limit} does not allow it either."
        return explanation._replace(notes=(*explanation.notes, note), checks=tuple(fixing.checks_of_limit(case, limit)))
    fixes = fixing.fixes_of(case, of_pods=of_pods)
    return explanation._replace(
        allowed_by=offers,
        allowed_by_more=more_count,
        newer_version=newer_version(request, case.policies.identity, candidates),
        smallest_statement=fixing.shown_statement(statement, request),
        checks=fixing.checks_of(case, fixes, of_pods=of_pods),
        fixes=fixes,
    )


def _with_next_steps(
    explanation: Explanation, case: fixing.FixCase, component: str | None, knowledge: Knowledge
) -> Explanation:
    """Return an explanation with what to do where no remedy helps.

    `component` is what called with the role of its node, if anything did.
    """
    if component is not None:
        offers, _ = allowers(case.request, case.candidates, purpose_of_components((component,), knowledge))
        case = case._replace(offered=offers, component=component)
        fixes = fixing.role_for_pods(case)
        return explanation._replace(checks=fixing.checks_of(case, fixes, of_pods=True), fixes=fixes)
    if explanation.cause is not None and not explanation.cause.has_remedy:
        asked_of = filter(None, (whom_to_ask(explanation.cause, case.request),))
        return explanation._replace(
            notes=(*explanation.notes, *asked_of), checks=tuple(checks_of_owner(explanation.cause, case.request))
        )
    return (
        explanation._replace(checks=tuple(fixing.checks_of_trust(case.request)))
        if fixing.assumes_itself(case.request)
        else explanation
    )


def _calling(controllers: Sequence[str], purpose: Purpose, text: str) -> str | None:
    """Return the controller without a role of its own that called with its node's, if it is clear which."""
    named_controllers = [component for component in controllers if component in components_in(text)]
    likely_controllers = named_controllers or list(controllers)
    has_own = {role.component for role in purpose.own_roles}
    return likely_controllers[0] if len(likely_controllers) == 1 and likely_controllers[0] not in has_own else None


def _on_caller(request: Request, *, is_helped: bool) -> Iterator[str]:
    """Yield what it means who calls: that a role assumes itself and, if a remedy is offered, who has to give it."""
    if fixing.assumes_itself(request):
        yield (
            "The role assumes itself: the caller has its credentials already. Remove the setting that names it again "
            "(in cert-manager, `role` of the Route 53 solver), or allow the role in its own trust policy."
        )
    if not is_helped:
        return
    service, account = request.action.partition(":")[0].lower(), split_arn(request.principal or "").account
    for owner in fixing.other_account(request):
        policy_kind = _RESOURCE_POLICIES.get(service, "the resource's own policy")
        yield (
            f"The caller is in account {account}, the resource in account {owner}. Both must allow it: "
            f"{account} by an identity policy, {owner} by {policy_kind}."
        )
    if ":assumed-role/AWSReservedSSO_" in (request.principal or ""):
        yield "The role belongs to IAM Identity Center, which makes it from a permission set: change that."


def _unknown_action(action: str) -> tuple[str, ...]:
    """Return that the reference lacks an action, with the nearest names; empty if it has it."""
    if not action or reference().find(action) is not None:
        return ()
    nearest = nearest_actions(action)
    hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
    return (f"AWS's reference has no action {action}, so it is new or mistyped.{hint}",)


def _symptoms(
    nearest: Sequence[StatementResult], request: Request, knowledge: Knowledge, *, is_misplaced: bool
) -> Iterator[Symptom]:
    """Yield the known symptoms that the answer itself shows."""
    refusing_policies = {result.policy.name for result in nearest for failure in result.failed if refused_tags(failure)}
    for symptom in knowledge.symptoms:
        is_refused = refusing_policies.intersection(symptom.policies) and request.action in symptom.actions
        if (symptom.code == ON_NODE_ROLE and is_misplaced) or (symptom.code == TAGS_REFUSED and is_refused):
            yield symptom


def _is_real(action: str, candidates: Sequence[CandidatePolicy]) -> bool:
    """Return whether the reference has an action, or a policy names it."""
    if reference().find(action) is not None:
        return True
    return any(
        action.lower() == pattern.lower()
        for candidate in candidates
        for statement in candidate.document.statements
        for pattern in statement.actions
    )


def _is_open_elsewhere(decision: deciding.Decision) -> bool:
    """Return whether only a policy of the organization leaves the verdict open."""
    open_ones = {layer.layer for layer in decision.layers if layer.verdict != "allowed"}
    return (
        bool(open_ones)
        and open_ones <= {"service-control", "resource-control", "resource"}
        and decision.verdict == "depends"
    )


def _resource(request: Request, decision: deciding.Decision) -> str | None:
    if decision.evaluation is not None:
        return decision.evaluation.decisive.resource
    if request.resources:
        return request.resources[0]
    info = reference().find(request.action)
    return "*" if info is not None and not info.resource_types else None


def _resource_policy_needed(request: Request) -> str | None:
    """Return the policy of the resource that must allow a request too, beside the caller's own; None if it need not.

    A KMS key's always, a role's trust policy always, and others across accounts (IAM User Guide, "Cross-account policy
    evaluation logic").
    """
    service = request.action.partition(":")[0].lower()
    if is_unsigned(request) or exemption_of(request.action, request.principal) == "action":
        return None
    if service == "kms":
        return "the key policy or a grant of the KMS key"
    if is_assuming(request.action):
        return TRUST_UNSEEN
    accounts = {split_arn(arn).account for arn in (request.principal or "", *request.resources) if arn != "*"}
    context = {key.lower(): values for key, values in request.context.items()}
    accounts |= {*context.get("aws:resourceaccount", ()), *context.get("aws:principalaccount", ())}
    is_across = len({account for account in accounts if account.isdigit()}) > 1
    return f"{_RESOURCE_POLICIES.get(service, 'the policy of the resource')} in its account" if is_across else None


def _not_looked_at(request: Request, policies: Policies, decision: deciding.Decision) -> tuple[str, ...]:
    """Return what might have denied the request: only the identity policies if a message blames what these allow."""
    service = request.action.partition(":")[0].lower()
    of_resource = _RESOURCE_POLICIES.get(service, "resource policies")
    organization, without = policies.organization, policies.without
    of_account, of_resources = (
        () if levels or layer in without else (name,)
        for layer, levels, name in (
            ("service-control", organization.service_control, "service control policies"),
            ("resource-control", organization.resource_control, "resource control policies"),
        )
    )
    if policies.resource and not is_assuming(request.action):
        of_resource = "grants of the KMS key" if service == "kms" else ""
    other_layers = (*of_resources, "VPC endpoint policies", *filter(None, (of_resource,)))
    if is_unsigned(request):
        return other_layers
    exemption = exemption_of(request.action, request.principal)
    if exemption is not None:
        return (*of_account, *other_layers) if exemption == "root" else ()
    unread_policies = list(policies.unread)
    if not policies.identity_known:
        principal = request.principal or "the principal"
        unread_policies.append(
            f"other identity policies of {principal}" if policies.identity else f"the identity policies of {principal}"
        )
    if decision.verdict == "allowed" and decision.cause is not None and decision.cause.has_remedy:
        return tuple(unread_policies)
    if policies.boundary is None and not policies.boundary_known and "boundary" not in without:
        unread_policies.append("the permissions boundary")
    if not policies.session:
        unread_policies.append("session policies")
    return (*unread_policies, *of_account, *other_layers)


def explain_symptom(
    symptoms: Sequence[Symptom], policies: Policies, principal: str | None, knowledge: Knowledge
) -> Explanation:
    """Return what a text with symptoms means, for the first action behind it that the policies do not allow."""
    actions = tuple(dict.fromkeys(action for symptom in symptoms for action in symptom.actions))
    is_judged = bool(policies.identity) or policies.identity_known
    verdicts = {
        action: deciding.decide(Request(action, principal=principal), policies, None).verdict for action in actions
    }
    worst = min(actions, key=lambda action: STRONGEST_FIRST.index(verdicts[action]), default=None)
    explanation = explain(Request(worst or "", principal=principal), policies, (), knowledge=knowledge)
    # A remedy would allow only one of the actions.
    return explanation.without_remedies()._replace(
        action=worst,
        verdict=verdicts[worst] if worst is not None else "depends",
        symptoms=tuple(symptoms),
        nearest=explanation.nearest if is_judged else (),
        missing_context=(),
        not_looked_at=explanation.not_looked_at if is_judged else (),
        also_authorised_on=(),
        hints=(),
        notes=tuple(_reading_of(verdicts)) if is_judged else (),
    )


def _reading_of(verdicts: dict[str, Verdict]) -> Iterator[str]:
    lacking_actions = [action for action, verdict in verdicts.items() if verdict in DENIALS]
    open_ones = [action for action, verdict in verdicts.items() if verdict == "depends"]
    if lacking_actions:
        yield f"The policies looked at do not allow {', '.join(lacking_actions)}."
    if open_ones:
        yield f"Whether they allow {', '.join(open_ones)} depends on the resource and the conditions."
    if verdicts and not lacking_actions and not open_ones:
        yield "The policies looked at allow everything that is usually missing here."
