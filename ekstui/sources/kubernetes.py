"""Pods, service accounts and the ConfigMap aws-auth, from the JSON that kubectl prints or the Kubernetes API sends.

Objects are read one at a time, and only what `eks/pods.py` names is kept of each: no value of another variable,
annotation or ConfigMap leaves this module. Objects of other kinds are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ekstui import files, log
from ekstui.change.policy import parse_time
from ekstui.eks.kubernetes import Rule
from ekstui.eks.pods import (
    ROLE_ANNOTATION,
    ROLE_ARN,
    AuthMapping,
    Container,
    KubernetesFacts,
    KubernetesServiceAccount,
    Pod,
    PodVariable,
    ReadKind,
)
from ekstui.eks.rbac import Binding
from ekstui.errors import InputError
from ekstui.iam.document import object_of
from ekstui.sources.aws_auth import parse_aws_auth
from ekstui.spelling import nearest

_Json = Mapping[str, Any]

MAX_ANSWER_BYTES = 256_000_000
"""The most that is read at once. 3,000 pods take about 30 MB."""

COMMAND = "kubectl get pods,serviceaccounts -A -o json"

_NEXT = f"Write it with `{COMMAND}`."
_NAME = re.compile(r"[a-z0-9.:-]{1,253}", re.ASCII)
_IMAGE = re.compile(
    r"(?P<name>[\w./-]+(?::\d+/[\w./-]+)?)(?::(?P<tag>[\w.-]{1,128}))?(?:@sha256:[0-9a-f]{64})?", re.ASCII
)
_AUDIENCE = re.compile(r"(?:https://)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}", re.ASCII)
_ANNOTATION = re.compile(r"[A-Za-z0-9._-]{1,253}/[A-Za-z0-9._-]{1,63}", re.ASCII)
_AGENT = re.compile(r"http://(?:169\.254\.170\.23|\[fd00:ec2::23\])/v1/credentials")
_VARIABLES: tuple[PodVariable, ...] = (
    "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)  # fmt: skip
_ALIKE = 0.8
"""How much an annotation has to be like EKS's to be a misspelling of it."""


@dataclass(slots=True)
class ObjectsRead:
    """What was read so far, each object once: the last that has its name wins."""

    pods: dict[tuple[str, str], Pod] = field(default_factory=dict)
    service_accounts: dict[tuple[str, str], KubernetesServiceAccount] = field(default_factory=dict)
    mappings: tuple[AuthMapping, ...] | None = None
    kinds: set[ReadKind] = field(default_factory=set)
    """What was asked for, even if there was none."""
    whole: set[ReadKind] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)
    roles: dict[tuple[str | None, str], tuple[Rule, ...]] = field(default_factory=dict)
    """The rules of cluster roles, and of roles with their namespace."""
    bindings: list[Binding] = field(default_factory=list)
    """Without rules; those of service accounts alone are left out."""
    _containers: dict[tuple[Container, ...], tuple[Container, ...]] = field(default_factory=dict)

    def add(self, value: object, kind: str = "") -> str | None:
        """Keep what matters of an object, which may be of a list of a kind, and return its namespace.

        None for one of a kind that is skipped.
        """
        fields = _object(value, "an item")
        match str(fields.get("kind") or kind):
            case "Pod":
                pod = parse_pod(fields)
                # Most pods are one of many alike, whose containers need to be held only once.
                containers = self._containers.setdefault(pod.containers, pod.containers)
                self.pods[pod.namespace, pod.name] = pod._replace(containers=containers)
                self.kinds.add("pods")
                return pod.namespace
            case "ServiceAccount":
                account = parse_service_account(fields)
                self.service_accounts[account.namespace, account.name] = account
                self.kinds.add("service accounts")
                return account.namespace
            case "ClusterRole" | "Role" as of_role:
                namespace, name = _of_rbac(fields)
                self.roles[None if of_role == "ClusterRole" else namespace, name] = tuple(
                    map(_rule, _list(fields, "rules"))
                )
            case "ClusterRoleBinding" | "RoleBinding" as of_binding:
                self.bindings.append(_binding(fields, is_whole=of_binding == "ClusterRoleBinding"))
            case "ConfigMap" if _named(fields) == ("kube-system", "aws-auth"):
                self.add_aws_auth(fields)
        return None

    def add_aws_auth(self, value: _Json) -> None:
        """Keep the lines of the ConfigMap aws-auth; what is wrong with it becomes a trouble."""
        self.kinds.add("aws-auth")
        try:
            self.mappings = parse_aws_auth(value.get("data"))
            self.whole.add("aws-auth")
        except InputError as error:
            self.trouble.append(str(error))

    def bound(self) -> tuple[Binding, ...] | None:
        """Return the bindings with the rules of their roles; None if they may not be all of the cluster."""
        # Kubernetes itself makes some of each kind.
        of_cluster = any(binding.namespace is None and binding.name == "cluster-admin" for binding in self.bindings)
        if not of_cluster or all(binding.namespace != "kube-system" for binding in self.bindings):
            return None
        return tuple(
            binding._replace(rules=self.roles.get((binding.namespace if kind == "Role" else None, name)))
            for binding in self.bindings
            for kind, _, name in [binding.role.partition("/")]
        )

    def facts(self, read_at: datetime) -> KubernetesFacts:
        """Return what was read."""
        return KubernetesFacts(
            read_at,
            tuple(self.pods.values()) if "pods" in self.kinds else None,
            tuple(self.service_accounts.values()) if "service accounts" in self.kinds else None,
            self.mappings,
            tuple(sorted(self.whole)),
            tuple(self.trouble),
        )


