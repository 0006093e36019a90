"""What several answers say in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.core.text import age_in_words, use_in_words
from ekstui.present.blocks import Block, Heading, Line, Node, Sentence, Span, Tree, code, joined, note

if TYPE_CHECKING:
    from ekstui.core.account import Role, SourceError, Use
    from ekstui.core.findings import RolePolicy
    from ekstui.core.grants import Grant
    from ekstui.errors import EkstuiError

TRACKED = "no activity in the 400 days that IAM tracks"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 role`, `1,200 roles`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def grant_line(grant: Grant) -> Line:
    """Return on what a grant is, and under which conditions."""
    where: tuple[str | Span, ...] = joined(", ", [code(each) for each in grant.resources]) or ("no resource",)
    if grant.resource_element == "NotResource":
        where = ("everything but ", *where)
    conditions = [
        (code(condition.key), f" {condition.operator} ", *joined(" or ", [code(value) for value in condition.values or ("(nothing)",)]))
        for condition in grant.conditions
    ]  # fmt: skip
    return (*where, " if ", *joined(" and ", conditions)) if conditions else where


def uses_words(uses: Sequence[Use]) -> str:
    """Return what uses a role: `nodes workers of prod; IRSA kube-system/aws-node of prod (inferred)`."""
    return "; ".join(map(use_in_words, uses))


def last_used_words(role: Role, now: datetime) -> str:
    """Return when a role was last used: `2 h ago`, a dash where IAM tracked no activity, `?` where that is not known."""
    if role.last_used is None:
        return "—" if role.extent != "name" else "?"
    return age_in_words(role.last_used, now)


def policy_node(policy: RolePolicy, word: str, key: tuple[str, ...]) -> Node:
    """Return a policy that something carries: its name, version, and as what."""
    version = f" v{policy.version}" if policy.version else ""
    unread = "  document not read" if policy.document is None else ""
    line = (code(policy.name), Span(version, "muted"), Span(f"  {word}", "muted"), Span(unread, "warn"))
    return Node(line, value=policy, key=key)


def failure_blocks(error: EkstuiError) -> list[Block]:
    """Return an error: what happened, then what to do."""
    blocks: list[Block] = [Sentence((Span("! ", "bad"), error.message))]
    return [*blocks, Sentence(Span(error.next_step, "muted"))] if error.next_step else blocks


def error_notes(errors: Sequence[SourceError]) -> list[Block]:
    """Return what could not be read, each with what to do about it."""
    found: list[Block] = []
    for index, error in enumerate(errors):
        where = f" in {error.region}" if error.region else ""
        action = f"{error.action}{where}: " if error.action else ""
        found.append(note(f"{action}{error.message} {error.next_step}".strip(), key=("error", index)))
    return found


def not_looked_at(places: Sequence[str]) -> list[Block]:
    """Return a section about what was not looked at, if there is anything."""
    if not places:
        return []
    return [Heading("Not looked at"), Tree([Node(Span(place, "muted")) for place in places])]
