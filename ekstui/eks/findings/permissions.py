"""What a role may not do although EKS requires or recommends it, judged by actions, not by the names of policies.

An action counts as allowed if some request with it may be: conditions and resources are not checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Addon
from ekstui.eks.findings.conditions import (
    SERVICE_ROLE_SINCE,
    applies,
    condition_holds_for,
    condition_in_words,
    running_release,
)
from ekstui.eks.findings.subjects import AccountContext, RoleInUse, unseen_evidence, use_as_evidence
from ekstui.eks.findings.table import TITLE_WIDTH, Case, Severity, downgraded_if_uses_unknown, finding
from ekstui.eks.knowledge import Knowledge, Requirement
from ekstui.errors import DocumentError
from ekstui.iam.arn import overlaps_resource
from ekstui.iam.document import Statement, parse_text
from ekstui.iam.evaluation import AppliedPolicy, Layer, evaluate
from ekstui.iam.grants import allows_action, statement_may_match
from ekstui.iam.request import Request
from ekstui.iam.text import counted, listed
from ekstui.iam.truth import Truth

_ORDINARY = "not-local-outpost"
"""A condition that holds for a cluster unless something says otherwise."""

NAMED_ACTIONS = 3
"""The most missing actions named in a finding's text; the evidence names all."""


