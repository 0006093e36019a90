"""How a trust or resource policy changes who may do something.

Each principal becomes a condition of its own on an identity policy, which the one comparison of documents judges.
Source: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from ekstui.change.comparison import Change
from ekstui.change.holes import changes_around, plainly
from ekstui.iam.document import Condition, Document, Principal, Statement

_TAG = "aws:PrincipalTag/principal "
"""The condition that stands for a principal: a key that every action has, so that it is either met or not."""

_CLAIM_TAG = "aws:PrincipalTag/claim "
"""The beginning of the key that stands for a token's claim: one that is known to be plain text."""

_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?([^:*]+)(?::root)?")
_IN_ACCOUNT = re.compile(r"arn:[^:]*:(?:iam|sts)::([^:*]+):.+")

TrustWords: TypeAlias = Callable[[Document, str], Sequence[str]]
"""What puts a trust policy in words, a sentence for each principal, as seen from an account."""

_TOKEN_KEY = re.compile(r".+[./].+:(?:sub|aud|amr|oaud|iss|azp|email)", re.IGNORECASE)
"""A claim of an identity provider's token, which is plain text."""


def principal_changes(before: Document, after: Document, trust_words: TrustWords) -> Change:
    """Return what differs between two trust or resource policies, and whether more or fewer requests are allowed."""
    change = changes_around(_as_identity(before), _as_identity(after))
    if change.kind == "none":
        return change
    gains, losses = _who(before, after, trust_words), _who(after, before, trust_words)
    parts = [*([f"added: {' '.join(gains)}"] if gains else []), *([f"removed: {' '.join(losses)}"] if losses else [])]
    reach = "cannot tell whether wider" if change.reach == "unknown" else change.reach
    words = f"{reach}: {'; '.join(parts)}" if parts else _in_words(change.verdict)
    return change._replace(verdict=plainly(words), notes=tuple(map(_in_words, change.notes)))


def _who(before: Document, after: Document, trust_words: TrustWords) -> list[str]:
    """Return who may assume a role by the second trust policy and not by the first, in sentences."""
    if any(statement.resource_element for document in (before, after) for statement in document.statements):
        return []
    old_sentences = set(trust_words(before, "")) if before.statements else set()
    return [
        sentence for sentence in (trust_words(after, "") if after.statements else ()) if sentence not in old_sentences
    ]


def _in_words(text: str) -> str:
    return re.sub(rf"(?:the condition |conditions on )?{re.escape(_TAG)}", "principal ", text).replace(_CLAIM_TAG, "")


def _as_identity(document: Document) -> Document:
    return document._replace(statements=tuple(part for statement in document.statements for part in _parts(statement)))


def _parts(statement: Statement) -> Iterator[Statement]:
    """Yield a statement for each of its principals, with the principal as a condition."""
    base = statement._replace(
        resource_element=statement.resource_element or "Resource",
        resources=statement.resources or ("*",),
        conditions=tuple(map(_comparable, statement.conditions)),
        principal_element=None,
        principals=(),
    )
    pairs = [(principal, value) for principal in statement.principals for value in principal.values]
    if statement.principal_element == "NotPrincipal":
        exclusions = tuple(_condition(_name(*rule), negated=True) for rule in pairs)
        yield base._replace(conditions=(*base.conditions, *exclusions))
        return
    for principal, value in pairs:
        conditions = () if value == "*" else tuple(map(_condition, _names(principal, value)))
        yield base._replace(conditions=(*base.conditions, *conditions))
    if statement.principal_element is None:
        yield base


def _condition(name: str, *, negated: bool = False) -> Condition:
    return Condition("StringNotEquals" if negated else "StringEquals", f"{_TAG}{name}", ("yes",))


def _names(principal: Principal, value: str) -> Iterator[str]:
    """Yield the principal, and the account that it is in: whoever trusts an account trusts all of it."""
    if principal.kind == "AWS" and (account := _IN_ACCOUNT.fullmatch(value)) and not value.endswith(":root"):
        yield f"account {account[1]}"
    yield _name(principal, value)


def _name(principal: Principal, value: str) -> str:
    if principal.kind == "AWS" and (account := _ACCOUNT.fullmatch(value)):
        return f"account {account[1]}"
    return f"{'' if principal.kind == 'AWS' else f'{principal.kind} '}{value}"


def _comparable(condition: Condition) -> Condition:
    """Return a condition on a token's claim as one on a key that is known to be plain text."""
    claim = _TOKEN_KEY.fullmatch(condition.key)
    return condition._replace(key=f"{_CLAIM_TAG}{condition.key}") if claim else condition
