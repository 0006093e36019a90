"""What replaces the lines of aws-auth gives what they did and nothing more, by another way to the same answer."""

from datetime import UTC, datetime
from functools import cache
from itertools import product

import pytest
import yaml

from ekstui.eks.cluster import AccessEntry, Cluster
from ekstui.eks.entry_migration import MigrationContext, ReplacedLine, change_of_mode, replaced_lines
from ekstui.eks.kubernetes import KubernetesRequest, Rule, allows, read_rules
from ekstui.eks.pods import AuthMapping, KubernetesFacts
from ekstui.eks.rbac import Binding, RoleToMake
from tests.eks.test_kubernetes import TABLE
from tests.support.shell import fault_of

ACCOUNT = "111122223333"
DEV = f"arn:aws:iam::{ACCOUNT}:role/dev"
RULES = {name: rules for name, rules in read_rules(TABLE).items() if name != "AmazonEKSHybridPolicy"}
NOW = datetime(2026, 12, 1, tzinfo=UTC)

WIDGETS = Rule(("example.com",), ("widgets", "widgets/status"), ("get", "list", "delete"))
SECRETS = Rule(("",), ("secrets",), ("get", "list", "watch"))
ONE_MAP = Rule(("",), ("configmaps",), ("update",), (), ("settings",))
NODES = Rule(("",), ("nodes",), ("get",))
METRICS = Rule((), (), ("get",), ("/metrics",))
EVERYTHING = Rule(("*",), ("*",), ("*",))
VIEW, EDIT = RULES["AmazonEKSViewPolicy"], RULES["AmazonEKSEditPolicy"]


def bound(*rules: Rule, group: str = "devs", namespace: str | None = None, name: str = "b") -> Binding:
    return Binding(name, namespace, "ClusterRole/r", (("Group", group),), rules)


def replaced(
    *lines: AuthMapping,
    bindings: tuple[Binding, ...] | None = None,
    principals: tuple[str, ...] | None = (DEV,),
    entries: tuple[AccessEntry, ...] = (),
    mode: str = "API_AND_CONFIG_MAP",
) -> tuple[ReplacedLine, ...]:
    facts = KubernetesFacts(NOW, mappings=lines)
    cluster = Cluster("prod", "eu-west-1", access_entries=entries, authentication_mode=mode, kubernetes=facts)
    return replaced_lines(MigrationContext(cluster, ACCOUNT, "aws", principals, bindings, RULES))


def devs(*groups: str, username: str = "") -> AuthMapping:
    return AuthMapping("role", DEV, username, groups or ("devs",))


REQUESTS = [
    KubernetesRequest(verb, resource.partition("/")[0], group, resource.partition("/")[2], namespace, name)
    for group, resource, verb, namespace, name in product(
        ("", "apps", "example.com", "rbac.authorization.k8s.io"),
        ("pods", "pods/exec", "secrets", "configmaps", "nodes", "widgets", "widgets/status", "widgets/scale", "deployments", "roles"),
        ("get", "list", "watch", "create", "update", "delete", "impersonate"),
        (None, "shop", "pay"),
        (None, "settings"),
    )
] + [KubernetesRequest("get", "", path=path) for path in ("/metrics", "/healthz")]  # fmt: skip


def before(request: KubernetesRequest, bindings: tuple[Binding, ...], groups: tuple[str, ...]) -> bool:
    """Whether Kubernetes' RBAC allows a request of somebody in the groups."""
    return any(
        binding.namespace in (None, request.namespace)
        and not (request.path and binding.namespace)
        and any(("Group", group) in binding.subjects for group in groups)
        and any(allows(rule, request) for rule in binding.rules or ())
        for binding in bindings
    )


def after(request: KubernetesRequest, line: ReplacedLine) -> bool:
    """Whether the access policies of the entry or the RBAC, as the manifests say it, allow a request."""
    by_policy = any(
        allows(rule, request)
        for policy in line.policies
        if policy.namespaces is None or (request.namespace in policy.namespaces and not request.path)
        for rule in RULES[policy.policy]
    )
    return by_policy or any(
        (role.namespace is None or (role.namespace == request.namespace and not request.path))
        and any(allows(rule, request) for rule in rules_in(role))
        for role in line.roles
        if bound_subject(role) in line.groups
    )


@cache
def rules_in(role: RoleToMake) -> list[Rule]:
    """Read the rules from the YAML, as Kubernetes would."""
    role_object = next(yaml.safe_load_all(role.manifest))
    return [
        Rule(
            *(
                tuple(rule.get(key, ()))
                for key in ("apiGroups", "resources", "verbs", "nonResourceURLs", "resourceNames")
            )
        )
        for rule in role_object["rules"]
    ]


