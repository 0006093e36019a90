"""Which policies may allow a request, as far as their texts tell: those that are worth to be evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from ekstui.change.policy import Policy, PolicyScope
from ekstui.denial.answer import Policies
from ekstui.denial.purpose import CandidatePolicy
from ekstui.eks.knowledge import Knowledge
from ekstui.iam import arn
from ekstui.iam.document import Document
from ekstui.iam.request import Request
from ekstui.library.catalog import PolicyReader, document_of, parse_stored
from ekstui.sources.shipped import reader_of, shipped_in

_ANY_ACTION = re.compile(rb'"Action"\s*:\s*(?:"\*"|\[[^\]]*"\*")')


def possible_allowers(
    request: Request,
    policies: Policies,
    reader: PolicyReader,
    notes: Knowledge,
    names: Iterable[str] | None = None,
) -> Iterator[CandidatePolicy]:
    """Yield the policies that may allow the action and those in force.

    By the `names` that an index has for both, or else by all documents.
    """
    in_force = {applied_policy.arn for applied_policy in policies.identity}
    may_allow = _may_allow(request.action)
    histories = reader.histories() if names is None else reader.histories_of(names)
    for history in histories:
        if history.policy.arn in in_force or may_allow(history.texts[history.policy.default_version]):
            documents = _Documents(partial(document_of, history))
            notes_on_policy = notes.policies.get(history.policy.name)
            is_superseded = notes_on_policy is not None and bool(notes_on_policy.superseded_by)
            meant_for = () if notes_on_policy is None else notes_on_policy.attached_to
            scope: PolicyScope = "aws" if notes_on_policy is None else "eks"
            yield CandidatePolicy(history.policy, documents, scope, is_superseded, meant_for, {})
    elsewhere = {"/aws-cn", "/aws-us-gov"} - {f"/{partition_of(request)}"}
    for family in shipped_in("any"):
        for policy in family.policies():
            if not policy.name.endswith(tuple(elsewhere)) and may_allow(
                family.text(policy.name, policy.default_version)
            ):
                yield published_candidate(policy)


def _may_allow(action: str) -> Callable[[bytes], bool]:
    """Return a test of whether a document's text may allow an action, so that most need not be parsed."""
    service, _, name = action.lower().encode("utf-8", "surrogatepass").partition(b":")
    # The action itself, the text before a pattern's first wildcard, or a wildcard in the service.
    pattern = re.compile(
        rb'"(?:%b:(?:%b[" ]|([^"*?]*)[*?])|[a-z0-9-]*[*?][a-z0-9*?-]*:)' % (re.escape(service), re.escape(name))
    )

    def test(text: bytes) -> bool:
        starts = (match[1] for match in pattern.finditer(text.lower()))
        return (
            any(start is None or name.startswith(start) for start in starts)
            or b'"NotAction"' in text
            or bool(_ANY_ACTION.search(text))
        )

    return test


def published_candidate(policy: Policy) -> CandidatePolicy:
    """Return a policy that a project publishes, with its documents, as one that may allow a request."""
    reader = reader_of(policy)

    def document(version: int) -> Document:
        return parse_stored(policy.name, version, reader.text(policy.name, version))

    return CandidatePolicy(policy, _Documents(document), reader.scope, evaluations={})


class _Documents(dict[int, "Document"]):
    """The documents of a policy by version, each parsed on first use."""

    def __init__(self, read: Callable[[int], Document]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, version: int) -> Document:
        return self.setdefault(version, self._read(version))


def partition_of(request: Request) -> str | None:
    """Return the partition that the request's own ARNs name, or None if they name none."""
    for text in (request.principal, *request.resources):
        if text is not None and text.startswith("arn:"):
            name = arn.split_arn(text).partition
            if "*" not in name:
                return name
    return None
