"""What is known of a policy beyond its document."""

from collections.abc import Sequence

from ekstui.core.knowledge import PolicyKnowledge, Symptom
from ekstui.library import PolicyEntry
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree, note


def about_blocks(
    entry: PolicyEntry, known: PolicyKnowledge | None, symptoms: Sequence[Symptom], *, whole: bool
) -> list[Block]:
    """Return what a policy is for and what to beware of; with `whole` also who may attach it, and what is narrower."""
    blocks: list[Block] = []
    if entry.policy.withdrawn:
        blocks.append(note("AWS does not list it any more; what is known of it is kept"))
    if known is None:
        return blocks
    more = len(known.notes) + len(known.disagreements) + len(symptoms)
    hint = f" (i: {more} notes)" if more > 1 and not whole else ""
    blocks.append(Sentence((known.purpose, Span(hint, "muted", shown="app"))))
    if whole:
        blocks.append(Sentence(_attached_to(known)))
    if known.superseded_by:
        change = f". {known.supersession}" if whole and known.supersession else ""
        blocks.append(note(f"superseded by {', '.join(known.superseded_by)}{change}"))
    if known.access_policy:
        blocks.append(
            note("also an EKS access policy: that one is tied to an access entry and cannot be attached to a role")
        )
    if whole and known.narrower:
        blocks.append(Sentence(f"Narrower: {', '.join(known.narrower)}."))
    if whole and known.unused:
        blocks.append(Sentence(f"No longer used by EKS: {', '.join(known.unused)}."))
    return blocks


def notes_blocks(known: PolicyKnowledge | None, symptoms: Sequence[Symptom]) -> list[Block]:
    """Return what is worth knowing, where AWS contradicts itself, and what the policy is paged for."""
    if known is None:
        return []
    blocks: list[Block] = []
    for title, nodes in (
        ("Worth knowing", [Node(text) for text in known.notes]),
        ("Paged for", [Node((Span(f"{each.symptom}: ", "accent"), each.answer)) for each in symptoms]),
        ("Where AWS's text differs", [Node(text) for text in known.disagreements]),
    ):
        if nodes:
            blocks += [Heading(title), Tree(nodes)]
    return blocks


def _attached_to(known: PolicyKnowledge) -> str:
    if known.service_linked_role:
        return f"Carried by the service-linked role {known.service_linked_role}; nobody else may attach it."
    alone = "" if known.attachable else " Only AWS attaches it."
    return f"For: {', '.join(known.attached_to)}.{alone}"
