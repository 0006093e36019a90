"""A symptom held against policies and the account: which policies allow what is missing, and whose roles lack it."""

from __future__ import annotations

from ekstui.eks.account_snapshot import Role, Use, attachments_of
from ekstui.eks.knowledge import Symptom
from ekstui.library.library import Library
from ekstui.library.principals_can import principals_can
from ekstui.library.searching import who_can_answer
from ekstui.named_tuples import NamedTuple


class PolicyOfSymptom(NamedTuple):
    """A policy that a symptom names."""

    name: str
    lacks: tuple[str, ...]
    """The missing actions that its default version does not allow either."""


class RoleOfSymptom(NamedTuple):
    """A role of the account that has one of these policies."""

    role: Role
    uses: tuple[Use, ...]
    lacks: tuple[str, ...]
    """The missing actions that none of its policies allows."""


class SymptomAnswer(NamedTuple):
    """A symptom, and what it has to do with the policies and the account."""

    symptom: Symptom
    policies: tuple[PolicyOfSymptom, ...]
    roles: tuple[RoleOfSymptom, ...] | None
    """None if no account is known."""


def symptom_answer(library: Library, symptom: Symptom) -> SymptomAnswer:
    """Return which of a symptom's policies allow what is missing, and which roles with these policies lack it."""
    allowing = {
        action: {holder.policy.name for holder in who_can_answer(library, action, scope="all", types=False).holders}
        for action in symptom.actions
    }
    policies = tuple(
        PolicyOfSymptom(name, tuple(action for action, names in allowing.items() if name not in names))
        for name in symptom.policies
    )
    return SymptomAnswer(symptom, policies, _roles(library, symptom))


def _roles(library: Library, symptom: Symptom) -> tuple[RoleOfSymptom, ...] | None:
    snapshot = library.account.last_snapshot()
    if snapshot is None:
        return None
    able = {
        action: {can.subject.arn for can in principals_can(library, action).principals} for action in symptom.actions
    }
    uses = library.account.uses(snapshot)
    arns = [library.find(name).policy.arn for name in symptom.policies]
    roles = {attachment.role.arn: attachment.role for arn in arns for attachment in attachments_of(snapshot, arn).roles}
    answers = [
        RoleOfSymptom(role, tuple(uses.get(arn or "", ())), tuple(action for action in able if arn not in able[action]))
        for arn, role in roles.items()
    ]
    return tuple(sorted(answers, key=lambda answer: (not answer.lacks, answer.role.name)))
