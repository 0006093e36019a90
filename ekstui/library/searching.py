"""Questions about all policies and their history, answered from the cache's index or else from the documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ekstui.change.candidates import Candidate, candidate_of
from ekstui.change.holders import Holder, WhoCan, holders_of, parse_action
from ekstui.change.policy import Policy, PolicyHistory, PolicyScope, Scope, aws_scope
from ekstui.change.steps import FeedStep, newest_first, numbers_since, steps_since
from ekstui.eks.knowledge import Knowledge
from ekstui.eks.published import readable_text
from ekstui.errors import InputError
from ekstui.files import digest_of
from ekstui.iam import arn, wildcard
from ekstui.iam.document import Document
from ekstui.iam.grants import statement_may_match
from ekstui.iam.reference import reference
from ekstui.library.catalog import PolicyReader, parse_stored, refuse_access_policy
from ekstui.named_tuples import NamedTuple
from ekstui.sources.shipped import PublishedPolicies, reader_of, shipped_in
from ekstui.store import index
from ekstui.store.index import ShippedSteps, feed, judging_version, shipped_steps, steps_of_rows

# The index answers what changed in milliseconds: what reads documents, or asks who can, is imported where it is needed.
if TYPE_CHECKING:
    from ekstui.denial.answer import Policies
    from ekstui.denial.purpose import CandidatePolicy
    from ekstui.iam.request import Request
    from ekstui.library.library import Library


class ChangesFeed(NamedTuple):
    """What AWS changed since a time."""

    complete: bool
    """False if the time is after the last known change, so that nothing can be said."""
    changes: tuple[FeedStep, ...]
    """Newest first."""


def _candidates(library: Library, action: str, scope: Scope) -> tuple[Candidate, ...]:
    wanted = action.lower()
    candidates_read: tuple[Candidate, ...] = ()
    if (among := aws_scope(scope)) is not None:
        indexed = library.cached(lambda: index.candidates(library.store, wanted, among))
        candidates_read = (
            library.ask(lambda reader: read_candidates(reader.histories(among), wanted)) if indexed is None else indexed
        )
    for reader in shipped_in(scope):
        candidates_read += read_candidates(reader.histories(), wanted)
    return candidates_read


def changes_feed(library: Library, since: datetime | None = None, scope: Scope = "eks") -> ChangesFeed:
    """Return what AWS changed since a time, newest first; incomplete if that is after the last known change."""
    steps: list[FeedStep] = []
    complete = True
    if (among := aws_scope(scope)) is not None:
        complete = since is None or since <= library.data().newest
        steps += _steps(library, since, among) if complete else ()
    for reader in shipped_in(scope):
        shipped = _shipped_steps(reader, since)
        complete = complete and shipped is not None
        steps += shipped or ()
    if scope in ("access", "any"):
        from ekstui.library.access_policies import access_steps

        steps += access_steps(since)
    return ChangesFeed(complete, newest_first(steps) if scope not in ("eks", "all") else tuple(steps))


def steps_of_attached(steps: Iterable[FeedStep], attached: Collection[str]) -> list[FeedStep]:
    """Return the steps of attached IAM policies, by name; a policy of another family may have the name of one."""
    return [step for step in steps if step.family == "aws-managed" and step.policy in attached]


def _steps(library: Library, since: datetime | None, scope: Scope) -> tuple[FeedStep, ...]:
    indexed = library.cached(lambda: feed(library.store, since, judging_version(), scope))
    if indexed is not None:
        return indexed
    shipped = shipped_steps(library.corpus.steps(), judging_version())
    return library.ask(lambda reader: read_feed(reader, shipped, since, scope))


def read_candidates(histories: Iterable[PolicyHistory], action: str) -> tuple[Candidate, ...]:
    """Return the policies whose documents may allow an action, which is given in lower case."""
    candidates_read = (_candidate(history, action) for history in histories)
    return tuple(candidate for candidate in candidates_read if candidate is not None)


def read_feed(
    reader: PolicyReader, shipped: ShippedSteps, since: datetime | None, scope: Scope
) -> tuple[FeedStep, ...]:
    """Return the steps since a time, newest first: as they ship, or from the documents where these are others."""
    steps: list[FeedStep] = []
    for history in reader.histories(scope):
        policy, texts = history.policy, history.texts
        if not (numbers := numbers_since(policy, since)):
            continue
        rows = shipped(policy.name, {number: digest_of(text) for number, text in texts.items()})
        if rows is None:
            steps.extend(steps_since(policy, {number: _document(history, number) for number in numbers}, since))
        else:
            steps.extend(steps_of_rows(policy, rows, since))
    return newest_first(steps)


def _candidate(history: PolicyHistory, action: str) -> Candidate | None:
    default = history.policy.default_version
    if not any(
        statement.effect == "Allow" and statement_may_match(statement, action)
        for statement in _document(history, default).statements
    ):
        return None
    return candidate_of(history.policy, {number: _document(history, number) for number in history.texts}, action)


def _document(history: PolicyHistory, number: int) -> Document:
    return parse_stored(history.policy.name, number, history.texts[number])


def _shipped_steps(reader: PublishedPolicies, since: datetime | None) -> tuple[FeedStep, ...] | None:
    """Return the steps of a family that ships since a time; None if that is after what is known of it."""
    if since is not None and since.date() > reader.until():
        return None

    steps: list[FeedStep] = []
    for policy in reader.policies():
        documents = {info.number: reader.document(policy.name, info.number) for info in policy.versions}
        steps.extend(steps_since(policy, documents, since))
    return tuple(steps)


def is_kubernetes(text: str) -> bool:
    """Return whether a question of who can is about a request to Kubernetes."""
    return text.lower().startswith("k8s:")


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
    """Return which policies allow an action or pattern by default.

    Those of every scope if nothing names the action and none allows it.
    """
    if ":" not in action:
        refuse_access_policy(action.strip())
    wanted = parse_action(action)
    if resource is not None and resource != "*" and len(resource.split(":", 5)) < 6:
        raise InputError(f"{resource!r} is not an ARN.", "An ARN has the form arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE.")
    is_known = bool(reference().expand(wanted))
    among = _candidates(library, wanted, scope)
    everywhere = _candidates(library, wanted, "all") if scope == "eks" and not is_known else among
    is_named = is_known or any(
        pattern.lower() == wanted.lower()
        for candidate in everywhere
        for statement in candidate.document.statements
        for pattern in statement.actions
    )
    history = history and not wildcard.is_wild(wanted)
    answer = holders_of(wanted, among, resource, types=types, history=history)
    if not is_named:
        # No document names the action, so every policy with a pattern that matches it counts, whatever the scope.
        answer = answer if answer.holders else holders_of(wanted, everywhere, resource, types=types, history=history)
        answer = answer._replace(is_named=False)
    published = tuple(_named(holder) for holder in answer.holders if holder.policy.home)
    return answer._replace(holders=(*(holder for holder in answer.holders if not holder.policy.home), *published))


def allowed_in(library: Library, scope: Scope) -> Callable[[str], bool]:
    """Return a test whether a policy of a scope has an Allow for an action or a pattern of it.

    It reads all documents of the scope.
    """
    patterns = {
        pattern.lower()
        for entry in library.policies(scope)
        for statement in library.document(entry.policy).statements
        if statement.effect == "Allow" and statement.action_element == "Action"
        for pattern in statement.actions
    }
    parts = (re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in sorted(patterns - {"*"}))
    allowed = re.compile("|".join(parts))
    return lambda action: allowed.fullmatch(action.lower()) is not None


def _named(holder: Holder) -> Holder:
    """Return a holder with its controller's parameters written as `<ClusterName>`."""
    return holder._replace(
        grants=tuple(
            grant._replace(
                resources=tuple(map(readable_text, grant.resources)),
                conditions=tuple(
                    line._replace(key=readable_text(line.key), values=tuple(map(readable_text, line.values)))
                    for line in grant.conditions
                ),
            )
            for grant in holder.grants
        ),
    )


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
    from ekstui.denial.purpose import CandidatePolicy

    in_force = {applied.arn for applied in policies.identity}
    may_allow = _may_allow(request.action)
    histories = reader.histories() if names is None else reader.histories_of(names)
    for history in histories:
        if history.policy.arn in in_force or may_allow(history.texts[history.policy.default_version]):
            documents = _Documents(partial(_document, history))
            notes_on_policy = notes.policies.get(history.policy.name)
            superseded = notes_on_policy is not None and bool(notes_on_policy.superseded_by)
            meant_for = () if notes_on_policy is None else notes_on_policy.attached_to
            scope: PolicyScope = "aws" if notes_on_policy is None else "eks"
            yield CandidatePolicy(history.policy, documents, scope, superseded, meant_for, {})
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


def published_candidate(policy: Policy) -> CandidatePolicy:
    """Return a policy that a project publishes, with its documents, as one that may allow a request."""
    from ekstui.denial.purpose import CandidatePolicy

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
