"""Kubernetes RBAC: the rules of EKS access policies, and the requests that they allow.

A rule allows verbs on resources of API groups, or on non-resource URLs; there are no rules that deny. Source:
Kubernetes, "Using RBAC Authorization" for how a rule matches; EKS User Guide, "Review access policy permissions", for
the tables in assets/access-policy-rules.tsv.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping

from ekstui.eks.knowledge import AccessPolicy
from ekstui.errors import InputError
from ekstui.iam import wildcard
from ekstui.named_tuples import NamedTuple

CORE = ""
"""The API group of pods, secrets and the like."""


class Rule(NamedTuple):
    """Verbs allowed on resources of API groups, or on non-resource URLs; `*` stands for all."""

    api_groups: tuple[str, ...]
    resources: tuple[str, ...]
    """With the subresource, if any, such as `pods/exec`."""
    verbs: tuple[str, ...]
    non_resource_urls: tuple[str, ...] = ()
    """Such as `/metrics` or `/healthz/*`."""
    resource_names: tuple[str, ...] = ()
    """The only objects that it is about; empty for all."""


class KubernetesRequest(NamedTuple):
    """A request to the Kubernetes API."""

    verb: str
    resource: str
    """Plural and in lower case, such as `deployments`; empty for a path."""
    api_group: str = CORE
    subresource: str = ""
    namespace: str | None = None
    """None at the cluster scope, or if not given."""
    name: str | None = None
    path: str = ""
    """A non-resource URL, such as `/metrics`."""

    @property
    def whole_resource(self) -> str:
        """The resource with its subresource."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    def __str__(self) -> str:
        """As `who-can` takes it, such as `k8s:list:deployments.apps`."""
        if self.path:
            return f"k8s:{self.verb}:{self.path}"
        group = f".{self.api_group}" if self.api_group else ""
        sub = f"/{self.subresource}" if self.subresource else ""
        return f"k8s:{self.verb}:{self.resource}{group}{sub}"


class Permission(NamedTuple):
    """One verb on one resource of one API group, as the tables spell it."""

    api_group: str
    resource: str
    verb: str


def read_rules(text: str) -> dict[str, tuple[Rule, ...]]:
    """Return the rules by access policy from the text of assets/access-policy-rules.tsv."""
    rules: dict[str, list[Rule]] = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        urls = _listed(row["non_resource_urls"])
        groups = _listed(row["api_groups"]) or (() if urls else (CORE,))
        rules.setdefault(row["policy"], []).append(Rule(groups, _listed(row["resources"]), _listed(row["verbs"]), urls))
    return {policy: tuple(policy_rules) for policy, policy_rules in rules.items()}


def parse_request(text: str, rules: Mapping[str, Iterable[Rule]]) -> KubernetesRequest:
    """Return the request in `k8s:VERB:RESOURCE[.GROUP][/SUBRESOURCE]` or `k8s:VERB:/PATH`; InputError for another form.

    Without a group, it is the one in which the tables have the resource, or the core group.
    """
    words = text.strip().split(":", 2)
    if len(words) != 3 or words[0].lower() != "k8s" or not words[1] or not words[2]:
        raise InputError(
            "A question about Kubernetes is k8s:VERB:RESOURCE[.GROUP][/SUBRESOURCE].",
            "Such as k8s:list:deployments.apps.",
        )
    verb, what = words[1].lower(), words[2]
    if what.startswith("/"):
        return KubernetesRequest(verb, "", path=what)
    full_name, _, sub = what.lower().partition("/")
    resource, dot, group = full_name.partition(".")
    if not dot:
        groups = sorted(
            {group for policy_rules in rules.values() for rule in policy_rules for group in _groups_of(rule, resource)}
        )
        # Kubernetes serves nothing in the group extensions since 1.22, though access policies still name it.
        group = CORE if CORE in groups or not groups else min(groups, key=lambda name: (name == "extensions", name))
    return KubernetesRequest(verb, resource, group, sub)


