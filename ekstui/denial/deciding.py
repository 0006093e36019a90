"""What decides a request: the policies or the message, the statements that (nearly) match, and what to say about it.

EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation", and
kubernetes-sigs/aws-ebs-csi-driver#2190: the tags of a request that makes something are those of what is made, not the
tags of what exists already.
"""

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from operator import itemgetter
from os.path import commonprefix

from ekstui.denial.answer import Policies, layer_in_words, refused_tags, statement_in_words
from ekstui.denial.message import Cause, Denial
from ekstui.denial.parameters import made_by
from ekstui.iam.applicability import is_of_type, needs_its_key
from ekstui.iam.arn import is_uncertain, split_arn
from ekstui.iam.evaluation import (
    IDENTITY,
    NO_RESOURCE_POLICIES,
    RESOURCE,
    Evaluation,
    Exemption,
    Failure,
    LayerEvaluation,
    Organization,
    StatementResult,
    Verdict,
    evaluate,
    exemption_of,
    may_have_policies,
)
from ekstui.iam.grants import action_matches
from ekstui.iam.principals import UNSIGNED, is_assuming, is_unsigned
from ekstui.iam.reference import ResourceUse, reference, reference_day
from ekstui.iam.request import Request, context_of, is_service_linked
from ekstui.iam.resource_control import is_resource_controlled
from ekstui.named_tuples import NamedTuple

_MAX_OTHER_TYPES = 12
"""The most resource types of a call for which optional ones are named too; ec2:CreateTags has a hundred."""


class Decision(NamedTuple):
    """What decides a request, as far as that is known."""

    verdict: Verdict
    evaluation: Evaluation | None
    """None if no policies are known."""
    cause: Cause | None
    """The reason that a message gives."""
    missing: tuple[str, ...]
    """What would have to be known for a verdict."""
    tag_keys_of_new_resource: tuple[str, ...]
    """Keys about the tags of what the call makes, which say nothing about the resource that was denied."""
    layers: tuple[LayerEvaluation, ...] = ()
    """The verdict of each layer of policies, about the resource that decides."""

    @property
    def is_by_message(self) -> bool:
        """Whether the message decides: it names a reason that no identity policy can change."""
        return self.cause is not None and not self.cause.has_remedy

    @property
    def is_judged(self) -> bool:
        """Whether the policies decide, rather than the message."""
        return self.evaluation is not None and not self.is_by_message

    @property
    def is_decided_outside_identity_policies(self) -> bool:
        """Whether something else decides than an identity policy: the message's reason, or another layer."""
        is_limited = self.evaluation is not None and self.evaluation.decisive.decided_by not in (None, "identity")
        return self.is_by_message or is_limited

    @property
    def lacks_only_tags_of_new_resource(self) -> bool:
        """Whether only tags of something else are missing: then the message is right and nothing is left open."""
        return bool(self.tag_keys_of_new_resource) and set(self.missing) <= set(self.tag_keys_of_new_resource)

    @property
    def statements(self) -> list[StatementResult]:
        """The statements that may be the reason: those of the layer that decides, or that the message names."""
        if self.evaluation is None:
            return []
        cause = self.cause
        if cause is None or cause.has_remedy:
            decisive = self.evaluation.decisive
            return [result for result in decisive.statements if decisive.decided_by in (None, result.layer)]
        if cause.policy_type in ("trust", "vpc-endpoint", "public-access-block"):
            return []
        effect = "Deny" if cause.explicit else "Allow"
        return [
            result
            for entry in self.evaluation.resources
            for result in entry.statements
            if cause.policy_type in (None, result.layer) and result.statement.effect == effect
        ]


def decide(request: Request, policies: Policies, denial: Denial | None) -> Decision:
    """Return what decides a request: the reason that a message gives, or else the policies that are known."""
    evaluation = evaluated(request, policies)
    layers = () if evaluation is None else evaluation.decisive.layers
    return _decided(request, evaluation, denial)._replace(layers=layers)


