"""Rules of access policies: every row of the table answered right, and as many requests beside it."""

import csv
from itertools import product

import pytest

from ekstui import files
from ekstui.eks.knowledge import parse_knowledge
from ekstui.eks.kubernetes import (
    CORE,
    KubernetesRequest,
    Permission,
    Rule,
    allows,
    applies_in,
    covering,
    difference,
    parse_request,
    read_rules,
    requests_meant,
)
from ekstui.errors import InputError

TABLE = (files.assets() / "access-policy-rules.tsv").read_text()
RULES = read_rules(TABLE)
ROWS = list(csv.DictReader(TABLE.splitlines(), delimiter="\t"))


def named(policy: str, group: str, resource: str, verb: str) -> bool:
    """Read the table line by line, by text alone: the other way to the same answer."""
    for row in ROWS:
        groups = (row["api_groups"] or ("" if row["resources"] else "-")).split(",")
        if (
            row["policy"] == policy
            and not {"*", verb}.isdisjoint(row["verbs"].split(","))
            and not {"*", group}.isdisjoint(groups)
            and not {"*", resource}.isdisjoint(row["resources"].split(","))
        ):
            return True
    return False


def test_every_row_of_the_table_and_all_beside_it() -> None:
    groups = sorted({group for row in ROWS for group in row["api_groups"].split(",")} | {"", "example.com"})
    resources = sorted(
        {resource for row in ROWS for resource in row["resources"].split(",") if resource} | {"nodes", "widgets"}
    )
    verbs = sorted({verb for row in ROWS for verb in row["verbs"].split(",")} | {"escalate"})
    yes = no = 0
    for policy, group, resource, verb in product(RULES, groups, resources, verbs):
        if "*" in (group, resource, verb):
            continue
        plural, _, sub = resource.partition("/")
        answer = bool(covering(RULES[policy], KubernetesRequest(verb, plural, group, sub)))
        assert answer == named(policy, group, resource, verb), (policy, group, resource, verb)
        yes, no = yes + answer, no + (not answer)
    assert yes > 1_000
    assert no > yes


def test_paths_are_allowed_only_where_a_rule_names_them() -> None:
    with_paths = {policy for policy, rules in RULES.items() if any(rule.non_resource_urls for rule in rules)}
    assert with_paths == {row["policy"] for row in ROWS if row["non_resource_urls"]}
    for policy, rules in RULES.items():
        assert bool(covering(rules, KubernetesRequest("get", "", path="/metrics"))) == (policy in with_paths)
    health = Rule((), (), ("get",), ("/healthz", "/healthz/*"))
    assert allows(health, KubernetesRequest("get", "", path="/healthz/etcd"))
    assert not allows(health, KubernetesRequest("get", "", path="/metrics"))


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("k8s:create:pods/exec", KubernetesRequest("create", "pods", CORE, "exec")),
        ("k8s:get:secrets", KubernetesRequest("get", "secrets")),
        ("k8s:list:deployments.apps", KubernetesRequest("list", "deployments", "apps")),
        ("k8s:list:deployments", KubernetesRequest("list", "deployments", "apps")),
        ("k8s:update:deployments.apps/scale", KubernetesRequest("update", "deployments", "apps", "scale")),
        ("K8S:Get:Widgets.Example.Com", KubernetesRequest("get", "widgets", "example.com")),
        ("k8s:get:/metrics", KubernetesRequest("get", "", path="/metrics")),
    ],
)
def test_a_question_is_read(text: str, request_: KubernetesRequest) -> None:
    assert parse_request(text, RULES) == request_


@pytest.mark.parametrize("text", ["k8s:", "k8s:get", "k8s:get:", "k8s::pods", "ec2:CreateTags", ""])
def test_a_question_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="k8s:VERB:RESOURCE"):
        parse_request(text, RULES)


def test_what_people_expect_and_do_not_get() -> None:
    for policy in ("AmazonEKSViewPolicy", "AmazonEKSEditPolicy", "AmazonEKSAdminPolicy"):
        for resource in ("nodes", "persistentvolumes"):
            assert not covering(RULES[policy], KubernetesRequest("list", resource))
        assert not covering(RULES[policy], KubernetesRequest("list", "applications", "argoproj.io"))
    assert not covering(RULES["AmazonEKSViewPolicy"], KubernetesRequest("get", "secrets"))
    assert covering(RULES["AmazonEKSAdminViewPolicy"], KubernetesRequest("get", "secrets"))
    assert covering(RULES["AmazonEKSEditPolicy"], KubernetesRequest("create", "pods", CORE, "exec"))


def test_all_resources_are_not_all_paths() -> None:
    """RBAC's `*` among resources gives no path such as /metrics, and `*` among paths gives no resource."""
    resources, paths = Rule(("*",), ("*",), ("get",)), Rule((), (), ("get",), ("*",))
    added, removed = difference([resources], [paths])
    assert added == {Permission("", "/*", "get")}
    assert removed == {Permission("*", "*", "get")}
    assert difference([resources, paths], [paths, resources]) == (frozenset(), frozenset())
    assert difference([paths], [Rule((), (), ("get",), ("/metrics", "/logs*"))])[0] == set()


def test_what_editing_adds_to_viewing() -> None:
    added, removed = difference(RULES["AmazonEKSViewPolicy"], RULES["AmazonEKSEditPolicy"])
    assert Permission(CORE, "secrets", "get") in added
    assert Permission("apps", "deployments", "delete") in added
    assert not removed
    added, removed = difference(RULES["AmazonEKSClusterAdminPolicy"], RULES["AmazonEKSViewPolicy"])
    assert not added
    assert removed


