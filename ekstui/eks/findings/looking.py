"""Looking for findings: the whole table, and all that it finds about a subject, with the commands that fix it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from ekstui.eks.commands import Command, attach_policy
from ekstui.eks.findings import aws_auth, controllers, entries, health, permissions, pods, policies, trust
from ekstui.eks.findings.subjects import AccountContext, FindingSubject, Need, RoleInUse
from ekstui.eks.findings.table import SEVERITIES, TITLE_WIDTH, TYPES, Case, Finding, FindingType, FixPlace

_IS_READ: Mapping[Need, Callable[[Any], bool]] = {
    "details": lambda role: role.role.was_read,
    "policies": lambda role: role.known_whole,
    "trust": lambda role: role.role.trust is not None,
    "entries": lambda place: place.cluster.knows_entries,
    "access policies": lambda place: place.entry.policies is not None,
}
"""Whether what a finding needs to know of its subject was read."""


@cache
def table() -> Mapping[str, FindingType]:
    """Return all findings by code, the worst first."""
    modules = [
        module.__name__ for module in (health, trust, pods, permissions, controllers, policies, entries, aws_auth)
    ]
    in_order = sorted(TYPES.values(), key=lambda entry: modules.index(entry.look.__module__))
    return {entry.code: entry for entry in sorted(in_order, key=lambda entry: SEVERITIES.index(entry.severity))}


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of their severities."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def findings_of(subject: FindingSubject, account: AccountContext) -> tuple[Finding, ...]:
    """Return the findings about a subject, worst first; none for a service-linked role.

    Equal ones are one, with the evidence of all.
    """
    if isinstance(subject, RoleInUse) and subject.role.service_linked:
        return ()
    by_subject: dict[tuple[str, str, str], Finding] = {}
    for entry in table().values():
        if entry.about != subject.about or not all(_IS_READ[need](subject) for need in entry.needs):
            continue
        for case in entry.look(subject, account):
            one = finding_of(entry.code, case)
            key = (one.code, one.severity, one.text)
            by_subject[key] = _both(by_subject[key], one) if key in by_subject else one
    return tuple(worst_first(by_subject.values()))


def finding_of(code: str, case: Case) -> Finding:
    """Return a case as a finding, with what the entry of its code says of it."""
    entry = table()[code]
    severity = case.severity or entry.severity
    return Finding(
        entry.code,
        severity,
        case.text,
        tuple(case.evidence),
        case.policies,
        tuple(case.uses),
        case.undecided,
        title=case.title if 0 < len(case.title) <= TITLE_WIDTH else entry.title,
        only_if=case.only_if,
        reported=case.reported,
        change=entry.change if severity == "problem" else "",
        fixed_by=f"only if {case.only_if}" if case.only_if else entry.fixed_by,
    )


def _both(finding_a: Finding, finding_b: Finding) -> Finding:
    return replace(
        finding_a,
        evidence=tuple(dict.fromkeys((*finding_a.evidence, *finding_b.evidence))),
        uses=tuple(dict.fromkeys((*finding_a.uses, *finding_b.uses))),
        undecided=finding_a.undecided or finding_b.undecided,
    )


def fixing_commands(finding: Finding, place: FixPlace, arns: Mapping[str, str]) -> tuple[Command, ...]:
    """Return the commands that fix a finding, with the narrowest policy that does; empty if there are none.

    A note about missing actions has them too: whether those are needed depends on what AWS does not show. `arns` are
    those of the policies that findings recommend, by name.
    """
    entry = table()[finding.code]
    if finding.severity != "problem" and not finding.only_if and not entry.explains_denials:
        return ()
    if commands := entry.fix(finding, place):
        return commands
    policy = next((name for name in finding.policies if name in arns), None)
    return () if policy is None or place.role is None else (attach_policy(place.role.name, arns[policy]),)
