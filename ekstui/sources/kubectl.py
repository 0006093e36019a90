"""A cluster's pods, service accounts and aws-auth through the user's own kubectl, which knows how to sign in.

One `kubectl proxy` listens on a Unix socket in a folder that only the user can open, accepts the paths that are read
and no method but GET, and is asked page by page; so kubectl gets one token, and what the API answers is ours to see.
Nothing else can be asked for: assets/read-only-clusterrole.yaml is all that it needs.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ekstui import log
from ekstui.eks.cluster import Cluster
from ekstui.eks.commands import update_kubeconfig
from ekstui.eks.pods import KubernetesFacts, ReadKind
from ekstui.errors import AccountError, AmbiguousError, InputError
from ekstui.iam.document import object_of
from ekstui.iam.text import clean_line, listed
from ekstui.named_tuples import NamedTuple
from ekstui.sources.kubernetes import MAX_ANSWER_BYTES, ObjectsRead
from ekstui.sources.processes import POLL, Bounds, background, run
from ekstui.waiting import Cancelled, Tell, never, silent

PAGE = 500
"""Objects a page."""

PATIENCE = 20.0
"""How long the API may take for an answer, in seconds."""

ACCEPTED_PATHS = (
    "^/api/v1/(namespaces/[a-z0-9-]+/)?(pods|serviceaccounts)$,^/api/v1/namespaces/kube-system/configmaps/aws-auth$"
)
REJECTED_METHODS = "^([^G].*|G([^E].*|E([^T].*|T.+)?)?)?$"
"""Every method but GET."""

_AUTH = "/api/v1/namespaces/kube-system/configmaps/aws-auth"
_LISTS: tuple[tuple[ReadKind, str, str], ...] = (
    ("pods", "pods", "Pod"),
    ("service accounts", "serviceaccounts", "ServiceAccount"),
)
_START = 15.0
"""How long kubectl may take to listen, in seconds."""
_SECRET = re.compile(r"[A-Za-z0-9+/=_.-]{28,}")


class _Context(NamedTuple):
    """A context of the user's kubeconfig."""

    name: str
    server: str
    """The URL of its API."""
    is_current: bool


def contexts(cancelled: Cancelled = never) -> tuple[_Context, ...]:
    """Return the contexts of kubectl's configuration; AccountError if there is no kubectl, or it cannot be read."""
    command = ["kubectl", "config", "view", "-o", "json"]
    result = run(command, os.environ, Bounds(_START, 16_000_000), cancelled=cancelled)
    if result.code is None:
        raise AccountError("kubectl is not installed.", "kubectl get … -o json | ekstui pod - works without it.")
    try:
        value = json.loads(result.output) if result.code == 0 else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise AccountError(
            f"kubectl's configuration cannot be read{_because(result.errors)}.", "See kubectl config view."
        )
    servers = {
        part.get("name"): str(part["cluster"].get("server") or "") for part in _named(value, "clusters", "cluster")
    }
    return tuple(
        _Context(
            str(part.get("name")),
            servers.get(part["context"].get("cluster"), ""),
            part.get("name") == value.get("current-context"),
        )
        for part in _named(value, "contexts", "context")
    )


def _named(value: Mapping[str, Any], name: str, inner: str) -> list[Mapping[str, Any]]:
    return [part for part in value.get(name) or () if isinstance(part, dict) and isinstance(part.get(inner), dict)]


def context_for(cluster: Cluster, name: str | None, cancelled: Cancelled = never) -> str:
    """Return the context whose server is a cluster's endpoint.

    AmbiguousError for several, InputError if `name` is not among them.
    """
    if cluster.endpoint is None:
        raise AccountError(f"The endpoint of cluster {cluster.name} was not read.", "ekstui account reads it.")
    all_contexts = contexts(cancelled)
    matching_names = [context.name for context in all_contexts if _is_same_server(context.server, cluster.endpoint)]
    if name is not None:
        if name not in {context.name for context in all_contexts}:
            raise InputError(f"kubectl has no context {name!r}.", "kubectl config get-contexts lists them.")
        if name not in matching_names:
            raise InputError(
                f"The context {name} leads to another server than cluster {cluster.name}.", "Name its context."
            )
        return name
    if not matching_names:
        command = update_kubeconfig(cluster.name, cluster.region).text
        raise AccountError(
            f"No context of kubectl leads to cluster {cluster.name}.", f"Run `{command}`, then try again."
        )
    if len(matching_names) > 1:
        raise AmbiguousError(
            f"{len(matching_names)} contexts lead to cluster {cluster.name}: {listed(matching_names)}.",
            tuple(matching_names),
            "Choose with --context.",
        )
    return matching_names[0]


