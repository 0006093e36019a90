"""Real "forbidden" texts of public threads, with numbers of accounts that are examples."""

import shlex
from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui import files
from ekstui.denial.access_entries import (
    ForbiddenExplanation,
    access_entry_of,
    explain_forbidden,
    explain_unauthorized,
)
from ekstui.denial.forbidden import Forbidden, KubernetesSubject, is_unauthorized, subject_of
from ekstui.denial.parsing import refusals_in
from ekstui.denial.question import merged_refusals
from ekstui.eks.cluster import AccessEntry, AssociatedPolicy, Cluster
from ekstui.eks.kubernetes import KubernetesRequest as Request
from ekstui.eks.kubernetes import Rule, read_rules
from ekstui.eks.pods import AuthMapping, KubernetesFacts
from ekstui.errors import InputError


def parse_forbidden(text: str) -> tuple[Forbidden, ...]:
    """What Kubernetes forbade according to a text, without repeats."""
    subjects = (refusal.refusal.what for refusal in merged_refusals(refusals_in(text)))
    return tuple(refusal for refusal in subjects if isinstance(refusal, Forbidden))


RULES = read_rules((files.assets() / "access-policy-rules.tsv").read_text())

# The thread stands behind each.
TEXTS = [
    # terraform-aws-modules/terraform-aws-eks#2988
    (
        'Error from server (Forbidden): pods is forbidden: User "arn:aws:sts::111122223333:assumed-role/terraform/botocore-session-123456" cannot list resource "pods" in API group "" at the cluster scope',
        KubernetesSubject("role", "arn:aws:sts::111122223333:assumed-role/terraform/botocore-session-123456", "111122223333", "terraform", "botocore-session-123456"),
        Request("list", "pods"),
    ),
    # terraform-aws-modules/terraform-aws-eks#3016
    (
        'Error: UPGRADE FAILED: could not get information about the resource: servicemonitors.monitoring.coreos.com "dev-preview-monitor" is forbidden: User "arn:aws:sts::111122223333:assumed-role/eks-devs/EKSGetTokenAuth" cannot get resource "servicemonitors" in API group "monitoring.coreos.com" in the namespace "dev-preview"',
        KubernetesSubject("role", "arn:aws:sts::111122223333:assumed-role/eks-devs/EKSGetTokenAuth", "111122223333", "eks-devs", "EKSGetTokenAuth"),
        Request("get", "servicemonitors", "monitoring.coreos.com", "", "dev-preview", "dev-preview-monitor"),
    ),
    # aws-samples/hardeneks#2: a body in a log
    (
        r'HTTP response body: {"kind":"Status","status":"Failure","message":"namespaces is forbidden: User \"system:anonymous\" cannot list resource \"namespaces\" in API group \"\" at the cluster scope","reason":"Forbidden","code":403}',
        KubernetesSubject("anonymous", "system:anonymous"),
        Request("list", "namespaces"),
    ),
    # aws-samples/hardeneks#52: quoted twice
    (
        r'"message":"nodes is forbidden: User \\\"arn:aws:sts::111122223333:assumed-role/prowler/i-0b4\\\" cannot list resource \\\"nodes\\\" in API group \\\"\\\" at the cluster scope\"',
        KubernetesSubject("role", "arn:aws:sts::111122223333:assumed-role/prowler/i-0b4", "111122223333", "prowler", "i-0b4"),
        Request("list", "nodes"),
    ),
    # txn2/kubefwd#84: a user of IAM, the number redacted
    (
        'nodes is forbidden: User "arn:aws:iam::557470950***:user/some@workemail.com" cannot list resource "nodes" in API group "" at the cluster scope',
        KubernetesSubject("user", "arn:aws:iam::557470950***:user/some@workemail.com", "557470950***", "some@workemail.com"),
        Request("list", "nodes"),
    ),
    # kubernetes/autoscaler#1507: the old wording
    (
        'F1212 21:30:29.408142       1 main.go:345] Failed to get nodes from apiserver: nodes is forbidden: User "system:serviceaccount:default:default" cannot list nodes at the cluster scope',
        KubernetesSubject("service-account", "system:serviceaccount:default:default", name="default", namespace="default"),
        Request("list", "nodes"),
    ),
    # SumoLogic/fluentd-kubernetes-sumologic#101: the old wording in a reflector's log
    (
        r'Failed to list *v1.Namespace: namespaces is forbidden: User \"system:serviceaccount:kube-system:heapster\" cannot list namespaces at the cluster scope"',
        KubernetesSubject("service-account", "system:serviceaccount:kube-system:heapster", name="heapster", namespace="kube-system"),
        Request("list", "namespaces"),
    ),
    # FuelLabs/infrastructure#74: a user name that an entry sets
    (
        'Error from server (Forbidden): configmaps is forbidden: User "eksdev:yuvraj" cannot list resource "configmaps" in API group "" in the namespace "default"',
        KubernetesSubject("username", "eksdev:yuvraj"),
        Request("list", "configmaps", namespace="default"),
    ),
    # vfarcic/argo-workflows-demo#2: broken by the terminal
    (
        'nodes is forbidden: User "system:serviceaccount:argo:internal-kubectl" cannot list resource "nodes\n" in API group "" at the cluster scope',
        KubernetesSubject("service-account", "system:serviceaccount:argo:internal-kubectl", name="internal-kubectl", namespace="argo"),
        Request("list", "nodes"),
    ),
    # The wording for subresources, paths and nodes, as the EKS guide and kubectl have them.
    (
        'Error from server (Forbidden): pods "web-0" is forbidden: User "arn:aws:sts::111122223333:assumed-role/dev/jo" cannot create resource "pods/exec" in API group "" in the namespace "shop"',
        KubernetesSubject("role", "arn:aws:sts::111122223333:assumed-role/dev/jo", "111122223333", "dev", "jo"),
        Request("create", "pods", "", "exec", "shop", "web-0"),
    ),
    (
        'Error from server (Forbidden): forbidden: User "dev" cannot get path "/metrics"',
        KubernetesSubject("username", "dev"),
        Request("get", "", path="/metrics"),
    ),
    (
        'csinodes.storage.k8s.io "ip-10-0-0-1.ec2.internal" is forbidden: User "system:node:ip-10-0-0-1.ec2.internal" cannot get resource "csinodes" in API group "storage.k8s.io" at the cluster scope',
        KubernetesSubject("node", "system:node:ip-10-0-0-1.ec2.internal", name="ip-10-0-0-1.ec2.internal"),
        Request("get", "csinodes", "storage.k8s.io", "", None, "ip-10-0-0-1.ec2.internal"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "subject", "request_"), TEXTS, ids=range(len(TEXTS)))
def test_a_forbidden_text_is_read(text: str, subject: KubernetesSubject, request_: Request) -> None:
    (forbidden,) = parse_forbidden(text)
    assert forbidden.subject == subject
    assert (forbidden.request.verb, forbidden.request.resource, forbidden.request.api_group) == (
        request_.verb, request_.resource, request_.api_group,
    )  # fmt: skip
    assert (forbidden.request.subresource, forbidden.request.namespace, forbidden.request.name, forbidden.request.path) == (
        request_.subresource, request_.namespace, request_.name, request_.path,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("username", "kind", "name"),
    [
        ("system:serviceaccount:shop:web", "service-account", "web"),
        # Not the name of one service account.
        ("system:serviceaccount:shop", "username", None),
        ("system:serviceaccount:shop:*", "username", None),
        ("system:serviceaccounts:shop:web", "username", None),
        ("system:node:ip-10-0-0-1", "node", "ip-10-0-0-1"),
        ("system:nodes:ip-10-0-0-1", "username", None),
        ("", "anonymous", None),
        ("arn:aws:iam::111122223333:role/team/dev", "role", "dev"),
        ("arn:aws:iam::111122223333:user/jo", "user", "jo"),
        ("arn:aws:iam::111122223333:root", "username", None),
        ("jo:dev:ops:web", "username", None),
    ],
)
def test_whom_a_user_name_stands_for(username: str, kind: str, name: str | None) -> None:
    subject = subject_of(username)
    assert (subject.kind, subject.name, subject.username) == (kind, name, username)


GRANTS = (
    'is attempting to grant RBAC permissions not currently held: {APIGroups:[""], Resources:["pods"], Verbs:["get"]}'
)
OLD_GRANT = "is forbidden: attempt to grant extra privileges: [{[get] [] [pods] [] []}] user=&{dev  [system:authenticated] map[]} ownerrules=[]"


@pytest.mark.parametrize(
    ("text", "user", "request_"),
    [
        (f'clusterrolebindings.rbac.authorization.k8s.io "a" is forbidden: user "dev" (groups=["system:authenticated"]) {GRANTS}', "dev", "bind clusterroles"),
        (f'rolebindings.rbac.authorization.k8s.io "a" is forbidden: user "eks:addon-manager" {GRANTS}', "eks:addon-manager", "bind roles"),
        (f'clusterroles.rbac.authorization.k8s.io "a" is forbidden: user "dev" (groups=["x" "y"]) {GRANTS}', "dev", "escalate clusterroles"),
        (f'roles.rbac.authorization.k8s.io "a" is forbidden: user "dev" {GRANTS}', "dev", "escalate roles"),
        (f'Error: roles.rbac.authorization.k8s.io "a" {OLD_GRANT}', "dev", "escalate roles"),
        ('clusterrolebindings.rbac.authorization.k8s.io "a" is forbidden: attempt to grant extra privileges: []', "unknown", "bind clusterroles"),
    ],
)  # fmt: skip
def test_who_grants_what_they_do_not_hold_may_bind_or_escalate(text: str, user: str, request_: str) -> None:
    """Kubernetes, "Using RBAC Authorization", "Privilege escalation prevention and bootstrapping"."""
    (forbidden,) = parse_forbidden(text)
    request = forbidden.request
    assert (forbidden.subject.username, f"{request.verb} {request.resource}") == (user, request_)
    assert (request.api_group, request.name) == ("rbac.authorization.k8s.io", "a")
    assert forbidden.grants == f"{text.removeprefix('Error: ').partition('.')[0]} a"
    answer = explain_forbidden(forbidden, None, RULES)
    assert f"the verb {request.verb} on {request.resource}" in answer.reason
    assert (answer.allowed_by, answer.commands, len(answer.not_looked_at)) == ((), (), 1)


def test_a_text_that_is_cut_off_before_its_group_is_not_taken_for_another_request() -> None:
    with pytest.raises(InputError, match="comes from Kubernetes"):
        parse_forbidden('nodes is forbidden: User "system:anonymous" cannot create resource "nodes"')
    (text, _, request) = TEXTS[1]
    framed_text = "\n".join(f"│ {text[start : start + 60].ljust(60)} │" for start in range(0, len(text), 60))
    assert [refusal.request for refusal in parse_forbidden(framed_text)] == [request]


def test_several_are_read_each_once() -> None:
    texts = [text for text, _, _ in TEXTS]
    assert len(parse_forbidden("\n".join(texts + texts))) == len(texts)


@pytest.mark.parametrize(
    ("text", "is_unknown"),
    [
        ("error: You must be logged in to the server (Unauthorized)", True),
        ("error: You must be logged in to the server (the server has asked for the client to provide credentials)", True),
        ('Response Body: {"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}', True),
        ("User: arn:aws:iam::111122223333:user/jo is not authorized to perform: eks:DescribeCluster", False),
        ("UnauthorizedOperation: You are not authorized to perform this operation.", False),
        ('pods is forbidden: User "dev" cannot list resource "pods" in API group "" at the cluster scope', False),
    ],
)  # fmt: skip
def test_not_being_known_is_told_from_being_forbidden(text: str, is_unknown: bool) -> None:
    assert is_unauthorized(text) is is_unknown


ROLE = "arn:aws:iam::111122223333:role/team/dev"
SESSION = "arn:aws:sts::111122223333:assumed-role/dev/{{SessionName}}"


def associated_policy(policy: str, *namespaces: str) -> AssociatedPolicy:
    return AssociatedPolicy(f"arn:aws:eks::aws:cluster-access-policy/AmazonEKS{policy}Policy", namespaces or None)


def explanation_of(
    request_text: str, *policies: AssociatedPolicy, user: str = "", **fields: Any
) -> ForbiddenExplanation:
    """What a role with an entry of these policies is told; `request_text` is `VERB RESOURCE GROUP NAMESPACE`."""
    verb, resource, group, namespace = request_text.split(" ")
    scope = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    user = user or "arn:aws:sts::111122223333:assumed-role/dev/jo"
    text = f'x is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{group}" {scope}'
    entry = AccessEntry(ROLE, "STANDARD", **{"username": SESSION, "policies": policies, **fields})
    cluster = Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=(entry,))
    (forbidden,) = parse_forbidden(text)
    return explain_forbidden(forbidden, cluster, RULES, ["AmazonEKSHybridPolicy"])


