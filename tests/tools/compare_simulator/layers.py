"""Requests under every layer, made from a seed: policies of identities, resources and organizations, boundaries, sessions."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ekstui.iam.document import parse
from ekstui.iam.evaluation import AppliedPolicy, Evaluation, Organization, PolicyLevel, evaluate
from ekstui.iam.request import Request

ACCOUNT, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{ACCOUNT}:user/jo"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one"

TARGETS = (
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:{}:jobs"), ("kms:Decrypt", "arn:aws:kms:eu-west-1:{}:key/1"),
    ("s3:GetObject", "arn:aws:s3:::logs/a"), ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:{}:secret:a"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:{}:table/t"), ("sns:Publish", "arn:aws:sns:eu-west-1:{}:t"),
)  # fmt: skip
"""Actions, and the resource of each in an account; the last is of a service that resource control policies leave alone."""

CONTEXT: Mapping[str, Sequence[str]] = {
    "aws:SecureTransport": ("true", "false"),
    "aws:SourceVpce": ("vpce-1", "vpce-2"),
}


@dataclass(frozen=True, slots=True)
class LayeredCase:
    """One request and the policies of each layer, as JSON."""

    id: int
    principal: str
    action: str
    resource: str
    account: str
    """The resource's."""
    context: Mapping[str, str]
    """Complete: a key that is not here is absent."""
    identity: Sequence[Any]
    boundary: Any
    session: Any
    resource_policy: Any
    scps: Sequence[Sequence[Any]]
    """By level."""
    rcps: Sequence[Sequence[Any]]

    @property
    def is_across(self) -> bool:
        """Whether another account owns the resource."""
        return self.account != ACCOUNT


def layered_cases(count: int, seed: int) -> Iterator[LayeredCase]:
    """Yield `count` cases."""
    chance = random.Random(seed)
    for number in range(count):
        action, form = chance.choice(TARGETS)
        account = chance.choice((ACCOUNT, ACCOUNT, OTHER))
        principal = chance.choice((SESSION, SESSION, USER))
        allows, mixed_chances = (0.75, 0.8), (0.8, 0.9)
        yield LayeredCase(
            number, principal, action, form.format(account), account,
            {key: chance.choice(values) for key, values in CONTEXT.items() if chance.random() < 0.7},
            [_document(chance, action, *allows) for _ in range(chance.choice((1, 1, 2)))],
            _document(chance, action, *allows) if chance.random() < 0.35 else None,
            _document(chance, action, *allows) if principal == SESSION and chance.random() < 0.2 else None,
            _document(chance, action, *allows, named=True) if chance.random() < 0.65 else None,
            [[_document(chance, action, *mixed_chances) for _ in range(chance.choice((1, 2)))] for _ in range(chance.choice((0, 0, 1, 2)))],
            [[_deny(chance, action)] for _ in range(chance.choice((0, 0, 1)))],
        )  # fmt: skip


def _document(chance: random.Random, action: str, fit_chance: float, allow: float, *, named: bool = False) -> Any:
    service = action.partition(":")[0]

    def statement() -> dict[str, Any]:
        action_pattern = chance.choice((action, f"{service}:*", "*" if not named else f"{service}:*"))
        part: dict[str, Any] = {
            "Effect": "Allow" if chance.random() < allow else "Deny",
            "Action": action_pattern
            if chance.random() < fit_chance
            else f"{service}:Tag*"
            if chance.random() < 0.5
            else "ec2:*",
            "Resource": "*",
        }
        if named:
            part["Principal"] = chance.choice(
                (
                    "*",
                    *({"AWS": principal} for principal in (SESSION, ROLE, USER, f"arn:aws:iam::{ACCOUNT}:root", OTHER)),
                )
            )
        if chance.random() < 0.3:
            part["Condition"] = _condition(chance)
        return part

    return {"Version": "2012-10-17", "Statement": [statement() for _ in range(chance.choice((1, 1, 2)))]}


def _deny(chance: random.Random, action: str) -> Any:
    service = action.partition(":")[0]
    statement = {
        "Effect": "Deny", "Principal": "*", "Resource": "*", "Action": chance.choice((f"{service}:*", f"{service}:Tag*")),
        "Condition": _condition(chance),
    }  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [statement]}


def _condition(chance: random.Random) -> Any:
    key = chance.choice([*CONTEXT])
    operator = (
        chance.choice(("Bool", "BoolIfExists"))
        if key == "aws:SecureTransport"
        else chance.choice(("StringEquals", "StringNotEquals", "StringEqualsIfExists"))
    )
    return {operator: {key: chance.choice(CONTEXT[key])}}


def evaluated(case: LayeredCase) -> Evaluation:
    """Return ekstui's decision."""
    context = {key: (value,) for key, value in case.context.items()}
    context |= {
        "aws:PrincipalArn": (ROLE if case.principal == SESSION else USER,),
        "aws:ResourceAccount": (case.account,),
    }
    request = Request(case.action, (case.resource,), case.principal, context, frozenset(CONTEXT) - set(case.context))
    return evaluate(
        request,
        [_applied("identity", document) for document in case.identity],
        None if case.boundary is None else _applied("boundary", case.boundary),
        [] if case.session is None else [_applied("session", case.session)],
        organization=Organization(_levels(case.scps), _levels(case.rcps)),
        # A resource that has no policy is known not to have one, as iam-simulate takes it.
        resource_policies={None: _applied("resource", case.resource_policy or {"Statement": []})},
    )


def _applied(name: str, value: Any) -> AppliedPolicy:
    return AppliedPolicy(name, None, parse(value))


def _levels(levels: Sequence[Sequence[Any]]) -> tuple[PolicyLevel, ...]:
    return tuple(
        PolicyLevel(str(number), tuple(_applied("policy", document) for document in level))
        for number, level in enumerate(levels)
    )


def layered_line(case: LayeredCase) -> str:
    """Return a case as simulate.mjs reads it; the package adds RCPFullAWSAccess to every level."""
    value = {
        "id": case.id, "principal": case.principal, "account": case.account, "action": case.action,
        "resource": case.resource, "context": dict(case.context), "identity": case.identity, "boundary": case.boundary,
        "session": case.session, "resourcePolicy": case.resource_policy, "scps": case.scps,
        "rcps": case.rcps,
    }  # fmt: skip
    return json.dumps(value)


def layered_kind(case: LayeredCase, ours: str, theirs: str) -> str:
    """Return the class of a difference, by what README.md decides it by."""
    if case.rcps and case.action.startswith("sns:"):
        return "resource control policy on a service that AWS does not list"
    principals = [statement.get("Principal") for statement in (case.resource_policy or {"Statement": []})["Statement"]]
    is_direct = any(principal == "*" or principal == {"AWS": SESSION} for principal in principals)
    if not case.is_across and case.session is not None and is_direct and (ours, theirs) == ("allowed", "implicit-deny"):
        return "session that is named, or anybody, under a session policy that does not allow it"
    return f"{ours} / {theirs}{' across accounts' if case.is_across else ''}"
