"""The card of one action as rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from ekstui.core.action_card import ActionCard
from ekstui.core.grants import grants_of
from ekstui.core.resource_rows import resources_of
from ekstui.core.speaking import SpeakingStatement
from ekstui.core.summary import ActionSummary
from ekstui.core.text import clean_line
from ekstui.core.who_can import Since
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, styled
from ekstui.present.who_can import since_words
from ekstui.present.wrapping import wrap
from ekstui.tui.present.permissions import LEVEL_TONES
from ekstui.tui.present.words import grant_words

MOST_RESOURCES = 50
"""How many resources of an action are listed."""


@dataclass(frozen=True, slots=True)
class GivenAction:
    """What is known of one action, as a policy or a role gives it."""

    action: ActionSummary
    card: ActionCard
    covered: Sequence[str]
    """The action's resource types that the grants can match."""
    statements: Sequence[tuple[str, SpeakingStatement]]
    """Those that speak of it, each with the name of its policy."""
    since: Since | None
    """Since when the policy's default version has allowed it; None for a role, or where it does not."""
    others: int | None
    """How many other policies of the EKS family allow it; None where that could not be asked."""


def card_rows(given: GivenAction, width: int) -> list[Row]:
    """Return what the action is, who gives it here, and what it takes."""
    card = given.card
    about: Styled = (
        ((f"{clean_line(card.service_title)}: ", "muted"), (clean_line(card.description), ""))
        if card.known
        else (("not in the service authorization reference", "warn"),)
    )
    rows = _lines("about", about, width)
    levels: list[tuple[str, Tone]] = [("level: ", "muted")]
    levels += [(f"{level} ", LEVEL_TONES.get(level, "muted")) for level in given.action.levels]
    rows += _lines("level", tuple(levels), width)
    for warning in given.action.warnings:
        rows += _lines(("warning", warning), ((f"! {clean_line(warning)}", "warn"),), width)
    if given.action.denied:
        rows += _lines("denied", ((f"denied: {given.action.denied}, by a Deny of the same document", "bad"),), width)
    rows += _section("Given by")
    for name, speaking in given.statements:
        rows += _statement(name, speaking, width)
    if given.since is not None:
        rows += _lines("since", (("allowed without a break since ", "muted"), (since_words(given.since), "")), width)
    if given.others is not None:
        words = (
            f"{given.others} other EKS polic{'y gives' if given.others == 1 else 'ies give'} it"
            if given.others
            else ("no other EKS policy gives it")
        )
        rows += _lines("others", ((f"{words}; w lists them", "muted"),), width)
    rows += _resources(given.action, width)
    if card.known:
        rows += _resource_types(card, given.covered, width)
    if card.needs:
        rows += _section("Such a call often needs")
        for index, hint in enumerate(card.needs):
            line: Styled = ((clean_line(", ".join(hint.needs)), "accent"), (f": {clean_line(hint.text)}", ""))
            rows += _lines(("hint", index), line, width)
    return rows


def _resources(action: ActionSummary, width: int) -> list[Row]:
    """Return the console's table of an action: each resource with its region, its account and whether there is an if."""
    found = resources_of(action)
    rows = _section("Resources") if found else []
    for index, each in enumerate(found[:MOST_RESOURCES]):
        where = f"  {each.region}, {each.account}" + ("" if each.condition == "None" else f", if {each.condition}")
        line: Styled = ((clean_line(each.resource), ""), (clean_line(where), "muted"))
        rows += _lines(("resource", index), line, width)
    if len(found) > MOST_RESOURCES:
        rows += _lines("more resources", ((f"and {len(found) - MOST_RESOURCES:,} more", "muted"),), width)
    return rows


def _resource_types(card: ActionCard, covered: Sequence[str], width: int) -> list[Row]:
    rows = _section("Resource types (* required)")
    # Some actions have a hundred types; those that the grants reach come first.
    for kind in sorted(card.resources, key=lambda kind: kind.name not in covered):
        reached = kind.name in covered
        line: Styled = (
            ("✓ " if reached else "✗ ", "good" if reached else "warn"),
            (f"{clean_line(kind.name)}{'*' if kind.required else ''}", ""),
            (f"  {clean_line(' or '.join(kind.arn_formats))}", "muted"),
            ("" if reached else "  the grants do not reach it", "warn"),
        )
        rows += _lines(("type", kind.name), line, width)
        if kind.condition_keys:
            keys: Styled = ((f"keys: {clean_line(', '.join(kind.condition_keys))}", "muted"),)
            rows += _lines(("type keys", kind.name), keys, width, indent="      ")
    if card.needs_wildcard:
        rows += _lines("no type", (("none: its statement needs the resource *", "muted"),), width)
    if card.condition_keys:
        rows += _section("Condition keys, whatever the resource")
        rows += _lines("keys", ((clean_line(", ".join(card.condition_keys)), ""),), width)
    return rows


def _statement(name: str, speaking: SpeakingStatement, width: int) -> list[Row]:
    statement = speaking.statement
    key = (name, speaking.index)
    effect: tuple[str, Tone] = ("Deny ", "bad") if statement.effect == "Deny" else ("Allow ", "good")
    through = "everything but " if statement.action_element == "NotAction" else "through "
    head: Styled = (
        effect,
        (f"{clean_line(name)}, {clean_line(speaking.label)} ", "strong"),
        (through, "warn" if statement.action_element == "NotAction" else "muted"),
        (clean_line(", ".join(speaking.patterns)), ""),
    )
    rows = _lines(key, head, width, value=speaking)
    for index, grant in enumerate(grants_of(statement)):
        rows += _lines((key, index), ((f"on {grant_words(grant)}", "muted"),), width, indent="    ")
    return rows


def _section(title: str) -> list[Row]:
    return [
        Row(("space", title), (styled(""),), selectable=False),
        Row(("section", title), (styled(title, "strong"),), selectable=False),
    ]


def _lines(key: object, line: Styled, width: int, *, indent: str = "  ", value: object = None) -> list[Row]:
    return [
        Row((repr(key), part), (((indent if not part else indent + "  ", ""), *piece),), value if not part else None,
            selectable=value is not None and not part)
        for part, piece in enumerate(wrap(line, max(width - len(indent) - 2, 20)))
    ]  # fmt: skip
