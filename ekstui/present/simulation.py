"""What IAM's own simulator decides, with all policies and without one layer after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ekstui.denial.answer import Explanation
from ekstui.present.blocks import Block, Column, Heading, Line, Sentence, Span, Table, TableRow, facts_table, note
from ekstui.present.verdicts import IN_A_WORD, STYLES

if TYPE_CHECKING:
    from ekstui.library.peeling import Peeled
    from ekstui.sources.aws.iam import SimulatedDecision

_SIMULATED = {"allowed": "allowed", "explicitDeny": "denied explicitly", "implicitDeny": "denied, nothing allows it"}
"""What IAM's simulator decides."""

_VERDICT_OF = {"allowed": "allowed", "explicitDeny": "explicit-deny", "implicitDeny": "implicit-deny"}

_PEELED = (Column("Left out", shrink=1), Column("Decision"))


def simulation_blocks(number: int, explanation: Explanation, peeled: Peeled) -> Iterator[Block]:
    """Yield what IAM's simulator decides with everything, and then without one layer after the other."""
    for decision in peeled.steps[0].decisions:
        yield Heading(f"IAM's own simulator: {_SIMULATED.get(decision.decision, decision.decision)}", 3)
        yield _simulated(decision)
    blocks: list[Block] = []
    if peeled.planned > 1:
        rows = [
            TableRow(
                (f"without {step.without}", _verdict(step.decision)),
                step,
                (number, "peel", step.without),
            )
            for step in peeled.steps[1:]
        ]
        blocks = [Sentence(Span(peeled.verdict, "strong"), key=(number, "peeled")), Table(_PEELED, rows)]
        if peeled.error is not None:
            blocks.append(note(f"Not every layer was asked about: {peeled.error}"))
        elif not peeled.complete:
            blocks.append(note(f"{len(peeled.steps)} of {peeled.planned} questions answered…"))
    if (difference := _simulator_differs(explanation, peeled)) is not None:
        blocks.append(note(difference))
    if blocks:
        yield from (Heading("Layer by layer, by IAM's own simulator", 3), *blocks)


def _verdict(decision: str) -> Span:
    verdict = _VERDICT_OF[decision]
    return Span(IN_A_WORD[verdict], STYLES[verdict])


def _simulator_differs(explanation: Explanation, peeled: Peeled) -> str | None:
    """Return what each did not know, if the simulator and ekstui decide differently; None if they agree."""
    decision = peeled.steps[0].decision
    if not explanation.judged or explanation.verdict == _VERDICT_OF[decision]:
        return None
    keys = dict.fromkeys(key for simulated in peeled.steps[0].decisions for key in simulated.missing_context)
    lacked = f" and was not given {', '.join(keys)}" if keys else ""
    unseen = ", ".join(explanation.not_looked_at) or "nothing that it knows of"
    return (
        f"ekstui and the simulator differ ({IN_A_WORD[explanation.verdict]}; {_SIMULATED.get(decision, decision)}). The "
        "simulator knows no policies of resources, resource control policies, session policies or VPC endpoint policies"
        f"{lacked}. ekstui did not look at: {unseen}."
    )


def _simulated(decision: SimulatedDecision) -> Table:
    about: list[tuple[str, Line]] = [
        ("resource", decision.resource),
        ("matched", ", ".join(decision.matched)),
        ("not given", ", ".join(decision.missing_context)),
        ("organisation", _allows(decision.allowed_by_organisation)),
        ("boundary", _allows(decision.allowed_by_boundary)),
    ]
    return facts_table([(word, text) for word, text in about if text])


def _allows(flag: bool | None) -> str:
    return "" if flag is None else "allows" if flag else "does not allow"
