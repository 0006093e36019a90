"""What is known of a policy beyond its document, as rows above what it permits."""

from collections.abc import Sequence

from ekstui.core.knowledge import PolicyKnowledge, Symptom
from ekstui.core.text import clean_line
from ekstui.library import PolicyEntry
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone
from ekstui.present.wrapping import wrap


def about_rows(
    entry: PolicyEntry, known: PolicyKnowledge | None, symptoms: Sequence[Symptom], width: int, *, whole: bool
) -> list[Row]:
    """Return what a policy is for and what to beware of; with `whole` its notes too, and what it is paged for."""
    lines: list[tuple[str, Tone, str, Tone]] = []
    if entry.policy.withdrawn:
        lines.append(("! ", "warn", "AWS does not list it any more; what is known of it is kept", "warn"))
    if known is None:
        return [row for index, line in enumerate(lines) for row in _lines(index, line, width)]
    more = (len(known.notes) + len(known.disagreements) + len(symptoms)) if not whole else 0
    lines.append(("for: ", "muted", known.purpose + (f" (i: {more} notes)" if more > 1 else ""), ""))
    if known.superseded_by:
        lines.append(("! ", "warn", f"superseded by {', '.join(known.superseded_by)}", "warn"))
    if known.access_policy:
        lines.append(("! ", "warn", "an EKS access policy has the same name; that one is no IAM policy", "warn"))
    if whole:
        lines += _whole(known, symptoms)
    return [row for index, line in enumerate(lines) for row in _lines(index, line, width)]


def _whole(known: PolicyKnowledge, symptoms: Sequence[Symptom]) -> list[tuple[str, Tone, str, Tone]]:
    lines: list[tuple[str, Tone, str, Tone]] = []
    if known.attached_to:
        lines.append(("carried by: ", "muted", ", ".join(known.attached_to), ""))
    if not known.attachable:
        lines.append(("", "", "only AWS attaches it", "muted"))
    if known.supersession:
        lines.append(("what that changes: ", "muted", known.supersession, ""))
    if known.narrower:
        lines.append(("narrower: ", "muted", ", ".join(known.narrower), ""))
    if known.unused:
        lines.append(("no longer used by EKS: ", "muted", ", ".join(known.unused), ""))
    lines += [("note: ", "muted", note, "") for note in known.notes]
    lines += [("but: ", "warn", text, "") for text in known.disagreements]
    for symptom in symptoms:
        lines.append(("paged for: ", "accent", f"{symptom.symptom}: {symptom.answer}", ""))
    return lines


def _lines(key: int, line: tuple[str, Tone, str, Tone], width: int) -> list[Row]:
    word, word_tone, text, tone = line
    whole: Styled = ((word, word_tone), (clean_line(text), tone))
    return [
        Row(("about", key, part), (piece if not part else (("  ", ""), *piece),), selectable=False)
        for part, piece in enumerate(wrap(whole, max(width - 2, 20)))
    ]
