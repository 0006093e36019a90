"""Putting an explanation together."""

import re
from collections.abc import Sequence

from ekstui.core.denial import Denial
from ekstui.core.evaluation import AppliedPolicy, Evaluation, Request, StatementResult, Verdict, evaluate
from ekstui.core.evaluation.inference import is_of_type
from ekstui.core.explain.explanation import Candidate, Explanation, Policies
from ekstui.core.explain.nearest import nearest_statements
from ekstui.core.explain.remedies import allowers, newer_version, smallest_statement
from ekstui.core.knowledge import Knowledge
from ekstui.core.reference import Reference, ResourceUse

_MAX_OTHER_TYPES = 12
"""How many resource types a call may have for the optional ones to be named too; ec2:CreateTags has a hundred."""

_INSTANCE_SESSION = re.compile(r":assumed-role/[^/]+/i-[0-9a-f]{8,17}$")

_POLICY_WORDS = {
    "identity": "identity policy",
    "resource": "resource policy",
    "trust": "trust policy of the role",
    "boundary": "permissions boundary",
    "session": "session policy",
    "service-control": "service control policy",
    "resource-control": "resource control policy",
    "vpc-endpoint": "VPC endpoint policy",
}

_RESOURCE_POLICIES = {
    "kms": "the key policy and grants of the KMS key",
    "s3": "the bucket policy",
    "ecr": "the repository policy",
    "sqs": "the queue policy",
    "sns": "the topic policy",
    "secretsmanager": "the resource policy of the secret",
    "lambda": "the resource policy of the function",
    "elasticfilesystem": "the file system policy",
    "sts": "the trust policy of the role",
}


def explain(
    request: Request,
    policies: Policies,
    candidates: Sequence[Candidate],
    *,
    denial: Denial | None = None,
    knowledge: Knowledge | None = None,
    reference: Reference | None = None,
) -> Explanation:
    """Return why `request` is denied, or that it is not.

    `candidates` are AWS managed policies that may allow the action, those in force included. `denial` is the message
    that the request came from: what it names as the reason decides whether there is a remedy to offer.
    """
    cause = None if denial is None else denial.cause
    evaluation = _evaluation(request, policies, reference)
    verdict = _verdict(evaluation, denial)
    if evaluation is not None:
        decisive = evaluation.decisive
        results: Sequence[StatementResult] = [
            result for result in decisive.statements if decisive.decided_by in (None, result.layer)
        ]
    else:
        results = _results_of_scope(request, candidates, reference)
    denied_elsewhere = (cause is not None and not cause.has_remedy) or (
        evaluation is not None and evaluation.decisive.decided_by not in (None, "identity")
    )
    remedy = verdict in ("implicit-deny", "depends") and not denied_elsewhere
    in_force = {applied.arn for applied in policies.identity}
    others = [candidate for candidate in candidates if remedy and candidate.policy.arn not in in_force]
    offered, more = allowers(request, others, reference)
    return Explanation(
        verdict=verdict,
        action=request.action,
        resource=_resource(request, evaluation),
        principal=request.principal,
        cause=cause,
        nearest=nearest_statements(results, verdict, request.action),
        missing_context=evaluation.missing if evaluation is not None else (),
        allowed_by=offered,
        allowed_by_more=more,
        newer_version=newer_version(request, policies.identity, candidates, reference) if remedy else None,
        smallest_statement=smallest_statement(request, evaluation) if remedy else None,
        not_looked_at=_not_looked_at(request, policies),
        hints=() if knowledge is None else knowledge.dependents(request.action),
        also_authorised_on=_other_resource_types(request, reference),
        used_by=policies.used_by,
        notes=_notes(request, evaluation, denial, denied_elsewhere=denied_elsewhere),
        encoded=None if denial is None else denial.encoded,
    )


def _evaluation(request: Request, policies: Policies, reference: Reference | None) -> Evaluation | None:
    """Return the decision by the policies in force, or None where there are none to judge by."""
    if not policies.identity and not policies.identity_known:
        return None
    return evaluate(request, policies.identity, policies.boundary, policies.session, reference)


def _verdict(evaluation: Evaluation | None, denial: Denial | None) -> Verdict:
    if evaluation is not None:
        return evaluation.verdict
    if denial is None:
        return "depends"
    return "explicit-deny" if denial.cause is not None and denial.cause.explicit else "implicit-deny"


