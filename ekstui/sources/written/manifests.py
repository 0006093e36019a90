"""The access that an object of Kubernetes or eksctl gives: ACK, Crossplane, a ClusterConfig, Helm's templates.

Source: the schemas of eksctl (`eksctl.io/v1alpha5`), ACK (`iam.services.k8s.aws`, `eks.services.k8s.aws`) and
Crossplane (`iam.aws.upbound.io`, `iam.aws.crossplane.io`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from ekstui.change.holes import hole
from ekstui.errors import DocumentError
from ekstui.sources.written import Written, WrittenAttachment
from ekstui.sources.written.search import access_policies, attached_by, attachments, document_in, namespaces_of, search
from ekstui.sources.written.values import line_of, yaml_values


def is_manifest(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is an object of Kubernetes, or looks like one."""
    return (
        isinstance(value, Mapping) and isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str)
    )


def of_manifest(value: Mapping[str, Any]) -> Iterator[Written]:
    """Yield what an object gives."""
    fields = _object(value.get("metadata"))
    name = "/".join(str(fields[key]) for key in ("namespace", "name") if fields.get(key))
    place = f"{value['kind']} {name}".strip()
    items = value.get("items")
    if value["kind"] == "List" and isinstance(items, list):
        for item in items:
            if is_manifest(item):
                yield from of_manifest(item)
        return
    group = value["apiVersion"].partition("/")[0]
    line = line_of(value)
    if group == "eksctl.io":
        yield from _of_eksctl(value, place)
    elif group.endswith((".services.k8s.aws", ".upbound.io", ".crossplane.io")):
        yield from _of_controller(value, place, line)
    elif value["kind"] == "ConfigMap" and fields.get("name") == "aws-auth":
        yield from _of_aws_auth(value.get("data"), place, line)
    elif value["kind"] == "ServiceAccount":
        yield from search(fields.get("annotations"), place, line=line, attached_to=place)
    else:
        yield from search(
            {key: entry for key, entry in value.items() if key not in ("apiVersion", "kind", "status")},
            place,
            line=line,
        )


def _of_aws_auth(data: object, place: str, line: int) -> Iterator[Written]:
    for key, text in data.items() if isinstance(data, Mapping) else ():
        for entries in yaml_values(text.encode()) if isinstance(text, str) else [text]:
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, Mapping):
                    principal = str(entry.get("rolearn", entry.get("userarn")))
                    groups = entry.get("groups")
                    for group in groups if isinstance(groups, list) else []:
                        yield WrittenAttachment(f"{place} › {key}", "role", principal, f"group {group}", line)


def _of_controller(value: Mapping[str, Any], place: str, line: int) -> Iterator[Written]:
    """Yield what an object gives that stands for a resource of AWS."""
    spec = _object(value.get("spec"))
    provider = spec.get("forProvider")
    fields = provider if isinstance(provider, Mapping) else spec
    kind = value["kind"]
    attached_to = next((f"{what} {_named(fields[key])}" for key, what in _ENTITIES.items() if fields.get(key)), place)
    for key, entry in fields.items():
        line_of_entry = line_of(entry) or line
        if kind == "AccessPolicyAssociation" and key == "policyArn":
            continue
        if kind == "PodIdentityAssociation" and key in _DOCUMENTS:
            yield from search({key: entry}, place, line=line_of_entry, attached_to=attached_to)
        elif kind == "PodIdentityAssociation" and key in ("roleARN", "roleArn", "roleRef"):
            account = f"{fields.get('namespace')}/{fields.get('serviceAccount')}"
            yield WrittenAttachment(f"{place} › {key}", "role", account, _named(entry), line_of_entry)
        elif key == "accessPolicies" and isinstance(entry, list):
            yield from access_policies(
                f"{place} › {key}", str(fields.get("principalARN", attached_to)), entry, line_of_entry
            )
        else:
            yield from _of_field(key, entry, place, line_of_entry, attached_to)
    if kind == "AccessPolicyAssociation" and fields.get("policyArn"):
        scope = fields.get("accessScope")
        scope = scope[0] if isinstance(scope, list) and scope else scope
        principal, policy = str(fields.get("principalArn", place)), str(fields["policyArn"])
        yield WrittenAttachment(place, "access policy", principal, policy, line, namespaces_of(scope))


_ENTITIES = {f"{what}{suffix}": what for suffix in ("", "Ref") for what in ("role", "user", "group")}
"""What the fields name that say who gets a policy, the name itself before a reference."""

_DOCUMENTS = ("policyDocument", "document", "policy")