@pytest.mark.parametrize(
    ("request_text", "policies", "verdict", "phrase"),
    [
        ("list pods  shop", (associated_policy("View"),), "allowed", "AmazonEKSViewPolicy"),
        ("list pods  shop", (associated_policy("View", "shop"),), "allowed", "AmazonEKSViewPolicy"),
        ("list pods  shop", (associated_policy("View", "sh*"),), "allowed", "AmazonEKSViewPolicy"),
        ("list pods  shop", (associated_policy("View", "dev"),), "forbidden", "only in dev"),
        ("list pods  ", (associated_policy("View", "shop"),), "forbidden", "cluster scope"),
        ("get secrets  shop", (associated_policy("View"),), "forbidden", "None of the entry's access policies"),
        ("create pods/exec  shop", (associated_policy("Edit"),), "allowed", "AmazonEKSEditPolicy"),
        ("list nodes  ", (associated_policy("Admin"),), "forbidden", "AmazonEKSAdminPolicy"),
        (
            "list nodes  ",
            (associated_policy("Admin"), associated_policy("ClusterAdmin")),
            "allowed",
            "AmazonEKSClusterAdminPolicy",
        ),
        ("list nodes  ", (associated_policy("KRO"),), "depends", "AmazonEKSKROPolicy"),
        ("list nodes  ", (associated_policy("KRO", "shop"),), "forbidden", "None"),
        ("list nodes  ", (), "forbidden", "no access policy"),
    ],
)
def test_why_it_is_forbidden(
    request_text: str, policies: tuple[AssociatedPolicy, ...], verdict: str, phrase: str
) -> None:
    explanation = explanation_of(request_text, *policies)
    assert (explanation.verdict, explanation.principal) == (verdict, ROLE)
    assert phrase in explanation.reason


