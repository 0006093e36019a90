"""What Kubernetes says when it forbids a request, and who its user is.

Source: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries", for what user names mean; kubectl's
and client-go's wording, as in public threads.
"""

import re
from typing import Literal, NamedTuple

from ekstui.denial.parsing import check_length, unframed, unwrapped
from ekstui.eks.kubernetes import KubernetesRequest
from ekstui.iam.arn import entity_of, split_arn
from ekstui.iam.trust import SERVICE_ACCOUNT, ServiceAccount

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


def parse_forbidden(text: str) -> tuple[Forbidden, ...]:
    """Return the first requests that were forbidden according to a text, without duplicates, in order.

    Raises InputError if the text is too long.
    """
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
    return bool(_UNAUTHORIZED.search(re.sub(r"\s+", " ", unframed(text))))


def subject_of(username: str) -> Subject:
    """Return what a user name stands for, as EKS sets it unless an access entry says otherwise."""
    if (entity := entity_of(username)).name:
        kind: SubjectKind = "user" if entity.kind == "user" else "role"
        return Subject(kind, username, split_arn(username).account, entity.name, entity.session)
    account = ServiceAccount(username, pattern=False)
    if username.startswith(SERVICE_ACCOUNT) and account.name not in ("", "*"):
        return Subject("service-account", username, name=account.name, namespace=account.namespace)
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
