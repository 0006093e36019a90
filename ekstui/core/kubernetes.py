"""Kubernetes RBAC: the rules of EKS access policies, requests, and what Kubernetes says when it forbids one.

A rule allows verbs on resources of API groups, or on non-resource URLs; there are no rules that deny. Source:
Kubernetes, "Using RBAC Authorization" for how a rule matches; EKS User Guide, "Review access policy permissions", for the
tables in assets/access-policy-rules.tsv, and "Grant IAM users access to Kubernetes with EKS access entries", for what user
names mean; kubectl's and client-go's wording, as in public threads.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from ekstui.core import wildcard
from ekstui.core.arn import entity_of, split_arn
from ekstui.errors import InputError

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
    return {policy: tuple(listed) for policy, listed in rules.items()}


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
    whole, _, sub = what.lower().partition("/")
    resource, dot, group = whole.partition(".")
    if not dot:
        known = sorted({group for listed in rules.values() for rule in listed for group in _groups_of(rule, resource)})
        # Kubernetes serves nothing in the group extensions since 1.22, though access policies still name it.
        group = CORE if CORE in known or not known else min(known, key=lambda each: (each == "extensions", each))
    return KubernetesRequest(verb, resource, group, sub)


def requests_meant(text: str, rules: Mapping[str, Iterable[Rule]]) -> tuple[KubernetesRequest, ...]:
    """Return the requests that a command of kubectl makes, or that `k8s:…` names; empty for any other text."""
    words = text.split()
    if len(words) == 1 and text.lower().startswith("k8s:"):
        try:
            return (parse_request(text, rules),)
        except InputError:
            return ()
    if len(words) < 2 or words[0].lower() not in ("kubectl", "k"):
        return ()
    command, *given = (word.lower() for word in words[1:] if not word.startswith("-"))
    if command in _COMMANDS:
        return (parse_request(f"k8s:{_COMMANDS[command]}", rules),)
    if command not in _VERBS:
        return ()
    named = [_resource_named(given[0].partition("/")[0], rules)] if given else []
    return tuple(parse_request(f"k8s:{verb}:{name}", rules) for name in filter(None, named) for verb in _VERBS[command])


def _resource_named(word: str, rules: Mapping[str, Iterable[Rule]]) -> str:
    """Return a resource as the API names it, from kubectl's plural, singular or short name; empty for none of them."""
    plain, dot, group = word.partition(".")
    known = {name.partition("/")[0] for listed in rules.values() for rule in listed for name in rule.resources}
    for name in (_SHORT.get(plain, plain), f"{plain}s", f"{plain}es", f"{plain.removesuffix('y')}ies"):
        if name in known and name != "*":
            return f"{name}{dot}{group}"
    return word if dot else ""


_VERBS: Mapping[str, tuple[str, ...]] = {
    "get": ("list", "get"), "describe": ("get",), "delete": ("delete",), "create": ("create",), "edit": ("patch",),
    "patch": ("patch",), "label": ("patch",), "annotate": ("patch",), "watch": ("watch",),
}  # fmt: skip
"""The verbs of commands that name a resource."""

_COMMANDS = {
    "exec": "create:pods/exec", "cp": "create:pods/exec", "attach": "create:pods/attach", "logs": "get:pods/log",
    "port-forward": "create:pods/portforward", "debug": "patch:pods/ephemeralcontainers", "drain": "create:pods/eviction",
    "cordon": "patch:nodes", "uncordon": "patch:nodes", "taint": "patch:nodes", "scale": "patch:deployments.apps/scale",
    "rollout": "patch:deployments.apps", "run": "create:pods", "top": "list:pods.metrics.k8s.io",
}  # fmt: skip
"""The request of commands that name no resource, or mostly the same one."""

_SHORT = {
    "po": "pods", "deploy": "deployments", "svc": "services", "cm": "configmaps", "ns": "namespaces", "no": "nodes",
    "sa": "serviceaccounts", "ing": "ingresses", "ds": "daemonsets", "sts": "statefulsets", "rs": "replicasets",
    "pv": "persistentvolumes", "pvc": "persistentvolumeclaims", "sc": "storageclasses", "ep": "endpoints", "cj": "cronjobs",
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
    return _named(rule.api_groups, request.api_group) and any(
        named in ("*", request.whole_resource) or (bool(request.subresource) and named == f"*/{request.subresource}")
        for named in rule.resources
    )


def covering(rules: Iterable[Rule], request: KubernetesRequest) -> tuple[Rule, ...]:
    """Return those rules that allow a request."""
    return tuple(rule for rule in rules if allows(rule, request))


def permissions(rules: Iterable[Rule]) -> frozenset[Permission]:
    """Return what rules allow, verb by verb; paths become resources without a group, and `*` is kept.

    All paths are `/*`, since `*` alone means all resources.
    """
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
    return (
        frozenset(each for each in permissions(after) if not _covered(each, before)),
        frozenset(each for each in permissions(before) if not _covered(each, after)),
    )


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
        if not all(covering(rules, parse_request(f"k8s:{each}", {})) for each in requests.split())
    )


