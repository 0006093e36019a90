"""The timeline of a policy as rows."""

from collections.abc import Mapping, Sequence

from ekstui.core.knowledge import PolicyKnowledge
from ekstui.core.policy import version_label
from ekstui.core.steps import Quarters, Step, StepCounts, quarter_label
from ekstui.core.text import clean_line
from ekstui.present.styled import Row, Style, Styled, styled
from ekstui.tui.signs import BARS

REACH_TONES: Mapping[str, Style] = {
    "same": "muted",
    "widened": "warn",
    "narrowed": "good",
    "mixed": "warn",
    "unknown": "muted",
}


def sparkline(quarters: Quarters, width: int, *, bars: bool) -> Styled:
    """Return the changes per quarter as one line of `width` columns: `…2 22Q4 ▁▂▁▁█ 26Q3 max 3`; empty without a change.

    Where not all quarters fit the last ones are shown, behind the number of the changes before. Without `bars` each
    quarter is its digit, `+` for more than nine.
    """
    most = max(quarters.counts)
    if not most:
        return ()
    undated = f", {quarters.undated} undated" if quarters.undated else ""
    words = f" max {most}{undated}"
    # The labels of both ends, each with a space, and before them the changes that do not fit.
    room = max(width - len(words) - 10, 1)
    before = ""
    if len(quarters.counts) > room:
        room = max(room - 4, 1)
        earlier = sum(quarters.counts[:-room])
        before = f"…{earlier} " if earlier else ""
    shown = quarters.counts[-room:]
    last = quarters.first + len(quarters.counts) - 1
    scale = len(BARS) - 1
    signs = "".join(
        BARS[(count * scale + most - 1) // most] if bars else "_" if not count else str(count) if count < 10 else "+"
        for count in shown
    )
    return (
        (f"{before}{quarter_label(last - len(shown) + 1)} ", "muted"),
        (signs, "accent"),
        (f" {quarter_label(last)}{words}", "muted"),
    )


def version_rows(steps: Sequence[Step], shown: int | None, marked: Mapping[int, str]) -> list[Row]:
    """Return a timeline as rows, newest first; numbers that nobody saw and steps that change nothing say so.

    `marked` has the letters of the marked versions.
    """
    rows: list[Row] = []
    for step in reversed(steps):
        here = step.version == shown
        sign: Styled = (
            styled(marked[step.version], "accent")
            if step.version in marked
            else styled("●" if here else "○", "accent" if here else "muted")
        )
        label = styled(version_label(step.version), "strong" if step.default else "")
        day = step.created.strftime("%Y-%m-%d") if step.created else "unknown"
        when = styled(day, "" if step.created else "muted")
        rows.append(Row(step.version, (sign, label, when, change(step.change, default=step.default)), step))
        if step.missing_before:
            unseen = styled(f"  {_numbers(step.missing_before)} not seen by anyone", "muted")
            rows.append(Row(("missing", step.version), (unseen,), selectable=False))
    return rows


def version_line(step: Step, knowledge: PolicyKnowledge | None) -> Styled:
    """Return why AWS made a version, and where what it announced and the document differ."""
    day = f" {step.created:%Y-%m-%d}" if step.created else ""
    head: Styled = ((f"{version_label(step.version)}{day}", "strong"), ("  ", ""))
    update = knowledge.update(step.version) if knowledge else None
    if update is None:
        return (*head, *change(step.change, default=step.default), ("  why is not known", "muted"))
    but: Styled = (("  but: ", "warn"), (clean_line(update.disagreement), "")) if update.disagreement else ()
    return (*head, (clean_line(update.text), ""), *but)


def change(counts: StepCounts | None, *, default: bool = False) -> Styled:
    """Return what a step changed in a few words: `+1 −0 ~2 widened`, `no change`, `first known`."""
    tail: Styled = ((" in force", "accent"),) if default else ()
    if counts is None or counts.reach is None:
        return (("first known", "muted"), *tail)
    if counts.kind == "none":
        return (("no change", "muted"), *tail)
    parts: list[tuple[str, Style]] = []
    if counts.added:
        parts.append((f"+{counts.added} ", "added"))
    if counts.removed:
        parts.append((f"−{counts.removed} ", "removed"))
    if counts.changed:
        parts.append((f"~{counts.changed} ", "warn"))
    parts.append((counts.words, REACH_TONES[counts.reach]))
    return (*parts, *tail)


def _numbers(numbers: Sequence[int]) -> str:
    """Return `v12`, or `v12–v16`."""
    first, last = version_label(numbers[0]), version_label(numbers[-1])
    return first if first == last else f"{first}–{last}"