def read_kubernetes(texts: Sequence[tuple[str, str]], read_at: datetime) -> KubernetesFacts:
    """Return what texts of `kubectl get -o json` hold, each with its name; InputError for any other text."""
    objects = _objects(texts)
    if not objects.kinds and objects.bound() is None:
        raise InputError("There is no pod, service account or ConfigMap aws-auth in it.", _NEXT)
    if ("kube-system", "default") not in objects.service_accounts:
        # Every namespace has a service account `default`: what lacks it was selected by a label.
        objects.whole -= {"service accounts"}
    return objects.facts(read_at)


def read_bindings(texts: Sequence[tuple[str, str]]) -> tuple[Binding, ...] | None:
    """Return the bindings of RBAC in some texts, with their roles' rules; None if they have none.

    They are for one answer alone.
    """
    return _objects(texts).bound()


def _objects(texts: Sequence[tuple[str, str]]) -> ObjectsRead:
    objects = ObjectsRead()
    for place, text in texts:
        _Reader(text, place).read_into(objects)
    return objects


def within_limit(text: str, place: str) -> str:
    """Return a text that was read; InputError if it is too long."""
    if len(text) > MAX_ANSWER_BYTES:
        raise InputError(f"{place} is larger than {MAX_ANSWER_BYTES // 1_000_000} MB.", "Give one namespace at a time.")
    return text


def kubernetes_text(path: Path) -> str:
    """Return the text of a file; InputError if it cannot be read."""
    try:
        return within_limit(files.read_regular(path, MAX_ANSWER_BYTES).decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8.", _NEXT) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", _NEXT) from None


