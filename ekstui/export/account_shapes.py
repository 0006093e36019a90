"""The JSON of answers about an account, and of why a request was denied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ekstui.core.document import serialise_statement
from ekstui.core.policy import name_in, version_label
from ekstui.export.encoding import Shape, arn_or_none, encode, shape

if TYPE_CHECKING:
    # Every command imports this module, but none needs the modules of all these values.
    from ekstui.core.account_snapshot import AccountSnapshot, OrganisationAnswer, RoleAttachment
    from ekstui.core.eks import Cluster
    from ekstui.core.explain import Explanation
    from ekstui.core.explain.access_entries import ForbiddenExplanation
    from ekstui.core.explain.answer import TrustJudgement
    from ekstui.library import AttachedAnswer, ClusterAnswer, DataStatus, RoleAnswer
    from ekstui.library.upgrading import UpgradeAnswer
    from ekstui.sources.aws.iam import SimulatedDecision
from ekstui.export.shapes import answer, one_or_answers


def upgrade_shape(found: UpgradeAnswer) -> Shape:
    """Return the answer of `upgrade`."""
    return {
        "cluster": found.cluster,
        "components": [
            {
                "component": each.component,
                "from": each.before_release,
                "to": each.after_release,
                "role": each.role,
                "before": [serialise_statement(statement) for statement in each.before],
                "after": [serialise_statement(statement) for statement in each.after],
                "besides": list(each.besides),
                "reasons": list(each.reasons),
                "not_known": list(each.not_known),
            }
            for each in found.components
        ],
    }


def forbidden_shape(data: DataStatus, found: Sequence[ForbiddenExplanation]) -> Shape:
    """Return the answer of `explain` for a request that Kubernetes forbade, or `answers` if the text has several."""
    return one_or_answers([_forbidden(data, each) for each in found])


def _forbidden(data: DataStatus, found: ForbiddenExplanation) -> Shape:
    request, entry = found.request, found.entry
    return answer(
        data=data,
        verdict=found.verdict,
        reason=found.reason,
        principal=found.principal or (found.subject.username if found.subject else None),
        cluster=found.cluster,
        fetched_at=found.fetched_at,
        entry=None
        if entry is None
        else {
            "principal": entry.principal_arn,
            "type": entry.kind,
            "username": entry.username,
            "groups": list(entry.groups),
        },
        verb=request and request.verb,
        resource=request and (request.path or request.whole_resource),
        api_group=request and request.api_group,
        namespace=request and request.namespace,
        policies=[{**shape(each.given), "covers": each.covers, "applies": each.applies} for each in found.policies],
        missing_rule=None if found.verdict == "allowed" else found.missing_rule,
        allowed_by=[{"policy": each.policy, "permissions": each.permissions} for each in found.allowed_by],
        not_looked_at=found.not_looked_at,
        commands=[each.text for each in found.commands],
    )


def attached_shape(data: DataStatus, found: AttachedAnswer) -> Shape:
    """Return the answer of `attached`."""
    attachments = found.attachments
    return answer(
        data=data,
        policy=name_in(attachments.policy_arn),
        arn=arn_or_none(attachments.policy_arn),
        account=found.identity.account,
        partition=found.identity.partition,
        fetched_at=found.fetched_at,
        complete=found.complete,
        roles=[_role(entry, found.identity.account) for entry in attachments.roles],
        users=attachments.users,
        groups=attachments.groups,
        not_looked_at=attachments.not_looked_at,
        errors=attachments.errors,
    )


def organisation_shape(data: DataStatus, found: OrganisationAnswer) -> Shape:
    """Return the answer of `attached --aggregator`: roles, users and groups of any account."""
    return answer(
        data=data,
        policy=name_in(found.policy_arn),
        arn=found.policy_arn,
        aggregator=found.aggregator,
        account=found.identity.account,
        partition=found.identity.partition,
        complete=found.complete,
        roles=[each for each in found.attachments if each.kind == "role"],
        users=[each for each in found.attachments if each.kind == "user"],
        groups=[each for each in found.attachments if each.kind == "group"],
        not_looked_at=found.not_looked_at,
        errors=found.errors,
    )


def cluster_shape(data: DataStatus, found: ClusterAnswer) -> Shape:
    """Return the answer of `cluster`."""
    return answer(
        data=data,
        cluster=found.cluster.name,
        region=found.cluster.region,
        account=found.identity.account,
        partition=found.identity.partition,
        fetched_at=found.fetched_at,
        complete=found.complete,
        not_judged=found.not_judged,
        health=found.cluster.all_issues,
        recent_changes=found.recent,
        authentication_mode=found.cluster.authentication_mode,
        entries=found.entries,
        roles=found.roles,
        not_looked_at=found.not_looked_at,
        errors=found.errors,
    )


def clusters_shape(data: DataStatus, snapshot: AccountSnapshot, found: Sequence[ClusterAnswer]) -> Shape:
    """Return the answer of `clusters`."""
    from ekstui.library.cluster_answers import worst_first  # imports the findings, which only `clusters` needs

    counts = [Counter(finding.severity for _, finding in worst_first(each)) for each in found]
    return answer(
        data=data,
        account=snapshot.identity.account,
        partition=snapshot.identity.partition,
        fetched_at=snapshot.fetched_at,
        complete=snapshot.complete and not snapshot.errors,
        regions=None if snapshot.eks is None else snapshot.eks.regions,
        clusters=None if snapshot.eks is None else [
            {
                "name": each.cluster.name,
                "region": each.cluster.region,
                "version": each.cluster.version,
                "auto_mode": each.cluster.auto_mode,
                "roles": len(each.roles),
                "problems": None if each.not_judged and not count["problem"] else count["problem"],
                "advice": None if each.not_judged and not count["advice"] else count["advice"],
                "not_judged": list(each.not_judged),
                "issues": _issues(each.cluster),
            }
            for each, count in zip(found, counts, strict=True)
        ],
        not_looked_at=snapshot.not_looked_at,
        errors=snapshot.errors,
    )  # fmt: skip


def _issues(cluster: Cluster) -> int | None:
    """Return how many issues EKS reports; None if there is none in what was read, but not everything was."""
    return len(cluster.all_issues) if cluster.all_issues or cluster.issues_known else None


def account_shape(data: DataStatus, snapshot: AccountSnapshot) -> Shape:
    """Return the answer of `account`."""
    identity, facts = snapshot.identity, snapshot.eks
    clusters = None if facts is None else [
        {
            "name": each.name,
            "region": each.region,
            "version": each.version,
            "auto_mode": each.auto_mode,
            "issues": _issues(each),
        }
        for each in facts.clusters
    ]  # fmt: skip
    return answer(
        data=data,
        account=identity.account,
        partition=identity.partition,
        arn=identity.arn,
        profile=identity.profile,
        fetched_at=snapshot.fetched_at,
        complete=snapshot.complete and not snapshot.errors,
        roles=len(snapshot.roles),
        users=len(snapshot.users),
        groups=len(snapshot.groups),
        policies=len(snapshot.local_policies),
        regions=None if facts is None else facts.regions,
        clusters=clusters,
        not_looked_at=snapshot.not_looked_at,
        errors=snapshot.errors,
    )


def role_shape(data: DataStatus, found: RoleAnswer) -> Shape:
    """Return the answer of `role`."""
    subject, role, access = found.subject, found.subject.role, found.access
    attached = (*subject.policies, *((subject.boundary,) if subject.boundary else ()))
    levels = ("service", "access", "levels", "resource", "condition")
    return answer(
        data=data,
        role=role.name,
        arn=role.arn,
        account=found.identity.account,
        partition=found.identity.partition,
        fetched_at=found.fetched_at,
        complete=found.complete,
        service_linked=role.service_linked,
        created=role.created,
        last_used=role.last_used,
        last_used_region=role.last_used_region,
        tags=dict(role.tags),
        findings=found.findings,
        trust=found.trust,
        access={
            "services": [{name: encode(getattr(row, name)) for name in levels} for row in access.services],
            "denied": access.denied,
            "withheld_by_boundary": access.withheld,
        },
        policies=subject.policies,
        boundary=subject.boundary,
        copies=[
            {
                "policy": each.copy.local.name,
                "original": each.copy.original.name,
                "version": version_label(each.copy.version),
                "overlap": round(each.copy.overlap, 4),
                "nearness": round(each.copy.nearness, 4),
                "newest": version_label(each.copy.original.default_version),
                **answer(kind=each.change.kind, reach=each.change.reach, verdict=each.change.verdict),
            }
            for each in found.copies
        ],
        used_by=subject.uses,
        not_read=[policy.name for policy in attached if policy.document is None],
        not_looked_at=subject.unseen,
    )


def explain_shape(
    data: DataStatus, explanations: Sequence[Explanation], simulated: Sequence[SimulatedDecision] | None = None
) -> Shape:
    """Return the answer of `explain`, or `answers` if the message has several denials.

    `simulated` is what IAM's simulator said about the first; None if it was not asked.
    """
    answers = [_explanation(data, each, None if index else simulated) for index, each in enumerate(explanations)]
    return one_or_answers(answers)


def _role(entry: RoleAttachment, account: str) -> Shape:
    from ekstui.core.trust import trust_word  # 10 ms, for what only the account has

    return {**shape(entry), "trust": trust_word(entry.role.trust, account)}


def _explanation(data: DataStatus, explanation: Explanation, simulated: Sequence[SimulatedDecision] | None) -> Shape:
    from ekstui.core.explain.answer import commands_for, decode_command

    encoded = explanation.encoded
    return {
        "data": encode(data),
        **shape(explanation),
        "simulated": encode(simulated),
        "commands": [each.text for each in commands_for(explanation)],
        "decode_command": None if encoded is None else decode_command(encoded),
        "trust": None if explanation.trust is None else _trust(explanation.trust),
    }


def _trust(trust: TrustJudgement) -> Shape:
    from ekstui.core.trust import ServiceAccount  # needed only by answers about trust policies

    accounts = [
        answer(issuer=token.issuer) | shape(account)
        for token in trust.wanted
        for account in token.service_accounts or (ServiceAccount("*", pattern=True),)
    ]
    return answer(
        role=trust.role,
        verdict=trust.verdict,
        caller=trust.caller,
        may_assume=trust.may_assume,
        service_accounts=accounts,
    )
