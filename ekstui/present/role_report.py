"""All about a role: what is wrong, whom it trusts, what it may do, what uses it, and its policies."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import datetime

from ekstui.eks.account_snapshot import SERVICE_LINKED_PATH, Role, Use
from ekstui.eks.findings.subjects import NODE_KINDS, RoleInUse, RolePolicy
from ekstui.eks.pod_credentials import SOURCE_WORDS, PodsWithRole
from ekstui.eks.pods import PodPlace
from ekstui.eks.use_words import use_in_words
from ekstui.iam.text import counted
from ekstui.library.copies import CopyAnswer
from ekstui.library.roles import RoleAnswer
from ekstui.present.account_report import copy_line
from ekstui.present.blocks import (
    TRACKED,
    Block,
    Heading,
    Line,
    Node,
    Sentence,
    Span,
    Tree,
    as_of_words,
    code,
    command_node,
    facts_tree,
    finding_node,
    iso_day,
    last_used_words,
    muted,
    note,
    policy_node,
    spans,
)
from ekstui.present.cluster_report import verdict_words
from ekstui.present.permissions import services_blocks


def role_blocks(answer: RoleAnswer, now: datetime, open_keys: Collection[Hashable] = ()) -> list[Block]:
    """Return all about a role; the pods of the owners in `open_keys` are listed."""
    role = answer.subject.role
    as_of = Span(f"account {answer.identity.account}, {as_of_words(answer.fetched_at)}", media="terminal")
    verdict = verdict_words([("", finding) for finding in answer.findings], _unread_words(answer.subject))
    blocks: list[Block] = [Heading(f"{role.name}: {verdict}", 1), Sentence(as_of)]
    if answer.findings:
        blocks += [Heading("Findings"), Tree([finding_node(finding) for finding in answer.findings])]
    blocks.append(Heading("Trust: who may assume it"))
    blocks += [Sentence(sentence) for sentence in answer.trust or ("its trust policy is not known",)]
    blocks += [Heading("What it may do, all policies together"), *_role_access(answer)]
    blocks += [*_role_uses(answer.subject), *_role_pods(answer, open_keys)]
    blocks += _role_policies(answer)
    return [*blocks, Heading("About"), _role_facts(role, now)]


def _unread_words(subject: RoleInUse) -> tuple[str, ...]:
    """Return what could not be read of a role that may have problems, as the subject of a clause."""
    if not subject.known_whole:
        return ("its policies were",)
    return tuple(f"{policy.name} was" for policy in subject.policies if policy.document is None)


def _role_uses(subject: RoleInUse) -> Iterator[Block]:
    yield Heading("Uses")
    yield Tree([_use_node(use, index) for index, use in enumerate(subject.uses)])
    if not subject.uses:
        role = subject.role
        service = role.path.removeprefix(SERVICE_LINKED_PATH).strip("/") if role.service_linked else ""
        words = f"{service} alone uses it: it is the service's own role" if service else "EKS is not known to use it"
        yield muted(words)
    if subject.unseen:
        yield muted(f"not looked at: {', '.join(subject.unseen)}")


def _role_pods(answer: RoleAnswer, open_keys: Collection[Hashable]) -> Iterator[Block]:
    """Yield how many pods have the role's credentials, by namespace and owner."""
    if not answer.pods:
        if answer.pods is not None:
            of_nodes = any(use.kind in NODE_KINDS for use in answer.subject.uses)
            nodes = "which pods use it as their node's role is not known: their cluster's nodes have several roles"
            yield muted(nodes if of_nodes else "no pod of those that were read has its credentials")
        return
    by_namespace: dict[tuple[str, str], list[PodsWithRole]] = {}
    for pods in answer.pods:
        by_namespace.setdefault((pods.cluster, pods.workload.namespace), []).append(pods)
    total = sum(len(pods.workload.pods) for pods in answer.pods)
    yield Heading(f"Pods: {total:,} have its credentials")
    yield Tree(
        [
            Node(
                (code(namespace, "strong"), Span(f" of {cluster}  ", "muted"), _count(alike)),
                [_owner(pods, open_keys) for pods in alike],
                key=("pods", cluster, namespace),
            )
            for (cluster, namespace), alike in by_namespace.items()
        ]
    )


def _count(alike: Sequence[PodsWithRole]) -> str:
    return counted(sum(len(pods.workload.pods) for pods in alike), "pod")


