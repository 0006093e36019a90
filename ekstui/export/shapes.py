"""The answers of the commands, as the encoder takes them; the schema in `assets/schema.json` describes each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ekstui.core.document import serialise_statement
from ekstui.core.policy import version_label
from ekstui.export.encoding import Shape, arn_or_none, encode, shape

if TYPE_CHECKING:
    # Every command imports this module, and no command needs the modules of all these values.
    from ekstui.core.account import AccountSnapshot, OrganisationAnswer, RoleAttachment
    from ekstui.core.change import GrantDifference
    from ekstui.core.explain import Explanation
    from ekstui.core.explain.access_entries import ForbiddenExplanation
    from ekstui.core.explain.answer import TrustJudgement
    from ekstui.core.grants import Grant
    from ekstui.core.holders import WhoCan
    from ekstui.core.principals import PrincipalsCan
    from ekstui.core.published import Component
    from ekstui.core.steps import FeedStep, Step
    from ekstui.core.summary import ServiceSummary
    from ekstui.library import AttachedAnswer, CacheInfo, ClusterAnswer, Comparison, DataStatus, PolicyEntry, RoleAnswer
    from ekstui.library.access_policies import AccessDifference, AccessPolicyAnswer, KubernetesHolders
    from ekstui.library.pins import Moved
    from ekstui.library.reviewing import Review
    from ekstui.library.syncing import SyncReport
    from ekstui.library.upgrading import UpgradeAnswer
    from ekstui.settings import Effective
    from ekstui.sources.aws.simulation import SimulatedDecision
    from ekstui.store.accounts import StoredAccount


def answer(**parts: object) -> Shape:
    """Return an answer made of these parts."""
    return {name: encode(part) for name, part in parts.items()}


def one_or_answers(answers: Sequence[Shape]) -> Shape:
    """Return the only answer, or all of several in one object."""
    return answers[0] if len(answers) == 1 else {"answers": list(answers)}


def list_shape(data: DataStatus, entries: Sequence[PolicyEntry], access: Sequence[AccessPolicyAnswer] = ()) -> Shape:
    """Return the answer of `list`: AWS's policies, then what controllers publish, then EKS access policies."""
    listed = [_component(entry.component) if entry.component else encode(entry) for entry in entries]
    return {**answer(data=data), "policies": [*listed, *map(_access_policy, access)]}


def _component(component: Component) -> Shape:
    return {
        "name": component.name,
        "component": component.title,
        "repository": component.repository,
        "releases": sum(len(version.releases) for version in component.versions),
        "newest": component.short(component.newest),
        "newest_date": component.newest.day.isoformat(),
        "parameters": list(component.parameters),
        "kind": "published",
        "scope": "controllers",
    }


def _access_policy(found: AccessPolicyAnswer) -> Shape:
    policy = found.policy
    return {
        "name": policy.name,
        "arn": found.arn,
        "content": policy.content,
        "reserved": policy.reserved,
        "introduced": policy.introduced.isoformat() if policy.introduced else None,
        "kind": "access",
        "scope": "access",
    }


def access_policy_shape(data: DataStatus, found: AccessPolicyAnswer) -> Shape:
    """Return the answer of `show` for an EKS access policy; `rules` is null where nobody publishes them."""
    listed = _access_policy(found)
    return {
        **answer(data=data, policy=found.policy.name, arn=found.arn),
        **{name: listed[name] for name in ("kind", "content", "reserved", "introduced")},
        "text": found.policy.text,
        **answer(rules=found.rules, lacks=found.lacks),
    }


def access_diff_shape(data: DataStatus, found: AccessDifference) -> Shape:
    """Return the answer of `diff` for two EKS access policies."""
    sides = {
        name: {"label": side.policy.name, "policy": side.policy.name, "arn": side.arn, "kind": "access"}
        for name, side in (("before", found.before), ("after", found.after))
    }
    changed = "scope" if found.reach != "same" else "none"
    return {
        **answer(data=data),
        **sides,
        **answer(kind=changed, reach=found.reach, added=found.added, removed=found.removed),
    }


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
                "reasons": list(each.reasons),
                "not_known": list(each.not_known),
            }
            for each in found.components
        ],
    }


def forbidden_shape(data: DataStatus, found: Sequence[ForbiddenExplanation]) -> Shape:
    """Return the answer of `explain` for what Kubernetes forbade, or `answers` where a text has several."""
    return one_or_answers([_forbidden(data, each) for each in found])


