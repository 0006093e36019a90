"""Which credentials a pod uses, why and how long, whether the role's trust policy lets it, and what it may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ekstui.denial.answer import Explanation, TrustJudgement
from ekstui.denial.assuming import judge_trust
from ekstui.denial.question import Question
from ekstui.eks.account_snapshot import AccountSnapshot, Role
from ekstui.eks.cluster import Cluster, PodIdentityAssociation
from ekstui.eks.commands import Command
from ekstui.eks.findings.looking import finding_of, worst_first
from ekstui.eks.findings.subjects import AccountContext
from ekstui.eks.findings.table import Case, Finding
from ekstui.eks.pod_credentials import (
    AGENT,
    Credentials,
    ExpectedCredentials,
    account_of,
    node_roles,
    restart,
    roles_on_the_way,
    used_since,
)
from ekstui.eks.pods import KubernetesFacts, Pod, Workload, workloads
from ekstui.eks.trust import POD_IDENTITY, SERVICE_ACCOUNT
from ekstui.errors import AccountError, AmbiguousError, InputError
from ekstui.iam.access_levels import SumAccess, sum_access
from ekstui.iam.evaluation import DENIALS, AppliedPolicy
from ekstui.iam.principals import WEB_IDENTITY
from ekstui.iam.request import Request
from ekstui.library.catalog import knowledge, not_found
from ekstui.library.cluster_answers import pods_answer, service_accounts_of
from ekstui.library.cluster_facts import find_cluster
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.library.library import Library
from ekstui.library.requester import PodOfSession
from ekstui.library.roles import account_context, findings_with_commands, subject_of
from ekstui.named_tuples import NamedTuple

_KINDS = {
    "pod": "Pod", "pods": "Pod", "po": "Pod",
    "deployment": "Deployment", "deployments": "Deployment", "deploy": "Deployment",
    "daemonset": "DaemonSet", "daemonsets": "DaemonSet", "ds": "DaemonSet",
    "statefulset": "StatefulSet", "statefulsets": "StatefulSet", "sts": "StatefulSet",
    "replicaset": "ReplicaSet", "rs": "ReplicaSet", "job": "Job", "jobs": "Job", "rollout": "Rollout",
    "serviceaccount": "ServiceAccount", "serviceaccounts": "ServiceAccount", "sa": "ServiceAccount",
}  # fmt: skip
"""What kubectl calls the kinds of what pods are found by."""


class PodReference(NamedTuple):
    """What somebody calls a pod, what owns it, or its service account."""

    kind: str | None
    """As Kubernetes spells it; None for a pod or any owner."""
    namespace: str | None
    name: str

    def fits(self, pod: Pod) -> bool:
        """Return whether a pod is meant."""
        if self.namespace is not None and self.namespace != pod.namespace:
            return False
        if self.kind == "ServiceAccount":
            return pod.service_account == self.name
        if self.kind not in (None, "Pod"):
            return (pod.owner_kind, pod.owner) == (self.kind, self.name)
        return self.name == pod.name or (self.kind is None and self.name == pod.owner)


class CredentialsAnswer(NamedTuple):
    """Credentials of a pod, and what is known of their role."""

    credentials: Credentials
    since: datetime | None
    """When the oldest of the pods got them; None if that is not known."""
    trust: TrustJudgement | None
    """Whether the role's trust policy lets the pods have it; None if there is nothing to judge or it was not read."""
    access: SumAccess | None
    """What the role's policies permit together; None if it was not read."""


class PodAnswer(NamedTuple):
    """Pods that were given the same, and the credentials that they use."""

    title: str
    """Such as `shop/web-6f7d-x1`, or `shop/deployment/web`."""
    workload: Workload
    cluster: str | None
    """None if it is not known."""
    region: str | None
    account: str | None
    """None if no account was looked at."""
    fetched_at: datetime | None
    """When the account was read."""
    kubernetes_read_at: datetime
    credentials: tuple[CredentialsAnswer, ...]
    """Those of most containers first."""
    expected: ExpectedCredentials | None
    """What they would get if they were made now."""
    findings: tuple[Finding, ...]
    """Worst first."""
    restart: Command | None
    """What makes the pods anew; None if nothing makes them again."""
    can: tuple[Explanation, ...]
    """Why the pods may or may not do what was asked; empty if nothing was, or their role is not known."""
    not_looked_at: tuple[str, ...]


