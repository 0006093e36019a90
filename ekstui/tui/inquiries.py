"""What the user typed or pasted to have it explained, as an inquiry."""

import re
from contextlib import suppress
from dataclasses import dataclass, replace

from ekstui.core.account import AccountSnapshot
from ekstui.core.denial import parse_denial
from ekstui.core.explain import Explanation, Question, parse_context
from ekstui.core.reference import reference
from ekstui.core.where import Side, parse_policy
from ekstui.errors import EkstuiError, InputError
from ekstui.library import Library
from ekstui.library.explanation import Inquiry

_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128}")
_AGAINST = re.compile(r"\s*(role|policy):(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Explained:
    """An answer, and what was asked: IAM's own simulator can be asked the same."""

    inquiry: Inquiry
    explanation: Explanation


def inquiry_of(text: str) -> Inquiry:
    """Return what a text asks: `policy:NAME[@V]` or `role:NAME` first, then a pasted message or a request.

    A request is an action, then ARNs, `KEY=VALUE` and `absent:KEY` in any order. Raises InputError for other words.
    """
    policies: list[Side] = []
    principal: str | None = None
    while match := _AGAINST.match(text):
        kind, name = match.groups()
        if kind == "role":
            principal = name
        else:
            policies.append(parse_policy(name))
        text = text[match.end() :]
    words = text.split()
    is_request = bool(words) and _ACTION.fullmatch(words[0]) is not None
    question = _request(words) if is_request else Question(message=text.strip() or None)
    return Inquiry(question, tuple(policies), principal=principal)


def _request(words: list[str]) -> Question:
    resources = tuple(word for word in words[1:] if word == "*" or word.startswith("arn:"))
    absent = tuple(word.removeprefix("absent:") for word in words[1:] if word.startswith("absent:"))
    rest = [word for word in words[1:] if word not in resources and not word.startswith("absent:")]
    if unknown := [word for word in rest if "=" not in word]:
        raise InputError(
            f"{unknown[0]!r} is no part of a request.",
            "After the action come ARNs, KEY=VALUE and absent:KEY.",
        )
    return Question(action=words[0], resources=resources, context=parse_context(rest), absent=absent)


def explained(text: str, library: Library) -> Explained:
    """Return the answer; a pasted message is held against the role it names where the account's snapshot has that."""
    inquiry = inquiry_of(text)
    if inquiry.question.message is not None and not inquiry.principal and not inquiry.policies:
        principal = _principal_here(inquiry.question.message, library.account())
        if principal is not None:
            of_role = replace(inquiry, principal=principal)
            # A role that is gone, or of which too little was read: the message alone still says much.
            with suppress(EkstuiError):
                return Explained(of_role, library.explain(of_role))
    return Explained(inquiry, library.explain(inquiry))


def _principal_here(message: str, snapshot: AccountSnapshot | None) -> str | None:
    """Return the ARN of the message's principal, if it is one of the account that is shown."""
    principal = parse_denial(message, reference()).principal
    if snapshot is None or principal is None or principal.split(":", 5)[4:5] != [snapshot.identity.account]:
        return None
    return principal