def _forbidden(data: DataStatus, found: ForbiddenExplanation) -> Shape:
    request, entry = found.request, found.entry
    return answer(
        data=data,
        verdict=found.verdict,
        reason=found.reason,
        principal=found.principal or (found.subject.username if found.subject else None),
        cluster=found.cluster,
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
    )


def kubernetes_holders_shape(data: DataStatus, found: KubernetesHolders, principals: Sequence[object] = ()) -> Shape:
    """Return the answer of `who-can` for a request in Kubernetes."""
    policies = [
        {"policy": each.policy.name, "arn": each.arn, "content": each.policy.content, "rules": encode(rules)}
        for each, rules in found.holders
    ]
    return {
        **answer(data=data, action=str(found.request)),
        "policies": policies,
        **answer(principals=principals, not_known=found.unknown),
    }


def show_shape(
    data: DataStatus,
    entry: PolicyEntry,
    version: int,
    document: object,
    services: Sequence[ServiceSummary],
    reasons: Mapping[str, str],
    parameters: Mapping[str, str | None] | None = None,
) -> Shape:
    """Return the answer of `show`; `document` is the JSON value as IAM has it.

    `parameters` are those of what a controller publishes, with what they are filled in with.
    """
    policy = entry.policy
    published: Shape = {}
    if entry.component is not None:
        single = entry.component.versions[version - 1].policies
        published = {"parameters": dict(parameters or {})}
        if len(single) > 1:
            published["documents"] = [{"name": each.name, "document": each.document} for each in single]
    return {
        **_which(data, entry),
        "version": version_label(version),
        "default": version == policy.default_version,
        "created": encode(next(info.created for info in policy.versions if info.number == version)),
        "document": document,
        "services": [_service(service, reasons.get(service.service)) for service in services],
        **published,
    }


def document_shape(data: DataStatus, label: str, document: object, services: Sequence[ServiceSummary]) -> Shape:
    """Return the answer of `show` for a document that is no policy of AWS's."""
    services_shape = [_service(service, None) for service in services]
    return {**answer(data=data), "label": label, "document": document, "services": services_shape}


def versions_shape(data: DataStatus, entry: PolicyEntry, steps: Sequence[Step]) -> Shape:
    """Return the answer of `versions`, oldest first."""
    return {**_which(data, entry), "versions": encode(steps)}


def diff_shape(data: DataStatus, comparison: Comparison) -> Shape:
    """Return the answer of `diff`."""
    change = comparison.change
    return {
        **answer(data=data, before=comparison.before, after=comparison.after),
        **answer(
            kind=change.kind, reach=change.reach, denies=change.denies, verdict=change.verdict, notes=change.notes
        ),
        "added": [_one_side(difference, difference.after) for difference in change.added],
        "removed": [_one_side(difference, difference.before) for difference in change.removed],
        "changed": [
            {**shape(difference), **answer(before=difference.before, after=difference.after)}
            for difference in change.changed
        ],
    }


def changes_shape(data: DataStatus, steps: Sequence[FeedStep], *, complete: bool) -> Shape:
    """Return the answer of `changes`, newest first."""
    changes = [{**shape(step), **_version_of(step), **shape(step.change)} for step in steps]
    return answer(data=data, complete=complete, changes=changes)


def _version_of(step: FeedStep) -> Shape:
    return {"version": None} if step.family == "access-policy" else {}


def who_can_shape(data: DataStatus, found: WhoCan, principals: PrincipalsCan | None = None) -> Shape:
    """Return the answer of `who-can`, with who in the account may do it where that is known."""
    policies = answer(data=data, action=found.action, level=found.level, policies=found.holders)
    if principals is None:
        return policies
    taken = [
        answer(kind=each.subject.kind, name=each.subject.name, arn=each.subject.arn, by=each.reasons)
        for each in principals.taken
    ]
    return policies | answer(
        account=principals.identity.account,
        fetched_at=principals.fetched_at,
        complete=principals.complete,
        principals=principals.principals,
        taken_away=taken,
        not_looked_at=principals.not_looked_at,
    )