def _of_field(key: str, entry: Any, place: str, line: int, attached_to: str) -> Iterator[Written]:
    """Yield what a field gives that means the same in resources of every kind."""
    if key in _DOCUMENTS and isinstance(entry, str | Mapping):
        yield document_in(place, entry, line)
    elif key in ("assumeRolePolicyDocument", "assumeRolePolicy"):
        yield document_in(f"{place} › {key}", entry, line)
    elif key == "inlinePolicies" and isinstance(entry, Mapping):
        for name, document in entry.items():
            yield document_in(f"{place} › {name}", document, line)
    elif key == "inlinePolicy" and isinstance(entry, list):
        for part in entry:
            if isinstance(part, Mapping) and "policy" in part:
                yield document_in(f"{place} › {part.get('name')}", part["policy"], line)
    elif key == "policies" or attached_by(key) == "policy":
        yield from attachments(f"{place} › {key}", "policy", _references(entry), line, attached_to)
    elif not isinstance(entry, bool | int | float) and entry is not None:
        yield from search({key: entry}, place, line=line, attached_to=attached_to)


def _object(value: object) -> Mapping[str, Any]:
    """Return an object, an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def _references(value: object) -> object:
    """Return what attaches, with the objects that references name as holes."""
    if isinstance(value, list):
        return [_references(entry) for entry in value]
    if isinstance(value, Mapping):
        inner = value.get("from", value)
        return hole(f"Policy {_named(inner)}")
    return value


def _named(value: object) -> str:
    if isinstance(value, Mapping):
        inner = value.get("from", value)
        return str(inner.get("name", inner)) if isinstance(inner, Mapping) else str(inner)
    return str(value)


def _of_eksctl(value: Mapping[str, Any], place: str) -> Iterator[Written]:
    entries = _object(value.get("accessConfig")).get("accessEntries")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping):
            principal = str(entry.get("principalARN"))
            policies = entry.get("accessPolicies")
            inner_place = f"{place} › accessEntries[{principal}]"
            yield from access_policies(
                inner_place, principal, policies if isinstance(policies, list) else [], line_of(entry)
            )
            for group in entry.get("kubernetesGroups") or ():
                yield WrittenAttachment(inner_place, "role", principal, f"group {group}", line_of(entry))
    for mapping in value.get("iamIdentityMappings") or ():
        if isinstance(mapping, Mapping):
            for group in mapping.get("groups") or ():
                inner_place, principal = f"{place} › iamIdentityMappings", str(mapping.get("arn"))
                yield WrittenAttachment(inner_place, "role", principal, f"group {group}", line_of(mapping))
    other_fields = {
        key: entry
        for key, entry in value.items()
        if key not in ("apiVersion", "kind", "metadata", "accessConfig", "iamIdentityMappings")
    }
    yield from _in_eksctl(other_fields, place)


def _in_eksctl(value: object, place: str) -> Iterator[Written]:
    """Yield what is attached anywhere in a ClusterConfig: what has it is the object with the field."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            meta = _object(_object(entry).get("metadata", entry))
            names = [str(meta[key]) for key in ("namespace", "name", "serviceAccountName") if meta.get(key)]
            yield from _in_eksctl(entry, f"{place}[{'/'.join(names) or number}]")
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            inner_place = f"{place} › {key}"
            kind = "role" if key == "roleARN" else attached_by(key)
            if key in ("attachPolicy", "permissionPolicy") and entry:
                yield document_in(inner_place, entry, line_of(entry) or line_of(value))
            elif kind is not None:
                yield from attachments(inner_place, kind, entry, line_of(value), place)
            else:
                yield from _in_eksctl(entry, inner_place)


_ACTION = re.compile(rb"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_CONTROL = (b"if ", b"else", b"end", b"range ", b"with ", b"define ", b"block ", b"template ", b"include ", b"/*", b"$")


def template_values(content: bytes) -> list[object]:
    """Return the values of a template such as Helm's, a hole for each expression.

    DocumentError if conditions or loops decide what it has.
    """

    def filled(match: re.Match[bytes]) -> bytes:
        expression = match[1]
        if expression.startswith(b"/*"):
            return b""
        if expression.startswith(_CONTROL) or expression == b"end":
            raise DocumentError("it is a template, such as Helm's, whose conditions or loops decide what it has")
        name = expression.partition(b"|")[0].strip()
        return hole(name.decode(errors="replace").replace(":", ".")).encode()

    try:
        return list(yaml_values(_ACTION.sub(filled, content)))
    except DocumentError as error:
        raise DocumentError(f"it is a template, such as Helm's: {error.message}") from None