class Wish(NamedTuple):
    """What is asked besides: whether pods may do something."""

    action: str | None = None
    resources: tuple[str, ...] = ()


def parse_reference(text: str) -> PodReference:
    """Return what `[NAMESPACE/][KIND/]NAME` means; InputError for any other form."""
    words = text.strip().split("/")
    if not all(words) or len(words) > 3:
        raise InputError(f"{text!r} is not a pod.", "Such as shop/web-6f7d-x1, deployment/web or shop/sa/web.")
    *before, name = words
    kind = _KINDS.get(before[-1].lower()) if before else None
    if kind is not None:
        before.pop()
    if len(before) > 1:
        raise InputError(f"Kubernetes' {before[1]!r} is not known to own pods.", "Such as shop/deployment/web.")
    return PodReference(kind, before[0] if before else None, name)


def answers_for_json(library: Library, facts: KubernetesFacts, name: str | None, wish: Wish) -> tuple[PodAnswer, ...]:
    """Return the answers for all pods read from JSON, judged by the named cluster or the only known one."""
    snapshot = library.account.last_snapshot_or_error() if name is not None else library.snapshot_at_hand()
    cluster = Cluster("", "")
    if snapshot is not None and snapshot.eks is not None and (name is not None or len(snapshot.clusters) == 1):
        cluster = find_cluster(name or snapshot.clusters[0].name, None, snapshot)
    if not workloads(facts.pods or ()):
        raise InputError("There is no pod in it that runs.", "kubectl get pod NAME -o json | ekstui pod -")
    return answers_in(library, snapshot, cluster, facts, wish)


def answers_in(
    library: Library, snapshot: AccountSnapshot | None, cluster: Cluster, facts: KubernetesFacts, wish: Wish
) -> tuple[PodAnswer, ...]:
    """Return the answers for all pods that were read, in a cluster of an account (unnamed: an unknown one)."""
    case = _Case(library, snapshot, cluster._replace(kubernetes=facts), facts, wish)
    return tuple(case.answer(group, _title(group)) for group in workloads(facts.pods or ()))


def answers_for(library: Library, text: str, name: str | None, wish: Wish) -> tuple[PodAnswer, ...]:
    """Return the answers for the pods of a name, by what they were given.

    NotFoundError, AmbiguousError, or AccountError without pods.
    """
    reference, snapshot = parse_reference(text), library.account.last_snapshot_or_error()
    matches = [
        (cluster, cluster.kubernetes, pod)
        for cluster in _clusters(snapshot, name)
        for pod in cluster.pods or ()
        if cluster.kubernetes is not None and reference.fits(pod)
    ]
    running = [match for match in matches if not match[2].is_over]
    if not running:
        raise _unknown(text, reference, snapshot, name, over=bool(matches))
    places = {(cluster.place, pod.namespace) for cluster, _, pod in running}
    if len(places) > 1:
        if reference.namespace is None:
            places_in_words = sorted({f"{pod.namespace}/{text} of {cluster.name}" for cluster, _, pod in running})
            choice = "name the namespace, or --cluster"
        else:
            places_in_words = sorted({f"{cluster.name} in {cluster.region}" for cluster, _, _ in running})
            choice = "name one with --cluster"
        raise AmbiguousError(f"{text!r} is in {' and '.join(places_in_words)}: {choice}.", tuple(places_in_words))
    cluster, facts, _ = running[0]
    case = _Case(library, snapshot, cluster, facts, wish)
    groups = workloads(pod for _, _, pod in running)
    exact = {pod.name for _, _, pod in running} == {reference.name}
    return tuple(
        case.answer(group, f"{group.namespace}/{reference.name}" if exact else _title(group)) for group in groups
    )


def _clusters(snapshot: AccountSnapshot, name: str | None) -> Sequence[Cluster]:
    clusters = [find_cluster(name, None, snapshot)] if name else snapshot.clusters
    read = [cluster for cluster in clusters if cluster.pods is not None]
    if not read:
        cluster_in_words = f"of cluster {name}" if name else "of any cluster"
        raise AccountError(
            f"The pods {cluster_in_words} were not read.",
            "kubectl get pod NAME -o json | ekstui pod - judges one without that.",
        )
    return read


