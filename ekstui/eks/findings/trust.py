"""A role's trust policy: one that prevents its uses, and one that lets in too many or nobody.

Source: EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity", "IAM roles for service
accounts"; IAM User Guide, "Pass session tags in AWS STS".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from ekstui.eks.account_snapshot import Role, Use
from ekstui.eks.commands import Command, aws
from ekstui.eks.findings.conditions import all_hold
from ekstui.eks.findings.subjects import AccountContext, RoleInUse, use_as_evidence
from ekstui.eks.findings.table import Case, Finding, FixPlace, Severity, finding
from ekstui.eks.trust import Trustee, eks_region, trustees
from ekstui.iam.document import Condition, Statement, parse_text, serialise, serialise_statement
from ekstui.iam.principals import issuer_of
from ekstui.iam.text import listed
from ekstui.iam.wildcard import is_wild

if TYPE_CHECKING:
    from ekstui.eks.knowledge import TrustRequirement

TAG_SESSION = "sts:TagSession"


def _add_tag_session(_finding: Finding, place: FixPlace) -> tuple[Command, ...]:
    services = {need.principal for need in place.account.knowledge.trust if TAG_SESSION in need.actions}
    about = "adds sts:TagSession (replaces the whole trust policy)"
    return _updated(
        place.role, lambda statements: [_with_tag_session(statement, services) for statement in statements], about
    )


@finding(
    "trust-lacks-principal",
    "problem",
    "trust policy lacks its service",
    about="role",
    needs=("trust",),
    meaning="The trust policy does not let the service or the cluster that uses the role assume it.",
    change="add that to its trust policy, and keep the statements that it has",
)
def missing_principals(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each service that uses the role and that its trust policy does not name, or not with sts:AssumeRole."""
    trusted_principals = trustees(subject.role.trust)
    reported_cases: set[tuple[str, tuple[Use, ...]]] = set()
    for requirement, uses, lacking in _unmet(trusted_principals, subject, account):
        about = (requirement.principal, tuple(uses))
        if lacking != [TAG_SESSION] and about not in reported_cases:
            reported_cases.add(about)
            trust_needed = f"{requirement.principal} {listed(lacking)}" if lacking else requirement.principal
            text = (
                f"Its trust policy does not {'allow' if lacking else 'name'} {trust_needed}: {requirement.consequence}."
            )
            title = f"trust does not name {requirement.principal}"
            yield Case(text, map(use_as_evidence, uses), uses, title=title)
    if not any(trustee.kind == "irsa" for trustee in trusted_principals):
        for use, _, issuer in _addons_by_irsa(subject, account):
            text = f"The add-on {use.name} of {use.cluster} uses this role, whose trust policy names no OIDC provider."
            yield Case(text, (f"issuer of {use.cluster}: {issuer}",), (use,), title="trust names no OIDC provider")