def _owner(pods: PodsWithRole, open_keys: Collection[Hashable]) -> Node:
    """Return an owner of pods, and in the app its pods if it is unfolded."""
    workload = pods.workload
    line = (
        f"{workload.kind.lower()}/{workload.name}  {_count([pods])}",
        Span(f"  {SOURCE_WORDS[pods.source]}, service account {workload.service_account}", "muted"),
    )
    is_open = pods.key in open_keys
    pod_nodes = [
        Node(code(pod.name), value=PodPlace(pods.cluster, f"{pod.namespace}/{pod.name}"), key=(*pods.key, pod.name))
        for pod in (workload.pods if is_open else ())
    ]
    return Node(line, pod_nodes, pods, pods.key, opened=is_open)


def _role_policies(answer: RoleAnswer) -> Iterator[Block]:
    subject = answer.subject
    policies = [
        policy_node(policy, policy_kind(policy), ("policy", policy.arn or policy.name)) for policy in subject.policies
    ]
    if subject.boundary:
        policies.append(policy_node(subject.boundary, "permissions boundary", ("boundary", subject.boundary.name)))
    yield Heading("Policies")
    yield Tree(policies)
    if answer.copies:
        yield Heading("Copies of AWS's and controllers' policies")
        yield Tree([_copy(copy, subject.role.name, number) for number, copy in enumerate(answer.copies)])
    if not subject.policies and subject.role.extent == "full":
        yield muted("none")


def _role_facts(role: Role, now: datetime) -> Tree:
    last_use = TRACKED if role.was_read else "not read"
    if role.last_used:
        last_use = f"{last_used_words(role, now)} in {role.last_used_region}"
    return facts_tree(
        [
            ("ARN", role.arn or "not known"),
            ("last used", last_use),
            ("created", iso_day(role.created)),
            *(("instance profile", profile) for profile in role.instance_profiles),
            *((f"tag {key}", value) for key, value in role.tags),
            ("service-linked", "only its service can change it" if role.service_linked else ""),
        ]
    )


def _role_access(answer: RoleAnswer) -> Iterator[Block]:
    """Yield what all the role's policies allow, one row per service, and what is left out or unknown."""
    subject, access = answer.subject, answer.access
    if access.services:
        yield from services_blocks(access.services)
    elif all(policy.document for policy in subject.policies):
        yield muted("nothing")
    yield from left_out(answer)


def left_out(answer: RoleAnswer) -> Iterator[Block]:
    """Yield what the sum of a role's permissions leaves out, and what it may lack."""
    subject, access = answer.subject, answer.access
    if access.denied:
        yield muted(f"{access.denied:,} actions are left out, since a Deny of the role takes them away.")
    if (boundary := subject.boundary) is not None:
        if boundary.document is None:
            yield note(f"The permissions boundary {boundary.name} could not be read; it may take any of this away.")
        else:
            text = f"Within the permissions boundary {boundary.name}"
            withheld = f", which withholds {access.withheld:,} more actions" if access.withheld else ""
            yield muted(f"{text}{withheld}; its resources and conditions are not considered here.")
    if answer.within:
        withheld = f", which withhold {access.withheld_above:,} more actions" if access.withheld_above else ""
        yield muted(
            f"Within {', '.join(answer.within)}{withheld}; their resources and conditions are not considered here."
        )
    if unread := [policy.name for policy in subject.policies if policy.document is None]:
        yield note(f"{', '.join(unread)} could not be read: there may be more.")


def _copy(answer: CopyAnswer, role: str, number: int) -> Node:
    line = (*spans(copy_line(answer)), Span(". enter compares them", "muted", media="app"))
    return Node(line, [command_node(answer.comparison(role), "outside")], value=answer, key=("copy", number))


def _use_node(use: Use, index: int) -> Node:
    line: Line = (
        use_in_words(use),
        Span(f" in {use.region}" if use.region else "", "muted"),
        Span(f" · {use.remark}" if use.remark else "", "muted"),
    )
    return Node(line, value=use, key=("use", index))


def policy_kind(policy: RolePolicy) -> str:
    """Return whose policy it is: `inline`, `AWS managed` or `customer managed`."""
    return "inline" if policy.arn is None else "AWS managed" if policy.managed_by_aws else "customer managed"