class _Reader:
    """Reads a text of one or more JSON objects; of a list one item at a time, so that only one is held in memory."""

    def __init__(self, text: str, place: str) -> None:
        self._text, self._place, self._at = text, place, 0
        self._decode = json.JSONDecoder(object_pairs_hook=object_of).raw_decode

    def read_into(self, objects: ObjectsRead) -> None:
        log.info("reads %d characters of Kubernetes' JSON", len(self._text))
        self._skip()
        if self._at == len(self._text):
            raise self._wrong("it is empty")
        while self._at < len(self._text):
            self._document(objects)
            self._skip()

    def _document(self, objects: ObjectsRead) -> None:
        """Read one object; a list has a field `items`."""
        begin = self._at
        fields: dict[str, object] = {}
        items: list[str | None] | None = None
        pending_items: list[object] = []
        for name in self._names():
            if name != "items":
                fields[name] = self._value()
                continue
            items = []
            for _ in self._members("[", "]"):
                item = self._value()
                of_list = str(fields.get("kind") or "").removesuffix("List")
                if of_list or (isinstance(item, Mapping) and item.get("kind")):
                    items.append(objects.add(item, of_list))
                else:
                    pending_items.append(item)  # the kind of the list comes after its items
        if items is None:
            self._at = begin
            objects.add(self._value())
            return
        of_list = str(fields.get("kind") or "").removesuffix("List")
        items += [objects.add(item, of_list) for item in pending_items]
        metadata = fields.get("metadata")
        if isinstance(metadata, Mapping) and metadata.get("continue"):
            objects.trouble.append(f"{self._place} has only the first page of a list.")
        elif len(set(items) - {None}) > 1:
            # A list of several namespaces is one of all of them.
            objects.whole |= objects.kinds & {"pods", "service accounts"}

    def _names(self) -> Iterator[str]:
        """Yield the name of each field of an object, whose value has to be read before the next."""
        for _ in self._members("{", "}"):
            name = self._value()
            if not isinstance(name, str):
                raise self._wrong("a name is not text")
            self._expect(":")
            yield name

    def _members(self, begin: str, end: str) -> Iterator[None]:
        """Stop at each member between two brackets, which has to be read before the next."""
        self._expect(begin)
        has_more = self._peek() != end
        while has_more:
            yield
            has_more = self._peek() == ","
            if has_more:
                self._expect(",")
        self._expect(end)

    def _value(self) -> object:
        self._skip()
        try:
            value, self._at = self._decode(self._text, self._at)
        except (ValueError, RecursionError):
            raise self._wrong("it is not JSON") from None
        return value

    def _peek(self) -> str:
        self._skip()
        return self._text[self._at : self._at + 1]

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._wrong("it is not a JSON object")
        self._at += 1

    _SPACE = re.compile(r"[ \t\n\r]*")

    def _skip(self) -> None:
        match = self._SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _wrong(self, problem: str) -> InputError:
        """Return an error without a piece of the text, which may be secret."""
        line = self._text.count("\n", 0, self._at) + 1
        return InputError(f"{self._place} cannot be read: {problem} (line {line:,}).", _NEXT)


def parse_pod(value: _Json) -> Pod:
    """Return a pod; InputError if it is none."""
    namespace, name = _named(value)
    spec, metadata = _object(value.get("spec"), "a pod's spec"), _object(value.get("metadata"), "metadata")
    status = _object(value.get("status") or {}, "a pod's status")
    kind, owner = _owner(metadata, name)
    containers = (*_list(spec, "initContainers"), *_list(spec, "containers"))
    return Pod(
        namespace,
        name,
        _name(spec.get("serviceAccountName") or "default", "a service account"),
        _name(spec["nodeName"], "a node") if spec.get("nodeName") else None,
        _time(metadata.get("creationTimestamp") or status.get("startTime")),
        str(status.get("phase") or "Unknown")[:20],
        kind,
        owner,
        tuple(map(_container, containers)),
    )


def _container(value: object) -> Container:
    fields = _object(value, "a container")
    role, agent = None, False
    names: set[str] = set()
    for entry in _list(fields, "env"):
        variable = _object(entry, "a variable")
        name, text = variable.get("name"), variable.get("value")
        if name not in _VARIABLES or not (text or variable.get("valueFrom")):
            continue
        names.add(name)
        if name == "AWS_ROLE_ARN":
            role = text if isinstance(text, str) and ROLE_ARN.fullmatch(text) else None
        elif name == "AWS_CONTAINER_CREDENTIALS_FULL_URI":
            agent = isinstance(text, str) and _AGENT.fullmatch(text) is not None
    image = _IMAGE.fullmatch(str(fields.get("image") or ""))
    return Container(
        _name(fields.get("name"), "a container"),
        image["name"] if image else "",
        (image["tag"] or "") if image else "",
        tuple(name for name in _VARIABLES if name in names),
        role,
        agent,
        bool(fields.get("envFrom")),
    )


def _owner(metadata: _Json, name: str) -> tuple[str, str]:
    """Return the kind and name of what controls a pod, of a ReplicaSet what its pods' hash tells of its own owner."""
    for entry in _list(metadata, "ownerReferences"):
        reference = _object(entry, "an owner")
        if not reference.get("controller"):
            continue
        kind, owner = _name(str(reference.get("kind")).lower(), "an owner"), _name(reference.get("name"), "an owner")
        labels = metadata.get("labels")
        for label, of_hash in (("pod-template-hash", "Deployment"), ("rollouts-pod-template-hash", "Rollout")):
            value = labels.get(label) if isinstance(labels, Mapping) else None
            if kind == "replicaset" and isinstance(value, str) and owner.endswith(f"-{value}"):
                return of_hash, owner.removesuffix(f"-{value}")
        return str(reference["kind"]), owner
    return "Pod", name


