"""Which pods a question about pods means, and what the answer for them did not look at."""

from datetime import UTC, datetime

import pytest

from ekstui.eks.cluster import Addon, Cluster, NodeGroup
from ekstui.eks.pods import Pod
from ekstui.library import Library
from ekstui.library.pod_answers import PodReference, Wish, answers_in
from ekstui.sources.kubernetes import read_kubernetes
from tests.support.accounts import snapshot
from tests.support.kubernetes import POD_IDENTITY, irsa_variables, listing, pod

POD = Pod(
    "shop", "cart-7d9f-x2x", "cart-sa", "node-1", datetime(2026, 6, 1, tzinfo=UTC), "Running", "Deployment", "cart", ()
)


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "is_meant"),
    [
        (None, None, "cart-7d9f-x2x", True),
        (None, None, "cart", True),
        (None, "shop", "cart", True),
        (None, "other", "cart", False),
        (None, None, "cart-sa", False),
        ("Pod", None, "cart-7d9f-x2x", True),
        ("Pod", None, "cart", False),
        ("Pod", "other", "cart-7d9f-x2x", False),
        ("Deployment", None, "cart", True),
        ("Deployment", "shop", "cart", True),
        ("Deployment", "other", "cart", False),
        ("Deployment", None, "cart-7d9f-x2x", False),
        ("DaemonSet", None, "cart", False),
        ("ServiceAccount", None, "cart-sa", True),
        ("ServiceAccount", "other", "cart-sa", False),
        ("ServiceAccount", None, "cart", False),
    ],
)
def test_a_pod_is_meant_by_its_name_its_owner_or_its_service_account(
    kind: str | None, namespace: str | None, name: str, is_meant: bool
) -> None:
    assert PodReference(kind, namespace, name).fits(POD) is is_meant


AGENT = Addon("eks-pod-identity-agent", "v1.3.0", None)
PROD = Cluster("prod", "eu-west-1", auto_mode=False, addons=())


@pytest.mark.parametrize(
    ("cluster", "variables", "is_asked"),
    [
        (PROD, POD_IDENTITY, True),
        (PROD._replace(addons=(Addon("vpc-cni", "v1", None),)), POD_IDENTITY, True),
        (PROD._replace(addons=(AGENT,)), POD_IDENTITY, False),
        # Auto Mode runs the agent itself.
        (PROD._replace(auto_mode=True), POD_IDENTITY, False),
        (PROD._replace(addons=None), POD_IDENTITY, False),
        (Cluster("", "", addons=()), POD_IDENTITY, False),
        (PROD, irsa_variables("arn:aws:iam::111122223333:role/web"), False),
    ],
)
def test_who_runs_the_agent_is_asked_of_a_cluster_that_lacks_its_add_on(
    cluster: Cluster, variables: dict[str, str], is_asked: bool, library: Library
) -> None:
    facts = read_kubernetes([("list", listing(pod("web", variables)))], datetime(2026, 12, 1, tzinfo=UTC))
    (answer,) = answers_in(library, snapshot(), cluster, facts, Wish())
    assert any(note.startswith("who runs the agent") for note in answer.not_looked_at) is is_asked


OF_THE_NODE = "the node's hop limit for instance metadata and network policies: pods may get no credentials at all"
WHICH_NODES = "which role the pods' nodes have"
OF_IRSA = "whether the image's SDK is new enough for web identity tokens"
OF_KEYS = "whose access keys they are"
BY_NODE_GROUP = PROD._replace(nodegroups=(NodeGroup("general", "arn:aws:iam::111122223333:role/node"),))


@pytest.mark.parametrize(
    ("cluster", "variables", "reason", "not_looked_at"),
    [
        (PROD, {}, "No variable is set, so the SDKs ask the node.", {OF_THE_NODE, WHICH_NODES}),
        (BY_NODE_GROUP, {}, "No variable is set, so the SDKs ask the node.", {OF_THE_NODE}),
        (Cluster("", ""), {}, "No variable is set, so the SDKs ask the node.", {OF_THE_NODE}),
        (
            BY_NODE_GROUP,
            {"AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/web"},
            "Of the variables only AWS_ROLE_ARN is set, so the SDKs ask the node.",
            {OF_THE_NODE},
        ),
        (
            PROD,
            irsa_variables("arn:aws:iam::111122223333:role/web"),
            "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are set.",
            {OF_IRSA},
        ),
        (
            PROD,
            {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"},
            "Access keys are in its variables.",
            {OF_KEYS},
        ),
    ],
)
def test_where_credentials_come_from_tells_what_was_not_looked_at(
    cluster: Cluster, variables: dict[str, str], reason: str, not_looked_at: set[str], library: Library
) -> None:
    facts = read_kubernetes([("list", listing(pod("web", variables)))], datetime(2026, 12, 1, tzinfo=UTC))
    (answer,) = answers_in(library, snapshot(), cluster, facts, Wish())
    assert [credentials.credentials.reason for credentials in answer.credentials] == [reason]
    assert {OF_THE_NODE, WHICH_NODES, OF_IRSA, OF_KEYS} & {*answer.not_looked_at} == not_looked_at