def requests_meant(text: str, rules: Mapping[str, Iterable[Rule]]) -> tuple[KubernetesRequest, ...]:
    """Return the requests that `kubectl …`, a command such as `exec`, or `k8s:…` stands for; else none."""
    words = text.split()
    if len(words) == 1 and text.strip().lower() in _ALONE:
        words.insert(0, "kubectl")
    if len(words) == 1 and text.lower().startswith("k8s:"):
        try:
            return (parse_request(text, rules),)
        except InputError:
            return ()
    if len(words) < 2 or words[0].lower() not in ("kubectl", "k"):
        return ()
    command, *names = (word.lower() for word in words[1:] if not word.startswith("-"))
    if command in _COMMANDS:
        return (parse_request(f"k8s:{_COMMANDS[command]}", rules),)
    if command not in _VERBS:
        return ()
    resources = [_resource_named(names[0].partition("/")[0], rules)] if names else []
    return tuple(
        parse_request(f"k8s:{verb}:{name}", rules) for name in filter(None, resources) for verb in _VERBS[command]
    )


def _resource_named(word: str, rules: Mapping[str, Iterable[Rule]]) -> str:
    """Return a resource as the API names it, from kubectl's plural, singular or short name; empty for none of them."""
    resource, dot, group = word.partition(".")
    resources = {
        name.partition("/")[0] for policy_rules in rules.values() for rule in policy_rules for name in rule.resources
    }
    for name in (_SHORT.get(resource, resource), f"{resource}s", f"{resource}es", f"{resource.removesuffix('y')}ies"):
        if name in resources and name != "*":
            return f"{name}{dot}{group}"
    return word if dot else ""


_ALONE = ("exec", "port-forward")

_VERBS: Mapping[str, tuple[str, ...]] = {
    "get": ("list", "get"), "describe": ("get",), "delete": ("delete",), "create": ("create",), "edit": ("patch",),
    "patch": ("patch",), "label": ("patch",), "annotate": ("patch",), "watch": ("watch",),
}  # fmt: skip
"""The verbs of commands that name a resource."""

_COMMANDS = {
    "exec": "create:pods/exec", "cp": "create:pods/exec", "attach": "create:pods/attach", "logs": "get:pods/log",
    "port-forward": "create:pods/portforward", "debug": "patch:pods/ephemeralcontainers",
    "drain": "create:pods/eviction",
    "cordon": "patch:nodes", "uncordon": "patch:nodes", "taint": "patch:nodes", "scale": "patch:deployments.apps/scale",
    "rollout": "patch:deployments.apps", "run": "create:pods", "top": "list:pods.metrics.k8s.io",
}  # fmt: skip
"""The request of commands that name no resource, or mostly the same one."""

_SHORT = {
    "po": "pods", "deploy": "deployments", "svc": "services", "cm": "configmaps", "ns": "namespaces", "no": "nodes",
    "sa": "serviceaccounts", "ing": "ingresses", "ds": "daemonsets", "sts": "statefulsets", "rs": "replicasets",
    "pv": "persistentvolumes", "pvc": "persistentvolumeclaims", "sc": "storageclasses", "ep": "endpoints",
    "cj": "cronjobs",
    "hpa": "horizontalpodautoscalers", "crd": "customresourcedefinitions", "netpol": "networkpolicies", "ev": "events",
    "quota": "resourcequotas", "pdb": "poddisruptionbudgets",
}  # fmt: skip


def allows(rule: Rule, request: KubernetesRequest) -> bool:
    """Return whether a rule allows a request, wherever the rule applies."""
    if not _named(rule.verbs, request.verb):
        return False
    if request.path:
        return any(
            url == "*" or url == request.path or (url.endswith("*") and request.path.startswith(url[:-1]))
            for url in rule.non_resource_urls
        )
    if rule.resource_names and request.name not in rule.resource_names:
        return False
    return _named(rule.api_groups, request.api_group) and any(
        resource in ("*", request.whole_resource)
        or (bool(request.subresource) and resource == f"*/{request.subresource}")
        for resource in rule.resources
    )


