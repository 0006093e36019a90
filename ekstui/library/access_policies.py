"""EKS access policies: what each allows in Kubernetes, and how two of them differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cache

from ekstui import files
from ekstui.change.policy import Policy, VersionInfo
from ekstui.change.steps import FeedStep, Step, StepCounts
from ekstui.eks.knowledge import AccessPolicy
from ekstui.eks.kubernetes import (
    AccessPolicyRules,
    KubernetesRequest,
    Permission,
    Rule,
    covering,
    difference,
    parse_request,
    permissions,
    read_rules,
    requests_meant,
)
from ekstui.errors import Advice, DataError, NotFoundError
from ekstui.iam.grants import Reach
from ekstui.library.catalog import PolicyEntry, access_policy_name, knowledge, not_found
from ekstui.named_tuples import NamedTuple

PREFIX = "access:"
"""Selects the access policy where an IAM policy has the same name."""


class AccessDifference(NamedTuple):
    """How two access policies differ."""

    before: AccessPolicyRules
    after: AccessPolicyRules
    added: tuple[Permission, ...]
    removed: tuple[Permission, ...]

    @property
    def reach(self) -> Reach:
        """Whether the second allows more or less."""
        return reach_of(self.added, self.removed)


def reach_of(added: Collection[Permission], removed: Collection[Permission]) -> Reach:
    """Return whether a change of permissions in Kubernetes allows more or less."""
    if added and removed:
        return "mixed"
    return "widened" if added else "narrowed" if removed else "same"


class KubernetesHolders(NamedTuple):
    """Which access policies allow a request."""

    request: KubernetesRequest
    holders: tuple[tuple[AccessPolicyRules, tuple[Rule, ...]], ...]
    """Each with the rules that allow it."""
    unknown: tuple[str, ...]
    """Those whose rules are not published."""


@cache
def access_rules() -> Mapping[str, tuple[Rule, ...]]:
    """Return the rules by access policy; DataError if the data cannot be read."""
    try:
        return read_rules(files.asset("access-policy-rules.tsv").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise DataError(f"The rules of access policies cannot be read: {error}.", "Install ekstui again.") from None


def access_policies() -> tuple[AccessPolicyRules, ...]:
    """Return all access policies, those whose rules are known first."""
    answers = map(_answer, knowledge().access_policies.values())
    return tuple(sorted(answers, key=lambda answer: ("exact", "prose", "unknown").index(answer.policy.content)))


def access_policy_entries() -> tuple[PolicyEntry, ...]:
    """Return all access policies as the app lists them; each has one version, from when AWS announced it."""
    entries: list[PolicyEntry] = []
    for answer in access_policies():
        policy = Policy(answer.policy.name, answer.arn, 1, (VersionInfo(1, _announcement_day(answer)),))
        entries.append(PolicyEntry(policy, "access", answer.policy.text, access=answer))
    return tuple(entries)


def access_policy_entry(name: str) -> PolicyEntry:
    """Return one of them; NotFoundError for an unknown name, which may start with `access:`."""
    answer = find_access_policy(PREFIX + name.removeprefix(PREFIX))
    return next(entry for entry in access_policy_entries() if answer and entry.policy.arn == answer.arn)


def access_timeline(entry: PolicyEntry) -> tuple[Step, ...]:
    """Return its one step: access policies have no versions, and when their rules change AWS does not say so."""
    return (Step(1, entry.policy.created, True, (), None),)


def _announcement_day(answer: AccessPolicyRules) -> datetime | None:
    day = answer.policy.introduced
    return datetime.combine(day, datetime.min.time(), UTC) if day else None


_LISTED = Advice("See ekstui list --scope access.", ": finds them by a part of the name.")


def find_access_policy(text: str) -> AccessPolicyRules | None:
    """Return the access policy of an ARN, `access:NAME` or name; None for another name.

    NotFoundError for an unknown one that is written as an ARN or `access:NAME`.
    """
    plain = text.removeprefix(PREFIX)
    name = access_policy_name(plain)
    policy = knowledge().access_policy(name or plain)
    if policy is not None:
        return _answer(policy)
    if name is None and not text.startswith(PREFIX):
        return None
    message = f"No known EKS access policy is named {name or plain!r}."
    raise not_found(message, name or plain, knowledge().access_policies, _LISTED)


def means_access_policy(text: str) -> bool:
    """Return whether a text names an access policy: by its form, or because no IAM policy has the name."""
    if text.startswith(PREFIX) or access_policy_name(text) is not None:
        return True
    policy = knowledge().access_policy(text)
    return policy is not None and policy.name not in knowledge().policies


def access_difference(before: str, after: str) -> AccessDifference:
    """Return how two access policies differ; NotFoundError for an unknown one, or one with unknown rules."""
    rules_before, rules_after = _with_rules(before), _with_rules(after)
    added, removed = difference(rules_before.rules or (), rules_after.rules or ())
    return AccessDifference(rules_before, rules_after, tuple(sorted(added)), tuple(sorted(removed)))


def who_can_in_kubernetes(action: str) -> KubernetesHolders:
    """Return which access policies allow `k8s:VERB:RESOURCE[.GROUP][/SUB]`; InputError for another form."""
    request = parse_request(action, access_rules())
    matches = ((answer, covering(answer.rules or (), request)) for answer in access_policies())
    unknown = tuple(answer.policy.name for answer in access_policies() if answer.rules is None)
    return KubernetesHolders(request, tuple((answer, rules) for answer, rules in matches if rules), unknown)


def kubernetes_requests(text: str) -> tuple[KubernetesRequest, ...]:
    """Return the requests to Kubernetes that a text means, such as `kubectl exec`; empty if it means none."""
    return requests_meant(text, access_rules())


def access_steps(since: datetime | None) -> tuple[FeedStep, ...]:
    """Return the access policies that AWS announced since a time; changes of their rules are not announced."""
    return tuple(
        FeedStep(
            answer.policy.name,
            1,
            None,
            day,
            StepCounts("new", None, len(permissions(answer.rules or ())), 0, 0),
            "access-policy",
        )
        for answer in access_policies()
        if (day := _announcement_day(answer)) and (since is None or day >= since)
    )


def _with_rules(text: str) -> AccessPolicyRules:
    answer = find_access_policy(text)
    if answer is None:
        raise NotFoundError(
            f"{text!r} is not an EKS access policy, and one can only be compared with another.",
            (),
            _LISTED,
        )
    if answer.rules is None:
        raise NotFoundError(f"The rules of {answer.policy.name} are not published.", (), answer.policy.text)
    return answer


def _answer(policy: AccessPolicy) -> AccessPolicyRules:
    return AccessPolicyRules(policy, access_rules().get(policy.name) if policy.content == "exact" else None)