def _results_of_scope(
    request: Request, candidates: Sequence[Candidate], reference: Reference | None
) -> list[StatementResult]:
    """Return what became of the statements of the EKS scope, which stand in where the principal's are not known."""
    results: list[StatementResult] = []
    for candidate in candidates:
        if candidate.in_eks_scope:
            version = candidate.policy.default_version
            applied = AppliedPolicy(candidate.policy.name, version, candidate.documents[version], candidate.policy.arn)
            results.extend(evaluate(request, (applied,), reference=reference).decisive.statements)
    return results


def _resource(request: Request, evaluation: Evaluation | None) -> str | None:
    if evaluation is not None:
        return evaluation.decisive.resource
    return request.resources[0] if request.resources else None


def _not_looked_at(request: Request, policies: Policies) -> tuple[str, ...]:
    service = request.action.partition(":")[0].lower()
    missing = list(policies.unread)
    if not policies.identity_known:
        who = request.principal or "the principal"
        missing.append(f"other identity policies of {who}" if policies.identity else f"the identity policies of {who}")
    if policies.boundary is None and not policies.boundary_known:
        missing.append("the permissions boundary")
    if not policies.session:
        missing.append("session policies")
    missing += ["service control policies", "resource control policies", "VPC endpoint policies"]
    missing.append(_RESOURCE_POLICIES.get(service, "resource policies"))
    return tuple(missing)


def _other_resource_types(request: Request, reference: Reference | None) -> tuple[ResourceUse, ...]:
    info = None if reference is None else reference.find(request.action)
    if info is None or reference is None or len(info.resource_types) < 2:
        return ()
    service = info.name.partition(":")[0]
    optional_too = len(info.resource_types) <= _MAX_OTHER_TYPES
    return tuple(
        use
        for use in info.resource_types
        if (use.required or optional_too)
        and not any(is_of_type(resource, service, use.name, reference) for resource in request.resources)
    )


def _notes(
    request: Request,
    evaluation: Evaluation | None,
    denial: Denial | None,
    *,
    denied_elsewhere: bool,
) -> tuple[str, ...]:
    notes: list[str] = []
    cause = None if denial is None else denial.cause
    if denial is not None and denial.called is not None:
        notes.append(f"The call was {denial.called}; what must be allowed for it is {denial.action}.")
    if cause is not None and not cause.has_remedy:
        notes.append(_cause_note(cause.explicit, cause.policy_type, cause.policy))
    elif denied_elsewhere and evaluation is not None:
        layer = "permissions boundary" if evaluation.decisive.decided_by == "boundary" else "session policy"
        notes.append(f"The {layer} does not allow it: no identity policy changes that.")
    if evaluation is not None and evaluation.verdict == "allowed" and denial is not None:
        notes.append(
            "The policies looked at allow it, so something else denied it: a policy that was not looked at, "
            "a request with other tags or context, or credentials of another role."
            if cause is None or cause.policy_type == "identity"
            else "The policies looked at allow it, which agrees with the message: something else denied it."
        )
    if evaluation is not None and evaluation.verdict == "depends" and cause is not None and cause.has_remedy:
        notes.append(
            "The message says that no identity policy allowed it, so some condition that is not told did not hold."
        )
    if request.principal is not None and _INSTANCE_SESSION.search(request.principal):
        notes.append(
            "The session is named after an EC2 instance: the call was made with the node role, so a pod or add-on that "
            "should have a role of its own did not get it."
        )
    if request.action.lower() in ("sts:assumerole", "sts:tagsession") and cause is None:
        notes.append("Two policies must allow this: the caller's own, and the trust policy of the role.")
    if denial is not None and not request.resources and evaluation is not None and evaluation.decisive.resource is None:
        notes.append("The message names no resource.")
    if denial is not None and denial.principal is not None and evaluation is None:
        notes.append("Name the role to see which of its statements came nearest.")
    return tuple(notes)


def _cause_note(explicit: bool, policy_type: str | None, policy: str | None) -> str:
    words = _POLICY_WORDS.get(policy_type or "", "policy")
    named = f" ({policy})" if policy else ""
    if explicit:
        return f"The message names an explicit deny in a {words}{named}: no Allow elsewhere changes that."
    return f"The message says that no {words} allows it: an identity policy does not change that."
