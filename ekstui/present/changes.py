"""What AWS changed: a policy's timeline, and the feed across policies."""

from collections.abc import Sequence

from ekstui.core.knowledge import PolicyKnowledge
from ekstui.core.policy import Policy, version_label
from ekstui.core.steps import FeedStep, Step, StepCounts
from ekstui.present.blocks import Block, Column, Heading, Node, Span, Table, TableRow, Tree, code, reach_style

COLUMNS = (
    Column("Date", 10), Column("Policy", 12, share=1, middle=True, shrink=1), Column("Step", 8), Column("Reach", 11),
    Column("Change", 11),
)  # fmt: skip


def changes_table(steps: Sequence[FeedStep]) -> Table:
    """Return a step of any policy a row."""
    return Table(COLUMNS, [_row(step) for step in steps])


def timeline_blocks(policy: Policy, steps: Sequence[Step], knowledge: PolicyKnowledge | None) -> list[Block]:
    """Return a version a row, oldest first, with what it changed; numbers that nobody saw are named."""
    rows: list[TableRow] = []
    for step in steps:
        if step.missing_before:
            missing = numbers_words(step.missing_before)
            rows.append(TableRow((Span(missing, "muted"), Span("not seen by anyone", "muted"))))
        form = "%Y-%m-%d" if policy.home else "%Y-%m-%d %H:%M UTC"
        day = step.created.strftime(form) if step.created else "date unknown"
        last = Span(_through(policy, step) if policy.home else "default" if step.default else "", "good")
        rows.append(TableRow((version_label(step.version), day, _words(step.change), last), step, step.version))
    updates = [
        Node(
            (Span(version_label(update.version), "strong"), f": {update.text}"),
            [Node(Span(f"But: {update.disagreement}", "muted"))] if update.disagreement else (),
        )
        for update in (knowledge.updates if knowledge else ())
    ]
    blocks: list[Block] = [
        Heading(f"{policy.name}: {len(steps)} known {'documents' if policy.home else 'versions'}", 1),
        Table((Column(""), Column(""), Column("", 20, shrink=1), Column("")), rows),
    ]
    return [*blocks, Tree(updates)] if updates else blocks


def _through(policy: Policy, step: Step) -> str:
    """Return until which release a document of a controller stayed as it was."""
    info = next(info for info in policy.versions if info.number == step.version)
    return "" if info.through in (None, version_label(info.number)) else f"unchanged to {info.through}"


def numbers_words(numbers: Sequence[int]) -> str:
    """Return `v12`, or `v12–v16`."""
    first, last = version_label(numbers[0]), version_label(numbers[-1])
    return first if first == last else f"{first}–{last}"


def reach_span(counts: StepCounts) -> Span:
    """Return which way a step went, in a word or two."""
    return Span(counts.words or "first known", "muted" if counts.kind == "none" else reach_style(counts.reach))


def counts_spans(counts: StepCounts) -> tuple[Span, ...]:
    """Return how many grants a step added, removed and changed: `+1 −0 ~2`; nothing for none."""
    if counts.kind == "none":
        return ()
    return (
        Span(f"+{counts.added}", "added" if counts.added else "muted"),
        Span(f" −{counts.removed}", "removed" if counts.removed else "muted"),
        Span(f" ~{counts.changed}", "warn" if counts.changed else "muted"),
    )


def _words(counts: StepCounts | None) -> tuple[str | Span, ...]:
    if counts is None:
        return ("first known version",)
    amount = counts_spans(counts)
    if counts.reach == "unknown":
        return ("reach unknown, ", *amount)
    return (reach_span(counts), ", ", *amount) if amount else (reach_span(counts),)


def _row(step: FeedStep) -> TableRow:
    day = Span(f"{step.created:%Y-%m-%d}" if step.created else "unknown", "muted")
    if step.previous is None or step.change.reach is None:
        pair = "" if step.family == "access-policy" else version_label(step.version)
        new = (
            "new access policy"
            if step.family == "access-policy"
            else "new policy"
            if step.version == 1
            else "first known"
        )
        reach = Span(new, "accent")
        amount: tuple[Span, ...] = (Span(f"+{step.change.added}", "added"),) if step.change.added else ()
    else:
        pair = f"{version_label(step.previous)}→{version_label(step.version)}"
        reach, amount = reach_span(step.change), counts_spans(step.change)
    return TableRow((day, code(step.policy), Span(pair, "muted"), reach, amount), step, (step.policy, step.version))
