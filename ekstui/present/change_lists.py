"""What changed: one policy's timeline, the feed of all policies, and pinned policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import Policy, version_label, version_range
from ekstui.eks.knowledge import Knowledge, PolicyKnowledge, Update
from ekstui.iam.text import clean_line
from ekstui.present.blocks import (
    Block,
    Code,
    Column,
    Heading,
    Line,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    code,
    iso_day,
    reach_style,
    verdict_span,
)
from ekstui.present.styled import Row, Styled, plain, styled
from ekstui.present.time_line import in_force_words, legend, step_sign, time_line

if TYPE_CHECKING:
    from ekstui.change.steps import FeedStep, Step, StepCounts
    from ekstui.library.pins import PinChange

STEP_COLUMNS = (
    Column("Date", 10), Column("Policy", 12, share=1, names=True, shrink=1), Column("Step", 8), Column("Reach", 11),
    Column("Change", 11), Column("", 1, share=1, shrink=2),
)  # fmt: skip


_NEVER_RECORDED = "never recorded"

LINE_WIDTH = 72
"""The length of the line of time, in columns."""


def changes_table(steps: Sequence[FeedStep], knowledge: Knowledge) -> Table:
    """Return one row per step, of any policy, with the reason that is known for it."""
    return Table(STEP_COLUMNS, [_row(step, knowledge) for step in steps])


def period_words(since: datetime, known_until: datetime, left_out: int) -> str:
    """Return the period of the feed, and how many steps that changed nothing are left out."""
    remark = f"; {left_out} steps that changed nothing are left out (--all shows them)" if left_out else ""
    return f"Since {since:%Y-%m-%d}, known until {known_until:%Y-%m-%d}{remark}."


def beyond_words(since: datetime, known_until: datetime, *, is_part_known: bool, renewable: bool) -> str:
    """Return that the period starts after the data of a family end, so that at most a part is listed."""
    hint = " Run ekstui sync." if renewable else ""
    return (
        f"{'Not all' if is_part_known else 'Nothing'} can be listed: what changed since {since:%Y-%m-%d} is not "
        f"{'fully known, since some' if is_part_known else 'known, since the'} policies are known until "
        f"{known_until:%Y-%m-%d}.{hint}"
    )


def undated_words(versions: Sequence[tuple[str, int]]) -> str:
    """Return which versions may also belong to the period."""
    names = ", ".join(f"{name} {version_label(number)}" for name, number in versions)
    return f"Not listed, since their dates are unknown: {names}."


def no_change_words(*, attached: bool, is_account_known: bool) -> str:
    """Return why the feed has no step; `attached` asks for policies that the account has attached."""
    if attached and not is_account_known:
        return "No account was read yet, so it is not known what is attached; a lists the profiles."
    subject = "Nothing attached in the account" if attached else "Nothing"
    return f"{subject} changed in this period, as far as is known."


def step_about(step: FeedStep, knowledge: Knowledge, entity_count: int | None) -> Line:
    """Return why AWS made a version, and how many in the account have the policy attached; None if unknown."""
    if step.family == "access-policy":
        access = knowledge.access_policies.get(step.policy)
        return code(step.policy, "strong"), f"  {access.text}" if access else ""
    reason = _reason(step, knowledge)
    attachment_words = "" if entity_count is None else f"  attached to {entity_count} in the account"
    name = code(f"{step.policy} {version_label(step.version)}", "strong")
    return name, f"  {reason}" if reason else "", Span(attachment_words, "muted")


def _remark(policy: Policy, step: Step) -> str:
    """Return `in force` or `newest`; or, for a controller's policy, to which release the version is unchanged."""
    last = next((info.through for info in policy.versions if info.number == step.version), None)
    remarks = (
        in_force_words(policy) if step.default else "",
        f"unchanged to {last}" if last not in (None, version_label(step.version)) else "",
    )
    return ", ".join(filter(None, remarks))


def timeline_blocks(
    policy: Policy, steps: Sequence[Step], knowledge: PolicyKnowledge | None, until: datetime
) -> list[Block]:
    """Return the line of time up to `until`, and a row per version, oldest first, also for unrecorded ones."""
    form = "%Y-%m-%d" if policy.home else "%Y-%m-%d %H:%M UTC"
    rows: list[TableRow] = []
    for step in steps:
        if step.missing_before:
            missing = version_range(step.missing_before)
            rows.append(TableRow(("", Span(missing, "muted"), Span(_NEVER_RECORDED, "muted"))))
        day = step.created.strftime(form) if step.created else "date unknown"
        change = tuple(Span(*piece) for piece in _change(step.change))
        sign, remark = Span(*step_sign(step)), Span(_remark(policy, step), "good")
        rows.append(TableRow((sign, version_label(step.version), day, change, remark), step, step.version))
    updates = [*map(_update, knowledge.updates if knowledge else ())]
    lines = [plain(line).rstrip() for line in time_line(steps, until, LINE_WIDTH)]
    blocks: list[Block] = [
        Heading(f"{policy.name}: {len(steps)} known {'documents' if policy.home else 'versions'}", 1),
        *([Code("\n".join((*lines, "", legend(steps, in_force_words(policy)))), "text")] if lines else []),
        Table((Column(""), Column(""), Column(""), Column("", 20, shrink=1), Column("")), rows),
    ]
    return [*blocks, Tree(updates)] if updates else blocks