def _decided(request: Request, evaluation: Evaluation | None, denial: Denial | None) -> Decision:
    if denial is None:
        verdict, missing = ("depends", ()) if evaluation is None else (evaluation.verdict, evaluation.missing)
        if not may_have_policies(request):
            missing = tuple(key for key in missing if key != IDENTITY)
        return Decision(verdict, evaluation, None, missing, ())
    cause = denial.cause
    is_by_message = cause is not None and not cause.has_remedy
    if evaluation is not None and evaluation.verdict == "depends" and IDENTITY in evaluation.missing:
        # What the organization's policies leave open, the message knows.
        evaluation = evaluation if is_by_message else None
    if evaluation is None or is_by_message:
        return Decision("implicit-deny" if cause is None else cause.verdict, evaluation, cause, (), ())
    verdict, missing = evaluation.verdict, evaluation.missing
    required_types = [use for use in other_resource_types(request) if use.required]
    is_exempt = exemption_of(request.action, request.principal) is not None
    if verdict == "allowed" and denial.resource is None and required_types and not is_exempt:
        # It was denied on a resource that is not known, of a type that the request does not have.
        verdict, missing = "depends", (RESOURCE,)
    tag_keys_of_new_resource = () if cause is None else _tags_of_another(request, evaluation)
    if verdict == "allowed" and tag_keys_of_new_resource and _is_allowed_by_request_tags_alone(evaluation):
        verdict = "depends"
    return Decision(verdict, evaluation, cause, missing, tag_keys_of_new_resource)


def evaluated(request: Request, policies: Policies) -> Evaluation | None:
    """Return the decision of the known policies; None if there are none and the request needs some."""
    is_exempt = exemption_of(request.action, request.principal) is not None
    is_unknown = not policies.identity and not policies.identity_known and not is_exempt
    organization = policies.organization
    if not may_have_policies(request):
        organization = organization._replace(service_control=())
    # Whether a role may be assumed, its trust policy decides, with rules of its own (`assuming.py`).
    of_resource = NO_RESOURCE_POLICIES if is_assuming(request.action) else policies.resource
    if is_unknown and not any(organization) and not of_resource:
        return None
    identity = None if is_unknown else policies.identity
    return evaluate(request, identity, policies.boundary, policies.session, reference(), organization, of_resource)


def other_resource_types(request: Request) -> tuple[ResourceUse, ...]:
    """Return the resource types of a call that no resource of the request has; of many, only the required ones."""
    info = reference().find(request.action)
    if info is None or len(info.resource_types) < 2:
        return ()
    service = info.name.partition(":")[0]
    optional_too = len(info.resource_types) <= _MAX_OTHER_TYPES
    return tuple(
        use
        for use in info.resource_types
        if (use.required or optional_too)
        and not any(is_of_type(resource, service, use.name) for resource in request.resources)
    )


MAX_NEAREST = 5
"""The most statements that are shown."""

MAX_WANTED = 5
"""The most values of a statement that are shown; the most similar ones are."""

_SIMILAR = 0.6
"""How similar a statement's pattern must be to an action that it does not match, from 0 to 1."""


def nearest_statements(
    results: Iterable[StatementResult], verdict: Verdict, action: str
) -> tuple[StatementResult, ...]:
    """Return the statements that decide or nearly do, best first.

    They match the action or, if none does, a similar one.
    """
    if verdict == "allowed":
        return tuple(_near(result, action) for result in _allowing(results)[:MAX_NEAREST])
    ranked_results = [(rank, result) for result in results if (rank := _rank(result, action)) is not None]
    ranked_results.sort(key=itemgetter(0))
    if ranked_results and ranked_results[0][0][0] < _OTHER_ACTION:
        ranked_results = [entry for entry in ranked_results if entry[0][0] < _OTHER_ACTION]
    return tuple(_near(result, action) for _, result in ranked_results[:MAX_NEAREST])


_DENIES, _MAY_DENY, _MAY_ALLOW, _FAILS, _OTHER_ACTION = range(5)