@pytest.mark.parametrize(
    ("principal", "has_entry"),
    [
        (ROLE, True),
        ("arn:aws:sts::111122223333:assumed-role/dev/jo", True),
        ("arn:aws:iam::111122223333:role/team/de", False),
        ("arn:aws:iam::111122223333:role/team/devs", False),
        ("arn:aws:sts::444455556666:assumed-role/dev/jo", False),
        ("arn:aws:sts::111122223333:assumed-role/devs/jo", False),
        ("arn:aws:iam::111122223333:user/dev", False),
        ("dev", False),
    ],
)
def test_an_entry_is_of_its_principal_and_of_the_sessions_of_it(principal: str, has_entry: bool) -> None:
    cluster = Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=(AccessEntry(ROLE, "STANDARD"),))
    assert ("has an access entry" in explain_unauthorized(principal, cluster).reason) is has_entry


def test_the_remedy_that_gives_least_is_first_and_none_that_nobody_may_have() -> None:
    assert (
        next(remedy.policy for remedy in explanation_of("get secrets  shop").allowed_by)
        == "AmazonEKSSecretReaderPolicy"
    )
    nodes = explanation_of("list nodes  ")
    assert [remedy.policy for remedy in nodes.allowed_by] == ["AmazonEKSAdminViewPolicy", "AmazonEKSClusterAdminPolicy"]
    assert explanation_of("list applications argoproj.io shop").missing_rule == Rule(
        ("argoproj.io",), ("applications",), ("list",)
    )
    assert explanation_of("list pods  shop", associated_policy("View")).allowed_by == ()


