"""What Kubernetes says when it forbids a request, or does not know who asks, and who its user is.

Source: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries", for what user names mean; the
wording of the API server, kubectl and client-go, as in public threads.
"""

import re
from collections.abc import Iterator
from typing import Literal

from ekstui.denial.patterns import compiled_later
from ekstui.denial.wrapping import unframed
from ekstui.eks.kubernetes import KubernetesRequest
from ekstui.eks.trust import SERVICE_ACCOUNT, ServiceAccount
from ekstui.iam.arn import entity_of, split_arn
from ekstui.named_tuples import NamedTuple

SubjectKind = Literal["role", "user", "node", "service-account", "anonymous", "username"]


class KubernetesSubject(NamedTuple):
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


RBAC_GROUP = "rbac.authorization.k8s.io"


class Forbidden(NamedTuple):
    """A request that Kubernetes refused, and its user."""

    subject: KubernetesSubject
    request: KubernetesRequest
    grants: str = ""
    """What the user tried to grant without holding it, if that is why: no rule for the request itself is missing."""


_FORBIDDEN = compiled_later(
    r'forbidden: User "(?P<user>[^"]*)" cannot (?P<verb>[\w*-]+) '
    r'(?:path "(?P<path>[^"]*)"'
    r'|resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r"|(?P<old>(?!(?:resource|path)\b)[\w.-]+(?:/[\w.-]+)?)(?= (?:in the namespace|at the cluster)|\.? at the|[:.,;]|$))"
    r'(?:,? in the namespace "(?P<namespace>[^"]*)"|\.? at the cluster scope)?'
)
_ESCALATION = compiled_later(
    r'(?P<resource>(?:cluster)?role(?:binding)?s)\.rbac\.authorization\.k8s\.io "(?P<name>[^"]{0,300})" is forbidden: '
    r'(?:user "(?P<user>[^"]*)" (?:\(groups=\[[^\]]{0,600}\]\) )?is attempting to grant RBAC permissions not currently held'
    r"|attempt to grant extra privileges)(?:: ?(?P<rules>[^\n]{0,600}))?",
    re.IGNORECASE,
)
_OLD_USER = compiled_later(r"user=&?\{(\S{1,300}) ")
_NAME = compiled_later(r'[\w.-]+ "([^"]*)" is $')
_LONGEST_NAME = 600
"""The most characters of a resource and its name: a name has up to 253."""

_VERBS = frozenset(
    ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "*", "use", "bind", "escalate",
     "impersonate", "approve", "sign", "proxy", "post", "put", "head", "options")
)  # fmt: skip
_UNAUTHORIZED = compiled_later(
    r"You must be logged in to the server|server has asked for the client to provide credentials"
    r'|"?(?:message|reason)"?: ?"Unauthorized"|\berror: Unauthorized\b',
    re.IGNORECASE,
)


class ForbiddenAt(NamedTuple):
    """A refusal of Kubernetes in a text."""

    start: int
    """Where the text names what was forbidden."""
    end: int
    forbidden: Forbidden
    score: int
    """How well it reads: a line that was joined in a wrong way splits or merges words."""


def forbidden_in(text: str) -> Iterator[ForbiddenAt]:
    """Yield the requests that were forbidden according to a text on one line."""
    for match in _FORBIDDEN.finditer(text):
        before = _NAME.search(text[max(0, match.start() - _LONGEST_NAME) : match.start()])
        request = _request(match, before[1] if before else None)
        refusal = Forbidden(subject_of(match["user"]), request)
        yield ForbiddenAt(match.start("user"), match.end(), refusal, _score(refusal))
    for match in _ESCALATION.finditer(text):
        user = match["user"]
        if user is None:
            old = _OLD_USER.search(match["rules"] or "")
            user = old[1] if old else "unknown"
        resource = match["resource"].lower()
        # Who binds a role must hold what it allows, or may `bind` it; who writes one likewise, or may `escalate`.
        is_binding = resource.endswith("bindings")
        kind = "clusterroles" if resource.startswith("cluster") else "roles"
        request = KubernetesRequest("bind" if is_binding else "escalate", kind, RBAC_GROUP, name=match["name"])
        refusal = Forbidden(subject_of(user), request, grants=f"{resource} {match['name']}")
        yield ForbiddenAt(match.start("resource"), match.end(), refusal, _score(refusal))


def subject_of(username: str) -> KubernetesSubject:
    """Return what a user name stands for, as EKS sets it unless an access entry says otherwise."""
    if (entity := entity_of(username)).name:
        kind: SubjectKind = "user" if entity.kind == "user" else "role"
        return KubernetesSubject(kind, username, split_arn(username).account, entity.name, entity.session)
    account = ServiceAccount(username, pattern=False)
    if username.startswith(SERVICE_ACCOUNT) and account.name not in ("", "*"):
        return KubernetesSubject("service-account", username, name=account.name, namespace=account.namespace)
    if username.startswith("system:node:"):
        return KubernetesSubject("node", username, name=username.removeprefix("system:node:"))
    if username in ("system:anonymous", ""):
        return KubernetesSubject("anonymous", username)
    return KubernetesSubject("username", username)


def _score(refusal: Forbidden) -> int:
    request = refusal.request
    texts = f"{refusal.subject.username}{request.resource}{request.api_group}{request.name}{request.path}"
    return sum(
        (
            4 * (request.verb.lower() in _VERBS),
            2 * (" " not in texts),
            request.namespace is not None and " " not in request.namespace,
        )
    )


def _request(match: re.Match[str], name: str | None) -> KubernetesRequest:
    if match["path"] is not None:
        return KubernetesRequest(match["verb"], "", path=match["path"])
    plural, _, sub = (match["resource"] or match["old"]).strip().partition("/")
    group = match["group"]
    if group is None:
        # Before Kubernetes 1.12: `cannot list nodes`, `cannot list deployments.apps`.
        plural, _, group = plural.partition(".")
    return KubernetesRequest(match["verb"], plural, group, sub, match["namespace"], name)


def is_unauthorized(text: str) -> bool:
    """Return whether a text says that the cluster does not know the caller, so that no rule was evaluated."""
    return bool(_UNAUTHORIZED.search(re.sub(r"\s+", " ", unframed(text))))