def _rank(result: StatementResult, action: str) -> tuple[int, ...] | None:
    if result.statement.effect == "Deny":
        return (_DENIES,) if result.matches else (_MAY_DENY,) if result.matches is None else None
    if result.matches:
        return None
    parts = [failure.part for failure in result.failed]
    if result.matches is None:
        return (_MAY_ALLOW, len(parts))
    if "action" not in parts:
        return (_FAILS, parts.count("resource"), len(parts))
    similar = max((_similarity(action, pattern) for pattern in result.statement.actions), default=0)
    if result.layer == "identity" and (similar < _SIMILAR or result.statement.action_element == "NotAction"):
        return None
    return (_OTHER_ACTION, len(parts), round(-100 * similar))


def _near(result: StatementResult, action: str) -> StatementResult:
    failures = tuple(_shortened(failure, action) for failure in result.failed)
    if result.matches and result.statement.effect == "Deny":
        failures = (Failure("effect", None, "Effect", ("Allow",), ("Deny",)),)
    return result._replace(failed=failures)


def _shortened(failure: Failure, action: str) -> Failure:
    if failure.part == "condition" or len(failure.wanted) <= MAX_WANTED:
        return failure
    actual = failure.actual[0] if failure.actual else action
    measure = _similarity if failure.part == "action" else _shared
    similar = sorted(failure.wanted, key=lambda entry: -measure(actual, entry))[:MAX_WANTED]
    return failure._replace(wanted=tuple(entry for entry in failure.wanted if entry in similar)[:MAX_WANTED])


