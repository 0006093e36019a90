"""An explanation as rows: the verdict, what came nearest, what would allow it, and what was not looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ekstui.core.document import serialise_statement
from ekstui.core.evaluation import RESOURCE, Failure, Verdict
from ekstui.core.explain import Allower, Explanation, NearStatement
from ekstui.core.explain.words import failure_in_words, simulated_in_words, verdict_in_words
from ekstui.core.policy import version_label
from ekstui.core.text import clean_line
from ekstui.core.where import PolicyAt
from ekstui.core.words import use_in_words
from ekstui.export.explain_shape import decode_command
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, styled
from ekstui.present.wrapping import wrap

if TYPE_CHECKING:
    from ekstui.sources.aws.simulation import SimulatedDecision

VERDICT_TONES: Mapping[Verdict, Tone] = {
    "allowed": "good", "explicit-deny": "bad", "implicit-deny": "bad", "depends": "warn",
}  # fmt: skip


def explanation_rows(explanation: Explanation, width: int, beside: Sequence[Row] = ()) -> list[Row]:
    """Return the explanation as rows; `beside` stands right below the verdict and what is said of it."""
    verdict: Styled = (
        (f"{clean_line(explanation.action)}: ", "strong"),
        (verdict_in_words(explanation.verdict), VERDICT_TONES[explanation.verdict]),
    )
    rows = _lines("verdict", verdict, width, indent="")
    rows += _about(explanation, width)
    for index, note in enumerate(explanation.notes):
        rows += _lines(("note", index), ((f"! {clean_line(note)}", "warn"),), width)
    rows += beside
    if explanation.nearest:
        rows += _section("Statements that allow it" if explanation.verdict == "allowed" else "Nearest statements")
        for index, near in enumerate(explanation.nearest):
            rows += _near(index, near, width)
    rows += _remedies(explanation, width)
    if explanation.also_authorised_on:
        names = ", ".join(f"{use.name}{'' if use.required else ' (if used)'}" for use in explanation.also_authorised_on)
        rows += _section("The same call is also authorised on")
        rows += _lines("also", styled(clean_line(names)), width)
    if explanation.hints:
        rows += _section("Such a call often needs")
        for index, hint in enumerate(explanation.hints):
            line: Styled = ((clean_line(", ".join(hint.needs)), "accent"), (f": {clean_line(hint.text)}", ""))
            rows += _lines(("hint", index), line, width)
    rows += _section("Not looked at")
    rows += _lines("unseen", styled(clean_line(", ".join(explanation.not_looked_at)), "muted"), width)
    if explanation.encoded is not None:
        rows += _section("More is in the encoded part; y copies the command that decodes it")
        command = decode_command(explanation.encoded)
        rows.append(Row("decode", (styled("  " + clean_line(command), "muted"),), Decoding(command)))
    return rows


def simulated_rows(decisions: Sequence[SimulatedDecision], width: int) -> list[Row]:
    """Return what IAM's own simulator says; it may differ from ours by what only one of the two knows."""
    rows: list[Row] = []
    for index, decision in enumerate(decisions):
        rows += _section(f"IAM's own simulator: {simulated_in_words(decision.decision)}", index)
        about = [("resource", decision.resource), ("matched", ", ".join(decision.matched)),
                 ("not told", ", ".join(decision.missing_context)),
                 ("organisation", _allows(decision.allowed_by_organisation)),
                 ("boundary", _allows(decision.allowed_by_boundary))]  # fmt: skip
        for word, text in about:
            if text:
                rows += _lines(("simulated", index, word), ((f"{word}: ", "muted"), (clean_line(text), "")), width)
    return rows


def _allows(flag: bool | None) -> str:
    return "" if flag is None else "allows" if flag else "does not allow"


@dataclass(frozen=True, slots=True)
class Decoding:
    """The command that decodes an encoded message."""

    command: str


def statement_json(explanation: Explanation) -> str:
    """Return the smallest statement that would allow the request as JSON; empty where none is offered."""
    statement = explanation.smallest_statement
    return "" if statement is None else json.dumps(serialise_statement(statement), indent=2)


