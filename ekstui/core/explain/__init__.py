"""Why a request was denied: the statements that nearly allow it, what would allow it, and what was not evaluated."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ekstui.core.applicability import needs_its_key
from ekstui.core.denial import Cause, Denial
from ekstui.core.document import Statement
from ekstui.core.evaluation import (
    RESOURCE,
    Evaluation,
    Request,
    StatementResult,
    Verdict,
    action_matches,
    evaluate,
    is_of_type,
)
from ekstui.core.explain.answer import Allower as Allower
from ekstui.core.explain.answer import Candidate as Candidate
from ekstui.core.explain.answer import Explanation as Explanation
from ekstui.core.explain.answer import NearStatement as NearStatement
from ekstui.core.explain.answer import NewerVersion as NewerVersion
from ekstui.core.explain.answer import Policies as Policies
from ekstui.core.explain.answer import refused_tags
from ekstui.core.explain.assuming import TRUST_UNSEEN
from ekstui.core.explain.callers import is_unsigned
from ekstui.core.explain.notes import (
    notes_on,
    notes_on_foreign_tags,
    notes_on_node_role,
    notes_on_owner,
    notes_on_refused_tags,
    unknown_action,
)
from ekstui.core.explain.purpose import NODE_ROLES, UNKNOWN, Purpose, addons_of, policies_of
from ekstui.core.explain.question import Asked as Asked
from ekstui.core.explain.question import Question as Question
from ekstui.core.explain.question import asked as asked
from ekstui.core.explain.question import parse_context as parse_context
from ekstui.core.explain.remedies import (
    allowers,
    nearest_statements,
    newer_version,
    pattern_of_name,
    smallest_statement,
)
from ekstui.core.explain.request_tags import is_allowed_by_request_tags_alone, is_there_already, of_request_tags
from ekstui.core.knowledge import Knowledge, Symptom
from ekstui.core.reference import Reference, ResourceUse

_MAX_OTHER_TYPES = 12
"""The most resource types of a call for which optional ones are named too; ec2:CreateTags has a hundred."""

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
    candidates: Sequence[Candidate],
    *,
    denial: Denial | None = None,
    knowledge: Knowledge | None = None,
    reference: Reference | None = None,
    purpose: Purpose = UNKNOWN,
) -> Explanation:
    """Return why `request` is denied, or that it is not.

    `candidates` are AWS managed policies that may allow the action, including attached ones. `denial` is the message that
    the request came from; its reason decides whether a remedy can be offered. `purpose` is what the principal is for.
    """
    cause = None if denial is None else denial.cause
    name = None if denial is None or request.resources else denial.resource_name
    named = None if name is None else pattern_of_name(name, request, reference)
    evaluation = _evaluation(request, policies, reference)
    verdict = _verdict(evaluation, denial)
    also = _other_resource_types(request, reference)
    missing = evaluation.missing if evaluation is not None and not _is_decided(cause) else ()
    if verdict == "allowed" and denial is not None and denial.resource is None and any(use.required for use in also):
        # It was denied on a resource that is not known.
        verdict, missing = "depends", (RESOURCE,)
    foreign: tuple[str, ...] = ()
    if cause is not None and cause.has_remedy and evaluation is not None:
        foreign = _tags_of_another(request, evaluation)
        if verdict == "allowed" and foreign and is_allowed_by_request_tags_alone(evaluation):
            verdict = "depends"
    elsewhere = _is_decided(cause) or _is_limited(evaluation)
    remedies = _NO_REMEDIES
    of_node = _is_of_a_node(request, candidates, knowledge, purpose)
    misplaced: tuple[str, ...] = ()
    if knowledge is not None and purpose.is_of_nodes and not of_node and verdict != "allowed":
        misplaced = _controllers_calling(request, candidates, knowledge)
    # What a controller lacks because it has no role of its own, no pod on the node should get.
    is_helped = not elsewhere and not is_unsigned(request) and not misplaced
    # An action that nothing knows and that the message names once may be cut off: nothing is given for a part of a word.
    is_helped &= cause is not None or _is_real(request.action, candidates, reference)
    if verdict in ("implicit-deny", "depends") and is_helped:
        remedies = _remedies(request, policies, candidates, evaluation, reference, purpose, named)
    nearest = nearest_statements(_results(evaluation, cause), verdict, request.action)
    return Explanation(
        verdict=verdict,
        action=request.action,
        resource=_resource(request, evaluation, reference),
        resource_name=name,
        principal=request.principal,
        cause=cause,
        nearest=nearest,
        missing_context=missing,
        foreign_context=foreign,
        allowed_by=remedies.allowers,
        allowed_by_more=remedies.more,
        newer_version=remedies.newer,
        smallest_statement=_with_conditions_met(remedies.smallest, nearest, evaluation),
        not_looked_at=_not_looked_at(request, policies, cause if verdict == "allowed" else None),
        hints=() if knowledge is None else knowledge.dependents(request.action),
        also_authorised_on=also,
        used_by=policies.used_by,
        notes=(
            *unknown_action(request.action, reference),
            *notes_on_foreign_tags(request, foreign),
            *notes_on_node_role(request, purpose, misplaced, of_node=of_node),
            *notes_on_refused_tags(nearest),
            *notes_on_owner(request, is_helped=remedies.smallest is not None),
            # Where only tags of something else are missing, the message is right and nothing is left open.
            *notes_on(
                request,
                policies,
                None if foreign and set(missing) <= set(foreign) else evaluation,
                denial,
                elsewhere=elsewhere,
            ),
        ),
        encoded=None if denial is None else denial.encoded,
        judged=evaluation is not None and not _is_decided(cause),
        denied=denial is not None,
        symptoms=tuple(_symptoms(nearest, request, knowledge, is_misplaced=bool(misplaced))),
    )


def _symptoms(
    nearest: Sequence[NearStatement], request: Request, knowledge: Knowledge | None, *, is_misplaced: bool
) -> Iterator[Symptom]:
    """Yield the known symptoms that the answer itself shows."""
    if knowledge is None:
        return
    if is_misplaced:
        yield from knowledge.symptoms_called(ON_NODE_ROLE)
    refused = {each.policy for each in nearest for failure in each.failed if refused_tags(failure)}
    for symptom in knowledge.symptoms_called(TAGS_REFUSED):
        if refused.intersection(symptom.policies) and request.action in symptom.actions:
            yield symptom


def _tags_of_another(request: Request, evaluation: Evaluation) -> tuple[str, ...]:
    """Return the keys of request tags that would decide, or decided, where the tags are not those of the resource.

    Only a condition of an Allow that needs its key is lost without it: `StringNotEquals` and `…IfExists` hold.
    """
    if not is_there_already(request, evaluation.decisive.resource):
        return ()
    deciding: set[str] = set()
    harmless: set[str] = set()
    for result in evaluation.decisive.statements:
        if not action_matches(result.statement, request.action):
            continue
        failed = [failure.key or "" for failure in result.failed]
        if result.matches is not False or len(of_request_tags(failed)) == len(failed):
            deciding.update(condition.key.lower() for condition in result.statement.conditions)
        harmless.update(
            condition.key.lower()
            for condition in result.statement.conditions
            if result.statement.effect == "Deny" or not needs_its_key(condition)
        )
    keys = of_request_tags(dict.fromkeys((*evaluation.missing, *request.context)))
    return tuple(key for key in keys if key.lower() in deciding - harmless)


class _Remedies(NamedTuple):
    """What would allow the request."""

    allowers: tuple[Allower, ...] = ()
    more: int = 0
    newer: NewerVersion | None = None
    smallest: Statement | None = None


_NO_REMEDIES = _Remedies()


def _remedies(
    request: Request,
    policies: Policies,
    candidates: Sequence[Candidate],
    evaluation: Evaluation | None,
    reference: Reference | None,
    purpose: Purpose,
    named: str | None,
) -> _Remedies:
    in_force = {applied.arn for applied in policies.identity}
    others = [candidate for candidate in candidates if candidate.policy.arn not in in_force]
    return _Remedies(
        *allowers(request, others, reference, purpose),
        newer_version(request, policies.identity, candidates, reference),
        smallest_statement(request, evaluation, named),
    )


def _is_limited(evaluation: Evaluation | None) -> bool:
    """Return whether a boundary or a session policy decides, rather than the identity policies."""
    return evaluation is not None and evaluation.decisive.decided_by not in (None, "identity")


def _evaluation(request: Request, policies: Policies, reference: Reference | None) -> Evaluation | None:
    """Return the decision of the known policies; None if there are none."""
    if not policies.identity and not policies.identity_known:
        return None
    return evaluate(request, policies.identity, policies.boundary, policies.session, reference)


def _is_decided(cause: Cause | None) -> bool:
    """Return whether the message decides: it names a reason that no identity policy can change."""
    return cause is not None and not cause.has_remedy


def _verdict(evaluation: Evaluation | None, denial: Denial | None) -> Verdict:
    cause = None if denial is None else denial.cause
    if cause is not None and (evaluation is None or _is_decided(cause)):
        return "explicit-deny" if cause.explicit else "implicit-deny"
    if evaluation is not None:
        return evaluation.verdict
    return "depends" if denial is None else "implicit-deny"


def _with_conditions_met(
    statement: Statement | None, nearest: Sequence[NearStatement], evaluation: Evaluation | None
) -> Statement | None:
    """Return a remedy with the conditions that the request meets of the statement that refuses it for its tags.

    So it allows the tags, and no more than that statement otherwise.
    """
    if statement is None or evaluation is None or not nearest or not any(map(refused_tags, nearest[0].failed)):
        return statement
    near = nearest[0]
    for result in evaluation.decisive.statements:
        if (result.policy.name, result.index, result.layer) == (near.policy, near.index, near.layer):
            failed = {(each.operator, each.key) for each in result.failed}
            met = (each for each in result.statement.conditions if (each.operator, each.key) not in failed)
            return statement._replace(conditions=tuple(met))
    return statement


def _results(evaluation: Evaluation | None, cause: Cause | None) -> list[StatementResult]:
    """Return the statements that may be the reason: those of the layer that decides, or that the message names."""
    if evaluation is None:
        return []
    if cause is None or not _is_decided(cause):
        decisive = evaluation.decisive
        return [result for result in decisive.statements if decisive.decided_by in (None, result.layer)]
    if cause.policy_type not in ("identity", "boundary", "session", None):
        return []
    effect = "Deny" if cause.explicit else "Allow"
    return [
        result
        for entry in evaluation.resources
        for result in entry.statements
        if cause.policy_type in (None, result.layer) and result.statement.effect == effect
    ]


def _is_of_a_node(
    request: Request, candidates: Sequence[Candidate], knowledge: Knowledge | None, purpose: Purpose
) -> bool:
    """Return whether a policy that is meant for nodes allows the action, so that a node's own software calls it.

    A policy that nodes need only for what has a role of its own in all of their clusters does not count.
    """
    if knowledge is None:
        return False
    apart = {name for component in purpose.apart_everywhere for name in policies_of(component, knowledge)}
    return any(
        _allows(candidate, request.action)
        for candidate in candidates
        if (known := knowledge.policies.get(candidate.policy.name)) is not None
        and NODE_ROLES.intersection(known.attached_to)
        and candidate.policy.name not in apart
    )


def _is_real(action: str, candidates: Sequence[Candidate], reference: Reference | None) -> bool:
    """Return whether the reference has an action, or a policy names it."""
    if reference is None or reference.find(action) is not None:
        return True
    folded = action.lower()
    return any(
        folded == named.lower()
        for candidate in candidates
        for statement in candidate.documents[candidate.policy.default_version].statements
        for named in statement.actions
    )


def _controllers_calling(request: Request, candidates: Sequence[Candidate], knowledge: Knowledge) -> tuple[str, ...]:
    """Return the controllers and add-ons whose policies allow the action, and which may therefore have called it."""
    giving = {each.policy.name for each in candidates if _allows(each, request.action)}
    found = [each.policy.name.partition("/")[0] for each in candidates if each.published and each.policy.name in giving]
    for requirement in knowledge.requirements:
        if giving.intersection(requirement.policies):
            found += addons_of(requirement)
    return tuple(dict.fromkeys(found))


def _allows(candidate: Candidate, action: str) -> bool:
    return any(
        statement.effect == "Allow" and action_matches(statement, action)
        for statement in candidate.documents[candidate.policy.default_version].statements
    )


def _resource(request: Request, evaluation: Evaluation | None, reference: Reference | None) -> str | None:
    if evaluation is not None:
        return evaluation.decisive.resource
    if request.resources:
        return request.resources[0]
    info = None if reference is None else reference.find(request.action)
    return "*" if info is not None and not info.resource_types else None


def _not_looked_at(request: Request, policies: Policies, cause: Cause | None) -> tuple[str, ...]:
    """Return what might have denied the request; with a `cause` that names identity policies only those."""
    service = request.action.partition(":")[0].lower()
    of_resource = _RESOURCE_POLICIES.get(service, "resource policies")
    if is_unsigned(request):
        return "resource control policies", "VPC endpoint policies", of_resource
    missing = list(policies.unread)
    if not policies.identity_known:
        who = request.principal or "the principal"
        missing.append(f"other identity policies of {who}" if policies.identity else f"the identity policies of {who}")
    if cause is not None and cause.has_remedy:
        return tuple(missing)
    if policies.boundary is None and not policies.boundary_known:
        missing.append("the permissions boundary")
    if not policies.session:
        missing.append("session policies")
    missing += ["service control policies", "resource control policies", "VPC endpoint policies"]
    missing.append(of_resource)
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


_WORST_FIRST: tuple[Verdict, ...] = ("explicit-deny", "implicit-deny", "depends", "allowed")


def explain_symptom(
    symptoms: Sequence[Symptom], policies: Policies, principal: str | None, knowledge: Knowledge, reference: Reference
) -> Explanation:
    """Return what a text means, and which of the actions behind it the policies do not allow.

    There is at least one symptom. The explanation is about the first action that is not allowed.
    """
    actions = tuple(dict.fromkeys(action for symptom in symptoms for action in symptom.actions))
    judged = bool(policies.identity) or policies.identity_known
    verdicts: dict[str, Verdict] = dict.fromkeys(actions, "depends")
    if judged:
        for action in actions:
            request = Request(action, principal=principal)
            verdicts[action] = evaluate(
                request, policies.identity, policies.boundary, policies.session, reference
            ).verdict
    worst = min(actions, key=lambda action: _WORST_FIRST.index(verdicts[action]), default=None)
    found = explain(Request(worst or "", principal=principal), policies, (), knowledge=knowledge, reference=reference)
    return found._replace(
        action=worst,
        verdict=verdicts[worst] if worst is not None and judged else "depends",
        symptoms=tuple(symptoms),
        nearest=found.nearest if judged else (),
        # These would allow only one of the actions.
        allowed_by=(),
        allowed_by_more=0,
        smallest_statement=None,
        missing_context=(),
        not_looked_at=found.not_looked_at if judged else (),
        also_authorised_on=(),
        hints=(),
        notes=_reading_of(verdicts) if judged else (),
    )


def _reading_of(verdicts: dict[str, Verdict]) -> tuple[str, ...]:
    lacking = [action for action, verdict in verdicts.items() if verdict in ("implicit-deny", "explicit-deny")]
    open_ones = [action for action, verdict in verdicts.items() if verdict == "depends"]
    notes: list[str] = []
    if lacking:
        notes.append(f"The policies looked at do not allow {', '.join(lacking)}.")
    if open_ones:
        notes.append(f"Whether they allow {', '.join(open_ones)} depends on the resource and the conditions.")
    if verdicts and not lacking and not open_ones:
        notes.append("The policies looked at allow everything that is usually missing here.")
    return tuple(notes)
