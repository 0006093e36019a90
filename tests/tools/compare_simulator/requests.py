"""Requests over real AWS managed policies, made from a seed: some that fit a statement, some that nearly do."""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ekstui.iam.document import Document, Statement, parse_text
from ekstui.iam.reference import ActionInfo, Reference, reference
from ekstui.sources.corpus import Corpus

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
REGION = "eu-west-1"

_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")
_VARIABLE = re.compile(r"\$\{([^{},]+)(?:,[^{}]*)?\}")

ALWAYS: Mapping[str, tuple[str, ...]] = {
    "aws:PrincipalArn": (ROLE,),
    "aws:PrincipalAccount": (ACCOUNT,),
    "aws:ResourceAccount": (ACCOUNT,),
    "aws:PrincipalType": ("AssumedRole",),
    "aws:PrincipalIsAWSService": ("false",),
}
"""The context that follows from the request itself; both sides are told."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request, and the policies it is held against."""

    id: int
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    """Complete: a key that is not here is absent."""
    identity: tuple[str, ...]
    """Labels, `NAME@v3`."""
    boundary: str | None


def library_of_documents(corpus: Corpus) -> tuple[dict[str, bytes], int]:
    """Return the texts of all documents by label, the EKS family first, and how many are the family's."""
    texts: dict[str, bytes] = {}
    family = {policy.name for policy in corpus.policies("eks")}
    count = 0
    for history in corpus.histories():
        for number, text in history.texts.items():
            texts[f"{history.policy.name}@v{number}"] = text
        if history.policy.name in family:
            count = len(texts)
    return texts, count


def cases(texts: Mapping[str, bytes], family: int, count: int, seed: int) -> Iterator[Case]:
    """Yield `count` cases; half are about the EKS family's policies, the rest about any."""
    chance = random.Random(seed)
    labels = list(texts)
    service_reference = reference()
    case_count = 0
    while case_count < count:
        chosen_statements = [
            chance.choice(labels[:family] if chance.random() < 0.5 else labels)
            for _ in range(chance.choice((1, 1, 2, 3)))
        ]
        boundary = chance.choice(labels) if chance.random() < 0.15 else None
        document = parse_text(texts[chosen_statements[0]])
        if boundary is not None and chance.random() < 0.5:
            document = parse_text(texts[boundary])
        statement = chance.choice(document.statements)
        action = _action(statement, service_reference, chance)
        if action is None:
            continue
        resource = _resource(statement, action, service_reference, chance)
        documents = [parse_text(texts[label]) for label in (*chosen_statements, *((boundary,) if boundary else ()))]
        yield Case(
            case_count,
            action.name,
            resource,
            _context(documents, statement, chance),
            tuple(chosen_statements),
            boundary,
        )
        case_count += 1


def _action(statement: Statement, service_reference: Reference, chance: random.Random) -> ActionInfo | None:
    pattern = chance.choice(statement.actions)
    names = service_reference.expand(pattern)
    if not names:
        return None
    name = chance.choice(names)
    if statement.action_element == "NotAction" or chance.random() < 0.2:
        service = name.partition(":")[0]
        name = chance.choice(service_reference.expand(f"{service}:*"))
    return service_reference.find(name)


def _resource(statement: Statement, action: ActionInfo, service_reference: Reference, chance: random.Random) -> str:
    """Return `*` for an action without resources, else an ARN: of the statement's pattern, or of the action's types."""
    if not action.resource_types:
        return "*"
    service = action.name.partition(":")[0]
    if statement.resources and chance.random() < 0.6:
        pattern = chance.choice(statement.resources)
        if pattern.count(":") >= 5:
            arn = _filled(pattern, chance)
            if "${" not in arn:
                return arn
    kind = service_reference.resource_type(service, chance.choice(action.resource_types).name)
    if kind is None or not kind.arn_formats:
        return "*"
    form = chance.choice(kind.arn_formats)
    values = {"Partition": "aws", "Region": REGION, "Account": ACCOUNT}
    return _PLACEHOLDER.sub(lambda match: values.get(match[0][2:-1], _word(chance)), form)


def _filled(pattern: str, chance: random.Random) -> str:
    """Return a concrete ARN that an ARN pattern may match."""
    parts = pattern.split(":", 5)
    parts[1] = "aws" if "*" in parts[1] else parts[1]
    parts[3] = REGION if parts[3] == "*" else parts[3]
    parts[4] = ACCOUNT if "*" in parts[4] or "$" in parts[4] else parts[4]
    text = ":".join(parts)
    text = _VARIABLE.sub(lambda match: ALWAYS.get(match[1], ("prod",))[0], text)
    return "".join({"*": _word(chance), "?": "a"}.get(character, character) for character in text)


def _word(chance: random.Random) -> str:
    return chance.choice(("prod", "a1b2c3", "eks-prod", "x"))


def _context(
    documents: Sequence[Document], likely_statement: Statement, chance: random.Random
) -> dict[str, tuple[str, ...]]:
    """Return values for keys of the documents' conditions: some that fit, some that do not, some keys left out."""
    context = dict(ALWAYS)
    names = {key.lower() for key in context}
    for document in documents:
        for statement in document.statements:
            for condition in statement.conditions:
                if condition.key.lower() in names:
                    continue
                names.add(condition.key.lower())
                leave_out = 0.15 if statement is likely_statement or statement == likely_statement else 0.5
                if chance.random() < leave_out:
                    continue
                # A tag has one value, whatever the operator.
                may_have_several = condition.operator.startswith("For") and "tag/" not in condition.key.lower()
                several = may_have_several and chance.random() < 0.6
                values = [_value(condition.values, chance) for _ in range(2 if several else 1)]
                context[condition.key] = tuple(dict.fromkeys(values))
            for value in (*statement.resources, *(value for line in statement.conditions for value in line.values)):
                for key in _VARIABLE.findall(value):
                    if key.lower() not in names and key not in ("*", "?", "$"):
                        names.add(key.lower())
                        if chance.random() < 0.7:
                            context[key] = ("prod",)
    return context


def _value(policy_values: Sequence[str], chance: random.Random) -> str:
    if not policy_values or chance.random() < 0.25:
        return chance.choice(("other", "true", "false", "prod", ""))
    text = _VARIABLE.sub(lambda match: ALWAYS.get(match[1], ("prod",))[0], chance.choice(policy_values))
    return text.replace("*", _word(chance)).replace("?", "a")


def as_line(case: Case, texts: Mapping[str, bytes]) -> str:
    """Return a case as simulate.mjs reads it."""
    value: dict[str, Any] = {
        "id": case.id,
        "principal": ROLE,
        "account": ACCOUNT,
        "action": case.action,
        "resource": case.resource,
        "context": {key: list(values) if len(values) != 1 else values[0] for key, values in case.context.items()},
        "identity": [json.loads(texts[label]) for label in case.identity],
        "boundary": json.loads(texts[case.boundary]) if case.boundary else None,
    }
    return json.dumps(value)
