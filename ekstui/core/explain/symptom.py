"""A text that is no denial of IAM, but that is known to come from one: what it means, and what a role lacks."""

from collections.abc import Sequence
from dataclasses import replace

from ekstui.core.evaluation import Request, Verdict, evaluate
from ekstui.core.explain.explain import explain
from ekstui.core.explain.explanation import Explanation, Policies
from ekstui.core.knowledge import Knowledge, Symptom
from ekstui.core.reference import Reference

_WORST_FIRST: tuple[Verdict, ...] = ("explicit-deny", "implicit-deny", "depends", "allowed")


def explain_symptom(
    symptoms: Sequence[Symptom], policies: Policies, principal: str | None, knowledge: Knowledge, reference: Reference
) -> Explanation:
    """Return what a text means, and which of the actions behind it the policies do not allow, if there are any.

    `symptoms` are one or more. The explanation is about the first action that is not allowed.
    """
    actions = tuple(dict.fromkeys(action for symptom in symptoms for action in symptom.actions))
    judged = bool(policies.identity) or policies.identity_known
    verdicts: dict[str, Verdict] = dict.fromkeys(actions, "depends")
    if judged:
        for action in actions:
            request = Request(action, principal=principal)
            verdicts[action] = evaluate(
                request, policies.identity, policies.boundary, policies.session, reference
            ).verdict
    worst = min(actions, key=lambda action: _WORST_FIRST.index(verdicts[action]), default=None)
    found = explain(Request(worst or "", principal=principal), policies, (), knowledge=knowledge, reference=reference)
    return replace(
        found,
        action=worst,
        verdict=verdicts[worst] if worst is not None and judged else "depends",
        symptoms=tuple(symptoms),
        nearest=found.nearest if judged else (),
        # What the text is about is only a part of what these would give.
        allowed_by=(),
        allowed_by_more=0,
        smallest_statement=None,
        missing_context=(),
        not_looked_at=found.not_looked_at if judged else (),
        also_authorised_on=(),
        hints=(),
        notes=_notes(verdicts) if judged else (),
    )


def _notes(verdicts: dict[str, Verdict]) -> tuple[str, ...]:
    lacking = [action for action, verdict in verdicts.items() if verdict in ("implicit-deny", "explicit-deny")]
    open_ones = [action for action, verdict in verdicts.items() if verdict == "depends"]
    notes: list[str] = []
    if lacking:
        notes.append(f"The policies looked at do not allow {', '.join(lacking)}.")
    if open_ones:
        notes.append(f"Whether they allow {', '.join(open_ones)} depends on the resource and the conditions.")
    if verdicts and not lacking and not open_ones:
        notes.append("The policies looked at allow all that this usually lacks.")
    return tuple(notes)
