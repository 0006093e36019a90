"""Public threads about pods without their role: each ends at the thread's answer in one screen."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot, AttachedPolicy, Role
from ekstui.eks.cluster import Addon, Cluster, EksFacts, NodeGroup, PodIdentityAssociation
from ekstui.iam.document import Document, parse
from ekstui.library import AccountChoice, Library
from ekstui.library.pod_answers import Wish, answers_in
from ekstui.present.pod_report import pods_blocks
from ekstui.present.rendering import lines
from ekstui.sources.kubernetes import read_kubernetes
from tests.support.accounts import identity
from tests.support.kubernetes import (
    POD_IDENTITY,
    irsa_variables,
    of_all_namespaces,
    pod,
    service_account,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/A"
ROLE = "arn:aws:iam::111122223333:role/app"
NODES = "arn:aws:iam::111122223333:role/nodes"
ONE_SCREEN = 40

BY_AGENT = parse({"Statement": {
    "Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"],
}})  # fmt: skip


def by_token(subject: str) -> Document:
    return parse({"Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
        "Condition": {"StringEquals": {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}},
    }})  # fmt: skip


WEB = "system:serviceaccount:shop:web"


class Thread(NamedTuple):
    """A thread: what its author had, and what solved it."""

    address: str
    items: list[dict[str, Any]]
    says: tuple[str, ...]
    """What the answer says, the first words of it in its first line."""
    trust: Document = by_token(WEB)
    associated: datetime | None = None
    addons: tuple[Addon, ...] = ()
    provider: bool = True


def minutes(minute: int) -> str:
    return f"2026-11-02T08:{minute:02}:00Z"


THREADS = (
    Thread(
        "amazon-eks-pod-identity-webhook#83: only the pod of the deployment was not injected",
        [service_account("web", ROLE, created=minutes(5)), pod("web-1-a", created=minutes(4))],
        ("has no role of its own and uses its node's role nodes", "made before their service account was annotated",
         "kubectl rollout restart deployment/web -n shop"),
    ),
    Thread(
        "amazon-eks-pod-identity-webhook#108: in some namespaces pods fell back to the machine's credentials",
        [service_account("web", ROLE, created=minutes(0)), pod("web-1-a", created=minutes(4))],
        ("has no role of its own and uses its node's role nodes", "or the webhook did not run when they were made",
         "kubectl rollout restart deployment/web -n shop"),
    ),
    Thread(
        "amazon-eks-pod-identity-webhook#194: new pods of a deployment are no longer mutated",
        [{**service_account("web", ROLE), "metadata": {**service_account("web", ROLE)["metadata"], "managedFields": [
            {"time": minutes(0), "fieldsV1": {"f:metadata": {"f:annotations": {"f:eks.amazonaws.com/role-arn": {}}}}}]}},
         pod("web-1-a", created=minutes(9))],
        ("has no role of its own", "the webhook did not see that yet or did not run", "it does not run for this namespace"),
    ),
    Thread(
        "amazon-eks-pod-identity-webhook#210: the association was made after the pod",
        [service_account("web"), pod("web-1-a", created=minutes(1))],
        ("has no role of its own", "made before the association of their service account was made on 2026-11-02",
         "kubectl rollout restart deployment/web -n shop"),
        BY_AGENT, datetime(2026, 11, 2, 9, tzinfo=UTC),
    ),
    Thread(
        "amazon-eks-pod-identity-webhook#264: variables of IRSA although there is an association, and no OIDC provider",
        [service_account("web", ROLE), pod("web-1-a", irsa_variables(ROLE), created=minutes(9))],
        ("uses role app by IRSA since 2026-11-02; 2 problems", "instead of app by Pod Identity",
         f"IAM has no OIDC provider for {ISSUER}, so that fails", "kubectl rollout restart deployment/web -n shop"),
        BY_AGENT, datetime(2026, 11, 2, 7, tzinfo=UTC), provider=False,
    ),
    Thread(
        "amazon-eks-pod-identity-webhook#200: the annotation is eks.amazon.com/role-arn",
        [service_account("web", **{"eks.amazon.com/role-arn": ROLE}), pod("web-1-a")],
        ("has no role of its own", "EKS reads only eks.amazonaws.com/role-arn", "kubectl annotate serviceaccount web -n shop"),
    ),
    Thread(
        "containers-roadmap#2400: running pods cannot use a new association",
        [service_account("web"), pod("web-1-a", created=minutes(1)), pod("web-1-b", created=minutes(2))],
        ("has no role of its own", "2 pods use the node's role nodes instead of app: made before the association"),
        BY_AGENT, datetime(2026, 11, 2, 9, tzinfo=UTC),
    ),
    Thread(
        "eks-pod-identity-agent#153: pods newer than the association are not injected, and nothing says so",
        [service_account("web"), pod("web-1-a", created="2026-11-20T00:00:00Z")],
        ("has no role of its own", "made after the association of their service account was made on 2026-11-02"),
        BY_AGENT, datetime(2026, 11, 2, 9, tzinfo=UTC),
    ),
    Thread(
        "containers-roadmap#2248 and eksctl#7847: an add-on's role is not on the service account",
        [service_account("ebs-csi-controller-sa", namespace="kube-system"),
         pod("ebs-csi-controller-1-a", namespace="kube-system", account="ebs-csi-controller-sa")],
        ("has no role of its own and uses its node's role nodes since 2026-11-02; 1 problem",
         "The add-on aws-ebs-csi-driver is to use app, but kube-system/ebs-csi-controller-sa is not annotated with it"),
        addons=(Addon("aws-ebs-csi-driver", "v1", ROLE),),
    ),
    Thread(
        "amazon-vpc-cni-k8s#1338: the role of a managed add-on was set, and its pods still use the previous one",
        [service_account("aws-node", ROLE, namespace="kube-system", created=minutes(5)),
         pod("aws-node-x1", namespace="kube-system", account="aws-node", created=minutes(1), owner=("DaemonSet", "aws-node"))],
        ("has no role of its own and uses its node's role nodes", "made before their service account was annotated",
         "kubectl rollout restart daemonset/aws-node -n kube-system"),
        addons=(Addon("vpc-cni", "v1", ROLE),),
    ),
    Thread(
        "containers-roadmap#2507: pods made right after an association come up without it, until they are made again",
        [service_account("web"), pod("web-1-a", created="2026-11-02T09:00:05Z")],
        ("has no role of its own", "kubectl rollout restart deployment/web -n shop"),
        BY_AGENT, datetime(2026, 11, 2, 9, tzinfo=UTC),
    ),
    Thread(
        "trust of a role for another service account: sts:AssumeRoleWithWebIdentity is denied",
        [service_account("web", ROLE), pod("web-1-a", irsa_variables(ROLE))],
        ("uses role app by IRSA since 2026-11-02; 1 problem", "its role's trust policy refuses it"),
        by_token("system:serviceaccount:shop:api"),
    ),
    Thread(
        "a pod that has its role",
        [service_account("web"), pod("web-1-a", POD_IDENTITY, created="2026-11-20T00:00:00Z")],
        ("uses role app by Pod Identity since 2026-11-20; no problem found", "the role's trust policy lets it"),
        BY_AGENT, datetime(2026, 11, 2, 9, tzinfo=UTC),
    ),
)  # fmt: skip


@pytest.mark.parametrize("thread", THREADS, ids=lambda thread: thread.address.partition(":")[0])
def test_a_thread_ends_at_its_answer(thread: Thread, own_home: object) -> None:
    association = PodIdentityAssociation("a-1", "shop", "web", ROLE, created=thread.associated)
    cluster = Cluster(
        "prod", "eu-west-1", arn="arn:aws:eks:eu-west-1:111122223333:cluster/prod", issuer=ISSUER, described=True,
        addons=(Addon("eks-pod-identity-agent", "v1", None), *thread.addons), nodegroups=(NodeGroup("g", NODES),),
        associations=(association,) if thread.associated else (), access_entries=(), authentication_mode="API",
    )  # fmt: skip
    read_only = AttachedPolicy("AmazonS3ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    snapshot = AccountSnapshot(
        identity(), NOW, True, (Role("app", ROLE, trust=thread.trust, attached=(read_only,)), Role("nodes", NODES)),
        oidc_providers=(f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}",) if thread.provider else (),
        eks=EksFacts((cluster,), ("eu-west-1",)),
    )  # fmt: skip
    facts = read_kubernetes([("list", of_all_namespaces(thread.items))], NOW)
    library = Library.open(AccountChoice(demo=True, offline=True))
    blocks = pods_blocks(answers_in(library, snapshot, cluster, facts, Wish()), NOW)
    text = "\n".join(lines(blocks, 300, colours=False, whole_tables=False))
    assert thread.says[0] in text.splitlines()[0]
    assert [words for words in thread.says if words not in " ".join(text.split())] == [], text
    assert len(text.splitlines()) <= ONE_SCREEN
