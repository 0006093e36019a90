"""What is to be explained: the request that a user describes, or those that a pasted text says were denied."""

import re
from collections.abc import Iterable, Mapping

from ekstui.denial.forbidden import Forbidden
from ekstui.denial.message import Denial
from ekstui.denial.parsing import Refusal, parse_denial, refusals_in, refusals_of_line
from ekstui.eks.trust import SERVICE_ACCOUNT_NAME
from ekstui.errors import Advice, InputError
from ekstui.iam.arn import entity_of, kind_of_resource, split_arn
from ekstui.iam.conditions.known_keys import is_condition_key, similar_keys
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from ekstui.named_tuples import NamedTuple

_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?")
"""A service or a Kubernetes service account, which have no ARN."""
_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128}")


class Question(NamedTuple):
    """A request as the user gave it; given values override those of a message."""

    message: str | None = None
    """A pasted denial."""
    action: str | None = None
    resources: tuple[str, ...] = ()
    """ARNs, or `*`."""
    principal: str | None = None
    context: Mapping[str, tuple[str, ...]] = {}
    absent: tuple[str, ...] = ()
    """Keys that the request lacks; `aws:RequestTag/*` stands for every key of that form."""
    repeats: Mapping[str, int] = {}
    """How many further lines of a long log are like a line of the message, by that line."""


class DeniedRequest(NamedTuple):
    """A request to explain, and the denial if it came from a message."""

    request: Request
    denial: Denial | None
    text: str = ""
    """The part of the message that is about it."""
    times: int = 1
    """How often the message has it."""
    variants: tuple[Request, ...] = ()
    """The requests of its repeats: the same role, action and kind of resource."""
    ambiguous: tuple[str, ...] = ()
    """The actions that it may be about, if the message does not tell which."""


class ForbiddenRequest(NamedTuple):
    """A request that Kubernetes forbade, and how often a message has it."""

    forbidden: Forbidden
    times: int


def refused_requests(question: Question) -> tuple[DeniedRequest | ForbiddenRequest, ...]:
    """Return the requests to explain: one, or those of a message, in order, once; InputError if malformed."""
    _check(question)
    if question.message is None:
        return (_denied_request(question, None),)
    refusals = refusals_in(question.message)
    if question.action is None and not question.resources:
        groups = merged_refusals(refusals)
        _count_repeats(groups, question.repeats)
        return tuple(_of_group(question, group) for group in groups)
    # A correction applies to one denial: the one with that action, or else the most complete one.
    action = (question.action or "").lower()
    denials = [refusal.what for refusal in refusals if isinstance(refusal.what, Denial)]
    match = next((denial for denial in denials if denial.action.lower() == action), None)
    return (_denied_request(question, match or parse_denial(question.message)),)


def denied_requests(question: Question) -> tuple[DeniedRequest, ...]:
    """Return the requests that IAM decides, of those to explain; raises InputError as `refused_requests` does."""
    return tuple(request for request in refused_requests(question) if isinstance(request, DeniedRequest))


def _of_group(question: Question, group: "RepeatedRefusal") -> DeniedRequest | ForbiddenRequest:
    refusal, times = group.refusal, len(group.variants) + group.left_out
    if isinstance(refusal.what, Forbidden):
        return ForbiddenRequest(refusal.what, times)
    denials = [variant.what for variant in group.variants if isinstance(variant.what, Denial)]
    one = _denied_request(question, refusal.what)
    requests = (_denied_request(question, denial).request for denial in denials) if len(denials) > 1 else ()
    # A less complete repeat, such as an event about the error, is no request of its own.
    variants = tuple(request for request in requests if len(request.resources) == len(one.request.resources))
    return one._replace(text=refusal.text, times=times, variants=variants, ambiguous=refusal.ambiguous)


def _check(question: Question) -> None:
    if question.message is None and question.action is None:
        raise InputError(
            "there is nothing to explain.",
            Advice("Paste a message, or give --action.", "Paste a message, or type an action."),
        )
    if question.action is not None and not _ACTION.fullmatch(question.action):
        raise InputError(f"{question.action!r} is not an action.", "An action has the form ec2:CreateVolume.")
    for resource in question.resources:
        check_arn(resource)
    principal = question.principal
    if principal is not None and not (_SERVICE.fullmatch(principal) or SERVICE_ACCOUNT_NAME.fullmatch(principal)):
        check_arn(principal)
    for key in question.context:
        _check_key(key)
    for key in question.absent:
        _check_key(key.removesuffix("*") + "x" if key.endswith("/*") else key)
    absent_keys = {key.lower() for key in question.absent}
    if conflict := next((key for key in question.context if key.lower() in absent_keys), None):
        raise InputError(f"{conflict} is given both as absent and with a value.")


