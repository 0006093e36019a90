"""Pods, service accounts and aws-auth as kubectl prints them, small."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

IRSA = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
AGENT = "http://169.254.170.23/v1/credentials"


def irsa_variables(role: str) -> dict[str, str]:
    """The variables of a container whose service account is annotated with a role."""
    return {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": IRSA}


POD_IDENTITY = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": AGENT}


def pod(
    name: str,
    variables: Mapping[str, str] | None = None,
    *,
    namespace: str = "shop",
    account: str = "web",
    created: str = "2026-11-02T08:00:00Z",
    owner: tuple[str, str] | None = None,
    image: str = "registry.example/shop/web:1.0",
    node: str = "ip-10-0-0-1.eu-west-1.compute.internal",
    **more: Any,
) -> dict[str, Any]:
    """A pod with one container; that of a Deployment is named NAME-HASH-ID, and `owner` is of another kind."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "creationTimestamp": created}
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    elif name.count("-") >= 2:
        of, _, _ = name.rpartition("-")
        metadata["ownerReferences"] = [{"kind": "ReplicaSet", "name": of, "controller": True}]
        metadata["labels"] = {"pod-template-hash": of.rpartition("-")[2]}
    env = [{"name": key, "value": value} for key, value in (variables or {}).items()]
    container = {"name": "app", "image": image, "env": env}
    spec = {"serviceAccountName": account, "nodeName": node, "containers": [container], **more}
    return {"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running"}}


def service_account(
    name: str,
    role: str | None = None,
    *,
    namespace: str = "shop",
    created: str = "2026-01-01T00:00:00Z",
    **annotations: str,
) -> dict[str, Any]:
    """A service account, annotated with a role if one is given."""
    own = {"eks.amazonaws.com/role-arn": role} if role else {}
    metadata = {
        "name": name,
        "namespace": namespace,
        "creationTimestamp": created,
        "annotations": {**own, **annotations},
    }
    return {"kind": "ServiceAccount", "metadata": metadata}


def aws_auth(roles: str = "", users: str = "") -> dict[str, Any]:
    """The ConfigMap aws-auth."""
    data = {"mapRoles": roles, "mapUsers": users}
    return {"kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": data}


def everywhere() -> list[dict[str, Any]]:
    """What a list of all namespaces always has."""
    return [
        service_account("default", namespace=name) for name in ("default", "kube-node-lease", "kube-system", "shop")
    ]


def listing(*items: Mapping[str, Any]) -> str:
    """A list as `kubectl get -o json` prints it."""
    return json.dumps({"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": {}}, indent=4)


def of_all_namespaces(items: Sequence[Mapping[str, Any]]) -> str:
    """A list with `-A`."""
    return listing(*everywhere(), *items)
