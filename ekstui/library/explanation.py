"""Explaining a request: the policies it is held against, and those of AWS that may allow it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ekstui.core import arn
from ekstui.core.document import Document
from ekstui.core.evaluation import AppliedPolicy, Request
from ekstui.core.explain import Candidate, Explanation, Policies, Question, asked, explain
from ekstui.core.history import PolicyHistory
from ekstui.core.knowledge import Knowledge
from ekstui.core.reference import Reference
from ekstui.core.where import FileSide, PolicyAt, Side, StandardInput
from ekstui.errors import AccountError, InputError
from ekstui.library.comparison import read_side
from ekstui.library.policies import parse_stored
from ekstui.library.reader import PolicyReader

if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot
    from ekstui.library.principal import Carried

# `*` as an action, a wildcard in an action's service, or NotAction.
_ANY_SERVICE = re.compile(rb'"(?:Action"\s*:\s*(?:\[[^\]]*)?"\*"|[A-Za-z0-9-]*[*?][A-Za-z0-9*?-]*:|NotAction")')


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question, and the policies that it is to be held against."""

    question: Question
    policies: tuple[Side, ...] = ()
    """Identity policies: AWS's, files, or one on standard input."""
    boundary: Side | None = None
    session: tuple[Side, ...] = ()
    standard_input: str = ""
    """The text for a side that is StandardInput."""
    principal: str | None = None
    """A role of the account by name, or a role, session or user by ARN: what it carries counts too."""


def explained(
    inquiry: Inquiry,
    snapshot: AccountSnapshot | None,
    reader: PolicyReader,
    knowledge: Knowledge,
    reference: Reference,
    partition: str,
) -> Explanation:
    """Return why the request of an inquiry is denied, by the policies that `reader` holds of one partition.

    Documents of one partition never judge a request in another. AccountError where the account is needed and unknown.
    """
    request, denial = asked(inquiry.question, reference)
    carried = Policies()
    if inquiry.principal is not None:
        if snapshot is None:
            raise AccountError("No snapshot of the account is at hand.", "Ask AWS once, without --offline.")
        # What is known of an account takes as long to import as all else here, 60 ms.
        from ekstui.core.explain.sessions import session_name_of
        from ekstui.library.principal import carried_by

        found = carried_by(inquiry.principal, session_name_of(request.principal), snapshot, reader)
        carried = found.policies
        request = _of_principal(request, found)
    policies = _policies(inquiry, carried, reader, knowledge)
    elsewhere = partition_of(request)
    if elsewhere not in (None, partition):
        foreign = [applied.name for applied in _of_aws(policies)]
        if foreign:
            raise InputError(
                f"The request is of partition {elsewhere}, and the documents known of {foreign[0]} are those of "
                f"{partition}.",
                f"Run ekstui sync with credentials of {elsewhere}.",
            )
        explanation = explain(request, policies, (), denial=denial, knowledge=knowledge, reference=reference)
        return replace(
            explanation,
            not_looked_at=(*explanation.not_looked_at, f"the AWS managed policies of partition {elsewhere}"),
        )
    candidates = list(possible_allowers(request, policies, reader, knowledge))
    return explain(request, policies, candidates, denial=denial, knowledge=knowledge, reference=reference)


def simulation_of(inquiry: Inquiry, snapshot: AccountSnapshot, reference: Reference) -> tuple[str, Request]:
    """Return the principal's ARN and the request, for IAM's own simulator."""
    if inquiry.principal is None:
        raise InputError("IAM's simulator is asked about a role.", "Name one with --role.")
    from ekstui.library.principal import principal_arn

    request, _ = asked(inquiry.question, reference)
    return principal_arn(inquiry.principal, snapshot), request


def partition_of(request: Request) -> str | None:
    """Return the partition that the request's own ARNs name, or None where they name none."""
    for text in (request.principal, *request.resources):
        if text is not None and text.startswith("arn:"):
            name = arn.split_arn(text).partition
            if "*" not in name:
                return name
    return None


def _of_principal(request: Request, carried: Carried) -> Request:
    """Return the request with what is known of its principal and session; what was told goes first."""
    told = {key.lower() for key in request.context} | {key.lower() for key in request.absent}
    known = dict(carried.session.tags)
    if carried.arn is not None:
        # A session's ARN leaves out the role's path.
        known["aws:PrincipalArn"] = (carried.arn,)
    context = {**request.context, **{key: values for key, values in known.items() if key.lower() not in told}}
    return replace(
        request,
        principal=request.principal or carried.arn,
        context=context,
        absent=request.absent | carried.session.absent,
    )


def _policies(inquiry: Inquiry, known: Policies, reader: PolicyReader, knowledge: Knowledge) -> Policies:
    def applied(side: Side) -> AppliedPolicy:
        found = read_side(side, reader, lambda: knowledge, inquiry.standard_input)
        name = found.policy.name if found.policy is not None else _name_of(side)
        return AppliedPolicy(name, found.version, found.document, found.policy.arn if found.policy else None)

    return replace(
        known,
        identity=(*known.identity, *map(applied, inquiry.policies)),
        boundary=known.boundary if inquiry.boundary is None else applied(inquiry.boundary),
        session=(*known.session, *map(applied, inquiry.session)),
    )


def _name_of(side: Side) -> str:
    match side:
        case FileSide(path):
            return Path(path).name
        case PolicyAt() | StandardInput():
            return str(side)
        case _:
            return side.name


def _of_aws(policies: Policies) -> Iterator[AppliedPolicy]:
    everything = (*policies.identity, *policies.session, *((policies.boundary,) if policies.boundary else ()))
    return (
        applied for applied in everything if applied.arn is not None and arn.split_arn(applied.arn).account == "aws"
    )


def possible_allowers(
    request: Request, policies: Policies, reader: PolicyReader, knowledge: Knowledge
) -> Iterator[Candidate]:
    """Yield the policies that may allow the action, and those in force, whatever they allow."""
    in_force = {applied.arn for applied in policies.identity}
    service = f'"{request.action.partition(":")[0].lower()}:'.encode()
    for history in reader.histories():
        text = history.texts[history.policy.default_version]
        # A look at the bytes keeps most policies from being parsed.
        if history.policy.arn in in_force or service in text.lower() or _ANY_SERVICE.search(text):
            documents = _Documents(history)
            yield Candidate(history.policy, documents, history.policy.name in knowledge.policies)


class _Documents(Mapping[int, Document]):
    """The documents of a policy by version, each parsed when it is first asked for."""

    def __init__(self, history: PolicyHistory) -> None:
        self._history = history
        self._parsed: dict[int, Document] = {}

    def __getitem__(self, version: int) -> Document:
        if version not in self._parsed:
            text = self._history.texts[version]
            self._parsed[version] = parse_stored(self._history.policy.name, version, text)
        return self._parsed[version]

    def __iter__(self) -> Iterator[int]:
        return iter(self._history.texts)

    def __len__(self) -> int:
        return len(self._history.texts)
