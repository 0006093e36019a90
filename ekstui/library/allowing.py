"""Which policies allow an action, and which may allow a denied request: candidates for the core to judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ekstui.core import arn, wildcard
from ekstui.core.document import Document
from ekstui.core.holders import Holder, WhoCan, parse_action, who_can
from ekstui.core.published import shown
from ekstui.core.reference import reference
from ekstui.core.targets import Candidate
from ekstui.errors import InputError
from ekstui.library import searching
from ekstui.library.catalog import PolicyReader, knowledge, parse_stored, refuse_access_policy
from ekstui.sources.shipped import FAMILIES, reader_of, shipped_in

if TYPE_CHECKING:
    from ekstui.core import explain
    from ekstui.core.evaluation import Request
    from ekstui.core.explain import Policies
    from ekstui.core.knowledge import Knowledge
    from ekstui.core.policy import Policy, PolicyHistory
    from ekstui.library.library import Library
    from ekstui.scope import PolicyScope, Scope


_ANY_ACTION = re.compile(rb'"Action"\s*:\s*(?:"\*"|\[[^\]]*"\*")')


def who_can_answer(
    library: Library,
    action: str,
    resource: str | None = None,
    scope: Scope = "eks",
    *,
    types: bool = True,
    history: bool = False,
) -> WhoCan:
    """Return which policies allow an action, or something under a pattern, in their default versions.

    `resource`, an ARN or an ARN pattern, keeps only policies with a grant that can match it. `types` adds the resource
    types that the grants cover, `history` the versions since which they are as they are. If neither the reference nor
    any document names the action and no policy of the scope allows it, policies of every scope are considered. Raises
    InputError for an invalid action or ARN.
    """
    if ":" not in action:
        refuse_access_policy(action.strip(), knowledge())
    wanted = parse_action(action)
    if resource is not None and resource != "*" and len(resource.split(":", 5)) < 6:
        raise InputError(f"{resource!r} is not an ARN.", "An ARN has the form arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE.")
    known = bool(reference().expand(wanted))
    candidates = searching.candidates(library, wanted, scope)
    everywhere = searching.candidates(library, wanted, "all") if scope == "eks" and not known else candidates
    is_named = known or _is_named(wanted, everywhere)
    history = history and not wildcard.is_wild(wanted)
    answer = who_can(wanted, candidates, resource, types=types, history=history)
    if not is_named:
        # No document names the action, so every policy with a pattern that matches it counts, whatever the scope.
        answer = answer if answer.holders else who_can(wanted, everywhere, resource, types=types, history=history)
        answer = answer._replace(is_named=False)
    published = tuple(_named(holder) for holder in answer.holders if holder.policy.home)
    return answer._replace(holders=(*(holder for holder in answer.holders if not holder.policy.home), *published))


def _named(holder: Holder) -> Holder:
    """Return a holder with its controller's parameters written as `<ClusterName>`."""
    return holder._replace(
        grants=tuple(
            grant._replace(
                resources=tuple(map(shown, grant.resources)),
                conditions=tuple(
                    each._replace(key=shown(each.key), values=tuple(map(shown, each.values)))
                    for each in grant.conditions
                ),
            )
            for grant in holder.grants
        ),
    )


def _is_named(action: str, candidates: tuple[Candidate, ...]) -> bool:
    """Return whether some document names the action itself, not only a pattern that matches it."""
    return any(
        pattern.lower() == action.lower()
        for candidate in candidates
        for statement in candidate.document.statements
        for pattern in statement.actions
    )


def possible_allowers(
    request: Request,
    policies: Policies,
    reader: PolicyReader,
    notes: Knowledge,
    names: Iterable[str] | None = None,
) -> Iterator[explain.Candidate]:
    """Yield the policies that may allow the action, and those in force, whatever they allow.

    `names` are those that an index has for both; without them all documents are looked through.
    """
    from ekstui.core import explain  # 30 ms, which who-can does without

    in_force = {applied.arn for applied in policies.identity}
    may_allow = _may_allow(request.action)
    histories = reader.histories() if names is None else reader.histories_of(names)
    for history in histories:
        if history.policy.arn in in_force or may_allow(history.texts[history.policy.default_version]):
            documents = _Documents(history)
            known = notes.policies.get(history.policy.name)
            superseded = known is not None and bool(known.superseded_by)
            meant_for = () if known is None else known.attached_to
            scope: PolicyScope = "aws" if known is None else "eks"
            yield explain.Candidate(history.policy, documents, scope, superseded, meant_for)
    elsewhere = {"/aws-cn", "/aws-us-gov"} - {f"/{partition_of(request)}"}
    for published in shipped_in("any"):
        for policy in published.policies():
            if not policy.name.endswith(tuple(elsewhere)) and may_allow(
                published.text(policy.name, policy.default_version)
            ):
                yield published_candidate(policy)


def _may_allow(action: str) -> Callable[[bytes], bool]:
    """Return a test of whether a document's text may allow an action, so that most need not be parsed."""
    service, _, name = action.lower().encode("utf-8", "surrogatepass").partition(b":")
    # The action itself, the text before a pattern's first wildcard, or a wildcard in the service.
    named = re.compile(
        rb'"(?:%b:(?:%b[" ]|([^"*?]*)[*?])|[a-z0-9-]*[*?][a-z0-9*?-]*:)' % (re.escape(service), re.escape(name))
    )

    def test(text: bytes) -> bool:
        starts = (match[1] for match in named.finditer(text.lower()))
        return (
            any(start is None or name.startswith(start) for start in starts)
            or b'"NotAction"' in text
            or bool(_ANY_ACTION.search(text))
        )

    return test


def published_candidate(policy: Policy) -> explain.Candidate:
    """Return a policy that a project publishes, with its documents, as one that may allow a request."""
    from ekstui.core.explain import Candidate

    return Candidate(policy, _Documents(reader_of(policy).history(policy.name)), FAMILIES[policy.family].scope)


class _Documents(Mapping[int, Document]):
    """The documents of a policy by version, each parsed on first use."""

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


def partition_of(request: Request) -> str | None:
    """Return the partition that the request's own ARNs name, or None if they name none."""
    for text in (request.principal, *request.resources):
        if text is not None and text.startswith("arn:"):
            name = arn.split_arn(text).partition
            if "*" not in name:
                return name
    return None
