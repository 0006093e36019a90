"""All about one action, as a policy or a role gives it: what it is, who gives it here, and what it takes."""

from collections.abc import Sequence
from typing import NamedTuple

from ekstui.core.action_facts import ActionCard, MatchingStatement, resources_of
from ekstui.core.grants import grants_of
from ekstui.core.holders import Since
from ekstui.core.summary import ActionSummary
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree, code, level_style, note, restyled
from ekstui.present.who_can import since_words
from ekstui.present.words import counted, grant_line

MOST_RESOURCES = 50
"""How many resources of an action are listed."""


class GivenAction(NamedTuple):
    """What is known of one action, as a policy or a role gives it."""

    action: ActionSummary
    card: ActionCard
    covered: Sequence[str]
    """The action's resource types that the grants can match."""
    statements: Sequence[tuple[str, MatchingStatement]]
    """Those that match it, each with the name of its policy."""
    since: Since | None
    """Since when the policy's default version has allowed it; None for a role, or where it does not."""
    others: int | None
    """How many other policies of the EKS family allow it; None where that could not be asked."""


def card_blocks(given: GivenAction) -> list[Block]:
    """Return what the action is, who gives it here, and what it takes."""
    card, action = given.card, given.action
    unknown = Span("not in the service authorization reference", "warn")
    levels = [part for level in action.levels for part in (Span(level, level_style(level)), " ")]
    blocks: list[Block] = [
        Heading(action.action, 1),
        Sentence((Span(f"{card.service_title}: ", "muted"), card.description) if card.known else unknown),
        Sentence((Span("level: ", "muted"), *levels[:-1])),
        *(note(warning) for warning in action.warnings),
    ]
    if action.denied:
        blocks.append(Sentence(Span(f"denied: {action.denied}, by a Deny of the same document", "bad")))
    blocks += [Heading("Given by"), Tree([_statement(name, speaking) for name, speaking in given.statements])]
    if given.since is not None:
        blocks.append(Sentence((Span("allowed without a break since ", "muted"), since_words(given.since))))
    if given.others is not None:
        words = counted(given.others, "other EKS policy gives it", "other EKS policies give it")
        said = words if given.others else "no other EKS policy gives it"
        blocks.append(Sentence((Span(said, "muted"), Span("; w lists them", "muted", shown="app"))))
    blocks += _resources(action)
    if card.known:
        blocks += _resource_types(card, given.covered)
    if card.needs:
        hints = [Node((code(", ".join(hint.needs), "accent"), f": {hint.text}")) for hint in card.needs]
        blocks += [Heading("Such a call often needs"), Tree(hints)]
    return blocks


def _statement(name: str, speaking: MatchingStatement) -> Node:
    statement = speaking.statement
    inverse = statement.action_element == "NotAction"
    line = (
        Span("Deny ", "bad") if statement.effect == "Deny" else Span("Allow ", "good"),
        Span(f"{name}, {speaking.label} ", "strong"),
        Span("everything but ", "warn") if inverse else Span("through ", "muted"),
        code(", ".join(speaking.patterns)),
    )
    grants = [Node(("on ", *restyled(grant_line(grant), "muted"))) for grant in grants_of(statement)]
    return Node(line, grants, speaking, (name, speaking.index))


def _resources(action: ActionSummary) -> list[Block]:
    """Return the console's table of an action: each resource with its region, its account and whether there is an if."""
    found = resources_of(action)
    nodes = [
        Node(
            (
                code(each.resource),
                Span(f"  {each.region}, {each.account}", "muted"),
                Span("" if each.condition == "None" else f", if {each.condition}", "muted"),
            )
        )
        for each in found[:MOST_RESOURCES]
    ]
    if len(found) > MOST_RESOURCES:
        nodes.append(Node(Span(f"and {len(found) - MOST_RESOURCES:,} more", "muted")))
    return [Heading("Resources"), Tree(nodes)] if nodes else []


def _resource_types(card: ActionCard, covered: Sequence[str]) -> list[Block]:
    nodes: list[Node] = []
    # Some actions have a hundred types; those that the grants reach come first.
    for kind in sorted(card.resources, key=lambda kind: kind.name not in covered):
        reached = kind.name in covered
        line = (
            Span("✓ ", "good") if reached else Span("✗ ", "warn"),
            f"{kind.name}{'*' if kind.required else ''}",
            Span(f"  {' or '.join(kind.arn_formats)}", "muted"),
            Span("" if reached else "  the grants do not reach it", "warn"),
        )
        keys = [Node(Span(f"keys: {', '.join(kind.condition_keys)}", "muted"))] if kind.condition_keys else []
        nodes.append(Node(line, keys))
    if card.needs_wildcard:
        nodes.append(Node(Span("none: its statement needs the resource *", "muted")))
    blocks: list[Block] = [Heading("Resource types (* required)"), Tree(nodes)]
    if card.condition_keys:
        blocks += [Heading("Condition keys, whatever the resource"), Sentence(", ".join(card.condition_keys))]
    return blocks
