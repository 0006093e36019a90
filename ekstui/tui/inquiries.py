"""What the user typed or pasted to have it explained, as an inquiry."""

import re
from dataclasses import dataclass

from ekstui.core.explain import Explanation, Question, parse_context
from ekstui.core.where import Side, parse_policy
from ekstui.errors import InputError
from ekstui.library import Library
from ekstui.library.explaining import Inquiry, explain_all

_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128}")
_AGAINST = re.compile(r"\s*(role|policy):(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Explained:
    """The answers, and what was asked: IAM's own simulator can be asked the same."""

    inquiry: Inquiry
    explanations: tuple[Explanation, ...]
    """One or more; several where the message has several denials."""

    @property
    def action(self) -> str:
        """The action of the first answer, empty where it has none."""
        return self.explanations[0].action or ""


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
    """Return the answers; a pasted message is held against the role it names where the account's snapshot has that."""
    inquiry = inquiry_of(text)
    found = explain_all(library, inquiry)
    return Explained(inquiry._replace(principal=inquiry.principal or found[0].role), found)