@pytest.mark.parametrize(
    ("namespaces", "namespace", "applies"),
    [
        (None, "shop", True), (None, None, True), (("shop",), "shop", True), (("shop",), "shop2", False),
        (("dev-*",), "dev-1", True), (("dev-*",), "prod", False), (("a*b*c",), "axbxc", True), (("a*b*c",), "abac", True),
        (("a*b*c",), "acb", False), (("*-x",), "-x", True), (("ab*ba",), "aba", False), (("shop",), None, None), ((), "shop", False),
    ],
)  # fmt: skip
def test_where_a_scope_applies(namespaces: tuple[str, ...] | None, namespace: str | None, applies: bool | None) -> None:
    assert applies_in(namespaces, namespace) is applies


def test_the_policies_with_rules_are_those_that_are_said_to_be_known_exactly() -> None:
    access_policies = parse_knowledge((files.assets() / "eks.json").read_text()).access_policies
    assert len(access_policies) == 39
    assert {name for name, policy in access_policies.items() if policy.content == "exact"} == RULES.keys()
    assert {name for name, policy in access_policies.items() if policy.reserved} < access_policies.keys()
    assert all(
        "not read in a guide" not in policy.text for policy in access_policies.values() if policy.content != "unknown"
    )


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        # Kubernetes, "Authorization Overview": which verb a request has; the API reference: the subresources of pods.
        ("kubectl exec", ["k8s:create:pods/exec"]),
        ("exec", ["k8s:create:pods/exec"]),
        ("execute", []),
        ("logs", []),
        ("kubectl exec -it web-1 -- sh", ["k8s:create:pods/exec"]),
        ("kubectl logs web-1", ["k8s:get:pods/log"]),
        ("kubectl get deploy", ["k8s:list:deployments.apps", "k8s:get:deployments.apps"]),
        ("kubectl delete secret", ["k8s:delete:secrets"]),
        ("kubectl describe ingress/web", ["k8s:get:ingresses.networking.k8s.io"]),
        ("K8S:create:pods/exec", ["k8s:create:pods/exec"]),
        ("k8s:create", []),
        ("kubectl", []),
        ("kubectl get widgetry", []),
    ],
)
def test_a_command_of_kubectl_is_known_by_its_requests(text: str, requests: list[str]) -> None:
    assert [str(request) for request in requests_meant(text, RULES)] == requests


@pytest.mark.parametrize(
    ("resources", "request_", "is_allowed"),
    [
        (("pods",), KubernetesRequest("get", "pods"), True),
        (("pods",), KubernetesRequest("get", "pods", CORE, "log"), False),
        (("pods/log",), KubernetesRequest("get", "pods", CORE, "log"), True),
        (("pods/log",), KubernetesRequest("get", "pods"), False),
        (("*",), KubernetesRequest("get", "pods", CORE, "log"), True),
        (("*/log",), KubernetesRequest("get", "pods", CORE, "log"), True),
        (("*/exec",), KubernetesRequest("get", "pods", CORE, "log"), False),
        (("*/scale",), KubernetesRequest("get", "pods", CORE, "log"), False),
        (("*/",), KubernetesRequest("get", "pods"), False),
        (("pods",), KubernetesRequest("list", "pods"), False),
        (("pods",), KubernetesRequest("get", "pods", "apps"), False),
        (("*",), KubernetesRequest("get", "", path="/metrics"), False),
        ((), KubernetesRequest("get", "pods"), False),
    ],
)
def test_a_rule_for_subresources(resources: tuple[str, ...], request_: KubernetesRequest, is_allowed: bool) -> None:
    """As Kubernetes' documentation of RBAC says: a resource does not include its subresources, and `*/scale` is of all."""
    assert allows(Rule((CORE,), resources, ("get",)), request_) is is_allowed


@pytest.mark.parametrize(
    ("url", "path", "is_allowed"),
    [
        ("/metrics", "/metrics", True),
        ("/metrics", "/metrics/", False),
        ("/metric", "/metrics", False),
        ("/healthz/*", "/healthz/ping", True),
        ("/healthz/*", "/healthz", False),
        ("/healthz/*", "/livez/ping", False),
        ("*", "/metrics", True),
    ],
)
def test_a_rule_for_paths(url: str, path: str, is_allowed: bool) -> None:
    rule = Rule((), (), ("get",), (url,))
    assert allows(rule, KubernetesRequest("get", "", path=path)) is is_allowed
    assert not allows(rule, KubernetesRequest("post", "", path=path))
    assert not allows(rule, KubernetesRequest("get", path.strip("/")))


@pytest.mark.parametrize(
    ("names", "name", "is_allowed"),
    [((), None, True), ((), "web", True), (("web",), "web", True), (("web",), "db", False), (("web",), None, False)],
)
def test_a_rule_for_objects_by_name(names: tuple[str, ...], name: str | None, is_allowed: bool) -> None:
    """Such a rule allows nothing about all objects: a list has no name."""
    rule = Rule((CORE,), ("pods",), ("get",), resource_names=names)
    assert allows(rule, KubernetesRequest("get", "pods", name=name)) is is_allowed
    assert bool(covering((rule,), KubernetesRequest("get", "pods", name=name))) is is_allowed