def _denied_request(question: Question, denial: Denial | None) -> DeniedRequest:
    stated_denial = Denial("") if denial is None else denial
    action = question.action or stated_denial.action
    info = reference().find(action)
    resources = (
        (stated_denial.resource,)
        if stated_denial.resource is not None and is_arn_or_star(stated_denial.resource)
        else stated_denial.parameter_resources
    )
    keys = {key.lower() for key in (*question.context, *question.absent)}
    context = {key: values for key, values in stated_denial.context.items() if key.lower() not in keys}
    request = Request(
        action=info.name if info is not None else action,
        resources=question.resources or resources,
        principal=question.principal or stated_denial.principal,
        context={**context, **question.context},
        absent=frozenset(question.absent) | stated_denial.absent,
    )
    return DeniedRequest(request, denial)


def parse_context(entries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the context from `KEY=VALUE` entries; a key given twice has both values."""
    context: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise InputError(
                f"{entry!r} is not KEY=VALUE.",
                Advice(
                    "Write --context aws:RequestedRegion=eu-west-1.",
                    "Write behind the action aws:RequestedRegion=eu-west-1.",
                ),
            )
        context[key] = (*context.get(key, ()), value)
    return context


def is_arn_or_star(text: str) -> bool:
    """Return whether a text is an ARN or `*`."""
    parts = text.split(":", 5)
    # A short ARN ends in `*`, which stands for the missing parts.
    is_whole = len(parts) == 6 or (len(parts) >= 4 and parts[-1] == "*")
    return text == "*" or (is_whole and parts[0] == "arn" and all((parts[1], parts[2], parts[-1])))


def check_arn(text: str) -> None:
    """Raise InputError if a text is neither an ARN nor `*`."""
    if not is_arn_or_star(text):
        raise InputError(
            f"{text!r} is not an ARN.", "An ARN has the form arn:aws:ec2:eu-west-1:111122223333:volume/vol-1."
        )


def _check_key(key: str) -> None:
    if is_condition_key(key):
        return
    similar = similar_keys(key)
    raise InputError(
        f"{key!r} is not a known condition key.",
        f"Nearest: {', '.join(similar)}." if similar else "Keys have the form aws:RequestedRegion or ec2:Region.",
    )


_Facts = tuple[str, tuple[object, ...]]
"""The action, and what else makes a difference; None for what a refusal does not say."""


class RepeatedRefusal:
    """Refusals that say the same, but for sessions, names of resources and times."""

    def __init__(self, refusal: Refusal, facts: _Facts) -> None:
        self.refusal = refusal
        """The one that says most; of equals, the first."""
        self.facts = facts
        """Those of that one."""
        self.variants: list[Refusal] = []
        """All of them that the text has."""
        self.left_out = 0
        """How many more a long log has, in lines that repeat those of the text."""


def merged_refusals(refusals: Iterable[Refusal]) -> list[RepeatedRefusal]:
    """Return refusals in the order of a text, those that say the same together."""
    groups: list[RepeatedRefusal] = []
    by_action: dict[str, list[RepeatedRefusal]] = {}
    for refusal in refusals:
        facts = _facts(refusal)
        alike = by_action.setdefault(facts[0], [])
        group = next((group for group in alike if _includes(group.facts, facts) or _includes(facts, group.facts)), None)
        if group is None:
            group = RepeatedRefusal(refusal, facts)
            groups.append(group)
            alike.append(group)
        group.variants.append(refusal)
        if facts != group.facts and _includes(facts, group.facts):
            group.refusal, group.facts = refusal, facts
    return groups


def _count_repeats(groups: Iterable[RepeatedRefusal], repeats: Mapping[str, int]) -> None:
    """Count the denials in the lines of a long log that were left out, since they repeat lines of its text.

    A part of an error that is no denial in the text, since another line says more, is none in the lines either.
    """
    by_facts = {_facts(refusal): group for group in groups for refusal in group.variants}
    for line, times in repeats.items():
        for refusal in refusals_of_line(line):
            if (group := by_facts.get(_facts(refusal))) is not None:
                group.left_out += times


def _includes(fuller: _Facts, sparser: _Facts) -> bool:
    return all(
        less_value is None or less_value == more_value
        for less_value, more_value in zip(sparser[1], fuller[1], strict=True)
    )


def _facts(refusal: Refusal) -> _Facts:
    request = refusal.what
    if isinstance(request, Forbidden):
        subject = request.subject._replace(username="", session=None) if request.subject.name else request.subject
        return str(request.request), (subject, request.request.namespace, request.grants)
    if not request.action:
        return "", (request.encoded or "", refusal.ambiguous)
    resource = request.resource or next(iter(request.parameter_resources), None)
    account = None if resource is None else split_arn(resource).account
    kind = kind_of_resource(resource)
    return request.action.lower(), (
        _actor(request.principal),
        kind,
        account,
        request.cause,
        request.called,
        request.resource_name,
    )


def _actor(principal: str | None) -> str | None:
    """Return a principal without the session of a role."""
    entity = entity_of(principal)
    if principal is None or entity.kind != "session" or entity.session is None:
        return principal
    return principal.removesuffix(f"/{entity.session}")
