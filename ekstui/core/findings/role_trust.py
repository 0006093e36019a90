"""Trust policies that prevent the uses of a role, or let too many assume it."""

from collections.abc import Iterator

from ekstui.core.account_snapshot import Use
from ekstui.core.findings.finding import Code, Finding, RoleInUse, Severity, Surroundings, all_hold, described
from ekstui.core.knowledge import Knowledge, TrustRequirement
from ekstui.core.text import listed
from ekstui.core.trust import Trustee, eks_region, issuer_of, trustees

_TAG_SESSION = "sts:TagSession"


def trust_findings(subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> Iterator[Finding]:
    """Yield what the role's trust policy lacks for its uses, and where it trusts too many or nobody."""
    trust = subject.role.trust
    if trust is None:
        return
    trusted = trustees(trust)
    yielded: set[Finding] = set()
    for requirement in knowledge.trust:
        for finding in _service(requirement, trusted, subject, surroundings):
            if not any((finding.code, finding.evidence) == (each.code, each.evidence) for each in yielded):
                yielded.add(finding)
                yield finding
    for requirement in knowledge.trust:
        yield from _tag_session_unused(requirement, trusted, subject, knowledge)
    for trustee in trusted:
        if trustee.kind == "irsa":
            yield from _irsa(trustee, trusted, subject, surroundings)
    yield from _issuers(trusted, subject, surroundings)


def _service(
    requirement: TrustRequirement, trusted: tuple[Trustee, ...], subject: RoleInUse, surroundings: Surroundings
) -> Iterator[Finding]:
    uses = [
        use
        for use in subject.uses
        if use.kind in requirement.uses
        and use.certainty == "confirmed"
        and all_hold(requirement.when, use, subject, surroundings)
    ]
    if not uses:
        return
    evidence = tuple(described(use) for use in uses)
    meant = [
        each for each in trusted if each.kind == "anyone" or each.name.removesuffix(".cn") == requirement.principal
    ]
    if not meant:
        text = f"Its trust policy does not name {requirement.principal}: {requirement.consequence}."
        yield Finding("trust-lacks-principal", "problem", text, evidence, uses=tuple(uses))
        return
    lacking = [action for action in requirement.actions if not any(each.allows(action) for each in meant)]
    if lacking:
        text = f"Its trust policy does not allow {requirement.principal} {listed(lacking)}: {requirement.consequence}."
        code: Code = "trust-lacks-tag-session" if lacking == [_TAG_SESSION] else "trust-lacks-principal"
        yield Finding(code, "problem", text, evidence, uses=tuple(uses))


def _tag_session_unused(
    requirement: TrustRequirement, trusted: tuple[Trustee, ...], subject: RoleInUse, knowledge: Knowledge
) -> Iterator[Finding]:
    """Yield advice for a role that trusts such a service without a known use; `_service` covers the others."""
    meant = [each for each in trusted if each.name.removesuffix(".cn") == requirement.principal]
    if not meant or _TAG_SESSION not in requirement.actions or any(each.allows(_TAG_SESSION) for each in meant):
        return
    if any(use.kind in requirement.uses and use.certainty == "confirmed" for use in subject.uses):
        return
    # A cluster role needs it only for Auto Mode.
    usual = [each for each in knowledge.requirements if each.when == requirement.when and each.when]
    if requirement.when and not any(subject.has_attached(name) for each in usual for name in each.policies):
        return
    text = f"Its trust policy does not allow {requirement.principal} {_TAG_SESSION}: {requirement.consequence}."
    evidence = f"inferred: its trust policy names {requirement.principal}, and no use of it by that service was seen"
    yield Finding("trust-lacks-tag-session", "advice", text, (evidence,))


def _irsa(
    trustee: Trustee, trusted: tuple[Trustee, ...], subject: RoleInUse, surroundings: Surroundings
) -> Iterator[Finding]:
    evidence = (f"issuer {trustee.name}",)
    uses = tuple(use for use in subject.uses if use.kind == "irsa" and use.name == trustee.name)
    dead = [account.subject for account in trustee.service_accounts if account.never_matches]
    if dead:
        severity: Severity = "advice" if any(map(_can_be_met, trusted)) else "problem"
        text = (
            f"{listed(dead)} has a wildcard under an operator such as StringEquals, which takes it literally: "
            "no service account matches. StringLike supports wildcards."
        )
        yield Finding("irsa-wildcard-with-stringequals", severity, text, evidence, uses=uses)
    if trustee.unrestricted:
        text = "Every service account of the cluster can assume it: the trust policy has no condition on the subject."
        yield Finding("irsa-without-sub", "advice", text, evidence, uses=uses)
    if surroundings.providers is not None and trustee.name not in map(issuer_of, surroundings.providers):
        text = f"IAM has no OIDC provider for {trustee.name}, so nobody can assume the role with its tokens."
        used = any(use.kind in ("irsa", "addon") and use.certainty == "confirmed" for use in subject.uses)
        yield Finding("irsa-provider-missing", "problem" if used else "advice", text, evidence, uses=uses)
    elif _orphaned(trustee, surroundings):
        text = (
            f"No cluster of this account in {trustee.region} has the issuer {trustee.name}: "
            "it was deleted, or belongs to another account."
        )
        yield Finding("orphaned-provider", "note", text, evidence)


def _orphaned(trustee: Trustee, surroundings: Surroundings) -> bool:
    """Return whether every cluster in the issuer's region was read and none has that issuer."""
    region, eks = eks_region(trustee.name), surroundings.eks
    if eks is None or region is None or region not in eks.regions:
        return False
    clusters = [cluster for cluster in eks.clusters if cluster.region == region]
    return all(cluster.described for cluster in clusters) and trustee.name not in {each.issuer for each in clusters}


def _issuers(trusted: tuple[Trustee, ...], subject: RoleInUse, surroundings: Surroundings) -> Iterator[Finding]:
    """Yield a finding for each add-on whose role trusts only issuers of other clusters."""
    issuers = {each.name for each in trusted if each.kind == "irsa"}
    for use in subject.uses:
        cluster = surroundings.cluster(use)
        if use.kind != "addon" or cluster is None or cluster.issuer is None or not _by_irsa(use, subject, surroundings):
            continue
        if not issuers:
            text = f"The add-on {use.name} of {cluster.name} uses this role, whose trust policy names no OIDC provider."
            lacking = (f"issuer of {cluster.name}: {cluster.issuer}",)
            yield Finding("trust-lacks-principal", "problem", text, lacking, uses=(use,))
        elif cluster.issuer not in issuers:
            text = (
                f"The add-on {use.name} of {cluster.name} uses this role, whose trust policy names the issuer of "
                "another cluster: its pods cannot assume it."
            )
            evidence = (
                f"issuer of {cluster.name}: {cluster.issuer}",
                *(f"trusted: {name}" for name in sorted(issuers)),
            )
            yield Finding("irsa-issuer-of-another-cluster", "problem", text, evidence, uses=(use,))


def _by_irsa(use: Use, subject: RoleInUse, surroundings: Surroundings) -> bool:
    """Return whether, according to EKS, the add-on uses this role by its service account's annotation."""
    addon = surroundings.addon(use)
    return addon is not None and addon.role_arn == subject.role.arn and not addon.association_arns


def _can_be_met(trustee: Trustee) -> bool:
    return not trustee.service_accounts or not all(account.never_matches for account in trustee.service_accounts)