def test_what_was_not_read_or_not_looked_at_is_said() -> None:
    unread = explanation_of("list pods  shop", policies=None)
    assert (unread.verdict, unread.policies) == ("depends", ())
    explanation_of_group = explanation_of("list pods  shop", groups=("devs",))
    assert any("the group devs" in place for place in explanation_of_group.not_looked_at)
    assert explanation_of("list pods  shop", user="arn:aws:sts::111122223333:assumed-role/other/jo").entry is None
    assert explanation_of("list pods  shop", user="arn:aws:sts::444455556666:assumed-role/dev/jo").entry is None
    assert (
        explanation_of(
            "list pods  shop", associated_policy("View"), username="dev:{{SessionName}}", user="dev:jo"
        ).verdict
        == "allowed"
    )
    service_account = explanation_of(
        "list pods  shop", associated_policy("ClusterAdmin"), user="system:serviceaccount:shop:web"
    )
    assert (service_account.verdict, service_account.entry) == ("forbidden", None)
    # What the cluster has bound to the names of the entry is for the cluster to say.
    groups = explanation_of("list pods  shop", groups=("devs", "ops"), username=None)
    assert groups.not_looked_at == (
        "what roles in the cluster are bound to the group devs and the group ops and the user",
    )
    assert explanation_of("list pods  shop").not_looked_at == (
        f"what roles in the cluster are bound to the user {SESSION}",
    )
    unread = explanation_of("list pods  shop", policies=None)
    assert unread.not_looked_at[0] == "the access policies of the entry"
    assert (unread.verdict, unread.times) == ("depends", 1)
    (text, _, _) = TEXTS[0]
    without_cluster = explain_forbidden(parse_forbidden(text)[0], None, RULES)
    assert without_cluster.verdict == "forbidden"
    assert "the access entries of the cluster" in without_cluster.not_looked_at