def _similarity(action: str, pattern: str) -> float:
    """Return how similar an action and a pattern of the same service are, from 0 to 1."""
    service, _, name = action.lower().partition(":")
    named_service, _, name_pattern = pattern.lower().partition(":")
    if service != named_service:
        return 0
    matcher = SequenceMatcher(None, name_pattern.replace("*", ""), name, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _SIMILAR else matcher.real_quick_ratio() / 2


def _shared(name_a: str, name_b: str) -> int:
    """Return the length of the common prefix of two texts, ignoring case."""
    return len(commonprefix((name_a.lower(), name_b.lower())))  # noqa: RUF071 (texts, not paths)


def _tags_of_another(request: Request, evaluation: Evaluation) -> tuple[str, ...]:
    """Return the keys of request tags that would decide, or decided, where the tags are not those of the resource.

    Only a condition of an Allow that needs its key is lost without it: `StringNotEquals` and `…IfExists` hold.
    """
    if not _is_there_already(request, evaluation.decisive.resource):
        return ()
    deciding: set[str] = set()
    harmless: set[str] = set()
    for result in evaluation.decisive.statements:
        if not action_matches(result.statement, request.action):
            continue
        failed_keys = [failure.key or "" for failure in result.failed]
        if result.matches is not False or len(_of_request_tags(failed_keys)) == len(failed_keys):
            deciding.update(condition.key.lower() for condition in result.statement.conditions)
        harmless.update(
            condition.key.lower()
            for condition in result.statement.conditions
            if result.statement.effect == "Deny" or not needs_its_key(condition)
        )
    keys = _of_request_tags(dict.fromkeys((*evaluation.missing, *request.context)))
    return tuple(key for key in keys if key.lower() in deciding - harmless)


def _is_there_already(request: Request, resource: str | None) -> bool:
    """Return whether an EC2 call that makes something is denied on something else, which has its own identifier."""
    service, _, name = request.action.partition(":")
    if resource is None or service.lower() != "ec2" or name.lower() == "createtags" or not made_by(request.action):
        return False
    kind, _, identifier = split_arn(resource).resource.partition("/")
    return bool(identifier) and "*" not in identifier and kind not in made_by(request.action)


def _of_request_tags(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the condition keys that are about the tags of a request."""
    return tuple(key for key in keys if key.lower().startswith(("aws:requesttag/", "aws:tagkeys")))


def _is_allowed_by_request_tags_alone(evaluation: Evaluation) -> bool:
    """Return whether every statement that allows the decisive resource asks for tags of the request."""
    allowing = _allowing(evaluation.decisive.statements)
    return bool(allowing) and all(
        _of_request_tags(condition.key for condition in result.statement.conditions) for result in allowing
    )


def _allowing(results: Iterable[StatementResult]) -> list[StatementResult]:
    """Return the Allow statements that match."""
    return [result for result in results if result.matches and result.statement.effect == "Allow"]


TRUST_MUST_ALLOW = (
    "The trust policy of the role must allow this. So must the caller's own policies, unless the role is in the same "
    "account and its trust policy names the caller directly."
)
"""What an explanation says if the trust policy is not known."""


def notes_on_decision(request: Request, policies: Policies, decision: Decision, denial: Denial | None) -> Iterator[str]:
    """Yield what else to know about what decides a request."""
    evaluation = None if decision.lacks_only_tags_of_new_resource else decision.evaluation
    if denial is not None and denial.called is not None:
        yield f"The call was {denial.called}; it needs {denial.action} to be allowed."
    yield from _on_who_decides(decision, evaluation)
    exemption = exemption_of(request.action, request.principal)
    if exemption is not None:
        yield from _on_exemption(exemption, request, denied=denial is not None)
    elif evaluation is not None and denial is not None:
        yield from _against_the_message(evaluation, denial, policies, request)
    yield from _on_signing(request)
    yield from _on_organization(request, policies.organization)
    yield from policies.notes
    if evaluation is not None:
        yield from _on_uncertain_resources(evaluation)
    if request.action.lower() in ("sts:assumerole", "sts:tagsession") and decision.cause is None:
        yield TRUST_MUST_ALLOW
    if denial is not None and not request.resources:
        yield from _on_resource_name(request, denial, evaluation)


def _on_who_decides(decision: Decision, evaluation: Evaluation | None) -> Iterator[str]:
    """Yield that something else decides than an identity policy."""
    if decision.cause is not None and decision.is_by_message:
        yield cause_in_words(decision.cause)
        for layer in decision.layers:
            if decision.cause.explicit and layer.verdict == "explicit-deny" and layer.decided_by is not None:
                yield f"The {layer_in_words(layer)} has such a Deny: {statement_in_words(layer.decided_by)}."
    elif evaluation is not None and decision.is_decided_outside_identity_policies:
        decisive = evaluation.decisive
        layer = next(
            evaluated_layer
            for evaluated_layer in decisive.layers
            if (evaluated_layer.layer, evaluated_layer.verdict) == (decisive.decided_by, decisive.verdict)
        )
        verb = "denies" if evaluation.verdict == "explicit-deny" else "does not allow"
        yield f"The {layer_in_words(layer)} {verb} it: no identity policy changes that."


def _on_organization(request: Request, organization: Organization) -> Iterator[str]:
    """Yield whom and what the given policies of an organization do not restrict."""
    resource = next(iter(request.resources), None)
    is_linked = is_service_linked(request.principal, context_of(request, resource))
    if is_linked is None and any(organization):
        yield (
            "It is not known whether the caller is a service-linked role; no policy of an organization restricts those."
        )
    elif is_linked and any(organization):
        yield "The caller is a service-linked role: no policy of an organization restricts it."
        return
    if exemption_of(request.action, request.principal) == "action":
        return
    if organization.service_control and not may_have_policies(request):
        yield "Service control policies do not count here: they restrict users and roles of accounts."
    elif organization.service_control:
        for level in organization.service_control:
            statements = [statement for policy in level.policies for statement in policy.document.statements]
            if all(statement.effect == "Deny" for statement in statements):
                of_level = f" of {level.name}" if level.name else ""
                yield (
                    f"The service control policies{of_level} have no Allow, so they allow nothing. AWS attaches "
                    "FullAWSAccess to every level until somebody detaches it: give that file too."
                )
        yield "Service control policies restrict neither the management account nor service-linked roles."
    if organization.resource_control and is_resource_controlled(request.action):
        yield "Resource control policies do not restrict the resources of the management account."
    elif organization.resource_control and is_resource_controlled(request.action) is None:
        service = request.action.partition(":")[0]
        yield (
            f"Until {reference_day()}, AWS had not listed {service} among the services that resource control policies "
            "apply to, so a Deny of one is left open."
        )


def cause_in_words(cause: Cause) -> str:
    """Return the reason that the message gives, and that no identity policy helps."""
    if cause.is_one_of_several:
        return (
            f"The message leaves open whether no {cause.kind} allows it, one denies it, or the resource does not exist "
            "in the Region: an identity policy changes none of that."
        )
    if cause.explicit:
        policy = f" ({cause.policy})" if cause.policy else ""
        return f"The message names an explicit deny in {cause.one_policy}{policy}: no Allow elsewhere changes that."
    says = f"the {cause.kind} does not allow it" if cause.policy_type == "trust" else f"no {cause.kind} allows it"
    return f"The message says that {says}: an identity policy does not change that."


def _on_resource_name(request: Request, denial: Denial, evaluation: Evaluation | None) -> Iterator[str]:
    """Yield how a message without an ARN names the resource."""
    name = denial.resource_name
    if denial.is_resource_cut_off:
        yield (
            f"The ARN of the resource is cut off after {split_arn(name or '').resource}: for a fix, paste the message "
            "with all of it."
        )
    elif evaluation is not None and evaluation.decisive.resource is None:
        yield "The message names no resource." if name is None else "The message names the resource, but not its ARN."
    if name is not None and request.action.lower().startswith("secretsmanager:"):
        yield (
            "The ARN of a secret ends in a hyphen and six characters; in a policy, -?????? matches them and nothing "
            "else."
        )


def notes_on_tags_of_new_resource(request: Request, keys: Sequence[str]) -> Iterator[str]:
    """Yield that tags of a request are not those of the resource that was denied, where `keys` are about them."""
    if keys:
        new_type = " or ".join(made_by(request.action))
        yield (
            f"The tags of the request are those of the {new_type} that is made, not of the resource that the message "
            f"names: {', '.join(keys)} cannot allow it there."
        )


def notes_on_refused_tags(nearest: Sequence[StatementResult]) -> Iterator[str]:
    """Yield which tags of the request keep the nearest statement from allowing it."""
    for statement_result in nearest[:1]:
        for tags in filter(None, map(refused_tags, statement_result.failed)):
            yield (
                f"Refused for the tag {' and '.join(tags)}: {statement_in_words(statement_result)} allows no other tags than its "
                "own."
            )


def _against_the_message(evaluation: Evaluation, denial: Denial, policies: Policies, request: Request) -> Iterator[str]:
    """Yield how the known policies fit a message that says that the request was denied."""
    verdict, cause = evaluation.verdict, denial.cause
    if verdict == "depends" and cause is not None and cause.has_remedy:
        yield (
            "The message says that no identity policy allowed it. If these are all of them, a condition on something "
            "that is not given did not hold."
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
            "The message says that no identity policy allowed it, and the policies looked at do. So it is not a "
            "service control policy, boundary or session policy, which AWS would have named."
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
    allowing = _allowing(evaluation.decisive.statements)
    if allowing and all(result.statement.conditions for result in allowing):
        yield "the request had other tags or context than was given here, and a condition did not hold."
    if request.principal is None:
        yield "the call was made with the credentials of another role or user."
    elif ":assumed-role/" in request.principal:
        yield "the role was deleted and recreated, and the session is one of the old role: start a new session."
    if denial.cause is None:
        yield "a policy that was not looked at denied it."


def _on_exemption(exemption: Exemption, request: Request, *, denied: bool) -> Iterator[str]:
    """Yield why no identity policy takes part."""
    if exemption == "action":
        yield f"{request.action} needs no permission, and no Deny in an identity policy prevents it."
        if denied:
            yield (
                "So the call failed for another reason: look at the credentials, which may have expired or be "
                "malformed."
            )
        return
    yield "The root user may do everything that its account may: it has no policies, and needs none."
    if denied:
        yield (
            "So a service control policy, a resource control policy or the policy of the resource denied it, or the "
            "action is not one for the root user."
        )


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
    undecided_results = [result for result in evaluation.decisive.statements if result.matches is None]
    failures = [failure for result in undecided_results for failure in result.failed if failure.part == "resource"]
    uncertain = dict.fromkeys(pattern for failure in failures for pattern in failure.wanted if is_uncertain(pattern))
    if uncertain:
        yield (
            f"Whether {', '.join(uncertain)} matches is not certain: IAM's documentation allows two readings of an ARN "
            "with missing parts. Write all six parts to settle it."
        )