def parse_service_account(value: _Json) -> KubernetesServiceAccount:
    """Return a service account with EKS's annotations; InputError if it is none."""
    namespace, name = _named(value)
    metadata = _object(value.get("metadata"), "metadata")
    annotations = _object(metadata.get("annotations") or {}, "annotations")
    role = annotations.get(ROLE_ANNOTATION)
    audience = annotations.get("eks.amazonaws.com/audience")
    is_role = isinstance(role, str) and ROLE_ARN.fullmatch(role) is not None
    return KubernetesServiceAccount(
        namespace,
        name,
        _time(metadata.get("creationTimestamp")),
        str(role) if is_role else None,
        ROLE_ANNOTATION in annotations and not is_role,
        audience if isinstance(audience, str) and _AUDIENCE.fullmatch(audience) else None,
        _annotated(metadata) if is_role else None,
        tuple(sorted(key for key in annotations if _is_misspelt(key))),
    )


def _is_misspelt(annotation: str) -> bool:
    """Return whether an annotation seems to mean the one that EKS reads."""
    if annotation == ROLE_ANNOTATION or not _ANNOTATION.fullmatch(annotation):
        return False
    domain, _, name = annotation.lower().partition("/")
    return name.replace("_", "-") in ("role-arn", "rolearn", "role", "role-arns", "iam-role", "iam-role-arn") and bool(
        nearest(domain, ["eks.amazonaws.com"], alike=_ALIKE)
    )


def _annotated(metadata: _Json) -> datetime | None:
    """Return when a manager of the annotation with the role last wrote: it is not newer than that."""
    times = []
    for entry in _list(metadata, "managedFields"):
        manager = _object(entry, "a manager")
        fields: Any = manager.get("fieldsV1")
        for part in ("f:metadata", "f:annotations"):
            fields = fields.get(part) if isinstance(fields, Mapping) else None
        if isinstance(fields, Mapping) and f"f:{ROLE_ANNOTATION}" in fields and (time := _time(manager.get("time"))):
            times.append(time)
    return min(times, default=None)


def _rule(value: object) -> Rule:
    fields = _object(value, "a rule")
    names = ("apiGroups", "resources", "verbs", "nonResourceURLs", "resourceNames")
    return Rule(*(tuple(map(str, _list(fields, name))) for name in names))


def _of_rbac(value: _Json) -> tuple[str, str]:
    """Return namespace and name of an object of RBAC, whose name may have any characters but slashes."""
    metadata = _object(value.get("metadata"), "metadata")
    return str(metadata.get("namespace") or ""), str(metadata.get("name"))


def _binding(value: _Json, *, is_whole: bool) -> Binding:
    namespace, name = _of_rbac(value)
    reference = _object(value.get("roleRef"), "a binding's role")
    subjects = [_object(entry, "a subject") for entry in _list(value, "subjects")]
    people = tuple(
        (str(subject.get("kind")), str(subject.get("name")))
        for subject in subjects
        if subject.get("kind") in ("Group", "User")
    )
    role = f"{reference.get('kind')}/{reference.get('name')}"
    return Binding(name, None if is_whole else namespace, role, people, None)


def _named(value: _Json) -> tuple[str, str]:
    metadata = _object(value.get("metadata"), "metadata")
    return _name(metadata.get("namespace") or "default", "a namespace"), _name(metadata.get("name"), "an object")


def _name(value: object, field: str) -> str:
    """Return a name as Kubernetes allows it, so that nothing else can be in its place."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InputError(f"Not Kubernetes' JSON: {field} has no proper name.", _NEXT)
    return value


def _object(value: object, field: str) -> _Json:
    if not isinstance(value, Mapping):
        raise InputError(f"Not Kubernetes' JSON: {field} is not an object.", _NEXT)
    return value


def _list(fields: _Json, key: str) -> Sequence[object]:
    value = fields.get(key) or ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"Not Kubernetes' JSON: {key} is not a list.", _NEXT)
    return value


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        return parse_time(str(value))
    except ValueError:
        raise InputError("Not Kubernetes' JSON: a time is not one.", _NEXT) from None