@finding(
    "trust-lacks-tag-session",
    "problem",
    "trust lacks sts:TagSession",
    about="role",
    needs=("trust",),
    meaning="The trust policy does not allow a service that tags its sessions to do so, so that it cannot assume the "
    "role.",
    change="allow sts:TagSession in that statement of its trust policy",
    fix=_add_tag_session,
    explains_denials=True,
)
def missing_tag_session(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each service that tags its sessions with the role and may not; advice where no use by it was seen."""
    trusted_principals = trustees(subject.role.trust)
    for requirement, uses, lacking in _unmet(trusted_principals, subject, account):
        if lacking == [TAG_SESSION]:
            yield Case(_lacks_tag_session(requirement), map(use_as_evidence, uses), uses)
    for requirement in account.knowledge.trust:
        service = requirement.principal
        matches = [trustee for trustee in trusted_principals if trustee.name.removesuffix(".cn") == service]
        if (
            not matches
            or TAG_SESSION not in requirement.actions
            or any(trustee.allows(TAG_SESSION) for trustee in matches)
        ):
            continue
        is_known_use = any(use.kind in requirement.uses and use.certainty == "confirmed" for use in subject.uses)
        if not is_known_use and _may_tag(requirement, subject, account):
            evidence = f"inferred: its trust policy names {service}, and no use of it by that service was seen"
            yield Case(_lacks_tag_session(requirement), (evidence,), severity="advice")


def _lacks_tag_session(requirement: TrustRequirement) -> str:
    return f"Its trust policy does not allow {requirement.principal} {TAG_SESSION}: {requirement.consequence}."


def _may_tag(requirement: TrustRequirement, subject: RoleInUse, account: AccountContext) -> bool:
    """Return whether a service that a role trusts may tag sessions: a cluster role's only for Auto Mode."""
    if requirement.principal != "eks.amazonaws.com":
        return True
    usual = [neighbour for neighbour in account.knowledge.requirements if neighbour.when == requirement.when]
    return any(subject.has_attached(name) for need in usual for name in need.policies)


def _unmet(
    trusted_principals: tuple[Trustee, ...], subject: RoleInUse, account: AccountContext
) -> Iterator[tuple[TrustRequirement, list[Use], list[str]]]:
    """Yield what services need of the trust policy, with their uses and the actions that it does not allow.

    No actions means that the trust policy does not name the service.
    """
    for requirement in account.knowledge.trust:
        uses = [
            use
            for use in subject.uses
            if use.kind in requirement.uses
            and use.certainty == "confirmed"
            and all_hold(requirement.when, use, subject, account)
        ]
        if not uses:
            continue
        matches = [
            trustee
            for trustee in trusted_principals
            if trustee.kind == "anyone" or trustee.name.removesuffix(".cn") == requirement.principal
        ]
        if not matches:
            yield requirement, uses, []
        elif lacking := [
            action for action in requirement.actions if not any(trustee.allows(action) for trustee in matches)
        ]:
            yield requirement, uses, lacking


def _write_string_like(_finding: Finding, place: FixPlace) -> tuple[Command, ...]:
    about = "lets the wildcard match (replaces the whole trust policy)"
    return _updated(place.role, lambda statements: list(map(_with_wildcards, statements)), about)


@finding(
    "irsa-wildcard-with-stringequals",
    "problem",
    "StringEquals with *: never matches",
    about="role",
    needs=("trust",),
    meaning="The trust policy compares service accounts with a wildcard under StringEquals, which takes it literally.",
    change="write StringLike instead of StringEquals for the subject in its trust policy",
    fix=_write_string_like,
    explains_denials=True,
)
def literal_wildcards(subject: RoleInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield each issuer whose service accounts are named by a wildcard that never matches."""
    trusted_principals = trustees(subject.role.trust)
    for trustee in _of_irsa(trusted_principals):
        if dead := [account.subject for account in trustee.service_accounts if account.never_matches]:
            text = (
                f"{listed(dead)} has a wildcard under an operator such as StringEquals, which takes it literally: "
                "no service account matches. StringLike supports wildcards."
            )
            severity: Severity | None = "advice" if any(map(_can_be_met, trusted_principals)) else None
            yield Case(text, (f"issuer {trustee.name}",), _uses_of(trustee, subject), severity)


def _can_be_met(trustee: Trustee) -> bool:
    return not trustee.service_accounts or not all(account.never_matches for account in trustee.service_accounts)


@finding(
    "irsa-without-sub",
    "advice",
    "any service account may assume it",
    about="role",
    needs=("trust",),
    meaning="The trust policy names a cluster's issuer and no service account, so that every pod of the cluster may "
    "assume it.",
)
def unrestricted_issuers(subject: RoleInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield each issuer all of whose service accounts may assume the role."""
    for trustee in _of_irsa(trustees(subject.role.trust)):
        if trustee.unrestricted:
            text = (
                "Every service account of the cluster can assume it: the trust policy has no condition on the subject."
            )
            yield Case(text, (f"issuer {trustee.name}",), _uses_of(trustee, subject))


def _create_provider(problem: Finding, _place: FixPlace) -> tuple[Command, ...]:
    issuer = next((use.name for use in problem.uses if use.name and use.kind == "irsa"), None)
    if issuer is None:
        return ()
    arguments = ("--url", f"https://{issuer}", "--client-id-list", "sts.amazonaws.com")
    return (aws("makes IAM accept the cluster's tokens", "iam", "create-open-id-connect-provider", *arguments),)


@finding(
    "irsa-provider-missing",
    "problem",
    "no OIDC provider for its issuer",
    about="role",
    needs=("trust",),
    meaning="The trust policy names an issuer for which IAM has no OIDC provider, so that its tokens are refused.",
    change="create an OIDC provider for this issuer in IAM, or remove it from the trust policy",
    fix=_create_provider,
)
def missing_providers(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each trusted issuer without a provider in IAM; advice where no use of it is confirmed."""
    if account.providers is None:
        return
    for trustee in _of_irsa(trustees(subject.role.trust)):
        if trustee.name not in map(issuer_of, account.providers):
            text = f"IAM has no OIDC provider for {trustee.name}, so nobody can assume the role with its tokens."
            is_irsa_used = any(use.kind in ("irsa", "addon") and use.certainty == "confirmed" for use in subject.uses)
            evidence = (f"issuer {trustee.name}",)
            yield Case(text, evidence, _uses_of(trustee, subject), None if is_irsa_used else "advice")


@finding(
    "orphaned-provider",
    "note",
    "trusts an issuer that no cluster has",
    about="role",
    needs=("trust",),
    meaning="No cluster that was read has the issuer that the trust policy names.",
)
def orphaned_issuers(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each trusted issuer with a provider that no cluster of its region has, if all of those were read."""
    providers = None if account.providers is None else set(map(issuer_of, account.providers))
    for trustee in _of_irsa(trustees(subject.role.trust)):
        if (providers is None or trustee.name in providers) and _is_orphaned(trustee, account):
            text = (
                f"No cluster of this account in {trustee.region} has the issuer {trustee.name}: "
                "it was deleted, or belongs to another account."
            )
            yield Case(text, (f"issuer {trustee.name}",))


def _is_orphaned(trustee: Trustee, account: AccountContext) -> bool:
    """Return whether every cluster in the issuer's region was read and none has that issuer."""
    region, eks = eks_region(trustee.name), account.eks
    if eks is None or region is None or region not in eks.regions:
        return False
    clusters = [cluster for cluster in eks.clusters if cluster.region == region]
    return all(cluster.described for cluster in clusters) and all(
        cluster.issuer != trustee.name for cluster in clusters
    )


def _trust_issuer(_finding: Finding, place: FixPlace) -> tuple[Command, ...]:
    issuer = place.cluster.issuer if place.cluster else None
    if issuer is None:
        return ()
    about = "trusts the issuer of this cluster too (replaces the whole trust policy)"
    return _updated(place.role, lambda statements: [*statements, *_for_issuer(statements, issuer)], about)


@finding(
    "irsa-issuer-of-another-cluster",
    "problem",
    "trust names another cluster's issuer",
    about="role",
    needs=("trust",),
    meaning="An add-on uses the role by its service account, "
    "and the trust policy names only issuers of other clusters.",
    change="add a statement for the issuer of this cluster to its trust policy",
    fix=_trust_issuer,
)
def foreign_issuers(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each add-on whose role trusts issuers, and not that of its cluster."""
    issuers = {trustee.name for trustee in _of_irsa(trustees(subject.role.trust))}
    if not issuers:
        return
    for use, cluster_name, issuer in _addons_by_irsa(subject, account):
        if issuer not in issuers:
            text = (
                f"The add-on {use.name} of {cluster_name} uses this role, whose trust policy names the issuer of "
                "another cluster: its pods cannot assume it."
            )
            evidence = (f"issuer of {cluster_name}: {issuer}", *(f"trusted: {name}" for name in sorted(issuers)))
            yield Case(text, evidence, (use,))


def _addons_by_irsa(subject: RoleInUse, account: AccountContext) -> Iterator[tuple[Use, str, str]]:
    """Yield the add-ons that use the role by their service account's annotation, with the cluster and its issuer."""
    for use in subject.uses:
        cluster, addon = account.cluster(use), account.addon(use)
        is_by_irsa = addon is not None and addon.role_arn == subject.role.arn and not addon.association_arns
        if cluster is not None and cluster.issuer is not None and is_by_irsa and not use.overruled:
            yield use, cluster.name, cluster.issuer


def _of_irsa(trusted_principals: Sequence[Trustee]) -> list[Trustee]:
    return [trustee for trustee in trusted_principals if trustee.kind == "irsa"]


def _uses_of(trustee: Trustee, subject: RoleInUse) -> tuple[Use, ...]:
    return tuple(use for use in subject.uses if use.kind == "irsa" and use.name == trustee.name)


def _updated(
    role: Role | None, revise: Callable[[tuple[Statement, ...]], list[Statement]], about: str
) -> tuple[Command, ...]:
    """Return the command that gives a role the revised statements of its trust policy; empty if they are the same."""
    if (
        role is None
        or role.trust is None
        or (statements := tuple(revise(role.trust.statements))) == role.trust.statements
    ):
        return ()
    document = json.dumps(serialise(role.trust._replace(statements=statements)), separators=(",", ":"))
    arguments = ("--role-name", role.name, "--policy-document", document)
    return (aws(about, "iam", "update-assume-role-policy", *arguments),)


def _for_issuer(statements: tuple[Statement, ...], issuer: str) -> tuple[Statement, ...]:
    """Return a copy of the first statement about another issuer, for this one; nothing if there is none."""
    for statement in statements:
        for principal in statement.principals:
            issuers = [issuer_of(value) for value in principal.values] if principal.kind == "Federated" else []
            if statement.effect == "Allow" and len(issuers) == 1 and eks_region(issuers[0]):
                json_copy = json.dumps(serialise_statement(statement)).replace(issuers[0], issuer)
                return parse_text(f'{{"Statement": [{json_copy}]}}').statements
    return ()


def _with_tag_session(statement: Statement, services: Collection[str]) -> Statement:
    """Return a statement that allows one of the services to assume the role and tag the session."""
    actions = {action.lower() for action in statement.actions}
    is_meant = (
        statement.effect == "Allow"
        and statement.action_element == "Action"
        and statement.principal_element == "Principal"
        and "sts:assumerole" in actions
        and TAG_SESSION.lower() not in actions
        and any(
            principal.kind == "Service" and any(value.removesuffix(".cn") in services for value in principal.values)
            for principal in statement.principals
        )
    )
    return statement._replace(actions=(*statement.actions, TAG_SESSION)) if is_meant else statement


def _with_wildcards(statement: Statement) -> Statement:
    """Return a statement whose subjects with a wildcard are under an operator that supports wildcards."""
    if statement.effect != "Allow" or not any(principal.kind == "Federated" for principal in statement.principals):
        return statement
    conditions = tuple(map(_liked, statement.conditions))
    # In JSON, two conditions with the same operator and key would be one, with the values of the last.
    are_distinct = len({(line.operator.lower(), line.key.lower()) for line in conditions}) == len(conditions)
    return statement._replace(conditions=conditions) if are_distinct else statement


def _liked(condition: Condition) -> Condition:
    is_literal = re.fullmatch(r"(?:forany\w+:|forall\w+:)?stringequals(?:ifexists)?", condition.operator.lower())
    if not is_literal or not condition.key.lower().endswith(":sub") or not any(map(is_wild, condition.values)):
        return condition
    return condition._replace(operator=re.sub("(?i)stringequals", "StringLike", condition.operator))