def test_who_is_not_known_lacks_an_entry() -> None:
    cluster = Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=(AccessEntry(ROLE, "STANDARD"),))
    lacking = explain_unauthorized("arn:aws:sts::111122223333:assumed-role/other/jo", cluster)
    assert (lacking.verdict, lacking.entry, lacking.times) == ("forbidden", None, 1)
    assert "no access entry" in lacking.reason
    present = explain_unauthorized("arn:aws:sts::111122223333:assumed-role/dev/jo", cluster)
    assert (present.verdict, present.entry) == (
        "depends",
        cluster.access_entries[0] if cluster.access_entries else None,
    )


def test_the_next_commands_say_whom_what_and_where() -> None:
    def commands(text: str, cluster: Cluster | None) -> list[list[str]]:
        return [
            shlex.split(command.text)
            for command in explain_forbidden(parse_forbidden(text)[0], cluster, RULES).commands
        ]

    text = (
        'pods is forbidden: User "arn:aws:sts::111122223333:assumed-role/dev/jo" cannot list resource "pods" in API group '
        '"" in the namespace "shop"'
    )
    cluster_without_entries = Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=())
    create, associate = commands(text, cluster_without_entries)
    assert create[:5] == ["aws", "eks", "create-access-entry", "--cluster-name", "prod"]
    # IAM knows the path of the role, which the name of the session lacks.
    assert create[6] == "$(aws iam get-role --role-name dev --query Role.Arn --output text)"
    assert associate[associate.index("--access-scope") + 1] == "type=namespace,namespaces=shop"
    assert associate[associate.index("--policy-arn") + 1].endswith(":cluster-access-policy/AmazonEKSViewPolicy")
    # An entry that has the policy elsewhere keeps those namespaces: the association is replaced.
    given_elsewhere = (AssociatedPolicy("arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", ("data",)),)
    entry = AccessEntry(ROLE, "STANDARD", policies=given_elsewhere)
    (associate,) = commands(text, unknown_with(entry))
    assert associate[associate.index("--access-scope") + 1] == "type=namespace,namespaces=data,shop"
    assert ROLE in associate
    cluster_wide = text.replace(' in the namespace "shop"', " at the cluster scope")
    assert commands(cluster_wide, cluster_without_entries)[1][-3] == "type=cluster"
    # What a message says is quoted for the shell.
    hostile_text = text.replace('"shop"', '"a;reboot"')
    assert commands(hostile_text, cluster_without_entries)[1][-3] == "type=namespace,namespaces=a;reboot"
    assert (
        commands(text.replace("arn:aws:sts::111122223333:assumed-role/dev/jo", "system:serviceaccount:a:b"), None) == []
    )


def unknown_with(*entries: AccessEntry) -> Cluster:
    return Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=entries)


@pytest.mark.parametrize("mode", ["API", "API_AND_CONFIG_MAP", "CONFIG_MAP"])
def test_nobody_is_said_to_lack_an_entry_where_that_was_not_looked_at(mode: str) -> None:
    entry = AccessEntry(ROLE, "STANDARD")
    cluster = Cluster("prod", "eu-west-1", authentication_mode=mode, access_entries=(entry,))
    nobody = explain_unauthorized(None, cluster)
    assert nobody.verdict == "depends"
    assert "credentials" in nobody.reason
    assert "no access entry" not in nobody.reason
    assert nobody.people_known == (ROLE,)
    assert ("create-access-entry" in " ".join(command.text for command in nobody.commands)) is (mode != "CONFIG_MAP")
    explanation = explain_unauthorized("arn:aws:sts::111122223333:assumed-role/other/jo", cluster)
    assert explanation.verdict == ("forbidden" if mode == "API" else "depends")
    unread = Cluster("prod", "eu-west-1", authentication_mode=mode)
    assert explain_unauthorized("arn:aws:sts::111122223333:assumed-role/other/jo", unread).verdict == "depends"


