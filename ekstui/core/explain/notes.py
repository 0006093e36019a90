"""What an explanation says in further sentences: why policies and message disagree, who called, what is uncertain."""

from collections.abc import Iterator, Sequence

from ekstui.core.arn import is_uncertain
from ekstui.core.denial import Denial
from ekstui.core.evaluation import Evaluation, Request
from ekstui.core.explain.answer import Policies, cause_in_words
from ekstui.core.explain.assuming import TRUST_MUST_ALLOW
from ekstui.core.explain.callers import UNSIGNED, is_instance_session, is_unsigned
from ekstui.core.explain.purpose import Purpose
from ekstui.core.holders import nearest_actions
from ekstui.core.reference import Reference


def unknown_action(action: str, reference: Reference | None) -> tuple[str, ...]:
    """Return that the reference lacks an action, with the nearest names; empty if it has it."""
    if not action or reference is None or reference.find(action) is not None:
        return ()
    nearest = nearest_actions(action)
    meant = f" Nearest: {', '.join(nearest)}." if nearest else ""
    return (f"AWS's reference has no action {action}, so it is new or mistyped.{meant}",)


def notes_on(
    request: Request, policies: Policies, evaluation: Evaluation | None, denial: Denial | None, *, elsewhere: bool
) -> Iterator[str]:
    """Yield what else to know about a request; `elsewhere` tells that no identity policy decides it."""
    cause = None if denial is None else denial.cause
    if denial is not None and denial.called is not None:
        yield f"The call was {denial.called}; it needs {denial.action} to be allowed."
    if cause is not None and not cause.has_remedy:
        yield cause_in_words(cause)
    elif elsewhere and evaluation is not None:
        layer = "permissions boundary" if evaluation.decisive.decided_by == "boundary" else "session policy"
        verb = "denies" if evaluation.verdict == "explicit-deny" else "does not allow"
        yield f"The {layer} {verb} it: no identity policy changes that."
    if evaluation is not None and denial is not None:
        yield from _against_the_message(evaluation, denial, policies, request)
    yield from _on_signing(request)
    if evaluation is not None:
        yield from _on_uncertain_resources(evaluation)
    if request.action.lower() in ("sts:assumerole", "sts:tagsession") and cause is None:
        yield TRUST_MUST_ALLOW
    if denial is not None and not request.resources and evaluation is not None and evaluation.decisive.resource is None:
        name = denial.resource_name
        yield "The message names no resource." if name is None else "The message names the resource, but not its ARN."
    if denial is not None and denial.resource_name is not None and not request.resources:
        yield from _on_secrets(request)


def _on_secrets(request: Request) -> Iterator[str]:
    if request.action.lower().startswith("secretsmanager:"):
        yield "The ARN of a secret ends in a hyphen and six characters; in a policy, -?????? matches them and nothing else."


def notes_on_node_role(request: Request, purpose: Purpose, misplaced: Sequence[str], *, of_node: bool) -> Iterator[str]:
    """Yield who may have made a call with a node role; `misplaced` are controllers that make such calls."""
    of_instance = is_instance_session(request.principal)
    if not of_instance and not purpose.is_of_nodes:
        return
    by = "The session is named after an EC2 instance, so the call was made" if of_instance else "The call was made"
    text = f"{by} with the node role."
    if of_node:
        if of_instance:
            yield text
        return
    if not misplaced:
        yield f"{text} If a pod made it, the pod has no role of its own."
        return
    expected = [each for each in purpose.apart if each.component in misplaced]
    callers = " or ".join(dict.fromkeys(each.component for each in expected) or misplaced)
    roles = "; ".join(f"{each.role} in {each.cluster}, by {each.by}" for each in expected)
    yield f"{text} {callers} makes such calls; if it made this one, it did not get its own role{f': {roles}' if roles else ''}."
    yield (
        "The node role is not the place to allow it: all pods on its nodes could do it too. A pod keeps the credentials "
        "that it started with: check its service account, then restart it."
    )


def _against_the_message(evaluation: Evaluation, denial: Denial, policies: Policies, request: Request) -> Iterator[str]:
    """Yield how the known policies fit a message that says that the request was denied."""
    verdict, cause = evaluation.verdict, denial.cause
    if verdict == "depends" and cause is not None and cause.has_remedy:
        yield (
            "The message says that no identity policy allowed it. If these are all of them, a condition on something that "
            "is not given did not hold."
        )
    if verdict != "allowed":
        return
    if cause is not None and cause.policy_type != "identity":
        yield "The policies looked at allow it, which agrees with the message: something else denied it."
        return
    if cause is not None and cause.explicit:
        yield "The message names a Deny in an identity policy, and the policies looked at have none that applies."
    elif cause is not None:
        yield (
            "The message says that no identity policy allowed it, and the policies looked at do. So it is not a service "
            "control policy, boundary or session policy, which AWS would have named."
        )
    else:
        yield "The policies looked at allow it, and the message does not say what denied it."
    for number, likely in enumerate(_likely(evaluation, denial, policies, request)):
        yield f"{'Or' if number else 'Most likely'} {likely}"


def _likely(evaluation: Evaluation, denial: Denial, policies: Policies, request: Request) -> Iterator[str]:
    """Yield why a request that today's policies allow may have been denied, likeliest first."""
    if not policies.identity_known:
        yield "one of them is not attached to the caller, or in another version."
    yield (
        "they were attached or changed after the denial, or had not taken effect yet: IAM changes take a while "
        "to take effect. Try again."
    )
    allowing = [each for each in evaluation.decisive.statements if each.matches and each.statement.effect == "Allow"]
    if allowing and all(each.statement.conditions for each in allowing):
        yield "the request had other tags or context than was given here, and a condition did not hold."
    if request.principal is None:
        yield "the call was made with the credentials of another role or user."
    elif ":assumed-role/" in request.principal:
        yield "the role was deleted and recreated, and the session is one of the old role: start a new session."
    if denial.cause is None:
        yield "a policy that was not looked at denied it."


def _on_signing(request: Request) -> Iterator[str]:
    if request.action.lower() in UNSIGNED:
        yield (
            "The caller has no IAM identity yet, so no identity policy counts: the trust policy of the role decides. "
            "Name the role, or give its trust policy, to see why."
        )
    elif is_unsigned(request):
        yield "Nobody signed the request, so no identity policy counts: only a resource policy can allow it."


def _on_uncertain_resources(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.verdict != "depends":
        return
    undecided = [result for result in evaluation.decisive.statements if result.matches is None]
    failures = [failure for result in undecided for failure in result.failed if failure.part == "resource"]
    uncertain = dict.fromkeys(each for failure in failures for each in failure.wanted if is_uncertain(each))
    if uncertain:
        yield (
            f"Whether {', '.join(uncertain)} matches is not certain: IAM's documentation allows two readings of an ARN "
            "with missing parts. Write all six parts to settle it."
        )
