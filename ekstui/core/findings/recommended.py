"""What EKS itself says that an add-on needs, where nothing is known here of that add-on."""

from collections.abc import Iterator

from ekstui.core.account import Use
from ekstui.core.eks import Addon
from ekstui.core.findings.conditions import all_hold
from ekstui.core.findings.finding import (
    Finding,
    RoleInUse,
    Surroundings,
    a_note_if_unseen,
    described,
    listed,
    unseen_evidence,
)
from ekstui.core.findings.permissions import comes_second, hands_over
from ekstui.core.knowledge import Knowledge


def recommended_policies(subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> Iterator[Finding]:
    """Yield a finding for each add-on whose role has not what EKS recommends for it.

    EKS recommends policies, not actions, so another policy may give the same: a note, unless the role has none at all
    and EKS says that the add-on needs permissions.
    """
    if not subject.known_whole:
        return
    for use in subject.uses:
        addon = surroundings.addon(use)
        if addon is None or use.certainty != "confirmed" or comes_second(use, surroundings):
            continue
        if hands_over(use, subject, surroundings) or _judged_by_actions(use, subject, surroundings, knowledge):
            continue
        missing = [arn for arn in _recommended(addon, use) if all(policy.arn != arn for policy in subject.policies)]
        names = listed([arn.rsplit("/", 1)[-1] for arn in missing])
        recommends = f"EKS recommends {names} for the add-on {addon.name}" if names else ""
        evidence = (described(use), *(f"recommended: {arn}" for arn in missing), *unseen_evidence(subject))
        if addon.requires_permissions and not subject.policies:
            text = f"EKS says that the add-on {addon.name} needs permissions, and the role carries no policy."
            severity = a_note_if_unseen("problem", subject)
            yield Finding("missing-policy", severity, f"{text} {recommends}.".replace(" .", ""), evidence)
        elif missing:
            attached = "they are not attached" if missing[1:] else "it is not attached"
            text = f"{recommends}; {attached}. Another policy may give what is needed."
            yield Finding("missing-policy", "note", text, evidence)


def _recommended(addon: Addon, use: Use) -> tuple[str, ...]:
    """Return the ARNs that EKS recommends for the use's service account, or for any where it is not told."""
    recommended = addon.recommended_policies or ()
    return tuple(arn for account, arns in recommended if use.service_account in (None, account) for arn in arns)


def _judged_by_actions(use: Use, subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> bool:
    return any(
        use.kind in requirement.uses and all_hold(requirement.when, use, subject, surroundings) is not False
        for requirement in knowledge.requirements
    )