def applies_in(namespaces: tuple[str, ...] | None, namespace: str | None) -> bool | None:
    """Return whether a scope covers a namespace; None if the namespace is not given.

    `namespaces` is None for the whole cluster; its names may contain `*`, as in `dev-*`.
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
    if any(named.partition("/")[0] == resource for named in rule.resources):
        yield from (group for group in rule.api_groups if group != "*")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


SubjectKind = Literal["role", "user", "node", "service-account", "anonymous", "username"]


class Subject(NamedTuple):
    """The user of a request, as Kubernetes names it."""

    kind: SubjectKind
    username: str
    """As in the message."""
    account: str | None = None
    """The account of an IAM role or user."""
    name: str | None = None
    """The name of the role, user, node or service account."""
    session: str | None = None
    """The session of an assumed role."""
    namespace: str | None = None
    """The namespace of a service account."""


class Forbidden(NamedTuple):
    """A request that Kubernetes refused, and its user."""

    subject: Subject
    request: KubernetesRequest


_FORBIDDEN = re.compile(
    r'forbidden: User "(?P<user>[^"]*)" cannot (?P<verb>[\w*-]+) '
    r'(?:path "(?P<path>[^"]*)"'
    r'|resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r"|(?P<old>(?!(?:resource|path)\b)[\w.-]+(?:/[\w.-]+)?))"
    r'(?:,? in the namespace "(?P<namespace>[^"]*)"|\.? at the cluster scope)?'
)
_NAME = re.compile(r'[\w.-]+ "([^"]*)" is $')
_LONGEST_NAME = 600
"""The most characters of a resource and its name: a name has up to 253."""

_MOST = 20
"""The most requests that are read in one text."""

_UNAUTHORIZED = re.compile(
    r"You must be logged in to the server|server has asked for the client to provide credentials"
    r'|"?(?:message|reason)"?: ?"Unauthorized"|\berror: Unauthorized\b',
    re.IGNORECASE,
)
_SERVICE_ACCOUNT = re.compile(r"system:serviceaccount:(?P<namespace>[^:]+):(?P<name>.+)")


def parse_forbidden(text: str) -> tuple[Forbidden, ...]:
    """Return the first requests that were forbidden according to a text, without duplicates, in order.

    Raises InputError if the text is too long.
    """
    from ekstui.core.denial import check_length, unwrapped  # 20 ms, and only for a message

    check_length(text)
    # Logs and HTTP bodies escape quotation marks, once or more; terminals break lines anywhere, even within words.
    return max((_found_in(each) for each in unwrapped(re.sub(r'\\+"', '"', text))), key=_whole)


def _found_in(line: str) -> tuple[Forbidden, ...]:
    found: dict[Forbidden, None] = {}
    for match in _FORBIDDEN.finditer(line):
        if len(found) >= _MOST:
            break
        before = _NAME.search(line[max(0, match.start() - _LONGEST_NAME) : match.start()])
        found[Forbidden(subject_of(match["user"]), _request(match, before[1] if before else None))] = None
    return tuple(found)


def _whole(found: tuple[Forbidden, ...]) -> tuple[int, int]:
    """Return how many requests read well, and how many say in which namespace: no word of one has a space in it."""
    texts = [
        f"{each.subject.username}{each.request.resource}{each.request.api_group}{each.request.name}" for each in found
    ]
    return sum(" " not in text for text in texts), sum(each.request.namespace is not None for each in found)


def is_unauthorized(text: str) -> bool:
    """Return whether a text says that the cluster does not know the caller, so that no rule was evaluated."""
    from ekstui.core.denial import unframed

    return bool(_UNAUTHORIZED.search(re.sub(r"\s+", " ", unframed(text))))


def subject_of(username: str) -> Subject:
    """Return what a user name stands for, as EKS sets it unless an access entry says otherwise."""
    if (entity := entity_of(username)).name:
        kind: SubjectKind = "user" if entity.kind == "user" else "role"
        return Subject(kind, username, split_arn(username).account, entity.name, entity.session)
    if match := _SERVICE_ACCOUNT.fullmatch(username):
        return Subject("service-account", username, name=match["name"], namespace=match["namespace"])
    if username.startswith("system:node:"):
        return Subject("node", username, name=username.removeprefix("system:node:"))
    if username in ("system:anonymous", ""):
        return Subject("anonymous", username)
    return Subject("username", username)


def _request(match: re.Match[str], name: str | None) -> KubernetesRequest:
    if match["path"] is not None:
        return KubernetesRequest(match["verb"], "", path=match["path"])
    plural, _, sub = (match["resource"] or match["old"]).strip().partition("/")
    group = match["group"]
    if group is None:
        # Before Kubernetes 1.12: `cannot list nodes`, `cannot list deployments.apps`.
        plural, _, group = plural.partition(".")
    return KubernetesRequest(match["verb"], plural, group, sub, match["namespace"], name)