def cluster_of_context(clusters: Sequence[Cluster], name: str | None) -> Cluster:
    """Return the only cluster, or that to which a context leads, by its server; InputError if it leads to none."""
    if len(clusters) == 1:
        return clusters[0]
    context = next((one for one in contexts() if (one.name == name if name else one.is_current)), None)
    if context is None:
        raise InputError(
            f"kubectl has no {f'context {name}' if name else 'current context'}.", "Name one with --context."
        )
    matching_clusters = [
        cluster for cluster in clusters if cluster.endpoint and _is_same_server(context.server, cluster.endpoint)
    ]
    if len(matching_clusters) != 1:
        raise InputError(
            f"The context {context.name} leads to no cluster of the account.", "Name the cluster with --cluster."
        )
    return matching_clusters[0]


def _is_same_server(url_a: str, url_b: str) -> bool:
    """Return whether two URLs are of the same API."""
    return url_a.rstrip("/").removesuffix(":443").lower() == url_b.rstrip("/").removesuffix(":443").lower()


def read_by_kubectl(
    context: str,
    read_at: datetime,
    namespace: str | None = None,
    progress: Tell = silent,
    cancelled: Cancelled = never,
) -> KubernetesFacts:
    """Return a cluster's pods, service accounts and aws-auth, of the namespace alone where no more is allowed."""
    with tempfile.TemporaryDirectory(prefix="ekstui-") as folder:
        path = Path(folder) / "kubectl"
        command = [
            "kubectl", "proxy", f"--context={context}", f"--unix-socket={path}", f"--accept-paths={ACCEPTED_PATHS}",
            f"--reject-methods={REJECTED_METHODS}",
        ]  # fmt: skip
        log.info("starts kubectl proxy")
        with background(command, os.environ) as program:
            _await_socket(path, program.is_running, program.errors)
            objects = ObjectsRead()

            def before_a_question() -> None:
                progress(f"{len(objects.pods):,} pods, {len(objects.service_accounts):,} service accounts")

            api = _Api(path, program.errors, before_a_question, cancelled)
            for kind, name, singular in _LISTS:
                _read_list(api, objects, kind, name, singular, namespace)
            _read_auth(api, objects)
    if not objects.kinds:
        raise AccountError(objects.trouble[0] if objects.trouble else "Kubernetes says nothing.", _ALLOW)
    return objects.facts(read_at)


_ALLOW = "assets/read-only-clusterrole.yaml of the project is the ClusterRole that allows it."


def _await_socket(path: Path, is_running: Any, errors: Any) -> None:
    until = time.monotonic() + _START
    while not _listens(path):
        if not is_running() or time.monotonic() > until:
            text = errors()
            old = "unknown flag" in text or "unknown shorthand" in text
            raise AccountError(
                "kubectl is too old: it has no proxy on a Unix socket."
                if old
                else f"kubectl proxy did not start{_because(text)}.",
                "Update kubectl." if old else "Try kubectl get pods.",
            )
        time.sleep(0.02)


