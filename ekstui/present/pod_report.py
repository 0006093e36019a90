"""The credentials of a pod's containers, what is wrong with them, and what they allow."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ekstui.eks.pod_credentials import Credentials, credentials_in_words, name_of
from ekstui.iam.access_levels import SumAccess
from ekstui.iam.text import counted, listed
from ekstui.library.pod_answers import CredentialsAnswer, PodAnswer
from ekstui.present.blocks import (
    Block,
    Heading,
    Node,
    Sentence,
    Span,
    Tree,
    as_of_words,
    code,
    finding_node,
    iso_day,
    joined,
    muted,
    not_looked_at,
)
from ekstui.present.explanation import explanation_blocks
from ekstui.present.styled import Style

MOST_SERVICES = 6
"""How many services are named of what a role may do."""

_CHANGING = ("Write", "Permissions management", "Tagging")


def pod_words(answer: PodAnswer) -> str:
    """Return which credentials pods use and how long they have had them, and how many problems there are."""
    problems = sum(finding.severity == "problem" for finding in answer.findings)
    first = answer.credentials[0] if answer.credentials else None
    words = f"{answer.title} {_uses(first, len(answer.workload.pods))}" if first else f"{answer.title} has no container"
    other_containers = len(answer.credentials) - 1
    differ = f"; {counted(other_containers, 'container differs', 'containers differ')}" if other_containers > 0 else ""
    return f"{words}{differ}; {counted(problems, 'problem') if problems else 'no problem found'}"


def _uses(credentials: CredentialsAnswer, pods: int) -> str:
    credentials_used, since = credentials.credentials, ""
    if credentials.since:
        words = ", its oldest pod since" if pods > 1 else " since"
        since = f"{words} {iso_day(credentials.since)}"
    if credentials_used.source == "none":
        return "has no credentials"
    no_role = "has no role of its own and " if credentials_used.source == "node" else ""
    return f"{no_role}uses {_in_words(credentials_used)}{since}"


def _in_words(credentials: Credentials) -> str:
    """Return what containers use, with the name of a node's role."""
    name = f" {name_of(credentials.role_arn)}" if credentials.role_arn and credentials.source == "node" else ""
    return credentials_in_words(credentials) + name


def pods_blocks(answers: Sequence[PodAnswer], now: datetime) -> list[Block]:
    """Return the answer of each group of pods that were given the same."""
    return [block for answer in answers for block in pod_blocks(answer, now)]


def pod_blocks(answer: PodAnswer, now: datetime) -> list[Block]:
    """Return what is wrong with pods, their credentials and the reason, and whether they may do what was asked."""
    workload = answer.workload
    place = f"cluster {answer.cluster} in {answer.region}" if answer.cluster else "no cluster is known"
    account = f"account {answer.account} {as_of_words(answer.fetched_at)}, " if answer.fetched_at else ""
    pods = f"{counted(len(workload.pods), 'pod')} of service account {workload.account}"
    blocks: list[Block] = [
        Heading(pod_words(answer), 1),
        Sentence(Span(pod_words(answer), "strong", media="app")),
        muted(f"{pods}; {place}, {account}Kubernetes {as_of_words(answer.kubernetes_read_at)}"),
    ]
    if answer.findings:
        blocks += [Heading("What is wrong, worst first"), Tree([finding_node(finding) for finding in answer.findings])]
    blocks.append(Heading("Credentials"))
    blocks.append(Tree([_credentials(credentials, answer) for credentials in answer.credentials]))
    if answer.can:
        blocks.append(Heading(f"Whether it may {answer.can[0].action}"))
        blocks += explanation_blocks(answer.can, now=now)
    return blocks + not_looked_at(answer.not_looked_at)


def _credentials(answer: CredentialsAnswer, pod_answer: PodAnswer) -> Node:
    credentials = answer.credentials
    line = (Span(listed(credentials.containers), "strong"), f": {_in_words(credentials)}")
    nodes = [Node(credentials.reason), *(Node(line) for line in _since(answer, pod_answer)), *_trust(answer)]
    if credentials.role_arn:
        nodes.append(Node(code(credentials.role_arn, "muted")))
    if answer.access is not None:
        nodes.append(Node((Span("may: ", "muted"), *_access_words(answer.access))))
    return Node(line, nodes, answer, ("credentials", pod_answer.title, credentials.containers))


def _since(answer: CredentialsAnswer, pod_answer: PodAnswer) -> Iterator[str]:
    times = [pod.created for pod in pod_answer.workload.pods if pod.created is not None]
    if answer.since is not None:
        remark = f", the oldest of {counted(len(times), 'pod')}" if len(times) > 1 else ""
        yield f"since {answer.since:%Y-%m-%d %H:%M} UTC{remark}"


def _trust(answer: CredentialsAnswer) -> Iterator[Node]:
    trust = answer.trust
    if trust is None:
        return
    verdicts: dict[str, tuple[Style, str]] = {
        "allowed": ("good", "the role's trust policy lets it"),
        "depends": ("warn", "the role's trust policy may let it"),
    }
    style, words = verdicts.get(trust.verdict, ("bad", "the role's trust policy does not let it"))
    missing = f": it depends on {listed(trust.missing)}" if trust.missing else ""
    yield Node(Span(words + missing, style), [Node(note) for note in trust.notes])


def _access_words(access: SumAccess) -> tuple[str | Span, ...]:
    """Return what a role may do in a line: the services that it may change, then how many it only reads."""
    services = [service for service in access.services if service.levels]
    writable_services = [
        service.service
        for service in services
        if any(service.levels[level].granted for level in _CHANGING if level in service.levels)
    ]
    read = len(services) - len(writable_services)
    service_spans = joined(", ", [code(service) for service in writable_services[:MOST_SERVICES]])
    remainder = (
        f" and {len(writable_services) - MOST_SERVICES} more services" if len(writable_services) > MOST_SERVICES else ""
    )
    if not services:
        return ("nothing",)
    if not writable_services:
        return (f"read {counted(read, 'service')}",)
    return ("change ", *service_spans, remainder, f"; only read {counted(read, 'other service')}" if read else "")