@cache
def bound_subject(role: RoleToMake) -> str:
    role_object, binding = yaml.safe_load_all(role.manifest)
    assert (role_object["kind"], binding["kind"]) in (("ClusterRole", "ClusterRoleBinding"), ("Role", "RoleBinding"))
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": role_object["kind"],
        "name": role_object["metadata"]["name"],
    }
    assert role_object["metadata"] == binding["metadata"]
    assert role_object["metadata"].get("namespace") == role.namespace
    (subject,) = binding["subjects"]
    return str(subject["name"])


@pytest.mark.parametrize(
    ("bindings", "policies", "only_by_rbac"),
    [
        ((bound(*VIEW),), {"AmazonEKSViewPolicy": None}, 0),
        ((bound(*VIEW, WIDGETS),), {"AmazonEKSViewPolicy": None}, 6),  # terraform-aws-eks#3016
        ((bound(*EDIT),), {"AmazonEKSEditPolicy": None}, 0),
        ((bound(*VIEW, SECRETS, METRICS),), {"AmazonEKSViewPolicy": None, "AmazonEKSSecretReaderPolicy": None}, 1),
        ((bound(*VIEW, namespace="shop"),), {"AmazonEKSViewPolicy": ("shop",)}, 0),
        ((bound(*VIEW, namespace="shop"), bound(*VIEW, namespace="pay")), {"AmazonEKSViewPolicy": ("pay", "shop")}, 0),
        ((bound(*VIEW), bound(*EDIT, namespace="shop")), {"AmazonEKSViewPolicy": None, "AmazonEKSEditPolicy": ("shop",)}, 0),
        ((bound(SECRETS, NODES), bound(WIDGETS, ONE_MAP, namespace="shop")), {"AmazonEKSSecretReaderPolicy": None}, 8),
        ((bound(Rule(("",), ("secrets",), ("get",))),), {}, 1),  # less than any access policy
        ((bound(Rule(("apps",), ("*",), ("*",)), NODES),), {}, 2),
        ((bound(EVERYTHING),), {"AmazonEKSAdminViewPolicy": None, "AmazonEKSClusterAdminPolicy": None}, 0),
    ],
)  # fmt: skip
def test_entry_and_rbac_give_what_the_line_gave_and_no_more(
    bindings: tuple[Binding, ...], policies: dict[str, tuple[str, ...] | None], only_by_rbac: int
) -> None:
    (line,) = replaced(devs(), bindings=bindings)
    assert [request for request in REQUESTS if before(request, bindings, ("devs",)) != after(request, line)] == []
    assert line.gives_the_same is True
    if bindings[0].rules != (EVERYTHING,):
        assert {policy.policy: policy.namespaces for policy in line.policies} == policies
        assert len(line.only_by_rbac) == only_by_rbac
    assert [fault for command in line.commands if (fault := fault_of(command.text))] == []


def test_the_group_of_masters_becomes_the_access_policy_of_admins() -> None:
    (line,) = replaced(devs("system:masters"))
    assert [(policy.policy, policy.namespaces) for policy in line.policies] == [("AmazonEKSClusterAdminPolicy", None)]
    assert (line.groups, line.roles, line.gives_the_same) == ((), (), True)
    assert all(after(request, line) for request in REQUESTS)
    assert any("--as" in note for note in line.notes)


def test_a_group_that_no_entry_can_have_is_bound_anew() -> None:
    (line,) = replaced(devs("system:own"), bindings=(bound(NODES, group="system:own"),))
    (role,) = line.roles
    assert line.groups == (role.subject,) == ("own-dev",)
    assert line.gives_the_same is True
    (unknown,) = replaced(devs("system:own"))
    assert (unknown.groups, unknown.gives_the_same) == ((), None)
    assert "what that may do is not known" in unknown.notes[0]
    (none,) = replaced(devs("system:own"), bindings=())
    assert (none.groups, none.gives_the_same, none.notes) == ((), True, ("The group system:own is bound to nothing.",))


def test_without_rbac_a_group_is_kept_with_what_is_bound_to_it() -> None:
    (line,) = replaced(devs("devs", username="dev:{{SessionName}}"))
    (command,) = line.commands
    assert command.arguments[-6:-2] == ("--username", "dev:{{SessionName}}", "--kubernetes-groups", "devs")
    assert (line.policies, line.roles, line.gives_the_same) == ((), (), True)
    unread = bound(NODES)._replace(rules=None)
    (line,) = replaced(devs(), bindings=(unread,))
    assert (line.groups, line.policies, line.roles) == (("devs",), (), ())


