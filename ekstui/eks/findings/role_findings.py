"""What is wrong, outdated or too broad about a role that EKS uses, based on the role and all its uses.

Here are the actions that EKS requires of a role and the role does not allow, and the policies that EKS recommends for
add-ons; `role_policies` has what follows from the role's own policies.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from ekstui.eks.account_snapshot import AccountSnapshot, Use
from ekstui.eks.cluster import Addon
from ekstui.eks.findings import (
    SERVICE_ROLE_SINCE,
    Finding,
    RoleInUse,
    RolePolicy,
    Severity,
    Surroundings,
    a_note_if_unseen,
    applies,
    condition_in_words,
    described,
    holds,
    running_release,
    unseen_evidence,
)
from ekstui.eks.findings.role_policies import (
    excess_policies,
    missing_principal_tags,
    scoping_findings,
    superseded_policies,
    trust_findings,
)
from ekstui.eks.knowledge import Knowledge, Requirement
from ekstui.errors import DocumentError
from ekstui.iam.conditions import Truth
from ekstui.iam.document import parse_text
from ekstui.iam.evaluation import AppliedPolicy, Layer, Request, evaluate
from ekstui.iam.grants import action_matches
from ekstui.iam.text import listed

_ORDINARY = "not-local-outpost"
"""A condition that holds for a cluster unless something says otherwise."""

NAMED_ACTIONS = 3
"""The most missing actions named in a finding's text; the evidence names all."""

QUIET = timedelta(days=90)
"""How long a role must have had no recorded activity to be worth a note."""

_ORDER: tuple[Severity, ...] = ("problem", "advice", "note")