def attached_shape(data: DataStatus, found: AttachedAnswer) -> Shape:
    """Return the answer of `attached`."""
    attachments = found.attachments
    return answer(
        data=data,
        policy=_name(attachments.policy_arn),
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
        policy=_name(found.policy_arn),
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
    from ekstui.library.cluster_answers import worst_first  # with the findings, which no other command's shape needs

    counts = [Counter(finding.severity for _, finding in worst_first(each)) for each in found]
    return answer(
        data=data,
        account=snapshot.identity.account,
        partition=snapshot.identity.partition,
        fetched_at=snapshot.fetched_at,
        complete=snapshot.complete,
        regions=None if snapshot.eks is None else snapshot.eks.regions,
        clusters=None if snapshot.eks is None else [
            {
                "name": each.cluster.name,
                "region": each.cluster.region,
                "version": each.cluster.version,
                "auto_mode": each.cluster.auto_mode,
                "roles": len(each.roles),
                "problems": count["problem"],
                "advice": count["advice"],
                "issues": len(each.cluster.all_issues) if each.cluster.described else None,
            }
            for each, count in zip(found, counts, strict=True)
        ],
        not_looked_at=snapshot.not_looked_at,
        errors=snapshot.errors,
    )  # fmt: skip


def account_shape(data: DataStatus, snapshot: AccountSnapshot) -> Shape:
    """Return the answer of `account`."""
    identity, facts = snapshot.identity, snapshot.eks
    clusters = None if facts is None else [
        {
            "name": each.name,
            "region": each.region,
            "version": each.version,
            "auto_mode": each.auto_mode,
            "issues": len(each.all_issues),
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
        complete=snapshot.complete,
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
    """Return the answer of `explain`, or `answers` where a message has several denials.

    `simulated` is what IAM's own simulator said of the first, None if it was not asked.
    """
    answers = [_explanation(data, each, None if index else simulated) for index, each in enumerate(explanations)]
    return one_or_answers(answers)


def check_shape(moved: Sequence[Moved]) -> Shape:
    """Return the answer of `check`; one that cannot be judged makes it incomplete."""
    return answer(moved=moved, complete=all(each.change is not None for each in moved))


def review_shape(found: Review) -> Shape:
    """Return the answer of `review`."""
    documents = [
        shape(each) if each.change else {**shape(each), "verdict": f"not judged: {each.reason}"}
        for each in found.documents
    ]
    return {"documents": documents, "not_read": list(found.not_read)}


def settings_shape(found: Effective) -> Shape:
    """Return the answer of `config`: each setting in effect, and where it comes from."""
    settings = {
        name: {"value": encode(getattr(found.settings, name)), "from": origin} for name, origin in found.origins.items()
    }
    return {**answer(path=found.path, exists=found.file_found), "settings": settings, "warnings": list(found.warnings)}


def sync_shape(report: SyncReport) -> Shape:
    """Return the answer of `sync`."""

    def versions(pairs: Sequence[tuple[str, int]]) -> list[Shape]:
        return [{"policy": name, "version": f"v{number}"} for name, number in pairs]

    return {
        **shape(report),
        "new_versions": versions(report.new_versions),
        "conflicts": versions(report.conflicts),
    }


def cache_shape(info: CacheInfo, accounts: Sequence[StoredAccount]) -> Shape:
    """Return the answer of `cache info`."""
    corpus = answer(source=info.source, newest=info.newest, policies=info.policies, versions=info.versions)
    return answer(path=info.path, corpus=corpus, synced_at=info.synced_at, accounts=accounts, size_bytes=info.size)


def _which(data: DataStatus, entry: PolicyEntry) -> Shape:
    return answer(data=data, policy=entry.policy.name, arn=arn_or_none(entry.policy.arn))


def _service(service: ServiceSummary, reason: str | None) -> Shape:
    return {**shape(service), "reason": reason, "actions": encode(service.actions)}


def _one_side(difference: GrantDifference, grants: Sequence[Grant]) -> Shape:
    return {**shape(difference), "grants": encode(grants)}


def _role(entry: RoleAttachment, account: str) -> Shape:
    from ekstui.core.trust import trust_word  # 10 ms, for what only the account has

    return {**shape(entry), "trust": trust_word(entry.role.trust, account)}


def _explanation(data: DataStatus, explanation: Explanation, simulated: Sequence[SimulatedDecision] | None) -> Shape:
    from ekstui.core.explain.answer import decode_command

    encoded = explanation.encoded
    return {
        "data": encode(data),
        **shape(explanation),
        "simulated": encode(simulated),
        "decode_command": None if encoded is None else decode_command(encoded),
        "trust": None if explanation.trust is None else _trust(explanation.trust),
    }


def _trust(trust: TrustJudgement) -> Shape:
    from ekstui.core.trust import ServiceAccount  # with the answers that have it alone

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


def _name(arn: str) -> str:
    published = arn.removeprefix("published:")
    return published if published != arn else arn.rpartition("/")[2]