def _about(explanation: Explanation, width: int) -> list[Row]:
    about = [("resource", explanation.resource or "not told")]
    if explanation.principal is not None:
        about.append(("principal", explanation.principal))
    if explanation.used_by:
        about.append(("used by", "; ".join(map(use_in_words, explanation.used_by))))
    if explanation.missing_context:
        told = ["an ARN" if key == RESOURCE else f"{key}=…" for key in explanation.missing_context]
        about.append(("to tell", f"{', '.join(told)}; i edits the question"))
    return [
        row
        for word, text in about
        for row in _lines(("about", word), ((f"{word}: ", "muted"), (clean_line(text), "")), width)
    ]


def _near(index: int, near: NearStatement, width: int) -> list[Row]:
    version = "" if near.version is None else f" {version_label(near.version)}"
    layer = "" if near.layer == "identity" else f" ({near.layer})"
    head: Styled = (
        (f"{clean_line(near.policy)}{version}", "strong"),
        (f", {clean_line(near.sid or f'statement {near.index + 1}')}{layer}", ""),
        (", a Deny" if near.effect == "Deny" else "", "bad"),
    )
    value = PolicyAt(near.policy, near.version) if near.version is not None else near
    rows = _lines(("near", index), head, width, value=value)
    for place, failure in enumerate(near.failed):
        rows += _lines(
            ("failed", index, place), (_cross(failure), (clean_line(failure_in_words(failure)), "")), width, "    "
        )
    return rows


def _cross(failure: Failure) -> tuple[str, Tone]:
    """Return a cross for what does not fit, a question mark for what was not told."""
    return ("? ", "warn") if failure.given is None and failure.part != "effect" else ("✗ ", "bad")


def _remedies(explanation: Explanation, width: int) -> list[Row]:
    rows: list[Row] = []
    if (newer := explanation.newer_version) is not None:
        rows += _section("A newer version allows it")
        day = f" ({newer.created:%Y-%m-%d})" if newer.created else ""
        text = f"{newer.policy} {version_label(newer.version)}{day}; in force is {version_label(newer.current)}"
        rows += _lines("newer", styled(clean_line(text), "good"), width, value=PolicyAt(newer.policy, newer.version))
    if explanation.allowed_by:
        rows += _section("Would allow it, if attached")
        for allower in explanation.allowed_by:
            value = PolicyAt(allower.policy, allower.version)
            rows += _lines(("allower", allower.policy), _allower(allower), width, value=value)
        if explanation.allowed_by_more:
            rows += _lines("more", ((f"and {explanation.allowed_by_more} more; w lists them", "muted"),), width)
    if text := statement_json(explanation):
        rows += _section("Smallest statement that allows it; y copies it")
        rows += [
            Row(("statement", index), (styled(f"  {clean_line(line)}"),), selectable=False)
            for index, line in enumerate(text.splitlines())
        ]
    return rows


def _allower(allower: Allower) -> Styled:
    day = f" ({allower.since.created:%Y-%m-%d})" if allower.since.created else ""
    since = f"since {'at latest ' if allower.since.at_latest else ''}{version_label(allower.since.version)}{day}"
    remarks = [*(["by a wildcard"] if allower.wildcard else []),
               *([f"if {', '.join(allower.missing)}"] if allower.missing else [])]  # fmt: skip
    return (
        (clean_line(allower.policy), "accent"),
        (f" {version_label(allower.version)} {since}", ""),
        (f"  {clean_line('; '.join(remarks))}" if remarks else "", "muted"),
    )


def _section(title: str, number: int = 0) -> list[Row]:
    return [
        Row(("space", title, number), (styled(""),), selectable=False),
        Row(("section", title, number), (styled(clean_line(title), "strong"),), selectable=False),
    ]


def _lines(key: object, line: Styled, width: int, indent: str = "  ", *, value: object = None) -> list[Row]:
    return [
        Row((repr(key), part), (((indent if not part else indent + "  ", ""), *piece),), None if part else value,
            selectable=value is not None and not part)
        for part, piece in enumerate(wrap(line, max(width - len(indent) - 2, 20)))
    ]  # fmt: skip
