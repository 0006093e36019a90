"""What decides a request: the policies or the message, the statements that do or nearly do, and tags that cannot.

EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation", and kubernetes-sigs/aws-ebs-csi-driver#2190:
the tags of a request that makes something are those of what is made, and no key for what is there already.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

from ekstui.core.applicability import needs_its_key
from ekstui.core.arn import split_arn
from ekstui.core.denial import Cause, Denial
from ekstui.core.denial.parameters import made_by
from ekstui.core.evaluation import (
    RESOURCE,
    Evaluation,
    Failure,
    Request,
    StatementResult,
    Verdict,
    action_matches,
    evaluate,
    is_of_type,
)
from ekstui.core.explain.answer import NearStatement, Policies
from ekstui.core.reference import Reference, ResourceUse

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
    foreign: tuple[str, ...]
    """Keys about the tags of what the call makes, which say nothing about the resource that was denied."""

    @property
    def is_by_message(self) -> bool:
        """Whether the message decides: it names a reason that no identity policy can change."""
        return self.cause is not None and not self.cause.has_remedy

    @property
    def is_judged(self) -> bool:
        """Whether the policies decide, rather than the message."""
        return self.evaluation is not None and not self.is_by_message

    @property
    def is_elsewhere(self) -> bool:
        """Whether something else decides than an identity policy: the message's reason, a boundary or a session policy."""
        limited = self.evaluation is not None and self.evaluation.decisive.decided_by not in (None, "identity")
        return self.is_by_message or limited

    @property
    def lacks_only_foreign_tags(self) -> bool:
        """Whether only tags of something else are missing: then the message is right and nothing is left open."""
        return bool(self.foreign) and set(self.missing) <= set(self.foreign)

    @property
    def statements(self) -> list[StatementResult]:
        """The statements that may be the reason: those of the layer that decides, or that the message names."""
        if self.evaluation is None:
            return []
        cause = self.cause
        if cause is None or cause.has_remedy:
            decisive = self.evaluation.decisive
            return [result for result in decisive.statements if decisive.decided_by in (None, result.layer)]
        if cause.policy_type not in ("identity", "boundary", "session", None):
            return []
        effect = "Deny" if cause.explicit else "Allow"
        return [
            result
            for entry in self.evaluation.resources
            for result in entry.statements
            if cause.policy_type in (None, result.layer) and result.statement.effect == effect
        ]


def decide(request: Request, policies: Policies, denial: Denial | None, reference: Reference) -> Decision:
    """Return what decides a request: the reason that a message gives, or else the policies that are known."""
    cause = None if denial is None else denial.cause
    evaluation = evaluated(request, policies, reference)
    if evaluation is None or (cause is not None and not cause.has_remedy):
        said: Verdict = "depends" if denial is None else "implicit-deny"
        return Decision(said if cause is None else cause.verdict, evaluation, cause, (), ())
    verdict, missing = evaluation.verdict, evaluation.missing
    if verdict == "allowed" and denial is not None and denial.resource is None and _needs_more(request, reference):
        # It was denied on a resource that is not known.
        verdict, missing = "depends", (RESOURCE,)
    foreign = () if cause is None else _tags_of_another(request, evaluation)
    if verdict == "allowed" and foreign and _is_allowed_by_request_tags_alone(evaluation):
        verdict = "depends"
    return Decision(verdict, evaluation, cause, missing, foreign)


def _needs_more(request: Request, reference: Reference) -> bool:
    """Return whether such a call needs a resource of a type that the request does not have."""
    return any(use.required for use in other_resource_types(request, reference))


def evaluated(request: Request, policies: Policies, reference: Reference) -> Evaluation | None:
    """Return the decision of the known policies; None if there are none."""
    if not policies.identity and not policies.identity_known:
        return None
    return evaluate(request, policies.identity, policies.boundary, policies.session, reference)


