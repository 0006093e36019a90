"""Roles and bindings of Kubernetes' RBAC: what a group is given by them, and the least role that gives something.

Source: Kubernetes, "Using RBAC Authorization".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import product
from typing import Literal

from ekstui.eks.commands import Command, expansions_in
from ekstui.eks.kubernetes import CORE, Permission, Rule, beyond
from ekstui.named_tuples import NamedTuple

SubjectOfBinding = Literal["Group", "User", "ServiceAccount"]

Rights = Mapping[str | None, tuple[Rule, ...]]
"""Rules by the namespace that they apply in; None for the whole cluster."""

API = "rbac.authorization.k8s.io"
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9.-]+")


class Binding(NamedTuple):
    """A role that is bound to subjects."""

    name: str
    namespace: str | None
    """Where it applies; None for the whole cluster."""
    role: str
    subjects: tuple[tuple[str, str], ...]
    """Kinds and names of groups and users."""
    rules: tuple[Rule, ...] | None
    """What the role allows; None if the role was not read."""


class RoleToMake(NamedTuple):
    """A role and its binding that are to be made."""

    name: str
    """Of both."""
    namespace: str | None
    """None for a ClusterRole that is bound in the whole cluster."""
    rules: tuple[Rule, ...]
    subject_kind: SubjectOfBinding
    subject: str
    """A group's or user's name, or `NAMESPACE:NAME` of a service account."""

    @property
    def manifest(self) -> str:
        """Both as YAML of two documents."""
        kind = "ClusterRole" if self.namespace is None else "Role"
        metadata = ["metadata:", f"  name: {json.dumps(self.name)}"]
        if self.namespace is not None:
            metadata.append(f"  namespace: {json.dumps(self.namespace)}")
        head = f"apiVersion: {API}/v1\nkind: "
        rules = [line for rule in self.rules for line in _rule_lines(rule)]
        role = [f"{head}{kind}", *metadata, "rules:", *rules]
        reference = ["roleRef:", f"  apiGroup: {API}", f"  kind: {kind}", f"  name: {json.dumps(self.name)}"]
        binding = [f"{head}{kind}Binding", *metadata, *reference, "subjects:", *self._subject_lines()]
        return "\n".join([*role, "---", *binding]) + "\n"

    def _subject_lines(self) -> Iterator[str]:
        yield f"  - kind: {self.subject_kind}"
        if self.subject_kind == "ServiceAccount":
            namespace, _, name = self.subject.partition(":")
            yield from (f"    name: {json.dumps(name)}", f"    namespace: {json.dumps(namespace)}")
        else:
            yield from (f"    apiGroup: {API}", f"    name: {json.dumps(self.subject)}")

    @property
    def commands(self) -> tuple[Command, Command]:
        """The commands that make both; for a role with one rule."""
        (rule,) = self.rules
        kind = "clusterrole" if self.namespace is None else "role"
        place = () if self.namespace is None else ("--namespace", self.namespace)
        names = ("--resource-name", rule.resource_names[0]) if rule.resource_names else ()
        rights = (
            ("--non-resource-url", rule.non_resource_urls[0])
            if rule.non_resource_urls
            else ("--resource", _resource(rule.api_groups[0], rule.resources[0]))
        )
        option = {"Group": "--group", "User": "--user", "ServiceAccount": "--serviceaccount"}[self.subject_kind]
        words = (f"create {kind}", f"create {kind}binding")
        where = f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"
        make = ("kubectl", *words[0].split(), self.name, "--verb", rule.verbs[0], *rights, *names, *place)
        # Others may lack the same rule: each has a binding of its own.
        suffix = "" if expansions_in(self.subject) else self.subject.rpartition("/")[2].rpartition(":")[2]
        binding = self.name if suffix in ("", self.name) else role_name(self.name, suffix)
        bind = ("kubectl", *words[1].split(), binding, f"--{kind}", self.name, option, self.subject, *place)
        return (
            Command(make, f"makes a role that allows this alone {where}"),
            Command(bind, "binds that role", expansions_in(self.subject)),
        )


def _resource(group: str, resource: str) -> str:
    """Return a resource as kubectl has it, such as `deployments.apps/scale`."""
    name, slash, sub = resource.partition("/")
    return f"{name}{f'.{group}' if group else ''}{slash}{sub}"


def _rule_lines(rule: Rule) -> Iterator[str]:
    if rule.non_resource_urls:
        fields = {"nonResourceURLs": rule.non_resource_urls, "verbs": rule.verbs}
    else:
        fields = {"apiGroups": rule.api_groups, "resources": rule.resources, "resourceNames": rule.resource_names,
                  "verbs": rule.verbs}  # fmt: skip
    for index, (name, values) in enumerate((name, values) for name, values in fields.items() if values):
        yield f"  {'-' if index == 0 else ' '} {name}: {json.dumps(list(values))}"


def role_name(*words: str) -> str:
    """Return a role's name for Kubernetes, made of words; a digest stands for what had to be changed in them."""
    text = "-".join(filter(None, words))
    name = _NOT_IN_A_NAME.sub("-", text.lower()).strip("-.")[:200]
    return name if name == text else f"{name}-{sha256(text.encode()).hexdigest()[:6]}".lstrip("-")


def rights_of(subject: tuple[str, str], bindings: Iterable[Binding]) -> tuple[Rights, tuple[str, ...]]:
    """Return what bindings give to a group or user, and the names of bindings whose role was not read."""
    rights: dict[str | None, tuple[Rule, ...]] = {}
    unread = []
    for binding in bindings:
        if subject not in binding.subjects:
            continue
        if binding.rules is None:
            unread.append(binding.name)
        else:
            rights[binding.namespace] = (*rights.get(binding.namespace, ()), *binding.rules)
    return rights, tuple(unread)


def lacking_rules(rules: Sequence[Rule], other_rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the least rules that give what `rules` do and `other_rules` do not."""
    other_rules = tuple(other_rules)
    unnamed_rules = [rule for rule in rules if not rule.resource_names]
    named_rules = [
        rule for rule in rules if rule.resource_names and beyond([rule._replace(resource_names=())], other_rules)
    ]
    return (*_merged(beyond(unnamed_rules, other_rules)), *dict.fromkeys(named_rules))


def _merged(missing: frozenset[Permission]) -> Iterator[Rule]:
    """Yield as few rules as are easy to read: resources of a group with the same verbs share one."""
    verbs_of: dict[tuple[str, str], list[str]] = {}
    for permission in sorted(missing):
        wider = product({permission.api_group, "*"}, {permission.resource, "*"}, {permission.verb, "*"})
        wider_permissions = {Permission(*cell) for cell in wider} - {permission}
        if permission.resource.startswith("/") or not wider_permissions & missing:
            verbs_of.setdefault((permission.api_group, permission.resource), []).append(permission.verb)
    resources_of: dict[tuple[bool, str, tuple[str, ...]], list[str]] = {}
    for (group, resource), own_verbs in verbs_of.items():
        resources_of.setdefault((resource.startswith("/"), group, tuple(own_verbs)), []).append(resource)
    for (is_path, group, verbs), resources in resources_of.items():
        if is_path:
            urls = tuple("*" if resource == "/*" else resource for resource in resources)
            yield Rule((), (), verbs, urls)
        else:
            yield Rule((group or CORE,), tuple(resources), verbs)


def rules_cover(wider: Sequence[Rule], rules: Sequence[Rule]) -> bool:
    """Return whether `wider` allows all that rules do, those about single objects only as they are written."""
    return {*lacking_rules(rules, wider)} <= {*wider}