@finding(
    "missing-policy",
    "problem",
    "lacks actions that EKS requires",
    about="role",
    needs=("policies",),
    meaning="The role's policies together do not allow what EKS or an add-on requires of it; a note where that may not "
    "apply.",
    change="allow these actions in one of its policies",
)
def missing_permissions(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each need of the role's uses that it does not certainly meet, then what EKS recommends for add-ons."""
    for requirement in account.knowledge.requirements:
        certain: list[Use] = []
        possible: list[Use] = []
        for use in subject.uses:
            if use.kind in requirement.uses and not only_assumes_target_role(use, subject, account):
                applies_here = applies(requirement, use, subject, account)
                if applies_here is None and use.certainty == "inferred" and use.kind == "cluster":
                    applies_here = _suits(requirement, subject, account.knowledge)
                if applies_here and use.certainty == "confirmed" and not may_be_overruled(use, account):
                    certain.append(use)
                elif applies_here is not False:
                    possible.append(use)
        if case := _case(requirement, certain, possible, subject, account):
            yield case
    yield from _recommended_policies(subject, account)


def _suits(requirement: Requirement, subject: RoleInUse, knowledge: Knowledge) -> bool:
    """Return whether a requirement is worth a note for a role that only looks like a cluster role.

    A requirement that does not apply to every cluster counts only if the role has a policy for it.
    """
    if requirement.when == (_ORDINARY,):
        return not any(map(subject.has_attached, _usual_policies(("local-outpost",), knowledge)))
    made_after = subject.role.created is not None and subject.role.created >= SERVICE_ROLE_SINCE
    if "created-before-2020-04-16" in requirement.when and made_after:
        return False
    return any(map(subject.has_attached, _usual_policies(requirement.when, knowledge)))


def _usual_policies(situations: tuple[str, ...], knowledge: Knowledge) -> set[str]:
    return {
        name
        for requirement in knowledge.requirements
        if requirement.when == situations
        for name in requirement.policies
    }


def only_assumes_target_role(use: Use, subject: RoleInUse, account: AccountContext) -> bool:
    """Return whether the role only assumes its association's target role, which then needs the permissions."""
    association = account.association(use)
    target = None if association is None else association.target_role_arn
    return target is not None and target != subject.role.arn


def may_be_overruled(use: Use, account: AccountContext) -> bool:
    """Return whether pods get another role than the add-on's, or do if an agent runs that EKS does not show."""
    addon = account.addon(use)
    return bool(use.overruled) or (addon is not None and bool(addon.association_arns) and use.service_account is None)


def _case(
    requirement: Requirement, certain: list[Use], possible: list[Use], subject: RoleInUse, account: AccountContext
) -> Case | None:
    uses = certain or possible
    if not uses:
        return None
    lacking, unknown, affected_uses = missing_actions(requirement.actions, uses, subject)
    if lacking:
        condition = "" if certain else _only_where(requirement, possible, subject, account)
        severity: Severity = "problem" if certain and not requirement.optional else "note"
        return _lacks(requirement, severity, lacking, affected_uses, condition)
    evidence = tuple(map(use_as_evidence, uses))
    if unknown:
        unread = listed(subject.policies_not_read or ["the session policy of its association"])
        text = f"Whether it may {requirement.name} is not known: {unread} could not be read."
        evidence = (*evidence, f"undecided: {', '.join(unknown)}")
        return Case(text, evidence, uses, "note", "cannot tell whether it has what it needs", undecided=True)
    if certain and requirement.policies and not any(map(subject.has_attached, requirement.policies)):
        text = _otherwise_covered(requirement, subject)
        return Case(text, evidence, uses, "note", "another policy covers what it needs")
    return None


def _lacks(
    requirement: Requirement, severity: Severity, lacking: dict[str, str], affected_uses: list[Use], condition: str
) -> Case:
    usual = f" ({listed(requirement.policies, 'or')} gives that)" if requirement.policies else ""
    actions = list(lacking)
    every, total = len(actions) == len(requirement.actions), len(requirement.actions)
    action_words = f"all {total} actions" if every else f"{len(actions)} of the {total} actions"
    names = f"{listed(actions)}," if len(actions) <= NAMED_ACTIONS else action_words
    need = f"{names} needed to {requirement.name}{f' where {condition}' if condition else ''}{usual}"
    causes = (f"{action}: {cause}" for action, cause in lacking.items() if cause)
    # A policy helps only where no other allows it, not against a boundary, a session policy or a Deny.
    policies = () if any(lacking.values()) else requirement.policies
    title = f"lacks {policies[0] if policies and every and severity == 'problem' else listed(actions)}"
    return Case(
        f"It lacks {need}. Until it has {'it' if len(actions) == 1 else 'them'}, {requirement.consequence}.",
        (*map(use_as_evidence, affected_uses), f"lacks {', '.join(actions)}", *causes),
        affected_uses,
        severity,
        title if len(title) <= TITLE_WIDTH else f"lacks {counted(len(actions), 'action')} that it needs",
        policies,
        only_if=condition or ("you need it" if severity == "note" else ""),
    )


def _otherwise_covered(requirement: Requirement, subject: RoleInUse) -> str:
    several = len(requirement.policies) > 1
    usual = f"None of {listed(requirement.policies)} is" if several else f"{requirement.policies[0]} is not"
    covering = [
        policy.name
        for policy in subject.policies
        if policy.document is not None and any(allows_action(policy.document, action) for action in requirement.actions)
    ]
    return f"{usual} attached; what is needed to {requirement.name} is covered by {listed(covering)}."


def missing_actions(
    actions: Iterable[str], uses: Iterable[Use], subject: RoleInUse
) -> tuple[dict[str, str], list[str], list[Use]]:
    """Return the missing actions with the cause, the undecided actions, and the uses that lack an action."""
    lacking: dict[str, str] = {}
    unknown: list[str] = []
    affected_uses: list[Use] = []
    decisions: dict[tuple[AppliedPolicy, ...] | None, list[tuple[str, Truth, str]]] = {}
    for use in uses:
        session = _session(use)
        if session not in decisions:
            decisions[session] = [(action, *_is_allowed(action, subject, session)) for action in actions]
        for action, is_allowed, reason in decisions[session]:
            if is_allowed is False:
                lacking.setdefault(action, reason)
                if use not in affected_uses:
                    affected_uses.append(use)
            elif is_allowed is None and action not in unknown:
                unknown.append(action)
    return lacking, unknown, affected_uses


def _is_allowed(action: str, subject: RoleInUse, session: tuple[AppliedPolicy, ...] | None) -> tuple[Truth, str]:
    """Return whether some request with the action may be allowed, and if not, what prevents it."""
    identity = [applied_policy for policy in subject.policies if (applied_policy := policy.applied()) is not None]
    boundary = subject.boundary.applied() if subject.boundary else None
    decision = evaluate(Request(action), identity, boundary, session or ())
    if decision.verdict == "explicit-deny":
        return False, "an explicit deny"
    if decision.verdict == "implicit-deny":
        return _withheld(action, subject, decision.decisive.decided_by, boundary)
    unread_boundary = subject.boundary is not None and boundary is None
    return (None, "") if unread_boundary or session is None else (True, "")


def _withheld(
    action: str, subject: RoleInUse, decided_by: Layer | None, boundary: AppliedPolicy | None
) -> tuple[Truth, str]:
    """Return whether an action that nothing denies is certainly not allowed, and what prevents it."""
    if boundary is not None and decided_by == "boundary":
        return False, f"withheld by the permissions boundary {boundary.name}"
    if decided_by == "session":
        return False, "withheld by the session policy of the association"
    if any(policy.document is None for policy in subject.policies):
        return None, ""
    if boundary is not None and evaluate(Request(action), [boundary]).verdict.endswith("-deny"):
        return False, f"the permissions boundary {boundary.name} does not allow it either"
    return False, ""


def _session(use: Use) -> tuple[AppliedPolicy, ...] | None:
    """Return the session policy of a Pod Identity association, if any; None if it is unreadable."""
    if use.session_policy is None:
        return ()
    try:
        return (AppliedPolicy("the session policy", None, parse_text(use.session_policy)),)
    except DocumentError:
        return None


def _only_where(requirement: Requirement, uses: list[Use], subject: RoleInUse, account: AccountContext) -> str:
    """Return which conditions of a requirement may or may not hold, as the end of `only if …`; empty if all do."""
    undecided_conditions = [
        condition_in_words(name)
        for name in requirement.when
        if any(
            condition_holds_for(name, use, subject, account) is None
            for use in uses
            if name != _ORDINARY or use.certainty == "confirmed"
        )
    ]
    if (releases := requirement.releases) is not None:
        running = (running_release(releases, use, account) for use in uses)
        undecided_conditions += dict.fromkeys(
            releases.unsure(version) for version in running if releases.includes(version) is None
        )
    return listed(undecided_conditions)


def _recommended_policies(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each add-on whose role lacks the policies that EKS recommends.

    Another policy may allow the same, so this is a note, unless the role has no policy at all and EKS says that the
    add-on needs permissions.
    """
    for use in subject.uses:
        addon = account.addon(use)
        if addon is None or not _is_judged_by_policies(use, subject, account):
            continue
        missing = [arn for arn in _recommended(addon, use) if all(policy.arn != arn for policy in subject.policies)]
        names = listed([arn.rsplit("/", 1)[-1] for arn in missing])
        recommends = f"EKS recommends {names} for the add-on {addon.name}" if names else ""
        evidence = (use_as_evidence(use), *(f"recommended: {arn}" for arn in missing), *unseen_evidence(subject))
        if addon.requires_permissions and not subject.policies:
            text = f"EKS says that the add-on {addon.name} needs permissions, but the role has no policy attached."
            severity = downgraded_if_uses_unknown("problem", subject)
            text = f"{text} {recommends}.".replace(" .", "")
            yield Case(text, evidence, (use,), severity, "no policy for an add-on that needs one")
        elif missing:
            state = "they are not attached" if missing[1:] else "it is not attached"
            text = f"{recommends}; {state}. Another policy may allow what is needed."
            yield Case(text, evidence, (use,), "note", "recommended policy is not attached")


def _recommended(addon: Addon, use: Use) -> tuple[str, ...]:
    """Return the ARNs that EKS recommends for the use's service account, or for any if it is not known."""
    recommendations = addon.recommended_policies or ()
    return tuple(arn for account, arns in recommendations if use.service_account in (None, account) for arn in arns)


def _is_judged_by_policies(use: Use, subject: RoleInUse, account: AccountContext) -> bool:
    """Return whether the role needs the permissions for a use, and no requirement tells which actions."""
    if (
        use.certainty != "confirmed"
        or may_be_overruled(use, account)
        or only_assumes_target_role(use, subject, account)
    ):
        return False
    return not any(
        use.kind in requirement.uses and applies(requirement, use, subject, account) is not False
        for requirement in account.knowledge.requirements
    )


@finding(
    "boundary-allows-nothing",
    "problem",
    "boundary allows none of its actions",
    about="role",
    needs=("policies",),
    meaning="Nothing that the role's policies allow is within its permissions boundary, so every call with it is "
    "denied.",
    change="allow in the boundary what its policies allow, or give the role another boundary",
)
def voided_by_boundary(subject: RoleInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield the role if its boundary takes away all that its policies allow; advice if EKS confirms no use."""
    boundary = subject.boundary
    documents = [policy.document for policy in subject.policies]
    if boundary is None or boundary.document is None or None in documents:
        return
    allows = [
        statement
        for document in documents
        if document
        for statement in document.statements
        if statement.effect == "Allow"
    ]
    within = [statement for statement in boundary.document.statements if statement.effect == "Allow"]
    if not allows or any(_may_share(allowing, limiting) for allowing in allows for limiting in within):
        return
    confirmed_uses = tuple(use for use in subject.uses if use.certainty == "confirmed")
    actions = dict.fromkeys(action for statement in allows for action in statement.actions)
    text = (
        f"Nothing that its policies allow is within its permissions boundary {boundary.name}: every call with it is "
        f"denied, {listed(list(actions)) if len(actions) <= NAMED_ACTIONS else counted(len(actions), 'action')} "
        "included."
    )
    evidence = (
        *map(use_as_evidence, subject.uses),
        f"its policies allow {', '.join(actions)}",
        f"permissions boundary {boundary.arn or boundary.name}",
    )
    yield Case(text, evidence, confirmed_uses, None if confirmed_uses else "advice")


def _may_share(statement_a: Statement, statement_b: Statement) -> bool:
    """Return whether two Allow statements may match the same request."""
    listing, other_statement = (
        (statement_a, statement_b) if statement_a.action_element == "Action" else (statement_b, statement_a)
    )
    if listing.action_element == "Action" and not any(
        statement_may_match(other_statement, action) for action in listing.actions
    ):
        return False
    if "NotResource" in (statement_a.resource_element, statement_b.resource_element):
        return True
    return any(overlaps_resource(a, b) is not False for a in statement_a.resources for b in statement_b.resources)
