"""What a user asks about: a pasted message, a request, or a message with corrections."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ekstui.core.conditions.known_keys import is_condition_key, similar_keys
from ekstui.core.denial import Denial, parse_denial, parse_denials
from ekstui.core.evaluation import Request
from ekstui.core.reference import Reference
from ekstui.errors import InputError

_PRINCIPAL = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?|system:serviceaccount:[^:]+:[^:]+")
"""A service or a Kubernetes service account, which have no ARN."""
_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128}")


@dataclass(frozen=True, slots=True)
class Question:
    """A request as the user gave it; given values override those of a message."""

    message: str | None = None
    """A pasted denial."""
    action: str | None = None
    resources: tuple[str, ...] = ()
    """ARNs, or `*`."""
    principal: str | None = None
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    """Keys that the request lacks; `aws:RequestTag/*` stands for every key of that form."""


class Asked(NamedTuple):
    """A request to explain, and the denial if it came from a message."""

    request: Request
    denial: Denial | None


def asked(question: Question, reference: Reference) -> tuple[Asked, ...]:
    """Return the requests to explain: one, or one for each denial in a message.

    Raises InputError for a message that is not a denial, a malformed action or ARN, or an unknown condition key.
    """
    _check(question)
    if question.message is None:
        return (_asked(question, None, reference),)
    denials = parse_denials(question.message, reference)
    # A correction applies to one denial: the one with that action, or else the most complete one.
    if question.action is not None or question.resources:
        wanted = (question.action or "").lower()
        named = next((denial for denial in denials if denial.action.lower() == wanted), None)
        denials = (named or parse_denial(question.message, reference),)
    return tuple(_asked(question, denial, reference) for denial in denials)


def _check(question: Question) -> None:
    if question.message is None and question.action is None:
        raise InputError("there is nothing to explain.", "Paste a message, or give --action.")
    if question.action is not None and not _ACTION.fullmatch(question.action):
        raise InputError(f"{question.action!r} is not an action.", "An action has the form ec2:CreateVolume.")
    for resource in question.resources:
        check_arn(resource)
    if question.principal is not None and not _PRINCIPAL.fullmatch(question.principal):
        check_arn(question.principal)
    for key in question.context:
        _check_key(key)
    for key in question.absent:
        _check_key(key.removesuffix("*") + "x" if key.endswith("/*") else key)
    _check_disjoint(question.context, question.absent)


def _asked(question: Question, denial: Denial | None, reference: Reference) -> Asked:
    action = question.action or (denial.action if denial is not None else "")
    info = reference.find(action)
    if denial is None:
        return Asked(
            Request(
                action=info.name if info is not None else action,
                resources=question.resources,
                principal=question.principal,
                context=question.context,
                absent=frozenset(question.absent),
            ),
            None,
        )
    named = (
        (denial.resource,) if denial.resource is not None and is_arn(denial.resource) else denial.parameter_resources
    )
    gone = {key.lower() for key in question.absent}
    context = {key: values for key, values in denial.context.items() if key.lower() not in gone}
    request = Request(
        action=info.name if info is not None else action,
        resources=question.resources or named,
        principal=question.principal or denial.principal,
        context=_merged(context, question.context),
        absent=frozenset(question.absent) | denial.absent,
    )
    return Asked(request, denial)


def parse_context(entries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the context from `KEY=VALUE` entries; a key given twice has both values."""
    context: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise InputError(f"{entry!r} is not KEY=VALUE.", "Write --context aws:RequestedRegion=eu-west-1.")
        context[key] = (*context.get(key, ()), value)
    return context


def is_arn(text: str) -> bool:
    """Return whether a text is an ARN or `*`."""
    parts = text.split(":", 5)
    # A short ARN ends in `*`, which stands for the missing parts.
    whole = len(parts) == 6 or (len(parts) >= 4 and parts[-1] == "*")
    return text == "*" or (whole and parts[0] == "arn" and all((parts[1], parts[2], parts[-1])))


def check_arn(text: str) -> None:
    """Raise InputError if a text is neither an ARN nor `*`."""
    if not is_arn(text):
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


def _check_disjoint(context: Mapping[str, tuple[str, ...]], absent: tuple[str, ...]) -> None:
    gone = {key.lower() for key in absent}
    for key in context:
        if key.lower() in gone:
            raise InputError(f"{key} is given both as absent and with a value.")


def _merged(first: Mapping[str, tuple[str, ...]], second: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    given = {key.lower() for key in second}
    return {**{key: values for key, values in first.items() if key.lower() not in given}, **second}