def _listens(path: Path) -> bool:
    """Return whether somebody takes connections on a socket, which is there a moment earlier."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


class _RefusedError(Exception):
    """The API answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class _Socket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Api:
    """The API behind kubectl proxy."""

    def __init__(self, path: Path, errors: Any, before_a_question: Callable[[], None], cancelled: Cancelled) -> None:
        self._path, self._errors, self._before, self._cancelled = path, errors, before_a_question, cancelled

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return an object; _RefusedError for no object, AccountError for no answer, InputError if cancelled."""
        self._before()
        connection = _Socket(self._path)
        try:
            connection.request(
                "GET", f"{path}?{urlencode(query)}" if query else path, headers={"Accept": "application/json"}
            )
            self._await_answer(connection.sock)
            response = connection.getresponse()
            content = response.read(MAX_ANSWER_BYTES + 1)
        except TimeoutError:
            raise AccountError(f"Kubernetes did not answer within {PATIENCE:.0f} s.", "Try kubectl get pods.") from None
        except (OSError, http.client.HTTPException) as error:
            raise AccountError(f"kubectl proxy broke off ({type(error).__name__}){_because(self._errors())}.") from None
        finally:
            connection.close()
        try:
            value = json.loads(content, object_pairs_hook=object_of) if len(content) <= MAX_ANSWER_BYTES else None
        except (ValueError, RecursionError):
            value = None
        if response.status != http.client.OK or not isinstance(value, dict):
            text = value.get("message") if isinstance(value, dict) else self._errors()
            raise _RefusedError(response.status, _short(str(text or "")))
        return value

    def _await_answer(self, answers: socket.socket) -> None:
        """Wait until the API answers, so that kubectl ends as soon as the user stops."""
        until = time.monotonic() + PATIENCE
        while not self._cancelled():
            if select.select([answers], [], [], POLL)[0]:
                return
            if time.monotonic() > until:
                raise TimeoutError
        raise InputError("This was stopped.", "Nothing was changed.")


def _read_list(
    api: _Api, objects: ObjectsRead, kind: ReadKind, name: str, singular: str, namespace: str | None
) -> None:
    """Read a list in all namespaces, or where that is not allowed in one."""
    try:
        _read_pages(api, objects, f"/api/v1/{name}", singular)
        objects.kinds.add(kind)
        objects.whole.add(kind)
        return
    except _RefusedError as error:
        refusal = error
    if refusal.status == http.client.FORBIDDEN and namespace is not None:
        try:
            _read_pages(api, objects, f"/api/v1/namespaces/{namespace}/{name}", singular)
        except _RefusedError as error:
            refusal = error
        else:
            objects.kinds.add(kind)
            objects.trouble.append(f"The {kind} of other namespaces than {namespace} may not be listed.")
            return
    objects.trouble.append(
        _refusal_in_words(f"The {kind} could not be {'fully ' if kind in objects.kinds else ''}read", refusal)
    )


def _read_pages(api: _Api, objects: ObjectsRead, path: str, singular: str) -> None:
    """Read all pages of a list; from the start again, once, if it changed too much meanwhile (410)."""
    for attempt in (1, 2):
        try:
            for item in _items(api, path):
                objects.add(item, singular)
            return
        except _RefusedError as error:
            if error.status != http.client.GONE or attempt == 2:
                raise


def _items(api: _Api, path: str) -> Iterator[object]:
    query = {"limit": str(PAGE)}
    while query:
        page = api.get(path, **query)
        items, metadata = page.get("items"), page.get("metadata")
        yield from items if isinstance(items, list) else ()
        token = metadata.get("continue") if isinstance(metadata, dict) else None
        query = {"limit": str(PAGE), "continue": str(token)} if token else {}


def _read_auth(api: _Api, objects: ObjectsRead) -> None:
    try:
        objects.add_aws_auth(api.get(_AUTH))
    except _RefusedError as error:
        if error.status == http.client.NOT_FOUND:
            objects.add_aws_auth({})
        else:
            objects.trouble.append(_refusal_in_words("The ConfigMap aws-auth could not be read", error))


def _refusal_in_words(object_words: str, refusal: _RefusedError) -> str:
    if refusal.status == http.client.UNAUTHORIZED:
        return f"{object_words}: Kubernetes does not accept kubectl's credentials."
    return f"{object_words} ({refusal.status}){_because(refusal.message)}."


def _because(errors: str) -> str:
    text = _short(errors.strip().splitlines()[-1]) if errors.strip() else ""
    return f": {text}" if text else ""


def _short(text: str) -> str:
    """Return the beginning of what somebody said, without what may be a token."""
    return _SECRET.sub("…", clean_line(text))[:200].rstrip(". ")
