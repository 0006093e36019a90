"""Denials that say the same: one role is denied one action on resources of one kind, however often."""

from collections.abc import Iterable

from ekstui.denial.forbidden import Forbidden
from ekstui.denial.parsing import Refusal
from ekstui.iam.arn import entity_of, split_arn

_Facts = tuple[str, tuple[object, ...]]
"""The action, and what else makes a difference; None for what a refusal does not say."""


class Repeated:
    """Refusals that say the same, but for sessions, names of resources and times."""

    def __init__(self, refusal: Refusal, facts: _Facts) -> None:
        self.refusal = refusal
        """The one that says most; of equals, the first."""
        self.facts = facts
        """Those of that one."""
        self.variants: list[Refusal] = []
        """All of them."""

    def add(self, refusal: Refusal, facts: _Facts) -> None:
        """Add one that is like those that were added."""
        self.variants.append(refusal)
        if facts != self.facts and _includes(facts, self.facts):
            self.refusal, self.facts = refusal, facts


def merged_refusals(refusals: Iterable[Refusal]) -> list[Repeated]:
    """Return refusals in the order of a text, those that say the same together."""
    groups: list[Repeated] = []
    by_action: dict[str, list[Repeated]] = {}
    for refusal in refusals:
        facts = _facts(refusal)
        alike = by_action.setdefault(facts[0], [])
        group = next((group for group in alike if _includes(group.facts, facts) or _includes(facts, group.facts)), None)
        if group is None:
            group = Repeated(refusal, facts)
            groups.append(group)
            alike.append(group)
        group.add(refusal, facts)
    return groups


def _includes(more: _Facts, less: _Facts) -> bool:
    return all(
        less_value is None or less_value == more_value for less_value, more_value in zip(less[1], more[1], strict=True)
    )


def _facts(refusal: Refusal) -> _Facts:
    what = refusal.what
    if isinstance(what, Forbidden):
        who = what.subject._replace(username="", session=None) if what.subject.name else what.subject
        return str(what.request), (who, what.request.namespace, what.grants)
    if not what.action:
        return "", (what.encoded or "", refusal.ambiguous)
    named = what.resource or next(iter(what.parameter_resources), None)
    account = None if named is None else split_arn(named).account
    kind = kind_of_resource(named)
    return what.action.lower(), (actor(what.principal), kind, account, what.cause, what.called, what.resource_name)


def actor(principal: str | None) -> str | None:
    """Return a principal without the session of a role."""
    entity = entity_of(principal)
    if principal is None or entity.kind != "session" or entity.session is None:
        return principal
    return principal.removesuffix(f"/{entity.session}")


def kind_of_resource(arn: str | None) -> str | None:
    """Return the kind of resource that an ARN names, as the ARN spells it; None without one."""
    if arn is None or arn == "*":
        return arn
    parts = split_arn(arn)
    if parts.service == "s3" and not parts.account:
        return "object" if "/" in parts.resource else "bucket"
    for separator in (":", "/"):
        kind, pieces, _ = parts.resource.partition(separator)
        if pieces and kind.replace("-", "").isalpha():
            return kind
    return _ONLY_KINDS.get(parts.service, parts.service)


_ONLY_KINDS = {"sqs": "queue", "sns": "topic", "codecommit": "repository"}
"""The kinds of resource of services whose ARNs do not spell it."""