@pytest.mark.parametrize(
    ("groups", "username", "kind"),
    [
        (("system:bootstrappers", "system:nodes"), "system:node:{{EC2PrivateDNSName}}", "EC2_LINUX"),
        (("system:bootstrappers", "system:nodes", "eks:kube-proxy-windows"), "system:node:{{EC2PrivateDNSName}}", "EC2_WINDOWS"),
        (("system:bootstrappers", "system:nodes", "system:node-proxier"), "system:node:{{SessionName}}", "FARGATE_LINUX"),
        (("system:bootstrappers", "system:nodes"), "system:node:{{SessionName}}", "HYBRID_LINUX"),
    ],
)  # fmt: skip
def test_a_line_of_nodes_becomes_an_entry_of_their_type(groups: tuple[str, ...], username: str, kind: str) -> None:
    (line,) = replaced(devs(*groups, username=username))
    (command,) = line.commands
    assert (line.kind, line.groups, line.username) == (kind, (), None)
    assert command.arguments[-4:-2] == ("--type", kind)
    assert fault_of(command.text) == ""


@pytest.mark.parametrize(
    ("username", "is_kept"),
    [
        ("jo", True), ("dev:{{SessionName}}", True), ("{{AccountID}}:{{SessionName}}", True), ("{{SessionName}}", False),
        ("dev:{{EC2PrivateDNSName}}", False), ("system:jo", False), ("eks:jo", False),
    ],
)  # fmt: skip
def test_a_user_name_that_no_entry_can_have_is_said(username: str, is_kept: bool) -> None:
    (line,) = replaced(devs(username=username))
    assert (line.username == username) is is_kept
    assert (line.gives_the_same is True) is is_kept
    assert any("user name" in note for note in line.notes) is not is_kept
    # If nothing is bound to such a user, nothing is lost.
    (line,) = replaced(devs(username=username), bindings=(bound(NODES),))
    assert line.gives_the_same is True


def test_what_needs_no_entry_or_can_have_none_is_said() -> None:
    account_mapping = AuthMapping("account", "444455556666")
    deleted_role = AuthMapping("role", f"arn:aws:iam::{ACCOUNT}:role/gone", "", ("devs",))
    lines = replaced(account_mapping, deleted_role, devs("a"), devs("b"), entries=(AccessEntry(f"{DEV}s", "STANDARD"),))
    assert [line.principal for line in lines] == [None, None, None, DEV]
    assert ["whole account" in lines[0].notes[0], "IAM has no role gone" in lines[1].notes[0]] == [True, True]
    assert "A later line" in lines[2].notes[0]
    (line,) = replaced(devs(), entries=(AccessEntry(DEV, "STANDARD"),))
    assert (line.commands, "overrides" in line.notes[0]) == ((), True)


def test_the_entry_has_the_path_that_aws_auth_leaves_out() -> None:
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/team/a/dev"
    assert replaced(devs(), principals=(role_arn,))[0].principal == role_arn
    (line_without_arn,) = replaced(devs(), principals=None)
    assert line_without_arn.principal == "$(aws iam get-role --role-name dev --query Role.Arn --output text)"
    assert fault_of(line_without_arn.commands[0].text) == ""
    # A line with a path never matched: nothing was given, so it is not said to be the same.
    (dead_line,) = replaced(replace_principal(role_arn), principals=(role_arn,))
    assert (dead_line.principal, dead_line.gives_the_same) == (role_arn, None)
    assert any("lets nobody in today" in note for note in dead_line.notes)
    (foreign_line,) = replaced(replace_principal("arn:aws:iam::444455556666:role/x"))
    assert foreign_line.gives_the_same is None


def replace_principal(arn: str) -> AuthMapping:
    return devs()._replace(principal=arn)


def test_the_mode_is_changed_where_entries_do_not_count() -> None:
    cluster = Cluster("prod", "eu-west-1", authentication_mode="CONFIG_MAP")
    change, wait = change_of_mode(cluster)
    assert fault_of(change.text) == ""
    assert wait.text == "aws eks wait cluster-active --name prod --region eu-west-1"
    assert change_of_mode(cluster._replace(authentication_mode="API")) == ()


def test_names_that_differ_make_roles_that_differ() -> None:
    bindings = (bound(NODES, group="Devs"), bound(METRICS, group="devs", name="c"))
    (line,) = replaced(devs("Devs", "devs"), bindings=bindings)
    assert len({role.name for role in line.roles}) == 2