def test_a_long_text_is_read_within_limits() -> None:
    line = 'nodes "{}" is forbidden: User "x{}" cannot list resource "nodes" in API group "" at the cluster scope\n'
    long_text = "".join(line.format(number, number) for number in range(1500))
    refusals = parse_forbidden(long_text)
    assert [refusal.subject.username for refusal in refusals] == [f"x{number}" for number in range(1500)]
    with pytest.raises(InputError, match="more characters than the 200,000 that ekstui reads"):
        parse_forbidden(long_text * 2)


@pytest.mark.parametrize("mode", ["API", "API_AND_CONFIG_MAP", "CONFIG_MAP"])
def test_what_was_not_looked_at_follows_from_the_mode(mode: str) -> None:
    """EKS User Guide, "Change authentication mode": only in the mode API the config map counts for nothing."""
    cluster = Cluster("prod", "eu-west-1", authentication_mode=mode, access_entries=())
    unread = cluster._replace(access_entries=None)
    config_map = () if mode == "API" else ("the config map aws-auth",)
    session = "arn:aws:sts::111122223333:assumed-role/other/jo"
    assert explain_unauthorized(session, cluster).not_looked_at == config_map
    assert ("aws-auth" in explain_unauthorized(session, cluster).reason) is (mode != "API")
    assert explain_unauthorized(session, unread).not_looked_at == ("the access entries of the cluster", *config_map)
    forbidden = parse_forbidden(f'nodes is forbidden: User "{session}" cannot list resource "nodes" in API group ""')[0]
    rbac = ("roles and bindings inside the cluster (Kubernetes' own RBAC)",)
    whether = ("whether the message is from cluster prod",)
    assert explain_forbidden(forbidden, cluster, RULES) == explain_forbidden(forbidden, cluster, RULES, named=True)
    for is_named in (True, False):
        explanation = explain_forbidden(forbidden, cluster, RULES, named=is_named)
        assert (explanation.verdict, explanation.not_looked_at) == (
            "forbidden",
            (*(() if is_named else whether), *config_map, *rbac),
        )
        assert ("aws-auth" in explanation.reason) is (mode != "API")
        explanation = explain_forbidden(forbidden, unread, RULES, named=is_named)
        assert explanation.verdict == ("forbidden" if mode == "CONFIG_MAP" else "depends")
        assert explanation.not_looked_at == (*(() if is_named else whether), *rbac)
        assert bool(explanation.commands) is (mode != "CONFIG_MAP")


@pytest.mark.parametrize(
    ("user", "reason", "elsewhere"),
    [
        ("system:anonymous", "without credentials", ()),
        ("system:serviceaccount:a:b", "only the roles that are bound", ("Kubernetes' own RBAC",)),
        ("system:node:ip-10-0-0-1.eu-west-1.compute.internal", "allows nodes", ("Kubernetes' own RBAC", "which pods")),
    ],
)
def test_no_access_policy_is_offered_to_those_who_cannot_have_one(
    user: str, reason: str, elsewhere: tuple[str, ...]
) -> None:
    text = f'pods is forbidden: User "{user}" cannot list resource "pods" in API group "" at the cluster scope'
    for cluster in (None, Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=())):
        explanation = explain_forbidden(parse_forbidden(text)[0], cluster, RULES)
        assert (explanation.verdict, explanation.allowed_by, explanation.commands) == ("forbidden", (), ())
        assert reason in explanation.reason
        assert len(explanation.not_looked_at) == len(elsewhere)
        assert all(part in place for part, place in zip(elsewhere, explanation.not_looked_at, strict=True))


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_an_access_policy_is_of_the_partition_of_its_principal(partition: str) -> None:
    text = f'nodes is forbidden: User "arn:{partition}:iam::111122223333:user/jo" cannot list resource "nodes" in API group ""'
    cluster = Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=())
    associate = shlex.split(explain_forbidden(parse_forbidden(text)[0], cluster, RULES).commands[1].text)
    arn = associate[associate.index("--policy-arn") + 1]
    assert arn.startswith(f"arn:{partition}:eks::aws:cluster-access-policy/AmazonEKS")


