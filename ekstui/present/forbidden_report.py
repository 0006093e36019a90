"""Why Kubernetes forbade a request, and what would allow it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.present.access import CORE_GROUP
from ekstui.present.blocks import (
    Block,
    Heading,
    Line,
    Node,
    Part,
    Sentence,
    Span,
    Tree,
    as_of_line,
    as_of_words,
    by_place,
    code,
    folded,
    places_words,
    step_blocks,
)
from ekstui.present.chain import Link, chain_of
from ekstui.present.verdicts import STYLES

if TYPE_CHECKING:
    from ekstui.denial.access_entries import ForbiddenExplanation, JudgedPolicy, Remedy


def forbidden_blocks(
    explanation: ForbiddenExplanation,
    now: datetime,
    number: int | None = None,
    open_keys: Collection[Hashable] | None = None,
) -> list[Block]:
    """Return why Kubernetes forbade a request and what would allow it; `number` is its place among several answers."""
    request = (
        str(explanation.request) if explanation.request else "a request by a principal that the cluster does not know"
    )
    place = f" in {explanation.request.namespace}" if explanation.request and explanation.request.namespace else ""
    word = "cannot tell" if explanation.verdict == "depends" else explanation.verdict
    verdict = Span(f"{word.upper()}  ", STYLES[explanation.verdict])
    line: Line = (verdict, code(request, "strong"), place, f". {explanation.reason}")
    chain = chain_of([*_links(explanation)])
    return [
        Sentence(line) if number is None else Heading(line),
        *([Sentence(chain)] if chain is not None else []),
        *_missing(explanation),
        *_next(explanation),
        *folded([*_parts(explanation, now, number or 0)], open_keys, level=2 if number is None else 3),
    ]


def _links(explanation: ForbiddenExplanation) -> Iterator[Link]:
    """Yield who asked, the access entry, its access policies and what of them does not fit, if known."""
    subject, entry = explanation.subject, explanation.entry
    if subject is None or explanation.cluster is None:
        return
    yield subject.name or subject.username, "holds"
    if entry is None:
        yield f"access entry in {explanation.cluster}", "open" if explanation.verdict == "depends" else "breaks"
        return
    yield f"access entry in {explanation.cluster}", "holds"
    covering = [policy for policy in explanation.policies if policy.covers]
    if not explanation.policies:
        yield "an access policy", "open" if entry.policies is None else "breaks"
    elif not covering:
        unknown = any(policy.covers is None for policy in explanation.policies)
        yield ", ".join(policy.associated.policy for policy in explanation.policies), "holds"
        yield "a rule for it", "open" if unknown else "breaks"
    else:
        yield covering[0].associated.policy, "holds"
        yield "where it applies", "holds" if any(policy.applies for policy in covering) else "breaks"


def _parts(explanation: ForbiddenExplanation, now: datetime, number: int) -> Iterator[Part]:
    proviso = (
        "" if explanation.request is None or explanation.request.namespace else ", if associated for the whole cluster"
    )
    if remedies := explanation.allowed_by:
        nodes = [Node((code(remedy.policy), Span(f"  {_amount(remedy)}", "muted"))) for remedy in remedies]
        title = f"access policies that allow it{proviso}, narrowest first ({len(remedies)})"
        yield Part((number, "allowers"), title, [Tree(nodes)])
    if asker := [*_asker(explanation)]:
        yield Part((number, "about"), "who asked", asker)
    if people := explanation.people_known:
        nodes = [Node(code(arn)) for arn in people]
        yield Part((number, "people"), f"who has an access entry ({len(people)})", [Tree(nodes)])
    if unseen := explanation.not_looked_at:
        nodes = [Node(Span(place, "muted")) for place in unseen]
        yield Part((number, "unseen"), f"not looked at ({len(unseen)})", [Tree(nodes)])
    if explanation.fetched_at:
        title = f"cluster {as_of_words(explanation.fetched_at)}"
        yield Part((number, "as of"), title, [Sentence(("cluster ", *as_of_line(explanation.fetched_at, now)))])


def _asker(explanation: ForbiddenExplanation) -> Iterator[Block]:
    if (subject := explanation.subject) is not None:
        whom = "" if subject.kind == "username" else f"{subject.kind.replace('-', ' ')} "
        session = f" (session {subject.session})" if subject.session else ""
        yield Sentence((f"made by {whom}", code(subject.name or subject.username), session))
    if (entry := explanation.entry) is not None:
        kind = f", type {entry.kind}" if entry.kind else ""
        groups = f", groups {', '.join(entry.groups)}" if entry.groups else ", no groups"
        yield Sentence(f"access entry of {entry.principal_arn} in {explanation.cluster}{kind}{groups}")
        yield Tree(
            [
                Node((code(policy.associated.policy), Span(f"  {_scope_words(policy)}", "muted")))
                for policy in explanation.policies
            ]
        )


def _missing(explanation: ForbiddenExplanation) -> Iterator[Block]:
    if explanation.verdict != "allowed" and not explanation.grants and (rule := explanation.missing_rule) is not None:
        target = ", ".join(rule.non_resource_urls or rule.resources)
        group = "" if rule.non_resource_urls else f" of group {rule.api_groups[0] or CORE_GROUP}"
        place = explanation.request.namespace if explanation.request is not None else None
        place_words = "" if rule.non_resource_urls else f" in namespace {place}" if place else " in the whole cluster"
        yield Sentence(("missing: ", code(f"{rule.verbs[0]} {target}"), group, place_words))


def _next(explanation: ForbiddenExplanation) -> Iterator[Block]:
    """Yield the commands to run next, and where to look where no cluster was looked at."""
    steps = [("NEXT  ", command) for command in explanation.commands]
    by_rbac = "OR  by RBAC: " if steps else "NEXT  by RBAC: "
    steps += [("NEXT  " if index else by_rbac, command) for index, command in enumerate(explanation.rbac)]
    yield from step_blocks(steps, "step")
    if (
        explanation.cluster is None
        and explanation.subject is not None
        and explanation.subject.kind in ("role", "user", "username")
    ):
        looks = "looks at the access entries of a cluster"
        yield Sentence(by_place(f"cluster:NAME before the message {looks}", f"--cluster NAME {looks}"))


def _scope_words(policy: JudgedPolicy) -> str:
    covers = {True: "allows it", False: "has no rule for it", None: "its rules are not known"}[policy.covers]
    return (
        f"in {places_words(policy.associated.namespaces)}: "
        f"{covers}{'' if policy.applies or not policy.covers else ', but not there'}"
    )


def _amount(remedy: Remedy) -> str:
    if remedy.permissions is None:
        return "reads everything" if remedy.reads_only else "allows everything"
    return f"allows {remedy.permissions:,} verbs on resources in all"