def pane_rows(policy: Policy, steps: Sequence[Step], letters: Mapping[int, str]) -> list[Row]:
    """Return the rows of versions for a pane, newest first; `letters` has those of marked versions by number."""
    rows: list[Row] = []
    for step in reversed(steps):
        number = step.version
        mark = letters.get(number)
        sign: Styled = styled(mark, "accent") if mark else (step_sign(step),)
        label = styled(version_label(number), "strong" if step.default else "")
        day = styled(f"{step.created:%Y-%m-%d}") if step.created else styled("unknown", "muted")
        words = _remark(policy, step)
        remark = styled(f" · {words}", "strong" if step.default else "muted") if words else ()
        rows.append(Row(number, (sign, label, day, (*_change(step.change), *remark)), step))
        if step.missing_before:
            missing = f"  {version_range(step.missing_before)} {_NEVER_RECORDED}"
            rows.append(Row(("missing", number), (styled(missing, "muted"),), selectable=False))
    return rows


def version_line(step: Step, knowledge: PolicyKnowledge | None) -> Styled:
    """Return why AWS made a version, and where its announcement contradicts the document."""
    day = f" {step.created:%Y-%m-%d}" if step.created else ""
    head: Styled = ((f"{version_label(step.version)}{day}", "strong"), ("  ", ""))
    update = knowledge.update(step.version) if knowledge else None
    if update is None:
        return (*head, *_change(step.change), ("  reason not known", "muted"))
    but: Styled = (("  but: ", "warn"), (clean_line(update.disagreement), "")) if update.disagreement else ()
    return (*head, (clean_line(update.text), ""), *but)


def _change(counts: StepCounts | None) -> Styled:
    if counts is None or counts.reach is None:
        return styled("first known", "muted")
    if counts.kind == "none":
        return styled("no change", "muted")
    return (
        (f"+{counts.added} " if counts.added else "", "added"),
        (f"−{counts.removed} " if counts.removed else "", "removed"),
        (f"~{counts.changed} " if counts.changed else "", "warn"),
        (counts.words, reach_style(counts.reach)),
    )


def _update(update: Update) -> Node:
    but = [Node(Span(f"But: {update.disagreement}", "muted"))] if update.disagreement else ()
    return Node((Span(version_label(update.version), "strong"), f": {update.text}"), but)


def reach_span(counts: StepCounts) -> Span:
    """Return how a step changed access, in a word or two."""
    return Span(counts.words or "first known", "muted" if counts.kind == "none" else reach_style(counts.reach))


def counts_spans(counts: StepCounts) -> tuple[Span, ...]:
    """Return how many grants a step added, removed and changed, as `+1 −0 ~2`; nothing if it changed none."""
    if counts.kind == "none":
        return ()
    return (
        Span(f"+{counts.added}", "added" if counts.added else "muted"),
        Span(f" −{counts.removed}", "removed" if counts.removed else "muted"),
        Span(f" ~{counts.changed}", "warn" if counts.changed else "muted"),
    )


def _reason(step: FeedStep, knowledge: Knowledge) -> str:
    """Return why AWS made a version; empty if that is not known."""
    notes = knowledge.policies.get(step.policy)
    return next((update.text for update in notes.updates if update.version == step.version), "") if notes else ""


def _row(step: FeedStep, knowledge: Knowledge) -> TableRow:
    day = Span(iso_day(step.created, "unknown"), "muted")
    if step.previous is None or step.change.reach is None:
        is_access = step.family == "access-policy"
        pair = "" if is_access else version_label(step.version)
        new = "new access policy" if is_access else "new policy" if step.version == 1 else "first known"
        reach = Span(new, "strong")
        amount: tuple[Span, ...] = (Span(f"+{step.change.added}", "added"),) if step.change.added else ()
    else:
        pair = f"{version_label(step.previous)}→{version_label(step.version)}"
        reach, amount = reach_span(step.change), counts_spans(step.change)
    cells = (day, code(step.policy), Span(pair, "muted"), reach, amount, _reason(step, knowledge))
    return TableRow(cells, step, (step.policy, step.version))


def moved_blocks(moves: Sequence[PinChange], pin_count: int) -> list[Block]:
    """Return a summary, then one row per policy that has changed."""
    nouns = "policy" if pin_count == 1 else "policies"
    if not moves:
        return [Sentence(f"None of {pin_count} pinned {nouns} has changed.")]
    columns = Column("Policy", 16, shrink=2), Column("Pinned", 6), Column("Now", 5), Column("Meaning", 20, shrink=1)
    rows = [
        (
            code(pin.pin.name),
            version_label(pin.pin.version),
            version_label(pin.version) if pin.version else "gone",
            verdict_span(pin.change) if pin.change else Span(pin.reason, "warn"),
        )
        for pin in moves
    ]
    summary = f"{len(moves)} of {pin_count} pinned {nouns} {'has' if len(moves) == 1 else 'have'} changed."
    return [Sentence(summary), Table(columns, [*map(TableRow, rows)])]
