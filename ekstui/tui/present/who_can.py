"""Who can do something, as rows: a policy each, and under it on what, under which conditions, and what it lacks."""

from collections.abc import Sequence

from ekstui.core.policy import version_label
from ekstui.core.text import clean_line
from ekstui.core.who_can import Holder, Since, WhoCan
from ekstui.present.blocks import Column
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, styled
from ekstui.present.wrapping import wrap
from ekstui.tui.present.permissions import LEVEL_TONES
from ekstui.tui.present.words import grant_words

COLUMNS = (
    Column("Policy", 16, share=3, middle=True), Column("", 4), Column("Since", 14), Column("Through", 10, share=2),
)  # fmt: skip

MOST_NAMES = 3
"""How many resource types are named; some actions have a hundred."""

_DENIED = {
    "full": "the policy itself denies all of it again",
    "partial": "the policy itself denies a part of it again",
    "unknown": "the policy itself may deny it again",
}


def who_can_rows(answer: WhoCan, width: int) -> list[Row]:
    """Return the policies as rows."""
    return [row for holder in answer.holders for row in _holder(holder, width)]


def since_words(since: Since) -> str:
    """Return where a run of versions begins: `v6 2026-03-04`, with `≤` where an older one may have it too."""
    day = f" {since.created:%Y-%m-%d}" if since.created else ""
    return f"{'≤' if since.at_latest else ''}{version_label(since.version)}{day}"


def level_words(level: str) -> Styled:
    """Return an access level with its tone."""
    return styled(level, LEVEL_TONES.get(level, "muted"))


def action_row(action: str, about: str = "") -> Row:
    """Return an action that may be meant, as a row that asks about it."""
    return Row(action, (((clean_line(action), ""), (f"  {about}" if about else "", "muted")),), action)


def _holder(holder: Holder, width: int) -> list[Row]:
    through: Styled = (
        ((clean_line(holder.pattern), ""),)
        if holder.via == "Action"
        else (("everything but ", "warn"), (clean_line(holder.pattern), "muted"))
    )
    arn = holder.policy.arn
    rows = [
        Row(
            arn,
            (
                styled(clean_line(holder.policy.name), "strong"),
                styled(version_label(holder.version), "muted"),
                styled(since_words(holder.since)),
                through,
            ),
            holder,
        )
    ]
    notes: list[tuple[str, Tone]] = [(f"on {grant_words(grant)}", "muted") for grant in holder.grants]
    if holder.denied:
        notes.append((f"denied: {_DENIED[holder.denied]}", "bad"))
    if not holder.applies:
        notes.append(("! the action cannot be used on any of these resources: this gives nothing", "warn"))
    elif holder.lacks:
        notes.append((f"covers {_listed(holder.covers, 'none of its types')}; lacks {_listed(holder.lacks)}", "warn"))
    if holder.since.at_latest:
        notes.append(("perhaps longer: the version before was not seen by anyone", "muted"))
    return rows + [
        Row((arn, index, part), ((("    ", ""), *line),), selectable=False)
        for index, note in enumerate(notes)
        for part, line in enumerate(wrap((note,), max(width - 4, 20)))
    ]


def _listed(names: Sequence[str], none: str = "none") -> str:
    """Return the names, or how many there are where they would fill the screen."""
    if len(names) > MOST_NAMES:
        return f"{clean_line(', '.join(names[:MOST_NAMES]))} and {len(names) - MOST_NAMES} more resource types"
    return clean_line(", ".join(names)) if names else none