def _unknown(
    text: str, reference: PodReference, snapshot: AccountSnapshot, name: str | None, *, over: bool
) -> Exception:
    if over:
        return InputError(f"{text} ended, so it uses no credentials any more.")
    names = {
        pod_name
        for cluster in _clusters(snapshot, name)
        for pod in cluster.pods or ()
        if reference.namespace in (None, pod.namespace)
        for pod_name in (f"{pod.namespace}/{pod.name}", f"{pod.namespace}/{pod.owner}")
    }
    searched_clusters = name or ", ".join(cluster.name for cluster in _clusters(snapshot, name))
    full_name = "/".join(filter(None, (reference.namespace, reference.name)))
    return not_found(
        f"There is no pod, workload or service account {text!r} in {searched_clusters}, as last read.", full_name, names
    )


def _title(group: Workload) -> str:
    return f"{group.namespace}/{group.name}" if group.kind == "Pod" else group.title


class _Case(NamedTuple):
    """A cluster to answer about."""

    library: Library
    snapshot: AccountSnapshot | None
    cluster: Cluster
    facts: KubernetesFacts
    wish: Wish

    def answer(self, workload: Workload, title: str) -> PodAnswer:
        """Return the answer for pods that were given the same."""
        snapshot, now = self.snapshot, datetime.now(UTC)
        context = AccountContext(now, knowledge()) if snapshot is None else account_context(snapshot, now)
        if not self.cluster.name:
            # Without a cluster, nothing says that the account is the pods' own.
            context = AccountContext(now, knowledge())
        pods = pods_answer(workload, self.cluster, context, self.library)
        association = self.cluster.association(workload.namespace, workload.service_account)
        roles = {role.arn: role for role in snapshot.roles} if snapshot is not None else {}
        credentials = tuple(
            CredentialsAnswer(
                credentials,
                used_since(credentials, workload.pods, association),
                self._trust(credentials, workload, association, roles.get(credentials.role_arn)),
                self._access(roles.get(credentials.role_arn)),
            )
            for credentials in pods.credentials
        )
        findings_of_account = [
            finding
            for answer in service_accounts_of(self._with_account_only(workload), context, self.library)
            for finding in answer.findings
        ]
        of_role = [
            finding
            for arn in (roles_on_the_way(credentials[0].credentials, association) if credentials else ())
            for finding in self._findings_of_role(roles.get(arn), workload, context)
            if credentials[0].credentials.source != "node"
        ]
        if not any(finding.code.startswith(("trust-", "irsa-")) for finding in of_role):
            of_role += _refusals(credentials, workload)
        can = self._can(credentials[0], workload, roles) if credentials else ()
        unseen = [*_not_looked_at(workload, [part.credentials for part in credentials], self.cluster)]
        if self.wish.action is not None and not can:
            unseen.insert(0, f"whether it may {self.wish.action}: no role that it uses was read")
        return PodAnswer(
            title,
            workload,
            self.cluster.name or None,
            self.cluster.region or None,
            snapshot.identity.account if snapshot and self.cluster.name else None,
            snapshot.fetched_at if snapshot and self.cluster.name else None,
            self.facts.read_at,
            credentials,
            pods.expected,
            tuple(worst_first((*pods.findings, *findings_of_account, *of_role))),
            restart(workload),
            can,
            (*unseen, *self.facts.trouble),
        )

    def _with_account_only(self, workload: Workload) -> Cluster:
        account = account_of(self.cluster, workload)
        facts = self.facts._replace(service_accounts=() if account is None else (account,))
        return self.cluster._replace(kubernetes=facts)

    def _trust(
        self,
        credentials: Credentials,
        workload: Workload,
        association: PodIdentityAssociation | None,
        role: Role | None,
    ) -> TrustJudgement | None:
        if role is None or role.trust is None or self.snapshot is None or not self.cluster.name:
            return None
        trust = AppliedPolicy(f"trust policy of {role.name}", None, role.trust, role.arn)
        subject = f"{SERVICE_ACCOUNT}{workload.namespace}:{workload.service_account}"
        identity = self.snapshot.identity
        if credentials.source == "irsa" and self.cluster.issuer is not None:
            issuer = self.cluster.issuer
            account = account_of(self.cluster, workload)
            audience = (account.audience if account else None) or "sts.amazonaws.com"
            provider = f"arn:{identity.partition}:iam::{identity.account}:oidc-provider/{issuer}"
            context = {
                "aws:FederatedProvider": (provider,), f"{issuer}:aud": (audience,), f"{issuer}:sub": (subject,),
            }  # fmt: skip
            return judge_trust(Request(WEB_IDENTITY, (role.arn or "",), None, context), trust)
        if credentials.source != "pod-identity" or association is None:
            return None
        if association.target_role_arn is not None:
            return judge_trust(Request("sts:AssumeRole", (role.arn or "",), association.role_arn), trust)
        if not association.session_tags:
            return judge_trust(Request(POD_IDENTITY, (), None, {}, frozenset({"aws:RequestTag/*"})), trust)
        return judge_trust(Request(POD_IDENTITY, (self.cluster.arn or "",), subject), trust)

    def _access(self, role: Role | None) -> SumAccess | None:
        if role is None or self.snapshot is None:
            return None
        subject = subject_of(role, self.snapshot, {}, self.library.default_versions)
        documents = [policy.document for policy in subject.policies if policy.document is not None]
        return sum_access(documents, subject.boundary.document if subject.boundary else None)

    def _findings_of_role(self, role: Role | None, workload: Workload, context: AccountContext) -> list[Finding]:
        """Return the problems of a role that concern these pods."""
        if role is None or self.snapshot is None:
            return []
        uses = self.library.account.uses(self.snapshot)
        subject = subject_of(role, self.snapshot, uses, self.library.default_versions)
        pods = (workload.namespace, workload.service_account)
        return [
            finding
            for finding in findings_with_commands(subject, context, self.library)
            if finding.severity == "problem"
            and (not finding.uses or any((use.namespace, use.service_account) == pods for use in finding.uses))
        ]

    def _can(
        self, credentials: CredentialsAnswer, workload: Workload, roles: Mapping[str | None, Role]
    ) -> tuple[Explanation, ...]:
        """Return why the pods may or may not do what was asked; empty if nothing was, or their role was not read."""
        role = roles.get(credentials.credentials.role_arn)
        if self.wish.action is None or role is None or not self.cluster.name:
            return ()
        question = Question(action=self.wish.action, resources=self.wish.resources)
        pod = PodOfSession(self.cluster.name, workload.namespace, workload.service_account)
        answers = explain_all(self.library, Inquiry(question=question, principal=role.arn, pod=pod))
        return tuple(answer for answer in answers if isinstance(answer, Explanation))


