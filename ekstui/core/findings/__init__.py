"""What is wrong, outdated or too broad about a role that EKS uses, based on the role and all its uses."""

from collections.abc import Iterator
from datetime import timedelta

from ekstui.core.account_snapshot import AccountSnapshot, Use
from ekstui.core.findings.finding import (
    Code,
    Finding,
    RoleInUse,
    RolePolicy,
    Severity,
    Surroundings,
    described,
)
from ekstui.core.findings.missing_permissions import missing_permissions, recommended_policies
from ekstui.core.findings.role_policies import (
    excess_policies,
    missing_principal_tags,
    scoping_findings,
    superseded_policies,
    trust_findings,
)
from ekstui.core.knowledge import Knowledge

__all__ = [
    "QUIET",
    "Code",
    "Finding",
    "RoleInUse",
    "RolePolicy",
    "Severity",
    "Surroundings",
    "described",
    "findings_of",
    "missing_role",
]

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
    evidence = tuple(described(use) for use in uses)
    if arn.split(":", 5)[4:5] != [snapshot.identity.account]:
        return Finding(
            "role-not-found",
            "note",
            f"The role {name} belongs to another account and was not read.",
            evidence,
            uses=uses,
        )
    if not snapshot.complete:
        return Finding(
            "role-not-found", "note", f"The role {name} is not among the roles that could be read.", evidence, uses=uses
        )
    return Finding(
        "role-not-found", "problem", f"IAM has no role {name}, which EKS is configured to use.", evidence, uses=uses
    )


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
