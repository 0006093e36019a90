"""Which policies allow an action: the index or the documents give the candidates, the core the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, cast

from ekstui.core import wildcard
from ekstui.core.document import Document, load_json, parse
from ekstui.core.holders import Holder, WhoCan, Wider, parse_action, who_can, widenings
from ekstui.core.published import shown
from ekstui.core.reference import reference
from ekstui.core.targets import Candidate, may_match
from ekstui.errors import InputError
from ekstui.library import searching
from ekstui.library.catalog import PolicyReader, knowledge, parse_stored, refuse_access_policy

if TYPE_CHECKING:
    from ekstui.library.library import Library
    from ekstui.scope import Scope


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

    `resource`, an ARN or an ARN pattern, keeps those that have a grant which can match it. `types` says which
    resource types the grants cover, `history` since when they are as they are. Of an action that neither the
    reference nor any document names, policies of every scope count where the scope has none. Raises InputError for
    what is no action or no ARN.
    """
    if ":" not in action:
        refuse_access_policy(action.strip(), knowledge())
    wanted = parse_action(action)
    if resource is not None and resource != "*" and len(resource.split(":", 5)) < 6:
        raise InputError(f"{resource!r} is no ARN.", "An ARN has the form arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE.")
    known = wildcard.is_wild(wanted) or reference().find(wanted) is not None
    candidates = searching.candidates(library, wanted, scope)
    everywhere = searching.candidates(library, wanted, "all") if scope == "eks" and not known else candidates
    is_named = known or _is_named(wanted, everywhere)
    answer = who_can(wanted, candidates, resource, types=types)
    if not is_named:
        # Of an action that nobody names, each policy that covers it counts, whatever the scope.
        answer = answer if answer.holders else who_can(wanted, everywhere, resource, types=types)
        answer = answer._replace(is_named=False)
    published = tuple(_named(holder) for holder in answer.holders if holder.policy.home)
    holders = tuple(holder for holder in answer.holders if not holder.policy.home)
    if history and not wildcard.is_wild(wanted):
        holders = library.ask(lambda reader: _with_history(holders, wanted, resource, reader))
    return answer._replace(holders=(*holders, *published))


def _named(holder: Holder) -> Holder:
    """Return what a controller's policy allows with its parameters as people read them: `<ClusterName>`."""
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


def _with_history(
    holders: Iterable[Holder], action: str, resource: str | None, reader: PolicyReader
) -> tuple[Holder, ...]:
    """Return the holders with the versions since which they allow the action as they do now."""
    speaks = cache(lambda pattern: may_match("Action", (pattern.strip(),), action.lower()))

    def wider(holder: Holder) -> tuple[Wider, ...]:
        policy, since = holder.policy, holder.since.version
        if since == holder.version:
            return ()
        texts = reader.history(policy.name).texts
        run = {number: text for number, text in texts.items() if since <= number <= holder.version}
        documents = {number: _cut(policy.name, number, text, speaks) for number, text in run.items()}
        return widenings(policy, since, documents, action, resource)

    return tuple(holder._replace(wider=wider(holder)) for holder in holders)


def _cut(name: str, version: int, text: bytes, speaks: Callable[[str], bool]) -> Document:
    """Return what a document says of an action: to parse the rest too would take most of the time."""
    value = load_json(text)
    statements = cast("dict[str, object]", value).get("Statement") if isinstance(value, dict) else None
    if not isinstance(statements, list):
        return parse_stored(name, version, text)
    cut = [_cut_statement(cast("dict[str, object]", each), speaks) for each in statements]
    return parse({"Statement": [each for each in cut if each is not None]})


def _cut_statement(statement: dict[str, object], speaks: Callable[[str], bool]) -> dict[str, object] | None:
    listed = statement.get("Action")
    if listed is None:
        return statement
    names = [listed] if isinstance(listed, str) else cast("list[str]", listed)
    kept = [each for each in names if speaks(each)]
    return {**statement, "Action": kept} if kept else None


def _is_named(action: str, candidates: tuple[Candidate, ...]) -> bool:
    """Return whether some document has the action itself, not only a pattern that matches it."""
    return any(
        pattern.lower() == action.lower()
        for candidate in candidates
        for statement in candidate.document.statements
        for pattern in statement.actions
    )