@pytest.mark.parametrize(
    ("entry", "user", "matches"),
    [
        (AccessEntry(ROLE, "STANDARD"), "arn:aws:sts::111122223333:assumed-role/dev/jo", True),
        (
            AccessEntry(ROLE.replace("role/", "role/team/"), "STANDARD"),
            "arn:aws:sts::111122223333:assumed-role/dev/jo",
            True,
        ),
        (AccessEntry(ROLE, "STANDARD"), "arn:aws:sts::444455556666:assumed-role/dev/jo", False),
        (AccessEntry(ROLE, "STANDARD"), "arn:aws:sts::111122223333:assumed-role/de/jo", False),
        (AccessEntry(ROLE, "STANDARD"), "arn:aws:iam::111122223333:user/dev", False),
        (AccessEntry("arn:aws:iam::111122223333:user/dev", "STANDARD"), "arn:aws:iam::111122223333:user/dev", True),
        (AccessEntry(ROLE, "STANDARD", username="dev:{{SessionName}}"), "dev:jo", True),
        (AccessEntry(ROLE, "STANDARD", username="dev:{{SessionName}}"), "dev:", False),
        (AccessEntry(ROLE, "STANDARD", username="dev.x"), "devyx", False),
        (
            AccessEntry(ROLE, "STANDARD", username="dev:{{SessionName}}"),
            "arn:aws:sts::111122223333:assumed-role/dev/jo",
            False,
        ),
        (AccessEntry(ROLE, "STANDARD", username=ROLE), "arn:aws:sts::111122223333:assumed-role/dev/jo", True),
        (AccessEntry(ROLE, "STANDARD", username=ROLE), "arn:aws:sts::444455556666:assumed-role/dev/jo", False),
    ],
)
def test_the_entry_of_a_user(entry: AccessEntry, user: str, matches: bool) -> None:
    text = f'pods is forbidden: User "{user}" cannot list resource "pods" in API group "" at the cluster scope'
    neighbour = AccessEntry("arn:aws:iam::111122223333:role/other", "STANDARD")
    assert (access_entry_of(parse_forbidden(text)[0].subject, [neighbour, entry]) is entry) is matches


@pytest.mark.parametrize(
    ("request_text", "scope", "applies"),
    [
        ("list pods  shop", (), True),
        ("list pods  shop", ("dev", "shop"), True),
        ("list pods  shop", ("dev",), False),
        # What is asked at the cluster scope is in no namespace, so that no policy for namespaces includes it.
        ("list pods  ", (), True),
        ("list pods  ", ("*",), False),
    ],
)
def test_where_an_access_policy_applies(request_text: str, scope: tuple[str, ...], applies: bool) -> None:
    explanation = explanation_of(request_text, associated_policy("View", *scope), associated_policy("KRO", *scope))
    assert [(policy.covers, policy.applies) for policy in explanation.policies] == [(True, applies), (None, applies)]


@pytest.mark.parametrize(("namespaces", "applies"), [(None, True), (("*",), False)])
def test_a_path_is_in_no_namespace(namespaces: tuple[str, ...] | None, applies: bool) -> None:
    text = 'forbidden: User "arn:aws:sts::111122223333:assumed-role/dev/jo" cannot get path "/metrics"'
    entry = AccessEntry(
        ROLE, "STANDARD", SESSION, policies=(associated_policy("ClusterAdmin")._replace(namespaces=namespaces),)
    )
    cluster = Cluster("prod", "eu-west-1", authentication_mode="API", access_entries=(entry,))
    (explanation,) = (explain_forbidden(refusal, cluster, RULES) for refusal in parse_forbidden(text))
    assert [policy.applies for policy in explanation.policies] == [applies]
    assert explanation.verdict == ("allowed" if applies else "forbidden")
    assert explanation.missing_rule == Rule((), (), ("get",), ("/metrics",))


