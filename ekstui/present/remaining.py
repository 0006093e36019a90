"""What a document does not allow: the console's `Show remaining`."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from ekstui.core.reference import LEVELS, ActionInfo
from ekstui.core.summary import Remaining
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree, level_style


@dataclass(frozen=True, slots=True)
class RemainingService:
    """A service of which some actions are not allowed."""

    service: str


def remaining_blocks(remaining: Remaining, opened: Collection[str]) -> list[Block]:
    """Return the services of which some actions are not allowed, opened ones with those, then all other services."""
    nodes = [
        Node(
            (Span(service, "strong"), f"  {len(actions)} actions"),
            _levels(actions) if service in opened else (),
            RemainingService(service),
            ("remaining", service),
            opened=service in opened,
        )
        for service, actions in remaining.actions.items()
    ]
    return [
        Sentence((Span("Not allowed by this version", "strong"), Span(" (v goes back)", "strong", shown="app"))),
        Tree(nodes),
        Heading(f"Nothing is allowed of {len(remaining.services)} other services"),
        Sentence(Span(", ".join(remaining.services), "muted")),
    ]


def _levels(actions: Collection[ActionInfo]) -> list[Node]:
    ordered = sorted(actions, key=lambda info: (LEVELS.index(info.level) if info.level in LEVELS else 9, info.name))
    return [
        Node(
            Span(level, level_style(level)),
            [Node(info.name.partition(":")[2], value=info, key=("missing", info.name)) for info in group],
        )
        for level, group in groupby(ordered, key=lambda info: info.level)
    ]