def other_resource_types(request: Request, reference: Reference) -> tuple[ResourceUse, ...]:
    """Return the resource types of a call that none of the request's resources has; of many types only the required ones."""
    info = reference.find(request.action)
    if info is None or len(info.resource_types) < 2:
        return ()
    service = info.name.partition(":")[0]
    optional_too = len(info.resource_types) <= _MAX_OTHER_TYPES
    return tuple(
        use
        for use in info.resource_types
        if (use.required or optional_too)
        and not any(is_of_type(resource, service, use.name, reference) for resource in request.resources)
    )


MAX_NEAREST = 5
"""The most statements that are shown."""

MAX_WANTED = 5
"""The most values of a statement that are shown; the most similar ones are."""

_SIMILAR = 0.6
"""How similar a statement's pattern must be to an action that it does not match, from 0 to 1."""


def nearest_statements(results: Iterable[StatementResult], verdict: Verdict, action: str) -> tuple[NearStatement, ...]:
    """Return the statements that decide or nearly decide, best first.

    If any statement matches the action, only such statements count; otherwise those with similar actions of the same
    service.
    """
    if verdict == "allowed":
        chosen = [result for result in results if result.matches and result.statement.effect == "Allow"]
        return tuple(_near(result, action) for result in chosen[:MAX_NEAREST])
    ranked: list[tuple[tuple[int, ...], int, StatementResult]] = []
    for place, result in enumerate(results):
        rank = _rank(result, action)
        if rank is not None:
            ranked.append((rank, place, result))
    ranked.sort(key=lambda entry: entry[:2])
    if ranked and ranked[0][0][0] < _OTHER_ACTION:
        ranked = [entry for entry in ranked if entry[0][0] < _OTHER_ACTION]
    return tuple(_near(result, action) for _, _, result in ranked[:MAX_NEAREST])


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


def _near(result: StatementResult, action: str) -> NearStatement:
    failed = tuple(_shortened(failure, action) for failure in result.failed)
    if result.matches and result.statement.effect == "Deny":
        failed = (Failure("effect", None, "Effect", ("Allow",), ("Deny",)),)
    return NearStatement(
        layer=result.layer,
        policy=result.policy.name,
        version=result.policy.version,
        sid=result.statement.sid,
        index=result.index,
        effect=result.statement.effect,
        matches=result.matches,
        failed=failed,
    )


def _shortened(failure: Failure, action: str) -> Failure:
    if failure.part == "condition" or len(failure.wanted) <= MAX_WANTED:
        return failure
    given = failure.given[0] if failure.given else action
    measure = _similarity if failure.part == "action" else _shared
    similar = sorted(failure.wanted, key=lambda entry: -measure(given, entry))[:MAX_WANTED]
    return failure._replace(wanted=tuple(entry for entry in failure.wanted if entry in similar)[:MAX_WANTED])


def _similarity(action: str, pattern: str) -> float:
    """Return how similar an action and a pattern of the same service are, from 0 to 1."""
    service, _, name = action.lower().partition(":")
    other, _, rest = pattern.lower().partition(":")
    if service != other:
        return 0
    matcher = SequenceMatcher(None, rest.replace("*", ""), name, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= _SIMILAR else matcher.real_quick_ratio() / 2


def _shared(one: str, other: str) -> float:
    """Return the length of the common prefix of two texts, ignoring case."""
    pairs = zip(one.lower(), other.lower(), strict=False)
    return next((count for count, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


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
        failed = [failure.key or "" for failure in result.failed]
        if result.matches is not False or len(_of_request_tags(failed)) == len(failed):
            deciding.update(condition.key.lower() for condition in result.statement.conditions)
        harmless.update(
            condition.key.lower()
            for condition in result.statement.conditions
            if result.statement.effect == "Deny" or not needs_its_key(condition)
        )
    keys = _of_request_tags(dict.fromkeys((*evaluation.missing, *request.context)))
    return tuple(key for key in keys if key.lower() in deciding - harmless)


def _is_there_already(request: Request, resource: str | None) -> bool:
    """Return whether a call of EC2 that makes something is denied on something else, which has an identifier of its own."""
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
    allowing = [
        result.statement
        for result in evaluation.decisive.statements
        if result.matches and result.statement.effect == "Allow"
    ]
    return bool(allowing) and all(
        _of_request_tags(condition.key for condition in statement.conditions) for statement in allowing
    )