def findings_of(subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> tuple[Finding, ...]:
    """Return the findings about a role, problems first.

    Service-linked roles belong to their services, so there are none about them.
    """
    if subject.role.service_linked:
        return ()
    found = [
        *trust_findings(subject, surroundings, knowledge),
        *missing_permissions(subject, surroundings, knowledge),
        *recommended_policies(subject, surroundings, knowledge),
        *missing_principal_tags(subject, surroundings),
        *scoping_findings(subject),
        *superseded_policies(subject, surroundings, knowledge),
        *excess_policies(subject, surroundings),
        *_quiet(subject, surroundings),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def missing_role(arn: str, uses: tuple[Use, ...], snapshot: AccountSnapshot) -> Finding:
    """Return the finding about a role that EKS is configured to use and that was not read."""
    name = arn.rsplit("/", 1)[-1]
    severity: Severity = "note"
    if arn.split(":", 5)[4:5] != [snapshot.identity.account]:
        text = f"The role {name} belongs to another account and was not read."
    elif not snapshot.complete:
        text = f"The role {name} is not among the roles that could be read."
    else:
        severity, text = "problem", f"IAM has no role {name}, which EKS is configured to use."
    return Finding("role-not-found", severity, text, tuple(map(described, uses)), uses=uses)


def _quiet(subject: RoleInUse, surroundings: Surroundings) -> Iterator[Finding]:
    """Yield a note about a role without recorded activity, unless EKS confirms that it is in use."""
    role = subject.role
    if any(use.certainty == "confirmed" for use in subject.uses) or role.extent == "name":
        return
    if role.last_used is not None:
        if surroundings.now - role.last_used > QUIET:
            text = f"No recorded activity since {role.last_used:%Y-%m-%d}."
            yield Finding(
                "no-recorded-activity", "note", text, (f"last used in {role.last_used_region or 'an unknown region'}",)
            )
    elif role.created is not None and surroundings.now - role.created > QUIET:
        text = "No recorded activity in the period that IAM tracks, at most 400 days."
        yield Finding("no-recorded-activity", "note", text, (f"created on {role.created:%Y-%m-%d}",))


def missing_permissions(subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> Iterator[Finding]:
    """Yield a finding for each requirement of the role's uses that it does not certainly meet.

    An action counts as allowed if some request with it may be: conditions and resources are not checked.
    """
    if not subject.known_whole:
        return
    for requirement in knowledge.requirements:
        certain: list[Use] = []
        possible: list[Use] = []
        for use in subject.uses:
            if use.kind in requirement.uses and not hands_over(use, subject, surroundings):
                needed = applies(requirement, use, subject, surroundings)
                if needed is None and use.certainty == "inferred" and use.kind == "cluster":
                    needed = _suits(requirement, subject, knowledge)
                if needed and use.certainty == "confirmed" and not comes_second(use, surroundings):
                    certain.append(use)
                elif needed is not False:
                    possible.append(use)
        finding = _judge(requirement, certain, possible, subject, surroundings)
        if finding is not None:
            yield finding


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


def _usual_policies(when: tuple[str, ...], knowledge: Knowledge) -> set[str]:
    return {name for requirement in knowledge.requirements if requirement.when == when for name in requirement.policies}


def hands_over(use: Use, subject: RoleInUse, surroundings: Surroundings) -> bool:
    """Return whether the role only assumes its association's target role, which then needs the permissions."""
    association = surroundings.association(use)
    target = None if association is None else association.target_role_arn
    return target is not None and target != subject.role.arn


def comes_second(use: Use, surroundings: Surroundings) -> bool:
    """Return whether the add-on has this role by annotation and another by Pod Identity, which takes precedence."""
    addon = surroundings.addon(use)
    return addon is not None and bool(addon.association_arns) and use.service_account is None


def _judge(
    requirement: Requirement,
    certain: list[Use],
    possible: list[Use],
    subject: RoleInUse,
    surroundings: Surroundings,
) -> Finding | None:
    uses = certain or possible
    if not uses:
        return None
    lacking, unknown, hurt = _lacking(requirement.actions, uses, subject)
    if lacking:
        where = "" if certain else _only_where(requirement, possible, subject, surroundings)
        severity: Severity = "problem" if certain and not requirement.optional else "note"
        return _lacks(requirement, severity, lacking, hurt, where)
    evidence = tuple(map(described, uses))
    if unknown:
        unread = listed([policy.name for policy in _unread(subject)] or ["the session policy of its association"])
        text = f"Whether it may {requirement.name} is not known: {unread} could not be read."
        evidence = (*evidence, f"undecided: {', '.join(unknown)}")
        return Finding("missing-policy", "note", text, evidence, uses=tuple(uses), undecided=True)
    if certain and requirement.policies and not any(map(subject.has_attached, requirement.policies)):
        return Finding("missing-policy", "note", _otherwise_covered(requirement, subject), evidence, uses=tuple(uses))
    return None


def _lacks(
    requirement: Requirement, severity: Severity, lacking: dict[str, str], hurt: list[Use], where: str
) -> Finding:
    usual = f" ({listed(requirement.policies, 'or')} gives that)" if requirement.policies else ""
    needed = f"{_in_short(list(lacking), requirement)} needed to {requirement.name}{where}{usual}"
    causes = (f"{action}: {why}" for action, why in lacking.items() if why)
    return Finding(
        "missing-policy",
        severity,
        f"It lacks {needed}. Otherwise, {requirement.consequence}.",
        (*map(described, hurt), f"lacks {', '.join(lacking)}", *causes),
        # A policy helps only where no other allows it, not against a boundary, a session policy or a Deny.
        () if any(lacking.values()) else requirement.policies,
        tuple(hurt),
    )


def _otherwise_covered(requirement: Requirement, subject: RoleInUse) -> str:
    several = len(requirement.policies) > 1
    usual = f"None of {listed(requirement.policies)} is" if several else f"{requirement.policies[0]} is not"
    covering = listed(_covering(requirement.actions, subject))
    return f"{usual} attached; what is needed to {requirement.name} is covered by {covering}."


def _in_short(lacking: list[str], requirement: Requirement) -> str:
    if len(lacking) <= NAMED_ACTIONS:
        return f"{listed(lacking)},"
    every, total = len(lacking) == len(requirement.actions), len(requirement.actions)
    return f"all {total} actions" if every else f"{len(lacking)} of the {total} actions"


def _lacking(
    actions: tuple[str, ...], uses: Iterable[Use], subject: RoleInUse
) -> tuple[dict[str, str], list[str], list[Use]]:
    """Return the missing actions with the cause, the undecided actions, and the uses that lack an action."""
    lacking: dict[str, str] = {}
    unknown: list[str] = []
    hurt: list[Use] = []
    judged: dict[tuple[AppliedPolicy, ...] | None, list[tuple[str, Truth, str]]] = {}
    for use in uses:
        session = _session(use)
        if session not in judged:
            judged[session] = [(action, *_given(action, subject, session)) for action in actions]
        for action, given, why in judged[session]:
            if given is False:
                lacking.setdefault(action, why)
                if use not in hurt:
                    hurt.append(use)
            elif given is None and action not in unknown:
                unknown.append(action)
    return lacking, unknown, hurt


def _given(action: str, subject: RoleInUse, session: tuple[AppliedPolicy, ...] | None) -> tuple[Truth, str]:
    """Return whether some request with the action may be allowed, and if not, what prevents it."""
    identity = [applied for policy in subject.policies if (applied := policy.applied()) is not None]
    boundary = subject.boundary.applied() if subject.boundary else None
    found = evaluate(Request(action), identity, boundary, session or ())
    if found.verdict == "explicit-deny":
        return False, "an explicit deny"
    if found.verdict == "implicit-deny":
        return _withheld(action, subject, found.decisive.decided_by, boundary)
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


def _covering(actions: tuple[str, ...], subject: RoleInUse) -> list[str]:
    return [
        policy.name
        for policy in subject.policies
        if policy.document is not None
        and any(
            statement.effect == "Allow" and action_matches(statement, action)
            for statement in policy.document.statements
            for action in actions
        )
    ]


def _only_where(requirement: Requirement, uses: list[Use], subject: RoleInUse, surroundings: Surroundings) -> str:
    undecided = [
        condition_in_words(name)
        for name in requirement.when
        if any(
            holds(name, use, subject, surroundings) is None
            for use in uses
            if name != _ORDINARY or use.certainty == "confirmed"
        )
    ]
    if (releases := requirement.releases) is not None:
        running = (running_release(releases, use, surroundings) for use in uses)
        undecided += dict.fromkeys(releases.unsure(each) for each in running if releases.includes(each) is None)
    return f" where {listed(undecided)}" if undecided else ""


def _unread(subject: RoleInUse) -> list[RolePolicy]:
    attached = (*subject.policies, *([subject.boundary] if subject.boundary else []))
    return [policy for policy in attached if policy.document is None]


def recommended_policies(subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> Iterator[Finding]:
    """Yield a finding for each add-on whose role lacks the policies that EKS recommends.

    Another policy may allow the same, so this is a note, unless the role has no policy at all and EKS says that the
    add-on needs permissions.
    """
    if not subject.known_whole:
        return
    for use in subject.uses:
        addon = surroundings.addon(use)
        if addon is None or not _is_judged_by_policies(use, subject, surroundings, knowledge):
            continue
        missing = [arn for arn in _recommended(addon, use) if all(policy.arn != arn for policy in subject.policies)]
        names = listed([arn.rsplit("/", 1)[-1] for arn in missing])
        recommends = f"EKS recommends {names} for the add-on {addon.name}" if names else ""
        evidence = (described(use), *(f"recommended: {arn}" for arn in missing), *unseen_evidence(subject))
        if addon.requires_permissions and not subject.policies:
            text = f"EKS says that the add-on {addon.name} needs permissions, but the role has no policy attached."
            severity = a_note_if_unseen("problem", subject)
            yield Finding("missing-policy", severity, f"{text} {recommends}.".replace(" .", ""), evidence, uses=(use,))
        elif missing:
            attached = "they are not attached" if missing[1:] else "it is not attached"
            text = f"{recommends}; {attached}. Another policy may allow what is needed."
            yield Finding("missing-policy", "note", text, evidence, uses=(use,))


def _recommended(addon: Addon, use: Use) -> tuple[str, ...]:
    """Return the ARNs that EKS recommends for the use's service account, or for any if it is not known."""
    recommended = addon.recommended_policies or ()
    return tuple(arn for account, arns in recommended if use.service_account in (None, account) for arn in arns)


def _is_judged_by_policies(use: Use, subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> bool:
    """Return whether the role needs the permissions for a use, and no requirement tells which actions."""
    if use.certainty != "confirmed" or comes_second(use, surroundings) or hands_over(use, subject, surroundings):
        return False
    return not any(
        use.kind in requirement.uses and applies(requirement, use, subject, surroundings) is not False
        for requirement in knowledge.requirements
    )