def covering(rules: Iterable[Rule], request: KubernetesRequest) -> tuple[Rule, ...]:
    """Return those rules that allow a request."""
    return tuple(rule for rule in rules if allows(rule, request))


def permissions(rules: Iterable[Rule]) -> frozenset[Permission]:
    """Return what rules allow, verb by verb, with `*` kept; paths are resources without a group, or `/*` for all."""
    return frozenset(
        Permission(group, resource, verb)
        for rule in rules
        for group in rule.api_groups or (CORE,)
        for resource in (*rule.resources, *("/*" if url == "*" else url for url in rule.non_resource_urls))
        for verb in rule.verbs
    )


def difference(before: Iterable[Rule], after: Iterable[Rule]) -> tuple[frozenset[Permission], frozenset[Permission]]:
    """Return what only `after` allows and what only `before` allows; a wildcard covers what it matches."""
    before, after = tuple(before), tuple(after)
    return beyond(after, before), beyond(before, after)


def beyond(rules: Iterable[Rule], other_rules: Iterable[Rule]) -> frozenset[Permission]:
    """Return what rules allow and `other_rules` do not."""
    other_rules = tuple(other_rules)
    return frozenset(permission for permission in permissions(rules) if not _covered(permission, other_rules))


_EXPECTED = (
    ("custom resources (of CRDs)", "get:widgets.example.com"),
    ("nodes", "list:nodes"),
    ("to make or delete namespaces", "create:namespaces delete:namespaces"),
    ("secrets", "get:secrets"),
    ("the logs of pods", "get:pods/log"),
    ("kubectl exec", "create:pods/exec"),
    ("kubectl port-forward", "create:pods/portforward"),
    ("to change deployments", "patch:deployments.apps"),
    ("to change roles and role bindings", "create:rolebindings.rbac.authorization.k8s.io"),
    ("cluster roles", "list:clusterroles.rbac.authorization.k8s.io"),
    ("persistent volumes", "list:persistentvolumes"),
    ("storage classes", "list:storageclasses.storage.k8s.io"),
    ("kubectl top", "list:pods.metrics.k8s.io"),
    ("paths such as /metrics", "get:/metrics"),
)
"""What people expect an access policy to allow, in words and as requests."""


def missing_expectations(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return what people expect an access policy to allow and these rules do not."""
    rules = tuple(rules)
    return tuple(
        words
        for words, requests in _EXPECTED
        if not all(covering(rules, parse_request(f"k8s:{text}", {})) for text in requests.split())
    )


def applies_in(namespaces: tuple[str, ...] | None, namespace: str | None) -> bool | None:
    """Return whether names and patterns such as `dev-*` cover a namespace; None if that is not given.

    Without names, the whole cluster is covered.
    """
    if namespaces is None:
        return True
    if namespace is None:
        return None
    return any("?" not in pattern and wildcard.matches(pattern, namespace) for pattern in namespaces)


def _covered(permission: Permission, rules: tuple[Rule, ...]) -> bool:
    if permission.resource.startswith("/"):
        return any(allows(rule, KubernetesRequest(permission.verb, "", path=permission.resource)) for rule in rules)
    resource, _, sub = permission.resource.partition("/")
    request = KubernetesRequest(permission.verb, resource, permission.api_group, sub)
    return any(allows(rule, request) for rule in rules)


def _named(names: tuple[str, ...], name: str) -> bool:
    return "*" in names or name in names


def _groups_of(rule: Rule, resource: str) -> Iterator[str]:
    if any(name.partition("/")[0] == resource for name in rule.resources):
        yield from (group for group in rule.api_groups if group != "*")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


class AccessPolicyRules(NamedTuple):
    """An access policy with its rules."""

    policy: AccessPolicy
    rules: tuple[Rule, ...] | None
    """None if its rules are not published."""

    @property
    def arn(self) -> str:
        """Its ARN in the partition `aws`."""
        return f"arn:aws:eks::aws:cluster-access-policy/{self.policy.name}"

    @property
    def lacks(self) -> tuple[str, ...]:
        """What people expect it to allow and it does not."""
        return () if self.rules is None else missing_expectations(self.rules)