def _refusals(credentials: Sequence[CredentialsAnswer], workload: Workload) -> Iterator[Finding]:
    """Yield the roles whose trust policies do not let the pods have them."""
    for answer in credentials:
        trust = answer.trust
        if trust is not None and trust.verdict in DENIALS:
            role, account = (trust.role or "").rpartition("/")[2], workload.account
            text = f"The trust policy of {role} does not let {account} have it, so its calls fail."
            yield finding_of(
                "trust-lacks-principal", Case(text, trust.notes, title="its role's trust policy refuses it")
            )


def _not_looked_at(workload: Workload, credentials: Sequence[Credentials], cluster: Cluster) -> Iterator[str]:
    sources = {credentials.source for credentials in credentials}
    if not cluster.name:
        yield "associations of Pod Identity and the role's policies: no cluster is named (--cluster)"
    if "pod-identity" in sources:
        yield (
            "whether the image's SDK is new enough for the agent of Pod Identity, and whether the agent runs on the "
            "node"
        )
        yield "network policies, which may keep pods from the agent (169.254.170.23)"
        if cluster.name and not cluster.auto_mode and cluster.addons is not None and cluster.addon(AGENT) is None:
            yield f"who runs the agent: the cluster has no add-on {AGENT}"
    if "irsa" in sources:
        yield "whether the image's SDK is new enough for web identity tokens"
    if "node" in sources:
        yield "the node's hop limit for instance metadata and network policies: pods may get no credentials at all"
        if len(node_roles(cluster)) != 1 and cluster.name:
            yield "which role the pods' nodes have"
    if "static-keys" in sources:
        yield "whose access keys they are"
    if any(container.more_variables for container in workload.containers):
        yield "variables that containers take from ConfigMaps and Secrets (envFrom)"
    yield "credentials in files and code of the images"


def pod_as_principal(library: Library, text: str, cluster: str | None) -> tuple[str, PodOfSession]:
    """Return the role that a pod uses, and whose pod it is.

    Errors as those of `answers_for`, InputError without a role.
    """
    answer = answers_for(library, text, cluster, Wish())[0]
    arn = answer.credentials[0].credentials.role_arn if answer.credentials else None
    if arn is None:
        raise InputError(f"It is not known which role {answer.title} uses.", f"ekstui pod {answer.title} says why.")
    return arn, PodOfSession(answer.cluster or "", answer.workload.namespace, answer.workload.service_account)
