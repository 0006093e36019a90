"""The JSON of the commands' answers; the schema in `assets/schema.json` describes each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ekstui.change.policy import version_label
from ekstui.export.encoding import Shape, arn_or_none, encode, shape
from ekstui.iam.summary import too_large_to_list

if TYPE_CHECKING:
    # Every command imports this module, but none needs the modules of all these values.
    from ekstui.change.steps import Step
    from ekstui.eks.account_snapshot import AccountSnapshot
    from ekstui.iam.summary import ServiceSummary
    from ekstui.library.access_policies import KubernetesHolders
    from ekstui.library.cache_file import CacheInfo
    from ekstui.library.catalog import PolicyEntry
    from ekstui.library.cluster_answers import ClusterAnswer
    from ekstui.library.explaining import ExplainAnswer
    from ekstui.library.library import DataStatus
    from ekstui.library.peeling import LayerSimulation
    from ekstui.library.pod_answers import PodAnswer
    from ekstui.store.accounts import StoredAccount


def answer(**parts: object) -> Shape:
    """Return an answer made of these parts."""
    return {name: encode(part) for name, part in parts.items()}


def answer_of(data: DataStatus, answer: object, form: str = "") -> Shape:
    """Return an answer whose parts are the fields of a value, in a form of its own if one is named."""
    return {"data": encode(data), **shape(answer, form)}


def one_or_answers(answers: Sequence[Shape]) -> Shape:
    """Return a single answer as it is, or several in one object."""
    return answers[0] if len(answers) == 1 else {"answers": list(answers)}


def kubernetes_holders_shape(data: DataStatus, holders: KubernetesHolders, principals: Sequence[object]) -> Shape:
    """Return the answer of `who-can` for a request in Kubernetes."""
    policies = [
        {"policy": holder.policy.name, "arn": holder.arn, "content": holder.policy.content, "rules": rules}
        for holder, rules in holders.holders
    ]
    return answer(
        data=data, action=str(holders.request), policies=policies, principals=principals, not_known=holders.unknown
    )


def show_shape(
    data: DataStatus,
    entry: PolicyEntry,
    version: int,
    document: object,
    services: Sequence[ServiceSummary],
    reasons: Mapping[str, str],
    parameters: Mapping[str, str | None],
) -> Shape:
    """Return the answer of `show`; `document` is the JSON value as IAM has it, `parameters` are a controller's."""
    policy = entry.policy
    release_fields: Shape = {}
    if entry.component is not None:
        single = entry.component.versions[version - 1].policies
        release_fields = {"parameters": dict(parameters)}
        if len(single) > 1:
            release_fields["documents"] = [{"name": part.name, "document": part.document} for part in single]
    return {
        **_policy_fields(data, entry),
        "version": version_label(version),
        "default": version == policy.default_version,
        "created": encode(next(info.created for info in policy.versions if info.number == version)),
        "document": document,
        **_services(services, reasons),
        **release_fields,
    }


def document_shape(data: DataStatus, label: str, document: object, services: Sequence[ServiceSummary]) -> Shape:
    """Return the answer of `show` for a document from a file, standard input or a role."""
    return {**answer(data=data), "label": label, "document": document, **_services(services, {})}


def versions_shape(data: DataStatus, entry: PolicyEntry, steps: Sequence[Step]) -> Shape:
    """Return the answer of `versions`, oldest first."""
    return {**_policy_fields(data, entry), "versions": encode(steps)}


def clusters_shape(data: DataStatus, snapshot: AccountSnapshot, answers: Sequence[ClusterAnswer]) -> Shape:
    """Return the answer of `clusters`: that of `account`, for clusters alone, and with their problems."""
    about = answer_of(data, snapshot, "AccountSnapshot.of_clusters")
    return about if snapshot.eks is None else about | {"clusters": [*map(_cluster, answers)]}


def _cluster(answer: ClusterAnswer) -> Shape:
    about, counts = shape(answer.cluster), answer.counts
    issues = about.pop("issues")
    return about | {
        "roles": len(answer.roles),
        "problems": counts["problem"],
        "advice": counts["advice"],
        "not_judged": list(answer.not_judged),
        "issues": issues,
    }


def explain_shape(data: DataStatus, answers: Sequence[ExplainAnswer], simulation: LayerSimulation | None) -> Shape:
    """Return the answer of `explain`: a list, with how many denials were read and how many of them repeat another.

    `simulation` is what IAM's simulator said about the first; None if it was not asked. A single answer also has its fields
    beside the list, as before it was one; deprecated.
    """
    shapes = [_explain_answer(data, answer, None if index else simulation) for index, answer in enumerate(answers)]
    denial_count = sum(answer.times for answer in answers)
    different = sum(answer.times > 0 for answer in answers)
    list_fields = {**answer(data=data), "answers": shapes, "read": denial_count, "merged": denial_count - different}
    return {**shapes[0], **list_fields} if len(shapes) == 1 else list_fields


def _explain_answer(data: DataStatus, explanation: ExplainAnswer, simulation: LayerSimulation | None) -> Shape:
    from ekstui.denial.answer import Explanation, decoding  # only `explain` needs them

    if not isinstance(explanation, Explanation):
        return answer_of(data, explanation)
    command = decoding(explanation)
    return answer_of(data, explanation) | answer(
        simulated=None if simulation is None else simulation.steps[0].decisions,
        peeled=None if simulation is None or simulation.planned == 1 else simulation,
        checks=[check.text for check in explanation.checks],
        commands=[step.text for fix in explanation.fixes if not fix.depends_on for step in fix.commands],
        fixes=[
            {"commands": [step.text for step in fix.commands], "depends_on": fix.depends_on}
            for fix in explanation.fixes
        ],
        decode_command=None if command is None else command.text,
        trust=explanation.trust,
    )


def pods_shape(data: DataStatus, answers: Sequence[PodAnswer]) -> Shape:
    """Return the answer of `pod`: one for each group of pods that were given the same."""
    return one_or_answers(
        [
            answer_of(data, answer) | {"can": _explain_answer(data, answer.can[0], None) if answer.can else None}
            for answer in answers
        ]
    )


def cache_shape(info: CacheInfo, accounts: Sequence[StoredAccount]) -> Shape:
    """Return the answer of `cache info`."""
    corpus = answer(source=info.source, newest=info.newest, policies=info.policies, versions=info.versions)
    return answer(path=info.path, corpus=corpus, synced_at=info.synced_at, accounts=accounts, size_bytes=info.size)


def _policy_fields(data: DataStatus, entry: PolicyEntry) -> Shape:
    return answer(data=data, policy=entry.policy.name, arn=arn_or_none(entry.policy.arn))


def _services(services: Sequence[ServiceSummary], reasons: Mapping[str, str]) -> Shape:
    """Return what a document permits by service, without the actions of one that is too large to list."""
    too_large = too_large_to_list(services)
    service_shapes = [
        {
            **shape(service),
            "reason": reasons.get(service.service),
            "actions": [] if too_large else encode(service.actions),
        }
        for service in services
    ]
    return {"services": service_shapes} | ({"too_large": too_large} if too_large else {})