def test_remedies_are_ranked_by_what_else_they_give() -> None:
    def rule(verbs: str, *resources: str) -> Rule:
        return Rule(("",), ("pods", *resources), tuple(verbs.split()))

    rules = {
        "Everything": (rule("*", "*"),),
        "B-writes": (rule("list create"),),
        "A-writes-more": (rule("list create delete"),),
        "Z-reads-much": (rule("get list watch", "services", "events"),),
        "Y-reads-much": (rule("get list watch", "services", "events"),),
        "Reads": (rule("list"),),
        "Reserved": (rule("list"),),
        "Elsewhere": (Rule(("apps",), ("pods",), ("list",)),),
    }
    text = 'x is forbidden: User "arn:aws:sts::111122223333:assumed-role/dev/jo" cannot list resource "pods" in API group "" in the namespace "shop"'
    (explanation,) = (explain_forbidden(refusal, None, rules, ["Reserved"]) for refusal in parse_forbidden(text))
    assert [(remedy.policy, remedy.permissions, remedy.reads_only) for remedy in explanation.allowed_by] == [
        ("Reads", 1, True), ("Y-reads-much", 9, True), ("Z-reads-much", 9, True),
        ("B-writes", 2, False), ("A-writes-more", 3, False), ("Everything", None, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("user", "cluster", "binding"),
    [
        ("arn:aws:sts::111122223333:assumed-role/dev/jo", Cluster("prod", "eu-west-1"), "--group ${GROUP:?}"),
        ("arn:aws:sts::111122223333:assumed-role/dev/jo", unknown_with(AccessEntry(ROLE, "STANDARD", None, ("devs",), ())), "--group devs"),
        ("arn:aws:sts::111122223333:assumed-role/dev/jo", unknown_with(AccessEntry(ROLE, "STANDARD", None, (), ())), "--group list-widgets.example.com-shop"),
        ("arn:aws:sts::111122223333:assumed-role/dev/jo", unknown_with(), "--group list-widgets.example.com-shop"),
        ("arn:aws:iam::111122223333:user/jo", None, "--user arn:aws:iam::111122223333:user/jo"),
        ("system:serviceaccount:ci:deployer", None, "--serviceaccount ci:deployer"),
        ("system:node:ip-10-0-0-1", None, None),
        ("system:anonymous", None, None),
    ],
)  # fmt: skip
def test_a_role_for_the_missing_rule_alone_is_offered(user: str, cluster: Cluster | None, binding: str | None) -> None:
    text = f'widgets.example.com is forbidden: User "{user}" cannot list resource "widgets" in API group "example.com" in the namespace "shop"'
    explanation = explain_forbidden(parse_forbidden(text)[0], cluster, RULES)
    if binding is None:
        assert explanation.rbac == ()
        return
    *joining, make, bind = explanation.rbac
    assert shlex.split(make.text)[1:] == [
        "create", "role", "list-widgets.example.com-shop", "--verb", "list", "--resource", "widgets.example.com", "--namespace", "shop",
    ]  # fmt: skip
    assert f"{binding} --namespace shop" in shlex.join(shlex.split(bind.text)).replace("'", "")
    # Whoever has no group gets one with the role's name.
    if "list-" in binding:
        assert [command.arguments[-3:-1] for command in joining] != []
        assert binding.removeprefix("--group ") in joining[0].arguments


def test_a_role_that_aws_auth_maps_is_bound_by_a_group_of_its_own() -> None:
    """EKS User Guide: the last line of aws-auth for a role counts; groups of Kubernetes itself are bound to none."""

    def bound(*mappings: AuthMapping) -> str:
        facts = KubernetesFacts(datetime(2026, 1, 1, tzinfo=UTC), mappings=mappings)
        cluster = Cluster("prod", "eu-west-1", authentication_mode="CONFIG_MAP", kubernetes=facts)
        text = 'x is forbidden: User "arn:aws:sts::111122223333:assumed-role/dev/jo" cannot list resource "pods" in API group "" at the cluster scope'
        *_, bind = explain_forbidden(parse_forbidden(text)[0], cluster, RULES).rbac
        return bind.text.partition(" --group ")[2]

    role = ROLE.replace("team/", "")
    lines = [AuthMapping("role", role, "", groups) for groups in (("system:masters", "devs"), ("ops",))]
    other_role = AuthMapping("role", f"{role}-2", "", ("others",))
    assert bound(*lines, other_role) == "ops"
    assert bound(lines[0], other_role) == "devs"
    assert "GROUP" in bound(other_role)


def test_a_role_of_a_path_or_of_the_whole_cluster_is_a_cluster_role() -> None:
    user = "arn:aws:iam::111122223333:user/jo"
    for request_text, option in (
        ('path "/metrics"', "--non-resource-url /metrics"),
        ('resource "pods/log" in API group "" at the cluster scope', "--resource pods/log"),
    ):
        (refusal,) = parse_forbidden(f'x is forbidden: User "{user}" cannot get {request_text}')
        make, bind = explain_forbidden(refusal, None, RULES).rbac
        assert make.text.startswith("kubectl create clusterrole get-")
        assert f"--verb get {option}" in make.text
        assert bind.text.endswith(f"--user {user}")
